package main

import (
	"fmt"

	"example.com/workspace/extra"
	"example.com/workspace/lib"
)

func main() { fmt.Println("workspace:", lib.Name(), extra.Name()) }
