package shape

// Shape is called through an interface: with a profile the compiler calls the hot type directly.
type Shape interface{ Area(n int) int }

type square struct{ side int }
type circle struct{ radius int }

func (s square) Area(n int) int { return s.side*s.side + n%3 }
func (c circle) Area(n int) int { return 3*c.radius*c.radius + n%5 }

// Total adds many areas.
func Total(rounds int) int {
	shapes := []Shape{square{2}, square{3}, square{4}, square{5}, square{6}, square{7}, square{8}, circle{1}}
	total := 0
	for i := range rounds {
		total += area(shapes[i%len(shapes)], i)
	}
	return total
}

// area is too large to be inlined without a profile.
func area(s Shape, n int) int {
	a := s.Area(n)
	for k := n & 15; k > 0; k-- {
		a += mix(a, k)
		if a > 1<<40 {
			a -= mix(n, a&7)
		}
	}
	if a < 0 {
		a = -a + mix(a, n)
	}
	return a & 0xffff
}

func mix(a, b int) int {
	x := a ^ b<<3
	x += x >> 5
	x ^= x << 2
	x += b * 7
	x ^= x >> 11
	x += a & 0xff
	x ^= b | 1
	x += x << 4
	x ^= x >> 9
	return x & 0xfff
}
