/* SPDX-License-Identifier: MIT */
/* Words, gates and what is told of many metrics, on runs made for it. */
#include "analyzer/compare/words.h"
#include "tests/compare_asserts.h"

#include <stdio.h>

#define ROUNDS 20

/* ---- words ---- */

static void less_cpu_is_improved_and_less_throughput_regressed(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);

    versus_both(&v, "cpu_per_request", 10000, 8200, ROUNDS);
    versus_both(&v, "requests_per_second", 10000, 8200, ROUNDS);
    versus_both(&v, "p50", 10000, 12000, ROUNDS);
    versus_both(&v, "p99", 10000, 10010, ROUNDS);
    versus_both(&v, "depth", 10, 12, ROUNDS);
    const struct slw_comparison *c = versus_compare(&v);
    assert_word(c, "cpu_per_request", "improved");
    assert_word(c, "requests_per_second", "regressed");
    assert_word(c, "p50", "regressed");
    assert_word(c, "p99", "no change");
    assert_word(c, "depth", "higher"); /* neither good nor bad */
    assert_true(c->main_row == 0 && c->rows[0].rank == SLW_METRIC_GATED);
    assert_int_equal(c->gate, SLW_GATE_PASSED);
    assert_non_null(strstr(c->verdict, "B uses 17.9 % less CPU time per request than A (0.82"));
    assert_non_null(strstr(c->verdict, "20 pairs): improved"));
    versus_free(&v);
}

static void a_difference_below_the_margin_is_none(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);

    versus_both(&v, "cpu_per_request", 10000, 10100, ROUNDS);
    assert_word(versus_compare(&v), "cpu_per_request", "no change");
    v.in.margin = .001;
    assert_word(versus_compare(&v), "cpu_per_request", "regressed");
    v.in.margin = .01; /* on the edge */
    const struct slw_comparison *c = versus_compare(&v);
    assert_word(c, "cpu_per_request", "inconclusive");
    assert_true(row_of(c, "cpu_per_request")->judgement.unsettled);
    assert_non_null(strstr(c->verdict, "a difference is real, its size is not settled"));
    assert_int_equal(c->gate, SLW_GATE_INCONCLUSIVE);
    versus_free(&v);
}

static void fewer_than_six_rounds_give_no_word(void **state)
{
    (void)state;
    for (size_t rounds = 1; rounds < 7; rounds++) {
        struct versus v = versus_new(rounds);

        versus_both(&v, "cpu_per_request", 10000, 5000, rounds);
        const struct slw_comparison *c = versus_compare(&v);
        assert_word(c, "cpu_per_request", rounds < 6 ? "inconclusive" : "improved");
        assert_int_equal(c->gate, rounds < 6 ? SLW_GATE_INCONCLUSIVE : SLW_GATE_PASSED);
        assert_int_equal(strstr(c->verdict, "needs >= 6 rounds") != NULL, rounds < 6);
        versus_free(&v);
    }
}

static void values_that_are_missing_go_with_their_pair(void **state)
{
    (void)state;
    struct versus v = versus_new(8);
    const double a[] = {100, (double)NAN, 100, 100, 100, 100, 100, 100};
    const double b[] = {90, 1000, 91, (double)INFINITY, 90, 91, 90, 91, 17};

    versus_add(v.a, "cpu_per_request", a, 8);
    versus_add(v.b, "cpu_per_request", b, 9);
    const struct slw_comparison *c = versus_compare(&v);
    const struct slw_metric_row *row = row_of(c, "cpu_per_request");
    assert_int_equal(row->pairs.used, 6);
    assert_int_equal(row->pairs.dropped, 3);
    assert_word(c, "cpu_per_request", "improved");
    assert_non_null(find_note(c, "dropped-pairs"));
    versus_free(&v);
}

static void zeros_have_no_ratio(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);
    double none[ROUNDS] = {0}, some[ROUNDS];
    struct slw_buf b = {0};

    for (size_t i = 0; i < ROUNDS; i++)
        some[i] = .5 + (double)(i % 3) / 100;
    versus_add(v.a, "errors_per_request", none, ROUNDS);
    versus_add(v.b, "errors_per_request", some, ROUNDS);
    versus_add(v.a, "major_faults_per_request", none, ROUNDS);
    versus_add(v.b, "major_faults_per_request", none, ROUNDS);
    versus_both(&v, "cpu_per_request", 1, 1, ROUNDS);
    const struct slw_comparison *c = versus_compare(&v);
    const struct slw_metric_row *row = row_of(c, "errors_per_request");
    assert_int_equal(row->kind, SLW_PAIRS_DIFFERENCE);
    assert_word(c, "errors_per_request", "regressed");
    slw_row_put_change(&b, row);
    assert_string_equal(b.data, "+0.51");
    slw_buf_release(&b);
    slw_row_put_ratio(&b, row);
    assert_non_null(strstr(b.data, "ratio undefined"));
    slw_buf_release(&b);
    slw_row_put_change(&b, row_of(c, "major_faults_per_request"));
    assert_string_equal(b.data, "identical (0)");
    slw_buf_release(&b);
    assert_word(c, "major_faults_per_request", "no change");
    assert_non_null(find_note(c, "errors"));
    versus_free(&v);
}

static void counts_that_never_vary_are_deterministic(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);
    double a[ROUNDS], b[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        a[i] = 1;
        b[i] = 16;
    }
    versus_add(v.a, "requests_per_flush", a, ROUNDS);
    versus_add(v.b, "requests_per_flush", b, ROUNDS);
    const struct slw_metric_row *row = row_of(versus_compare(&v), "requests_per_flush");
    assert_true(row->deterministic && row->difference.low == row->difference.high);
    assert_string_equal(slw_row_word(row), "improved");
    versus_free(&v);
}

static void coarse_values_are_known_to_a_step_only(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);

    versus_both(&v, "p99", 100000, 104000, ROUNDS);
    v.a->observations[0].step = v.b->observations[0].step = 10000;
    const struct slw_metric_row *row = row_of(versus_compare(&v), "p99");
    assert_int_equal(row->judgement.margin.from, SLW_MARGIN_RESOLUTION);
    assert_true(row->difference.low < -.03 && row->difference.high > .1);
    assert_string_equal(slw_row_word(row), "inconclusive");
    versus_free(&v);
}

static void equivalence_may_be_judged_at_90_percent(void **state)
{
    (void)state;
    struct versus v = versus_new(10);
    const double b[] = {1.010, .999, 1.021, .992, 1.012, 1.007, .994, 1.003, 1.0205, 1.004};
    const double a[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

    versus_add(v.a, "cpu_per_request", a, 10);
    versus_add(v.b, "cpu_per_request", b, 10);
    v.in.margin = .0145;
    assert_word(versus_compare(&v), "cpu_per_request", "inconclusive");
    v.in.equivalence_90 = true;
    const struct slw_comparison *c = versus_compare(&v);
    assert_word(c, "cpu_per_request", "no change");
    assert_non_null(strstr(c->verdict_basis, "at 90 %"));
    versus_free(&v);
}

/* ---- the floor ---- */

static void the_floor_widens_the_margin(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);
    struct slw_floor floor = {
        .metric = "cpu_per_request", .pairs = ROUNDS, .floor = .10, .tests = 1};

    versus_both(&v, "cpu_per_request", 10000, 10500, ROUNDS);
    v.experiment->floors = &floor;
    v.experiment->floor_count = 1;
    const struct slw_comparison *c = versus_compare(&v);
    assert_word(c, "cpu_per_request", "no change");
    assert_non_null(find_note(c, "weak-floor"));
    assert_non_null(strstr(c->verdict_basis, "A/A floor 11 % (1 A/A, weak)"));
    floor.tests = 3;
    assert_null(find_note(versus_compare(&v), "weak-floor"));
    versus_free(&v);
}

static void a_gate_does_not_fail_on_what_a_a_shows_too(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);
    struct slw_floor floor = {
        .metric = "cpu_per_request", .pairs = ROUNDS, .floor = .10, .tests = 3};

    versus_both(&v, "cpu_per_request", 10000, 10500, ROUNDS);
    v.experiment->floors = &floor;
    versus_gates(&v, "cpu_per_request>+3%");
    assert_int_equal(versus_compare(&v)->gate, SLW_GATE_REGRESSED);
    v.experiment->floor_count = 1;
    assert_int_equal(versus_compare(&v)->gate, SLW_GATE_INCONCLUSIVE);
    versus_free(&v);
}

static void arms_that_differ_from_themselves_are_not_judged(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);
    struct slw_floor floor = {
        .metric = "cpu_per_request", .pairs = ROUNDS, .floor = .001, .tests = 2, .differs = true};

    versus_both(&v, "cpu_per_request", 10000, 20000, ROUNDS);
    v.experiment->floors = &floor;
    v.experiment->floor_count = 1;
    const struct slw_comparison *c = versus_compare(&v);
    assert_word(c, "cpu_per_request", "inconclusive");
    assert_int_equal(c->gate, SLW_GATE_INCONCLUSIVE);
    assert_non_null(strstr(c->verdict, "A/A"));
    assert_non_null(find_note(c, "a-a-differs"));
    versus_free(&v);
}

/* ---- gates ---- */

static enum slw_judged gate_word(struct versus *v, const char *gate)
{
    versus_gates(v, gate);
    return versus_compare(v)->rows[0].gate_word;
}

static void gates_are_judged_on_the_interval(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);

    versus_both(&v, "cpu_per_request", 10000, 10500, ROUNDS);
    versus_both(&v, "requests_per_flush", 10, 8.5, ROUNDS);
    assert_int_equal(gate_word(&v, "cpu_per_request>+3%"), SLW_JUDGED_REGRESSED);
    assert_int_equal(gate_word(&v, "cpu_per_request>+10%"), SLW_JUDGED_NO_CHANGE);
    assert_int_equal(gate_word(&v, "cpu_per_request>+5%"), SLW_JUDGED_INCONCLUSIVE);
    assert_int_equal(v.comparison->rows[0].forecast.kind, SLW_FORECAST_ROUNDS);
    assert_string_equal(slw_row_word(&v.comparison->rows[0]), "regressed"); /* past the margin */
    assert_non_null(strstr(v.comparison->gate_reason, "more rounds would settle it"));
    assert_int_equal(gate_word(&v, "cpu_per_request<-1%"), SLW_JUDGED_NO_CHANGE);
    assert_int_equal(gate_word(&v, "requests_per_flush<-10%"), SLW_JUDGED_REGRESSED);
    assert_int_equal(gate_word(&v, "requests_per_flush<-20%"), SLW_JUDGED_NO_CHANGE);
    assert_int_equal(gate_word(&v, "requests_per_flush<-15%"), SLW_JUDGED_INCONCLUSIVE);
    assert_int_equal(gate_word(&v, "requests_per_flush>+1%"), SLW_JUDGED_NO_CHANGE);
    assert_non_null(find_note(v.comparison, "gate-direction"));
    versus_free(&v);
}

static void one_failing_gate_fails_all(void **state)
{
    (void)state;
    struct versus v = versus_batching(ROUNDS);

    versus_gates(&v, "cpu_per_request>+3%,p99>+5%,requests_per_flush<-10%");
    const struct slw_comparison *c = versus_compare(&v);
    assert_int_equal(c->gate, SLW_GATE_REGRESSED);
    assert_non_null(strstr(c->gate_reason, "p99: 4.5"));
    assert_int_equal(c->gated_count, 3);
    assert_true(fabs(c->alpha_gated - .05 / 3) < 1e-12);
    assert_string_equal(c->rows[0].metric, "cpu_per_request");
    assert_string_equal(c->rows[1].metric, "p99");
    assert_string_equal(c->rows[2].metric, "requests_per_flush");
    assert_true(c->rows[3].rank != SLW_METRIC_GATED);
    versus_gates(&v, "cpu_per_request>+3%,requests_per_flush<-10%");
    c = versus_compare(&v);
    assert_int_equal(c->gate, SLW_GATE_PASSED);
    assert_string_equal(c->gate_reason, "all 2 gates hold");
    versus_free(&v);
}

static void gates_take_more_rounds_together(void **state)
{
    (void)state;
    struct versus v = versus_batching(7);

    versus_gates(&v, "cpu_per_request>+3%,p99>+5%,p50>+5%,requests_per_flush<-10%,requests_per_"
                     "second<-3%");
    const struct slw_comparison *c = versus_compare(&v);
    assert_int_equal(c->gate, SLW_GATE_INCONCLUSIVE);
    assert_non_null(find_note(c, "too-few-for-gates"));
    assert_string_equal(row_of(c, "p99")->why, "needs >= 8 rounds");
    versus_free(&v);
}

static void a_gate_on_nothing_is_a_usage_error(void **state)
{
    (void)state;
    struct versus v = versus_batching(ROUNDS);
    struct slw_error err;

    versus_gates(&v, "cpu_per_requst>+3%");
    assert_int_equal(refused(&v, &err), -SLW_E_USAGE);
    assert_non_null(strstr(err.text, "'cpu_per_requst'"));
    assert_non_null(strstr(err.text, "did you mean cpu_per_request"));
    versus_gates(&v, "major_faults_per_request>+3%");
    assert_int_equal(refused(&v, &err), -SLW_E_USAGE);
    assert_non_null(strstr(err.text, "was not measured"));
    versus_near(v.a, "max_latency", 5, 0, ROUNDS);
    versus_gates(&v, "max_latency>+3%");
    assert_int_equal(refused(&v, &err), -SLW_E_USAGE);
    assert_non_null(strstr(err.text, "never gated"));
    versus_free(&v);
}

static void a_gate_on_what_one_side_has_is_inconclusive(void **state)
{
    (void)state;
    struct versus v = versus_batching(ROUNDS);

    versus_near(v.a, "p90", 5, 0, ROUNDS);
    versus_gates(&v, "cpu_per_request>+3%,p90>+5%");
    const struct slw_comparison *c = versus_compare(&v);
    assert_int_equal(c->gate, SLW_GATE_INCONCLUSIVE);
    assert_string_equal(row_of(c, "p90")->absent, "only A has it");
    versus_free(&v);
}

/* ---- many metrics ---- */

static void one_number_in_other_words_counts_once(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);
    double a[ROUNDS], b[ROUNDS];

    versus_both(&v, "cpu_per_request", 1000, 900, ROUNDS);
    for (size_t i = 0; i < ROUNDS; i++) {
        a[i] = 3e9 / v.a->observations[0].values[i];
        b[i] = 3e9 / v.b->observations[0].values[i];
    }
    versus_add(v.a, "score", a, ROUNDS);
    versus_add(v.b, "score", b, ROUNDS);
    versus_both(&v, "requests_per_flush", 2, 3, ROUNDS);
    versus_both(&v, "flushes_per_request", .5, .33, ROUNDS);
    const struct slw_comparison *c = versus_compare(&v);
    assert_int_equal(row_of(c, "score")->rank, SLW_METRIC_ALIAS);
    assert_string_equal(row_of(c, "score")->alias_of, "cpu_per_request");
    assert_string_equal(row_of(c, "flushes_per_request")->alias_of, "requests_per_flush");
    assert_int_equal(row_of(c, "requests_per_flush")->rank, SLW_METRIC_SHOWN);
    assert_true(row_of(c, "flushes_per_request")->starred);
    versus_free(&v);
}

static void stars_take_pairs(void **state)
{
    (void)state;
    for (size_t rounds = 8; rounds <= 12; rounds += 4) {
        struct versus v = versus_new(rounds);
        char name[16];
        size_t stars = 0;

        versus_both(&v, "cpu_per_request", 1000, 1000, rounds);
        for (int i = 0; i < 15; i++) {
            (void)snprintf(name, sizeof(name), "m%d", i);
            versus_near(v.a, name, 1000, (size_t)i, rounds);
            versus_near(v.b, name, 2000 + i, (size_t)i + 2, rounds);
        }
        const struct slw_comparison *c = versus_compare(&v);
        for (size_t i = 0; i < c->row_count; i++)
            stars += c->rows[i].starred;
        assert_int_equal(stars, rounds == 8 ? 0 : 15);
        assert_int_equal(find_note(c, "no-stars") != NULL, rounds == 8);
        versus_free(&v);
    }
}

/* ---- latency ---- */

static void quantiles_of_few_and_unequal_requests_are_not_compared(void **state)
{
    (void)state;
    static const struct {
        double a, b;
        bool compared;
    } cases[] = {
        {3000, 3200, true}, {3000, 4000, false}, {9000, 30000, false}, {11000, 30000, true}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct versus v = versus_new(ROUNDS);

        versus_both(&v, "p99", 1000, 1500, ROUNDS);
        versus_both(&v, "cpu_per_request", 1000, 1500, ROUNDS);
        versus_both(&v, "requests", cases[i].a, cases[i].b, ROUNDS);
        const struct slw_metric_row *row = row_of(versus_compare(&v), "p99");
        assert_int_equal(row->absent == NULL, cases[i].compared);
        if (row->absent)
            assert_non_null(strstr(row->absent, "bound the rounds by requests"));
        versus_free(&v);
    }
}

/* ---- looks ---- */

static void automatic_rounds_are_judged_at_their_look(void **state)
{
    (void)state;
    static const struct {
        size_t rounds;
        double alpha;
    } cases[] = {{7, .0101},  {8, .0101},  {9, .0063}, {10, .0063},
                 {20, .0103}, {40, .0232}, {60, .0232}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct versus v = versus_new(cases[i].rounds);

        versus_both(&v, "cpu_per_request", 1000, 1500, cases[i].rounds);
        assert_true(versus_compare(&v)->alpha == .05);
        v.experiment->automatic = true;
        assert_true(versus_compare(&v)->alpha == cases[i].alpha);
        versus_free(&v);
    }
}

/* ---- the machine ---- */

static void drift_and_regimes_are_told(void **state)
{
    (void)state;
    struct versus v = versus_new(40);
    double a[40], b[40];

    for (size_t i = 0; i < 40; i++) {
        a[i] = 1000 * exp(.3 * (double)i / 40 + .001 * (double)(i % 3));
        b[i] = 900 * exp(.3 * (double)i / 40 + .001 * (double)(i % 5));
    }
    versus_add(v.a, "cpu_per_request", a, 40);
    versus_add(v.b, "cpu_per_request", b, 40);
    assert_non_null(find_note(versus_compare(&v), "drift"));
    assert_word(v.comparison, "cpu_per_request", "improved");
    versus_free(&v);
    v = versus_new(40);
    for (size_t i = 0; i < 40; i++) {
        a[i] = (i / 5 % 2 ? 1500 : 1000) + (double)(i % 3);
        b[i] = (i / 5 % 2 ? 1510 : 1010) + (double)(i % 5);
    }
    versus_add(v.a, "cpu_per_request", a, 40);
    versus_add(v.b, "cpu_per_request", b, 40);
    assert_non_null(find_note(versus_compare(&v), "regimes"));
    versus_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(less_cpu_is_improved_and_less_throughput_regressed),
        cmocka_unit_test(a_difference_below_the_margin_is_none),
        cmocka_unit_test(fewer_than_six_rounds_give_no_word),
        cmocka_unit_test(values_that_are_missing_go_with_their_pair),
        cmocka_unit_test(zeros_have_no_ratio),
        cmocka_unit_test(counts_that_never_vary_are_deterministic),
        cmocka_unit_test(coarse_values_are_known_to_a_step_only),
        cmocka_unit_test(equivalence_may_be_judged_at_90_percent),
        cmocka_unit_test(the_floor_widens_the_margin),
        cmocka_unit_test(a_gate_does_not_fail_on_what_a_a_shows_too),
        cmocka_unit_test(arms_that_differ_from_themselves_are_not_judged),
        cmocka_unit_test(gates_are_judged_on_the_interval),
        cmocka_unit_test(one_failing_gate_fails_all),
        cmocka_unit_test(gates_take_more_rounds_together),
        cmocka_unit_test(a_gate_on_nothing_is_a_usage_error),
        cmocka_unit_test(a_gate_on_what_one_side_has_is_inconclusive),
        cmocka_unit_test(one_number_in_other_words_counts_once),
        cmocka_unit_test(stars_take_pairs),
        cmocka_unit_test(quantiles_of_few_and_unequal_requests_are_not_compared),
        cmocka_unit_test(automatic_rounds_are_judged_at_their_look),
        cmocka_unit_test(drift_and_regimes_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
