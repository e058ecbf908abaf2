// The assembler looks for what an included file includes from the package's folder as well.
#include "../../shared/width.inc"
#define LOW_BITS ((1<<WIDTH)-1)
