// Expected to fail with GOTOOLCHAIN=local: go.mod requires go >= 1.99.
package main

func main() { println("too new") }
