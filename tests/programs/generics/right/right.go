package right

import "example.com/generics/list"

// Alias is a generic alias.
type Alias[T any] = list.List[T]

// Sum instantiates with int as left does.
func Sum() int {
	var l *Alias[int] = list.Of(4, 5)
	return list.Sum(l)
}
