/* SPDX-License-Identifier: MIT */
/* A database in memory that fails as real ones do, from a seed: for the tests of the coalescer. It
 * holds its callers to the contract of workloads/driver.h. */
#ifndef SLW_TESTS_COALESCE_FAKE_INT_H
#define SLW_TESTS_COALESCE_FAKE_INT_H

#include "tests/unit/cmocka_int.h"
#include "workloads/driver.h"
#include "workloads/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_IDS 4096u

/* What is stored: whose row it is, and which version of it. */
struct fake_payload {
    uint64_t id, version;
};
#define FAKE_BAD_VERSION (UINT64_C(1) << 63) /* this bit: a value the database rejects */

struct fake_row {
    bool stored;
    struct fake_payload payload;
    uint64_t row;
    unsigned inserts; /* how often it was stored: more than once is a row too many */
};

/* One in so many calls; 0: never. */
struct fake_rates {
    unsigned transient, lost_before, lost_after;
};

struct fake {
    struct slw_random random;
    struct fake_rates rates;
    struct fake_row rows[FAKE_IDS];
    uint64_t next_row, calls, opens;
    size_t largest;
    bool gone; /* nobody answers any more */
};

struct fake_connection {
    struct fake *fake;
    bool broken;
    struct fake_payload payloads[FAKE_IDS]; /* of the last call */
};

static bool fake_happens(struct fake *f, unsigned one_in)
{
    return one_in > 0 && slw_random_below(&f->random, one_in) == 0;
}

static int fake_open(const char *where, const char *table, const struct slw_choices *choices,
                     void **ret_connection, struct slw_error *err)
{
    struct fake *f = (struct fake *)(uintptr_t)where;

    (void)table;
    (void)choices;
    f->opens++;
    if (f->gone)
        return slw_fail(err, SLW_E_GONE, "nobody answers");
    struct fake_connection *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    c->fake = f;
    *ret_connection = c;
    return 0;
}

static void fake_close(void *connection)
{
    free(connection);
}

static bool fake_is_bad(const struct slw_request *r)
{
    struct fake_payload p;

    memcpy(&p, r->payload, sizeof(p));
    return (p.version & FAKE_BAD_VERSION) != 0;
}

static enum slw_outcome fake_outcome(const struct fake *f, const struct slw_request *r)
{
    const struct fake_row *row = &f->rows[r->id];

    if (r->op == SLW_OP_READ)
        return row->stored ? SLW_OUTCOME_DONE : SLW_OUTCOME_NOTHING;
    if (r->op == SLW_OP_INSERT && row->stored)
        return r->again ? SLW_OUTCOME_DONE : SLW_OUTCOME_REJECTED;
    return fake_is_bad(r) ? SLW_OUTCOME_REJECTED : SLW_OUTCOME_DONE;
}

static void fake_apply(struct fake_connection *c, const struct slw_request *r, size_t index,
                       struct slw_answer *a)
{
    struct fake_row *row = &c->fake->rows[r->id];

    *a = (struct slw_answer){.outcome = fake_outcome(c->fake, r)};
    if (a->outcome != SLW_OUTCOME_DONE)
        return;
    if (r->op == SLW_OP_READ) {
        c->payloads[index] = row->payload;
        a->payload = &c->payloads[index];
        a->length = sizeof(row->payload);
        return;
    }
    if (r->op == SLW_OP_INSERT && !row->stored) {
        row->stored = true;
        row->inserts++;
        row->row = ++c->fake->next_row;
        memcpy(&row->payload, r->payload, sizeof(row->payload));
    } else if (r->op == SLW_OP_UPDATE && row->stored) {
        memcpy(&row->payload, r->payload, sizeof(row->payload));
    }
    a->affected = row->stored;
    a->row = r->op == SLW_OP_INSERT ? row->row : 0;
}

static void fake_say(struct slw_answer *answers, size_t count, enum slw_outcome outcome)
{
    for (size_t i = 0; i < count; i++)
        answers[i] = (struct slw_answer){.outcome = outcome, .why = "said the fake"};
}

static void fake_check(const struct slw_request *requests, size_t count)
{
    assert_true(count > 0 && count <= FAKE_IDS);
    for (size_t i = 0; i < count; i++) {
        assert_true(requests[i].id > 0 && requests[i].id < FAKE_IDS);
        assert_int_equal(requests[i].op, requests[0].op);
        assert_true(requests[i].op == SLW_OP_READ ||
                    requests[i].length == sizeof(struct fake_payload));
        assert_true(i == 0 || requests[i].id > requests[i - 1].id);
    }
}

static int fake_atomic(struct fake_connection *c, const struct slw_request *requests, size_t count,
                       struct slw_answer *answers)
{
    struct fake *f = c->fake;
    bool bad = false;

    if (fake_happens(f, f->rates.transient)) {
        fake_say(answers, count, SLW_OUTCOME_TRANSIENT);
        return 0;
    }
    c->broken = fake_happens(f, f->rates.lost_before);
    for (size_t i = 0; i < count; i++)
        bad |= fake_outcome(f, &requests[i]) == SLW_OUTCOME_REJECTED;
    if (bad)
        fake_say(answers, count, SLW_OUTCOME_REJECTED);
    for (size_t i = 0; i < count && !bad && !c->broken; i++)
        fake_apply(c, &requests[i], i, &answers[i]);
    c->broken |= fake_happens(f, f->rates.lost_after);
    if (c->broken)
        fake_say(answers, count, SLW_OUTCOME_LOST);
    return c->broken ? -SLW_E_GONE : 0;
}

/* Where the connection breaks, those before are answered, some after it are done all the same. */
static int fake_one_by_one(struct fake_connection *c, const struct slw_request *requests,
                           size_t count, struct slw_answer *answers)
{
    struct fake *f = c->fake;

    for (size_t i = 0; i < count; i++) {
        if (!c->broken && fake_happens(f, f->rates.transient)) {
            fake_say(&answers[i], 1, SLW_OUTCOME_TRANSIENT);
            continue;
        }
        const bool before = fake_happens(f, f->rates.lost_before);
        if (!before)
            fake_apply(c, &requests[i], i, &answers[i]);
        c->broken |= before || fake_happens(f, f->rates.lost_after);
        if (c->broken)
            fake_say(&answers[i], 1, SLW_OUTCOME_LOST);
    }
    return c->broken ? -SLW_E_GONE : 0;
}

static int fake_run(void *connection, enum slw_batching how, const struct slw_request *requests,
                    size_t count, struct slw_answer *answers, struct slw_error *err)
{
    struct fake_connection *c = connection;

    assert_false(c->broken);
    fake_check(requests, count);
    memset(c->payloads, 0xee, count * sizeof(c->payloads[0])); /* answers of before are gone */
    c->fake->calls++;
    if (count > c->fake->largest)
        c->fake->largest = count;
    const int rc = how == SLW_BATCHING_STATEMENT || how == SLW_BATCHING_TRANSACTION
                       ? fake_atomic(c, requests, count, answers)
                       : fake_one_by_one(c, requests, count, answers);

    return rc < 0 ? slw_fail(err, SLW_E_GONE, "the connection broke") : 0;
}

static const struct slw_driver fake_driver = {
    .name = "fake", .batchings = 15, .open = fake_open, .close = fake_close, .run = fake_run};

#endif
