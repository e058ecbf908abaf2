package main

/*
#include "call.h"

extern int goAdd(int, int);
*/
import "C"

import "fmt"

//export goAdd
func goAdd(a, b C.int) C.int { return a + b }

//export goVisit
func goVisit(n C.int, name *C.char) { fmt.Println("visited", n, C.GoString(name)) }

func main() {
	fmt.Println("cgo_export:", C.call(C.binary(C.goAdd), 40, 2))
	C.visitAll(3)
}
