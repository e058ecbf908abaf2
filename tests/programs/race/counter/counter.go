package counter

import "sync"

// Counter counts under a lock.
type Counter struct {
	lock sync.Mutex
	n    int
}

// Add counts one.
func (c *Counter) Add() {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.n++
}

// Value returns the count.
func (c *Counter) Value() int {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.n
}
