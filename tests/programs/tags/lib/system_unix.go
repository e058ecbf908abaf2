//go:build unix

package lib

const system = " on unix"
