// Package chain5 is above chain4.
package chain5

import "example.com/cutoff/chain4"

// Value is the one below plus 5.
func Value() int { return chain4.Value() + 5 }
