/* SPDX-License-Identifier: MIT */
/* Runs and profiles for the tests of reports and renderers. Every helper asserts its own success.
 */
#ifndef SLW_TESTS_REPORT_FIXTURE_H
#define SLW_TESTS_REPORT_FIXTURE_H

#include "analyzer/facts.h"
#include "analyzer/renderer.h"
#include "analyzer/report.h"
#include "tests/near.h"
#include "tests/unit/cmocka_int.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
    struct slw_run *run;
    struct slw_stacks *stacks;
    struct slw_report *report;
};

#define FIXTURE_PERIOD_NS 1000000 /* weight of one sample: 1 kHz of cpu-clock */

static const struct slw_provenance fixture_software = {.source = SLW_SOURCE_SOFTWARE};

static inline void fixture_count(struct fixture *f, const char *event, const char *unit,
                                 uint64_t value)
{
    const struct slw_count c = {.event = event,
                                .unit = unit,
                                .from = fixture_software,
                                .group = -1,
                                .pid = -1,
                                .tid = -1,
                                .cpu = -1,
                                .raw = value,
                                .enabled_ns = 1200000000,
                                .running_ns = 1200000000};
    assert_int_equal(slw_run_add_count(f->run, &c, NULL), 0);
}

static inline void fixture_absent(struct fixture *f, const char *event, const char *why)
{
    const struct slw_count c = {.event = event,
                                .unit = "events",
                                .group = -1,
                                .pid = -1,
                                .tid = -1,
                                .cpu = -1,
                                .absent = why};
    assert_int_equal(slw_run_add_count(f->run, &c, NULL), 0);
}

static inline void fixture_sampling(struct fixture *f, enum slw_mode mode)
{
    const struct slw_sampling s = {.event = "cpu-clock",
                                   .unit = "nanoseconds",
                                   .mode = mode,
                                   .from = fixture_software,
                                   .frequency_hz = 1000,
                                   .call_graph = "fp"};
    assert_int_equal(slw_run_add_sampling(f->run, &s, NULL), 0);
}

/* A run of 1.2 s of one command and an empty profile of cpu-clock samples. */
static inline struct fixture fixture_new(void)
{
    static const char *argv[] = {"sqlite3", "bench.db"};
    const struct slw_column columns[] = {
        {.event = "cpu-clock", .unit = "count", .from = fixture_software},
        {.event = "cpu-clock", .unit = "nanoseconds", .from = fixture_software}};
    struct fixture f = {0};

    assert_int_equal(slw_run_new(&f.run, NULL), 0);
    assert_int_equal(slw_stacks_new(columns, 2, &f.stacks, NULL), 0);
    f.run->tool = "slotwise test";
    f.run->command.argv = argv;
    f.run->command.argc = 2;
    f.run->wall_ns = (struct slw_maybe_u64){.value = 1200000000};
    return f;
}

static inline uint32_t fixture_frame(struct fixture *f, enum slw_frame_kind kind,
                                     const char *module, const char *function)
{
    const struct slw_mapping m = {.path = module, .build_id = ""};
    struct slw_frame frame = {
        .function = function, .linkage = "", .file = "", .mapping = SLW_NO_MAPPING, .kind = kind};
    uint32_t id = 0;

    if (module)
        assert_int_equal(slw_stacks_add_mapping(f->stacks, &m, &frame.mapping), 0);
    assert_int_equal(slw_stacks_add_frame(f->stacks, &frame, &id), 0);
    return id;
}

/* Add `samples` samples of a stack written leaf first: "k:[kernel.kallsyms]:vfs_write
 * u:/usr/lib/libc.so.6:write". An empty function is a frame without symbol. */
static inline void fixture_add(struct fixture *f, uint64_t samples, uint32_t thread,
                               const char *stack)
{
    const uint64_t weights[] = {samples, samples * FIXTURE_PERIOD_NS};
    uint32_t frames[32];
    size_t depth = 0;
    char text[1024], *rest = text, *word;

    assert_true(strlen(stack) < sizeof(text));
    (void)strcpy(text, stack);
    while ((word = strtok_r(rest, " ", &rest)) != NULL) {
        char *function = strrchr(word, ':');
        assert_true(depth < 32 && function > word + 1);
        *function++ = '\0';
        enum slw_frame_kind kind = word[0] == 'k'   ? SLW_FRAME_KERNEL
                                   : word[0] == 'u' ? SLW_FRAME_USER
                                                    : SLW_FRAME_OTHER;
        frames[depth++] = fixture_frame(f, kind, word + 2, function);
    }
    assert_int_equal(slw_stacks_add(f->stacks, frames, depth, thread, weights), 0);
}

static inline const struct slw_report *fixture_report(struct fixture *f)
{
    struct slw_error err = {0};

    slw_report_free(f->report);
    f->report = NULL;
    assert_int_equal(slw_report_new(f->run, f->stacks, NULL, &f->report, &err), 0);
    return f->report;
}

static inline void fixture_free(struct fixture *f)
{
    slw_report_free(f->report);
    slw_stacks_free(f->stacks);
    slw_run_free(f->run);
    *f = (struct fixture){0};
}

/* sqlite3 committing row by row in a VM without a PMU: mostly kernel, below fdatasync. */
static inline void fixture_waiting(struct fixture *f)
{
    struct slw_waiting w = {.pid = -1,
                            .tid = -1,
                            .from = fixture_software,
                            .by_cause = true,
                            .wall_ns = 1200000000,
                            .syscalls = {.value = 24000},
                            .thread_count = 1};

    w.ns[SLW_WAIT_ON_CPU] = 400000000;
    w.ns[SLW_WAIT_DISK] = 780000000;
    w.ns[SLW_WAIT_RUNNABLE] = 20000000;
    w.waits[SLW_WAIT_DISK] = 2900;
    w.waits[SLW_WAIT_RUNNABLE] = 100;
    assert_int_equal(slw_run_add_waiting(f->run, &w, NULL), 0);
    w.pid = w.tid = 4711;
    w.comm = "sqlite3";
    assert_int_equal(slw_run_add_waiting(f->run, &w, NULL), 0);
}

static inline struct fixture fixture_sqlite(void)
{
    struct fixture f = fixture_new();

    fixture_waiting(&f);

    fixture_sampling(&f, SLW_MODE_ALL);
    fixture_count(&f, "task-clock", "ns", 400000000);
    fixture_count(&f, "context-switches", "events", 3000);
    fixture_count(&f, "major-faults", "events", 2);
    fixture_absent(&f, "cycles", "not supported");
    assert_int_equal(slw_run_note(f.run, SLW_NOTE_INFO, "no-pmu", "nothing: ask for a vPMU",
                                  "no PMU in this VM (KVM)"),
                     0);
    fixture_add(&f, 240, SLW_NO_THREAD,
                "k:[kernel.kallsyms]:ext4_sync_file k:[kernel.kallsyms]:__x64_sys_fdatasync "
                "u:/usr/lib/libc.so.6:fdatasync u:/usr/lib/libsqlite3.so.0:unixSync");
    fixture_add(&f, 40, SLW_NO_THREAD,
                "k:[kernel.kallsyms]:ext4_write_begin k:[kernel.kallsyms]:__x64_sys_pwrite64 "
                "u:/usr/lib/libc.so.6:pwrite u:/usr/lib/libsqlite3.so.0:unixWrite");
    fixture_add(&f, 90, SLW_NO_THREAD,
                "u:/usr/lib/libsqlite3.so.0:sqlite3VdbeExec "
                "u:/usr/lib/libsqlite3.so.0:sqlite3_step u:/usr/bin/sqlite3:main");
    fixture_add(&f, 30, SLW_NO_THREAD, "u:/usr/lib/libc.so.6: u:/usr/bin/sqlite3:main");
    return f;
}

#endif
