// Package imp35 imports low.
package imp35

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(35) + low.Large(0) + low.Point{X: 1, Y: 2}.Sum() }
