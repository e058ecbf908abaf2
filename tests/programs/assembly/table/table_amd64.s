#include "funcdata.h"
#include "textflag.h"
#include "table.h"

ENTRY(0, FIRST_ENTRY)
ENTRY(1, SECOND)
ENTRY(2, THIRD)
GLOBL table<>(SB), RODATA, $24

// func at(i int) uint64
TEXT ·at(SB), $16-16
	NO_LOCAL_POINTERS
	MOVQ i+0(FP), AX
	LEAQ table<>(SB), BX
	MOVQ (BX)(AX*8), CX
	MOVQ CX, 0(SP)
	CALL ·back(SB)
	MOVQ 8(SP), AX
	MOVQ AX, ret+8(FP)
	RET
