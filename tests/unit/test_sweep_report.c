/* SPDX-License-Identifier: MIT */
/* What a sweep's report says of clients whose truth is known. */
#include "tests/sweep_fixture.h"

static const struct sweep_client good = {
    .fixed = 18900, .marginal = 2100, .batches = true, .slots = true};

static void fixed_and_marginal_cost_are_recovered(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(10, &good);
    const struct slw_sweep_report *r = fixture_made(f);
    const struct slw_sweep_curve *c = fixture_curve(r, "cpu_per_request", NULL);

    assert_true(r->observed_x);
    assert_null(c->absent);
    assert_true(c->fit.fits && c->fit.tested);
    assert_int_equal(c->blocks, 10);
    /* The blocks' wave scales both costs; its centre is a block's. */
    assert_near(c->fit.fixed.estimate / 18900, 1.005, .01);
    assert_near(c->fit.fixed.estimate / c->fit.marginal.estimate, 9, 1e-6);
    assert_true(c->fit.fixed.low <= 18900 && c->fit.fixed.high >= 18900);
    assert_true(c->fit.marginal.low <= 2100 && c->fit.marginal.high >= 2100);
    assert_true(c->knee_known && c->knee.beyond);
    assert_near(c->knee.at, 90, 1e-6);
    assert_near(c->removed, 1 - (18900. / 64 + 2100) / 21000, 1e-9);
    assert_near(c->removed_low, c->removed_high, 1e-9);
    fixture_free(f);
}

static void slots_say_what_of_it_was_the_front_end(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(10, &good);
    const struct slw_sweep_report *r = fixture_made(f);
    const struct slw_sweep_curve *c = fixture_curve(r, "cpu_per_request", NULL);

    assert_string_equal(c->part_of, "front-end");
    assert_near(c->part, .6, 1e-9);
    assert_non_null(strstr(r->verdict, "Batching removed 18.7 us of 21.1 us CPU time per request"));
    assert_non_null(strstr(r->verdict, "of which 60 % [60, 60] was front-end"));
    assert_true(fixture_curve(r, "slots.frontend_bound", NULL)->knee_known);
    fixture_free(f);
}

static void without_slots_the_system_time_is_told(void **state)
{
    (void)state;
    const struct sweep_client c = {.fixed = 18900, .marginal = 2100, .batches = true};
    struct sweep_fixture *f = fixture_sweep(10, &c);
    const struct slw_sweep_report *r = fixture_made(f);

    assert_string_equal(fixture_curve(r, "cpu_per_request", NULL)->part_of, "system time");
    assert_non_null(strstr(r->verdict, "of which 75 % [75, 75] was system time"));
    fixture_free(f);
}

static void a_knee_within_the_batches_has_a_price(void **state)
{
    (void)state;
    const struct sweep_client c = {.fixed = 3000, .marginal = 2000, .batches = true};
    struct sweep_fixture *f = fixture_sweep(10, &c);
    const struct slw_sweep_report *r = fixture_made(f);
    const struct slw_sweep_curve *cpu = fixture_curve(r, "cpu_per_request", NULL);

    assert_near(cpu->knee.at, 15, 1e-6);
    assert_false(cpu->knee.beyond);
    assert_non_null(strstr(cpu->text, "Gains end near 15"));
    assert_int_equal(r->price_count, 2);
    assert_true(r->prices[0].at_knee && !r->prices[1].at_knee);
    assert_int_equal(r->prices[0].to, 4); /* batch=16 */
    assert_int_equal(r->prices[1].to, 6);
    assert_near(r->prices[0].p99.value, 260. / 110, 1e-9);
    assert_near(r->prices[1].p50.value, 114. / 51, 1e-9);
    fixture_free(f);
}

static void a_cliff_does_not_fit_and_gives_no_costs(void **state)
{
    (void)state;
    const struct sweep_client c = {
        .fixed = 18900, .marginal = 2100, .cliff = 4000, .batches = true};
    struct sweep_fixture *f = fixture_sweep(10, &c);
    const struct slw_sweep_report *r = fixture_made(f);
    const struct slw_sweep_curve *cpu = fixture_curve(r, "cpu_per_request", NULL);

    assert_null(cpu->absent);
    assert_false(cpu->fit.fits);
    assert_false(cpu->knee_known);
    assert_true(cpu->knee_seen_known);
    assert_int_equal(cpu->knee_seen.first_sure, 5);
    assert_non_null(strstr(cpu->text, "does not fit"));
    assert_null(strstr(cpu->text, "Fixed cost"));
    assert_non_null(strstr(cpu->text, "Seen without a model, gains end at batch=32"));
    fixture_free(f);
}

static void no_fixed_cost_no_knee(void **state)
{
    (void)state;
    const struct sweep_client c = {.fixed = 0, .marginal = 2000, .batches = true};
    struct sweep_fixture *f = fixture_sweep(10, &c);
    const struct slw_sweep_report *r = fixture_made(f);
    const struct slw_sweep_curve *cpu = fixture_curve(r, "cpu_per_request", NULL);

    assert_false(cpu->knee_known);
    assert_int_equal(cpu->fit.knee, SLW_KNEE_NO_FIXED);
    assert_non_null(strstr(cpu->text, "no fixed cost"));
    assert_non_null(strstr(r->verdict, "not beyond chance"));
    fixture_free(f);
}

static void what_says_that_it_batches_and_does_not_is_told(void **state)
{
    (void)state;
    const struct sweep_client c = {.fixed = 18900, .marginal = 2100, .batches = false};
    struct sweep_fixture *f = fixture_sweep(10, &c);
    const struct slw_sweep_report *r = fixture_made(f);
    const struct slw_note *n = fixture_note(r, "does-not-batch");

    assert_false(r->observed_x);
    assert_int_equal(n->level, SLW_NOTE_WARNING);
    assert_string_equal(n->text,
                        "batch=64 asked for, 1.0 requests a flush observed: it does not batch.");
    assert_memory_equal(r->verdict, "It does not batch: batch=64 asked for", 37);
    fixture_free(f);
}

/* Half of what was asked for: x is what was observed. */
static void batches_that_differ_are_told(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_new(8);

    for (size_t i = 0; i < FIXTURE_POINTS; i++)
        fixture_client(f, fixture_arm(f, "batch", fixture_batches[i], NULL, NULL),
                       (i == 0 ? 1 : .5) * atof(fixture_batches[i]) + (i == 1 ? .5 : 0), &good);
    const struct slw_sweep_report *r = fixture_made(f);
    assert_true(r->observed_x);
    assert_near(r->points[6].x, 32, 1e-12);
    assert_near(r->points[6].parameter, 64, 1e-12);
    assert_false(fixture_has_note(r, "does-not-batch"));
    assert_true(fixture_has_note(r, "batch-differs"));
    assert_non_null(strstr(fixture_note(r, "batch-differs")->text, "observed"));
    fixture_free(f);
}

static void a_batch_that_stops_growing_is_no_axis(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_new(8);

    for (size_t i = 0; i < FIXTURE_POINTS; i++)
        fixture_client(f, fixture_arm(f, "batch", fixture_batches[i], NULL, NULL),
                       fmin(atof(fixture_batches[i]), 16), &good);
    const struct slw_sweep_report *r = fixture_made(f);
    assert_false(r->observed_x);
    assert_non_null(strstr(r->x_basis, "does not rise"));
    assert_string_equal(fixture_note(r, "batch-differs")->text,
                        "batch=64 asked for, 16.0 requests a flush observed.");
    assert_false(fixture_curve(r, "cpu_per_request", NULL)->fit.fits);
    fixture_free(f);
}

static void blocks_with_a_gap_are_left_out_and_told(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(10, &good);

    f->runs[2]->observations[0].values[4] = (double)NAN;
    f->runs[5]->observations[0].values[4] = (double)NAN;
    f->runs[6]->observations[0].values[9] = (double)NAN;
    const struct slw_sweep_report *r = fixture_made(f);
    const struct slw_sweep_curve *c = fixture_curve(r, "cpu_per_request", NULL);
    assert_int_equal(c->blocks, 8);
    assert_null(c->absent);
    assert_near(c->fit.fixed.estimate / c->fit.marginal.estimate, 9, 1e-6);
    assert_true(fixture_has_note(r, "blocks-left-out"));
    fixture_free(f);
}

static void too_few_blocks_make_a_table_without_intervals(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(5, &good);
    const struct slw_sweep_report *r = fixture_made(f);
    const struct slw_sweep_curve *c = fixture_curve(r, "cpu_per_request", NULL);

    assert_non_null(c->absent);
    assert_non_null(strstr(c->absent, "5 blocks"));
    assert_false(c->knee_known || c->knee_seen_known);
    assert_false(c->cost[0].interval.have);
    assert_null(c->cost[0].absent);
    assert_true(isfinite(c->removed) && isnan(c->removed_low) && isnan(c->removed_high));
    assert_null(c->part_of);
    assert_non_null(strstr(r->verdict, "too few to tell"));
    assert_null(strstr(r->verdict, "removed"));
    fixture_free(f);
}

static void three_batches_are_no_fit(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_new(8);

    for (size_t i = 0; i < 3; i++)
        fixture_client(f, fixture_arm(f, "batch", fixture_batches[i], NULL, NULL),
                       atof(fixture_batches[i]), &good);
    const struct slw_sweep_curve *c = fixture_curve(fixture_made(f), "cpu_per_request", NULL);
    assert_string_equal(c->absent, "3 values of batch, a fit takes 4");
    assert_non_null(strstr(f->report->verdict, "Batching removed"));
    fixture_free(f);
}

static void one_batch_has_nothing_to_compare_with(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_new(8);

    fixture_client(f, fixture_arm(f, "batch", "1", NULL, NULL), 1, &good);
    assert_non_null(strstr(fixture_made(f)->verdict, "nothing to compare"));
    assert_int_equal(f->report->price_count, 0);
    fixture_free(f);
}

static void without_cpu_time_the_reason_is_told(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_new(8);

    for (size_t i = 0; i < FIXTURE_POINTS; i++) {
        const size_t arm = fixture_arm(f, "batch", fixture_batches[i], NULL, NULL);
        const double none[8] = {(double)NAN, (double)NAN, (double)NAN, (double)NAN,
                                (double)NAN, (double)NAN, (double)NAN, (double)NAN};

        fixture_observe(f, arm, "cpu_per_request", "CPU time per request", "ns", none);
        f->runs[arm]->observations[0].absent = "no request was observed";
    }
    const struct slw_sweep_report *r = fixture_made(f);
    assert_string_equal(fixture_curve(r, "cpu_per_request", NULL)->absent,
                        "no request was observed");
    assert_string_equal(r->verdict, "CPU time per request is unknown: no request was observed.");
    assert_int_equal(r->curve_count, 1);
    fixture_free(f);
}

static void a_cost_of_zero_is_no_fit_and_no_failure(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(8, &good);

    f->runs[3]->observations[0].values[2] = 0;
    const struct slw_sweep_curve *c = fixture_curve(fixture_made(f), "cpu_per_request", NULL);
    assert_non_null(c->absent);
    assert_non_null(strstr(c->absent ? c->absent : "", "not above 0"));
    fixture_free(f);
}

static void depths_are_curves_of_their_own(void **state)
{
    (void)state;
    const struct sweep_client deep = {.fixed = 9000, .marginal = 3000, .batches = true};
    struct sweep_fixture *f = fixture_new(8);

    for (size_t i = FIXTURE_POINTS; i-- > 0;) { /* arms in any order */
        fixture_client(f, fixture_arm(f, "batch", fixture_batches[i], "depth", "4"),
                       atof(fixture_batches[i]), &deep);
        fixture_client(f, fixture_arm(f, "batch", fixture_batches[i], "depth", "1"),
                       atof(fixture_batches[i]), &good);
    }
    const struct slw_sweep_report *r = fixture_made(f);
    assert_int_equal(r->series_count, 2);
    assert_string_equal(r->series[0], "depth=4");
    assert_string_equal(r->others, "depth");
    const struct slw_sweep_curve *a = fixture_curve(r, "cpu_per_request", "depth=4");
    const struct slw_sweep_curve *b = fixture_curve(r, "cpu_per_request", "depth=1");
    assert_near(a->fit.fixed.estimate / a->fit.marginal.estimate, 3, 1e-6);
    assert_near(b->fit.fixed.estimate / b->fit.marginal.estimate, 9, 1e-6);
    assert_non_null(strstr(r->verdict, "depth=4: batching removed"));
    assert_non_null(strstr(r->verdict, "depth=1: batching removed"));
    for (size_t i = 1; i < a->point_count; i++)
        assert_true(r->points[a->points[i]].parameter > r->points[a->points[i - 1]].parameter);
    fixture_free(f);
}

/* Blocks that drift apart from block to block by more than they scatter. */
static void blocks_that_hang_together_are_told(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(12, &good);

    assert_false(fixture_has_note(fixture_made(f), "blocks-correlated"));
    for (size_t i = 0; i < FIXTURE_POINTS; i++)
        for (size_t k = 0; k < 12; k++)
            f->runs[i]->observations[0].values[k] *= 1 + .05 * (double)k;
    assert_true(fixture_has_note(fixture_made(f), "blocks-correlated"));
    fixture_free(f);
}

static void another_parameter_is_not_called_batching(void **state)
{
    (void)state;
    const struct sweep_client c = {.fixed = 18900, .marginal = 2100, .batches = false};
    struct sweep_fixture *f = fixture_new(8);

    for (size_t i = 0; i < FIXTURE_POINTS; i++) {
        const size_t arm = fixture_arm(f, "threads", fixture_batches[i], NULL, NULL);

        fixture_client(f, arm, 1, &c);
        for (size_t k = 0; k < 8; k++)
            f->runs[arm]->observations[0].values[k] /= (double)(i + 1);
    }
    const struct slw_sweep_report *r = fixture_made(f);
    assert_memory_equal(r->verdict, "Going from threads=1 to threads=64 removed", 42);
    assert_false(fixture_has_note(r, "does-not-batch"));
    assert_int_equal(fixture_note(r, "batches-unchanged")->level, SLW_NOTE_INFO);
    fixture_free(f);
}

static void dearer_is_told_as_dearer(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(8, &good);

    for (size_t k = 0; k < 8; k++)
        f->runs[6]->observations[0].values[k] *= 20;
    const struct slw_sweep_report *r = fixture_made(f);
    assert_non_null(strstr(r->verdict, "made CPU time per request dearer: 21.0 us -> 47.9 us"));
    assert_true(fixture_curve(r, "cpu_per_request", NULL)->removed_high < 0);
    fixture_free(f);
}

static void values_in_steps_widen_the_intervals(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(8, &good);
    const double narrow = fixture_made(f)->points[0].p50.interval.high;

    for (size_t i = 0; i < FIXTURE_POINTS; i++)
        for (size_t k = 0; k < f->runs[i]->observation_count; k++)
            f->runs[i]->observations[k].step = 1000;
    const struct slw_sweep_report *r = fixture_made(f);
    assert_near(r->points[0].p50.interval.high, narrow + 1000, 1e-6);
    assert_true(r->prices[0].p50.interval.high > r->prices[0].p50.value * 1.01);
    fixture_free(f);
}

/* A client that sends a batch as one statement: on the wire its requests fall and get dearer. */
static struct sweep_fixture *merging(bool counts_itself)
{
    struct sweep_fixture *f = fixture_new(8);

    for (size_t i = 0; i < FIXTURE_POINTS; i++) {
        const double batch = atof(fixture_batches[i]);
        const size_t arm = fixture_arm(f, "batch", fixture_batches[i], NULL, NULL);

        fixture_wave(f, arm, "cpu_per_request", "CPU time per request", "ns", 18900 + 2100 * batch);
        fixture_same(f, arm, "requests_per_flush", "requests per flush", "1", 1);
        fixture_same(f, arm, "requests", "requests", "requests", 6400 / batch);
        fixture_same(f, arm, "requests_per_second", "requests", "requests/s", 100);
        fixture_same(f, arm, "p50", "p50", "ns", 1000 * batch);
        assert_int_equal(slw_run_note(f->runs[arm], SLW_NOTE_WARNING, "requests-disagree", NULL,
                                      "they disagree"),
                         0);
        if (!counts_itself)
            continue;
        fixture_same(f, arm, "client_requests", "requests", "requests", 6400);
        fixture_same(f, arm, "client_p50", "p50", "ns", 77);
    }
    return f;
}

static void the_own_count_is_taken_where_statements_are_merged(void **state)
{
    (void)state;
    struct sweep_fixture *f = merging(true);
    const struct slw_sweep_report *r = fixture_made(f);
    const struct slw_sweep_curve *c = fixture_curve(r, "cpu_per_request", NULL);

    assert_true(r->own_count && r->observed_x);
    assert_near(r->points[6].batch_factor.value, 64, 1e-9);
    assert_near(r->points[6].throughput.value, 6400, 1e-6);
    assert_near(r->points[6].p50.value, 77, 1e-9);
    assert_near(c->fit.fixed.estimate / c->fit.marginal.estimate, 9, 1e-6);
    assert_true(c->from.imported);
    assert_non_null(strstr(r->count_basis, "stands for 1 of the client's own at batch=1 and for "
                                           "64 at batch=64"));
    assert_non_null(strstr(r->verdict, "Batching removed 18.6 us of 21.0 us"));
    assert_false(fixture_has_note(r, "requests-disagree"));
    assert_false(fixture_has_note(r, "does-not-batch"));
    fixture_free(f);
}

static void without_one_falling_requests_are_told_first(void **state)
{
    (void)state;
    struct sweep_fixture *f = merging(false);
    const struct slw_sweep_report *r = fixture_made(f);

    assert_false(r->own_count);
    assert_memory_equal(r->verdict, "Costs are told for a request as the wire tap counts it", 54);
    assert_true(fixture_has_note(r, "requests-fall"));
    assert_true(fixture_has_note(r, "requests-disagree"));
    assert_false(fixture_has_note(r, "does-not-batch"));
    fixture_free(f);
}

/* The client's own count a little beside the wire's, the same everywhere: the wire's is taken. */
static void counts_that_differ_evenly_change_nothing(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(8, &good);

    for (size_t i = 0; i < FIXTURE_POINTS; i++) {
        fixture_same(f, i, "requests", "requests", "requests", 1000);
        fixture_same(f, i, "client_requests", "requests", "requests", 2000 + (double)i);
    }
    assert_false(fixture_made(f)->own_count);
    fixture_free(f);
}

static void a_cost_that_reaches_zero_was_removed(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(8, &good);

    for (size_t k = 0; k < 8; k++)
        f->runs[6]->observations[1].values[k] = 0;
    const struct slw_sweep_curve *c = fixture_curve(fixture_made(f), "system_per_request", NULL);
    assert_near(c->removed, 1, 1e-12);
    assert_near(c->removed_low, 1, 1e-12);
    assert_non_null(c->absent);
    fixture_free(f);
}

static void constant_costs_gain_nothing_from_the_start(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(8, &good);

    for (size_t i = 0; i < FIXTURE_POINTS; i++)
        fixture_same(f, i, "bytes_sent_per_request", "bytes sent per request", "bytes",
                     36 + .0001 / (double)(1 << i));
    const struct slw_sweep_curve *c =
        fixture_curve(fixture_made(f), "bytes_sent_per_request", NULL);
    assert_true(c->knee_known);
    assert_non_null(strstr(c->text, "The smallest is within 10 % of the marginal cost already."));
    assert_non_null(strstr(c->text, "Fixed cost 0 bytes [0 bytes, 0 bytes]"));
    fixture_free(f);
}

static void warnings_of_the_runs_are_told_once(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(8, &good);

    for (size_t i = 0; i < FIXTURE_POINTS; i++) {
        assert_int_equal(
            slw_run_note(f->runs[i], SLW_NOTE_WARNING, "no-pmu", "a hint", "arm %zu has no PMU", i),
            0);
        assert_int_equal(slw_run_note(f->runs[i], SLW_NOTE_INFO, "idle", NULL, "nothing"), 0);
    }
    f->experiment.stopped = SLW_STOPPED_BUDGET;
    const struct slw_sweep_report *r = fixture_made(f);
    assert_string_equal(fixture_note(r, "no-pmu")->text, "arm 0 has no PMU");
    assert_true(fixture_has_note(r, "stopped"));
    assert_int_equal(r->note_count, 2);
    fixture_free(f);
}

/* ---- what is no sweep ---- */

static void assert_refused(struct sweep_fixture *f, enum slw_code code, const char *words)
{
    struct slw_error err = {0};

    assert_int_equal(fixture_report(f, &err), -(int)code);
    assert_null(f->report);
    if (!strstr(err.text, words))
        fail_msg("'%s' does not say '%s'", err.text, words);
    fixture_free(f);
}

static void no_arms_is_no_sweep(void **state)
{
    (void)state;
    assert_refused(fixture_new(8), SLW_E_NODATA, "no arms");
}

static void arms_without_parameters_are_no_sweep(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(8, &good);

    f->arms[0].parameter_count = 0;
    assert_refused(f, SLW_E_INVAL, "no parameters");
}

static void arms_of_different_parameters_are_no_sweep(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(8, &good);

    f->parameters[3][0].name = "depth";
    assert_refused(f, SLW_E_INVAL, "has no parameter 'batch'");
    f = fixture_sweep(8, &good);
    f->arms[3].parameter_count = 0;
    assert_refused(f, SLW_E_INVAL, "has 0 parameters");
}

static void batches_have_to_be_numbers_above_0(void **state)
{
    static const char *const bad[] = {"0", "-1", "many", "", "0x10", "nan", "inf", "1 ", "1e999"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sweep_fixture *f = fixture_sweep(8, &good);

        f->parameters[2][0].value = bad[i];
        assert_refused(f, SLW_E_INVAL, "numbers above 0");
    }
}

static void equal_arms_are_no_sweep(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(8, &good);

    f->parameters[2][0].value = "2.0";
    assert_refused(f, SLW_E_INVAL, "two arms have batch=2");
}

static void another_parameter_may_be_the_axis(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(8, &good);
    const struct slw_sweep_input in = {.experiment = &f->experiment,
                                       .runs = (const struct slw_run *const *)f->runs,
                                       .parameter = "depth"};
    struct slw_error err = {0};

    assert_int_equal(slw_sweep_report_new(&in, &f->report, &err), -SLW_E_INVAL);
    assert_non_null(strstr(err.text, "no parameter 'depth'"));
    fixture_free(f);
}

static void long_names_are_refused(void **state)
{
    (void)state;
    struct sweep_fixture *f = fixture_sweep(8, &good);
    char name[100];

    memset(name, '1', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    f->parameters[2][0].value = name;
    assert_refused(f, SLW_E_LIMIT, "longer than");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_and_marginal_cost_are_recovered),
        cmocka_unit_test(slots_say_what_of_it_was_the_front_end),
        cmocka_unit_test(without_slots_the_system_time_is_told),
        cmocka_unit_test(a_knee_within_the_batches_has_a_price),
        cmocka_unit_test(a_cliff_does_not_fit_and_gives_no_costs),
        cmocka_unit_test(no_fixed_cost_no_knee),
        cmocka_unit_test(what_says_that_it_batches_and_does_not_is_told),
        cmocka_unit_test(batches_that_differ_are_told),
        cmocka_unit_test(a_batch_that_stops_growing_is_no_axis),
        cmocka_unit_test(blocks_with_a_gap_are_left_out_and_told),
        cmocka_unit_test(too_few_blocks_make_a_table_without_intervals),
        cmocka_unit_test(three_batches_are_no_fit),
        cmocka_unit_test(one_batch_has_nothing_to_compare_with),
        cmocka_unit_test(without_cpu_time_the_reason_is_told),
        cmocka_unit_test(a_cost_of_zero_is_no_fit_and_no_failure),
        cmocka_unit_test(depths_are_curves_of_their_own),
        cmocka_unit_test(blocks_that_hang_together_are_told),
        cmocka_unit_test(another_parameter_is_not_called_batching),
        cmocka_unit_test(dearer_is_told_as_dearer),
        cmocka_unit_test(values_in_steps_widen_the_intervals),
        cmocka_unit_test(the_own_count_is_taken_where_statements_are_merged),
        cmocka_unit_test(without_one_falling_requests_are_told_first),
        cmocka_unit_test(counts_that_differ_evenly_change_nothing),
        cmocka_unit_test(a_cost_that_reaches_zero_was_removed),
        cmocka_unit_test(constant_costs_gain_nothing_from_the_start),
        cmocka_unit_test(warnings_of_the_runs_are_told_once),
        cmocka_unit_test(no_arms_is_no_sweep),
        cmocka_unit_test(arms_without_parameters_are_no_sweep),
        cmocka_unit_test(arms_of_different_parameters_are_no_sweep),
        cmocka_unit_test(batches_have_to_be_numbers_above_0),
        cmocka_unit_test(equal_arms_are_no_sweep),
        cmocka_unit_test(another_parameter_may_be_the_axis),
        cmocka_unit_test(long_names_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
