// Package shared is what all six programs use: a name, a log and a way to fail.
package shared

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Name is the name of the running program.
func Name() string { return filepath.Base(os.Args[0]) }

// Say prints a line with the program's purpose.
func Say(purpose string, values ...any) {
	fmt.Print(purpose, " on ", runtime.GOOS, "/", runtime.GOARCH, ":")
	for _, value := range values {
		fmt.Print(" ", value)
	}
	fmt.Println()
}

// Check ends the program on an error.
func Check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, Name()+":", err)
		os.Exit(1)
	}
}
