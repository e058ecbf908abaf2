// Package low is imported by sixty packages: edits here show what an edit costs.
package low

// Version is a constant.
const Version = 1

// Point is an exported struct.
type Point struct {
	// X goes right.
	X int
	// Y goes up.
	Y int
}

// Small is inlinable: its body is in the export data.
func Small(n int) int { return n + 1 }

// Large is not inlinable: its body is not in the export data.
//
//go:noinline
func Large(n int) int {
	total := 0
	for i := range n {
		total += helper(i)
	}
	return total
}

// Sum adds both.
func (p Point) Sum() int { return p.X + p.Y }

// helper is not exported.
//
//go:noinline
func helper(n int) int {
	// a comment inside a body
	return n * 2
}

// Last calls last.
var Last = last

// last is the last function of the file: lines added in it move nothing else.
//
//go:noinline
func last() int {
	return 3
}
