/* SPDX-License-Identifier: MIT */
/* Whatever is queued, the plan keeps the rules its header states. */
#include "tests/unit/cmocka_int.h"
#include "workloads/coalesce/plan.h"
#include "workloads/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS   6000u
#define MOST     200u
#define MAX_KEYS 64u

struct round {
    struct slw_request requests[MOST];
    const struct slw_request *pointers[MOST];
    size_t count;
    struct slw_merge_limits limits;
    uint32_t statement_of[MOST]; /* of each request, itself or by the one it rides on */
    uint32_t seen[MOST];
};

static void make(struct round *r, struct slw_random *random)
{
    const uint64_t keys = 1 + slw_random_below(random, MAX_KEYS);

    memset(r, 0, sizeof(*r));
    r->count = (size_t)slw_random_below(random, MOST + 1);
    r->limits.rows = 1 + (size_t)slw_random_below(random, 40);
    r->limits.bytes = (size_t)slw_random_below(random, 400);
    for (size_t i = 0; i < r->count; i++) {
        struct slw_request *q = &r->requests[i];

        q->op = (enum slw_op)slw_random_below(random, SLW_OP_COUNT);
        q->id = 1 + slw_random_below(random, keys);
        q->length = q->op == SLW_OP_READ ? 0 : (size_t)slw_random_below(random, 30);
        r->pointers[i] = q;
    }
}

static void check_statement(struct round *r, const struct slw_merge_plan *p, uint32_t number)
{
    const struct slw_merged *s = &p->statements[number];
    size_t bytes = 0;
    uint64_t last = 0;

    assert_true(s->count > 0 && s->count <= r->limits.rows);
    for (uint32_t i = 0; i < s->count; i++) {
        const uint32_t row = p->rows[s->first + i];
        const struct slw_request *q = &r->requests[row];

        assert_int_equal(q->op, s->op);
        assert_true(q->id > last); /* they differ, and ascend */
        last = q->id;
        bytes += q->length;
        for (uint32_t k = row; k != SLW_NO_RIDER; k = p->riders[k]) {
            assert_true(k < r->count && r->requests[k].id == q->id);
            assert_true(k == row || s->op == SLW_OP_READ);
            r->seen[k]++;
            r->statement_of[k] = number;
        }
    }
    assert_true(bytes <= r->limits.bytes || s->count == 1);
}

/* Of each pair on one id the later one is in a later statement; two reads may share one when they
 * see the same writes. */
static void check_order(const struct round *r)
{
    for (size_t i = 0; i < r->count; i++) {
        bool only_reads = r->requests[i].op == SLW_OP_READ;

        assert_int_equal(r->seen[i], 1);
        for (size_t k = i + 1; k < r->count; k++) {
            if (r->requests[k].id != r->requests[i].id)
                continue;
            only_reads &= r->requests[k].op == SLW_OP_READ;
            if (only_reads)
                assert_int_equal(r->statement_of[i], r->statement_of[k]);
            else
                assert_true(r->statement_of[i] < r->statement_of[k]);
        }
    }
}

static void check_round(struct round *r, struct slw_merge_plan *p)
{
    uint32_t next = 0;

    slw_merge_plan_make(p, r->pointers, r->count, &r->limits);
    for (size_t i = 0; i < p->statement_count; i++) {
        assert_int_equal(p->statements[i].first, next);
        next += p->statements[i].count;
        check_statement(r, p, (uint32_t)i);
    }
    check_order(r);
}

static void every_plan_keeps_the_rules(void **state)
{
    struct slw_merge_plan *p = slw_merge_plan_new(MOST);
    struct round *r = malloc(sizeof(*r));
    struct slw_random random = {20261122};

    (void)state;
    assert_non_null(p);
    assert_non_null(r);
    printf("seed %llu\n", (unsigned long long)random.state);
    for (unsigned i = 0; i < ROUNDS; i++) {
        make(r, &random);
        check_round(r, p);
    }
    free(r);
    slw_merge_plan_free(p);
}

/* That the rules are not kept by merging nothing. */
static void what_differs_in_id_is_merged(void **state)
{
    struct slw_merge_plan *p = slw_merge_plan_new(MOST);
    struct slw_request requests[90];
    const struct slw_request *pointers[90];
    const struct slw_merge_limits limits = {1000, 1000};

    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < 90; i++) {
        requests[i] = (struct slw_request){.op = (enum slw_op)(i % 3), .id = 1 + (i * 37) % 91};
        pointers[i] = &requests[i];
    }
    slw_merge_plan_make(p, pointers, 90, &limits);
    assert_int_equal(p->statement_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(p->statements[i].count, 30);
    slw_merge_plan_free(p);
}

static void writes_of_one_id_are_not_merged_and_reads_are_shared(void **state)
{
    static const enum slw_op ops[] = {SLW_OP_INSERT, SLW_OP_READ, SLW_OP_READ,  SLW_OP_UPDATE,
                                      SLW_OP_UPDATE, SLW_OP_READ, SLW_OP_INSERT};
    struct slw_merge_plan *p = slw_merge_plan_new(7);
    struct slw_request requests[7];
    const struct slw_request *pointers[7];
    const struct slw_merge_limits limits = {1000, 1000};

    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < 7; i++) {
        requests[i] = (struct slw_request){.op = ops[i], .id = 5};
        pointers[i] = &requests[i];
    }
    slw_merge_plan_make(p, pointers, 7, &limits);
    assert_int_equal(p->statement_count, 6);
    assert_int_equal(p->riders[1], 2);
    assert_int_equal(p->statements[5].op, SLW_OP_INSERT);
    slw_merge_plan_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_keeps_the_rules),
        cmocka_unit_test(what_differs_in_id_is_merged),
        cmocka_unit_test(writes_of_one_id_are_not_merged_and_reads_are_shared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
