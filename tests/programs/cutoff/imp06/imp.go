// Package imp06 imports low.
package imp06

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(6) + low.Large(6) + low.Point{X: 1, Y: 2}.Sum() }
