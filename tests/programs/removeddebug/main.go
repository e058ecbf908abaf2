// Expected to fail from Go 1.27 on (the setting was removed: its old value is refused); Go 1.26 builds it.

//go:debug asynctimerchan=1
package main

import "fmt"

func main() { fmt.Println("removeddebug: built") }
