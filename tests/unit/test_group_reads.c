/* SPDX-License-Identifier: MIT */
#include "analyzer/group_reads.h"
#include "tests/unit/cmocka_int.h"

static struct slw_group_reads *g;

static int set_up(void **state)
{
    (void)state;
    g = slw_group_reads_new();
    return g ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    slw_group_reads_free(g);
    return 0;
}

static struct slw_counter_reading reading(int32_t tid, uint32_t id, uint64_t value)
{
    return (struct slw_counter_reading){.tid = tid, .id = id, .value = value};
}

static uint64_t take(struct slw_counter_reading r)
{
    uint64_t delta = 99, running_ns = 99;

    assert_int_equal(slw_group_reads_take(g, &r, &delta, &running_ns), 0);
    return delta;
}

static void each_thread_has_its_own_counter_under_one_id(void **state)
{
    (void)state;
    assert_int_equal(take(reading(1, 0, 100)), 100);
    assert_int_equal(take(reading(2, 0, 7)), 7); /* keyed by id alone: -93 */
    assert_int_equal(take(reading(1, 0, 130)), 30);
    assert_int_equal(take(reading(1, 1, 5)), 5); /* another CPU */
    assert_int_equal(take(reading(2, 0, 7)), 0);
}

static void a_new_owner_of_a_thread_number_starts_from_zero(void **state)
{
    (void)state;
    assert_int_equal(take(reading(1, 0, 100)), 100);
    assert_int_equal(take(reading(2, 0, 50)), 50);
    slw_group_reads_forget(g, 1);
    assert_int_equal(take(reading(1, 0, 120)), 120);
    assert_int_equal(take(reading(2, 0, 60)), 10);
    slw_group_reads_forget(g, 77); /* never seen */
}

static void a_counter_does_not_go_backwards(void **state)
{
    struct slw_counter_reading back = reading(1, 0, 90);

    (void)state;
    (void)take(reading(1, 0, 100));
    assert_int_equal(slw_group_reads_check(g, &back), SLW_READING_BACKWARDS);
    assert_true(slw_group_reads_distrust(g, &back)); /* one is an accident */
    assert_int_equal(take(reading(1, 0, 110)), 10);
    assert_true(slw_group_reads_distrust(g, &back));
    assert_false(slw_group_reads_distrust(g, &back)); /* two are a new beginning */
    assert_int_equal(take(back), 0);
    assert_int_equal(take(reading(1, 0, 95)), 5);
}

static void no_cpu_counts_a_hundred_events_a_nanosecond(void **state)
{
    struct slw_counter_reading r = reading(1, 0, 48000000); /* 8 slots at 6 GHz for 1 ms */

    (void)state;
    r.has_times = true;
    r.enabled_ns = r.running_ns = 1000000;
    assert_int_equal(slw_group_reads_check(g, &r), SLW_READING_GOOD);
    r.value = UINT64_C(1) << 47; /* what a counter read at the wrong moment shows */
    assert_int_equal(slw_group_reads_check(g, &r), SLW_READING_IMPLAUSIBLE);
    r.has_times = false;
    assert_int_equal(slw_group_reads_check(g, &r), SLW_READING_GOOD);
    r.value = UINT64_MAX;
    assert_int_equal(slw_group_reads_check(g, &r), SLW_READING_IMPLAUSIBLE);
}

static bool same(const void *ctx, uint32_t a, uint32_t b)
{
    (void)ctx;
    return a == b;
}

static bool begin(int32_t tid, uint32_t id, uint32_t leaf)
{
    struct slw_counter_reading r = reading(tid, id, 1);

    return slw_group_reads_begin(g, &r, tid, leaf, same, NULL);
}

static void within_needs_the_function_on_both_ends(void **state)
{
    (void)state;
    assert_false(begin(1, 0, 5)); /* nothing before */
    assert_true(begin(1, 0, 5));
    assert_false(begin(1, 0, 6));
    assert_false(begin(1, 0, 5));
    assert_false(begin(1, 1, 6)); /* elsewhere, and another function */
    assert_false(begin(1, 0, 5)); /* here the same, but the thread was in 6 */
    assert_true(begin(1, 0, 5));
    slw_group_reads_forget(g, 1);
    assert_false(begin(1, 0, 5));
    assert_false(begin(1, 0, SLW_NO_LEAF));
    assert_false(begin(1, 0, SLW_NO_LEAF)); /* unknown is not the same as unknown */
}

static void shared_counters_are_within_one_thread_only(void **state)
{
    struct slw_counter_reading r = reading(SLW_SHARED_COUNTER, 0, 1);

    (void)state;
    assert_false(slw_group_reads_begin(g, &r, 1, 5, same, NULL));
    assert_true(slw_group_reads_begin(g, &r, 1, 5, same, NULL));
    assert_false(slw_group_reads_begin(g, &r, 2, 5, same, NULL)); /* counted for thread 1 */
    assert_false(slw_group_reads_begin(g, &r, 1, 5, same, NULL));
}

/* The clock of a thread's counter on one CPU runs on while the thread is on another. */
static void moving_between_cpus_is_no_multiplexing(void **state)
{
    uint64_t enabled_ns, running_ns;

    (void)state;
    for (uint64_t ms = 1; ms <= 10; ms++) {
        struct slw_counter_reading r = reading(1, ms % 2, ms);

        r.has_times = true;
        r.enabled_ns = ms * 1000000;
        r.running_ns = (ms + 1) / 2 * 1000000;
        (void)slw_group_reads_begin(g, &r, 1, 5, same, NULL);
        (void)take(r);
    }
    slw_group_reads_times(g, &enabled_ns, &running_ns);
    assert_int_equal(enabled_ns, 10000000);
    assert_int_equal(running_ns, 10000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_thread_has_its_own_counter_under_one_id, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_new_owner_of_a_thread_number_starts_from_zero, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_counter_does_not_go_backwards, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_cpu_counts_a_hundred_events_a_nanosecond, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(within_needs_the_function_on_both_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shared_counters_are_within_one_thread_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(moving_between_cpus_is_no_multiplexing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
