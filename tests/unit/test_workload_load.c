/* SPDX-License-Identifier: MIT */
/* Which requests come and when, and how they are counted. */
#include "tests/unit/cmocka_int.h"

#include "workloads/load.h"
#include "workloads/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reference output of SplitMix64 for the seed 1234567, as published with it. */
static void random_numbers_are_those_of_splitmix64(void **state)
{
    static const uint64_t expected[] = {6457827717110365317U, 3203168211198807973U,
                                        9817491932198370423U, 4593380528125082431U,
                                        16408922859458223821U};
    struct slw_random r = {1234567};

    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_true(slw_random_next(&r) == expected[i]);
}

/* Shares of the first ranks against 1 / k^theta over their sum; six sigma of a binomial share. */
static void check_zipf(uint64_t count, double theta)
{
    enum { DRAWS = 400000, LOOKED_AT = 10 };
    struct slw_random r = {42};
    struct slw_zipf z;
    uint64_t seen[LOOKED_AT] = {0};
    double sum = 0;

    slw_zipf_init(&z, count, theta);
    for (uint64_t k = 1; k <= count; k++)
        sum += pow((double)k, -theta);
    for (size_t i = 0; i < DRAWS; i++) {
        const uint64_t key = slw_zipf_next(&z, &r);
        assert_true(key < count);
        if (key < LOOKED_AT)
            seen[key]++;
    }
    for (size_t k = 0; k < LOOKED_AT && k < count; k++) {
        const double p = pow((double)k + 1, -theta) / sum;
        const double sigma = sqrt(p * (1 - p) / DRAWS);
        const double share = (double)seen[k] / DRAWS;
        if (fabs(share - p) > 6 * sigma + 1e-9)
            fail_msg("theta %g, rank %zu: %g, expected %g", theta, k + 1, share, p);
    }
}

static void keys_are_chosen_by_zipf(void **state)
{
    static const double thetas[] = {0, 0.5, 0.99, 1, 1.2, 3};

    (void)state;
    for (size_t i = 0; i < sizeof(thetas) / sizeof(thetas[0]); i++) {
        check_zipf(1000, thetas[i]);
        check_zipf(2, thetas[i]);
        check_zipf(1, thetas[i]);
    }
}

static void payloads_depend_on_seed_and_id_only(void **state)
{
    char a[100], b[100];

    (void)state;
    slw_payload_fill(7, 9, a, sizeof(a));
    slw_payload_fill(7, 9, b, 33);
    assert_memory_equal(a, b, 33); /* a longer one begins like a shorter one */
    assert_true(slw_payload_is(7, 9, a, sizeof(a)));
    assert_false(slw_payload_is(7, 10, a, sizeof(a)));
    assert_false(slw_payload_is(8, 9, a, sizeof(a)));
    a[99] ^= 1;
    assert_false(slw_payload_is(7, 9, a, sizeof(a)));
}

/* The mean distance of Poisson arrivals is 1 / rate, its own deviation as large. */
static void arrivals_keep_their_rate(void **state)
{
    enum { COUNT = 100000 };
    struct slw_arrivals a;
    uint64_t last = 1000, now = 0;

    (void)state;
    slw_arrivals_init(&a, 1e6, 3, 1000);
    for (size_t i = 0; i < COUNT; i++) {
        now = slw_arrivals_next(&a);
        assert_true(now >= last);
        last = now;
    }
    const double mean = (double)(now - 1000) / COUNT;
    assert_true(fabs(mean - 1000) < 6 * 1000 / sqrt(COUNT));
}

static void buckets_meet_and_are_narrow(void **state)
{
    uint64_t next = 0;

    (void)state;
    for (size_t i = 0; i < SLW_HISTOGRAM_BUCKETS; i++) {
        const uint64_t low = slw_histogram_bucket_low(i), high = slw_histogram_bucket_high(i);

        assert_true(low == next);
        assert_true(high >= low);
        assert_true(slw_histogram_bucket(low) == i && slw_histogram_bucket(high) == i);
        assert_true((double)(high - low) <= (double)low * 0.03125);
        next = high + 1;
    }
    assert_true(next == 0); /* the last one ends at 2^64 - 1 */
}

static int compare(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

static void quantiles_are_at_most_a_bucket_high(void **state)
{
    enum { COUNT = 5000 };
    static const double shares[] = {0, 0.1, 0.5, 0.9, 0.99, 0.999, 1};
    static struct slw_histogram h, half;
    static uint64_t values[COUNT];
    struct slw_random r = {11};

    (void)state;
    memset(&h, 0, sizeof(h));
    memset(&half, 0, sizeof(half));
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = slw_random_next(&r) >> slw_random_below(&r, 64);
        slw_histogram_add(i % 2 ? &h : &half, values[i]);
    }
    slw_histogram_merge(&h, &half);
    qsort(values, COUNT, sizeof(values[0]), compare);
    assert_true(h.count == COUNT && h.low == values[0] && h.high == values[COUNT - 1]);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        const size_t rank = (size_t)ceil(shares[i] * COUNT);
        const uint64_t exact = values[rank ? rank - 1 : 0];
        const uint64_t told = slw_histogram_quantile(&h, shares[i]);

        assert_true(told >= exact && (double)told <= (double)exact * 1.03125 + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_numbers_are_those_of_splitmix64),
        cmocka_unit_test(keys_are_chosen_by_zipf),
        cmocka_unit_test(payloads_depend_on_seed_and_id_only),
        cmocka_unit_test(arrivals_keep_their_rate),
        cmocka_unit_test(buckets_meet_and_are_narrow),
        cmocka_unit_test(quantiles_are_at_most_a_bucket_high),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
