// Expected to fail: broken.c has a C syntax error.
package main

// int broken(void);
import "C"

import "fmt"

func main() { fmt.Println(C.broken()) }
