package main

import (
	"fmt"

	"example.org/local"
	"example.org/other/nested"
)

func main() { fmt.Println("replaced:", local.Name(), nested.Name()) }
