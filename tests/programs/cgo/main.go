package main

/*
#cgo CFLAGS: -DFACTOR=3
#cgo LDFLAGS: -lm
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "times.h"

static int preamble(int n) { return n + 1; }
*/
import "C"

import (
	"fmt"
	"unsafe"

	"example.com/cgo/inner"
)

func main() {
	text := C.CString("hello")
	defer C.free(unsafe.Pointer(text))
	point := C.struct_point{x: 3, y: 4}
	fmt.Println("cgo:", C.preamble(41), C.times(7), C.strlen(text), float64(C.sqrt(C.double(point.x*point.x+point.y*point.y))), inner.Name(), C.GREETING)
}
