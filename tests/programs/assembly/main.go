package main

import (
	"example.com/assembly/deep/mask"
	"example.com/assembly/sum"
	"example.com/assembly/table"
)

func main() {
	println("assembly:", sum.Of(&sum.Pair{Left: 40, Right: 2}), table.At(0), table.At(1), table.At(2), mask.Of(0x12345))
}
