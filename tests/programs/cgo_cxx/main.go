package main

// #cgo CXXFLAGS: -std=c++17
// #include "sorter.h"
import "C"

import "fmt"

func main() {
	numbers := []C.int{3, 1, 2}
	C.sortNumbers(&numbers[0], C.int(len(numbers)))
	fmt.Println("cgo_cxx:", numbers, C.sumNumbers(&numbers[0], C.int(len(numbers))))
}
