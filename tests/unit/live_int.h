/* SPDX-License-Identifier: MIT */
/* For tests that measure for real: clients with known behaviour, and a look into the spool. */
#ifndef SLW_TESTS_LIVE_INT_H
#define SLW_TESTS_LIVE_INT_H

#include "collector/session.h"
#include "record/perf_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Burn this much CPU time of the calling thread. */
__attribute__((noinline, unused)) static void live_spin(int ms)
{
    struct timespec start, now;
    volatile double x = 1;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    do {
        for (int i = 0; i < 20000; i++)
            x = x * 1.0000001 + 1e-9;
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
}

static inline void *live_spin_thread(void *ms)
{
    live_spin(*(int *)ms);
    return NULL;
}

static inline int live_threads(int ms)
{
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, live_spin_thread, &ms) != 0)
            return 1;
    for (int i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
    return 0;
}

/* The clients: `self --client KIND MS` is this test program again. */
static inline int live_client(const char *kind, int ms)
{
    if (strcmp(kind, "spin") == 0)
        live_spin(ms);
    if (strcmp(kind, "threads") == 0)
        return live_threads(ms);
    if (strcmp(kind, "sleep") == 0)
        (void)poll(NULL, 0, ms);
    if (strcmp(kind, "kill") == 0)
        (void)kill(getpid(), SIGKILL);
    if (strcmp(kind, "signals") == 0) { /* 0: what a fresh program expects */
        struct sigaction sa;
        int odd = 0;

        odd += sigaction(SIGINT, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL;
        odd += sigaction(SIGPIPE, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL;
        return odd;
    }
    if (strcmp(kind, "fork") == 0) {
        pid_t child = fork();

        live_spin(child == 0 ? ms : ms / 2);
        if (child > 0)
            (void)waitpid(child, NULL, 0);
    }
    if (strcmp(kind, "daemon") == 0 && fork() == 0)
        (void)poll(NULL, 0, ms);
    return strcmp(kind, "seven") == 0 ? 7 : 0;
}

struct live_sample {
    uint64_t ip, time, period;
    uint32_t pid, tid;
    bool user;
};

/* A spool in memory; sample_type as the collector sets it. */
struct live_spool {
    uint8_t *bytes;
    size_t length;
    struct slw_perf_header header;
    struct live_sample samples[20000];
    size_t sample_count;
    bool broken; /* the records do not fill the data section exactly */
};

static inline bool live_read_file(const char *path, struct live_spool *s)
{
    FILE *f = fopen(path, "re");

    if (!f)
        return false;
    s->bytes = malloc((size_t)16 << 20);
    s->length = s->bytes ? fread(s->bytes, 1, (size_t)16 << 20, f) : 0;
    (void)fclose(f);
    if (s->length < sizeof(s->header))
        return false;
    memcpy(&s->header, s->bytes, sizeof(s->header));
    return s->header.magic == SLW_PERF_MAGIC2 &&
           s->header.data.offset + s->header.data.size <= s->length;
}

/* The named mapping of an address of process pid, or NULL: MMAP2 records in file order. */
static inline const char *live_mapping(const struct live_spool *s, uint32_t pid, uint64_t ip)
{
    const uint8_t *p = s->bytes + s->header.data.offset, *end = p + s->header.data.size;
    const char *name = NULL;

    for (struct perf_event_header h; p < end; p += h.size) {
        uint64_t range[2];
        uint32_t owner;

        memcpy(&h, p, sizeof(h));
        if (h.type != PERF_RECORD_MMAP2)
            continue;
        memcpy(&owner, p + 8, sizeof(owner));
        memcpy(range, p + 16, sizeof(range));
        if (owner == pid && ip >= range[0] && ip < range[0] + range[1])
            name = (const char *)p + 72;
    }
    return name;
}

static inline bool live_load(const char *path, struct live_spool *s)
{
    if (!live_read_file(path, s))
        return false;
    const uint8_t *p = s->bytes + s->header.data.offset, *end = p + s->header.data.size;
    struct perf_event_header h;

    for (; end - p >= (ptrdiff_t)sizeof(h); p += h.size) {
        memcpy(&h, p, sizeof(h));
        if (h.size < sizeof(h) || h.size > end - p)
            break;
        if (h.type != PERF_RECORD_SAMPLE || s->sample_count == 20000)
            continue;
        struct live_sample *k = &s->samples[s->sample_count++];
        memcpy(&k->ip, p + 16, 8);
        memcpy(&k->pid, p + 24, 4);
        memcpy(&k->tid, p + 28, 4);
        memcpy(&k->time, p + 32, 8);
        memcpy(&k->period, p + 48, 8);
        k->user = (h.misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_USER;
    }
    s->broken = p != end;
    return true;
}

/* Can software events be opened here at all? */
static inline bool live_perf_works(void)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_SW_CPU_CLOCK,
                                   .exclude_kernel = 1};
    long fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

    if (fd >= 0)
        (void)close((int)fd);
    return fd >= 0;
}

#endif
