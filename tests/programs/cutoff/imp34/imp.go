// Package imp34 imports low.
package imp34

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(34) + low.Large(6) + low.Point{X: 1, Y: 2}.Sum() }
