#include "go_asm.h"
#include "textflag.h"

// func of(p *Pair) int64
TEXT ·of(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), AX
	MOVQ Pair_Left(AX), BX
	ADDQ Pair_Right(AX), BX
	ADDQ $const_extra, BX
	MOVQ BX, ret+8(FP)
	RET
