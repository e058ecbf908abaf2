package main

import (
	"example.com/generics/left"
	"example.com/generics/list"
	"example.com/generics/right"
)

func main() {
	numbers := list.Of(3, 1, 2)
	println("generics:", list.Sum(numbers), left.Sum(), right.Sum(), list.Map(numbers, func(n int) string { return string(rune('a' + n)) }).All()[0])
	for i, s := range list.Of("a", "b").Each() {
		print(i, s, " ")
	}
	println(list.Max[left.Weight](left.Weight(1), left.Weight(2)))
}
