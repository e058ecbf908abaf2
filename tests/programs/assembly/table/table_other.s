//go:build !amd64

#include "textflag.h"
#include "table.h"

// Not the table: arithmetic that every architecture has is written in Go (see generic.go); this file only
// keeps the package an assembly package everywhere.
GLOBL ·unused(SB), NOPTR, $8
