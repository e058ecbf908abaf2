#include "sorter.h"
#include <numeric>

int sumNumbers(const int *p, int n) { return std::accumulate(p, p + n, 0); }
