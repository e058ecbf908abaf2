// Build with -overlay=overlay.json: text.go is read from replacement.txt, and added.go exists only there.
package main

import "fmt"

func main() { fmt.Println("overlay:", text()) }
