//go:build !race

package counter

// Detector tells how it was built.
const Detector = "without the race detector"
