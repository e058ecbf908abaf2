package main

// #cgo CFLAGS: -I${SRCDIR}/include
// #cgo LDFLAGS: -L${SRCDIR}/lib -lanswer
// #include <answer.h>
import "C"

import "fmt"

func main() { fmt.Println("cgo_static:", C.answer(), C.ANSWER_VERSION) }
