// Package sum adds in assembly with offsets from go_asm.h, or in Go where there is no assembly.
package sum

// Pair has its fields' offsets in go_asm.h.
type Pair struct {
	name        string
	Left, Right int64
}

const extra = 100

// Of returns the sum of both numbers and of a constant.
func Of(p *Pair) int64 { return of(p) }
