//go:build !(linux && amd64)

package main

func answer() int { return 84 }
