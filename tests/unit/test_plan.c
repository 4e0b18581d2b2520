/* SPDX-License-Identifier: MIT */
#include "tests/unit/cmocka_int.h"

#include "collector/plan.h"

#include <linux/perf_event.h>
#include <string.h>

/* A made-up CPU: 4 general counters, fixed counters 0..3; slots with three metric parts. */
enum {
    INST,
    CYCLES,
    SLOTS,
    RETIRING,
    BAD_SPEC,
    FRONTEND,
    A,
    B,
    C,
    D,
    E,
    ONLY0_X,
    ONLY0_Y,
    EVENT_COUNT
};

#define ANY .type = PERF_TYPE_RAW, .fixed = -1, .role = SLW_EVENT_PLAIN

static const struct slw_model_event events[EVENT_COUNT] = {
    [INST] = {.name = "inst", .type = PERF_TYPE_RAW, .config = 0xc0, .fixed = 0},
    [CYCLES] = {.name = "cycles", .type = PERF_TYPE_RAW, .config = 0x3c, .fixed = 1},
    [SLOTS] = {.name = "slots", .type = PERF_TYPE_RAW, .fixed = 3, .role = SLW_EVENT_SLOTS},
    [RETIRING] = {.name = "retiring", .fixed = -1, .role = SLW_EVENT_PERF_METRIC},
    [BAD_SPEC] = {.name = "bad_spec", .fixed = -1, .role = SLW_EVENT_PERF_METRIC},
    [FRONTEND] = {.name = "frontend", .fixed = -1, .role = SLW_EVENT_PERF_METRIC},
    [A] = {.name = "a", ANY},
    [B] = {.name = "b", ANY},
    [C] = {.name = "c", ANY},
    [D] = {.name = "d", ANY},
    [E] = {.name = "e", ANY},
    [ONLY0_X] = {.name = "only0.x", ANY, .counters = 1},
    [ONLY0_Y] = {.name = "only0.y", ANY, .counters = 1},
};

#define MAX_NEEDS 12
static int node_needs[8][MAX_NEEDS]; /* events + 1, ended by 0 */
static struct slw_model_node nodes[8];

static void needs(const struct slw_model *m, size_t index, bool *needed)
{
    (void)m;
    for (const int *n = node_needs[index]; *n; n++)
        needed[*n - 1] = true;
}

static struct slw_model model = {.name = "made-up",
                                 .general_counters = 4,
                                 .fixed_counters = 4,
                                 .events = events,
                                 .event_count = EVENT_COUNT,
                                 .nodes = nodes};

static int reset(void **state)
{
    (void)state;
    memset(node_needs, 0, sizeof(node_needs));
    memset(nodes, 0, sizeof(nodes));
    model.node_count = 0;
    return 0;
}

static void add_node(int level, const int *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        node_needs[model.node_count][i] = list[i] + 1;
    nodes[model.node_count].name = "node";
    nodes[model.node_count++].level = level;
}
#define NODE(level, ...)                                                                           \
    add_node(level, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static struct slw_plan *make_plan(int level, int reserved, const char *const *absent)
{
    struct slw_plan_options o = {.model = &model,
                                 .level = level,
                                 .reserved_counters = reserved,
                                 .hardware = true,
                                 .needs = needs,
                                 .absent = absent};
    struct slw_plan *p = NULL;

    assert_int_equal(slw_plan_new(&o, &p, NULL), 0);
    return p;
}

static const struct slw_plan_group *group_with(const struct slw_plan *p, int event)
{
    for (size_t g = 1; g < p->group_count; g++)
        for (size_t i = 0; i < p->groups[g].event_count; i++)
            if (p->groups[g].events[i].model_event == event)
                return &p->groups[g];
    return NULL;
}

static bool group_has(const struct slw_plan_group *g, int event)
{
    for (size_t i = 0; g && i < g->event_count; i++)
        if (g->events[i].model_event == event)
            return true;
    return false;
}

static void software_comes_first_and_always(void **state)
{
    struct slw_plan_options o = {.hardware = false};
    struct slw_plan *p = NULL;

    (void)state;
    assert_int_equal(slw_plan_new(&o, &p, NULL), 0);
    assert_int_equal(p->group_count, 1);
    assert_int_equal(p->groups[0].event_count, 6);
    assert_string_equal(p->groups[0].events[0].name, "task-clock");
    assert_int_equal(p->groups[0].source, SLW_SOURCE_SOFTWARE);
    slw_plan_free(p);
    slw_plan_free(NULL);
}

static void a_machine_has_no_task_clock(void **state)
{
    struct slw_plan_options o = {.system_wide = true};
    struct slw_plan *p = NULL;

    (void)state;
    assert_int_equal(slw_plan_new(&o, &p, NULL), 0);
    assert_string_equal(p->groups[0].events[0].name, "cpu-clock");
    slw_plan_free(p);
}

static void without_a_model_generic_events_are_counted(void **state)
{
    struct slw_plan_options o = {.hardware = true};
    struct slw_plan *p = NULL;

    (void)state;
    assert_int_equal(slw_plan_new(&o, &p, NULL), 0);
    assert_int_equal(p->group_count, 2);
    assert_string_equal(p->groups[1].events[1].name, "instructions");
    assert_int_equal(p->groups[1].source, SLW_SOURCE_HARDWARE);
    slw_plan_free(p);
}

static void both_modes_are_each_group_twice(void **state)
{
    struct slw_plan_options o = {.hardware = true, .split_modes = true};
    struct slw_plan *p = NULL;

    (void)state;
    assert_int_equal(slw_plan_new(&o, &p, NULL), 0);
    assert_int_equal(p->group_count, 3);
    assert_int_equal(p->groups[0].mode, SLW_MODE_ALL); /* software: what happens, wherever */
    assert_int_equal(p->groups[1].mode, SLW_MODE_USER);
    assert_int_equal(p->groups[2].mode, SLW_MODE_KERNEL);
    assert_int_equal(p->groups[2].event_count, p->groups[1].event_count);
    assert_string_equal(p->groups[2].events[1].name, "instructions");
    slw_plan_free(p);
}

static void one_mode_is_of_the_hardware_groups_only(void **state)
{
    struct slw_plan_options o = {.hardware = true, .mode = SLW_MODE_KERNEL};
    struct slw_plan *p = NULL;

    (void)state;
    assert_int_equal(slw_plan_new(&o, &p, NULL), 0);
    assert_int_equal(p->group_count, 2);
    assert_int_equal(p->groups[0].mode, SLW_MODE_ALL);
    assert_int_equal(p->groups[1].mode, SLW_MODE_KERNEL);
    slw_plan_free(p);
}

static void events_of_one_formula_share_a_group(void **state)
{
    (void)state;
    NODE(0, INST, CYCLES);
    NODE(1, A, B, C);
    NODE(1, D, E, CYCLES);
    struct slw_plan *p = make_plan(1, 0, NULL);
    const struct slw_plan_group *abc = group_with(p, A), *de = group_with(p, D);

    assert_ptr_equal(abc, group_with(p, B));
    assert_ptr_equal(abc, group_with(p, C));
    assert_ptr_equal(de, group_with(p, E));
    assert_ptr_not_equal(abc, de); /* five general events, four counters */
    assert_int_equal(p->gap_count, 0);
    assert_true(group_has(de, CYCLES));
    slw_plan_free(p);
}

static void what_fits_together_is_one_group(void **state)
{
    (void)state;
    NODE(0, INST, CYCLES);
    NODE(1, A, B);
    NODE(1, C, D);
    struct slw_plan *p = make_plan(1, 0, NULL);

    assert_int_equal(p->group_count, 2);
    assert_int_equal(p->groups[1].event_count, 6);
    slw_plan_free(p);
}

static void a_taken_counter_makes_groups_smaller(void **state)
{
    (void)state;
    NODE(1, A, B);
    NODE(1, C, D);
    struct slw_plan *p = make_plan(1, 1, NULL);

    assert_int_equal(p->group_count, 3);
    slw_plan_free(p);
}

static void deeper_levels_are_left_out(void **state)
{
    (void)state;
    NODE(0, INST);
    NODE(1, A);
    NODE(2, B);
    struct slw_plan *p = make_plan(1, 0, NULL);

    assert_non_null(group_with(p, INST));
    assert_non_null(group_with(p, A));
    assert_null(group_with(p, B));
    slw_plan_free(p);
}

static void slots_leads_all_metric_parts(void **state)
{
    (void)state;
    NODE(1, RETIRING, BAD_SPEC);
    NODE(1, FRONTEND, A, B, C, D);
    NODE(2, E, SLOTS);
    struct slw_plan *p = make_plan(2, 0, NULL);
    const struct slw_plan_group *g = group_with(p, RETIRING);

    assert_true(g && g->events[0].model_event == SLOTS);
    assert_ptr_equal(g, group_with(p, BAD_SPEC));
    assert_ptr_equal(g, group_with(p, FRONTEND));
    for (size_t i = 1; i < p->group_count; i++)
        for (size_t k = 0; k < p->groups[i].event_count; k++)
            if (p->groups[i].events[k].role == SLW_EVENT_PERF_METRIC)
                assert_int_equal(p->groups[i].events[0].role, SLW_EVENT_SLOTS);
    slw_plan_free(p);
}

static void a_formula_too_big_for_the_counters_is_split_and_said(void **state)
{
    (void)state;
    NODE(1, A, B, C, D, E);
    struct slw_plan *p = make_plan(1, 0, NULL);

    assert_int_equal(p->gap_count, 1);
    assert_int_equal(p->gaps[0].node, 0);
    assert_int_equal(p->gaps[0].model_event, -1);
    for (int e = A; e <= E; e++)
        assert_non_null(group_with(p, e));
    slw_plan_free(p);
}

static void two_events_for_one_counter_cannot_meet(void **state)
{
    const int both[] = {ONLY0_X, ONLY0_Y}, mixed[] = {A, B, C, ONLY0_X};

    (void)state;
    assert_false(slw_plan_fits(&model, both, 2, 0));
    assert_true(slw_plan_fits(&model, mixed, 4, 0)); /* a must make room on counter 0 */
    assert_false(slw_plan_fits(&model, mixed, 4, 1));
}

static void metric_parts_need_the_slots_counter(void **state)
{
    const int alone[] = {RETIRING}, led[] = {SLOTS, RETIRING, BAD_SPEC, FRONTEND, A, B, C, D};

    (void)state;
    assert_false(slw_plan_fits(&model, alone, 1, 0));
    assert_true(slw_plan_fits(&model, led, 8, 0));
}

static void no_counter_at_all_is_a_gap_not_a_crash(void **state)
{
    (void)state;
    NODE(1, A);
    struct slw_plan *p = make_plan(1, 4, NULL);

    assert_null(group_with(p, A));
    assert_int_equal(p->gap_count, 2); /* the split formula, and the event nobody can hold */
    assert_int_equal(p->gaps[1].model_event, A);
    slw_plan_free(p);
}

static void an_event_the_machine_lacks_is_left_out_with_its_reason(void **state)
{
    const char *absent[EVENT_COUNT] = {[B] = "not supported"};

    (void)state;
    NODE(1, A, B);
    NODE(1, B, C);
    struct slw_plan *p = make_plan(1, 0, absent);

    assert_null(group_with(p, B));
    assert_non_null(group_with(p, A));
    assert_int_equal(p->gap_count, 1); /* once */
    assert_int_equal(p->gaps[0].model_event, B);
    assert_string_equal(p->gaps[0].why, "not supported");
    slw_plan_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(software_comes_first_and_always, reset),
        cmocka_unit_test_setup(a_machine_has_no_task_clock, reset),
        cmocka_unit_test_setup(without_a_model_generic_events_are_counted, reset),
        cmocka_unit_test_setup(both_modes_are_each_group_twice, reset),
        cmocka_unit_test_setup(one_mode_is_of_the_hardware_groups_only, reset),
        cmocka_unit_test_setup(events_of_one_formula_share_a_group, reset),
        cmocka_unit_test_setup(what_fits_together_is_one_group, reset),
        cmocka_unit_test_setup(a_taken_counter_makes_groups_smaller, reset),
        cmocka_unit_test_setup(deeper_levels_are_left_out, reset),
        cmocka_unit_test_setup(slots_leads_all_metric_parts, reset),
        cmocka_unit_test_setup(a_formula_too_big_for_the_counters_is_split_and_said, reset),
        cmocka_unit_test_setup(two_events_for_one_counter_cannot_meet, reset),
        cmocka_unit_test_setup(metric_parts_need_the_slots_counter, reset),
        cmocka_unit_test_setup(no_counter_at_all_is_a_gap_not_a_crash, reset),
        cmocka_unit_test_setup(an_event_the_machine_lacks_is_left_out_with_its_reason, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
