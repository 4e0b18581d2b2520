/* SPDX-License-Identifier: MIT */
/* Stacks that are hard to follow, without frame pointers: stack_client WHAT SECONDS, WHAT being
 * `mixed` (handlers of signals, the vdso, tail calls, frames of changing and of aligned size,
 * threads), `deep` (100 KiB of frames) or `bare` (callers compiled without unwind information). */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

/* clang has no word for it; what this is for is tested with gcc alone. */
#ifdef __clang__
#define WITHOUT_UNWIND_TABLES
#else
#define WITHOUT_UNWIND_TABLES __attribute__((optimize("no-asynchronous-unwind-tables")))
#endif

static volatile unsigned long sink;

__attribute__((noinline)) static void burn(unsigned long times)
{
    for (unsigned long i = 0; i < times; i++)
        sink += i;
}

static void on_alarm(int signal)
{
    burn(1000000);
    sink += (unsigned long)signal; /* so that the call is none of the tail */
}

__attribute__((noinline)) static unsigned long clocks(int times)
{
    unsigned long sum = 0;
    struct timespec t;

    for (int i = 0; i < times; i++) {
        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        sum += (unsigned long)t.tv_nsec;
    }
    return sum;
}

__attribute__((noinline)) static unsigned long tail_callee(unsigned long times)
{
    burn(times);
    return sink;
}

__attribute__((noinline)) static unsigned long tail_caller(unsigned long times)
{
    return tail_callee(times + 1);
}

__attribute__((noinline)) static unsigned long changing(size_t bytes)
{
    char *memory = __builtin_alloca(bytes);

    memset(memory, 1, bytes);
    burn(20000 + (unsigned long)memory[bytes / 2]);
    return (unsigned long)memory[bytes - 1];
}

__attribute__((noinline)) static unsigned long aligned(int index)
{
    _Alignas(256) volatile char memory[512];

    memory[index] = 1;
    burn(20000);
    return (unsigned long)memory[index];
}

__attribute__((noinline)) static unsigned long deep(int left)
{
    volatile char memory[1000];

    memory[left % 1000] = 1;
    if (left > 0)
        sink += deep(left - 1);
    else
        burn(200000);
    return (unsigned long)memory[left % 1000];
}

WITHOUT_UNWIND_TABLES __attribute__((noinline)) static void leave(void)
{
    burn(100000);
}

static int less(const void *a, const void *b)
{
    sink += 1;
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

__attribute__((noinline)) static void sort(void)
{
    int numbers[2000];

    for (size_t i = 0; i < 2000; i++)
        numbers[i] = (int)((i * 7919) % 2003);
    qsort(numbers, 2000, sizeof(numbers[0]), less);
}

static void mixed(void)
{
    sink += clocks(300) + tail_caller(20000) + changing(3000) + aligned(7);
    sort();
}

static void deeply(void)
{
    sink += deep(100);
}

struct work {
    void (*turn)(void);
    double seconds;
};

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *work(void *argument)
{
    const struct work *w = argument;
    double end = now() + w->seconds;

    while (now() < end)
        w->turn();
    return NULL;
}

int main(int argc, char **argv)
{
    const char *what = argc == 3 ? argv[1] : "";
    struct work w = {strcmp(what, "deep") == 0   ? deeply
                     : strcmp(what, "bare") == 0 ? leave
                                                 : mixed,
                     argc == 3 ? atof(argv[2]) : 1};
    struct sigaction a = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 5000}, {0, 5000}};
    pthread_t thread;

    if (w.turn == mixed)
        (void)sigaction(SIGALRM, &a, NULL);
    if (w.turn == mixed && setitimer(ITIMER_REAL, &often, NULL) < 0)
        return 1;
    if (pthread_create(&thread, NULL, work, &w) != 0)
        return 1;
    (void)work(&w);
    (void)pthread_join(thread, NULL);
    return sink == 1;
}
