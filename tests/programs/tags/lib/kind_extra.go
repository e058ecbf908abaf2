//go:build fancy && extra

package lib

import "strings"

var kind = strings.ToUpper("extra")
