package main

import (
	"fmt"

	"example.com/generics/left"
	"example.com/generics/list"
	"example.com/generics/right"
)

func main() {
	numbers := list.Of(3, 1, 2)
	fmt.Println("generics:", list.Sum(numbers), left.Sum(), right.Sum(), list.Map(numbers, func(n int) string { return fmt.Sprint(n * n) }).All())
	for i, s := range list.Of("a", "b").Each() {
		fmt.Print(i, s, " ")
	}
	fmt.Println(list.Max[left.Weight](left.Weight(1), left.Weight(2)))
}
