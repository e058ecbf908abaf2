package main

import (
	"fmt"

	"example.org/colour"
	"example.org/colour/shade"
)

func main() { fmt.Println("vendored:", colour.Name(), shade.Name()) }
