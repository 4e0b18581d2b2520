/* SPDX-License-Identifier: MIT */
/* Runs every renderer must survive. To add one: a function and a line in awkward_runs[]. */
#ifndef SLW_TESTS_AWKWARD_RUNS_H
#define SLW_TESTS_AWKWARD_RUNS_H

#include "tests/report_fixture.h"

#include <stdio.h>

static inline struct fixture awkward_empty(void)
{
    struct fixture f = fixture_new();

    f.run->command.argc = 0;
    f.run->wall_ns = (struct slw_maybe_u64){.absent = "not measured"};
    slw_stacks_free(f.stacks);
    f.stacks = NULL;
    return f;
}

static inline struct fixture awkward_zero_samples(void)
{
    struct fixture f = fixture_new();

    fixture_count(&f, "task-clock", "ns", 2000000);
    return f;
}

static inline struct fixture awkward_all_absent(void)
{
    struct fixture f = fixture_new();

    fixture_absent(&f, "task-clock", "refused: perf_event_paranoid=3");
    fixture_absent(&f, "cycles", "not supported");
    return f;
}

static inline struct fixture awkward_one_sample(void)
{
    struct fixture f = fixture_new();

    fixture_add(&f, 1, SLW_NO_THREAD, "u:/usr/bin/client:main");
    return f;
}

/* Names that attack terminals, tables, HTML, JSON and UTF-8 readers. */
static inline const char *const *hostile_names(size_t *ret_count)
{
    static const char *const names[] = {
        "\033[2J\033]0;owned\007",
        "line\nbreak\r\ttab",
        "a|b`c``d",
        "a\\|b",
        "<script>alert(1)</script>&amp;",
        "@everyone #1 www.example.com https://example.com",
        "\"quotes' and ; semicolons",
        "\xff\xfe bytes \xc3(",
        "\xe2\x80\xae"
        "rtl \xe2\x80\x8b zero",
        "\xc2\x9b"
        "31m C1",
        "数据库::查询<行>",
        " ",
        "--",
        "%s%n%d",
    };
    *ret_count = sizeof(names) / sizeof(names[0]);
    return names;
}

static inline struct fixture awkward_hostile(void)
{
    struct fixture f = fixture_new();
    size_t count;
    const char *const *names = hostile_names(&count);
    static const char *argv[] = {"client", "\033[31m", "a\nb", "\xff"};

    f.run->command.argv = argv;
    f.run->command.argc = 4;
    fixture_sampling(&f, SLW_MODE_ALL);
    for (size_t i = 0; i < count; i++) {
        const struct slw_thread who = {names[i], 1, (int32_t)i + 1};
        const uint64_t weights[] = {100 + i, (100 + i) * FIXTURE_PERIOD_NS};
        uint32_t thread = 0, frame = fixture_frame(&f, SLW_FRAME_USER, names[i], names[i]);

        assert_int_equal(slw_stacks_add_thread(f.stacks, &who, &thread), 0);
        assert_int_equal(slw_stacks_add(f.stacks, &frame, 1, thread, weights), 0);
        assert_int_equal(slw_run_note(f.run, SLW_NOTE_WARNING, "hostile", names[i], "%s", names[i]),
                         0);
        assert_int_equal(slw_run_add_label(f.run, names[i], names[i], NULL), 0);
        const struct slw_waiting waits = {
            .tid = 1, .comm = names[i], .wall_ns = 5, .ns = {5}, .syscalls = {.absent = names[i]}};
        assert_int_equal(slw_run_add_waiting(f.run, &waits, NULL), 0);
        const struct slw_stage stage = {.name = names[i],
                                        .provider = names[i],
                                        .calls = i,
                                        .cpu_ns = {.absent = names[i]},
                                        .counted_from = {.detail = names[i]},
                                        .events = {[SLW_STAGE_SLOTS] = {.absent = names[i]}}};
        assert_int_equal(slw_run_add_stage(f.run, &stage, NULL), 0);
    }
    fixture_absent(&f, "\033[31mevent", "\033[32mreason|`");
    return f;
}

static inline struct fixture awkward_long_names(void)
{
    struct fixture f = fixture_new();
    char name[4096];

    (void)strcpy(name, "std::map<");
    while (strlen(name) < sizeof(name) - 64)
        (void)strcat(name, "std::basic_string<char>, ");
    (void)strcat(name, "int>::find(key) const");
    for (int i = 0; i < 3; i++) {
        const uint64_t weights[] = {50, 50 * (uint64_t)FIXTURE_PERIOD_NS};
        name[0] = (char)('a' + i);
        uint32_t id = fixture_frame(&f, SLW_FRAME_USER, "/opt/client", name);
        assert_int_equal(slw_stacks_add(f.stacks, &id, 1, SLW_NO_THREAD, weights), 0);
    }
    return f;
}

static inline struct fixture awkward_huge(void)
{
    struct fixture f = fixture_new();
    const uint64_t weights[] = {INT64_MAX, INT64_MAX};

    fixture_count(&f, "task-clock", "ns", UINT64_MAX);
    fixture_count(&f, "context-switches", "events", UINT64_MAX);
    f.run->losses = (struct slw_losses){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    f.run->self.user_ns = f.run->self.system_ns = (struct slw_maybe_u64){.value = UINT64_MAX};
    f.run->self.ring_bytes = f.run->self.spool_bytes = f.run->self.wakeups = UINT64_MAX;
    f.run->requests = (struct slw_maybe_u64){.value = 1};
    struct slw_waiting waits = {.by_cause = true, .syscalls = {.value = UINT64_MAX}};
    for (int i = 0; i < SLW_WAIT_COUNT; i++)
        waits.ns[i] = waits.waits[i] = UINT64_MAX;
    assert_int_equal(slw_run_add_waiting(f.run, &waits, NULL), 0);
    struct slw_stage stage = {.name = "huge",
                              .calls = UINT64_MAX,
                              .requests = UINT64_MAX,
                              .max_batch = UINT64_MAX,
                              .wall_ns = UINT64_MAX,
                              .self_ns = UINT64_MAX,
                              .cpu_ns = {.value = UINT64_MAX}};
    for (int i = 0; i < SLW_STAGE_EVENT_COUNT; i++)
        stage.events[i].value = UINT64_MAX;
    assert_int_equal(slw_run_add_stage(f.run, &stage, NULL), 0);
    for (int i = 0; i < 2; i++) {
        uint32_t id = fixture_frame(&f, SLW_FRAME_USER, "/bin/x", i ? "a" : "b");
        assert_int_equal(slw_stacks_add(f.stacks, &id, 1, SLW_NO_THREAD, weights), 0);
    }
    return f;
}

static inline struct fixture awkward_tiny_rates(void)
{
    struct fixture f = fixture_new();

    fixture_count(&f, "task-clock", "ns", 1);
    fixture_count(&f, "context-switches", "events", 1);
    f.run->wall_ns = (struct slw_maybe_u64){.value = 0};
    f.run->requests = (struct slw_maybe_u64){.value = 0};
    return f;
}

static inline struct fixture awkward_imported(void)
{
    struct fixture f = fixture_new();
    const struct slw_column columns[] = {
        {.event = "samples",
         .unit = "count",
         .from = {.source = SLW_SOURCE_SIMULATED, .imported = true, .detail = "elsewhere"}}};
    const uint64_t weights[] = {1000};

    slw_stacks_free(f.stacks);
    assert_int_equal(slw_stacks_new(columns, 1, &f.stacks, NULL), 0);
    uint32_t id = fixture_frame(&f, SLW_FRAME_OTHER, NULL, "main");
    assert_int_equal(slw_stacks_add(f.stacks, &id, 1, SLW_NO_THREAD, weights), 0);
    f.run->command.kind = SLW_TARGET_IMPORT;
    return f;
}

/* Executions in disorder, with everything and with nothing. */
static inline struct fixture awkward_rounds(void)
{
    static const int rounds[] = {SLW_MAX_ROUNDS, 0, 1, SLW_MAX_ROUNDS, 2, 1};
    struct fixture f = fixture_new();

    for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
        const struct slw_round r = {.round = rounds[i],
                                    .pass = i % 2 ? SLW_MAX_PASSES : 0,
                                    .sampled = i == 1,
                                    .wall_ns = {.value = UINT64_MAX},
                                    .requests = {.absent = "\033[31m"},
                                    .exit = SLW_EXIT_SIGNAL,
                                    .exit_value = 9,
                                    .left_out = i % 2 ? "a|b`\033[31m" : NULL};
        const struct slw_count c = {.event = i % 3 ? "task-clock" : "page-faults",
                                    .unit = i % 3 ? "ns" : "events",
                                    .group = -1,
                                    .round = r.round,
                                    .pass = r.pass,
                                    .pid = -1,
                                    .tid = -1,
                                    .cpu = -1,
                                    .absent = i == 4 ? "never scheduled" : NULL,
                                    .raw = i % 2 ? UINT64_MAX : 0,
                                    .enabled_ns = 1,
                                    .running_ns = 1};

        assert_int_equal(slw_run_add_round(f.run, &r, NULL), 0);
        assert_int_equal(slw_run_add_count(f.run, &c, NULL), 0);
    }
    f.run->requests = (struct slw_maybe_u64){.value = 3};
    return f;
}

static const struct {
    const char *name;
    struct fixture (*make)(void);
} awkward_runs[] = {
    {"sqlite", fixture_sqlite},
    {"empty", awkward_empty},
    {"zero samples", awkward_zero_samples},
    {"all absent", awkward_all_absent},
    {"one sample", awkward_one_sample},
    {"hostile names", awkward_hostile},
    {"long names", awkward_long_names},
    {"huge numbers", awkward_huge},
    {"tiny rates", awkward_tiny_rates},
    {"imported", awkward_imported},
    {"rounds", awkward_rounds},
};
#define AWKWARD_RUN_COUNT (sizeof(awkward_runs) / sizeof(awkward_runs[0]))

#endif
