#include "go_asm.h"
#include "textflag.h"

// func of(p *Pair) int64
TEXT ·of(SB), NOSPLIT, $0-16
	MOVD p+0(FP), R0
	MOVD Pair_Left(R0), R1
	MOVD Pair_Right(R0), R2
	ADD R2, R1, R1
	ADD $const_extra, R1, R1
	MOVD R1, ret+8(FP)
	RET
