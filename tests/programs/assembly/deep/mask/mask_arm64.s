#include "textflag.h"
#include "../../shared/macros.h"
#include "parts/body_arm64.inc"
