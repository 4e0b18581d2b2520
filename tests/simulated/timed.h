/* SPDX-License-Identifier: MIT */
/* Running a loop for the simulated tier, which counts between two client requests, and natively,
 * where they do nothing: timed in turn with a chain of additions. */
#ifndef SLW_TESTS_SIMULATED_TIMED_H
#define SLW_TESTS_SIMULATED_TIMED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <valgrind/valgrind.h>

enum { REQUEST_START = VG_USERREQ_TOOL_BASE('S', 'W'), REQUEST_STOP };

static inline void run_counted(void (*run)(long rounds, void *data), void *data, long rounds)
{
    VALGRIND_DO_CLIENT_REQUEST_STMT(REQUEST_START, 0, 0, 0, 0, 0);
    run(rounds, data);
    VALGRIND_DO_CLIENT_REQUEST_STMT(REQUEST_STOP, 0, 0, 0, 0, 0);
}

/* One cycle an addition on any core: how long a cycle is. */
static inline void clock_of_adds(long rounds, void *data)
{
    uint64_t value = 0;

    (void)data;
    for (long i = 0; i < rounds; i++)
        __asm__ volatile(".rept 64\n add $1, %0\n .endr" : "+r"(value));
}

static inline double cpu_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Not the very least: clocks that are set right go back, too. */
static inline double tenth(double *times, size_t count)
{
    qsort(times, count, sizeof(*times), compare);
    return times[count / 10];
}

/* What else the machine does makes times longer only: of many short ones the lower ones count. */
static inline void print_times(void (*run)(long rounds, void *data), void *data, long rounds,
                               long times)
{
    enum { MOST = 1000, ADDITIONS = 64, CHAIN = 5000 };
    static double loop[MOST];
    static double clock[MOST];
    size_t count = 0;

    for (; count < MOST && (long)count < times; count++) {
        const double start = cpu_ns();

        run(rounds, data);
        const double between = cpu_ns();

        clock_of_adds(CHAIN, NULL);
        loop[count] = between - start;
        clock[count] = cpu_ns() - between;
    }
    if (count == 0)
        return;
    printf("%.4f ns %.4f GHz\n", tenth(loop, count) / (double)rounds,
           (double)CHAIN * ADDITIONS / tenth(clock, count));
}

#endif
