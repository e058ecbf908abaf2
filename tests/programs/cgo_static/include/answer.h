#define ANSWER_VERSION 2
int answer(void);
