//go:build race

package counter

// Detector tells how it was built.
const Detector = "with the race detector"
