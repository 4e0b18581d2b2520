/* SPDX-License-Identifier: MIT */
/* Simulated threads that walk through functions of known mix, and what perf.data would hold of
 * them: counters multiplexed, threads migrating and forking. Truth is kept beside it. */
#ifndef SLW_TESTS_FUNCTION_STREAM_INT_H
#define SLW_TESTS_FUNCTION_STREAM_INT_H

#include "tests/unit/cmocka_int.h"
#include "tests/unit/perf_image_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FUNCTIONS     6
#define EVENTS        7
#define CPUS          2
#define THREADS       4
#define PERIOD        3000000 /* cycles between samples: 1 ms */
#define CYCLES_PER_NS 3
#define STEP_NS       2000
#define ROTATION_NS   4000000 /* how long a group keeps the counters when two share them */
#define FIRST_ID      100
#define PID           1000

enum { CYCLES, INSTRUCTIONS, UNDELIVERED, ISSUED, RETIRED, RECOVERY, ICACHE };

static const char *const event_names[EVENTS] = {"cycles",
                                                "inst_retired.any",
                                                "idq_uops_not_delivered.core",
                                                "uops_issued.any",
                                                "uops_retired.retire_slots",
                                                "int_misc.recovery_cycles",
                                                "icache_64b.iftag_miss"};

/* Functions of this very program, so that the analysis finds their names. */
#define FUNCTION(n)                                                                                \
    __attribute__((noinline)) int slw_mix_##n(int x);                                              \
    int slw_mix_##n(int x)                                                                         \
    {                                                                                              \
        return x * (n + 3) + n;                                                                    \
    }
FUNCTION(0)
FUNCTION(1)
FUNCTION(2)
FUNCTION(3)
FUNCTION(4)
FUNCTION(5)

/* Shares of slots, instructions per cycle, misses per 1000 instructions, and how much of the time
 * the function has: from a parser that misses the instruction cache to a copy loop. */
static const struct mix {
    int (*address)(int);
    const char *name;
    double frontend, speculation, backend, retiring, ipc, mpki, part;
} mixes[FUNCTIONS] = {{slw_mix_0, "slw_mix_0", 0.45, 0.10, 0.20, 0.25, 0.9, 40, 0.25},
                      {slw_mix_1, "slw_mix_1", 0.05, 0.02, 0.78, 0.15, 0.5, 0.3, 0.20},
                      {slw_mix_2, "slw_mix_2", 0.12, 0.38, 0.15, 0.35, 1.3, 2, 0.15},
                      {slw_mix_3, "slw_mix_3", 0.06, 0.01, 0.08, 0.85, 3.2, 0.05, 0.20},
                      {slw_mix_4, "slw_mix_4", 0.27, 0.22, 0.26, 0.25, 1.0, 12, 0.12},
                      {slw_mix_5, "slw_mix_5", 0.18, 0.04, 0.55, 0.23, 0.8, 5, 0.08}};

struct scene {
    uint64_t seed;
    double stay_ns; /* mean length of a stay in a function */
    bool multiplexed;
    uint64_t length_ns; /* CPU time of each thread */
    bool backwards;     /* a counter loses what it had, now and then */
};

struct counters {
    double value[EVENTS];
    uint64_t running_ns;
};

struct truth {
    double value[FUNCTIONS][EVENTS]; /* all that happened */
    uint64_t samples[FUNCTIONS];
    double counted[EVENTS]; /* while the group had its counters */
};

static uint64_t state_;

static double uniform(void)
{
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return (double)(state_ >> 11) / 9007199254740992.0;
}

static double exponential(double mean)
{
    return -mean * log(1 - uniform());
}

static size_t draw_function(void)
{
    double u = uniform();
    size_t f = 0;

    for (; f + 1 < FUNCTIONS && u >= mixes[f].part; f++)
        u -= mixes[f].part;
    return f;
}

/* ---- the recording ---- */

#define SAMPLE_TYPE                                                                                \
    (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |                \
     PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | PERF_SAMPLE_READ)

static uint64_t id_of(size_t event, size_t cpu)
{
    return FIRST_ID + event * CPUS + cpu;
}

static void put_event(struct image *i, size_t event)
{
    const struct image_attr a = {.type = event ? PERF_TYPE_RAW : PERF_TYPE_HARDWARE,
                                 .config = event,
                                 .period = event ? 0 : PERIOD,
                                 .sample_type = SAMPLE_TYPE,
                                 .read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID |
                                                PERF_FORMAT_TOTAL_TIME_ENABLED |
                                                PERF_FORMAT_TOTAL_TIME_RUNNING,
                                 .flags = IMAGE_ID_ALL | UINT64_C(1) << 1};

    begin_record(i, SLW_PERF_RECORD_HEADER_ATTR, 0);
    put_attr(i, &a, 128);
    for (size_t cpu = 0; cpu < CPUS; cpu++)
        put64(i, id_of(event, cpu));
    end_record(i);
    begin_record(i, SLW_PERF_RECORD_EVENT_UPDATE, 0);
    put64(i, 2); /* a name */
    put64(i, id_of(event, 0));
    put_text(i, event_names[event], 8);
    end_record(i);
}

static void put_place(struct image *i, uint32_t pid, uint32_t tid, uint64_t time, size_t cpu)
{
    put32(i, pid);
    put32(i, tid);
    put64(i, time);
    put64(i, cpu);
    put64(i, id_of(CYCLES, cpu));
}

static void put_task(struct image *i, uint32_t type, uint32_t pid, uint32_t tid, uint64_t time)
{
    begin_record(i, type, 0);
    put32(i, pid);
    put32(i, PID);
    put32(i, tid);
    put32(i, PID);
    put64(i, time);
    put_place(i, pid, tid, time, 0);
    end_record(i);
}

static void put_program(struct image *i, uint32_t pid)
{
    unsigned long long start, end, offset, inode;
    char line[1024], path[512];
    uint64_t address = (uint64_t)(uintptr_t)slw_mix_0;
    FILE *f = fopen("/proc/self/maps", "r");

    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%llx-%llx %*s %llx %*s %llu %511s", &start, &end, &offset, &inode,
                   path) != 5 ||
            address < start || address >= end)
            continue;
        begin_record(i, PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER);
        put32(i, pid);
        put32(i, pid);
        put64(i, start);
        put64(i, end - start);
        put64(i, offset);
        put64(i, 0);
        put64(i, inode);
        put64(i, 0);
        put64(i, 5);
        put_text(i, path, 8);
        put_place(i, pid, pid, 1, 0);
        end_record(i);
    }
    assert_int_equal(fclose(f), 0);
}

static void put_values(struct image *i, const struct counters *c, uint64_t enabled_ns, size_t cpu)
{
    put64(i, EVENTS);
    put64(i, enabled_ns);
    put64(i, c->running_ns);
    for (size_t e = 0; e < EVENTS; e++) {
        put64(i, (uint64_t)c->value[e]);
        put64(i, id_of(e, cpu));
    }
}

/* ---- the machine ---- */

struct thread {
    uint32_t pid, tid;
    uint64_t now_ns, born_ns;
    size_t cpu, function;
    double stay_ns, migrate_ns, fluctuation, fluctuate_ns, next_cycles;
    struct counters cpus[CPUS];
};

/* One step of a function: its mix, fluctuating by a third around it for some 50 us at a time. */
static void execute(const struct thread *t, double *events)
{
    const struct mix *m = &mixes[t->function];
    double cycles = STEP_NS * CYCLES_PER_NS, slots = 4 * cycles, lean = t->fluctuation;
    /* Slots shift between the two largest uses, so that the mean stays the mix. */
    double shift = lean * fmin(fmin(m->frontend, m->backend), 0.15);

    events[CYCLES] = cycles;
    events[INSTRUCTIONS] = cycles * m->ipc * (1 + lean / 3);
    events[UNDELIVERED] = slots * (m->frontend + shift);
    events[RETIRED] = slots * m->retiring;
    events[ISSUED] = slots * (m->retiring + m->speculation / 2);
    events[RECOVERY] = cycles * m->speculation / 2;
    events[ICACHE] = events[INSTRUCTIONS] * m->mpki / 1000;
}

static void take_sample(struct image *i, const struct scene *scene, struct thread *t,
                        struct truth *truth)
{
    struct counters shown = t->cpus[t->cpu];

    if (scene->backwards && uniform() < 0.01)
        shown.value[RETIRED] /= 2;
    begin_record(i, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER);
    put64(i, id_of(CYCLES, t->cpu));
    put64(i, (uint64_t)(uintptr_t)mixes[t->function].address);
    put32(i, t->pid);
    put32(i, t->tid);
    put64(i, t->now_ns);
    put64(i, t->cpu);
    put64(i, PERIOD);
    put_values(i, &shown, t->now_ns - t->born_ns, t->cpu);
    end_record(i);
    truth->samples[t->function]++;
}

static void step(struct image *i, const struct scene *scene, struct thread *t, struct truth *truth)
{
    bool counting = !scene->multiplexed || t->now_ns / ROTATION_NS % 2 == 0;
    struct counters *c = &t->cpus[t->cpu];
    double events[EVENTS];

    execute(t, events);
    t->now_ns += STEP_NS;
    c->running_ns += counting ? STEP_NS : 0;
    for (size_t e = 0; e < EVENTS; e++) {
        truth->value[t->function][e] += events[e];
        truth->counted[e] += counting ? events[e] : 0;
        c->value[e] += counting ? events[e] : 0;
    }
    t->next_cycles -= counting ? events[CYCLES] : 0;
    if (t->next_cycles <= 0) {
        take_sample(i, scene, t, truth);
        t->next_cycles += PERIOD * (0.9 + 0.2 * uniform()); /* as the kernel chases a frequency */
    }
}

static void move_on(const struct scene *scene, struct thread *t)
{
    t->stay_ns -= STEP_NS;
    t->migrate_ns -= STEP_NS;
    t->fluctuate_ns -= STEP_NS;
    if (t->stay_ns <= 0) {
        t->function = draw_function();
        t->stay_ns = exponential(scene->stay_ns);
    }
    if (t->migrate_ns <= 0) {
        t->cpu = (t->cpu + 1) % CPUS;
        t->migrate_ns = exponential(30e6);
    }
    if (t->fluctuate_ns <= 0) {
        t->fluctuation = 2 * uniform() - 1;
        t->fluctuate_ns = exponential(50e3);
    }
}

/* Two threads of a program, its child, and a last one that gets the number of the first again. */
static void run_threads(struct image *i, const struct scene *scene, struct truth *truth,
                        struct counters totals[CPUS])
{
    static const uint32_t owners[THREADS][2] = {
        {PID, PID + 1}, {PID, PID + 2}, {PID + 9, PID + 9}, {PID, PID + 1}};

    for (size_t k = 0; k < THREADS; k++) {
        uint64_t born = 1000 + (k == 3 ? scene->length_ns + 1000 : k);
        struct thread t = {.pid = owners[k][0],
                           .tid = owners[k][1],
                           .now_ns = born,
                           .born_ns = born,
                           .cpu = k % CPUS,
                           .function = draw_function(),
                           .next_cycles = PERIOD,
                           .stay_ns = exponential(scene->stay_ns),
                           .migrate_ns = 1e6};

        put_task(i, PERF_RECORD_FORK, t.pid, t.tid, born);
        while (t.now_ns - born < scene->length_ns) {
            step(i, scene, &t, truth);
            move_on(scene, &t);
        }
        put_task(i, PERF_RECORD_EXIT, t.pid, t.tid, t.now_ns);
        for (size_t cpu = 0; cpu < CPUS; cpu++) {
            totals[cpu].running_ns += t.cpus[cpu].running_ns;
            for (size_t e = 0; e < EVENTS; e++)
                totals[cpu].value[e] += floor(t.cpus[cpu].value[e]);
        }
    }
}

static struct image record(const struct scene *scene, struct truth *truth,
                           struct counters totals[CPUS])
{
    struct image i = {0};

    state_ = scene->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    memset(truth, 0, sizeof(*truth));
    memset(totals, 0, CPUS * sizeof(totals[0]));
    pipe_header(&i);
    for (size_t e = 0; e < EVENTS; e++)
        put_event(&i, e);
    put_program(&i, PID);
    run_threads(&i, scene, truth, totals);
    for (size_t cpu = 0; cpu < CPUS; cpu++) {
        begin_record(&i, PERF_RECORD_READ, 0);
        put64(&i, UINT64_MAX); /* everybody */
        put_values(&i, &totals[cpu], totals[cpu].running_ns, cpu);
        put_place(&i, UINT32_MAX, UINT32_MAX, UINT64_C(1) << 62, cpu);
        end_record(&i);
    }
    return i;
}

#endif
