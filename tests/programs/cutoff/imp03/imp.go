// Package imp03 imports low.
package imp03

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(3) + low.Large(3) + low.Point{X: 1, Y: 2}.Sum() }
