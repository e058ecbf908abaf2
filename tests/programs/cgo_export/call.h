typedef int (*binary)(int, int);
int call(binary f, int a, int b);
void visitAll(int n);
