package main

import (
	"fmt"
	"runtime"
	"strings"

	"example.com/paths/a+b"
	"example.com/paths/a-b_c~d"
	"example.com/paths/dotted.name"
	"example.com/paths/v1.2"
	"example.com/paths/v2"
)

func main() {
	_, file, _, _ := runtime.Caller(0)
	fmt.Println("paths:", strings.HasSuffix(file, "paths/main.go"), dotted.Name(), version.Name(), two.Name(), plus.Name(), dashed.Name(), unicodeFile())
}
