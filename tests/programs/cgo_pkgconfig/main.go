// Build with PKG_CONFIG_PATH=<this folder>/pkgconfig.
package main

// #cgo pkg-config: greeting
// #include <greeting.h>
import "C"

import "fmt"

func main() { fmt.Println("cgo_pkgconfig:", C.GREETING, C.GREETING_LEVEL, float64(C.twice(21))) }
