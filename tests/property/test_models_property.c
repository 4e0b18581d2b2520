/* SPDX-License-Identifier: MIT */
/* Whatever the counts, evaluation gives a finite number in range, or says why not; and the parts
 * that are defined as a remainder add up to their parent. SLW_SEED repeats a run. */
#include "models/model.h"

#include "tests/unit/cmocka_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX    192
#define ROUNDS 2000

static uint64_t rng;

static uint64_t next(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

static int setup(void **state)
{
    const char *seed = getenv("SLW_SEED");
    (void)state;
    rng = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 2654435761u | 1;
    print_message("SLW_SEED=%llu\n", (unsigned long long)rng);
    return 0;
}

/* Counts of every size, zeros, absences and nonsense. */
static struct slw_model_input any_input(void)
{
    struct slw_model_input in = {.value = (double)(next() >> (next() % 64))};

    switch (next() % 16) {
    case 0:
        in.value = 0;
        break;
    case 1:
        in.absent = "not counted";
        break;
    case 2:
        in.value = 1e308;
        break;
    case 3:
        in.value = (double)NAN;
        break;
    case 4:
        in.value = (double)INFINITY;
        break;
    case 5:
        in.value = -1;
        break;
    default:
        break;
    }
    return in;
}

static void check_value(const struct slw_model *m, size_t i, const struct slw_model_value *v)
{
    const struct slw_model_node *n = &m->nodes[i];

    if (!v->have) {
        assert_non_null(v->missing);
        assert_true(strlen(v->missing) > 0);
        assert_false(v->flagged || v->mismeasured || v->clamped);
        return;
    }
    if (!isfinite(v->value))
        fail_msg("%s %s: %g", m->name, n->name, v->value);
    if (!v->mismeasured && (v->value < n->low || v->value > n->high))
        fail_msg("%s %s: %g is outside and not mismeasured", m->name, n->name, v->value);
    if (v->flagged && (v->mismeasured || !n->has_threshold))
        fail_msg("%s %s: flagged", m->name, n->name);
    if (v->flagged && n->threshold_or_count == 0)
        for (size_t k = 0; k < n->threshold_need_count; k++)
            assert_true(n->threshold_needs[k] >= 0);
}

static void any_counts_give_finite_values_or_reasons(void **state)
{
    (void)state;
    for (size_t b = 0; b < slw_model_builtin_count(); b++) {
        struct slw_model *m = NULL;
        size_t values_had = 0;
        assert_int_equal(slw_model_builtin(slw_model_builtin_name(b), &m, NULL), 0);
        for (int round = 0; round < ROUNDS; round++) {
            const struct slw_model_vars vars = {.smt_on = next() & 1, .single_task = next() & 1};
            struct slw_model_input inputs[MAX];
            struct slw_model_value values[MAX];

            for (size_t i = 0; i < m->event_count; i++)
                inputs[i] = any_input();
            slw_model_evaluate(m, inputs, &vars, values);
            for (size_t i = 0; i < m->node_count; i++) {
                check_value(m, i, &values[i]);
                values_had += values[i].have;
            }
        }
        assert_true(values_had > 0);
        slw_model_free(m);
    }
}

struct family {
    const char *model, *parent;
    const char *children[6];
};

static const struct family families[] = {
    {"skylake", "frontend_bound", {"fetch_latency", "fetch_bandwidth"}},
    {"skylake", "bad_speculation", {"branch_mispredicts", "machine_clears"}},
    {"skylake", "backend_bound", {"memory_bound", "core_bound"}},
    {"skylake", "retiring", {"light_operations", "heavy_operations"}},
    {"skylake", "heavy_operations", {"few_uops_instructions", "microcode_sequencer"}},
    {"skylake", NULL, {"frontend_bound", "bad_speculation", "backend_bound", "retiring"}},
    {"sapphirerapids", "backend_bound", {"memory_bound", "core_bound"}},
    {"sapphirerapids", "bad_speculation", {"branch_mispredicts", "machine_clears"}},
    {"sapphirerapids", "retiring", {"light_operations", "heavy_operations"}},
    {"sapphirerapids", NULL, {"frontend_bound", "bad_speculation", "backend_bound", "retiring"}},
    {"haswell", "frontend_bound", {"fetch_latency", "fetch_bandwidth"}},
    {"haswell", "backend_bound", {"memory_bound", "core_bound"}},
    {"haswell", NULL, {"frontend_bound", "bad_speculation", "backend_bound", "retiring"}},
    {"broadwell", "backend_bound", {"memory_bound", "core_bound"}},
    {"broadwell", NULL, {"frontend_bound", "bad_speculation", "backend_bound", "retiring"}},
    {"cascadelake", NULL, {"frontend_bound", "bad_speculation", "backend_bound", "retiring"}},
    {"icelake", "bad_speculation", {"branch_mispredicts", "machine_clears"}},
    {"icelake", NULL, {"frontend_bound", "bad_speculation", "backend_bound", "retiring"}},
    {"icelake_sp", NULL, {"frontend_bound", "bad_speculation", "backend_bound", "retiring"}},
    {"tigerlake", NULL, {"frontend_bound", "bad_speculation", "backend_bound", "retiring"}},
    {"graniterapids", NULL, {"frontend_bound", "bad_speculation", "backend_bound", "retiring"}},
    {"alderlake_p", "retiring", {"light_operations", "heavy_operations"}},
    {"alderlake_p", NULL, {"frontend_bound", "bad_speculation", "backend_bound", "retiring"}},
    {"alderlake_e", "backend_bound", {"core_bound", "resource_bound"}},
    {"alderlake_e", NULL, {"frontend_bound", "bad_speculation", "backend_bound", "retiring"}},
    {"sierraforest", "backend_bound", {"core_bound", "resource_bound"}},
    {"zen4", "frontend_bound", {"frontend_bound_latency", "frontend_bound_bandwidth"}},
    {"zen4",
     "bad_speculation",
     {"bad_speculation_mispredicts", "bad_speculation_pipeline_restarts"}},
    {"zen4", "backend_bound", {"backend_bound_memory", "backend_bound_cpu"}},
    {"zen4", "retiring", {"retiring_fastpath", "retiring_microcode"}},
    {"zen5", "backend_bound", {"backend_bound_by_memory", "backend_bound_by_cpu"}},
    {"zen5", "retiring", {"retiring_from_fastpath", "retiring_from_microcode"}},
};

/* The sum, when every part has a value the range checks left as computed. Where a formula says
 * max(0, ...) the parts may exceed the parent; such a round is not counted. */
static bool sum_of(const struct slw_model *m, const struct slw_model_value *values,
                   const char *const *names, double *sum)
{
    *sum = 0;
    for (size_t i = 0; i < 6 && names[i]; i++) {
        const struct slw_model_value *v = &values[slw_model_find_node(m, names[i])];
        if (!v->have || v->mismeasured || v->clamped || (v->value <= 0 && v->value >= 0))
            return false;
        *sum += v->value;
    }
    return true;
}

static size_t check_family(const struct family *f)
{
    struct slw_model *m = NULL;
    size_t checked = 0;

    assert_int_equal(slw_model_builtin(f->model, &m, NULL), 0);
    for (int round = 0; round < 20000 && checked < 50; round++) {
        const struct slw_model_vars vars = {.smt_on = next() & 1, .single_task = next() & 1};
        const char *const parent[6] = {f->parent};
        struct slw_model_input inputs[MAX];
        struct slw_model_value values[MAX];
        double whole = 1, parts;

        for (size_t i = 0; i < m->event_count; i++)
            inputs[i] = (struct slw_model_input){.value = (1e6 + (double)(next() % 1000000)) /
                                                          (double)(1u << next() % 7)};
        slw_model_evaluate(m, inputs, &vars, values);
        if (!sum_of(m, values, f->children, &parts) ||
            (f->parent && !sum_of(m, values, parent, &whole)))
            continue;
        if (fabs(whole - parts) > 1e-9)
            fail_msg("%s %s: %.12g, its parts %.12g", f->model, f->parent ? f->parent : "level 1",
                     whole, parts);
        checked++;
    }
    slw_model_free(m);
    return checked;
}

static void remainders_make_the_parts_add_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (check_family(&families[i]) < 10)
            fail_msg("%s %s: too few plausible rounds", families[i].model,
                     families[i].parent ? families[i].parent : "level 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_counts_give_finite_values_or_reasons),
        cmocka_unit_test(remainders_make_the_parts_add_up),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
