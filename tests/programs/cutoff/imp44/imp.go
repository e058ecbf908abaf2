// Package imp44 imports low.
package imp44

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(44) + low.Large(2) + low.Point{X: 1, Y: 2}.Sum() }
