/* SPDX-License-Identifier: MIT */
/* What a report makes of counts of several executions. */
#include "analyzer/inputs.h"
#include "analyzer/renderer.h"
#include "analyzer/rounds.h"
#include "tests/toy_model_int.h"

static struct fixture f;
static struct slw_model *model;

static int set_up(void **state)
{
    (void)state;
    f = fixture_new();
    model = toy_model();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_free(&f);
    slw_model_free(model);
    return 0;
}

/* One round of two events in one group. */
static void add_round(int round, uint64_t slots, uint64_t stalled)
{
    toy_add(&f, (struct toy_count){"slots", slots, .group = 1, .round = round});
    toy_add(&f, (struct toy_count){"stalled", stalled, .group = 1, .round = round});
}

static const struct slw_report_row *row_of(const struct slw_report *r, const char *name)
{
    for (size_t i = 0; i < r->row_count; i++)
        if (strcmp(r->rows[i].name, name) == 0)
            return &r->rows[i];
    fail_msg("no row %s", name);
    return r->rows;
}

static void a_value_is_the_mean_of_the_rounds(void **state)
{
    (void)state;
    add_round(1, 1000, 600);
    add_round(2, 2000, 1000);
    add_round(3, 1000, 700);
    const struct slw_report *r = toy_report(&f, model);
    const struct slw_report_node *n = &r->nodes[TOY_BACKEND];
    assert_near(n->value.value, 0.6, 1e-12);
    assert_int_equal(n->round_count, 3);
    assert_true(n->value.interval.have);
    assert_near(n->value.interval.high, 0.6 + 4.302653 * 0.1 / 1.7320508, 1e-6);
    assert_near(n->value.interval.low, 1.2 - n->value.interval.high, 1e-9);
    assert_string_equal(slw_interval_from(&n->value.interval), "rounds");
    assert_non_null(strstr(r->verdict_basis, "3 rounds"));
}

static void a_count_is_the_mean_of_the_executions(void **state)
{
    (void)state;
    add_round(1, 1000, 600);
    add_round(2, 2001, 1000);
    const struct slw_report_row *row = row_of(toy_report(&f, model), "slots");
    assert_int_equal(row->execution_count, 2);
    assert_near(row->total.value, 1500.5, 1e-9);
    assert_int_equal(row->events, 1501);
    assert_true(row->total.interval.have);
    assert_near(row->total.interval.low, 0, 1e-9); /* 12.7 * 500 below the mean, but no less */
}

/* Passes of one round are different executions: their counts are not mixed where one has all. */
static void passes_are_not_mixed(void **state)
{
    (void)state;
    toy_add(&f, (struct toy_count){"slots", 1000, .group = 1, .round = 1, .pass = 1});
    toy_add(&f, (struct toy_count){"stalled", 600, .group = 1, .round = 1, .pass = 1});
    toy_add(&f, (struct toy_count){"slots", 4000, .group = 2, .round = 1, .pass = 2});
    toy_add(&f, (struct toy_count){"missed", 1000, .group = 2, .round = 1, .pass = 2});
    const struct slw_report *r = toy_report(&f, model);
    assert_near(r->nodes[TOY_BACKEND].value.value, 0.6, 1e-12);
    assert_near(r->nodes[TOY_MISS_RATIO].value.value, 0.25, 1e-12);
    assert_int_equal(r->nodes[TOY_BACKEND].round_count, 1);
    assert_false(r->nodes[TOY_BACKEND].value.interval.have); /* one round tells of no other */
    assert_near(row_of(r, "slots")->total.value, 2500, 1e-9);
}

static void values_made_of_several_passes_are_said_to_be(void **state)
{
    (void)state;
    for (int round = 1; round <= 2; round++) {
        toy_add(&f, (struct toy_count){"slots", 1000, .group = 1, .round = round, .pass = 1});
        toy_add(&f, (struct toy_count){"stalled", 600, .group = 2, .round = round, .pass = 2});
    }
    const struct slw_report *r = toy_report(&f, model);
    assert_int_equal(r->nodes[TOY_BACKEND].stretch, SLW_STRETCH_SEVERAL);
    assert_true(r->nodes[TOY_BACKEND].in_passes);
}

static void counts_in_any_order_make_the_same_rounds(void **state)
{
    (void)state;
    toy_add(&f, (struct toy_count){"stalled", 700, .group = 1, .round = 2});
    toy_add(&f, (struct toy_count){"slots", 1000, .group = 1, .round = 1});
    toy_add(&f, (struct toy_count){"slots", 1000, .group = 1, .round = 2});
    toy_add(&f, (struct toy_count){"stalled", 500, .group = 1, .round = 1});
    const struct slw_report *r = toy_report(&f, model);
    assert_near(r->nodes[TOY_BACKEND].value.value, 0.6, 1e-12);
    assert_int_equal(slw_rounds_count(f.run), 2);
    assert_int_equal(row_of(r, "slots")->execution_count, 2);
}

static void a_round_without_a_value_is_left_to_the_others(void **state)
{
    (void)state;
    add_round(1, 1000, 500);
    toy_add(&f, (struct toy_count){"slots", 1000, .group = 1, .round = 2});
    add_round(3, 1000, 700);
    const struct slw_report *r = toy_report(&f, model);
    assert_int_equal(r->nodes[TOY_BACKEND].round_count, 2);
    assert_near(r->nodes[TOY_BACKEND].value.value, 0.6, 1e-12);
    assert_non_null(r->nodes[TOY_MISS_RATIO].value.absent);
    assert_int_equal(r->nodes[TOY_MISS_RATIO].round_count, 0);
}

/* An implausible round is not averaged away. */
static void an_implausible_round_makes_the_value_mismeasured(void **state)
{
    (void)state;
    add_round(1, 1000, 500);
    add_round(2, 1000, 5000);
    const struct slw_report *r = toy_report(&f, model);
    assert_true(r->nodes[TOY_BACKEND].mismeasured);
    assert_false(r->nodes[TOY_BACKEND].value.interval.have);
    assert_int_equal(r->topdown.status, SLW_TOPDOWN_UNDECIDED);
}

/* 52 % against 48 %: one execution cannot tell, many that agree can. */
static void rounds_that_agree_decide_what_one_execution_cannot(void **state)
{
    (void)state;
    toy_add(&f, (struct toy_count){"slots", 1000, .group = 1});
    toy_add(&f, (struct toy_count){"stalled", 520, .group = 1});
    assert_int_equal(toy_report(&f, model)->topdown.status, SLW_TOPDOWN_UNDECIDED);
    fixture_free(&f);
    f = fixture_new();
    for (int round = 1; round <= 10; round++)
        add_round(round, 1000, round % 2 ? 519 : 521);
    const struct slw_report *r = toy_report(&f, model);
    assert_int_equal(r->topdown.status, SLW_TOPDOWN_FOUND);
    assert_int_equal(r->topdown.bottleneck, TOY_BACKEND);
}

static void rounds_that_disagree_leave_it_undecided(void **state)
{
    (void)state;
    for (int round = 1; round <= 10; round++)
        add_round(round, 1000, round % 2 ? 350 : 850);
    const struct slw_report *r = toy_report(&f, model);
    assert_near(r->nodes[TOY_BACKEND].value.value, 0.6, 1e-12);
    assert_int_equal(r->topdown.status, SLW_TOPDOWN_UNDECIDED);
    assert_int_equal(r->topdown.rival, TOY_RETIRING);
    assert_non_null(strstr(r->verdict, "undecided"));
}

static void what_was_counted_all_of_the_time_has_no_interval(void **state)
{
    (void)state;
    toy_add(&f, (struct toy_count){"slots", 1000, .group = 1});
    toy_add(&f, (struct toy_count){"stalled", 600, .group = 1});
    const struct slw_report *r = toy_report(&f, model);
    assert_false(r->nodes[TOY_BACKEND].value.interval.have);
    assert_int_equal(r->nodes[TOY_BACKEND].round_count, 0);
}

static void what_was_counted_part_of_the_time_has_one(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        toy_add(&f, (struct toy_count){i ? "stalled" : "slots", i ? 300 : 500, .group = 1,
                                       .running_ns = 500000000});
    const struct slw_report *r = toy_report(&f, model);
    const struct slw_interval *i = &r->nodes[TOY_BACKEND].value.interval;
    const struct slw_share s = slw_share_of(60, 100, 100); /* 50 turns of 10 ms, half of all */
    assert_string_equal(slw_interval_from(i), "coverage");
    assert_near(i->low, s.low, 1e-9);
    assert_near(i->high, s.high, 1e-9);
}

static void rendered_has(const char *renderer, const char *words)
{
    const struct slw_render_options o = {.width = 100};
    struct slw_buf b = {0};

    assert_int_equal(slw_renderer_find(renderer)->render(f.report, &o, &b, NULL), 0);
    if (!strstr(b.data, words))
        fail_msg("no '%s' in %s", words, b.data);
    slw_buf_release(&b);
}

static void every_renderer_shows_intervals(void **state)
{
    const struct slw_round left = {.round = 3,
                                   .wall_ns = {.value = 5},
                                   .exit = SLW_EXIT_SIGNAL,
                                   .exit_value = 9,
                                   .left_out = "killed"};

    (void)state;
    add_round(1, 1000, 590);
    add_round(2, 1000, 610);
    assert_int_equal(slw_run_add_round(f.run, &left, NULL), 0);
    (void)toy_report(&f, model);
    rendered_has("term", "60.0%    ±12.7");
    rendered_has("md", "| 60 % (47.3-72.7 %) |");
    rendered_has("json", "\"interval_from\": \"rounds\"");
    rendered_has("json", "\"left_out\": \"killed\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_value_is_the_mean_of_the_rounds),
        TEST(a_count_is_the_mean_of_the_executions),
        TEST(passes_are_not_mixed),
        TEST(values_made_of_several_passes_are_said_to_be),
        TEST(counts_in_any_order_make_the_same_rounds),
        TEST(a_round_without_a_value_is_left_to_the_others),
        TEST(an_implausible_round_makes_the_value_mismeasured),
        TEST(rounds_that_agree_decide_what_one_execution_cannot),
        TEST(rounds_that_disagree_leave_it_undecided),
        TEST(what_was_counted_all_of_the_time_has_no_interval),
        TEST(what_was_counted_part_of_the_time_has_one),
        TEST(every_renderer_shows_intervals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
