// Package imp51 imports low.
package imp51

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(51) + low.Large(2) + low.Point{X: 1, Y: 2}.Sum() }
