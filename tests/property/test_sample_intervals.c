/* SPDX-License-Identifier: MIT */
/* Intervals of what a carrier timed in part, from its subsamples to the report: how often do they
 * hold what would have been found with everything timed? */
#include "analyzer/costs.h"
#include "collector/simulate.h"
#include "record/replicates.h"
#include "tests/hits_of_intervals.h"
#include "tests/report_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SEED   UINT64_C(20261123)
#define WINDOW 500 /* instructions */
#define WIDTH  4

/* What a window is like. A cycle or more per instruction, and of what is not retired the front end
 * has a part. */
struct client {
    double cycles, cycles_noise; /* per window, beyond one per instruction */
    double frontend, frontend_noise;
    double slow; /* of the windows so many take three times as long beyond that */
};

static void add_window(const struct client *c, struct slw_sim_subsample *to)
{
    const double longer = (uniform() < c->slow ? 3 : 1) * c->cycles;
    const uint64_t cycles = WINDOW + (uint64_t)fmax(longer + c->cycles_noise * normal(), 0);
    const uint64_t lost = cycles * WIDTH - WINDOW;
    const double part = fmin(fmax(c->frontend + c->frontend_noise * normal(), 0), 1);
    const uint64_t frontend = (uint64_t)((double)lost * part);

    to->windows++;
    to->instructions += WINDOW;
    to->cycles += cycles;
    to->slots[SLW_SIM_RETIRING] += WINDOW;
    to->slots[SLW_SIM_FETCH_ICACHE] += frontend;
    to->slots[SLW_SIM_MEMORY_L2] += lost - frontend;
}

static void time_thread(const struct client *c, size_t windows, uint64_t instructions,
                        struct slw_sim_thread *t)
{
    for (size_t i = 0; i < windows; i++)
        add_window(c, &t->subsamples[i % SLW_SIM_SUBSAMPLES]);
    t->subsample_count = windows < SLW_SIM_SUBSAMPLES ? windows : SLW_SIM_SUBSAMPLES;
    t->events[SLW_SIM_INSTRUCTIONS] = instructions;
    for (size_t k = 0; k < t->subsample_count; k++) {
        t->detailed += t->subsamples[k].instructions;
        t->cycles += t->subsamples[k].cycles;
        for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++)
            t->slots[i] += t->subsamples[k].slots[i];
    }
}

static const struct slw_report_node *node_named(const struct slw_report *r, const char *name)
{
    size_t i = 0;

    while (i < r->node_count && strcmp(r->nodes[i].name, name) != 0)
        i++;
    assert_true(i < r->node_count);
    return &r->nodes[i];
}

static const struct slw_cost *cost_named(const struct slw_report *r, const char *key)
{
    size_t i = 0;

    while (i < r->costs->count && strcmp(r->costs->rows[i].key, key) != 0)
        i++;
    assert_true(i < r->costs->count);
    return &r->costs->rows[i];
}

/* Shares and ratios of the tree, then sums over threads. */
enum { NODES = 3, QUANTITIES = 5 };
static const char *const names[] = {"frontend_bound", "retiring", "ipc", "slots",
                                    "slots.frontend_bound"};

/* One execution of a client with so many threads, each timed in so many windows. */
static void simulate(const struct slw_model *m, const struct client *c, size_t threads,
                     size_t windows, struct slw_figure ret_values[QUANTITIES])
{
    static struct slw_sim_subsample subsamples[2][SLW_SIM_SUBSAMPLES];
    static struct slw_sim_thread all[2];
    struct slw_sim_output o = {.core = "test", .width = WIDTH, .period = 5000, .detail = WINDOW};
    struct slw_sim_output *outputs[] = {&o};
    const struct slw_simulated s = {.outputs = outputs, .count = 1};
    struct fixture f = fixture_new();

    memset(subsamples, 0, sizeof(subsamples));
    memset(all, 0, sizeof(all));
    o.threads = all;
    o.thread_count = threads;
    for (size_t i = 0; i < threads; i++) {
        all[i].subsamples = subsamples[i];
        time_thread(c, windows, 100000000, &all[i]);
    }
    assert_int_equal(slw_simulated_counts(&s, 0, f.run, NULL), 0);
    assert_int_equal(slw_report_new(f.run, f.stacks, m, &f.report, NULL), 0);
    for (size_t i = 0; i < QUANTITIES; i++) {
        ret_values[i] = i < NODES ? node_named(f.report, names[i])->value
                                  : cost_named(f.report, names[i])->total;
        assert_null(ret_values[i].absent);
        if (ret_values[i].interval.have)
            assert_int_equal(ret_values[i].interval.from, SLW_INTERVAL_SAMPLE);
    }
    fixture_free(&f);
}

static void intervals_hold_what_would_have_been_found_with_all_timed(void **test)
{
    static const struct {
        struct client client;
        size_t threads, windows;
    } cells[] = {
        {{200, 50, 0.4, 0.05, 0}, 1, 5},     {{200, 50, 0.4, 0.05, 0}, 1, 12},
        {{200, 50, 0.4, 0.05, 0}, 1, 400},   {{200, 50, 0.4, 0.05, 0}, 2, 30},
        {{200, 50, 0.4, 0.05, 0.3}, 1, 400}, {{200, 20, 0.4, 0.10, 0.1}, 2, 1000},
    };
    enum { TRIALS = 1000 };
    struct slw_model *m = NULL;

    (void)test;
    start_random(SEED);
    assert_int_equal(slw_model_builtin("simulated", &m, NULL), 0);
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        struct slw_figure truth[QUANTITIES], seen[QUANTITIES];
        int hits[QUANTITIES] = {0};

        simulate(m, &cells[i].client, 1, 1000000, truth);
        for (int k = 0; k < TRIALS; k++) {
            simulate(m, &cells[i].client, cells[i].threads, cells[i].windows, seen);
            for (size_t q = 0; q < QUANTITIES; q++) {
                const double expected = truth[q].value * (q < NODES ? 1 : (double)cells[i].threads);

                assert_true(seen[q].interval.have);
                hits[q] += seen[q].interval.low <= expected && expected <= seen[q].interval.high;
            }
        }
        for (size_t q = 0; q < QUANTITIES; q++) {
            char what[128];

            (void)snprintf(what, sizeof(what), "%zu x %zu windows, %.0f %% slow, %s",
                           cells[i].threads, cells[i].windows, 100 * cells[i].client.slow,
                           names[q]);
            assert_share_of_hits(what, hits[q], TRIALS);
        }
    }
    slw_model_free(m);
}

static void too_little_timed_has_no_interval(void **test)
{
    const struct client c = {200, 50, 0.4, 0.05, 0};
    struct slw_figure seen[QUANTITIES];
    struct slw_model *m = NULL;

    (void)test;
    start_random(SEED);
    assert_int_equal(slw_model_builtin("simulated", &m, NULL), 0);
    for (size_t windows = 1; windows < 4; windows++) {
        simulate(m, &c, 1, windows, seen);
        for (size_t q = 0; q < QUANTITIES; q++)
            assert_int_equal(seen[q].interval.have, windows > 1);
    }
    slw_model_free(m);
}

/* Of a mean, the error is that of any textbook: the spread by the root of their number. */
static void of_a_mean_the_jackknife_is_the_standard_error(void **test)
{
    enum { COUNT = 7 };
    uint64_t values[COUNT], without[COUNT], sum = 0;
    double squares = 0;

    (void)test;
    start_random(SEED);
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = (uint64_t)(1e9 * uniform());
        sum += values[i];
    }
    const double mean = (double)sum / COUNT;

    for (size_t i = 0; i < COUNT; i++) {
        without[i] = (sum - values[i]) / (COUNT - 1);
        squares += ((double)values[i] - mean) * ((double)values[i] - mean);
    }
    struct slw_count c = {.raw = (uint64_t)mean, .replicates = without, .replicate_count = COUNT};
    const double expected = sqrt(squares / (COUNT - 1) / COUNT);

    assert_true(fabs(slw_count_error(&c) / expected - 1) < 1e-6);
    c.replicate_count = 1;
    assert_true(slw_count_error(&c) == 0);
    c.replicate_count = COUNT;
    c.absent = "not counted";
    assert_true(slw_count_error(&c) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_hold_what_would_have_been_found_with_all_timed),
        cmocka_unit_test(too_little_timed_has_no_interval),
        cmocka_unit_test(of_a_mean_the_jackknife_is_the_standard_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
