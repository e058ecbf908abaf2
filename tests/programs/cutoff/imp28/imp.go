// Package imp28 imports low.
package imp28

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(28) + low.Large(0) + low.Point{X: 1, Y: 2}.Sum() }
