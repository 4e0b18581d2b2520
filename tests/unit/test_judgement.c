/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/judgement.h"
#include "analyzer/statistics/looks.h"
#include "analyzer/statistics/signed_law.h"
#include "tests/near.h"

#define WORD(low, high) word((low), (high), .02, false)

static struct slw_difference between(double low, double high)
{
    return (struct slw_difference){
        .pairs = 20, .enough = true, .estimate = (low + high) / 2, .low = low, .high = high};
}

static enum slw_judged word(double low, double high, double margin, bool higher_is_better)
{
    const struct slw_difference d = between(low, high);
    const struct slw_margin m = {margin, SLW_MARGIN_USER};

    return slw_judge(&d, &m, higher_is_better).word;
}

static void the_whole_interval_decides(void **state)
{
    (void)state;
    assert_int_equal(WORD(.021, .5), SLW_JUDGED_REGRESSED);
    assert_int_equal(WORD(-.5, -.021), SLW_JUDGED_IMPROVED);
    assert_int_equal(WORD(-.01, .015), SLW_JUDGED_NO_CHANGE);
    assert_int_equal(WORD(.005, .015), SLW_JUDGED_NO_CHANGE);
    assert_int_equal(WORD(-.03, .01), SLW_JUDGED_INCONCLUSIVE);
    assert_int_equal(WORD(.019, .5), SLW_JUDGED_INCONCLUSIVE);
    assert_int_equal(WORD(-.03, .03), SLW_JUDGED_INCONCLUSIVE);
}

static void an_interval_that_ends_on_the_margin_is_inside(void **state)
{
    (void)state;
    assert_int_equal(WORD(-.02, .02), SLW_JUDGED_NO_CHANGE);
    assert_int_equal(WORD(.02, .03), SLW_JUDGED_INCONCLUSIVE);
    assert_int_equal(WORD(-.03, -.02), SLW_JUDGED_INCONCLUSIVE);
    assert_int_equal(word(0, 0, 0, false), SLW_JUDGED_NO_CHANGE);
}

static void more_may_be_better(void **state)
{
    (void)state;
    assert_int_equal(word(.03, .05, .02, true), SLW_JUDGED_IMPROVED);
    assert_int_equal(word(-.05, -.03, .02, true), SLW_JUDGED_REGRESSED);
    assert_int_equal(word(-.01, .01, .02, true), SLW_JUDGED_NO_CHANGE);
}

static void few_pairs_never_settle_anything(void **state)
{
    const struct slw_margin m = {.02, SLW_MARGIN_USER};
    struct slw_difference d = between(.5, .5);

    (void)state;
    for (d.pairs = 1; d.pairs < SLW_MIN_PAIRS; d.pairs++) {
        d.enough = false;
        const struct slw_judgement j = slw_judge(&d, &m, false);

        assert_int_equal(j.word, SLW_JUDGED_INCONCLUSIVE);
        assert_true(j.too_few && j.few && !j.unsettled);
    }
    d.enough = true;
    assert_true(slw_judge(&d, &m, false).few);
    d.pairs = SLW_FEW_PAIRS;
    assert_false(slw_judge(&d, &m, false).few);
}

static void real_but_not_settled_is_said(void **state)
{
    const struct slw_margin m = {.02, SLW_MARGIN_USER};
    const struct slw_difference real = between(.005, .03), open = between(-.001, .03),
                                changed = between(.021, .03), small = between(.005, .01);

    (void)state;
    assert_true(slw_judge(&real, &m, false).unsettled);
    assert_false(slw_judge(&open, &m, false).unsettled);
    assert_false(slw_judge(&changed, &m, false).unsettled);
    assert_false(slw_judge(&small, &m, false).unsettled);
}

static void assert_margin(struct slw_margin m, double size, enum slw_margin_from from)
{
    assert_true(m.size == size);
    assert_int_equal(m.from, from);
}

static void the_largest_margin_is_used_and_named(void **state)
{
    (void)state;
    assert_margin(slw_margin_of(.02, .01, .001), .02, SLW_MARGIN_USER);
    assert_margin(slw_margin_of(.02, .03, .001), .03, SLW_MARGIN_FLOOR);
    assert_margin(slw_margin_of(.02, .03, .04), .04, SLW_MARGIN_RESOLUTION);
    assert_margin(slw_margin_of(.02, .02, .02), .02, SLW_MARGIN_USER);
    assert_margin(slw_margin_of(0, 0, 0), 0, SLW_MARGIN_USER);
    assert_string_equal(slw_margin_from_text(SLW_MARGIN_FLOOR), "the A/A floor");
    assert_string_equal(slw_judged_text(SLW_JUDGED_NO_CHANGE), "no change beyond the margin");
}

/* Values in steps of 4 % that never moved: within 2 % nothing can be said, within a step it can. */
static void equal_values_in_steps_are_no_change_within_a_step_only(void **state)
{
    const struct slw_margin asked = slw_margin_of(log(1.02), 0, 0);
    const struct slw_margin used = slw_margin_of(log(1.02), 0, log(1.04));
    struct slw_difference d = between(0, 0);

    (void)state;
    slw_difference_widen(&d, log(1.04));
    assert_int_equal(slw_judge(&d, &asked, false).word, SLW_JUDGED_INCONCLUSIVE);
    const struct slw_judgement j = slw_judge(&d, &used, false);

    assert_int_equal(j.word, SLW_JUDGED_NO_CHANGE);
    assert_int_equal(j.margin.from, SLW_MARGIN_RESOLUTION);
}

static void the_gate_fails_on_one_and_passes_when_all_are_settled(void **state)
{
    const enum slw_judged passed[] = {SLW_JUDGED_NO_CHANGE, SLW_JUDGED_IMPROVED};
    const enum slw_judged open[] = {SLW_JUDGED_INCONCLUSIVE, SLW_JUDGED_IMPROVED};
    const enum slw_judged failed[] = {SLW_JUDGED_INCONCLUSIVE, SLW_JUDGED_REGRESSED};

    (void)state;
    assert_int_equal(slw_gate_of(passed, 2), SLW_GATE_PASSED);
    assert_int_equal(slw_gate_of(open, 2), SLW_GATE_INCONCLUSIVE);
    assert_int_equal(slw_gate_of(failed, 2), SLW_GATE_REGRESSED);
    assert_int_equal(slw_gate_of(NULL, 0), SLW_GATE_PASSED);
}

/* ---- the floor ---- */

static void the_floor_of_one_is_its_farther_end(void **state)
{
    const struct slw_difference left = between(-.03, .01), right = between(.01, .04);
    const struct slw_difference few = {.pairs = 5, .low = -.1, .high = .1};
    double floor = -1;

    (void)state;
    assert_int_equal(slw_floor_of_one(&few, &floor, NULL), -SLW_E_NODATA);
    assert_true(floor == -1);
    assert_int_equal(slw_floor_of_one(&left, &floor, NULL), 0);
    assert_true(floor == .03);
    assert_int_equal(slw_floor_of_one(&right, &floor, NULL), 0);
    assert_true(floor == .04);
}

static void the_floor_of_many_is_t_times_their_rms(void **state)
{
    const double estimates[] = {.01, -.01, .01, -.01, .01};
    double floor = -1;

    (void)state;
    assert_int_equal(slw_floor_of_many(estimates, 2, &floor, NULL), -SLW_E_NODATA);
    assert_true(floor == -1);
    assert_int_equal(slw_floor_of_many(estimates, 5, &floor, NULL), 0);
    assert_near(floor, 2.5706 * .01, 1e-5); /* t(.975, 5) of the tables */
    assert_int_equal(slw_floor_of_many(estimates, 3, &floor, NULL), 0);
    assert_near(floor, 3.1824 * .01, 1e-5);
}

/* ---- looks ---- */

static void looks_have_the_documented_critical_scores(void **state)
{
    static const size_t critical[SLW_LOOK_COUNT] = {0, 2, 4, 9, 16, 30, 61, 111};
    double at_most[821];
    size_t before = 0;

    (void)state;
    for (size_t i = 0; i < SLW_LOOK_COUNT; i++) {
        const struct slw_look *look = slw_look_at(i);
        const size_t cap = slw_signed_cap(look->pairs);
        size_t t;

        slw_signed_law(look->pairs, cap, at_most);
        assert_true(
            slw_signed_critical(at_most, slw_signed_total(look->pairs, cap), look->alpha, &t));
        assert_int_equal(t, critical[i]);
        assert_int_equal(slw_look_next(before), look->pairs);
        before = look->pairs;
    }
    assert_int_equal(before, SLW_LOOK_LAST);
    assert_int_equal(slw_look_next(SLW_LOOK_LAST), 0);
}

static void looking_ends_when_every_gated_metric_is_settled(void **state)
{
    const enum slw_judged words[] = {SLW_JUDGED_REGRESSED, SLW_JUDGED_NO_CHANGE,
                                     SLW_JUDGED_IMPROVED, SLW_JUDGED_INCONCLUSIVE};

    (void)state;
    assert_true(slw_looks_settled(words, 3));
    assert_false(slw_looks_settled(words, 4));
}

/* ---- forecasts ---- */

static struct slw_forecast forecast(struct slw_difference d, size_t max_pairs)
{
    const struct slw_margin m = {.02, SLW_MARGIN_USER};
    const struct slw_judgement j = slw_judge(&d, &m, false);

    return slw_forecast_of(&d, &j, max_pairs);
}

static void a_forecast_is_rounded_up_to_a_look(void **state)
{
    struct slw_difference d = between(-.015, .025); /* half .02, gap .015: 35.6 pairs needed */

    (void)state;
    assert_int_equal(forecast(d, 40).kind, SLW_FORECAST_ROUNDS);
    assert_int_equal(forecast(d, 40).more, 20);
    d.pairs = 12; /* 21.3 needed */
    assert_int_equal(forecast(d, 40).more, 12);
    d.pairs = 30; /* 53.3 needed: past the last look */
    assert_int_equal(forecast(d, 40).more, 24);
}

static void a_hopeless_forecast_names_the_margin_that_could_be_settled(void **state)
{
    const struct slw_difference on_margin = between(.01, .03), wide = between(-.2, .2);
    struct slw_forecast f = forecast(on_margin, 40);

    (void)state;
    assert_int_equal(f.kind, SLW_FORECAST_HARDLY);
    assert_near(f.margin, .02 + .01 * sqrt(.5), 1e-15);
    f = forecast(wide, 80);
    assert_int_equal(f.kind, SLW_FORECAST_HARDLY);
    assert_near(f.margin, .1, 1e-15);
}

static void no_forecast_without_a_question_or_ground(void **state)
{
    struct slw_difference d = between(-.001, .001);

    (void)state;
    assert_int_equal(forecast(d, 40).kind, SLW_FORECAST_NONE); /* settled */
    d = between(-.015, .025);
    d.pairs = SLW_FEW_PAIRS - 1;
    assert_int_equal(forecast(d, 40).kind, SLW_FORECAST_NONE);
}

static void the_smallest_change_found_grows_with_the_interval(void **state)
{
    const struct slw_difference d = between(-.01, .01);

    (void)state;
    assert_near(slw_smallest_found(&d, .02), .034, 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_interval_decides),
        cmocka_unit_test(an_interval_that_ends_on_the_margin_is_inside),
        cmocka_unit_test(more_may_be_better),
        cmocka_unit_test(few_pairs_never_settle_anything),
        cmocka_unit_test(real_but_not_settled_is_said),
        cmocka_unit_test(the_largest_margin_is_used_and_named),
        cmocka_unit_test(equal_values_in_steps_are_no_change_within_a_step_only),
        cmocka_unit_test(the_gate_fails_on_one_and_passes_when_all_are_settled),
        cmocka_unit_test(the_floor_of_one_is_its_farther_end),
        cmocka_unit_test(the_floor_of_many_is_t_times_their_rms),
        cmocka_unit_test(looks_have_the_documented_critical_scores),
        cmocka_unit_test(looking_ends_when_every_gated_metric_is_settled),
        cmocka_unit_test(a_forecast_is_rounded_up_to_a_look),
        cmocka_unit_test(a_hopeless_forecast_names_the_margin_that_could_be_settled),
        cmocka_unit_test(no_forecast_without_a_question_or_ground),
        cmocka_unit_test(the_smallest_change_found_grows_with_the_interval),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
