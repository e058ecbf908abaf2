// Package chain2 is above chain1.
package chain2

import "example.com/cutoff/chain1"

// Value is the one below plus 2.
func Value() int { return chain1.Value() + 2 }
