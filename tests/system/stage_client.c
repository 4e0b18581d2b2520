/* SPDX-License-Identifier: MIT */
/* A client whose stages are known to the last call; what it does is the first argument, how often
 * the second. It tells how long its stages took by its own clock, in ns. */
#include "slotwise/stage.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4

SLOTWISE_STAGE_SCOPED(scoped);

static volatile unsigned long sink;

static uint64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void nap(long ms)
{
    struct timespec left = {.tv_nsec = ms * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static void spin(uint64_t ns)
{
    uint64_t end = now_ns() + ns;

    while (now_ns() < end)
        sink++;
}

/* i-th call of outer: a batch of i; in it three of inner, of 2 each. */
static void nested(unsigned long count)
{
    for (unsigned long i = 1; i <= count; i++) {
        SLOTWISE_STAGE_BEGIN(outer, i);
        for (int k = 0; k < 3; k++) {
            SLOTWISE_STAGE_BEGIN(inner, 2);
            sink++;
            SLOTWISE_STAGE_END(inner);
        }
        SLOTWISE_STAGE_END(outer);
    }
}

static void *run_nested(void *count)
{
    nested(*(unsigned long *)count);
    return NULL;
}

static int threads(unsigned long count)
{
    pthread_t all[THREADS];

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&all[i], NULL, run_nested, &count) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(all[i], NULL);
    return 0;
}

/* A child marks as much as its parent. */
static int forked(unsigned long count)
{
    pid_t child = fork();

    if (child < 0)
        return 1;
    nested(count);
    if (child == 0)
        _exit(0);
    return waitpid(child, NULL, 0) == child ? 0 : 1;
}

/* Leaves by return, by continue and at the end of the block. */
static unsigned long leave(unsigned long i)
{
    SLOTWISE_STAGE(scoped, i);
    if (i % 2 == 0)
        return i;
    sink += i;
    return 0;
}

static void scoped(unsigned long count)
{
    for (unsigned long i = 1; i <= count; i++) {
        SLOTWISE_STAGE(scoped, 1);
        if (leave(i) > 0)
            continue;
        sink++;
    }
}

static void recursive(unsigned long depth)
{
    SLOTWISE_STAGE_BEGIN(recursive, 1);
    spin(100000);
    if (depth > 1)
        recursive(depth - 1);
    SLOTWISE_STAGE_END(recursive);
}

/* Waits in inner, works in outer. */
static void times(void)
{
    uint64_t begin, middle, end;

    begin = now_ns();
    SLOTWISE_STAGE_BEGIN(outer, 1);
    SLOTWISE_STAGE_BEGIN(inner, 1);
    nap(200);
    SLOTWISE_STAGE_END(inner);
    middle = now_ns();
    spin(100000000);
    SLOTWISE_STAGE_END(outer);
    end = now_ns();
    (void)printf("%llu %llu\n", (unsigned long long)(middle - begin),
                 (unsigned long long)(end - begin));
}

static jmp_buf back;

static __attribute__((noinline)) void jump(void)
{
    SLOTWISE_STAGE_BEGIN(inner, 1);
    if (sink != (unsigned long)-1)
        longjmp(back, 1);
    SLOTWISE_STAGE_END(inner);
}

/* Leaves inner by a jump; ends stages that nobody began; leaves one open. */
static void unbalanced(unsigned long count)
{
    for (volatile unsigned long i = 0; i < count; i++) {
        SLOTWISE_STAGE_BEGIN(outer, 1);
        if (setjmp(back) == 0)
            jump();
        SLOTWISE_STAGE_END(outer);
        SLOTWISE_STAGE_END(stray);
    }
    SLOTWISE_STAGE_BEGIN(open, 1);
}

/* Calls no function, so that its variables may be where a call pushes to. */
static __attribute__((noinline)) unsigned long leaf(unsigned long seed)
{
    volatile unsigned long a[12];

    for (int i = 0; i < 12; i++)
        a[i] = seed + (unsigned long)i;
    SLOTWISE_STAGE_BEGIN(leaf, seed);
    for (int i = 0; i < 12; i++)
        seed ^= a[i] * 2654435761UL;
    SLOTWISE_STAGE_END(leaf);
    for (int i = 0; i < 12; i++)
        seed += a[i];
    return seed;
}

static unsigned long leaves(unsigned long count)
{
    unsigned long sum = 0;

    for (unsigned long i = 1; i <= count; i++)
        sum += leaf(i);
    return sum;
}

static unsigned long evaluated;

static unsigned long expensive(void)
{
    return ++evaluated;
}

/* How often was a batch size computed? 0 while nobody looks. */
static void lazy(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        SLOTWISE_STAGE_BEGIN(lazy, expensive());
        SLOTWISE_STAGE_END(lazy);
    }
    (void)printf("%lu %d\n", evaluated, SLOTWISE_STAGE_WATCHED(lazy));
}

static void deep(unsigned long depth)
{
    SLOTWISE_STAGE_BEGIN(deep, 1);
    if (depth > 1)
        deep(depth - 1);
    SLOTWISE_STAGE_END(deep);
}

/* ns for each call, which is a begin and an end; and for the loop alone. Best of some rounds. */
static void cost(unsigned long count)
{
    uint64_t best = UINT64_MAX, none = UINT64_MAX;

    for (int round = 0; round < 5; round++) {
        uint64_t begin = now_ns();
        for (unsigned long i = 0; i < count; i++) {
            SLOTWISE_STAGE_BEGIN(cost, i);
            __asm__ __volatile__("" ::: "memory");
            SLOTWISE_STAGE_END(cost);
        }
        uint64_t end = now_ns();
        best = end - begin < best ? end - begin : best;
        begin = now_ns();
        for (unsigned long i = 0; i < count; i++)
            __asm__ __volatile__("" ::: "memory");
        end = now_ns();
        none = end - begin < none ? end - begin : none;
    }
    (void)printf("%.3f %.3f\n", (double)best / (double)count, (double)none / (double)count);
}

/* Marks until it is told to stop on its standard input, then says how often. */
static void serve(void)
{
    unsigned long calls = 0;
    char byte;

    (void)puts("ready");
    (void)fflush(stdout);
    while (read(0, &byte, 1) == 1 && byte != 'q') {
        unsigned long n = byte == 'g' ? 1000 : 0;

        for (unsigned long i = 1; i <= n; i++) {
            SLOTWISE_STAGE_BEGIN(served, i);
            calls++;
            SLOTWISE_STAGE_END(served);
        }
        if (byte == 'b')
            SLOTWISE_STAGE_BEGIN(served, 7);
        if (byte == 'e')
            SLOTWISE_STAGE_END(served);
        (void)printf("%lu\n", calls);
        (void)fflush(stdout);
    }
}

static int use_library(const char *path, unsigned long count)
{
    void (*work)(unsigned long batch);
    void *library = dlopen(path, RTLD_NOW);
    void *symbol = library ? dlsym(library, "lib_work") : NULL;

    if (!symbol)
        return 1;
    memcpy(&work, &symbol, sizeof(work));
    for (unsigned long i = 1; i <= count; i++)
        work(i);
    return 0;
}

#ifdef WITH_LIBRARY
void lib_work(unsigned long batch);
#endif

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "nested";
    unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;

    if (strcmp(what, "nested") == 0)
        nested(count);
    else if (strcmp(what, "threads") == 0)
        return threads(count);
    else if (strcmp(what, "fork") == 0)
        return forked(count);
    else if (strcmp(what, "late_fork") == 0) {
        nested(count);
        return forked(count);
    } else if (strcmp(what, "scoped") == 0)
        scoped(count);
    else if (strcmp(what, "recursive") == 0)
        recursive(count);
    else if (strcmp(what, "times") == 0)
        times();
    else if (strcmp(what, "unbalanced") == 0)
        unbalanced(count);
    else if (strcmp(what, "leaf") == 0)
        (void)printf("%lu\n", leaves(count));
    else if (strcmp(what, "lazy") == 0)
        lazy(count);
    else if (strcmp(what, "deep") == 0)
        deep(count);
    else if (strcmp(what, "cost") == 0)
        cost(count);
    else if (strcmp(what, "serve") == 0)
        serve();
    else if (strcmp(what, "dlopen") == 0)
        return argc > 3 ? use_library(argv[3], count) : 1;
    else if (strcmp(what, "exec") == 0 && argc > 2)
        return execv(argv[2], argv + 2);
#ifdef WITH_LIBRARY
    else if (strcmp(what, "library") == 0)
        for (unsigned long i = 1; i <= count; i++)
            lib_work(i);
#endif
    else
        return 1;
    return 0;
}
