//go:build amd64 || arm64

package sum

//go:noescape
func of(p *Pair) int64
