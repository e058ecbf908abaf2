// Package notmain is a library: go build succeeds and writes nothing, or with -o FILE the package's archive.
package notmain

func Name() string { return "notmain" }
