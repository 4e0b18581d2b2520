/* SPDX-License-Identifier: MIT */
/* Counts of a described core repeat to the last digit: their comparison has no interval and no
 * confidence, and what is the same is said to be. What does not repeat is judged as ever, and what
 * was timed in part by how far off that may be. */
#include "tests/compare_asserts.h"
#include "tests/near.h"

#include "base/buf.h"

static void add_simulated(struct slw_run *run, const char *metric, const double *values,
                          size_t length)
{
    versus_add(run, metric, values, length);
    run->observations[run->observation_count - 1].from =
        (struct slw_provenance){.source = SLW_SOURCE_SIMULATED, .detail = "reference core X"};
}

static struct versus compare(const double *a, const double *b, size_t length)
{
    struct versus v = versus_new(length);

    v.a->model.name = v.b->model.name = "simulated";
    v.a->model.version = v.b->model.version = "haswell";
    add_simulated(v.a, "simulated_cycles", a, length);
    add_simulated(v.b, "simulated_cycles", b, length);
    return v;
}

static const struct slw_metric_row *judge(struct versus *v)
{
    struct slw_error err = {0};

    if (slw_comparison_new(&v->in, &v->comparison, &err) < 0)
        fail_msg("%s", err.text);
    const struct slw_metric_row *row = slw_comparison_find(v->comparison, "simulated_cycles");
    assert_non_null(row);
    return row;
}

static void equal_counts_are_identical(void **state)
{
    const double same[] = {1000, 1000};
    struct versus v = compare(same, same, 2);
    const struct slw_metric_row *row = judge(&v);
    struct slw_buf interval = {0};

    (void)state;
    assert_true(row->exact);
    assert_int_equal(row->judgement.word, SLW_JUDGED_NO_CHANGE);
    assert_int_equal(v.comparison->gate, SLW_GATE_PASSED);
    assert_non_null(strstr(v.comparison->verdict, "identical simulated cycles (1,000, exact)"));
    assert_null(strstr(v.comparison->verdict_basis, "95 %"));
    slw_row_put_interval(&interval, row);
    assert_int_equal(interval.length, 0);
    slw_buf_release(&interval);
    versus_free(&v);
}

static void a_difference_is_held_against_the_margin(void **state)
{
    const double base[] = {10000, 10000}, less[] = {10100, 10100}, more[] = {10300, 10300};
    struct versus v = compare(base, less, 2);

    (void)state;
    assert_int_equal(judge(&v)->judgement.word, SLW_JUDGED_NO_CHANGE); /* 1 % of 2 % */
    versus_free(&v);
    v = compare(base, more, 2);
    assert_int_equal(judge(&v)->judgement.word, SLW_JUDGED_REGRESSED);
    assert_int_equal(v.comparison->gate, SLW_GATE_REGRESSED);
    assert_non_null(strstr(v.comparison->verdict, "10,000 and 10,300, exact"));
    versus_free(&v);
    v = compare(more, base, 2);
    assert_int_equal(judge(&v)->judgement.word, SLW_JUDGED_IMPROVED);
    versus_free(&v);
}

static void rounds_that_differ_are_not_exact(void **state)
{
    const double a[] = {1000, 1000}, b[] = {1000, 1001};
    struct versus v = compare(a, b, 2);
    const struct slw_metric_row *row = judge(&v);

    (void)state;
    assert_false(row->exact);
    assert_int_equal(row->judgement.word, SLW_JUDGED_INCONCLUSIVE); /* two rounds are too few */
    versus_free(&v);
}

static void one_execution_is_exact_only_where_nothing_answers(void **state)
{
    const double one[] = {500};
    const struct slw_connection wire = {.peer = "1.2.3.4:5", .pid = -1, .reads = 1};
    struct versus v = compare(one, one, 1);

    (void)state;
    assert_true(judge(&v)->exact);
    versus_free(&v);
    v = compare(one, one, 1);
    assert_int_equal(slw_run_add_connection(v.b, &wire, NULL), 0);
    assert_false(judge(&v)->exact);
    versus_free(&v);
}

/* What the wire carried is no simulation; of a client that nobody answers it repeats as well. */
static void what_is_counted_beside_repeats_where_nothing_answers(void **state)
{
    const double cycles[] = {1000, 1000}, more[] = {1100, 1100}, same[] = {16, 16};
    const struct slw_connection wire = {.peer = "1.2.3.4:5", .pid = -1, .reads = 1};

    (void)state;
    for (unsigned answered = 0; answered < 2; answered++) {
        struct versus v = compare(cycles, more, 2);

        for (unsigned arm = 0; arm < 2; arm++) {
            struct slw_run *run = arm ? v.b : v.a;

            versus_add(run, "requests_per_flush", same, 2);
            run->observations[run->observation_count - 1].from.source = SLW_SOURCE_SOFTWARE;
            if (answered)
                assert_int_equal(slw_run_add_connection(run, &wire, NULL), 0);
        }
        const struct slw_metric_row *main = judge(&v);
        const struct slw_metric_row *beside =
            slw_comparison_find(v.comparison, "requests_per_flush");

        assert_int_equal(beside->exact, !answered);
        assert_int_equal(beside->judgement.word,
                         answered ? SLW_JUDGED_INCONCLUSIVE : SLW_JUDGED_NO_CHANGE);
        assert_true(main->exact);
        assert_false(slw_row_has_star(main)); /* there is no chance that could have made it */
        assert_null(find_note(v.comparison, "few-rounds"));
        assert_string_equal(slw_comparison_weight(v.comparison), "slots");
        versus_free(&v);
    }
}

/* Each arm known to `step`; 0: it is not known how well. */
static struct versus compare_sampled(double a, double b, double step)
{
    const double base[] = {a, a}, other[] = {b, b};
    struct versus v = compare(base, other, 2);

    for (int arm = 0; arm < 2; arm++) {
        struct slw_run *run = arm ? v.b : v.a;

        run->observations[0].from.detail = "reference core X, user mode, 4 % timed";
        run->observations[0].step = step;
    }
    return v;
}

static void what_was_timed_in_part_has_an_interval(void **state)
{
    struct versus v = compare_sampled(10000, 10001, 100);
    const struct slw_metric_row *row = judge(&v);

    (void)state;
    assert_false(row->exact);
    assert_true(row->sampled);
    assert_near(row->difference.high, hypot(0.01, 0.01),
                0.0002); /* both are off, in either direction */
    assert_near(row->difference.low, -hypot(0.01, 0.01), 0.0003);
    assert_int_equal(row->judgement.word, SLW_JUDGED_NO_CHANGE);
    assert_non_null(strstr(v.comparison->verdict_basis, "of which parts were timed"));
    assert_null(strstr(v.comparison->verdict_basis, "pairs"));
    versus_free(&v);
    v = compare_sampled(10000, 10000, 100); /* one execution, timed in the same places */
    assert_true(judge(&v)->exact);
    versus_free(&v);
    v = compare_sampled(10000, 10250, 100); /* around the margin of 2 % */
    row = judge(&v);
    assert_int_equal(row->judgement.word, SLW_JUDGED_INCONCLUSIVE);
    assert_int_equal(row->forecast.kind, SLW_FORECAST_NONE); /* more rounds say the same */
    versus_free(&v);
    v = compare_sampled(10000, 10500, 100);
    row = judge(&v);
    assert_int_equal(row->judgement.word, SLW_JUDGED_REGRESSED);
    assert_near(row->difference.p, erfc(log(1.05) / hypot(0.01, 0.01) * M_SQRT2), 1e-6);
    versus_free(&v);
}

static const struct slw_metric_row *judge_share(struct versus *v, double a, double a_step, double b,
                                                double b_step)
{
    for (int arm = 0; arm < 2; arm++) {
        struct slw_run *run = arm ? v->b : v->a;
        const double both[] = {arm ? b : a, arm ? b : a};

        versus_add(run, "share.l2", both, 2);
        struct slw_observation *o = &run->observations[run->observation_count - 1];

        o->unit = "share";
        o->from = run->observations[0].from;
        o->step = arm ? b_step : a_step;
    }
    (void)judge(v);
    return slw_comparison_find(v->comparison, "share.l2");
}

static void assert_change(const struct slw_metric_row *row, const char *change)
{
    struct slw_buf b = {0};

    slw_row_put_change(&b, row);
    if (slw_row_has_interval(row)) {
        slw_buf_putc(&b, ' ');
        slw_row_put_interval(&b, row);
    }
    assert_false(slw_buf_failed(&b));
    assert_string_equal(b.data, change);
    slw_buf_release(&b);
}

/* Where one of them is nothing there is no ratio. */
static void shares_of_what_was_timed_in_part_are_compared(void **state)
{
    struct versus v = compare_sampled(10000, 10001, 100);
    const struct slw_metric_row *row = judge_share(&v, 0, 0, 0.01, 0.003);

    (void)state;
    assert_true(row->sampled);
    assert_null(row->absent);
    assert_near(row->difference.low, 0.007, 1e-9);
    assert_near(row->difference.high, 0.013, 1e-9);
    assert_change(row, "+1.0pt [+0.70, +1.3]");
    versus_free(&v);

    v = compare_sampled(10000, 10001, 100);
    row = judge_share(&v, 0.00001, 0.00001, 0, 0);
    assert_true(row->sampled);
    assert_change(row, "-<0.01pt [-<0.01, +0.00]");
    versus_free(&v);

    v = compare_sampled(10000, 10001, 100);
    row = judge_share(&v, 0.02, 0.003, 0.04, 0.004);
    assert_true(row->sampled);
    assert_near(row->difference.low, log(2) - hypot(log1p(0.15), log1p(0.1)), 0.02);
    versus_free(&v);

    v = compare_sampled(10000, 10001, 100);
    row = judge_share(&v, 0.02, 0, 0.04, 0.004); /* something, and nobody knows how well */
    assert_non_null(row->absent);
    assert_non_null(strstr(row->absent, "simulate with --full"));
    versus_free(&v);
}

static void what_was_timed_in_part_and_nobody_knows_how_well_is_no_difference(void **state)
{
    struct versus v = compare_sampled(10000, 20000, 0);
    struct slw_error err = {0};

    (void)state;
    assert_int_equal(slw_comparison_new(&v.in, &v.comparison, &err), -SLW_E_NODATA);
    assert_non_null(strstr(err.text, "simulate with --full"));
    versus_free(&v);
}

static void machines_may_differ_and_cores_may_not(void **state)
{
    const double one[] = {500};
    struct slw_error err = {0};
    struct versus v = compare(one, one, 1);

    (void)state;
    versus_apart(&v);
    v.b->host.kernel = "7.0.0";
    v.b->host.cpu.name = "Another CPU";
    assert_int_equal(judge(&v)->judgement.word, SLW_JUDGED_NO_CHANGE);
    assert_int_equal(v.comparison->gate, SLW_GATE_PASSED);
    versus_free(&v);
    v = compare(one, one, 1);
    versus_apart(&v);
    v.b->model.version = "zen4";
    assert_int_equal(slw_comparison_new(&v.in, &v.comparison, &err), -SLW_E_INVAL);
    assert_non_null(strstr(err.text, "described core"));
    versus_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_counts_are_identical),
        cmocka_unit_test(a_difference_is_held_against_the_margin),
        cmocka_unit_test(rounds_that_differ_are_not_exact),
        cmocka_unit_test(one_execution_is_exact_only_where_nothing_answers),
        cmocka_unit_test(what_is_counted_beside_repeats_where_nothing_answers),
        cmocka_unit_test(what_was_timed_in_part_has_an_interval),
        cmocka_unit_test(shares_of_what_was_timed_in_part_are_compared),
        cmocka_unit_test(what_was_timed_in_part_and_nobody_knows_how_well_is_no_difference),
        cmocka_unit_test(machines_may_differ_and_cores_may_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
