/* SPDX-License-Identifier: MIT */
/* Whatever the stages, their limits, the quota and the moments of polling: every call goes through
 * every stage once, in the order it came, at most `limit` together, and never waits past the quota
 * or a poll. */
#include "workloads/execution.h"

#include "tests/unit/cmocka_int.h"
#include "workloads/load.h"

#include <stdio.h>
#include <string.h>

#define TRIALS   400
#define CALLS    300
#define STAGES   6
#define MAX_SIZE 9

struct world {
    struct slw_random random;
    struct slw_execution execution;
    size_t stage_count, limits[STAGES];
    uint64_t now_ns;
    struct seen {
        struct world *world;
        size_t index;
        size_t next; /* call that has to come next */
        size_t sizes[MAX_SIZE + 1];
    } seen[STAGES];
    size_t calls[CALLS];
};

static uint64_t now_ns(void *ctx)
{
    return ((struct world *)ctx)->now_ns;
}

static void run(void *ctx, void *const *calls, size_t count)
{
    struct seen *s = ctx;
    struct world *w = s->world;

    assert_in_range(count, 1, w->limits[s->index]);
    s->sizes[count]++;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(*(const size_t *)calls[i], s->next);
        if (s->index > 0) /* has been through the stage before */
            assert_true(s->next < w->seen[s->index - 1].next);
        s->next++;
    }
    w->now_ns += slw_random_below(&w->random, 40);
}

static void make(struct world *w, uint64_t seed, uint64_t *ret_quota_ns)
{
    struct slw_execution_kind kinds[STAGES];

    memset(w, 0, sizeof(*w));
    w->random = (struct slw_random){seed};
    w->stage_count = 1 + slw_random_below(&w->random, STAGES);
    for (size_t i = 0; i < w->stage_count; i++) {
        w->limits[i] = 1 + slw_random_below(&w->random, MAX_SIZE);
        w->seen[i] = (struct seen){.world = w, .index = i};
        kinds[i] = (struct slw_execution_kind){"any", run, &w->seen[i], w->limits[i]};
    }
    *ret_quota_ns = slw_random_below(&w->random, 3) * 100;
    assert_int_equal(
        slw_execution_init(&w->execution, kinds, w->stage_count, *ret_quota_ns, now_ns, w, NULL),
        0);
}

/* What is counted is what was seen, and what is queued is what is between two stages. */
static void compare(const struct world *w, size_t called)
{
    size_t queued = 0;

    for (size_t i = 0; i < w->stage_count; i++) {
        const struct slw_execution_stage *s = &w->execution.stages[i];
        const size_t came = i == 0 ? called : w->seen[i - 1].next;

        assert_int_equal(s->queued, came - w->seen[i].next);
        assert_true(s->queued < s->kind.limit);
        queued += s->queued;
        for (size_t n = 1; n <= w->limits[i]; n++)
            assert_int_equal(s->sizes[n], w->seen[i].sizes[n]);
        assert_int_equal(slw_execution_counted(s).calls, w->seen[i].next);
    }
    assert_int_equal(w->execution.queued, queued);
}

static void try_one(uint64_t seed)
{
    struct world w;
    uint64_t quota_ns = 0;
    uint64_t waiting_since_ns = 0;

    make(&w, seed, &quota_ns);
    for (size_t i = 0; i < CALLS; i++) {
        const bool waited = w.execution.queued > 0;
        w.calls[i] = i;
        w.now_ns += slw_random_below(&w.random, 60);
        slw_execution_call(&w.execution, &w.calls[i]);
        compare(&w, i + 1);
        if (!waited)
            waiting_since_ns = w.now_ns;
        else if (w.execution.queued > 0 && quota_ns > 0)
            assert_true(w.now_ns - waiting_since_ns < quota_ns);
        if (slw_random_below(&w.random, 20) == 0) {
            (void)slw_execution_poll(&w.execution);
            assert_int_equal(w.execution.queued, 0);
            compare(&w, i + 1);
        }
    }
    (void)slw_execution_poll(&w.execution);
    for (size_t i = 0; i < w.stage_count; i++)
        assert_int_equal(w.seen[i].next, CALLS);
    slw_execution_release(&w.execution);
}

static uint64_t last_seed;

static void no_call_is_lost_or_late_or_out_of_order(void **state)
{
    (void)state;
    for (last_seed = 1; last_seed <= TRIALS; last_seed++)
        try_one(last_seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_is_lost_or_late_or_out_of_order),
    };

    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed)
        printf("seed %u\n", (unsigned)last_seed);
    return failed;
}
