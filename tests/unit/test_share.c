/* SPDX-License-Identifier: MIT */
#include "analyzer/share.h"
#include "tests/near.h"
#include "tests/unit/cmocka_int.h"

/* Reference values: the closed form evaluated in Python with z = 1.959963984540054. */
static void intervals_are_wilsons(void **state)
{
    (void)state;
    static const struct {
        uint64_t part, samples;
        double low, high;
    } cases[] = {{0, 10, 0.0, 0.2775327998628892},
                 {10, 10, 0.7224672001371107, 1.0},
                 {5, 10, 0.2365930905125640, 0.7634069094874360},
                 {240, 400, 0.5512590700269542, 0.6468384711061865},
                 {1, 1000, 0.00017654637062607852, 0.0056425585979579355}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_share s = slw_share_of(cases[i].part, cases[i].samples, cases[i].samples);
        assert_true(s.have && s.have_interval);
        assert_near(s.low, cases[i].low, 1e-12);
        assert_near(s.high, cases[i].high, 1e-12);
    }
}

static void nothing_weighed_is_no_share(void **state)
{
    (void)state;
    struct slw_share s = slw_share_of(0, 0, 0);
    assert_false(s.have);
    assert_false(s.have_interval);
}

static void unknown_sample_count_is_no_interval(void **state)
{
    (void)state;
    struct slw_share s = slw_share_of(1, 4, 0);
    assert_true(s.have);
    assert_false(s.have_interval);
    assert_near(s.value, 0.25, 0);
}

static void more_samples_narrow_the_interval(void **state)
{
    (void)state;
    double last = 2;
    for (uint64_t n = 10; n <= 1000000; n *= 10) {
        struct slw_share s = slw_share_of(n / 5, n, n);
        assert_true(s.high - s.low < last);
        last = s.high - s.low;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_wilsons),
        cmocka_unit_test(nothing_weighed_is_no_share),
        cmocka_unit_test(unknown_sample_count_is_no_interval),
        cmocka_unit_test(more_samples_narrow_the_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
