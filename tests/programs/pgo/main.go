// default.pgo is a CPU profile of shape.Total(60000000).
package main

import "example.com/pgo/shape"

func main() { println("pgo:", shape.Total(1000)) }
