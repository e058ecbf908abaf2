package third

import "example.com/compileerror/first"

var N = first.N
