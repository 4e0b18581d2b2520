/* SPDX-License-Identifier: MIT */
/* Values, flags and needs on counts from real recordings (named at each) and at the edges. */
#include "models/model.h"

#include "tests/unit/cmocka_int.h"

#include <math.h>
#include <string.h>

#define MAX 192

struct count {
    const char *event;
    double value;
};

struct evaluated {
    struct slw_model *m;
    struct slw_model_input inputs[MAX];
    struct slw_model_value values[MAX];
};

static void start(struct evaluated *e, const char *model)
{
    struct slw_error err = {0};

    memset(e, 0, sizeof(*e));
    if (slw_model_builtin(model, &e->m, &err) < 0)
        fail_msg("%s %s", err.where, err.text);
    assert_true(e->m->event_count <= MAX && e->m->node_count <= MAX);
    for (size_t i = 0; i < e->m->event_count; i++)
        e->inputs[i].absent = "";
}

static void set(struct evaluated *e, const char *event, double value)
{
    const int i = slw_model_find_event(e->m, event);

    if (i < 0)
        fail_msg("%s has no event %s", e->m->name, event);
    e->inputs[i] = (struct slw_model_input){.value = value};
}

static void evaluate(struct evaluated *e, const char *model, bool smt_on,
                     const struct count *counts)
{
    const struct slw_model_vars vars = {.smt_on = smt_on};

    start(e, model);
    for (; counts->event; counts++)
        set(e, counts->event, counts->value);
    slw_model_evaluate(e->m, e->inputs, &vars, e->values);
}

static const struct slw_model_value *value(const struct evaluated *e, const char *node)
{
    const int i = slw_model_find_node(e->m, node);

    if (i < 0)
        fail_msg("%s has no node %s", e->m->name, node);
    return &e->values[i];
}

static void expect(const struct evaluated *e, const char *node, double wanted, bool flagged)
{
    const struct slw_model_value *v = value(e, node);

    if (!v->have || fabs(v->value - wanted) > 0.00005 || v->flagged != flagged || v->mismeasured)
        fail_msg("%s: %s %.6f flagged %d, not %.6f flagged %d", node, v->have ? "" : v->missing,
                 v->value, v->flagged, wanted, flagged);
}

/* lkml/skl_M_four_metrics_one_group.txt: perf printed .38 .08 .41 .14 */
static const struct count skl[] = {{"uops_issued.any", 769694676},
                                   {"cpu_clk_unhalted.thread", 1087548633},
                                   {"idq_uops_not_delivered.core", 1642085777},
                                   {"uops_retired.retire_slots", 603112590},
                                   {"int_misc.recovery_cycles", 43787854},
                                   {NULL, 0}};

static void skylake_recording(void **state)
{
    struct evaluated e;
    (void)state;
    evaluate(&e, "skylake", false, skl);
    expect(&e, "frontend_bound", 0.3775, true);
    expect(&e, "bad_speculation", 0.0786, false);
    expect(&e, "backend_bound", 0.4053, true);
    expect(&e, "retiring", 0.1386, false);
    assert_false(value(&e, "fetch_latency")->have);
    assert_string_equal(value(&e, "fetch_latency")->missing,
                        "idq_uops_not_delivered.cycles_0_uops_deliv.core");
    slw_model_free(e.m);
}

static void skylake_with_hyper_threading_needs_the_any_thread_counts(void **state)
{
    struct evaluated e;
    (void)state;
    evaluate(&e, "skylake", true, skl);
    assert_string_equal(value(&e, "retiring")->missing, "cpu_clk_unhalted.thread_any");
    slw_model_free(e.m);
}

/* lkml/spr_default_L2_sleep.txt */
static const struct count spr[] = {{"topdown.slots", 8431908},
                                   {"perf_metrics.retiring", 1554116},
                                   {"perf_metrics.bad_speculation", 1289585},
                                   {"perf_metrics.frontend_bound", 2810636},
                                   {"perf_metrics.backend_bound", 2810636},
                                   {"perf_metrics.heavy_operations", 231464},
                                   {"perf_metrics.branch_mispredicts", 1223453},
                                   {"perf_metrics.fetch_latency", 1884779},
                                   {"perf_metrics.memory_bound", 1454917},
                                   {"int_misc.uop_dropping", 0},
                                   {NULL, 0}};

static void sapphire_rapids_recording(void **state)
{
    struct evaluated e;
    (void)state;
    evaluate(&e, "sapphirerapids", true, spr);
    expect(&e, "frontend_bound", 0.332031, true);
    expect(&e, "bad_speculation", 0.152344, true);
    expect(&e, "backend_bound", 0.332031, true);
    expect(&e, "retiring", 0.183594, false);
    expect(&e, "branch_mispredicts", 0.144531, true); /* > 10 and bad_speculation flags */
    expect(&e, "machine_clears", 0.007812, false);
    expect(&e, "fetch_bandwidth", 0.109375, false);
    expect(&e, "memory_bound", 0.171875, false);
    expect(&e, "core_bound", 0.160156, true);
    slw_model_free(e.m);
}

/* keithjh-zen4/kinematics-demo_OmpSimdSim_02_pipeL2.txt, back-end group */
static void zen4_recording(void **state)
{
    static const struct count counts[] = {{"ex_no_retire.load_not_complete", 35573254326},
                                          {"de_no_dispatch_per_slot.backend_stalls", 299048140951},
                                          {"ex_no_retire.not_complete", 47689982568},
                                          {"ls_not_halted_cyc", 61713748438},
                                          {NULL, 0}};
    struct evaluated e;
    (void)state;
    evaluate(&e, "zen4", true, counts);
    expect(&e, "backend_bound_memory", 0.602427, false); /* no thresholds are published */
    expect(&e, "backend_bound_cpu", 0.205195, false);
    assert_string_equal(value(&e, "smt_contention")->missing,
                        "de_no_dispatch_per_slot.smt_contention");
    slw_model_free(e.m);
}

/* lkml/n2_TopDownL1_false_sharing_a.txt, first group */
static void neoverse_n2_recording(void **state)
{
    static const struct count counts[] = {{"cpu_cycles", 4310905590}, {"stall_slot", 25009763735},
                                          {"op_spec", 855659327},     {"op_retired", 854335288},
                                          {"br_mis_pred", 0},         {NULL, 0}};
    struct evaluated e;
    (void)state;
    evaluate(&e, "neoverse_n2", false, counts);
    expect(&e, "retiring", 0.039636, false);
    expect(&e, "bad_speculation", 0.000061, false);
    slw_model_free(e.m);
}

static void retiring_flags_when_heavy_operations_does(void **state)
{
    struct evaluated e;
    struct count counts[sizeof(spr) / sizeof(spr[0])];
    (void)state;
    memcpy(counts, spr, sizeof(spr));
    counts[5].value = 1000000; /* heavy: 0.118, retiring stays 0.184 */
    evaluate(&e, "sapphirerapids", true, counts);
    assert_true(value(&e, "heavy_operations")->flagged);
    assert_true(value(&e, "retiring")->flagged);
    assert_false(value(&e, "light_operations")->flagged);
    slw_model_free(e.m);
}

static void a_node_does_not_flag_without_its_ancestors(void **state)
{
    /* fetch_latency is 0.133, over its 0.10, but front-end bound is 0.146, under its 0.15 */
    static const struct count counts[] = {
        {"uops_issued.any", 2000000},
        {"cpu_clk_unhalted.thread", 1000000},
        {"idq_uops_not_delivered.core", 584000},
        {"idq_uops_not_delivered.cycles_0_uops_deliv.core", 133000},
        {"uops_retired.retire_slots", 1900000},
        {"int_misc.recovery_cycles", 1000},
        {NULL, 0}};
    struct evaluated e;
    (void)state;
    evaluate(&e, "skylake", false, counts);
    expect(&e, "frontend_bound", 0.146, false);
    expect(&e, "fetch_latency", 0.133, false);
    slw_model_free(e.m);
}

static void rounding_is_clamped_and_more_is_mismeasured(void **state)
{
    struct count counts[] = {{"cpu_cycles", 1000000}, {"stall_slot_frontend", 1040000},
                             {"br_mis_pred", 12000},  {"stall_slot_backend", 5300000},
                             {"stall_slot", 0},       {"op_spec", 100},
                             {"op_retired", 90},      {NULL, 0}};
    struct evaluated e;
    (void)state;
    evaluate(&e, "neoverse_n2", false, counts);
    /* (1.04 - 1) / 5 - 0.012 = -0.004: rounding */
    const struct slw_model_value *front = value(&e, "frontend_bound");
    assert_true(front->have && front->clamped && !front->mismeasured);
    assert_true(front->value >= 0 && front->value <= 0);
    /* 5.3 / 5 - 0.036 = 1.024: not rounding */
    const struct slw_model_value *back = value(&e, "backend_bound");
    assert_true(back->have && back->mismeasured && !back->clamped && !back->flagged);
    assert_true(back->value > 1.02);
    slw_model_free(e.m);
}

static void what_is_computed_from_the_mismeasured_is_mismeasured(void **state)
{
    struct evaluated e;
    struct count counts[sizeof(spr) / sizeof(spr[0])];
    (void)state;
    memcpy(counts, spr, sizeof(spr));
    counts[9].value = 5000000; /* uop_dropping: front end becomes negative */
    evaluate(&e, "sapphirerapids", true, counts);
    assert_true(value(&e, "frontend_bound")->mismeasured);
    assert_true(value(&e, "bad_speculation")->mismeasured);
    assert_true(value(&e, "machine_clears")->mismeasured);
    assert_false(value(&e, "retiring")->mismeasured);
    slw_model_free(e.m);
}

static void the_reason_of_an_absent_input_is_passed_on(void **state)
{
    const struct slw_model_vars vars = {0};
    struct evaluated e;
    (void)state;
    start(&e, "generic");
    set(&e, "instructions", 5);
    e.inputs[slw_model_find_event(e.m, "cycles")].absent = "not counted: never scheduled";
    slw_model_evaluate(e.m, e.inputs, &vars, e.values);
    assert_string_equal(value(&e, "ipc")->missing, "not counted: never scheduled");
    assert_string_equal(value(&e, "branch_mpki")->missing, "branch_misses");
    set(&e, "cycles", 0);
    slw_model_evaluate(e.m, e.inputs, &vars, e.values);
    assert_string_equal(value(&e, "ipc")->missing, "division by zero: cycles is 0");
    set(&e, "cycles", (double)NAN);
    slw_model_evaluate(e.m, e.inputs, &vars, e.values);
    assert_string_equal(value(&e, "ipc")->missing, "a count that is not a number");
    slw_model_free(e.m);
}

static size_t count_needed(const bool *needed, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += needed[i];
    return n;
}

static void needs_follow_lets_nodes_and_hyper_threading(void **state)
{
    const struct slw_model_vars off = {.single_task = true}, on = {.smt_on = true},
                                task = {.smt_on = true, .single_task = true};
    bool both[MAX] = {false}, without[MAX] = {false}, with[MAX] = {false}, alone[MAX] = {false};
    struct evaluated e;
    (void)state;
    start(&e, "skylake");
    slw_model_needs_with(e.m, (size_t)slw_model_find_node(e.m, "retiring"), &task, alone);
    assert_int_equal(count_needed(alone, e.m->event_count), 4);
    assert_true(alone[slw_model_find_event(e.m, "cpu_clk_unhalted.one_thread_active")]);
    assert_false(alone[slw_model_find_event(e.m, "cpu_clk_unhalted.thread_any")]);
    const size_t node = (size_t)slw_model_find_node(e.m, "retiring");
    const int any = slw_model_find_event(e.m, "cpu_clk_unhalted.thread_any");
    slw_model_needs_with(e.m, node, &off, without);
    slw_model_needs_with(e.m, node, &on, with);
    slw_model_needs(e.m, node, both);
    assert_int_equal(count_needed(without, e.m->event_count), 2);
    assert_int_equal(count_needed(with, e.m->event_count), 2);
    assert_int_equal(count_needed(both, e.m->event_count), 5);
    assert_false(without[any]);
    assert_true(with[any]);
    slw_model_free(e.m);
}

static void needed_inputs_are_enough(void **state)
{
    (void)state;
    for (size_t i = 0; i < slw_model_builtin_count(); i++) {
        for (int s = 0; s < 4; s++) {
            const struct slw_model_vars vars = {.smt_on = s & 1, .single_task = s >> 1};
            struct evaluated e;
            start(&e, slw_model_builtin_name(i));
            for (size_t n = 0; n < e.m->node_count; n++) {
                bool needed[MAX] = {false};
                slw_model_needs_with(e.m, n, &vars, needed);
                assert_true(count_needed(needed, e.m->event_count) > 0);
                for (size_t k = 0; k < e.m->event_count; k++)
                    e.inputs[k] = (struct slw_model_input){.value = 1000.0 + (double)k,
                                                           .absent = needed[k] ? NULL : ""};
                slw_model_evaluate(e.m, e.inputs, &vars, e.values);
                if (!e.values[n].have)
                    fail_msg("%s %s: %s", e.m->name, e.m->nodes[n].name, e.values[n].missing);
            }
            slw_model_free(e.m);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skylake_recording),
        cmocka_unit_test(skylake_with_hyper_threading_needs_the_any_thread_counts),
        cmocka_unit_test(sapphire_rapids_recording),
        cmocka_unit_test(zen4_recording),
        cmocka_unit_test(neoverse_n2_recording),
        cmocka_unit_test(retiring_flags_when_heavy_operations_does),
        cmocka_unit_test(a_node_does_not_flag_without_its_ancestors),
        cmocka_unit_test(rounding_is_clamped_and_more_is_mismeasured),
        cmocka_unit_test(what_is_computed_from_the_mismeasured_is_mismeasured),
        cmocka_unit_test(the_reason_of_an_absent_input_is_passed_on),
        cmocka_unit_test(needs_follow_lets_nodes_and_hyper_threading),
        cmocka_unit_test(needed_inputs_are_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
