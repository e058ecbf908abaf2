package pull

import _ "unsafe" // for go:linkname

//go:linkname hidden example.com/linkname/push.hidden
func hidden() string

// pushed gets its body from package push.
func pushed() string

// Hidden calls a function of push.
func Hidden() string { return hidden() }

// Pushed calls what push gave.
func Pushed() string { return pushed() }
