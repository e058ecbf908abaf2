// Package imp41 imports low.
package imp41

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(41) + low.Large(6) + low.Point{X: 1, Y: 2}.Sum() }
