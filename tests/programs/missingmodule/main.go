// Expected to fail: no required module provides package example.org/absent.
package main

import "example.org/absent"

func main() { absent.Absent() }
