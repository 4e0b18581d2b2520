/* SPDX-License-Identifier: MIT */
/* A client and the server it wakes and waits for, a byte at a time, on one CPU: what a switch
 * costs. `ping TRIPS TO FROM` prints the client's own CPU time in ns, `ping serve TRIPS FROM TO`
 * nothing. TO and FROM are FIFOs. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int pass(int from, int to)
{
    char byte = 0;

    return (from >= 0 && read(from, &byte, 1) != 1) || (to >= 0 && write(to, &byte, 1) != 1);
}

static int trips(int serves, long count, int a, int b)
{
    for (long i = 0; i < count; i++)
        if (serves ? pass(a, b) : pass(-1, a) || pass(b, -1))
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    const int serves = argc == 5 && strcmp(argv[1], "serve") == 0;
    struct timespec t;
    cpu_set_t first;

    if (argc != 4 + serves)
        return 2;
    argv += serves;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    (void)sched_setaffinity(0, sizeof(first), &first);
    const int a = open(argv[2], O_RDWR), b = open(argv[3], O_RDWR);
    if (a < 0 || b < 0 || trips(serves, strtol(argv[1], NULL, 10), a, b))
        return 1;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    if (!serves)
        (void)printf("%lld\n", (long long)t.tv_sec * 1000000000 + t.tv_nsec);
    return 0;
}
