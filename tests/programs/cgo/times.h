#ifndef TIMES_H
#define TIMES_H
#define GREETING "from a header"
struct point { int x, y; };
int times(int n);
#endif
