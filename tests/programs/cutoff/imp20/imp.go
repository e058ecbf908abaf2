// Package imp20 imports low.
package imp20

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(20) + low.Large(6) + low.Point{X: 1, Y: 2}.Sum() }
