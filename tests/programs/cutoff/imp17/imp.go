// Package imp17 imports low.
package imp17

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(17) + low.Large(3) + low.Point{X: 1, Y: 2}.Sum() }
