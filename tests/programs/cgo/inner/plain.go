package inner

// Name is declared in a file without cgo.
func Name() string { return cName() }
