/* SPDX-License-Identifier: MIT */
#include "analyzer/samples_int.h"
#include "tests/unit/cmocka_int.h"

#include <stdlib.h>

#define MOST_DEPTH 300 /* more than any trail remembers */

/* Locations are numbered as they are asked for, and the step is kept to compare. */
struct located {
    struct slw_chain_step steps[200000];
    uint32_t count;
};

static int locate(void *ctx, const struct slw_chain_step *step, uint32_t *ret_location)
{
    struct located *l = ctx;

    assert_true(l->count < sizeof(l->steps) / sizeof(l->steps[0]));
    l->steps[l->count] = *step;
    *ret_location = l->count++;
    return 0;
}

static uint32_t follow(struct slw_chains *c, struct slw_chain_root root,
                       const struct slw_chain_step *steps, size_t depth, struct located *l)
{
    uint32_t chain = SLW_NO_CHAIN;
    assert_int_equal(slw_chains_follow(c, &root, steps, depth, locate, l, &chain), 0);
    return chain;
}

/* From the leaf back to the root: the steps that led there. */
static void assert_leads(const struct slw_chains *c, uint32_t chain, struct slw_chain_root root,
                         const struct slw_chain_step *steps, size_t depth)
{
    for (size_t i = 0; i < depth; i++) {
        const struct slw_chain *k = slw_chains_get(c, chain);
        assert_true(k->step.address == steps[i].address);
        assert_int_equal(k->step.kind, steps[i].kind);
        assert_true(k->caller < chain);
        chain = k->caller;
    }
    assert_int_equal(slw_chains_get(c, chain)->step.kind, SLW_STEP_ROOT);
    assert_true(slw_chains_get(c, chain)->step.address == root.generation);
    chain = slw_chains_get(c, chain)->caller;
    assert_true(slw_chains_get(c, chain)->step.address == root.thread);
    assert_int_equal(slw_chains_get(c, chain)->caller, SLW_NO_CHAIN);
}

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* Few addresses and kinds, so that chains part and meet often. */
static size_t random_chain(uint64_t *state, struct slw_chain_step *steps)
{
    size_t depth = next(state) % 8 == 0 ? next(state) % MOST_DEPTH : next(state) % 12;

    for (size_t i = 0; i < depth; i++)
        steps[i] = (struct slw_chain_step){depth - i < 20 ? next(state) % 3 : depth - i,
                                           (uint32_t)(next(state) % 8 == 0)};
    return depth;
}

static void every_chain_leads_back_to_its_steps(void **state)
{
    (void)state;
    struct slw_chains *c = slw_chains_new(1);
    struct located *l = calloc(1, sizeof(*l));
    struct slw_chain_step steps[MOST_DEPTH];
    uint64_t random = 20261122;
    assert_non_null(c);
    assert_non_null(l);
    for (int i = 0; i < 5000; i++) {
        size_t depth = random_chain(&random, steps);
        struct slw_chain_root root = {(uint32_t)(next(&random) % 40), next(&random) % 2};
        uint32_t chain = follow(c, root, steps, depth, l);
        assert_leads(c, chain, root, steps, depth);
        uint32_t known = l->count;
        assert_int_equal(follow(c, root, steps, depth, l), chain);
        assert_int_equal(l->count, known); /* the same way again is nothing new */
    }
    slw_chains_seal(c);
    for (uint32_t i = 0; i < slw_chains_count(c); i++) {
        const struct slw_chain *k = slw_chains_get(c, i);
        if (k->step.kind == SLW_STEP_ROOT)
            assert_int_equal(k->location, SLW_NO_LOCATION);
        else
            assert_true(l->steps[k->location].address == k->step.address);
    }
    slw_chains_free(c);
    free(l);
}

static void kinds_generations_and_threads_keep_chains_apart(void **state)
{
    (void)state;
    struct slw_chains *c = slw_chains_new(1);
    struct located *l = calloc(1, sizeof(*l));
    const struct slw_chain_step user = {5, 0}, exact = {5, SLW_STEP_EXACT};
    assert_non_null(c);
    assert_non_null(l);
    uint32_t first = follow(c, (struct slw_chain_root){1, 1}, &user, 1, l);
    assert_int_not_equal(first, follow(c, (struct slw_chain_root){1, 1}, &exact, 1, l));
    assert_int_not_equal(first, follow(c, (struct slw_chain_root){1, 2}, &user, 1, l));
    assert_int_not_equal(first, follow(c, (struct slw_chain_root){2, 1}, &user, 1, l));
    assert_int_equal(first, follow(c, (struct slw_chain_root){1, 1}, &user, 1, l));
    assert_int_equal(l->count, 4);
    slw_chains_free(c);
    free(l);
}

static void weights_add_up_per_chain(void **state)
{
    (void)state;
    struct slw_chains *c = slw_chains_new(2);
    struct located *l = calloc(1, sizeof(*l));
    const struct slw_chain_step steps[] = {{7, 0}, {8, 0}};
    const uint64_t weights[] = {1, 10}, most[] = {1, INT64_MAX};
    assert_non_null(c);
    assert_non_null(l);
    uint32_t deep = follow(c, (struct slw_chain_root){0, 0}, steps, 2, l), chain;
    uint32_t flat = follow(c, (struct slw_chain_root){0, 0}, steps + 1, 1, l);
    assert_int_equal(slw_chains_weigh(c, deep, weights), 0);
    assert_int_equal(slw_chains_weigh(c, flat, weights), 0);
    assert_int_equal(slw_chains_weigh(c, deep, weights), 0);
    assert_int_equal(slw_chains_weigh(c, deep, most), -SLW_E_RANGE);
    assert_int_equal(slw_chains_row_count(c), 2);
    assert_int_equal(slw_chains_row(c, 0, &chain)[0], 2);
    assert_int_equal(slw_chains_row(c, 0, &chain)[1], 20);
    assert_int_equal(chain, deep);
    assert_int_equal(slw_chains_row(c, 1, &chain)[1], 10);
    assert_int_equal(chain, flat);
    slw_chains_free(c);
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chain_leads_back_to_its_steps),
        cmocka_unit_test(kinds_generations_and_threads_keep_chains_apart),
        cmocka_unit_test(weights_add_up_per_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
