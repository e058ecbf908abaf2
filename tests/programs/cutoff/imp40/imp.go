// Package imp40 imports low.
package imp40

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(40) + low.Large(5) + low.Point{X: 1, Y: 2}.Sum() }
