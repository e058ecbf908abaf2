// Package imp47 imports low.
package imp47

import "example.com/cutoff/low"

// Value uses both functions of low.
func Value() int { return low.Small(47) + low.Large(5) + low.Point{X: 1, Y: 2}.Sum() }
