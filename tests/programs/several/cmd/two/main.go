package main

import (
	"fmt"

	"example.com/several/library"
)

func main() { fmt.Println("several: two", library.Busy(1000)) }
