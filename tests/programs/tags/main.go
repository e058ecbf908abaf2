package main

import (
	"fmt"

	"example.com/tags/lib"
)

func main() { fmt.Println("tags:", style, lib.Kind()) }
