package lib

// Name is the only thing here that counts.
func Name() string { return "only what counts" }
