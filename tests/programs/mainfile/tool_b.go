//go:build ignore

// Build with: go build tool_b.go
package main

import (
	"fmt"

	"example.com/mainfile/shared"
)

func main() { fmt.Println("mainfile: b", shared.Name()) }
