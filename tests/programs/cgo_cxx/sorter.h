#ifdef __cplusplus
extern "C" {
#endif
void sortNumbers(int *p, int n);
int sumNumbers(const int *p, int n);
#ifdef __cplusplus
}
#endif
