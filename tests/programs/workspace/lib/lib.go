package lib

import "example.com/workspace/extra"

func Name() string { return "lib with " + extra.Name() }
