#include <math.h>
#define GREETING "found by pkg-config"
static double twice(double x) { return floor(x * 2); }
