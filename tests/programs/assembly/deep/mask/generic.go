//go:build !amd64 && !arm64

package mask

func of(number uint64) uint64 { return number & 0xfff }
