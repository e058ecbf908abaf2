// object_linux_amd64.syso is gcc -O2 -fPIC -fno-asynchronous-unwind-tables -c of
//
//	const int syso_answer = 42; int syso_twice(int n) { return 2 * n; }
package main

func main() { println("syso:", answer()) }
