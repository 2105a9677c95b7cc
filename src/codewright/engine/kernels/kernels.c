/* One build of the kernels; BUILD is the name of the instructions that it may use. */
#include "forward.h"
#include "sample.h"

#define JOINED_(a, b) a##b
#define JOINED(a, b) JOINED_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

const kernels JOINED(kernels_, BUILD) = {TEXT(BUILD), pack, forward, sample};
