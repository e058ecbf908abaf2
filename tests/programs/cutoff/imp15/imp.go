// Package imp15 imports low.
package imp15

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(15) + low.Large(1) + low.Point{X: 1, Y: 2}.Sum() }
