package push

import _ "unsafe" // for go:linkname

// Marker keeps the import used.
const Marker = 1

// hidden is pulled by package pull.
func hidden() string { return "pulled" }

//go:linkname pushed example.com/linkname/pull.pushed
func pushed() string { return "pushed" }
