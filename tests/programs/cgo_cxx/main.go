package main

// #cgo CXXFLAGS: -std=c++17
// #include "sorter.h"
import "C"

func main() {
	numbers := []C.int{3, 1, 2}
	C.sortNumbers(&numbers[0], C.int(len(numbers)))
	println("cgo_cxx:", numbers[0], C.sumNumbers(&numbers[0], C.int(len(numbers))))
}
