/* SPDX-License-Identifier: MIT */
/* Which counts a node is computed from when an event was counted several times. */
#include "analyzer/inputs.h"
#include "tests/report_fixture.h"

static const char model_text[] =
    "{\"name\":\"toy\",\"title\":\"Toy\",\"arch\":\"x86_64\",\"pmu\":\"cpu\","
    "\"source\":{\"document\":\"d\",\"version\":\"1\",\"date\":\"2024-01-01\"},"
    "\"cpu\":{\"slots_per_cycle\":1,\"general_counters\":4,\"fixed_counters\":0},\"match\":[],"
    "\"events\":{\"clk\":{\"event\":\"0x3c\"},\"fe\":{\"event\":\"0x02\"},"
    "\"be\":{\"event\":\"0x03\"},\"fe:c6\":{\"event\":\"0x02\",\"cmask\":6}},"
    "\"tree\":[{\"name\":\"frontend_bound\",\"title\":\"Frontend Bound\",\"level\":1,"
    "\"formula\":\"fe / clk\",\"unit\":\"slots\",\"what\":\"w\",\"look_at\":\"l\"},"
    "{\"name\":\"backend_bound\",\"title\":\"Backend Bound\",\"level\":1,"
    "\"formula\":\"be / clk\",\"unit\":\"slots\",\"what\":\"w\",\"look_at\":\"l\"}],"
    "\"metrics\":[{\"name\":\"both\",\"title\":\"Both\",\"formula\":\"(fe + be) / clk + fe:c6 * "
    "0\","
    "\"unit\":\"ratio\",\"range\":[0,9],\"what\":\"w\",\"look_at\":\"l\"}],"
    "\"checks\":[{\"why\":\"hand-computed\",\"counts\":{\"clk\":100,\"fe\":60,\"be\":40,\"fe:c6\":"
    "1},"
    "\"expect\":{\"frontend_bound\":[0.6,1e-9],\"backend_bound\":[0.4,1e-9],"
    "\"both\":[1,1e-9]}}]}";

static int add(struct fixture *f, const char *event, uint64_t raw, int group, int covered_bp)
{
    const struct slw_count c = {.event = event,
                                .unit = "events",
                                .from = {SLW_SOURCE_HARDWARE, true, "test"},
                                .group = group,
                                .pid = -1,
                                .tid = -1,
                                .cpu = -1,
                                .raw = raw,
                                .scaled = true,
                                .covered_bp = covered_bp};
    assert_int_equal(slw_run_add_count(f->run, &c, NULL), 0);
    return (int)f->run->count_count - 1;
}

static void printed(struct fixture *f, const char *name, int count_index)
{
    const struct slw_printed p = {.name = name, .value = "1", .count_index = count_index};
    assert_int_equal(slw_run_add_printed(f->run, &p, NULL), 0);
}

static const struct slw_report_node *node(struct fixture *f, const char *name)
{
    static struct slw_model *m; /* of one test program, never changed */
    struct slw_error err = {0};

    if (!m && slw_model_parse(model_text, sizeof(model_text) - 1, "toy", &m, &err) < 0)
        fail_msg("%s: %s", err.where, err.text);
    slw_report_free(f->report);
    f->report = NULL;
    assert_int_equal(slw_report_new(f->run, f->stacks, m, &f->report, NULL), 0);
    return &f->report->nodes[slw_model_find_node(m, name)];
}

static void a_scaled_count_is_not_scaled_again(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add(&f, "clk", 100, -1, 2500);
    assert_non_null(node(&f, "both"));
    assert_int_equal(f.report->rows[0].events, 100);
    assert_near(f.report->rows[0].total.coverage, 0.25, 1e-12);
    fixture_free(&f);
}

static void the_smallest_group_that_counted_all_is_taken(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add(&f, "clk", 100, 0, 6000);
    add(&f, "fe", 10, 0, 6000);
    add(&f, "be", 20, 0, 6000);
    add(&f, "clk", 200, 1, 5500);
    add(&f, "fe", 100, 1, 5500);
    assert_near(node(&f, "frontend_bound")->value.value, 0.5, 1e-12);
    assert_near(node(&f, "backend_bound")->value.value, 0.2, 1e-12);
    assert_near(node(&f, "frontend_bound")->value.coverage, 0.55, 1e-12);
    assert_int_equal(f.report->topdown.stretches, 2);
    fixture_free(&f);
}

static void parts_counted_apart_that_do_not_add_up_give_no_verdict(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add(&f, "clk", 100, 0, 6000);
    add(&f, "fe", 70, 0, 6000);
    add(&f, "clk", 200, 1, 5500);
    add(&f, "be", 62, 1, 5500);
    assert_non_null(node(&f, "both"));
    assert_near(f.report->topdown.level1_sum, 1.01, 1e-9);
    assert_int_equal(f.report->topdown.status, SLW_TOPDOWN_UNDECIDED);
    assert_non_null(strstr(f.report->topdown.reason, "different times"));
    fixture_free(&f);
}

static void counts_of_all_the_time_fit_every_group(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add(&f, "clk", 100, -1, 10000);
    add(&f, "fe", 60, 0, 5000);
    add(&f, "be", 40, 1, 5000);
    assert_near(node(&f, "frontend_bound")->value.value, 0.6, 1e-12);
    assert_int_not_equal(node(&f, "frontend_bound")->stretch, SLW_STRETCH_SEVERAL);
    assert_near(node(&f, "backend_bound")->value.value, 0.4, 1e-12);
    fixture_free(&f);
}

static void no_group_with_all_events_is_said(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add(&f, "clk", 100, 0, 5000);
    add(&f, "fe", 60, 1, 5000);
    const struct slw_report_node *n = node(&f, "frontend_bound");
    assert_near(n->value.value, 0.6, 1e-12);
    assert_int_equal(n->stretch, SLW_STRETCH_SEVERAL);
    fixture_free(&f);
}

/* Ungrouped rows: the count next to which a tool printed the metric, then rows without one. */
static void a_row_with_another_metric_belongs_to_that_metric(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    int fe = add(&f, "fe", 10, -1, 10000);
    int clk = add(&f, "clk", 100, -1, 10000);
    add(&f, "fe", 12, 0, 10000);
    add(&f, "be", 30, -1, 10000);
    printed(&f, "tma_other", fe);
    printed(&f, "Frontend Bound", clk);
    assert_near(node(&f, "frontend_bound")->value.value, 0.12, 1e-12);
    fixture_free(&f);
    f = fixture_new();
    fe = add(&f, "fe", 10, -1, 10000);
    add(&f, "clk", 100, -1, 10000);
    add(&f, "fe", 12, 0, 10000);
    printed(&f, "tma_frontend_bound", fe);
    assert_near(node(&f, "frontend_bound")->value.value, 0.10, 1e-12);
    fixture_free(&f);
}

static void an_event_is_known_by_its_code(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add(&f, "r3c", 100, -1, 10000);
    add(&f, "r2", 60, -1, 10000);
    add(&f, "be", 40, -1, 10000);
    add(&f, "be:c6", 1, -1, 10000); /* no event of the model */
    assert_near(node(&f, "frontend_bound")->value.value, 0.6, 1e-12);
    assert_non_null(strstr(node(&f, "both")->value.absent, "fe:c6"));
    add(&f, "fe:c6:e0", 5, -1, 10000);
    assert_null(node(&f, "both")->value.absent);
    fixture_free(&f);
}

static void parts_of_one_group_are_added_once(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    for (int cpu = 0; cpu < 2; cpu++)
        for (int group = 0; group < 2; group++) {
            const int i = add(&f, "clk", 50 + (uint64_t)group * 100, group, 5000);
            const int k = add(&f, group ? "be" : "fe", 30, group, 5000);
            f.run->counts[i].cpu = f.run->counts[k].cpu = cpu;
        }
    assert_near(node(&f, "frontend_bound")->value.value, 0.6, 1e-12);
    assert_near(node(&f, "backend_bound")->value.value, 0.2, 1e-12);
    assert_int_equal(f.report->rows[0].events, 100); /* clk as the first group counted it */
    assert_int_equal(f.report->rows[0].part_count, 2);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scaled_count_is_not_scaled_again),
        cmocka_unit_test(the_smallest_group_that_counted_all_is_taken),
        cmocka_unit_test(parts_counted_apart_that_do_not_add_up_give_no_verdict),
        cmocka_unit_test(counts_of_all_the_time_fit_every_group),
        cmocka_unit_test(no_group_with_all_events_is_said),
        cmocka_unit_test(a_row_with_another_metric_belongs_to_that_metric),
        cmocka_unit_test(an_event_is_known_by_its_code),
        cmocka_unit_test(parts_of_one_group_are_added_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
