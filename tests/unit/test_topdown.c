/* SPDX-License-Identifier: MIT */
#include "analyzer/topdown.h"
#include "tests/report_fixture.h"

/* A tree of two levels with thresholds, as models publish them. */
enum { FRONTEND, BAD, BACKEND, RETIRING, MEMORY, CORE, NODES };

static const struct slw_model_node with_threshold = {.has_threshold = true};

struct tree {
    struct slw_report_node nodes[NODES];
};

static void node(struct tree *t, int i, const char *name, int level, int parent, double value,
                 bool flagged)
{
    t->nodes[i] =
        (struct slw_report_node){.name = name,
                                 .level = level,
                                 .parent = parent,
                                 .value = {.value = value, .unit = "slots", .coverage = 1},
                                 .flagged = flagged,
                                 .node = &with_threshold};
}

static struct tree backend_bound(void)
{
    struct tree t;

    node(&t, FRONTEND, "frontend_bound", 1, -1, 0.10, false);
    node(&t, BAD, "bad_speculation", 1, -1, 0.05, false);
    node(&t, BACKEND, "backend_bound", 1, -1, 0.55, true);
    node(&t, RETIRING, "retiring", 1, -1, 0.30, false);
    node(&t, MEMORY, "memory_bound", 2, BACKEND, 0.45, true);
    node(&t, CORE, "core_bound", 2, BACKEND, 0.10, false);
    return t;
}

static struct slw_topdown decide(const struct tree *t)
{
    struct slw_topdown d;
    slw_topdown_decide(t->nodes, NODES, &d);
    return d;
}

static void the_deepest_flagged_node_is_the_bottleneck(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    struct slw_topdown d = decide(&t);
    assert_int_equal(d.status, SLW_TOPDOWN_FOUND);
    assert_int_equal(d.bottleneck, MEMORY);
    assert_true(d.have_sum);
    assert_near(d.level1_sum, 1.0, 1e-9);
}

static void a_flagged_child_of_an_unflagged_node_is_not(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    t.nodes[BACKEND].flagged = false;
    t.nodes[RETIRING].flagged = true;
    struct slw_topdown d = decide(&t);
    assert_int_equal(d.status, SLW_TOPDOWN_FOUND);
    assert_int_equal(d.bottleneck, RETIRING);
}

static void two_close_candidates_are_undecided(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    t.nodes[FRONTEND].value.value = 0.30;
    t.nodes[FRONTEND].flagged = true;
    t.nodes[BACKEND].value.value = 0.34;
    t.nodes[RETIRING].value.value = 0.31;
    struct slw_topdown d = decide(&t);
    assert_int_equal(d.status, SLW_TOPDOWN_UNDECIDED);
    assert_int_equal(d.bottleneck, BACKEND);
    assert_int_equal(d.rival, FRONTEND);
    assert_non_null(d.reason);
}

static void poor_coverage_widens_too_close(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    t.nodes[FRONTEND].value.value = 0.28;
    t.nodes[FRONTEND].flagged = true;
    t.nodes[BACKEND].value.value = 0.37;
    assert_int_equal(decide(&t).status, SLW_TOPDOWN_FOUND);
    for (int i = 0; i < NODES; i++)
        t.nodes[i].value.coverage = 0.8;
    assert_int_equal(decide(&t).status, SLW_TOPDOWN_UNDECIDED);
}

static void close_children_end_the_path_above_them(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    t.nodes[MEMORY].value.value = 0.29;
    t.nodes[CORE].value.value = 0.26;
    t.nodes[CORE].flagged = true;
    struct slw_topdown d = decide(&t);
    assert_int_equal(d.status, SLW_TOPDOWN_FOUND);
    assert_int_equal(d.bottleneck, BACKEND);
}

static void a_child_without_value_ends_the_path(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    t.nodes[CORE].value.absent = "not counted";
    assert_int_equal(decide(&t).bottleneck, BACKEND);
}

static void low_coverage_gives_no_verdict(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    t.nodes[BAD].thin = true;
    struct slw_topdown d = decide(&t);
    assert_int_equal(d.status, SLW_TOPDOWN_UNDECIDED);
    assert_non_null(strstr(d.reason, "covered too little"));
}

static void a_level_that_does_not_add_up_gives_no_verdict(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    t.nodes[RETIRING].value.value = 0.40; /* 110 % */
    struct slw_topdown d = decide(&t);
    assert_int_equal(d.status, SLW_TOPDOWN_UNDECIDED);
    assert_non_null(strstr(d.reason, "does not add up"));
    assert_near(d.level1_sum, 1.1, 1e-9);
}

static void a_mismeasured_node_gives_no_verdict(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    t.nodes[BAD].mismeasured = true;
    struct slw_topdown d = decide(&t);
    assert_int_equal(d.status, SLW_TOPDOWN_UNDECIDED);
    assert_non_null(strstr(d.reason, "plausible range"));
}

static void nothing_above_its_threshold_is_balanced(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    t.nodes[BACKEND].flagged = false;
    assert_int_equal(decide(&t).status, SLW_TOPDOWN_BALANCED);
    assert_int_equal(decide(&t).bottleneck, -1);
}

static void without_published_thresholds_the_largest_leads(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    for (int i = 0; i < NODES; i++) {
        t.nodes[i].node = NULL;
        t.nodes[i].flagged = false;
    }
    struct slw_topdown d = decide(&t);
    assert_int_equal(d.status, SLW_TOPDOWN_FOUND);
    assert_int_equal(d.bottleneck, MEMORY);
}

static void no_counts_is_no_tree_with_the_reason(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    for (int i = 0; i < NODES; i++)
        t.nodes[i].value.absent = "not supported";
    struct slw_topdown d = decide(&t);
    assert_int_equal(d.status, SLW_TOPDOWN_NONE);
    assert_string_equal(d.reason, "not supported");
    assert_false(d.have_sum);
}

static void a_tree_that_points_at_itself_ends(void **state)
{
    (void)state;
    struct tree t = backend_bound();
    t.nodes[MEMORY].parent = MEMORY;
    t.nodes[CORE].parent = BACKEND;
    t.nodes[CORE].flagged = true;
    t.nodes[CORE].value.value = 0.5;
    assert_int_equal(decide(&t).bottleneck, CORE);
}

/* ---- from counts, through a model ---- */

static const char model_text[] =
    "{\"name\":\"toy\",\"title\":\"Toy\",\"arch\":\"any\",\"pmu\":\"cpu\","
    "\"source\":{\"document\":\"hand-made\",\"version\":\"1\",\"date\":\"2026-01-01\"},"
    "\"cpu\":{\"slots_per_cycle\":4,\"general_counters\":4,\"fixed_counters\":0},"
    "\"libpfm\":\"perf\","
    "\"events\":{\"slots\":{\"type\":\"raw\",\"config\":\"0x1\"},"
    "\"stalled\":{\"type\":\"raw\",\"config\":\"0x2\"}},"
    "\"tree\":[{\"name\":\"backend_bound\",\"title\":\"Backend Bound\",\"level\":1,"
    "\"formula\":\"stalled / slots\",\"unit\":\"slots\","
    "\"threshold\":{\"above\":0.2},\"what\":\"w\",\"look_at\":\"l\"},"
    "{\"name\":\"retiring\",\"title\":\"Retiring\",\"level\":1,\"formula\":\"1 - backend_bound\","
    "\"unit\":\"slots\",\"threshold\":{\"above\":0.7},\"what\":\"w\","
    "\"look_at\":\"l\"}],\"metrics\":[{\"name\":\"busy\",\"title\":\"Busy\","
    "\"formula\":\"slots - stalled\",\"unit\":\"slots\",\"range\":[0,1e12],\"what\":\"w\","
    "\"look_at\":\"l\"}],"
    "\"checks\":[{\"why\":\"hand-computed\",\"counts\":{\"slots\":100,\"stalled\":60},"
    "\"expect\":{\"backend_bound\":[0.6,1e-9],\"retiring\":[0.4,1e-9]}}]}";

static void count(struct fixture *f, const char *event, uint64_t raw, uint64_t running_ns,
                  enum slw_mode mode)
{
    const struct slw_count c = {.event = event,
                                .unit = "events",
                                .mode = mode,
                                .group = -1,
                                .pid = -1,
                                .tid = -1,
                                .cpu = -1,
                                .raw = raw,
                                .enabled_ns = 1000000000,
                                .running_ns = running_ns};
    assert_int_equal(slw_run_add_count(f->run, &c, NULL), 0);
}

static struct slw_model *toy(void)
{
    struct slw_model *m = NULL;
    struct slw_error err = {0};

    if (slw_model_parse(model_text, sizeof(model_text) - 1, "toy", &m, &err) < 0)
        fail_msg("%s: %s", err.where, err.text);
    return m;
}

static const struct slw_report *report_with(struct fixture *f, const struct slw_model *m)
{
    slw_report_free(f->report);
    f->report = NULL;
    assert_int_equal(slw_report_new(f->run, f->stacks, m, &f->report, NULL), 0);
    return f->report;
}

static void counts_become_a_verdict(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_model *m = toy();
    count(&f, "slots", 1000000, 1000000000, SLW_MODE_ALL);
    count(&f, "stalled", 600000, 1000000000, SLW_MODE_ALL);
    const struct slw_report *r = report_with(&f, m);
    assert_int_equal(r->topdown.status, SLW_TOPDOWN_FOUND);
    assert_string_equal(r->nodes[r->topdown.bottleneck].name, "backend_bound");
    assert_non_null(strstr(r->verdict, "Backend Bound (60 % of slots)"));
    assert_non_null(strstr(r->verdict_basis, "hardware tier"));
    fixture_free(&f);
    slw_model_free(m);
}

static void half_counted_is_shown_but_not_judged(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_model *m = toy();
    count(&f, "slots", 1000000, 1000000000, SLW_MODE_ALL);
    count(&f, "stalled", 240000, 400000000, SLW_MODE_ALL);
    const struct slw_report *r = report_with(&f, m);
    assert_near(r->nodes[0].value.value, 0.6, 1e-9);
    assert_near(r->nodes[0].value.coverage, 0.4, 1e-9);
    assert_true(r->nodes[0].thin);
    assert_int_equal(r->topdown.status, SLW_TOPDOWN_UNDECIDED);
    assert_non_null(strstr(r->verdict, "undecided"));
    fixture_free(&f);
    slw_model_free(m);
}

static void an_absent_event_carries_its_reason(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_model *m = toy();
    count(&f, "slots", 1000000, 1000000000, SLW_MODE_ALL);
    fixture_absent(&f, "stalled", "not supported");
    const struct slw_report *r = report_with(&f, m);
    assert_non_null(strstr(r->nodes[0].value.absent, "stalled"));
    assert_non_null(strstr(r->nodes[0].value.absent, "not supported"));
    assert_int_equal(r->topdown.status, SLW_TOPDOWN_NONE);
    assert_non_null(strstr(r->verdict_basis, "no pipeline slots"));
    fixture_free(&f);
    slw_model_free(m);
}

static void counts_of_two_modes_are_not_divided(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_model *m = toy();
    count(&f, "slots", 1000000, 1000000000, SLW_MODE_ALL);
    count(&f, "stalled", 600000, 1000000000, SLW_MODE_USER);
    const struct slw_report *r = report_with(&f, m);
    assert_non_null(r->nodes[0].value.absent);
    assert_non_null(strstr(r->nodes[0].value.absent, "user mode"));
    fixture_free(&f);
    slw_model_free(m);
}

/* Before Ice Lake slots belong to the core: what the sibling did is not in the counts of a task. */
static void a_task_next_to_a_busy_sibling_has_half_the_slots(void **state)
{
    static const struct {
        uint64_t alone;
        double retiring;
    } rows[] = {{100, 0.25}, {50, 0.25 / 0.75}, {0, 0.5}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f = fixture_new();
        struct slw_model *m = NULL;
        assert_int_equal(slw_model_builtin("skylake", &m, NULL), 0);
        f.run->host.cpu.smt = 1;
        f.run->command.kind = SLW_TARGET_PID;
        count(&f, "cpu_clk_unhalted.thread", 1000000, 1000000000, SLW_MODE_ALL);
        count(&f, "uops_retired.retire_slots", 1000000, 1000000000, SLW_MODE_ALL);
        count(&f, "cpu_clk_unhalted.one_thread_active", rows[i].alone, 1000000000, SLW_MODE_ALL);
        count(&f, "cpu_clk_unhalted.ref_xclk", 100, 1000000000, SLW_MODE_ALL);
        /* The formula of whole cores would halve the slots whatever the sibling did. */
        count(&f, "cpu_clk_unhalted.thread_any", 1000000, 1000000000, SLW_MODE_ALL);
        const struct slw_report_node *n =
            &report_with(&f, m)->nodes[slw_model_find_node(m, "retiring")];
        assert_null(n->value.absent);
        assert_near(n->value.value, rows[i].retiring, 1e-9);
        fixture_free(&f);
        slw_model_free(m);
    }
}

static void without_the_sibling_s_share_a_task_has_no_slots(void **state)
{
    struct fixture f = fixture_new();
    struct slw_model *m = NULL;
    (void)state;
    assert_int_equal(slw_model_builtin("skylake", &m, NULL), 0);
    f.run->host.cpu.smt = 1;
    f.run->command.kind = SLW_TARGET_COMMAND;
    count(&f, "cpu_clk_unhalted.thread", 1000000, 1000000000, SLW_MODE_ALL);
    count(&f, "cpu_clk_unhalted.thread_any", 1000000, 1000000000, SLW_MODE_ALL);
    count(&f, "uops_retired.retire_slots", 1000000, 1000000000, SLW_MODE_ALL);
    const struct slw_report_node *n =
        &report_with(&f, m)->nodes[slw_model_find_node(m, "retiring")];
    assert_non_null(n->value.absent);
    assert_non_null(strstr(n->value.absent, "one_thread_active"));
    fixture_free(&f);
    slw_model_free(m);
}

static void run_check(const struct slw_model *m, const struct slw_model_check *check)
{
    struct fixture f = fixture_new();
    double rounding = 0;

    f.run->host.cpu.smt = check->smt_on;
    f.run->command.kind = check->single_task ? SLW_TARGET_COMMAND : SLW_TARGET_ALL;
    for (size_t i = 0; i < check->input_count; i++) {
        double value = check->input_values[i];
        count(&f, check->input_names[i], (uint64_t)(value + 0.5), 1000000000, SLW_MODE_ALL);
        if (value != (double)(uint64_t)value)
            rounding = 0.01; /* runs hold whole events */
    }
    const struct slw_report *r = report_with(&f, m);
    for (size_t i = 0; i < check->expect_count; i++) {
        const struct slw_report_node *n = &r->nodes[slw_model_find_node(m, check->expect_names[i])];
        if (n->value.absent)
            fail_msg("%s, %s: %s: %s", m->name, check->why, n->name, n->value.absent);
        assert_near(n->value.value, check->expect_values[i],
                    check->expect_tolerances[i] + rounding + 1e-9);
    }
    fixture_free(&f);
}

/* Every check of every built-in model, sent through a run and a report: the recordings' counts must
 * come out as the values the model promises. */
static void builtin_models_keep_their_promises_through_a_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < slw_model_builtin_count(); i++) {
        struct slw_model *m = NULL;
        assert_int_equal(slw_model_builtin(slw_model_builtin_name(i), &m, NULL), 0);
        for (size_t c = 0; c < m->check_count; c++)
            run_check(m, &m->checks[c]);
        slw_model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_deepest_flagged_node_is_the_bottleneck),
        cmocka_unit_test(a_flagged_child_of_an_unflagged_node_is_not),
        cmocka_unit_test(two_close_candidates_are_undecided),
        cmocka_unit_test(poor_coverage_widens_too_close),
        cmocka_unit_test(close_children_end_the_path_above_them),
        cmocka_unit_test(a_child_without_value_ends_the_path),
        cmocka_unit_test(low_coverage_gives_no_verdict),
        cmocka_unit_test(a_level_that_does_not_add_up_gives_no_verdict),
        cmocka_unit_test(a_mismeasured_node_gives_no_verdict),
        cmocka_unit_test(nothing_above_its_threshold_is_balanced),
        cmocka_unit_test(without_published_thresholds_the_largest_leads),
        cmocka_unit_test(no_counts_is_no_tree_with_the_reason),
        cmocka_unit_test(a_tree_that_points_at_itself_ends),
        cmocka_unit_test(counts_become_a_verdict),
        cmocka_unit_test(half_counted_is_shown_but_not_judged),
        cmocka_unit_test(an_absent_event_carries_its_reason),
        cmocka_unit_test(a_task_next_to_a_busy_sibling_has_half_the_slots),
        cmocka_unit_test(without_the_sibling_s_share_a_task_has_no_slots),
        cmocka_unit_test(counts_of_two_modes_are_not_divided),
        cmocka_unit_test(builtin_models_keep_their_promises_through_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
