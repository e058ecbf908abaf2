package main

import (
	"fmt"

	"example.com/internal/internal/secret"
	"example.com/internal/sub"
)

func main() { fmt.Println("internal:", secret.Word(), sub.Word()) }
