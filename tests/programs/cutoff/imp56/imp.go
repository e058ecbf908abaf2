// Package imp56 imports low.
package imp56

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(56) + low.Large(0) + low.Point{X: 1, Y: 2}.Sum() }
