package main

import (
	"fmt"
	_ "unsafe" // for go:linkname

	"example.com/linkname/pull"
	"example.com/linkname/push"
)

//go:linkname nanotime runtime.nanotime
func nanotime() int64

func main() {
	_ = push.Marker
	fmt.Println("linkname:", nanotime() > 0, pull.Hidden(), pull.Pushed())
}
