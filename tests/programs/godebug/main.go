//go:debug execerrdot=0
//go:debug http2client=0
package main

import (
	"fmt"
	"runtime/debug"
)

func main() {
	info, _ := debug.ReadBuildInfo()
	for _, setting := range info.Settings {
		if setting.Key == "DefaultGODEBUG" {
			fmt.Println("godebug:", setting.Value != "")
		}
	}
	defer func() { fmt.Println("recovered:", recover()) }()
	panic(nil)
}
