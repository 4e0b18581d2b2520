/* SPDX-License-Identifier: MIT */
/* What holds for the bar of the wall time and the verdict about client and server, whatever the
 * threads waited for. */
#include "base/buf.h"
#include "tests/traffic_fixture.h"

#include <stdio.h>

#define RUNS    400
#define THREADS 5

static uint64_t next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static struct slw_waiting random_thread(uint64_t *seed)
{
    struct slw_waiting w = {0};

    for (int s = 0; s < SLW_WAIT_COUNT - 1; s++) /* causes are known: nothing is unsplit */
        if (next(seed) % 3 == 0) {
            w.ns[s] = next(seed) % 500000000;
            w.waits[s] = next(seed) % 5000;
        }
    /* Often one state has nearly all of it, or no threshold is ever reached. */
    if (next(seed) % 2 == 0)
        w.ns[next(seed) % 5] += UINT64_C(4000000000);
    for (int s = 0; s < SLW_WAIT_COUNT; s++)
        w.wall_ns += w.ns[s];
    return w;
}

static struct fixture random_run(uint64_t *seed)
{
    struct fixture f = fixture_new();
    struct slw_waiting threads[THREADS];
    const size_t count = 1 + next(seed) % THREADS;

    f.run->wall_ns.value = 0;
    for (size_t i = 0; i < count; i++) {
        threads[i] = random_thread(seed);
        if (threads[i].wall_ns > f.run->wall_ns.value)
            f.run->wall_ns.value = threads[i].wall_ns;
    }
    fixture_threads(&f, threads, count);
    fixture_count(&f, "user-time", "ns", 1 + next(seed) % 1000);
    fixture_count(&f, "system-time", "ns", next(seed) % 1000);
    fixture_traffic(&f, &(struct slw_connection){.requests = 200 + next(seed),
                                                 .flushes = 100,
                                                 .latency_count = 200,
                                                 .latency_sum_ns = next(seed) % 4000000000,
                                                 .latency_max_ns = 1});
    return f;
}

static void check_bar(const struct slw_report *r)
{
    const struct slw_bar *bar = r->bar;
    const size_t columns = 10 + bar->part_count;
    struct slw_buf text = {0};
    uint64_t sum = 0;
    double shares = 0;
    bool used[128] = {false};

    for (size_t i = 0; i < bar->part_count; i++) {
        sum += bar->parts[i].ns;
        shares += bar->parts[i].share;
        assert_false(used[(size_t)bar->parts[i].letter]);
        used[(size_t)bar->parts[i].letter] = true;
    }
    assert_true(sum == r->run->waiting[0].wall_ns);
    if (bar->part_count > 0)
        assert_near(shares, 1, 1e-9);
    slw_bar_put(&text, bar, columns, false);
    assert_int_equal(text.length, bar->part_count > 0 ? columns : 0);
    slw_buf_release(&text);
}

static bool found(const struct slw_report *r, const char *id)
{
    for (size_t i = 0; i < r->finding_count; i++)
        if (strcmp(r->findings[i].id, id) == 0)
            return true;
    return false;
}

static void check_side(const struct slw_report *r)
{
    const struct slw_side *side = r->side;
    const struct slw_side_shares *s = &side->shares;

    assert_true(side->text && side->text[0]);
    if (side->kind == SLW_SIDE_CLIENT)
        assert_true((s->busiest >= SLW_SIDE_CLIENT_BUSY && s->starved < SLW_SIDE_STARVED) ||
                    s->cpus >= SLW_SIDE_CLIENT_BUSY);
    if (side->kind == SLW_SIDE_SERVER)
        assert_true(s->server >= SLW_SIDE_WAIT && s->busiest < SLW_SIDE_SERVER_BUSY &&
                    s->starved < SLW_SIDE_STARVED);
    assert_false(found(r, "client-saturated") && found(r, "waits-for-server"));
    assert_true(found(r, "client-saturated") == (side->kind == SLW_SIDE_CLIENT));
    assert_true(found(r, "waits-for-server") == (side->kind == SLW_SIDE_SERVER));
    if (side->have)
        assert_true(s->busiest >= 0 && s->busiest <= 1 && s->server >= -1e-9 &&
                    s->server <= 1 + 1e-9 && s->paced >= -1e-9 && s->paced <= 1 + 1e-9);
}

static void the_bar_is_whole_and_the_verdict_never_names_both(void **state)
{
    (void)state;
    uint64_t seed = 20260711;
    size_t kinds[3] = {0};

    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < RUNS; i++) {
        struct fixture f = random_run(&seed);
        const struct slw_report *r = fixture_report(&f);

        check_bar(r);
        check_side(r);
        kinds[r->side->kind]++;
        fixture_free(&f);
    }
    for (int i = 0; i < 3; i++)
        assert_true(kinds[i] > 0); /* or the runs do not reach what is checked */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bar_is_whole_and_the_verdict_never_names_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
