// Package imp30 imports low.
package imp30

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(30) + low.Large(2) + low.Point{X: 1, Y: 2}.Sum() }
