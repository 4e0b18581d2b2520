/* SPDX-License-Identifier: MIT */
/* Saved runs as a history: order, values, what is not compared, what is said. */
#include "tests/history_fixture.h"

#include <math.h>
#include <stdlib.h>

static const char cpu[] = "cpu_per_request";

static bool has_note(const struct slw_history *h, const char *code)
{
    for (size_t i = 0; i < h->note_count; i++)
        if (strcmp(h->notes[i].code, code) == 0)
            return true;
    return false;
}

static void runs_stand_in_the_order_they_were_measured(void **state)
{
    struct past p = {.count = 0};

    (void)state;
    past_add(&p, 100)->started_realtime_ns = 3000;
    past_add(&p, 200)->started_realtime_ns = 0; /* nobody knows: last */
    past_add(&p, 300)->started_realtime_ns = 1000;
    past_add(&p, 400)->started_realtime_ns = 3000; /* the same time: by path */
    const struct slw_history *h = past_history(&p, cpu, NULL, 0);
    const size_t order[] = {2, 0, 3, 1};
    assert_int_equal(h->point_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(h->points[i].run, order[i]);
    assert_true(has_note(h, "unknown-start"));
    assert_true(has_note(h, "few-runs"));
    past_release(&p);
}

static void a_value_is_the_median_of_its_rounds_with_their_interval(void **state)
{
    struct past p = {.count = 0};

    (void)state;
    past_add_rounds(&p, cpu, 100, 1, 5);
    past_add_rounds(&p, cpu, 100, 1, 6);
    past_add_rounds(&p, cpu, 100, 1, 25);
    past_add_rounds(&p, cpu, 100, 0, 8);
    const struct slw_run *run = past_add_rounds(&p, cpu, 100, 1, 7);
    run->observations[0].values[3] = (double)NAN; /* a round that has none */
    run->observations[0].step = 10;               /* a coarse clock */
    const struct slw_history *h = past_history(&p, cpu, NULL, 0);
    assert_false(h->points[0].value.interval.have); /* five rounds prove nothing at 95 % */
    assert_int_equal(h->points[0].rounds, 5);
    assert_true(h->points[0].value.value == 100);
    assert_true(h->points[1].value.interval.have);
    const struct slw_figure *many = &h->points[2].value;
    assert_true(many->interval.low > 98 && many->interval.low <= 100);
    assert_true(many->interval.high < 102 && many->interval.high >= 100);
    assert_true(h->points[3].value.interval.low > 99.999 &&
                h->points[3].value.interval.high < 100.001);
    assert_int_equal(h->points[4].rounds, 6);
    assert_true(h->points[4].value.interval.low < 90 && h->points[4].value.interval.high > 110);
    past_release(&p);
}

static void a_change_of_level_is_marked_once(void **state)
{
    struct past p = {.count = 0};

    (void)state;
    for (size_t i = 0; i < 24; i++)
        past_add(&p, (i < 14 ? 100 : 120) + (double)(i * 7 % 5));
    const struct slw_history *h = past_history(&p, cpu, NULL, 0);
    assert_int_equal(h->change_count, 1);
    for (size_t i = 0; i < 24; i++) {
        assert_int_equal(h->points[i].change, i == 14);
        assert_true(h->points[i].level == (i < 14 ? 102 : 122));
    }
    assert_true(fabs(h->points[14].shift - 20. / 102) < 1e-12);
    assert_true(isnan(h->points[0].shift));
    assert_int_equal(h->note_count, 0);
    past_release(&p);
}

static void values_that_may_be_zero_have_levels_without_a_ratio(void **state)
{
    struct past p = {.count = 0};

    (void)state;
    for (size_t i = 0; i < 16; i++)
        past_add_rounds(&p, "errors_per_request", i < 8 ? 0 : 3, 0, 6);
    const struct slw_history *h = past_history(&p, "errors_per_request", NULL, 0);
    assert_int_equal(h->change_count, 1);
    assert_true(h->points[8].change && isnan(h->points[8].shift) && h->points[8].level == 3);
    past_release(&p);
}

static void another_machine_is_said_and_not_compared(void **state)
{
    struct past p = {.count = 0};

    (void)state;
    for (size_t i = 0; i < 30; i++) {
        struct slw_run *run = past_add(&p, (i < 10 ? 100 : 150) + (double)(i * 7 % 5));
        if (i >= 10)
            run->host.cpu.name = "CPU B";
        if (i >= 20)
            run->host.kernel = "6.8";
    }
    const struct slw_history *h = past_history(&p, cpu, NULL, 0);
    assert_int_equal(h->change_count, 0); /* across CPUs that is no change of the client */
    assert_int_equal(h->apart_count, 1);
    assert_true(h->points[10].apart);
    assert_string_equal(h->points[10].unlike, "CPU CPU A -> CPU B");
    assert_true(h->points[9].level == 102 && h->points[10].level == 152);
    assert_false(h->points[20].apart);
    assert_string_equal(h->points[20].unlike, "kernel 6.1 -> 6.8");
    assert_null(h->points[21].unlike);
    assert_true(has_note(h, "machines-differ"));
    past_release(&p);
}

static void a_change_together_with_the_kernel_is_doubted(void **state)
{
    struct past p = {.count = 0};

    (void)state;
    for (size_t i = 0; i < 24; i++) {
        struct slw_run *run = past_add(&p, (i < 12 ? 100 : 150) + (double)(i * 7 % 5));
        if (i >= 12)
            run->host.kernel = NULL;
    }
    const struct slw_history *h = past_history(&p, cpu, NULL, 0);
    assert_true(h->points[12].change);
    assert_string_equal(h->points[12].unlike, "kernel 6.1 -> unknown");
    assert_true(has_note(h, "change-with-machine"));
    past_release(&p);
}

static void another_tier_is_another_stretch(void **state)
{
    struct past p = {.count = 0};

    (void)state;
    past_add(&p, 100);
    past_add(&p, 100)->observations[0].from.source = SLW_SOURCE_SIMULATED;
    past_add(&p, 100)->observations[0].from.imported = true;
    const struct slw_history *h = past_history(&p, cpu, NULL, 0);
    assert_string_equal(h->points[1].unlike, "measured by software -> simulated");
    assert_string_equal(h->points[2].unlike, "measured by simulated -> software (imported)");
    assert_int_equal(h->apart_count, 2);
    past_release(&p);
}

static void labels_choose_runs(void **state)
{
    struct past p = {.count = 0};
    const struct slw_label main_branch = {"branch", "main"}, arm = {"arm", "B"};

    (void)state;
    assert_int_equal(slw_run_add_label(past_add(&p, 1), "branch", "main", NULL), 0);
    assert_int_equal(slw_run_add_label(past_add(&p, 2), "branch", "other", NULL), 0);
    struct slw_run *both = past_add(&p, 3);
    assert_int_equal(slw_run_add_label(both, "branch", "main", NULL), 0);
    both->experiment.arm = "B";
    const struct slw_history *h = past_history(&p, cpu, &main_branch, 1);
    assert_int_equal(h->point_count, 2);
    assert_int_equal(h->others, 1);
    h = past_history(&p, cpu, (const struct slw_label[]){main_branch, arm}, 2);
    assert_int_equal(h->point_count, 1);
    assert_int_equal(h->points[0].run, 2);
    assert_string_equal(h->points[0].arm, "B");
    const struct slw_label nobody = {"branch", "mai"};
    assert_null(past_history(&p, cpu, &nobody, 1));
    assert_int_equal(p.err.code, SLW_E_NODATA);
    past_release(&p);
}

static void runs_without_a_value_are_counted(void **state)
{
    struct past p = {.count = 0};

    (void)state;
    past_add(&p, 100);
    past_add_rounds(&p, NULL, 0, 0, 0);
    const struct slw_run *absent = past_add(&p, 100);
    for (size_t i = 0; i < absent->observations[0].length; i++)
        absent->observations[0].values[i] = (double)NAN;
    absent->observations[0].absent = "not counted: no requests";
    past_add(&p, 100)->observations[0].unit = "us";
    past_add(&p, 100);
    const struct slw_history *h = past_history(&p, cpu, NULL, 0);
    assert_int_equal(h->point_count, 2);
    assert_int_equal(h->without, 2);
    assert_true(has_note(h, "without-value"));
    assert_true(has_note(h, "other-unit"));
    assert_non_null(strstr(h->notes[0].text, "runs/02: not counted: no requests"));
    past_release(&p);
}

static void a_metric_nobody_has_offers_the_nearest(void **state)
{
    struct past p = {.count = 0};

    (void)state;
    past_add(&p, 100);
    past_add_rounds(&p, "p99", 1, 0, 1);
    assert_null(past_history(&p, "cpu_per_reqest", NULL, 0));
    assert_int_equal(p.err.code, SLW_E_NOTFOUND);
    assert_non_null(strstr(p.err.hint, "did you mean cpu_per_request"));
    assert_null(past_history(&p, "\033[2Jsomething else altogether", NULL, 0));
    assert_int_equal(p.err.code, SLW_E_NOTFOUND);
    p.count = 0;
    assert_null(past_history(&p, cpu, NULL, 0));
    assert_int_equal(p.err.code, SLW_E_NODATA);
    p.count = 2;
    past_release(&p);
    slw_history_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_stand_in_the_order_they_were_measured),
        cmocka_unit_test(a_value_is_the_median_of_its_rounds_with_their_interval),
        cmocka_unit_test(a_change_of_level_is_marked_once),
        cmocka_unit_test(values_that_may_be_zero_have_levels_without_a_ratio),
        cmocka_unit_test(another_machine_is_said_and_not_compared),
        cmocka_unit_test(a_change_together_with_the_kernel_is_doubted),
        cmocka_unit_test(another_tier_is_another_stretch),
        cmocka_unit_test(labels_choose_runs),
        cmocka_unit_test(runs_without_a_value_are_counted),
        cmocka_unit_test(a_metric_nobody_has_offers_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
