package testonly

import "testing"

// Check is for tests only.
func Check(t *testing.T) { t.Helper() }
