// Package inner has cgo with a preamble only, besides a file without cgo.
package inner

// enum colour { RED = 1, GREEN };
// static const char *name(enum colour c) { return c == GREEN ? "green" : "red"; }
import "C"

func cName() string { return C.GoString(C.name(C.GREEN)) }
