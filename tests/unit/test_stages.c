/* SPDX-License-Identifier: MIT */
/* Stages from the sums of the kernel to the rows of a report, and the events chosen for them. */
#include "analyzer/stages.h"
#include "base/buf.h"
#include "collector/session.h"
#include "collector/sys.h"
#include "collector/taps/stage/counters.h"
#include "collector/taps/stage/pick.h"
#include "collector/taps/stage/sums.h"
#include "collector/target.h"
#include "models/model.h"
#include "tests/near.h"
#include "tests/unit/cmocka_int.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- sums ---- */

struct fixture {
    struct slw_stage_marks *marks;
    struct slw_stage_sum sums[3];
    struct slw_stage_results results;
    struct slw_run *run;
};

static void set_up(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->marks = calloc(1, sizeof(*f->marks));
    assert_non_null(f->marks);
    f->marks->stage_count = 3;
    (void)snprintf(f->marks->stages[0].name, SLW_STAGE_MAX_NAME, "decode");
    (void)snprintf(f->marks->stages[1].name, SLW_STAGE_MAX_NAME, "execute");
    (void)snprintf(f->marks->stages[1].provider, SLW_STAGE_MAX_NAME, "mylib");
    (void)snprintf(f->marks->stages[2].name, SLW_STAGE_MAX_NAME, "never");
    f->sums[0] = (struct slw_stage_sum){
        .calls = 10,
        .requests = 40,
        .max_batch = 7,
        .wall_ns = 900,
        .self_ns = 800,
        .cpu_ns = 600,
        .counts = {.values = {2000, 1000, 5, 3000}, .enabled_ns = 600, .running_ns = 300}};
    f->sums[1] = (struct slw_stage_sum){.calls = 1, .self_ns = 200, .wall_ns = 200};
    f->results = (struct slw_stage_results){.marks = f->marks,
                                            .sums = f->sums,
                                            .counter = {0, 1, 2, 3, -1},
                                            .absent = {[SLW_STAGE_SLOTS] = "why"},
                                            .slots_per_cycle = 6,
                                            .counted_from = {.source = SLW_SOURCE_HARDWARE}};
    assert_int_equal(slw_run_new(&f->run, NULL), 0);
}

static void tear_down(struct fixture *f)
{
    slw_run_free(f->run);
    free(f->marks);
}

static bool has_note(const struct slw_run *run, const char *code)
{
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, code) == 0)
            return true;
    return false;
}

static void counts_are_scaled_to_the_time_that_was_not_counted(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f);
    assert_int_equal(slw_stage_put(&f.results, f.run, NULL), 0);
    assert_int_equal(f.run->stage_count, 2); /* what was never called is no row */
    const struct slw_stage *s = &f.run->stages[0];
    assert_string_equal(s->name, "decode");
    assert_null(s->provider);
    assert_int_equal(s->events[SLW_STAGE_CYCLES].value, 4000);
    assert_int_equal(s->events[SLW_STAGE_INSTRUCTIONS].value, 2000);
    assert_int_equal(s->events[SLW_STAGE_ICACHE_MISSES].value, 10);
    assert_int_equal(s->events[SLW_STAGE_FRONTEND_SLOTS].value, 6000);
    assert_int_equal(s->events[SLW_STAGE_SLOTS].value, 24000);
    assert_string_equal(s->counted_from.detail, "scaled: counted 50 % of the time");
    assert_string_equal(f.run->stages[1].provider, "mylib");
    assert_string_equal(f.run->stages[1].events[SLW_STAGE_CYCLES].absent,
                        "not counted: never scheduled");
    assert_null(f.run->stages[1].counted_from.detail);
    assert_int_equal(f.run->note_count, 0);
    tear_down(&f);
}

static void without_counters_events_are_absent_with_the_reason(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f);
    f.results.slots_per_cycle = 0;
    for (int i = 0; i < SLW_STAGE_EVENT_COUNT; i++) {
        f.results.counter[i] = -1;
        f.results.absent[i] = "no PMU";
    }
    assert_int_equal(slw_stage_put(&f.results, f.run, NULL), 0);
    for (int i = 0; i < SLW_STAGE_EVENT_COUNT; i++)
        assert_string_equal(f.run->stages[0].events[i].absent, "no PMU");
    tear_down(&f);
}

static void scaled_counts_past_64_bits_are_absent(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f);
    f.sums[0].counts.values[0] = UINT64_MAX / 3; /* twice that as cycles fit, as slots not */
    assert_int_equal(slw_stage_put(&f.results, f.run, NULL), 0);
    assert_null(f.run->stages[0].events[SLW_STAGE_CYCLES].absent);
    assert_non_null(f.run->stages[0].events[SLW_STAGE_SLOTS].absent);
    tear_down(&f);
    set_up(&f);
    f.sums[0].counts.values[0] = UINT64_MAX - 1;
    assert_int_equal(slw_stage_put(&f.results, f.run, NULL), 0);
    assert_non_null(f.run->stages[0].events[SLW_STAGE_CYCLES].absent);
    assert_non_null(f.run->stages[0].events[SLW_STAGE_SLOTS].absent);
    tear_down(&f);
}

static void what_was_missed_is_told(void **state)
{
    static const char *const codes[] = {
        "stage-unbalanced", "stage-marks-unusable", "stage-marks-left-out", "stage-threads-lost",
        "stage-too-deep",   "stage-batch-lost",     "stage-events-lost"};
    struct fixture f;

    (void)state;
    set_up(&f);
    f.sums[2].missed_ends = 3; /* no whole call, but a row */
    f.marks->unusable = f.marks->left_out = 1;
    f.results.losses = (struct slw_stage_losses){.threads = 1, .too_deep = 1, .batches = 1};
    f.results.skipped = 1;
    assert_int_equal(slw_stage_put(&f.results, f.run, NULL), 0);
    assert_int_equal(f.run->stage_count, 3);
    assert_int_equal(f.run->stages[2].missed_ends, 3);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        assert_true(has_note(f.run, codes[i]));
    tear_down(&f);
}

/* ---- rows ---- */

static void rows_are_sorted_by_self_time_and_never_divide_by_nothing(void **state)
{
    struct slw_stage_row rows[SLW_MAX_STAGES];
    struct slw_buf text = {0};
    struct fixture f;

    (void)state;
    set_up(&f);
    f.sums[0].self_ns = 100;
    f.sums[1].self_ns = 300; /* no request in it */
    f.sums[2].missed_begins = 1;
    assert_int_equal(slw_stage_put(&f.results, f.run, NULL), 0);
    assert_int_equal(slw_stage_rows(f.run, rows), 3);
    assert_string_equal(rows[0].stage->name, "execute");
    assert_near(rows[0].share.value, 0.75, 1e-12);
    assert_near(rows[0].mean_batch.value, 0, 0);
    assert_string_equal(rows[0].per_request.absent, "no requests");
    assert_near(rows[1].mean_batch.value, 4, 1e-12);
    assert_near(rows[1].per_request.value, 2.5, 1e-12);
    assert_near(rows[1].ipc.value, 0.5, 1e-12);
    assert_near(rows[1].icache_mpki.value, 5, 1e-12);
    assert_near(rows[1].frontend.value, 0.25, 1e-12);
    assert_string_equal(rows[2].mean_batch.absent, "no whole call");
    assert_string_equal(rows[2].on_cpu.absent, "nothing was counted");
    slw_stage_put_name(&text, rows[0].stage);
    assert_string_equal(text.data, "mylib: execute");
    slw_buf_release(&text);
    tear_down(&f);
}

/* ---- text ---- */

static const char wide[] =
    "\nSTAGES  marked by the client\n"
    "   share   per req.     on-CPU      calls mean batch    largest  stage\n"
    "   80.0%ˢ      20 ns       75 %         10          4          7  decode\n"
    "           IPC 0.50, icache misses 5 per kilo-instruction, front end 25 % of the\n"
    "           slots (scaled: counted 50 % of the time)\n"
    "   20.0%ˢ          -        0 %          1          0          0  mylib: execute\n";

static const char narrow[] = "\nSTAGES  marked by the client\n"
                             "   share   per req. mean batch  stage\n"
                             "   80.0%ˢ      20 ns          4  decode\n"
                             "   20.0%ˢ          -          0  mylib…ecute\n"
                             "  IPC, icache misses and front end of a\n"
                             "  stage are unknown: no PMU\n";

static void text_is(const char *expected, const struct slw_run *run, size_t width)
{
    struct slw_buf text = {0};

    slw_stages_term(&text, run, width, false);
    assert_string_equal(text.data ? text.data : "", expected);
    slw_buf_release(&text);
}

static void the_table_has_a_line_per_stage(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f);
    text_is("", f.run, 80); /* nothing was marked: nothing is shown */
    assert_int_equal(slw_stage_put(&f.results, f.run, NULL), 0);
    text_is(wide, f.run, 80);
    tear_down(&f);
}

static void a_narrow_table_leaves_columns_out(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f);
    for (int i = 0; i < SLW_STAGE_EVENT_COUNT; i++) {
        f.results.counter[i] = -1;
        f.results.absent[i] = "no PMU";
    }
    f.results.slots_per_cycle = 0;
    assert_int_equal(slw_stage_put(&f.results, f.run, NULL), 0);
    text_is(narrow, f.run, 44);
    tear_down(&f);
}

/* ---- events ---- */

static const struct slw_model_vars vars = {.single_task = true};

static struct slw_stage_picks picked(const char *name, struct slw_model **ret_model)
{
    struct slw_stage_picks p;

    assert_int_equal(slw_model_builtin(name, ret_model, NULL), 0);
    slw_stage_pick(*ret_model, &vars, &p);
    return p;
}

static bool is_event(const struct slw_stage_picks *p, enum slw_stage_event id,
                     const struct slw_model *m, const char *name)
{
    int event = slw_model_find_event(m, name);

    return event >= 0 && p->counter[id] >= 0 &&
           p->events[p->counter[id]].config == m->events[event].config;
}

static void events_are_those_of_the_model(void **state)
{
    struct slw_model *m = NULL;
    struct slw_stage_picks p = picked("zen4", &m);

    (void)state;
    assert_int_equal(p.event_count, 4);
    assert_int_equal(p.counter[SLW_STAGE_CYCLES], 0);
    assert_true(is_event(&p, SLW_STAGE_INSTRUCTIONS, m, "ex_ret_instr"));
    assert_true(is_event(&p, SLW_STAGE_ICACHE_MISSES, m, "ic_tag_hit_miss.instruction_cache_miss"));
    assert_true(
        is_event(&p, SLW_STAGE_FRONTEND_SLOTS, m, "de_no_dispatch_per_slot.no_ops_from_frontend"));
    assert_int_equal(p.slots_per_cycle, 6);
    slw_model_free(m);
}

static void a_model_without_slots_gives_the_others(void **state)
{
    struct slw_model *m = NULL;
    struct slw_stage_picks p = picked("neoverse_n1", &m);

    (void)state;
    assert_int_equal(p.event_count, 3);
    assert_true(is_event(&p, SLW_STAGE_ICACHE_MISSES, m, "l1i_cache_refill"));
    assert_int_equal(p.counter[SLW_STAGE_FRONTEND_SLOTS], -1);
    assert_non_null(p.absent[SLW_STAGE_FRONTEND_SLOTS]);
    assert_non_null(p.absent[SLW_STAGE_SLOTS]);
    assert_int_equal(p.slots_per_cycle, 0);
    slw_model_free(m);
}

/* Whatever the model: what is chosen is there, and what is not has a reason. */
static void every_model_gives_events_or_reasons(void **state)
{
    (void)state;
    for (size_t i = 0; i < slw_model_builtin_count(); i++) {
        struct slw_model *m = NULL;
        struct slw_stage_picks p = picked(slw_model_builtin_name(i), &m);

        assert_true(p.event_count >= 1 && p.event_count <= SLW_STAGE_COUNTERS);
        assert_int_equal(p.counter[SLW_STAGE_CYCLES], 0);
        for (int id = 0; id < SLW_STAGE_EVENT_COUNT; id++) {
            assert_true(p.counter[id] < (int)p.event_count);
            assert_true(p.counter[id] >= 0 ? !p.absent[id] : p.absent[id] != NULL);
        }
        assert_int_equal(p.slots_per_cycle > 0, p.counter[SLW_STAGE_FRONTEND_SLOTS] >= 0);
        slw_model_free(m);
    }
}

/* ---- opening them, on a machine that is played ---- */

static struct {
    int refuse_at, error; /* the n-th event is refused; 0: none */
    int open, closed;
    int leaders[8];
    uint64_t configs[8];
} kernel;

static int play_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                     unsigned long flags)
{
    (void)flags;
    assert_int_equal(pid, -1);
    assert_true(cpu == 0 || cpu == 3);
    if (kernel.open + 1 == kernel.refuse_at)
        return kernel.error;
    kernel.leaders[kernel.open] = group_fd;
    kernel.configs[kernel.open] = attr->config;
    return 100 + kernel.open++;
}

static void play_close(int fd)
{
    assert_true(fd >= 100 && fd < 100 + kernel.open);
    kernel.closed++;
}

static struct slw_stage_results told(const struct slw_session_options *opts, int refuse_at,
                                     int error, struct slw_stage_counters **ret_counters)
{
    static int cpus[] = {0, 3};
    static struct slw_sys sys;
    static struct slw_live_target target;
    struct slw_stage_results r = {0};

    memset(&kernel, 0, sizeof(kernel));
    kernel.refuse_at = refuse_at;
    kernel.error = error;
    sys = slw_sys_real;
    sys.perf_event_open = play_open;
    sys.close = play_close;
    target = (struct slw_live_target){.sys = &sys, .cpus = cpus, .cpu_count = 2};
    assert_int_equal(slw_stage_counters_open(opts, &target, ret_counters, NULL), 0);
    slw_stage_counters_tell(*ret_counters, &r);
    return r;
}

static void each_cpu_has_a_group_led_by_cycles(void **state)
{
    struct slw_stage_counters *c = NULL;
    struct slw_session_options opts = {0};
    struct slw_model *m = NULL;

    (void)state;
    assert_int_equal(slw_model_builtin("neoverse_n1", &m, NULL), 0);
    opts.model = m;
    struct slw_stage_results r = told(&opts, 0, 0, &c);
    assert_int_equal(slw_stage_counters_count(c), 3);
    assert_int_equal(kernel.open, 6);
    assert_int_equal(kernel.configs[0], 0x11);
    assert_int_equal(kernel.leaders[0], -1);
    assert_int_equal(kernel.leaders[2], 100);
    assert_int_equal(kernel.leaders[3], -1);
    assert_int_equal(kernel.leaders[5], 103);
    assert_int_equal(r.counter[SLW_STAGE_CYCLES], 0);
    assert_int_equal(r.counter[SLW_STAGE_SLOTS], -1);
    assert_non_null(r.absent[SLW_STAGE_SLOTS]);
    slw_stage_counters_close(c);
    assert_int_equal(kernel.closed, 6);
    slw_model_free(m);
}

static void what_cannot_be_opened_is_closed_and_explained(void **state)
{
    static const struct {
        int at, error;
        const char *word;
    } cases[] = {{1, -ENOENT, "no PMU"}, {5, -EACCES, "refused"}, {2, -EMFILE, "descriptors"}};
    const struct slw_session_options opts = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_stage_counters *c = NULL;
        struct slw_stage_results r = told(&opts, cases[i].at, cases[i].error, &c);

        assert_int_equal(slw_stage_counters_count(c), 0);
        assert_int_equal(kernel.closed, cases[i].at - 1);
        assert_int_equal(r.slots_per_cycle, 0);
        for (int e = 0; e < SLW_STAGE_EVENT_COUNT; e++) {
            assert_int_equal(r.counter[e], -1);
            assert_non_null(strstr(r.absent[e], cases[i].word));
        }
        slw_stage_counters_close(c);
        assert_int_equal(kernel.closed, cases[i].at - 1);
    }
}

static void several_kinds_of_core_are_not_added_up(void **state)
{
    const struct slw_session_options opts = {.other_core_count = 1};
    struct slw_stage_counters *c = NULL;

    (void)state;
    struct slw_stage_results r = told(&opts, 0, 0, &c);
    assert_int_equal(kernel.open, 0);
    assert_non_null(strstr(r.absent[SLW_STAGE_CYCLES], "kinds of core"));
    slw_stage_counters_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_scaled_to_the_time_that_was_not_counted),
        cmocka_unit_test(without_counters_events_are_absent_with_the_reason),
        cmocka_unit_test(scaled_counts_past_64_bits_are_absent),
        cmocka_unit_test(what_was_missed_is_told),
        cmocka_unit_test(rows_are_sorted_by_self_time_and_never_divide_by_nothing),
        cmocka_unit_test(the_table_has_a_line_per_stage),
        cmocka_unit_test(a_narrow_table_leaves_columns_out),
        cmocka_unit_test(events_are_those_of_the_model),
        cmocka_unit_test(a_model_without_slots_gives_the_others),
        cmocka_unit_test(every_model_gives_events_or_reasons),
        cmocka_unit_test(each_cpu_has_a_group_led_by_cycles),
        cmocka_unit_test(what_cannot_be_opened_is_closed_and_explained),
        cmocka_unit_test(several_kinds_of_core_are_not_added_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
