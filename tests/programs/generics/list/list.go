package list

import (
	"cmp"
	"iter"
)

// Number is what Sum can add.
type Number interface {
	~int | ~int64 | ~float64
}

// List is a generic linked list.
type List[T any] struct {
	value T
	next  *List[T]
}

// Of makes a list.
func Of[T any](values ...T) *List[T] {
	var head *List[T]
	for i := len(values) - 1; i >= 0; i-- {
		head = &List[T]{values[i], head}
	}
	return head
}

// All returns the values.
func (l *List[T]) All() []T {
	var all []T
	for ; l != nil; l = l.next {
		all = append(all, l.value)
	}
	return all
}

// Each ranges over the values.
func (l *List[T]) Each() iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for i := 0; l != nil; i, l = i+1, l.next {
			if !yield(i, l.value) {
				return
			}
		}
	}
}

// Sum adds.
func Sum[T Number](l *List[T]) T {
	var sum T
	for ; l != nil; l = l.next {
		sum += l.value
	}
	return sum
}

// Map applies f.
func Map[T, U any](l *List[T], f func(T) U) *List[U] {
	var all []U
	for _, v := range l.All() {
		all = append(all, f(v))
	}
	return Of(all...)
}

// Max returns the larger one.
func Max[T cmp.Ordered](a, b T) T { return max(a, b) }
