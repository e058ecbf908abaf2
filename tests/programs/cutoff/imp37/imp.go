// Package imp37 imports low.
package imp37

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(37) + low.Large(2) + low.Point{X: 1, Y: 2}.Sum() }
