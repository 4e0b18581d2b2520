/* SPDX-License-Identifier: MIT */
/* A client whose layers keep frame pointers, as distributions build them that want to be profiled:
 * 24 functions deep, a few different paths. Only for recording stacks; it talks to nobody. */
#include <stdint.h>
#include <stdlib.h>

#define DEPTH 24

static volatile uint64_t sink;

/* Each level works a little and goes on; which levels are skipped depends on the request. */
__attribute__((noinline)) static uint64_t layer(unsigned level, uint64_t request)
{
    uint64_t sum = request;

    for (unsigned i = 0; i < 40; i++)
        sink = sum += i ^ request;
    if (level < DEPTH)
        sum += layer(level + 1 + (level % 5 == 0 && (request >> level / 5 & 1)), request);
    sink = sum; /* work after the call, so that it cannot become a jump */
    return sum;
}

int main(int argc, char **argv)
{
    unsigned long requests = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;

    for (unsigned long i = 0; i < requests; i++)
        (void)layer(0, i);
    return 0;
}
