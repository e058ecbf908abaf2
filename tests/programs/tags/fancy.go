//go:build fancy

package main

const style = "fancy"
