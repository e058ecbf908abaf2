package main

import "example.com/tags/lib"

func main() { println("tags:", style, lib.Kind()) }
