package build

// Date is set with -X.
var Date = "never"

var untouched = "untouched"

// Untouched is not set by most builds.
func Untouched() string { return untouched }
