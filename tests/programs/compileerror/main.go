// Expected to fail: type errors in the packages first and second; third depends on first and must not be
// compiled; good must be.
package main

import (
	"example.com/compileerror/good"
	"example.com/compileerror/second"
	"example.com/compileerror/third"
)

func main() { println(second.N, third.N, good.N) }
