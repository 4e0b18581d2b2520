/* SPDX-License-Identifier: MIT */
#include "workloads/answer.h"

#include "tests/unit/cmocka_int.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void foreign_text_is_cut_and_cleaned(void **state)
{
    struct slw_answer a;
    char text[300];

    (void)state;
    slw_answer_failed(&a, SLW_OUTCOME_REJECTED, "bad\tvalue\x1b[1m \n", 15);
    assert_int_equal(a.outcome, SLW_OUTCOME_REJECTED);
    assert_string_equal(a.why, "bad value [1m");
    memset(text, 'x', sizeof(text));
    slw_answer_failed(&a, SLW_OUTCOME_LOST, text, sizeof(text));
    assert_int_equal(strlen(a.why), sizeof(a.why) - 1);
    slw_answer_failed(&a, SLW_OUTCOME_LOST, "", 0);
    assert_string_equal(a.why, "");
}

static void one_answer_is_that_of_all(void **state)
{
    struct slw_answer answers[3];

    (void)state;
    slw_answer_failed(&answers[1], SLW_OUTCOME_TRANSIENT, "busy", 4);
    slw_answers_same(answers, 3, &answers[1]);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(answers[i].outcome, SLW_OUTCOME_TRANSIENT);
        assert_string_equal(answers[i].why, "busy");
    }
}

static void ids_are_found_in_any_order(void **state)
{
    static const uint64_t given[] = {50, 7, 1ULL << 62, 9, 8};
    static const size_t asked[] = {0, 1, 2, 3, 4, 4, 2, 0, 3, 1};
    struct slw_request requests[5] = {0};
    struct slw_ids ids;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        requests[i].id = given[i];
    assert_int_equal(slw_ids_init(&ids, requests, 5), 0);
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
        assert_int_equal(slw_ids_find(&ids, requests, given[asked[i]]), asked[i]);
    assert_true(slw_ids_find(&ids, requests, 10) == SIZE_MAX);
    assert_int_equal(slw_ids_find(&ids, requests, 8), 4);
    assert_true(slw_ids_find(&ids, requests, 0) == SIZE_MAX);
    slw_ids_release(&ids);
}

static void what_is_kept_is_dropped_once(void **state)
{
    struct slw_keep k = {0};

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 200; i++)
            assert_int_equal(slw_keep_put(&k, malloc(1)), 0);
        assert_int_equal(k.count, 200);
        slw_keep_drop(&k, free);
    }
    slw_keep_release(&k);
}

static void waiting_ends(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(slw_wait_for(ends[0], POLLIN, 0), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(slw_wait_for(ends[0], POLLIN, 60000), POLLIN);
    assert_int_equal(slw_wait_left(0, 1000), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* ---- the flow, over a connection that is a queue ---- */

struct queue {
    uint64_t tokens[100];
    size_t count, flushed, most;
    size_t breaks_after; /* answers; 0: never */
    size_t answered, flushes;
    bool gone;
};

static int queue_submit(void *connection, const struct slw_request *r, uint64_t token,
                        struct slw_error *err)
{
    struct queue *q = connection;

    (void)r;
    if (q->gone)
        return slw_fail(err, SLW_E_GONE, "gone");
    assert_true(q->count < 100);
    q->tokens[q->count++] = token;
    if (q->count > q->most)
        q->most = q->count;
    return 0;
}

static int queue_flush(void *connection, struct slw_error *err)
{
    struct queue *q = connection;

    (void)err;
    q->flushed = q->count;
    q->flushes++;
    return 0;
}

static int queue_poll(void *connection, int timeout_ms, struct slw_completion *c, size_t count,
                      struct slw_error *err)
{
    struct queue *q = connection;

    (void)timeout_ms;
    (void)count;
    if (q->gone)
        return slw_fail(err, SLW_E_GONE, "gone");
    if (q->flushed == 0)
        return 0; /* silence */
    c->token = q->tokens[0];
    slw_answer_done(&c->answer, 1, q->tokens[0] + 1000);
    memmove(q->tokens, q->tokens + 1, sizeof(q->tokens) - sizeof(q->tokens[0]));
    q->count--;
    q->flushed--;
    q->gone = ++q->answered == q->breaks_after;
    return 1;
}

static int queue_give_up(void *connection, const char *why, struct slw_error *err)
{
    struct queue *q = connection;

    q->gone = true;
    return slw_fail(err, SLW_E_GONE, "%s", why);
}

static int flow(struct queue *q, size_t window, struct slw_answer *answers, size_t count)
{
    static const struct slw_request requests[64];
    const struct slw_flow f = {window, queue_submit, queue_flush, queue_poll, queue_give_up};
    struct slw_error err = {0};

    memset(answers, 0xff, count * sizeof(*answers));
    return slw_flow_run(&f, q, requests, count, answers, &err);
}

static void a_window_of_one_is_one_by_one(void **state)
{
    struct queue q = {0};
    struct slw_answer answers[64];

    (void)state;
    assert_int_equal(flow(&q, 1, answers, 64), 0);
    assert_int_equal(q.most, 1);
    assert_int_equal(q.flushes, 64);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(answers[i].row, 1000 + i);
}

static void a_window_is_written_together(void **state)
{
    struct queue q = {0};
    struct slw_answer answers[64];

    (void)state;
    assert_int_equal(flow(&q, 16, answers, 64), 0);
    assert_int_equal(q.most, 16);
    assert_int_equal(q.flushes, 7); /* 16, then 8 each time half of them are answered */
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(answers[i].row, 1000 + i);
}

static void what_was_not_answered_is_lost(void **state)
{
    struct queue q = {.breaks_after = 20};
    struct slw_answer answers[64];

    (void)state;
    assert_int_equal(flow(&q, 16, answers, 64), -SLW_E_GONE);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(answers[i].outcome, i < 20 ? SLW_OUTCOME_DONE : SLW_OUTCOME_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_text_is_cut_and_cleaned),
        cmocka_unit_test(one_answer_is_that_of_all),
        cmocka_unit_test(ids_are_found_in_any_order),
        cmocka_unit_test(what_is_kept_is_dropped_once),
        cmocka_unit_test(waiting_ends),
        cmocka_unit_test(a_window_of_one_is_one_by_one),
        cmocka_unit_test(a_window_is_written_together),
        cmocka_unit_test(what_was_not_answered_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
