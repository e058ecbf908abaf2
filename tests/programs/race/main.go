package main

import (
	"fmt"
	"sync"

	"example.com/race/counter"
)

func main() {
	var c counter.Counter
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				c.Add()
			}
		})
	}
	wait.Wait()
	fmt.Println("race:", c.Value(), counter.Detector)
}
