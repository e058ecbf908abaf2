// Package imp14 imports low.
package imp14

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(14) + low.Large(0) + low.Point{X: 1, Y: 2}.Sum() }
