// Package chain4 is above chain3.
package chain4

import "example.com/cutoff/chain3"

// Value is the one below plus 4.
func Value() int { return chain3.Value() + 4 }
