//go:build ignore

// Build with: go build tool_a.go
package main

import (
	"fmt"

	"example.com/mainfile/shared"
)

func main() { fmt.Println("mainfile: a", shared.Name()) }
