/* SPDX-License-Identifier: MIT */
/* A client whose behaviour is known beforehand, for the tests that profile it. One word says what
 * it does; MS is CPU time, so that a loaded machine changes nothing. Not a benchmark. */
#include "tests/system/noinline.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t slw_client_sink;
void slw_client_hot(uint64_t rounds);
void slw_client_warm(uint64_t rounds);

/* Three times the work of warm in the same loop: its share of the samples is known. */
NOINLINE void slw_client_hot(uint64_t rounds)
{
    for (uint64_t i = 0; i < 3 * rounds; i++)
        slw_client_sink = slw_client_sink * 6364136223846793005U + i;
}

NOINLINE void slw_client_warm(uint64_t rounds)
{
    for (uint64_t i = 0; i < rounds; i++)
        slw_client_sink = slw_client_sink * 6364136223846793005U + i;
}

static uint64_t cpu_ms(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void spin(uint64_t ms)
{
    uint64_t end = cpu_ms(CLOCK_THREAD_CPUTIME_ID) + ms;

    while (cpu_ms(CLOCK_THREAD_CPUTIME_ID) < end) {
        slw_client_hot(20000);
        slw_client_warm(20000);
    }
}

static void *spin_thread(void *ms)
{
    spin(*(uint64_t *)ms);
    return NULL;
}

static int threads(uint64_t ms)
{
    pthread_t started[4];

    for (int i = 0; i < 4; i++)
        if (pthread_create(&started[i], NULL, spin_thread, &ms) != 0)
            return 1;
    for (int i = 0; i < 4; i++)
        (void)pthread_join(started[i], NULL);
    return 0;
}

/* Thread i touches (i + 1) * pages new pages: its page faults are known. */
struct toucher {
    pthread_t thread;
    size_t pages;
};

static void *touch(void *arg)
{
    const struct toucher *t = arg;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *base =
        mmap(NULL, t->pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED)
        return NULL;
    (void)madvise(base, t->pages * page, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < t->pages; i++)
        *(volatile char *)&base[i * page] = 1;
    return NULL;
}

static int touchers(uint64_t pages)
{
    struct toucher t[3];

    for (size_t i = 0; i < 3; i++) {
        t[i].pages = (i + 1) * pages;
        if (pthread_create(&t[i].thread, NULL, touch, &t[i]) != 0)
            return 1;
    }
    for (size_t i = 0; i < 3; i++)
        (void)pthread_join(t[i].thread, NULL);
    return 0;
}

static void *nothing(void *arg)
{
    return arg;
}

/* One thread after the other, each over at once. */
static int brief(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, nothing, NULL) != 0)
            return 1;
        (void)pthread_join(thread, NULL);
    }
    return 0;
}

static int forks(uint64_t ms)
{
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();

        if (child < 0)
            return 1;
        if (child == 0) {
            spin(ms);
            _exit(0);
        }
    }
    while (wait(NULL) > 0 || errno == EINTR)
        ;
    return 0;
}

/* The parent ends at once; the child spins on, detached as a daemon is, for a bounded time. */
static int daemonizes(uint64_t ms)
{
    pid_t child = fork();

    if (child < 0)
        return 1;
    if (child > 0)
        return 0;
    (void)setsid();
    spin(ms);
    _exit(0);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    uint64_t number = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

    if (strcmp(what, "spin") == 0) {
        spin(number);
    } else if (strcmp(what, "threads") == 0) {
        return threads(number);
    } else if (strcmp(what, "touch") == 0) {
        return touchers(number);
    } else if (strcmp(what, "brief") == 0) {
        return brief(number);
    } else if (strcmp(what, "forks") == 0) {
        return forks(number);
    } else if (strcmp(what, "daemon") == 0) {
        return daemonizes(number);
    } else if (strcmp(what, "exit") == 0) {
        spin(20);
        return (int)number;
    } else if (strcmp(what, "die") == 0) {
        spin(50);
        return raise((int)number);
    } else if (strcmp(what, "stubborn") == 0) {
        (void)signal(SIGINT, SIG_IGN);
        (void)signal(SIGTERM, SIG_IGN);
        spin(number);
    } else {
        (void)fprintf(stderr,
                      "spin|threads|forks|daemon|stubborn MS, exit|die|touch|brief NUMBER\n");
        return 2;
    }
    return 0;
}
