// Package imp25 imports low.
package imp25

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(25) + low.Large(4) + low.Point{X: 1, Y: 2}.Sum() }
