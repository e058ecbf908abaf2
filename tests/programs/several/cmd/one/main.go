package main

import (
	"fmt"

	"example.com/several/library"
)

func main() { fmt.Println("several: one", library.Busy(1000)) }
