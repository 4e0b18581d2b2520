/* SPDX-License-Identifier: MIT */
/* Execution stages: when they run, in which order, and what they count. */
#include "workloads/execution.h"

#include "tests/unit/cmocka_int.h"

#include <string.h>

#define MAX_STEPS 4096

/* What the stages did, in order: stage, call; and the runs. */
struct log {
    struct step {
        size_t stage;
        int call;
    } steps[MAX_STEPS];
    size_t step_count;
    size_t runs[MAX_STEPS];
    size_t run_count;
};

struct stage {
    struct log *log;
    size_t index;
};

struct clock {
    uint64_t now_ns, asked;
};

struct fixture {
    struct log log;
    struct stage stages[SLW_MAX_EXECUTION_STAGES];
    struct clock clock;
    struct slw_execution execution;
    int calls[1024];
};

static uint64_t ask(void *ctx)
{
    struct clock *c = ctx;

    c->asked++;
    return c->now_ns;
}

static void note(void *ctx, void *const *calls, size_t count)
{
    const struct stage *s = ctx;

    s->log->runs[s->log->run_count++] = count;
    for (size_t i = 0; i < count; i++)
        s->log->steps[s->log->step_count++] = (struct step){s->index, *(const int *)calls[i]};
}

static void init(struct fixture *f, const size_t *limits, size_t count, uint64_t quota_ns)
{
    struct slw_execution_kind kinds[SLW_MAX_EXECUTION_STAGES];
    struct slw_error err = {0};

    memset(f, 0, sizeof(*f));
    for (size_t i = 0; i < count; i++) {
        f->stages[i] = (struct stage){&f->log, i};
        kinds[i] = (struct slw_execution_kind){"stage", note, &f->stages[i], limits[i]};
    }
    for (int i = 0; i < 1024; i++)
        f->calls[i] = i;
    assert_int_equal(
        slw_execution_init(&f->execution, kinds, count, quota_ns, ask, &f->clock, &err), 0);
}

static void call(struct fixture *f, int from, int to)
{
    for (int i = from; i < to; i++)
        slw_execution_call(&f->execution, &f->calls[i]);
}

static void expect_steps(const struct fixture *f, const struct step *steps, size_t count)
{
    assert_int_equal(f->log.step_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(f->log.steps[i].stage, steps[i].stage);
        assert_int_equal(f->log.steps[i].call, steps[i].call);
    }
}

static void with_a_limit_of_one_a_call_goes_through_all_stages_at_once(void **state)
{
    struct fixture f;

    (void)state;
    init(&f, (size_t[]){1, 1, 1}, 3, 1000);
    call(&f, 0, 2);
    expect_steps(&f, (struct step[]){{0, 0}, {1, 0}, {2, 0}, {0, 1}, {1, 1}, {2, 1}}, 6);
    assert_int_equal(f.clock.asked, 0);
    assert_int_equal(slw_execution_poll(&f.execution), 0);
    slw_execution_release(&f.execution);
}

static void full_stages_run_one_after_the_other_in_the_order_of_calls(void **state)
{
    struct fixture f;

    (void)state;
    init(&f, (size_t[]){2, 2}, 2, 0);
    call(&f, 0, 1);
    assert_int_equal(f.log.step_count, 0);
    call(&f, 1, 2);
    expect_steps(&f, (struct step[]){{0, 0}, {0, 1}, {1, 0}, {1, 1}}, 4);
    assert_int_equal(f.execution.queued, 0);
    assert_int_equal(f.execution.stages[0].reasons[SLW_EXECUTION_FULL], 1);
    assert_int_equal(f.execution.stages[1].reasons[SLW_EXECUTION_FULL], 1);
    slw_execution_release(&f.execution);
}

static void stages_may_have_different_limits(void **state)
{
    struct fixture f;

    (void)state;
    init(&f, (size_t[]){4, 3, 1}, 3, 0);
    call(&f, 0, 4);
    /* the second stage is full with three of the four results, the fourth waits */
    expect_steps(
        &f,
        (struct step[]){
            {0, 0}, {0, 1}, {0, 2}, {0, 3}, {1, 0}, {1, 1}, {1, 2}, {2, 0}, {2, 1}, {2, 2}},
        10);
    assert_int_equal(f.execution.queued, 1);
    slw_execution_release(&f.execution);
}

static void a_poll_runs_what_is_queued_and_all_that_follows(void **state)
{
    struct fixture f;

    (void)state;
    init(&f, (size_t[]){8, 1, 8}, 3, 0);
    call(&f, 0, 2);
    assert_int_equal(slw_execution_poll(&f.execution), 2);
    expect_steps(&f, (struct step[]){{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 0}, {2, 1}}, 6);
    assert_int_equal(f.execution.stages[0].reasons[SLW_EXECUTION_POLL], 1);
    assert_int_equal(f.execution.stages[1].reasons[SLW_EXECUTION_POLL], 0);
    assert_int_equal(slw_execution_poll(&f.execution), 0);
    slw_execution_release(&f.execution);
}

static void stages_run_when_the_quota_is_over_and_not_before(void **state)
{
    struct fixture f;

    (void)state;
    init(&f, (size_t[]){100, 100}, 2, 500);
    f.clock.now_ns = 1000;
    call(&f, 0, 1);
    f.clock.now_ns = 1499;
    call(&f, 1, 2);
    assert_int_equal(f.log.step_count, 0);
    f.clock.now_ns = 1500;
    call(&f, 2, 3);
    expect_steps(&f, (struct step[]){{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}}, 6);
    assert_int_equal(f.execution.stages[0].reasons[SLW_EXECUTION_QUOTA], 1);
    assert_int_equal(f.execution.stages[1].reasons[SLW_EXECUTION_QUOTA], 1);
    slw_execution_release(&f.execution);
}

static void the_quota_begins_anew_when_calls_begin_to_wait(void **state)
{
    struct fixture f;

    (void)state;
    init(&f, (size_t[]){100}, 1, 500);
    call(&f, 0, 1);
    (void)slw_execution_poll(&f.execution);
    f.clock.now_ns = 10000;
    call(&f, 1, 2);
    f.clock.now_ns = 10499;
    call(&f, 2, 3);
    assert_int_equal(f.execution.queued, 2);
    slw_execution_release(&f.execution);
}

static void without_a_quota_nobody_asks_what_time_it_is(void **state)
{
    struct fixture f;

    (void)state;
    init(&f, (size_t[]){100}, 1, 0);
    call(&f, 0, 99);
    assert_int_equal(f.execution.queued, 99);
    assert_int_equal(f.clock.asked, 0);
    slw_execution_release(&f.execution);
}

static void batches_are_counted_exactly(void **state)
{
    struct fixture f;

    (void)state;
    init(&f, (size_t[]){5, 1}, 2, 0);
    call(&f, 0, 13);
    (void)slw_execution_poll(&f.execution);
    const struct slw_execution_count queued = slw_execution_counted(&f.execution.stages[0]);
    const struct slw_execution_count single = slw_execution_counted(&f.execution.stages[1]);
    assert_int_equal(queued.calls, 13);
    assert_int_equal(queued.runs, 3); /* 5, 5, 3 */
    assert_int_equal(queued.largest, 5);
    assert_int_equal(f.execution.stages[0].sizes[5], 2);
    assert_int_equal(f.execution.stages[0].sizes[3], 1);
    assert_int_equal(single.calls, 13);
    assert_int_equal(single.runs, 13);
    assert_int_equal(single.largest, 1);
    slw_execution_release(&f.execution);
}

static void a_reset_forgets_counts_and_keeps_calls(void **state)
{
    struct fixture f;

    (void)state;
    init(&f, (size_t[]){2}, 1, 0);
    call(&f, 0, 3);
    slw_execution_reset(&f.execution);
    assert_int_equal(slw_execution_counted(&f.execution.stages[0]).runs, 0);
    assert_int_equal(f.execution.stages[0].reasons[SLW_EXECUTION_FULL], 0);
    assert_int_equal(slw_execution_poll(&f.execution), 1);
    assert_int_equal(f.log.steps[2].call, 2);
    assert_int_equal(slw_execution_counted(&f.execution.stages[0]).calls, 1);
    slw_execution_release(&f.execution);
}

static void absurd_shapes_are_refused(void **state)
{
    struct slw_execution_kind kinds[SLW_MAX_EXECUTION_STAGES + 1];
    struct slw_execution e;

    (void)state;
    for (size_t i = 0; i <= SLW_MAX_EXECUTION_STAGES; i++)
        kinds[i] = (struct slw_execution_kind){"stage", note, NULL, 2};
    struct slw_error err = {0};
    assert_int_equal(slw_execution_init(&e, kinds, 0, 0, NULL, NULL, &err), -SLW_E_INVAL);
    assert_int_equal(
        slw_execution_init(&e, kinds, SLW_MAX_EXECUTION_STAGES + 1, 0, NULL, NULL, NULL),
        -SLW_E_INVAL);
    kinds[1].limit = 0;
    err = (struct slw_error){0};
    assert_int_equal(slw_execution_init(&e, kinds, 2, 0, NULL, NULL, &err), -SLW_E_INVAL);
    assert_non_null(strstr(err.text, "stage"));
    kinds[1].limit = SLW_MAX_EXECUTION_LIMIT + 1;
    assert_int_equal(slw_execution_init(&e, kinds, 2, 0, NULL, NULL, NULL), -SLW_E_INVAL);
    slw_execution_release(&e); /* what init left is empty */
    slw_execution_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_limit_of_one_a_call_goes_through_all_stages_at_once),
        cmocka_unit_test(full_stages_run_one_after_the_other_in_the_order_of_calls),
        cmocka_unit_test(stages_may_have_different_limits),
        cmocka_unit_test(a_poll_runs_what_is_queued_and_all_that_follows),
        cmocka_unit_test(stages_run_when_the_quota_is_over_and_not_before),
        cmocka_unit_test(the_quota_begins_anew_when_calls_begin_to_wait),
        cmocka_unit_test(without_a_quota_nobody_asks_what_time_it_is),
        cmocka_unit_test(batches_are_counted_exactly),
        cmocka_unit_test(a_reset_forgets_counts_and_keeps_calls),
        cmocka_unit_test(absurd_shapes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
