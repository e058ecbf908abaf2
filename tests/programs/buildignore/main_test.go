package main

import (
	"testing"

	"example.com/buildignore/testonly"
)

func TestName(t *testing.T) { testonly.Check(t) }
