/* SPDX-License-Identifier: MIT */
/* Random calls to one driver against a model that is an array: of test_drivers.c. The requests of a
 * call have ids that differ, and one op, as STATEMENT and TRANSACTION want it. */
#ifndef SLW_TESTS_DRIVER_MODEL_INT_H
#define SLW_TESTS_DRIVER_MODEL_INT_H

#include "tests/conformance/driver_requests_int.h"

#include <stdlib.h>

#define MODEL_IDS   40
#define MODEL_CALLS 150

struct model {
    uint64_t row[MODEL_IDS];  /* that INSERT told */
    uint64_t seed[MODEL_IDS]; /* of the payload; 0: no such row */
};

static bool model_is_taken(const struct model *m, const struct slw_request *r)
{
    return r->op == SLW_OP_INSERT && !d->upserts && !r->again && m->seed[r->id - 1] != 0;
}

/* A call: `count` different ids in any order. */
static size_t model_call(struct slw_random *random, uint64_t seed)
{
    const enum slw_op op = (enum slw_op)slw_random_below(random, SLW_OP_COUNT);
    const size_t count = 1 + (size_t)slw_random_below(random, 12);
    uint64_t ids[MODEL_IDS];

    fill(count, op, 1, seed);
    for (size_t i = 0; i < MODEL_IDS; i++)
        ids[i] = i + 1;
    for (size_t i = 0; i < count; i++) {
        const size_t other = i + (size_t)slw_random_below(random, MODEL_IDS - i);
        const uint64_t id = ids[other];

        ids[other] = ids[i];
        ids[i] = id;
        requests[i].id = id;
        requests[i].again = op == SLW_OP_INSERT && slw_random_below(random, 4) == 0;
        slw_payload_fill(seed, id, payloads[i], sizeof(payloads[i]));
    }
    return count;
}

static void model_expect(struct model *m, size_t i, uint64_t seed)
{
    const struct slw_request *r = &requests[i];
    const size_t at = r->id - 1;
    const bool there = m->seed[at] != 0;

    if (r->op == SLW_OP_READ) {
        expect(i, there ? SLW_OUTCOME_DONE : SLW_OUTCOME_NOTHING, 0);
        if (there)
            assert_true(slw_payload_is(m->seed[at], r->id, answers[i].payload, answers[i].length));
        return;
    }
    expect(i, SLW_OUTCOME_DONE, d->upserts || r->op == SLW_OP_INSERT || there);
    if (r->op == SLW_OP_INSERT && there)
        assert_int_equal(answers[i].row, m->row[at]);
    if (r->op == SLW_OP_INSERT && !there)
        m->row[at] = answers[i].row;
    if (d->upserts || (r->op == SLW_OP_INSERT) != there)
        m->seed[at] = seed;
}

static void model_run(enum slw_batching how, uint64_t seed)
{
    const bool alone = how == SLW_BATCHING_NONE || how == SLW_BATCHING_PIPELINE;
    struct slw_random random = {seed};
    struct model m = {0};
    size_t there = 0;

    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint64_t call = 1; call <= MODEL_CALLS; call++) {
        const size_t count = model_call(&random, call);
        bool taken = false;

        for (size_t i = 0; i < count; i++)
            taken = taken || model_is_taken(&m, &requests[i]);
        run(how, count);
        for (size_t i = 0; i < count; i++) {
            if (alone ? model_is_taken(&m, &requests[i]) : taken)
                expect(i, SLW_OUTCOME_REJECTED, 0);
            else
                model_expect(&m, i, call);
        }
    }
    for (size_t i = 0; i < MODEL_IDS; i++)
        there += m.seed[i] != 0;
    assert_int_equal(stored(), there);
}

#endif
