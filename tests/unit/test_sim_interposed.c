/* SPDX-License-Identifier: MIT */
#include "sim/interposed.h"

#include "tests/unit/cmocka_int.h"

static void what_was_added_is_found_and_nothing_else(void **state)
{
    static struct slw_sim_interposed interposed;

    (void)state;
    assert_false(slw_sim_is_interposed(&interposed, 0x1000));
    slw_sim_interpose(&interposed, 0x1000);
    slw_sim_interpose(&interposed, 0x1000);
    slw_sim_interpose(&interposed, 0);
    assert_int_equal(interposed.count, 1);
    assert_true(slw_sim_is_interposed(&interposed, 0x1000));
    assert_false(slw_sim_is_interposed(&interposed, 0x1001));
    assert_false(slw_sim_is_interposed(&interposed, 0));
}

static void past_the_half_nothing_is_added_and_asking_ends(void **state)
{
    static struct slw_sim_interposed interposed;
    const uint64_t most = SLW_SIM_INTERPOSED_PLACES / 2;

    (void)state;
    for (uint64_t i = 1; i <= 3 * most; i++)
        slw_sim_interpose(&interposed, i * 16);
    assert_int_equal(interposed.count, most);
    for (uint64_t i = 1; i <= 3 * most; i++)
        assert_int_equal(slw_sim_is_interposed(&interposed, i * 16), i <= most);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found_and_nothing_else),
        cmocka_unit_test(past_the_half_nothing_is_added_and_asking_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
