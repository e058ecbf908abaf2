// Package imp07 imports low.
package imp07

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(7) + low.Large(0) + low.Point{X: 1, Y: 2}.Sum() }
