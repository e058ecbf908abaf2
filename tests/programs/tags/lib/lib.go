package lib

// Kind depends on tags too.
func Kind() string { return kind + system }
