package lib_test

import (
	"testing"

	"example.com/buildignore/lib"
)

func TestOutside(t *testing.T) { _ = lib.Name() }
