//go:build amd64 || arm64

package mask

//go:noescape
func of(number uint64) uint64
