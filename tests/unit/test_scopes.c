/* SPDX-License-Identifier: MIT */
/* Threads, modes and intervals of a run, over a model and numbers made up here. */
#include "analyzer/scope_table.h"
#include "tests/report_fixture.h"

#include "analyzer/renderer.h"
#include "base/buf.h"

#include <stdio.h>

static struct slw_model *load(void)
{
    struct slw_model *m = NULL;

    assert_int_equal(slw_model_builtin("zen4", &m, NULL), 0);
    return m;
}

static int add(struct fixture *f, const char *event, enum slw_mode mode, int tid, uint64_t raw)
{
    const bool clock = strcmp(event, "task-clock") == 0;
    const struct slw_count c = {
        .event = event,
        .unit = clock ? "ns" : "events",
        .mode = mode,
        .from = {.source = clock ? SLW_SOURCE_SOFTWARE : SLW_SOURCE_HARDWARE},
        .group = clock ? 0 : 1 + (int)mode,
        .pid = tid < 0 ? -1 : 1,
        .tid = tid,
        .cpu = -1,
        .raw = raw,
        .enabled_ns = 1000000000,
        .running_ns = 1000000000};

    assert_int_equal(slw_run_add_count(f->run, &c, NULL), 0);
    return (int)f->run->count_count - 1;
}

static const struct slw_report *report(struct fixture *f, const struct slw_model *m)
{
    struct slw_error err = {0};

    if (slw_report_new(f->run, NULL, m, &f->report, &err) < 0)
        fail_msg("%s", err.text);
    return f->report;
}

static char *rendered(const struct slw_report *r, const char *name)
{
    const struct slw_render_options opts = {.width = 80};
    struct slw_buf out = {0};
    struct slw_error err = {0};

    for (size_t i = 0; i < slw_renderer_count; i++)
        if (strcmp(slw_renderers[i]->name, name) == 0)
            assert_int_equal(slw_renderers[i]->render(r, &opts, &out, &err), 0);
    return slw_buf_take(&out);
}

static void assert_prints(const struct slw_report *r, const char *renderer, const char *text)
{
    char *out = rendered(r, renderer);

    if (!strstr(out, text))
        fail_msg("no '%s' in:\n%s", text, out);
    free(out);
}

static void assert_foot(const struct slw_report *r, const char *text)
{
    struct slw_buf out = {0};

    slw_scope_foot_put(&out, r, SLW_SCOPES_TASKS);
    assert_false(slw_buf_failed(&out));
    if (!strstr(out.data, text))
        fail_msg("no '%s' in: %s", text, out.data);
    slw_buf_release(&out);
}

static void task(struct fixture *f, int tid, const char *comm, uint64_t count)
{
    const struct slw_counted_task t = {.pid = 1, .tid = tid, .comm = comm, .task_count = count};

    assert_int_equal(slw_run_add_task(f->run, &t, NULL), 0);
}

/* ---- threads ---- */

static void threads(struct fixture *f, uint64_t unaccounted)
{
    add(f, "task-clock", SLW_MODE_ALL, -1, 1000);
    add(f, "ls_not_halted_cyc", SLW_MODE_ALL, -1, 4000 + unaccounted);
    add(f, "ex_ret_instr", SLW_MODE_ALL, -1, 5000);
    task(f, 11, "loop|er", 1);
    add(f, "task-clock", SLW_MODE_ALL, 11, 750);
    add(f, "ls_not_halted_cyc", SLW_MODE_ALL, 11, 3000);
    add(f, "ex_ret_instr", SLW_MODE_ALL, 11, 1500);
    task(f, 12, "idler", 3);
    add(f, "task-clock", SLW_MODE_ALL, 12, 250);
    add(f, "ls_not_halted_cyc", SLW_MODE_ALL, 12, 1000);
    add(f, "ex_ret_instr", SLW_MODE_ALL, 12, 3500);
}

static void every_thread_has_numbers_of_its_own(void **state)
{
    struct slw_model *m = load();
    struct fixture f = fixture_new();

    (void)state;
    threads(&f, 0);
    const struct slw_report *r = report(&f, m);
    const struct slw_scopes *s = r->scopes;
    assert_int_equal(s->task_count, 2);
    assert_near(s->tasks[0].share.value, 0.75, 1e-12);
    assert_near(s->tasks[0].ipc.value, 0.5, 1e-12);
    assert_near(s->tasks[1].ipc.value, 3.5, 1e-12);
    assert_non_null(s->tasks[0].nodes[0].absent); /* its events were not counted */
    assert_null(s->rest_event);
    assert_true(s->rest.value < 0.5);
    assert_prints(r, "term", "loop|er (11)");
    assert_prints(r, "term", "idler (12) and 2 not told apart");
    assert_prints(r, "term", "Together they are all of every count");
    assert_prints(r, "md", "<code>loop&#124;er (11)</code>");
    assert_prints(r, "json", "\"unaccounted_event\": null");
    fixture_free(&f);
    slw_model_free(m);
}

static void what_the_threads_leave_is_unaccounted(void **state)
{
    struct slw_model *m = load();
    struct fixture f = fixture_new();

    (void)state;
    threads(&f, 1000);
    const struct slw_scopes *s = report(&f, m)->scopes;
    assert_string_equal(s->rest_event, "ls_not_halted_cyc");
    assert_near(s->rest_share, 0.2, 1e-12);
    assert_foot(f.report, "at most 20.00 % of any count (ls_not_halted_cyc)");
    fixture_free(&f);
    slw_model_free(m);
}

static void more_than_the_whole_is_called_wrong(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    add(&f, "task-clock", SLW_MODE_ALL, -1, 1000);
    task(&f, 11, "x", 1);
    add(&f, "task-clock", SLW_MODE_ALL, 11, 1100);
    assert_near(report(&f, NULL)->scopes->rest_share, -0.1, 1e-12);
    assert_foot(f.report, "10.00 % more of task-clock");
    fixture_free(&f);
}

static void small_threads_are_one_row(void **state)
{
    struct fixture f = fixture_new();
    char name[16];

    (void)state;
    add(&f, "task-clock", SLW_MODE_ALL, -1, 40000);
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof(name), "t%d", i);
        task(&f, 100 + i, name, 1);
        add(&f, "task-clock", SLW_MODE_ALL, 100 + i, 1000);
    }
    struct slw_scope pool;
    slw_scope_pool(report(&f, NULL), 12, &pool);
    assert_true(pool.task_count == 28);
    assert_near(pool.share.value, 0.7, 1e-12);
    assert_prints(f.report, "term", "70.0%ˢ");
    assert_prints(f.report, "term", "28 others");
    assert_prints(f.report, "md", "10 others have 25 % of the CPU time");
    fixture_free(&f);
}

/* ---- modes ---- */

static void modes_are_never_mixed(void **state)
{
    struct slw_model *m = load();
    struct fixture f = fixture_new();

    (void)state;
    add(&f, "ls_not_halted_cyc", SLW_MODE_USER, -1, 1000);
    add(&f, "ex_ret_instr", SLW_MODE_USER, -1, 2000);
    add(&f, "ls_not_halted_cyc", SLW_MODE_KERNEL, -1, 4000);
    add(&f, "ex_ret_instr", SLW_MODE_KERNEL, -1, 1000);
    const struct slw_report *r = report(&f, m);
    assert_int_equal(r->scopes->mode_count, 2);
    assert_near(r->scopes->modes[0].ipc.value, 2, 1e-12);
    assert_near(r->scopes->modes[1].ipc.value, 0.25, 1e-12);
    for (size_t i = 0; i < r->node_count; i++)
        if (strcmp(r->nodes[i].name, "ipc") == 0)
            assert_near(r->nodes[i].value.value, 2, 1e-12);
    assert_prints(r, "term", "USER AND KERNEL");
    assert_prints(r, "term", "20.0%");
    assert_prints(r, "md", "#### User and kernel");
    fixture_free(&f);
    slw_model_free(m);
}

static void one_mode_alone_is_no_split(void **state)
{
    struct slw_model *m = load();
    struct fixture f = fixture_new();

    (void)state;
    add(&f, "ls_not_halted_cyc", SLW_MODE_USER, -1, 1000);
    assert_int_equal(report(&f, m)->scopes->mode_count, 0);
    fixture_free(&f);
    slw_model_free(m);
}

/* ---- intervals ---- */

static void intervals_have_values_of_their_own(void **state)
{
    struct slw_model *m = load();
    struct fixture f = fixture_new();
    uint64_t times[3] = {500, 250, 0}, cycles[3] = {1000, 1000, 0},
             instructions[3] = {500, 2000, 0};
    const int clock = add(&f, "task-clock", SLW_MODE_ALL, -1, 750);
    const int cyc = add(&f, "ls_not_halted_cyc", SLW_MODE_ALL, -1, 2000);
    const int ins = add(&f, "ex_ret_instr", SLW_MODE_ALL, -1, 2500);

    (void)state;
    for (uint64_t i = 0; i < 3; i++) {
        const struct slw_time_slice v = {i * 1000, i < 2 ? 1000 : 100};
        assert_int_equal(slw_run_add_interval(f.run, &v, NULL), 0);
    }
    const struct slw_time_series s[] = {{clock, times, times, times, 3},
                                        {cyc, cycles, times, times, 3},
                                        {ins, instructions, times, times, 3}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(slw_run_add_series(f.run, &s[i], NULL), 0);
    const struct slw_scopes *scopes = report(&f, m)->scopes;
    assert_int_equal(scopes->interval_count, 3);
    assert_near(scopes->intervals[0].ipc.value, 0.5, 1e-12);
    assert_near(scopes->intervals[1].ipc.value, 2, 1e-12);
    assert_near(scopes->intervals[0].share.value, 0.5, 1e-12); /* CPUs busy */
    assert_non_null(scopes->intervals[2].ipc.absent);
    assert_prints(f.report, "term", "0.50 .. 2.00");
    assert_prints(f.report, "md", "| `0 ns + 1.00 us` |");
    assert_prints(f.report, "json", "\"length_ns\": 100");
    fixture_free(&f);
    slw_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_thread_has_numbers_of_its_own),
        cmocka_unit_test(what_the_threads_leave_is_unaccounted),
        cmocka_unit_test(more_than_the_whole_is_called_wrong),
        cmocka_unit_test(small_threads_are_one_row),
        cmocka_unit_test(modes_are_never_mixed),
        cmocka_unit_test(one_mode_alone_is_no_split),
        cmocka_unit_test(intervals_have_values_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
