// Expected to fail: import cycle not allowed (a -> b -> a).
package main

import "example.com/cycle/a"

func main() { a.A() }
