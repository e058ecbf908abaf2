// Package imp54 imports low.
package imp54

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(54) + low.Large(5) + low.Point{X: 1, Y: 2}.Sum() }
