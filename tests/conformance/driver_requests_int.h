/* SPDX-License-Identifier: MIT */
/* Requests to one driver and what is expected of the answers: of test_drivers.c. */
#ifndef SLW_TESTS_DRIVER_REQUESTS_INT_H
#define SLW_TESTS_DRIVER_REQUESTS_INT_H

#include "tests/unit/cmocka_int.h"
#include "workloads/driver.h"
#include "workloads/load.h"

#include <string.h>

#define MANY 2000

static const struct slw_driver *d;
static void *c; /* the connection */
static struct slw_request requests[MANY];
static struct slw_answer answers[MANY];
static char payloads[MANY][64];

static bool can(enum slw_batching how)
{
    return (d->batchings & 1U << how) != 0;
}

static void need(enum slw_batching how)
{
    if (!can(how))
        skip();
}

/* A driver that does not look what is there has nothing to refuse. */
static void need_refusals(enum slw_batching how)
{
    if (!can(how) || d->upserts)
        skip();
}

static void check_rc(int rc, const struct slw_error *err)
{
    if (rc < 0)
        fail_msg("%s: %s", slw_code_name(err->code), err->text);
}

/* ---- making requests ---- */

static void fill(size_t count, enum slw_op op, uint64_t first, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        slw_payload_fill(seed, first + i, payloads[i], sizeof(payloads[i]));
        requests[i] = (struct slw_request){.op = op,
                                           .id = first + i,
                                           .payload = op == SLW_OP_READ ? NULL : payloads[i],
                                           .length = op == SLW_OP_READ ? 0 : sizeof(payloads[i])};
    }
}

static void run(enum slw_batching how, size_t count)
{
    struct slw_error err = {0};

    memset(answers, 0xa5, count * sizeof(answers[0])); /* every answer has to be filled in */
    check_rc(d->run(c, how, requests, count, answers, &err), &err);
}

static void expect(size_t i, enum slw_outcome outcome, uint64_t affected)
{
    const struct slw_answer *a = &answers[i];

    if (a->outcome != outcome)
        fail_msg("request %zu: outcome %d, expected %d: %.119s", i, (int)a->outcome, (int)outcome,
                 a->why);
    if (outcome != SLW_OUTCOME_DONE && outcome != SLW_OUTCOME_NOTHING) {
        assert_true(a->why[0] != '\0');
        assert_non_null(memchr(a->why, '\0', sizeof(a->why)));
    }
    if (outcome == SLW_OUTCOME_DONE && requests[i].op != SLW_OP_READ)
        assert_int_equal(a->affected, affected);
}

static void expect_all(size_t count, enum slw_outcome outcome, uint64_t affected)
{
    for (size_t i = 0; i < count; i++)
        expect(i, outcome, affected);
}

static void expect_rows_differ(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!d->generates_rows)
            assert_int_equal(answers[i].row, 0);
        else
            assert_true(answers[i].row > (i ? answers[i - 1].row : 0));
    }
}

static void insert(enum slw_batching how, size_t count, uint64_t first, uint64_t seed)
{
    fill(count, SLW_OP_INSERT, first, seed);
    run(how, count);
    expect_all(count, SLW_OUTCOME_DONE, 1);
}

static void expect_stored(enum slw_batching how, size_t count, uint64_t first, uint64_t seed)
{
    fill(count, SLW_OP_READ, first, 0);
    run(how, count);
    expect_all(count, SLW_OUTCOME_DONE, 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(answers[i].length, sizeof(payloads[i]));
        assert_true(slw_payload_is(seed, first + i, answers[i].payload, answers[i].length));
    }
}

/* ---- visiting ---- */

struct seen {
    uint64_t ids[MANY + 1];
    size_t count, most;
};

static int see(void *ctx, uint64_t id)
{
    struct seen *s = ctx;

    assert_true(s->count <= MANY);
    s->ids[s->count++] = id;
    return s->count == s->most ? 7 : 0;
}

static size_t stored(void)
{
    static struct seen s;
    struct slw_error err = {0};

    s.count = s.most = 0;
    check_rc(d->visit(c, see, &s, &err), &err);
    for (size_t i = 1; i < s.count; i++)
        assert_true(s.ids[i] > s.ids[i - 1]);
    return s.count;
}

#endif
