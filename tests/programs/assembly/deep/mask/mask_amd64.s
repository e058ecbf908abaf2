#include "textflag.h"
#include "../../shared/macros.h"
#include "parts/body_amd64.inc"
