// Package imp31 imports low.
package imp31

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(31) + low.Large(3) + low.Point{X: 1, Y: 2}.Sum() }
