// Package imp42 imports low.
package imp42

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(42) + low.Large(0) + low.Point{X: 1, Y: 2}.Sum() }
