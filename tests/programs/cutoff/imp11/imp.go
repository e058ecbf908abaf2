// Package imp11 imports low.
package imp11

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(11) + low.Large(4) + low.Point{X: 1, Y: 2}.Sum() }
