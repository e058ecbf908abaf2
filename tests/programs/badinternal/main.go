// Expected to fail: use of internal package example.com/badinternal/lib/internal/secret not allowed.
package main

import "example.com/badinternal/lib/internal/secret"

func main() { secret.Word() }
