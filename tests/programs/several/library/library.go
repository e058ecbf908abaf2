package library

import "strings"

// Busy does some work, so that a profile has something to say.
func Busy(rounds int) int {
	total := 0
	for i := range rounds {
		total += step(i)
	}
	return total
}

func step(n int) int {
	s := 0
	for k := n; k > 0; k /= 3 {
		s += k%7 + len(strings.Repeat("x", k%3))
		if s > 1000 {
			s -= other(s)
		}
	}
	return s
}

func other(n int) int { return n/2 + 1 }
