#include "values.h"
#define ENTRY(i, v) DATA table<>+(8*i)(SB)/8, $v
