//go:build !(fancy && extra)

package lib

const kind = "simple"
