package main

import (
	"fmt"

	"example.com/buildignore/lib"
)

func main() { fmt.Println("buildignore:", lib.Name()) }
