// default.pgo is a CPU profile of this program: go run . -profile default.pgo -rounds 60000000
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/pprof"

	"example.com/pgo/shape"
)

func main() {
	profile := flag.String("profile", "", "write a CPU profile")
	rounds := flag.Int("rounds", 1000, "how much to do")
	flag.Parse()
	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			panic(err)
		}
		pprof.StartCPUProfile(file)
		defer pprof.StopCPUProfile()
	}
	fmt.Println("pgo:", shape.Total(*rounds))
}
