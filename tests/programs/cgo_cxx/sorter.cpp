#include "sorter.h"
#include <algorithm>
#include <vector>

extern "C" void sortNumbers(int *p, int n) {
	std::vector<int> v(p, p + n);
	std::sort(v.begin(), v.end());
	std::copy(v.begin(), v.end(), p);
}
