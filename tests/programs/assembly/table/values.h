#ifndef FIRST_ENTRY
#define FIRST_ENTRY 10 // -asmflags=-D=FIRST_ENTRY=77 changes it
#endif
#define SECOND 20
#define THIRD 30
