// Package mask clears bits in assembly that includes files of other folders, or in Go where there is no assembly.
package mask

// Of returns the low bits of a number.
func Of(number uint64) uint64 { return of(number) }
