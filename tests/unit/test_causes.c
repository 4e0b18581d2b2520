/* SPDX-License-Identifier: MIT */
/* Why a metric changed: only what its own interval shows, and in the same direction. */
#include "tests/compare_asserts.h"

#include <stdio.h>

#define ROUNDS 20

static const struct slw_cause *find_cause(const struct slw_comparison *c, const char *id)
{
    for (size_t i = 0; i < c->cause_count; i++)
        if (strcmp(c->causes[i].id, id) == 0)
            return &c->causes[i];
    return NULL;
}

static const struct slw_cause *cause_of(const struct slw_comparison *c, const char *id)
{
    const struct slw_cause *cause = find_cause(c, id);

    if (!cause)
        fail_msg("no cause '%s'", id);
    return cause;
}

static void batching_comes_first_with_what_it_saves(void **state)
{
    (void)state;
    struct versus v = versus_batching(ROUNDS);
    const struct slw_comparison *c = versus_compare(&v);

    assert_string_equal(c->causes[0].id, "batching");
    assert_string_equal(c->causes[0].text,
                        "B sends 16.0 requests per flush instead of 1.00, which makes 93.8 % fewer "
                        "system calls per request");
    assert_true(isnan(c->causes[0].share));
    assert_null(find_cause(c, "system-calls")); /* an effect of it, told with it */
    assert_non_null(strstr(c->verdict, "because B sends 16.0 requests per flush"));
    assert_non_null(find_note(c, "latency-price"));
    versus_free(&v);
}

static void shares_of_kernel_and_user_time_are_arithmetic(void **state)
{
    (void)state;
    struct versus v = versus_batching(ROUNDS);
    const struct slw_comparison *c = versus_compare(&v);

    assert_true(fabs(cause_of(c, "kernel-time")->share - 7000.0 / 8200) < .01);
    assert_true(fabs(cause_of(c, "user-time")->share - 1200.0 / 8200) < .01);
    versus_free(&v);
}

static void what_did_not_change_is_no_cause(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);

    versus_both(&v, "cpu_per_request", 1000, 800, ROUNDS);
    versus_both(&v, "requests_per_flush", 1, 1, ROUNDS);
    versus_both(&v, "syscalls_per_request", 2, 2, ROUNDS);
    const struct slw_comparison *c = versus_compare(&v);
    assert_int_equal(c->cause_count, 0);
    assert_null(strstr(c->verdict, "because"));
    assert_non_null(find_note(c, "no-batching"));
    versus_free(&v);
}

/* Dearer although it batches: batching is not the reason. */
static void what_went_the_other_way_is_no_cause(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);

    versus_both(&v, "cpu_per_request", 1000, 1300, ROUNDS);
    versus_both(&v, "requests_per_flush", 1, 16, ROUNDS);
    versus_both(&v, "instructions_per_request", 10000, 14000, ROUNDS);
    const struct slw_comparison *c = versus_compare(&v);
    assert_null(find_cause(c, "batching"));
    assert_string_equal(cause_of(c, "instructions")->text,
                        "B runs 14,014 instructions per request instead of 10,010");
    versus_free(&v);
}

static void no_change_has_no_cause(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);

    versus_both(&v, "cpu_per_request", 1000, 1000, ROUNDS);
    versus_both(&v, "requests_per_flush", 1, 16, ROUNDS);
    assert_int_equal(versus_compare(&v)->cause_count, 0);
    versus_free(&v);
}

static void cycles_split_into_instructions_and_ipc(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);

    versus_both(&v, "cpu_per_request", 1000, 500, ROUNDS);
    versus_both(&v, "instructions_per_request", 10000, 7071.07, ROUNDS);
    versus_both(&v, "ipc", 1, 1.41421, ROUNDS);
    versus_both(&v, "slots", 40000, 20000, ROUNDS);
    versus_both(&v, "slots.frontend_bound", 20000, 6000, ROUNDS);
    versus_both(&v, "slots.retiring", 10000, 7071, ROUNDS);
    versus_both(&v, "icache_misses_per_request", 30, 8, ROUNDS);
    const struct slw_comparison *c = versus_compare(&v);
    assert_true(fabs(cause_of(c, "instructions")->share - .5) < .01);
    assert_true(fabs(cause_of(c, "ipc")->share - .5) < .01);
    assert_true(fabs(cause_of(c, "slots")->share - .7) < .01);
    assert_non_null(find_cause(c, "icache-misses"));
    versus_free(&v);
}

static void stages_tell_their_share(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);

    versus_both(&v, "cpu_per_request", 1000, 800, ROUNDS);
    versus_both(&v, "stage.decode.cpu_per_request", 400, 250, ROUNDS);
    versus_both(&v, "stage.send.cpu_per_request", 100, 100, ROUNDS);
    const struct slw_comparison *c = versus_compare(&v);
    assert_true(fabs(cause_of(c, "stage")->share - .75) < .02);
    assert_int_equal(c->cause_count, 1);
    versus_free(&v);
}

static void throughput_is_told_by_waits(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);

    versus_gates(&v, "requests_per_second<-3%");
    versus_both(&v, "requests_per_second", 10000, 20000, ROUNDS);
    versus_both(&v, "thread_time_per_request", 100000, 50000, ROUNDS);
    versus_both(&v, "wait.answer", 80000, 35000, ROUNDS);
    versus_both(&v, "wait.lock", 1000, 1000, ROUNDS);
    versus_both(&v, "ipc", 1, 2, ROUNDS); /* explains CPU time, not waiting */
    const struct slw_comparison *c = versus_compare(&v);
    assert_true(fabs(cause_of(c, "wait")->share - .9) < .01);
    assert_int_equal(c->cause_count, 1);
    versus_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batching_comes_first_with_what_it_saves),
        cmocka_unit_test(shares_of_kernel_and_user_time_are_arithmetic),
        cmocka_unit_test(what_did_not_change_is_no_cause),
        cmocka_unit_test(what_went_the_other_way_is_no_cause),
        cmocka_unit_test(no_change_has_no_cause),
        cmocka_unit_test(cycles_split_into_instructions_and_ipc),
        cmocka_unit_test(stages_tell_their_share),
        cmocka_unit_test(throughput_is_told_by_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
