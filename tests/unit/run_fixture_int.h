/* SPDX-License-Identifier: MIT */
/* Runs and stacks for the tests of record/, and what "the same" means for them. The comparison
 * names every field by hand on purpose: it must not share the tables it checks. */
#ifndef SLW_TESTS_RUN_FIXTURE_INT_H
#define SLW_TESTS_RUN_FIXTURE_INT_H

#include "base/arena.h"
#include "record/run_dir.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/run_observations_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void assert_count(const struct slw_count *a, const struct slw_count *b)
{
    assert_text(a->event, b->event);
    assert_text(a->unit, b->unit);
    assert_text(a->pmu, b->pmu);
    assert_int_equal(a->mode, b->mode);
    assert_provenance(&a->from, &b->from);
    assert_int_equal(a->group, b->group);
    assert_int_equal(a->round, b->round);
    assert_int_equal(a->pass, b->pass);
    assert_int_equal(a->pid, b->pid);
    assert_int_equal(a->tid, b->tid);
    assert_int_equal(a->cpu, b->cpu);
    assert_text(a->absent, b->absent);
    if (a->absent)
        return;
    assert_true(a->raw == b->raw);
    assert_true(a->enabled_ns == b->enabled_ns);
    assert_true(a->running_ns == b->running_ns);
    assert_int_equal(a->scaled, b->scaled);
    assert_int_equal(a->covered_bp, b->covered_bp);
    assert_int_equal(a->replicate_count, b->replicate_count);
    for (size_t i = 0; i < a->replicate_count; i++)
        assert_true(a->replicates[i] == b->replicates[i]);
}

static inline void assert_round(const struct slw_round *a, const struct slw_round *b)
{
    assert_int_equal(a->round, b->round);
    assert_int_equal(a->pass, b->pass);
    assert_int_equal(a->started_ns, b->started_ns);
    assert_int_equal(a->sampled, b->sampled);
    assert_maybe(&a->wall_ns, &b->wall_ns);
    assert_maybe(&a->requests, &b->requests);
    assert_int_equal(a->exit, b->exit);
    if (a->exit == SLW_EXIT_STATUS || a->exit == SLW_EXIT_SIGNAL)
        assert_int_equal(a->exit_value, b->exit_value);
    assert_text(a->left_out, b->left_out);
}

static inline void assert_waiting(const struct slw_waiting *a, const struct slw_waiting *b)
{
    assert_int_equal(a->pid, b->pid);
    assert_int_equal(a->tid, b->tid);
    assert_text(a->comm, b->comm);
    assert_provenance(&a->from, &b->from);
    assert_int_equal(a->by_cause, b->by_cause);
    assert_true(a->wall_ns == b->wall_ns);
    for (int i = 0; i < SLW_WAIT_COUNT; i++) {
        assert_true(a->ns[i] == b->ns[i]);
        assert_true(a->waits[i] == b->waits[i]);
    }
    assert_maybe(&a->syscalls, &b->syscalls);
    assert_true(a->thread_count == b->thread_count);
    assert_true(a->lost_threads == b->lost_threads);
}

static inline void assert_unwinding(const struct slw_unwinding *a, const struct slw_unwinding *b)
{
    assert_text(a->event, b->event);
    assert_true(a->copy_bytes == b->copy_bytes);
    assert_true(a->by_frame_pointer == b->by_frame_pointer);
    for (int i = 0; i < SLW_UNWOUND_COUNT; i++)
        assert_true(a->ends[i] == b->ends[i]);
}

static inline void assert_waited_for(const struct slw_waited_for *a, const struct slw_waited_for *b)
{
    assert_int_equal(a->state, b->state);
    assert_text(a->what, b->what);
    assert_int_equal(a->pid, b->pid);
    assert_true(a->ns == b->ns);
    assert_true(a->waits == b->waits);
}

static inline void assert_stage(const struct slw_stage *a, const struct slw_stage *b)
{
    assert_text(a->name, b->name);
    assert_text(a->provider, b->provider);
    assert_provenance(&a->from, &b->from);
    assert_provenance(&a->counted_from, &b->counted_from);
    assert_true(a->calls == b->calls);
    assert_true(a->requests == b->requests);
    assert_true(a->max_batch == b->max_batch);
    assert_true(a->wall_ns == b->wall_ns);
    assert_true(a->self_ns == b->self_ns);
    assert_maybe(&a->cpu_ns, &b->cpu_ns);
    for (int i = 0; i < SLW_STAGE_EVENT_COUNT; i++)
        assert_maybe(&a->events[i], &b->events[i]);
    assert_true(a->missed_begins == b->missed_begins);
    assert_true(a->missed_ends == b->missed_ends);
}

static inline void assert_printed(const struct slw_printed *a, const struct slw_printed *b)
{
    assert_text(a->name, b->name);
    assert_text(a->value, b->value);
    assert_text(a->unit, b->unit);
    assert_text(a->threshold, b->threshold);
    assert_text(a->pmu, b->pmu);
    assert_int_equal(a->count_index, b->count_index);
    assert_provenance(&a->from, &b->from);
}

static inline void assert_sampling(const struct slw_sampling *a, const struct slw_sampling *b)
{
    assert_text(a->event, b->event);
    assert_text(a->unit, b->unit);
    assert_int_equal(a->mode, b->mode);
    assert_provenance(&a->from, &b->from);
    assert_true(a->frequency_hz == b->frequency_hz);
    assert_true(a->period == b->period);
    assert_text(a->call_graph, b->call_graph);
    assert_text(a->timers, b->timers);
    assert_text(a->timers_reason, b->timers_reason);
    assert_true(a->samples == b->samples);
    assert_true(a->weight == b->weight);
}

static inline void assert_host(const struct slw_host *a, const struct slw_host *b)
{
    assert_text(a->hostname, b->hostname);
    assert_text(a->os, b->os);
    assert_text(a->kernel, b->kernel);
    assert_text(a->hypervisor, b->hypervisor);
    assert_text(a->cpu.arch, b->cpu.arch);
    assert_text(a->cpu.vendor, b->cpu.vendor);
    assert_text(a->cpu.name, b->cpu.name);
    assert_int_equal(a->cpu.family, b->cpu.family);
    assert_int_equal(a->cpu.model, b->cpu.model);
    assert_int_equal(a->cpu.stepping, b->cpu.stepping);
    assert_int_equal(a->cpu.implementer, b->cpu.implementer);
    assert_int_equal(a->cpu.part, b->cpu.part);
    assert_int_equal(a->cpu.variant, b->cpu.variant);
    assert_int_equal(a->cpu.revision, b->cpu.revision);
    assert_text(a->cpu.microcode, b->cpu.microcode);
    assert_int_equal(a->cpu.online_count, b->cpu.online_count);
    assert_int_equal(a->cpu.smt, b->cpu.smt);
    assert_int_equal(a->perf_event_paranoid, b->perf_event_paranoid);
    assert_int_equal(a->kptr_restrict, b->kptr_restrict);
    assert_int_equal(a->nmi_watchdog, b->nmi_watchdog);
    assert_text(a->governor, b->governor);
}

static inline void assert_command(const struct slw_command *a, const struct slw_command *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->argc, b->argc);
    for (size_t i = 0; i < a->argc; i++)
        assert_text(a->argv[i], b->argv[i]);
    assert_int_equal(a->pid, b->pid);
    assert_text(a->cgroup, b->cgroup);
    assert_int_equal(a->exit, b->exit);
    assert_int_equal(a->exit_value, b->exit_value);
}

static inline void assert_costs(const struct slw_run *a, const struct slw_run *b)
{
    assert_true(a->losses.lost_records == b->losses.lost_records);
    assert_true(a->losses.lost_samples == b->losses.lost_samples);
    assert_true(a->losses.throttled == b->losses.throttled);
    assert_true(a->losses.unreadable_bytes == b->losses.unreadable_bytes);
    assert_true(a->losses.no_user_stack == b->losses.no_user_stack);
    assert_maybe(&a->self.user_ns, &b->self.user_ns);
    assert_maybe(&a->self.system_ns, &b->self.system_ns);
    assert_true(a->self.ring_bytes == b->self.ring_bytes);
    assert_true(a->self.spool_bytes == b->self.spool_bytes);
    assert_true(a->self.wakeups == b->self.wakeups);
    assert_true(a->self.bpf_ns == b->self.bpf_ns);
    assert_text(a->self.bpf_absent, b->self.bpf_absent);
}

static inline void assert_same_model(const struct slw_model_ref *a, const struct slw_model_ref *b)
{
    assert_text(a->name, b->name);
    assert_text(a->source, b->source);
    assert_text(a->version, b->version);
    assert_text(a->pmu, b->pmu);
    if (!a->name)
        assert_text(a->absent, b->absent);
}

static inline void assert_same_run(const struct slw_run *a, const struct slw_run *b)
{
    assert_text(a->tool, b->tool);
    assert_true(a->started_realtime_ns == b->started_realtime_ns);
    assert_maybe(&a->wall_ns, &b->wall_ns);
    assert_host(&a->host, &b->host);
    assert_command(&a->command, &b->command);
    assert_same_model(&a->model, &b->model);
    assert_int_equal(a->other_model_count, b->other_model_count);
    for (size_t i = 0; i < a->other_model_count; i++)
        assert_same_model(&a->other_models[i], &b->other_models[i]);
    assert_maybe(&a->requests, &b->requests);
    assert_costs(a, b);
    assert_int_equal(a->count_count, b->count_count);
    for (size_t i = 0; i < a->count_count; i++)
        assert_count(&a->counts[i], &b->counts[i]);
    assert_int_equal(a->round_count, b->round_count);
    for (size_t i = 0; i < a->round_count; i++)
        assert_round(&a->rounds[i], &b->rounds[i]);
    assert_int_equal(a->sampling_count, b->sampling_count);
    for (size_t i = 0; i < a->sampling_count; i++)
        assert_sampling(&a->samplings[i], &b->samplings[i]);
    assert_int_equal(a->printed_count, b->printed_count);
    for (size_t i = 0; i < a->printed_count; i++)
        assert_printed(&a->printed[i], &b->printed[i]);
    assert_int_equal(a->waiting_count, b->waiting_count);
    for (size_t i = 0; i < a->waiting_count; i++)
        assert_waiting(&a->waiting[i], &b->waiting[i]);
    assert_int_equal(a->unwinding_count, b->unwinding_count);
    for (size_t i = 0; i < a->unwinding_count; i++)
        assert_unwinding(&a->unwindings[i], &b->unwindings[i]);
    assert_int_equal(a->waited_for_count, b->waited_for_count);
    for (size_t i = 0; i < a->waited_for_count; i++)
        assert_waited_for(&a->waited_for[i], &b->waited_for[i]);
    assert_int_equal(a->stage_count, b->stage_count);
    for (size_t i = 0; i < a->stage_count; i++)
        assert_stage(&a->stages[i], &b->stages[i]);
    assert_observations(a, b);
    assert_int_equal(a->label_count, b->label_count);
    for (size_t i = 0; i < a->label_count; i++) {
        assert_text(a->labels[i].key, b->labels[i].key);
        assert_text(a->labels[i].value, b->labels[i].value);
    }
    assert_int_equal(a->note_count, b->note_count);
    for (size_t i = 0; i < a->note_count; i++) {
        assert_int_equal(a->notes[i].level, b->notes[i].level);
        assert_text(a->notes[i].code, b->notes[i].code);
        assert_text(a->notes[i].text, b->notes[i].text);
        assert_text(a->notes[i].hint, b->notes[i].hint);
    }
}

static inline void fill_host(struct slw_host *h)
{
    *h = (struct slw_host){.hostname = "db-1",
                           .os = "Debian GNU/Linux 12 (bookworm)",
                           .kernel = "6.1.0-18-amd64",
                           .hypervisor = "KVM",
                           .perf_event_paranoid = -1,
                           .kptr_restrict = 2,
                           .nmi_watchdog = 0,
                           .governor = "performance"};
    h->cpu = (struct slw_cpu){.arch = "x86_64",
                              .vendor = "GenuineIntel",
                              .name = "Xeon(R) \"Gold\" <6>",
                              .family = 6,
                              .model = 85,
                              .stepping = 4,
                              .implementer = 0x41,
                              .part = 0xd0c,
                              .variant = 3,
                              .revision = 1,
                              .microcode = "0x2007006",
                              .online_count = 32,
                              .smt = 1};
}

static inline void fill_counts(struct slw_run *run)
{
    const struct slw_count live = {.event = "inst_retired.any",
                                   .unit = "events",
                                   .pmu = "cpu_core",
                                   .mode = SLW_MODE_USER,
                                   .from = {SLW_SOURCE_HARDWARE, false, NULL},
                                   .group = 3,
                                   .pid = 100,
                                   .tid = 101,
                                   .cpu = 0,
                                   .raw = INT64_MAX,
                                   .enabled_ns = 2000,
                                   .running_ns = 1999};
    const struct slw_count huge = {.event = "cycles" HOSTILE,
                                   .unit = "events",
                                   .mode = SLW_MODE_KERNEL,
                                   .from = {SLW_SOURCE_SIMULATED, true, "reference core " HOSTILE},
                                   .group = -1,
                                   .pid = -1,
                                   .tid = -1,
                                   .cpu = -1,
                                   .raw = UINT64_MAX,
                                   .enabled_ns = UINT64_MAX,
                                   .running_ns = UINT64_MAX};
    const struct slw_count scaled = {.event = "slots",
                                     .unit = "slots",
                                     .from = {SLW_SOURCE_HARDWARE, true, "perf stat"},
                                     .group = 0,
                                     .pid = -1,
                                     .tid = -1,
                                     .cpu = -1,
                                     .raw = 12345,
                                     .scaled = true,
                                     .covered_bp = 2504};
    uint64_t replicates[] = {6, UINT64_MAX, 0};
    const struct slw_count passed = {.event = "slots",
                                     .unit = "slots",
                                     .from = {.source = SLW_SOURCE_HARDWARE},
                                     .group = 2,
                                     .round = SLW_MAX_ROUNDS,
                                     .pass = 2,
                                     .pid = -1,
                                     .tid = -1,
                                     .cpu = -1,
                                     .raw = 7,
                                     .enabled_ns = 9,
                                     .running_ns = 9,
                                     .replicates = replicates,
                                     .replicate_count = 3};
    struct slw_count gone = huge;

    gone.absent = "not supported";
    assert_int_equal(slw_run_add_count(run, &live, NULL), 0);
    assert_int_equal(slw_run_add_count(run, &huge, NULL), 0);
    assert_int_equal(slw_run_add_count(run, &gone, NULL), 0);
    assert_int_equal(slw_run_add_count(run, &scaled, NULL), 0);
    assert_int_equal(slw_run_add_count(run, &passed, NULL), 0);
}

static inline void fill_waiting(struct slw_run *run)
{
    struct slw_waiting w = {.pid = -1,
                            .tid = -1,
                            .from = {SLW_SOURCE_SOFTWARE, false, "BPF on sched_switch"},
                            .wall_ns = UINT64_MAX,
                            .syscalls = {.absent = "not counted"},
                            .thread_count = 7,
                            .lost_threads = 2};

    assert_int_equal(slw_run_add_waiting(run, &w, NULL), 0);
    for (int i = 0; i < SLW_WAIT_COUNT; i++) {
        w.ns[i] = UINT64_C(1000000000000000000) + (uint64_t)i;
        w.waits[i] = (uint64_t)i;
    }
    w.pid = 12;
    w.tid = 13;
    w.comm = HOSTILE;
    w.by_cause = true;
    w.syscalls = (struct slw_maybe_u64){.value = 99};
    assert_int_equal(slw_run_add_waiting(run, &w, NULL), 0);
    const struct slw_waited_for lock = {SLW_WAIT_LOCK, HOSTILE, 12, UINT64_MAX, 3};
    const struct slw_waited_for peer = {SLW_WAIT_ANSWER, "127.0.0.1:1", -1, 4, 5};
    assert_int_equal(slw_run_add_waited_for(run, &lock, NULL), 0);
    assert_int_equal(slw_run_add_waited_for(run, &peer, NULL), 0);
}

static inline void fill_unwindings(struct slw_run *run)
{
    struct slw_unwinding u = {.event = "cpu" HOSTILE, .copy_bytes = 16384, .by_frame_pointer = 3};

    for (int i = 0; i < SLW_UNWOUND_COUNT; i++)
        u.ends[i] = 10 + (uint64_t)i;
    assert_int_equal(slw_run_add_unwinding(run, &u, NULL), 0);
    u = (struct slw_unwinding){.event = "off-cpu", .ends = {[SLW_UNWOUND_COMPLETE] = UINT64_MAX}};
    assert_int_equal(slw_run_add_unwinding(run, &u, NULL), 0);
}

static inline void fill_stages(struct slw_run *run)
{
    struct slw_stage s = {.name = "decode" HOSTILE,
                          .from = {SLW_SOURCE_SOFTWARE, false, "uprobes"},
                          .counted_from = {SLW_SOURCE_HARDWARE, false, NULL},
                          .calls = 1,
                          .requests = UINT64_MAX,
                          .max_batch = UINT64_MAX - 1,
                          .wall_ns = 2,
                          .self_ns = 3,
                          .cpu_ns = {.value = 4},
                          .missed_begins = 5,
                          .missed_ends = 6};

    for (int i = 0; i < SLW_STAGE_EVENT_COUNT; i++)
        s.events[i] = (struct slw_maybe_u64){.value = 100 + (uint64_t)i};
    assert_int_equal(slw_run_add_stage(run, &s, NULL), 0);
    s.provider = "lib" HOSTILE;
    s.cpu_ns.absent = "not " HOSTILE;
    for (int i = 0; i < SLW_STAGE_EVENT_COUNT; i++)
        s.events[i] = (struct slw_maybe_u64){.absent = "no PMU"};
    assert_int_equal(slw_run_add_stage(run, &s, NULL), 0);
}

static inline void fill_lists(struct slw_run *run)
{
    const struct slw_printed printed = {.name = "tma_x" HOSTILE,
                                        .value = "43.2",
                                        .unit = "%",
                                        .threshold = "bad",
                                        .pmu = "cpu_atom",
                                        .count_index = 3,
                                        .from = {SLW_SOURCE_HARDWARE, true, "perf stat"}};
    const struct slw_printed alone = {.name = "x", .value = "-0.0", .count_index = -1};
    const struct slw_sampling sampling = {.event = "cpu-clock",
                                          .unit = "nanoseconds",
                                          .mode = SLW_MODE_ALL,
                                          .from = {SLW_SOURCE_SOFTWARE, true, "perf 6.1"},
                                          .frequency_hz = 997,
                                          .call_graph = "fp",
                                          .timers = "task",
                                          .timers_reason = "refused " HOSTILE,
                                          .samples = 12345,
                                          .weight = UINT64_C(9999999999999999)};

    const struct slw_round sampled = {.sampled = true,
                                      .wall_ns = {.value = 5},
                                      .requests = {.absent = "not observed " HOSTILE},
                                      .exit = SLW_EXIT_STILL_RUNNING};
    const struct slw_round failed = {.round = SLW_MAX_ROUNDS,
                                     .started_ns = UINT64_MAX,
                                     .pass = SLW_MAX_PASSES,
                                     .wall_ns = {.absent = "not measured"},
                                     .requests = {.value = UINT64_MAX},
                                     .exit = SLW_EXIT_SIGNAL,
                                     .exit_value = 9,
                                     .left_out = "killed " HOSTILE};

    assert_int_equal(slw_run_add_round(run, &sampled, NULL), 0);
    assert_int_equal(slw_run_add_round(run, &failed, NULL), 0);
    assert_int_equal(slw_run_add_printed(run, &printed, NULL), 0);
    assert_int_equal(slw_run_add_printed(run, &alone, NULL), 0);
    assert_int_equal(slw_run_add_sampling(run, &sampling, NULL), 0);
    fill_waiting(run);
    fill_unwindings(run);
    fill_stages(run);
    fill_observations(run);
    assert_int_equal(slw_run_add_label(run, "commit", HOSTILE, NULL), 0);
    assert_int_equal(slw_run_add_label(run, "commit", "", NULL), 0);
    assert_int_equal(slw_run_note(run, SLW_NOTE_WARNING, "no-pmu", "try \"perf\"", "%s", HOSTILE),
                     0);
    assert_int_equal(slw_run_note(run, SLW_NOTE_INFO, "info", NULL, "plain"), 0);
}

/* A run in which every field has a value of its own. Free with slw_run_free. */
static inline struct slw_run *rich_run(void)
{
    static const char *argv[] = {"sqlite3", HOSTILE, "", "x.db"};
    struct slw_run *run = NULL;

    assert_int_equal(slw_run_new(&run, NULL), 0);
    run->tool = "slotwise 0.1.0";
    run->started_realtime_ns = UINT64_C(1700000000123456789);
    run->wall_ns = (struct slw_maybe_u64){.value = 1234567890};
    fill_host(&run->host);
    run->command = (struct slw_command){.kind = SLW_TARGET_CGROUP,
                                        .argv = argv,
                                        .argc = 4,
                                        .pid = 4711,
                                        .cgroup = "/system.slice/x",
                                        .exit = SLW_EXIT_SIGNAL,
                                        .exit_value = 9};
    run->model = (struct slw_model_ref){"skylake", "TMA metrics", "4.8", "cpu_core", NULL};
    assert_int_equal(
        slw_run_add_model(run, &(struct slw_model_ref){"snow", "TMA", "4", "cpu_atom", NULL}, NULL),
        0);
    assert_int_equal(
        slw_run_add_model(run, &(struct slw_model_ref){.pmu = "cpu_low", .absent = "why"}, NULL),
        0);
    run->requests = (struct slw_maybe_u64){.value = 42};
    run->losses = (struct slw_losses){1, 2, 3, 4, 5};
    run->self = (struct slw_self_cost){{.value = 6}, {.absent = "refused"}, 7, 8, 9, 10, "partly"};
    fill_counts(run);
    fill_lists(run);
    return run;
}

/* A profile with two events, inlined frames, a kernel, threads and an empty stack. */
static inline struct slw_stacks *rich_stacks(void)
{
    const struct slw_column columns[] = {
        {"cpu-clock", "count", {SLW_SOURCE_SOFTWARE, false, NULL}},
        {"cpu-clock", "nanoseconds", {SLW_SOURCE_SOFTWARE, false, NULL}},
        {"cycles", "count", {SLW_SOURCE_HARDWARE, true, "perf \"6.1\" " HOSTILE}},
        {"cycles", "events", {SLW_SOURCE_SIMULATED, true, NULL}}};
    const struct slw_mapping maps[] = {{"/usr/bin/sqlite3", "deadbeef", 0x1000, 0x9000, 0x1000},
                                       {"[kernel.kallsyms]", "", 0, 0, 0},
                                       {"/lib/" HOSTILE, "", 0, 0, 0}};
    struct slw_frame frames[] = {
        {"inner", "_Z5innerv", "a.c", 3, 0, 0x10, SLW_FRAME_USER, true},
        {"outer", "", "a.c", 9, 0, 0x10, SLW_FRAME_USER, false},
        {"main", "", "a.c", 20, 0, 0x20, SLW_FRAME_USER, false},
        {"sys_write", "", "", 0, 1, UINT64_C(0xffffffff81000000), SLW_FRAME_KERNEL, false},
        {"", "", "", 0, 2, 0x123, SLW_FRAME_USER, false},
        {HOSTILE, HOSTILE "2", HOSTILE, UINT32_MAX, 2, UINT64_MAX, SLW_FRAME_OTHER, false},
        {"folded", "", "", 0, SLW_NO_MAPPING, 0, SLW_FRAME_USER, true}};
    const struct slw_thread threads[] = {{"sqlite3", 100, 101}, {HOSTILE, 0, 0}, {"", -1, 7}};
    const uint64_t w[][4] = {{1, 1000, 0, 0}, {2, 2000, 3, INT64_MAX}, {4, 0, 0, 0}};
    const uint32_t kernel[] = {3, 0, 1, 2}, odd[] = {4, 5, 6}, leaf[] = {2};
    struct slw_stacks *s = NULL;
    uint32_t id;

    assert_int_equal(slw_stacks_new(columns, 4, &s, NULL), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(slw_stacks_add_mapping(s, &maps[i], &id), 0);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(slw_stacks_add_frame(s, &frames[i], &id), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(slw_stacks_add_thread(s, &threads[i], &id), 0);
    assert_int_equal(slw_stacks_add(s, kernel, 4, 0, w[0]), 0);
    assert_int_equal(slw_stacks_add(s, odd, 3, 1, w[1]), 0);
    assert_int_equal(slw_stacks_add(s, leaf, 1, 2, w[2]), 0);
    assert_int_equal(slw_stacks_add(s, NULL, 0, SLW_NO_THREAD, w[0]), 0);
    return s;
}

static inline void assert_same_mapping(const struct slw_stacks *a, uint32_t x,
                                       const struct slw_stacks *b, uint32_t y)
{
    if (x == SLW_NO_MAPPING || y == SLW_NO_MAPPING) {
        assert_int_equal(x, y);
        return;
    }
    const struct slw_mapping m = slw_stacks_mapping(a, x), n = slw_stacks_mapping(b, y);
    assert_string_equal(m.path, n.path);
    assert_string_equal(m.build_id, n.build_id);
    assert_true(m.start == n.start && m.limit == n.limit && m.offset == n.offset);
}

static inline void assert_same_frame(const struct slw_stacks *a, uint32_t x,
                                     const struct slw_stacks *b, uint32_t y)
{
    const struct slw_frame f = slw_stacks_frame(a, x), g = slw_stacks_frame(b, y);

    assert_string_equal(f.function, g.function);
    assert_string_equal(f.linkage, g.linkage);
    assert_string_equal(f.file, g.file);
    assert_int_equal(f.line, g.line);
    assert_true(f.address == g.address);
    assert_int_equal(f.kind, g.kind);
    assert_int_equal(f.inlined, g.inlined);
    assert_same_mapping(a, f.mapping, b, g.mapping);
}

static inline void assert_same_thread(const struct slw_stacks *a, uint32_t x,
                                      const struct slw_stacks *b, uint32_t y)
{
    if (x == SLW_NO_THREAD || y == SLW_NO_THREAD) {
        assert_int_equal(x, y);
        return;
    }
    const struct slw_thread t = slw_stacks_thread(a, x), u = slw_stacks_thread(b, y);
    assert_string_equal(t.comm, u.comm);
    assert_int_equal(t.pid, u.pid);
    assert_int_equal(t.tid, u.tid);
}

/* The same columns and the same samples in the same order; ids may differ. */
static inline void assert_same_stacks(const struct slw_stacks *a, const struct slw_stacks *b)
{
    size_t columns = slw_stacks_column_count(a);

    assert_int_equal(columns, slw_stacks_column_count(b));
    for (size_t i = 0; i < columns; i++) {
        const struct slw_column *c = slw_stacks_column(a, i), *d = slw_stacks_column(b, i);
        assert_string_equal(c->event, d->event);
        assert_string_equal(c->unit, d->unit);
        assert_provenance(&c->from, &d->from);
    }
    assert_int_equal(slw_stacks_count(a), slw_stacks_count(b));
    for (size_t i = 0; i < slw_stacks_count(a); i++) {
        const struct slw_stack x = slw_stacks_get(a, i), y = slw_stacks_get(b, i);
        assert_int_equal(x.depth, y.depth);
        for (size_t k = 0; k < x.depth; k++)
            assert_same_frame(a, x.frames[k], b, y.frames[k]);
        assert_same_thread(a, x.thread, b, y.thread);
        for (size_t k = 0; k < columns; k++)
            assert_true(x.weights[k] == y.weights[k]);
    }
}

#endif
