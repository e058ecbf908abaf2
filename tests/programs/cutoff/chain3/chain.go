// Package chain3 is above chain2.
package chain3

import "example.com/cutoff/chain2"

// Value is the one below plus 3.
func Value() int { return chain2.Value() + 3 }
