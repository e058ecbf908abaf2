// Expected to fail: package main without func main (function main is undeclared in the main package).
package main

import "fmt"

func helper() { fmt.Println("nobody calls this") }
