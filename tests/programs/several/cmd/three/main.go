package main

import (
	"encoding/json"
	"os"

	"example.com/several/library"
)

func main() {
	json.NewEncoder(os.Stdout).Encode(map[string]int{"several: three": library.Busy(1000)})
}
