// Expected to fail: //go:debug with an unknown setting.

//go:debug nosuchsetting=1
package main

func main() { println("never built") }
