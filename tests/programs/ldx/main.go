package main

import (
	"fmt"

	"example.com/ldx/build"
)

var version = "unset"

var commit string

func main() { fmt.Println("ldx:", version, commit, build.Date, build.Untouched()) }
