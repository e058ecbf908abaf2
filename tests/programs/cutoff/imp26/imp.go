// Package imp26 imports low.
package imp26

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(26) + low.Large(5) + low.Point{X: 1, Y: 2}.Sum() }
