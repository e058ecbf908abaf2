#include "times.h"

int times(int n) { return n * FACTOR; }
