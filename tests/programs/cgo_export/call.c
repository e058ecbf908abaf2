#include "call.h"
#include "_cgo_export.h"

int call(binary f, int a, int b) { return f(a, b); }

void visitAll(int n) {
	for (int i = 0; i < n; i++) goVisit(i, "from C");
}
