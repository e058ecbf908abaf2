//go:build amd64

package table

func at(i int) uint64
