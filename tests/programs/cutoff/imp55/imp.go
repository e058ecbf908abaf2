// Package imp55 imports low.
package imp55

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(55) + low.Large(6) + low.Point{X: 1, Y: 2}.Sum() }
