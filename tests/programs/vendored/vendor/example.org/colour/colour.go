package colour

import "example.org/deep"

func Name() string { return "red " + deep.Name() }
