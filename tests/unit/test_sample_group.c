/* SPDX-License-Identifier: MIT */
#include "collector/sample_group.h"
#include "tests/unit/cmocka_int.h"

#include <linux/perf_event.h>
#include <string.h>

static struct slw_model *load(const char *name)
{
    struct slw_model *m = NULL;

    assert_int_equal(slw_model_builtin(name, &m, NULL), 0);
    return m;
}

static struct slw_sample_group plan(const struct slw_model *m, bool smt_on, int reserved,
                                    const char *const *absent)
{
    const struct slw_model_vars vars = {.smt_on = smt_on};
    struct slw_sample_group g;

    slw_sample_group_plan(m, &vars, reserved, absent, &g);
    return g;
}

static bool holds(const struct slw_sample_group *g, const char *event)
{
    for (size_t i = 0; i < g->event_count; i++)
        if (strcmp(g->events[i].name, event) == 0)
            return true;
    return false;
}

static void cycles_lead_and_sample_where_nothing_else_must(void **state)
{
    struct slw_model *m = load("skylake");
    struct slw_sample_group g = plan(m, false, 0, NULL);

    (void)state;
    assert_null(g.why);
    assert_int_equal(g.sampling, 0);
    assert_string_equal(g.events[0].name, "cpu_clk_unhalted.thread");
    assert_true(holds(&g, "idq_uops_not_delivered.core"));
    assert_true(holds(&g, "inst_retired.any"));
    slw_model_free(m);
}

/* Hyper-threading leaves four counters; the slots of one task take two of them for the sibling. */
static void a_task_on_a_shared_core_is_refused_before_ice_lake(void **state)
{
    const struct slw_model_vars vars = {.smt_on = true, .single_task = true};
    struct slw_model *m = load("skylake");
    struct slw_sample_group g;

    (void)state;
    slw_sample_group_plan(m, &vars, 0, NULL, &g);
    assert_non_null(g.why);
    assert_int_equal(g.event_count, 0);
    slw_model_free(m);
    m = load("sapphirerapids"); /* counts its slots per thread */
    slw_sample_group_plan(m, &vars, 0, NULL, &g);
    assert_null(g.why);
    slw_model_free(m);
}

/* Source: linux tools/perf/Documentation/topdown.txt, "Sampling". */
static void slots_lead_and_the_second_event_samples(void **state)
{
    struct slw_model *m = load("sapphirerapids");
    struct slw_sample_group g = plan(m, true, 0, NULL);

    (void)state;
    assert_null(g.why);
    assert_int_equal(g.events[0].role, SLW_EVENT_SLOTS);
    assert_int_equal(g.sampling, 1);
    assert_string_equal(g.events[1].name, "cpu_clk_unhalted.thread");
    assert_true(holds(&g, "perf_metrics.retiring"));
    slw_model_free(m);
}

/* Level 1 of Skylake with hyper-threading needs all four counters and the fixed one of cycles. */
static void reference_cycles_sample_where_cycles_have_no_counter(void **state)
{
    struct slw_model *m = load("skylake");
    struct slw_sample_group g = plan(m, true, 0, NULL);

    (void)state;
    assert_null(g.why);
    assert_string_equal(g.events[g.sampling].name, "ref-cycles");
    assert_int_equal(g.events[g.sampling].config, PERF_COUNT_HW_REF_CPU_CYCLES);
    assert_true(holds(&g, "cpu_clk_unhalted.thread_any"));
    assert_false(holds(&g, "cpu_clk_unhalted.thread"));
    slw_model_free(m);
}

static void too_few_counters_are_a_reason_not_half_a_level(void **state)
{
    struct slw_model *m = load("skylake");
    struct slw_sample_group g = plan(m, false, 2, NULL);

    (void)state;
    assert_int_equal(g.event_count, 0);
    assert_non_null(strstr(g.why, "do not fit"));
    slw_model_free(m);
}

static void an_event_that_cannot_be_had_is_a_reason(void **state)
{
    struct slw_model *m = load("zen4");
    const char *absent[SLW_MAX_MODEL_EVENTS] = {NULL};
    int event = slw_model_find_event(m, "de_no_dispatch_per_slot.no_ops_from_frontend");

    (void)state;
    assert_true(event >= 0);
    absent[event] = "not supported";
    struct slw_sample_group g = plan(m, true, 0, absent);
    assert_int_equal(g.event_count, 0);
    assert_string_equal(g.why, "not supported");
    slw_model_free(m);
}

/* Over all models: a group that fits, led by what must lead, or a reason. */
static void every_model_has_a_group_that_fits_or_a_reason(void **state)
{
    size_t groups = 0;

    (void)state;
    for (size_t i = 0; i < 2 * slw_model_builtin_count(); i++) {
        struct slw_model *m = load(slw_model_builtin_name(i / 2));
        struct slw_sample_group g = plan(m, i % 2, 0, NULL);
        int events[SLW_MAX_GROUP_EVENTS];
        size_t count = 0;

        assert_true((g.event_count == 0) == (g.why != NULL));
        if (g.why)
            print_message("%s: %s\n", m->name, g.why);
        for (size_t k = 0; k < g.event_count; k++) {
            if (g.events[k].model_event >= 0)
                events[count++] = g.events[k].model_event;
            assert_true(k == 0 || g.events[k].role != SLW_EVENT_SLOTS);
            for (size_t n = 0; n < k; n++)
                assert_string_not_equal(g.events[n].name, g.events[k].name);
        }
        if (g.event_count > 0) {
            groups++;
            assert_true(slw_plan_fits(m, events, count, 0));
            assert_true(g.events[g.sampling].role == SLW_EVENT_PLAIN);
        }
        slw_model_free(m);
    }
    assert_true(groups >= slw_model_builtin_count());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cycles_lead_and_sample_where_nothing_else_must),
        cmocka_unit_test(a_task_on_a_shared_core_is_refused_before_ice_lake),
        cmocka_unit_test(slots_lead_and_the_second_event_samples),
        cmocka_unit_test(reference_cycles_sample_where_cycles_have_no_counter),
        cmocka_unit_test(too_few_counters_are_a_reason_not_half_a_level),
        cmocka_unit_test(an_event_that_cannot_be_had_is_a_reason),
        cmocka_unit_test(every_model_has_a_group_that_fits_or_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
