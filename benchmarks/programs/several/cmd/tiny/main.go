// Command tiny needs hardly anything.
package main

import "example.com/bench-several/shared"

func main() { shared.Say("tiny", 1) }
