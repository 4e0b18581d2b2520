/* SPDX-License-Identifier: MIT */
/* Timing a part of what is executed: where the windows are, what they find, how far off they are.
 */
#include "record/replicates.h"
#include "tests/sim_feed.h"
#include "tests/unit/cmocka_int.h"

#include <math.h>

#define AT 0x401000

static void sampling_counts_the_same_events(void **state)
{
    const struct slw_sim_config config = feed_config("zen5");
    struct slw_sim_access access = {.index = 0, .bytes = 8};
    struct slw_sim_totals totals[2];
    struct feed_segment f;

    (void)state;
    FEED(&f, &config, AT, "\x48\x8b\x00\xeb\xfb", &access, 1);
    for (unsigned sampled = 0; sampled < 2; sampled++) {
        struct slw_sim_core *core = feed_core(&config);

        if (sampled)
            slw_sim_sample(core, 1000, 100);
        for (uint64_t i = 0; i < 50000; i++) {
            access.address = i * 7919 % 5000 * 64;
            slw_sim_step(core, &f.segment, &access, 1, &f.segment);
        }
        totals[sampled] = feed_totals(core);
    }
    assert_memory_equal(totals[0].events, totals[1].events, sizeof(totals[0].events));
    assert_in_range(totals[1].detailed_instructions, 9900, 10100);
}

/* Four instructions each. */
static void make_loops(const struct slw_sim_config *config, struct feed_segment *fast,
                       struct feed_segment *slow)
{
    FEED(fast, config, AT, "\x01\xc0\x01\xdb\x01\xc9\xeb\xf8", NULL, 0);
    FEED(slow, config, AT + 256, "\x48\x0f\xaf\xc0\x48\x0f\xaf\xc0\x90\xeb\xf5", NULL, 0);
    assert_int_equal(fast->segment.count, 4);
    assert_int_equal(slow->segment.count, 4);
}

static uint64_t windows_of(const struct slw_sim_totals *t)
{
    uint64_t windows = 0;

    for (unsigned k = 0; k < SLW_SIM_SUBSAMPLES; k++)
        windows += t->subsamples[k].windows;
    return windows;
}

/* One standard error of the cycles per instruction, relative. */
static double error_of_cycles(const struct slw_sim_totals *t)
{
    const double all = (double)t->cycles / (double)t->detailed_instructions;
    double squares = 0;

    for (unsigned k = 0; k < SLW_SIM_SUBSAMPLES; k++) {
        const struct slw_sim_subsample *less = &t->subsamples[k];
        const double without = (double)(t->cycles - less->cycles) /
                               (double)(t->detailed_instructions - less->instructions);

        squares += (without / all - 1) * (without / all - 1);
    }
    return slw_replicates_error(squares, SLW_SIM_SUBSAMPLES);
}

/* Two loops in turn, each of constant speed; windows see one of them, or the other. */
static struct slw_sim_totals sampled_over(unsigned rounds_of_each)
{
    const struct slw_sim_config config = feed_config("haswell");
    struct slw_sim_core *core = feed_core(&config);
    struct feed_segment fast, slow;

    make_loops(&config, &fast, &slow);
    slw_sim_step(core, &slow.segment, NULL, 0, &fast.segment);
    slw_sim_step(core, &fast.segment, NULL, 0, &fast.segment);
    slw_sim_restart(core); /* cold misses are not what this is about */
    slw_sim_sample(core, 1000, 100);
    for (unsigned i = 0; i < 20000; i++) {
        const bool is_fast = !rounds_of_each || i / rounds_of_each % 2;
        struct feed_segment *f = is_fast ? &fast : &slow;

        slw_sim_step(core, &f->segment, NULL, 0, &f->segment);
    }
    return feed_totals(core);
}

static void the_error_of_sampling_is_how_much_windows_differ(void **state)
{
    const struct slw_sim_totals even = sampled_over(0), uneven = sampled_over(50);
    /* Eight periods of each: there is a window of every period, so that chance decides nothing. */
    const struct slw_sim_totals phases = sampled_over(2000);

    (void)state;
    assert_true(error_of_cycles(&phases) < error_of_cycles(&uneven) / 2);
    assert_in_range(windows_of(&even), 78, 80);
    assert_true(error_of_cycles(&even) < 0.01);
    assert_in_range(windows_of(&uneven), 78, 80);
    assert_true(error_of_cycles(&uneven) > 0.02);
    assert_true(error_of_cycles(&uneven) < 0.2);
}

/* Of 250 rounds the last 25 are slow, and a period of the sample is as many instructions. */
static struct slw_sim_totals in_step(bool sampled)
{
    const struct slw_sim_config config = feed_config("haswell");
    struct slw_sim_core *core = feed_core(&config);
    struct feed_segment fast, slow;

    make_loops(&config, &fast, &slow);
    if (sampled)
        slw_sim_sample(core, 1000, 50);
    for (unsigned i = 0; i < 500000; i++) {
        struct feed_segment *f = i % 250 < 225 ? &fast : &slow;

        slw_sim_step(core, &f->segment, NULL, 0, &f->segment);
    }
    return feed_totals(core);
}

static void windows_do_not_keep_step_with_the_client(void **state)
{
    const struct slw_sim_totals full = in_step(false), sampled = in_step(true);
    const double instructions = (double)full.events[SLW_SIM_INSTRUCTIONS];
    const double expected = (double)full.cycles / instructions;
    const double found = (double)sampled.cycles / (double)sampled.detailed_instructions;

    (void)state;
    assert_true(error_of_cycles(&sampled) > 0.005);
    assert_true(error_of_cycles(&sampled) < 0.05);
    assert_true(fabs(found / expected - 1) < 4 * error_of_cycles(&sampled));
}

/* A stream that the prefetcher is ahead of. */
static double share_of_memory(bool sampled)
{
    const struct slw_sim_config config = feed_config("sapphirerapids");
    struct slw_sim_core *core = feed_core(&config);
    struct slw_sim_access access = {.index = 0, .bytes = 8};
    struct feed_segment load, work;

    FEED(&load, &config, AT, "\x48\x8b\x08\xeb\xfb", &access, 1);
    FEED(&work, &config, AT + 256, "\x01\xc0\x01\xc0\x01\xc0\x01\xc0\xeb\xf6", NULL, 0);
    if (sampled)
        slw_sim_sample(core, 10000, 500);
    for (uint64_t i = 0; i < 5000; i++) {
        access.address = 0x100000 + 64 * i;
        slw_sim_step(core, &load.segment, &access, 1, &work.segment);
        for (unsigned k = 0; k < 80; k++)
            slw_sim_step(core, &work.segment, NULL, 0, k < 79 ? &work.segment : &load.segment);
    }
    const struct slw_sim_totals t = feed_totals(core);

    return feed_share(&t, "backend.memory");
}

static void what_was_fetched_ahead_while_warming_is_there(void **state)
{
    (void)state;
    assert_true(share_of_memory(true) < share_of_memory(false) + 0.02);
}

/* The first window begins with the first instruction; the one under way is in no subsample yet. */
static void windows_are_handed_out_to_subsamples_in_turn(void **state)
{
    const struct slw_sim_config config = feed_config("haswell");
    struct slw_sim_core *core = feed_core(&config);
    struct feed_segment f;

    (void)state;
    FEED(&f, &config, AT, "\x01\xc0\x01\xdb\x01\xc9\xeb\xf8", NULL, 0);
    for (unsigned i = 0; i < 1000; i++)
        slw_sim_step(core, &f.segment, NULL, 0, &f.segment);
    struct slw_sim_totals t = feed_totals(core);

    assert_int_equal(windows_of(&t), 0); /* everything was timed */
    slw_sim_restart(core);
    slw_sim_sample(core, 1000, 100);
    for (unsigned i = 0; i < 5500; i++)
        slw_sim_step(core, &f.segment, NULL, 0, &f.segment);
    t = feed_totals(core);
    assert_int_equal(windows_of(&t), 22);
    for (unsigned k = 0; k < SLW_SIM_SUBSAMPLES; k++) {
        const unsigned windows = k < 2 ? 2 : 1;

        assert_int_equal(t.subsamples[k].windows, windows);
        assert_in_range(t.subsamples[k].instructions, 96 * windows, 104 * windows);
        assert_in_range(t.subsamples[k].slots[SLW_SIM_RETIRING], 72 * windows, 104 * windows);
    }
    slw_sim_restart(core);
    t = feed_totals(core);
    assert_int_equal(windows_of(&t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sampling_counts_the_same_events, feed_tear_down),
        cmocka_unit_test_teardown(the_error_of_sampling_is_how_much_windows_differ, feed_tear_down),
        cmocka_unit_test_teardown(windows_do_not_keep_step_with_the_client, feed_tear_down),
        cmocka_unit_test_teardown(what_was_fetched_ahead_while_warming_is_there, feed_tear_down),
        cmocka_unit_test_teardown(windows_are_handed_out_to_subsamples_in_turn, feed_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
