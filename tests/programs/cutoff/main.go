package main

import (
	"fmt"

	"example.com/cutoff/chain5"
	"example.com/cutoff/low"
)

func main() { fmt.Println("cutoff:", chain5.Value(), low.Version, low.Last()) }
