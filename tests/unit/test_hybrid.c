/* SPDX-License-Identifier: MIT */
/* A CPU with two kinds of core, from the events the session opens to the sentence of the report: an
 * Alder Lake of four P-cores and two E-cores, played. */
#include "tests/unit/fake_pmu_int.h"

#include "analyzer/cores.h"
#include "analyzer/renderer.h"
#include "collector/cores.h"
#include "record/run_dir.h"
#include "tests/near.h"

#include <jansson.h>

#define CORE_TYPE 4
#define ATOM_TYPE 10
#define CORE_CPUS 0x0f
#define ATOM_CPUS 0x30
#define WALL_MS   10000 /* of one thread that never waits */
#define CORE_MS   7500  /* of it on P-cores */

static struct slw_model *core, *atom;
static struct slw_session_core others[2];
static struct slw_session_options options;
static struct slw_run *run;
static struct slw_report *report;
static json_t *json;
static struct slw_error error;
static char spool_path[PATH_MAX];
static uint64_t core_ms;

/* What a counter shows for each code, over the time its group had the counters. On P-cores that are
 * two thirds of the time: 20 million cycles, and 60 % of the slots are back-end bound. On the
 * E-cores 4 million cycles, half of the slots front-end bound. */
static const struct {
    uint32_t type;
    uint64_t config, value;
} known[] = {
    {CORE_TYPE, 0x400, 120000000}, {CORE_TYPE, 0x8000, 24000000}, {CORE_TYPE, 0x8100, 12000000},
    {CORE_TYPE, 0x8200, 12000000}, {CORE_TYPE, 0x8300, 72000000}, {CORE_TYPE, 0x3c, 20000000},
    {CORE_TYPE, 0xc0, 30000000},   {CORE_TYPE, 0x8400, 2400000},  {CORE_TYPE, 0x8500, 10000000},
    {CORE_TYPE, 0x8600, 8000000},  {CORE_TYPE, 0x8700, 60000000}, {ATOM_TYPE, 0x3c, 4000000},
    {ATOM_TYPE, 0xc0, 2000000},    {ATOM_TYPE, 0x71, 10000000},   {ATOM_TYPE, 0x74, 4000000},
    {ATOM_TYPE, 0xc2, 5000000},    {ATOM_TYPE, 0x7271, 9000000},  {ATOM_TYPE, 0x8d71, 1000000},
};

static uint32_t type_of(const struct fake_event *e)
{
    return e->attr.type == PERF_TYPE_HARDWARE ? (uint32_t)(e->attr.config >> 32) : e->attr.type;
}

static uint64_t value_of(const struct fake_event *e)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].type == type_of(e) && known[i].config == e->attr.config)
            return known[i].value;
    return 0;
}

/* Clocks of one CPU share the time of their kind evenly. */
static uint64_t clock_ns(const struct fake_event *e)
{
    const uint64_t core_ns = core_ms * FAKE_MS, all_ns = WALL_MS * FAKE_MS;

    if (e->cpu < 0)
        return all_ns;
    return CORE_CPUS >> e->cpu & 1 ? core_ns / 4 : (all_ns - core_ns) / 2;
}

/* A task's events are enabled all the time, and run on their kind of core: on P-cores the groups
 * take turns. */
static struct fake_reading hybrid_task(const struct fake_event *e, size_t place)
{
    const uint64_t all_ns = WALL_MS * FAKE_MS, core_ns = core_ms * FAKE_MS;

    (void)place;
    if (!fake_is_hardware(e))
        return (struct fake_reading){clock_ns(e), all_ns, clock_ns(e)};
    if (type_of(e) == CORE_TYPE)
        return (struct fake_reading){core_ns ? value_of(e) : 0, all_ns, core_ns * 2 / 3};
    return (struct fake_reading){all_ns > core_ns ? value_of(e) : 0, all_ns, all_ns - core_ns};
}

static void add_sysfs(void)
{
    static const char *const metrics[] = {"slots",
                                          "topdown-retiring",
                                          "topdown-bad-spec",
                                          "topdown-fe-bound",
                                          "topdown-be-bound",
                                          "topdown-heavy-ops",
                                          "topdown-br-mispredict",
                                          "topdown-fetch-lat",
                                          "topdown-mem-bound"};
    char name[128];

    fake_file("sys/devices/system/cpu/online", "0-5\n");
    fake_sysfs("cpu_core/type", "4\n");
    fake_sysfs("cpu_core/cpus", "0-3\n");
    fake_sysfs("cpu_atom/type", "10\n");
    fake_sysfs("cpu_atom/cpus", "4-5\n");
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        (void)snprintf(name, sizeof(name), "cpu_core/events/%s", metrics[i]);
        fake_sysfs(name, "event=0x00\n");
    }
}

static int set_up(void **state)
{
    (void)state;
    fake_reset();
    kernel.count = hybrid_task;
    kernel.pmu_count = 2;
    kernel.pmus[0] = (struct fake_pmu){CORE_TYPE, CORE_CPUS, 12};
    kernel.pmus[1] = (struct fake_pmu){ATOM_TYPE, ATOM_CPUS, 9};
    core_ms = CORE_MS;
    error = (struct slw_error){0};
    fake_root_make();
    add_sysfs();
    assert_int_equal(slw_model_builtin("alderlake_p", &core, NULL), 0);
    assert_int_equal(slw_model_builtin("alderlake_e", &atom, NULL), 0);
    others[0] = (struct slw_session_core){atom, "cpu_atom"};
    (void)snprintf(spool_path, sizeof(spool_path), "%s/perf.data", fake_root);
    options = (struct slw_session_options){.target = SLW_TARGET_PID,
                                           .pid = getpid(),
                                           .model = core,
                                           .other_cores = others,
                                           .other_core_count = 1,
                                           .duration_ms = 100,
                                           .level = 1,
                                           .sysfs_root = fake_root,
                                           .spool_path = spool_path};
    return slw_run_new(&run, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    fake_assert_closed();
    json_decref(json);
    json = NULL;
    slw_report_free(report);
    report = NULL;
    slw_run_free(run);
    slw_model_free(core);
    slw_model_free(atom);
    core = atom = NULL;
    fake_root_remove();
    return 0;
}

static void measure(void)
{
    if (slw_session_run_on(&fake, &options, run, &error) != 0)
        fail_msg("%s", error.text);
}

static void conclude(void)
{
    const struct slw_model *models[SLW_MAX_CORE_KINDS] = {atom};
    const struct slw_render_options render = {0};
    struct slw_buf out = {0};

    assert_int_equal(slw_report_new_hybrid(run, NULL, core, models, &report, &error), 0);
    assert_int_equal(slw_renderer_find("json")->render(report, &render, &out, &error), 0);
    json = json_loads(out.data, 0, NULL);
    assert_non_null(json);
    slw_buf_release(&out);
}

static double share(size_t index, const char *key)
{
    const json_t *c = json_array_get(json_object_get(json, "cores"), index);
    const json_t *value = json_object_get(json_object_get(c, key), "value");

    return json_is_null(value) ? -1 : json_number_value(value);
}

/* Of the tree of one kind of core; -1: it has no value. */
static double node(size_t index, const char *name)
{
    const json_t *c = json_array_get(json_object_get(json, "cores"), index);
    const json_t *nodes = json_object_get(json_object_get(c, "topdown"), "nodes"), *n;
    size_t i;

    json_array_foreach(nodes, i,
                       n) if (strcmp(json_string_value(json_object_get(n, "name")), name) ==
                              0) return json_is_null(json_object_get(n, "value"))
        ? -1
        : json_number_value(json_object_get(n, "value"));
    fail_msg("no node %s", name);
    return -1;
}

/* ---- counting ---- */

static void one_session_counts_both_kinds_of_core(void **state)
{
    size_t on_core = 0, on_atom = 0;

    (void)state;
    measure();
    for (size_t i = 0; i < run->count_count; i++) {
        const struct slw_count *c = &run->counts[i];

        if (c->from.source != SLW_SOURCE_HARDWARE)
            continue;
        assert_non_null(c->pmu);
        on_core += strcmp(c->pmu, "cpu_core") == 0;
        on_atom += strcmp(c->pmu, "cpu_atom") == 0;
        for (size_t k = 0; k < i; k++) /* a group is of one kind */
            if (c->group >= 0 && run->counts[k].group == c->group)
                assert_string_equal(run->counts[k].pmu, c->pmu);
    }
    assert_true(on_core > 6 && on_atom > 3);
    assert_null(fake_note(run, "hybrid-part"));
    assert_string_equal(run->model.name, "alderlake_p");
    assert_string_equal(run->model.pmu, "cpu_core");
    assert_int_equal(run->other_model_count, 1);
    assert_string_equal(run->other_models[0].name, "alderlake_e");
    assert_string_equal(run->other_models[0].pmu, "cpu_atom");
}

/* The kernel's enabled time goes on while the target is on the other cores: scaled by it, the
 * cycles of the P-cores would be 40 million. */
static void counts_are_scaled_to_the_time_on_their_own_cores(void **state)
{
    (void)state;
    measure();
    const struct slw_count *c = fake_count_on(run, "cpu_core", "cpu_clk_unhalted.thread");
    const struct slw_count *a = fake_count_on(run, "cpu_atom", "cpu_clk_unhalted.core");

    assert_int_equal(c->enabled_ns, CORE_MS * FAKE_MS);
    assert_int_equal(c->running_ns, CORE_MS * FAKE_MS * 2 / 3);
    assert_int_equal(a->enabled_ns, (WALL_MS - CORE_MS) * FAKE_MS);
    assert_int_equal(a->running_ns, a->enabled_ns);
    assert_int_equal(fake_count_on(run, "cpu_core", "task-clock")->raw, CORE_MS * FAKE_MS);
    assert_int_equal(fake_count_on(run, "cpu_atom", "task-clock")->raw,
                     (WALL_MS - CORE_MS) * FAKE_MS);
    assert_null(fake_count(run, "task-clock")->pmu); /* the whole comes first */
    assert_int_equal(fake_count(run, "task-clock")->raw, WALL_MS * FAKE_MS);
}

static void on_a_machine_events_are_opened_where_their_pmu_is(void **state)
{
    size_t opened[2] = {0};

    (void)state;
    options.target = SLW_TARGET_ALL;
    measure();
    for (int i = 0; i < kernel.next; i++) {
        const struct fake_event *e = &kernel.events[i];
        if (!fake_is_hardware(e) || e->pid == 0)
            continue;
        assert_int_equal(e->pid, -1);
        assert_true((e->cpu < 4) == (type_of(e) == CORE_TYPE) || e->attr.config == 0);
        opened[type_of(e) == ATOM_TYPE]++;
    }
    assert_true(opened[0] > 0 && opened[1] > 0);
    assert_null(fake_count_on(run, "cpu_core", "topdown.slots")->absent);
    assert_null(fake_count_on(run, "cpu_atom", "topdown_be_bound.all")->absent);
    /* The clocks of CPUs say nothing about who ran. */
    for (size_t i = 0; i < run->count_count; i++)
        assert_false(run->counts[i].pmu && strcmp(run->counts[i].event, "task-clock") == 0);
}

static void counters_are_tried_on_each_kind(void **state)
{
    (void)state;
    kernel.pmus[1].counters = 3;
    measure();
    assert_non_null(fake_note(run, "counters-held"));
    assert_non_null(strstr(fake_note(run, "counters-held"), "cpu_atom"));
    assert_null(fake_count_on(run, "cpu_atom", "topdown_be_bound.all")->absent);
}

static void a_kind_without_a_model_is_named(void **state)
{
    (void)state;
    fake_sysfs("cpu_lowpower/type", "11\n");
    fake_sysfs("cpu_lowpower/cpus", "6-7\n");
    measure();
    assert_non_null(fake_note(run, "hybrid-part"));
    assert_non_null(strstr(fake_note(run, "hybrid-part"), "cpu_lowpower"));
    assert_null(strstr(fake_note(run, "hybrid-part"), "cpu_atom"));
}

/* Where the CPU is unknown: the kernel's names, with the PMU they are meant for. */
static void generic_events_name_their_pmu(void **state)
{
    struct slw_model *generic[2];

    (void)state;
    assert_int_equal(slw_model_builtin("generic", &generic[0], NULL), 0);
    assert_int_equal(slw_model_builtin("generic", &generic[1], NULL), 0);
    options.model = generic[0];
    others[0].model = generic[1];
    measure();
    assert_null(fake_count_on(run, "cpu_core", "cycles")->absent);
    assert_null(fake_count_on(run, "cpu_atom", "cycles")->absent);
    for (int i = 0; i < kernel.next; i++) {
        const struct fake_event *e = &kernel.events[i];
        if (e->pid != 0 && e->attr.type == PERF_TYPE_HARDWARE && e->leader == i &&
            (e->attr.read_format & PERF_FORMAT_GROUP))
            assert_true(type_of(e) == CORE_TYPE || type_of(e) == ATOM_TYPE);
    }
    slw_model_free(generic[0]);
    slw_model_free(generic[1]);
}

/* ---- sampling ---- */

static size_t samplers_on(int cpu, uint32_t *ret_type)
{
    size_t count = 0;

    for (int i = 0; i < kernel.next; i++) {
        const struct fake_event *e = &kernel.events[i];
        if (e->pid == 0 || e->cpu != cpu || !e->attr.freq || !fake_is_hardware(e))
            continue;
        *ret_type = type_of(e);
        count++;
    }
    return count;
}

static void cycles_are_sampled_on_every_core(void **state)
{
    uint32_t type = 99;

    (void)state;
    options.sample = true;
    options.frequency_hz = 97;
    measure();
    for (int cpu = 0; cpu < 6; cpu++) {
        assert_int_equal(samplers_on(cpu, &type), 1);
        assert_int_equal(type, 0); /* the kernel finds the PMU of the CPU */
    }
    assert_int_equal(run->sampling_count, 1);
}

static void a_kernel_that_wants_to_be_told_the_pmu_is_told(void **state)
{
    uint32_t type = 99;

    (void)state;
    options.sample = true;
    options.frequency_hz = 97;
    kernel.generic_is_first = true;
    measure();
    assert_int_equal(samplers_on(3, &type), 1);
    assert_int_equal(type, 0);
    assert_int_equal(samplers_on(4, &type), 1);
    assert_int_equal(type, ATOM_TYPE);
}

static void functions_of_several_kinds_are_refused_clearly(void **state)
{
    (void)state;
    options.sample = true;
    options.per_function = true;
    options.frequency_hz = 97;
    measure();
    assert_non_null(fake_note(run, "no-per-function"));
    assert_non_null(strstr(fake_note(run, "no-per-function"), "cores of several kinds"));
    assert_null(fake_count_on(run, "cpu_atom", "topdown_be_bound.all")->absent);
}

/* ---- the report ---- */

static void each_kind_has_a_tree_of_its_own_counts(void **state)
{
    (void)state;
    measure();
    conclude();
    assert_int_equal(json_array_size(json_object_get(json, "cores")), 2);
    assert_near(node(0, "backend_bound"), 0.6, 1e-9);
    assert_near(node(0, "retiring"), 0.2, 1e-9);
    assert_near(node(0, "ipc"), 1.5, 1e-9);
    assert_near(node(1, "frontend_bound"), 0.5, 1e-9);
    assert_near(node(1, "backend_bound"), 0.2, 1e-9);
    assert_near(node(1, "bad_speculation"), 0.05, 1e-9);
    assert_near(node(1, "ipc"), 0.5, 1e-9);
    assert_near(share(0, "time_share"), 0.75, 1e-9);
    assert_near(share(1, "time_share"), 0.25, 1e-9);
    assert_near(share(0, "cycles_share"), 30.0 / 34, 1e-9);
    assert_near(share(1, "cycles_share"), 4.0 / 34, 1e-9);
}

static void one_sentence_names_the_kinds(void **state)
{
    static const char wanted[] =
        "On the P-cores (75 % of the CPU time) the pipeline's bottleneck is Backend Bound (60 % of "
        "slots); on the E-cores (25 % of the CPU time) the pipeline's bottleneck is Frontend Bound "
        "(50 % of slots)";

    (void)state;
    measure();
    conclude();
    if (strncmp(report->verdict, wanted, sizeof(wanted) - 1) != 0)
        fail_msg("%s", report->verdict);
    assert_non_null(strstr(report->verdict_basis, "P-cores: top-down level 1 counted 67 %"));
    assert_non_null(strstr(report->verdict_basis, "E-cores: top-down level 1 counted 100 %"));
    assert_non_null(strstr(report->verdict_basis, "model alderlake_e"));
}

static void cores_nobody_ran_on_are_named_as_unused(void **state)
{
    (void)state;
    core_ms = WALL_MS;
    measure();
    assert_non_null(strstr(fake_count_on(run, "cpu_atom", "topdown_be_bound.all")->absent,
                           "did not run on cores of this kind"));
    conclude();
    assert_non_null(strstr(report->verdict, "the E-cores were not used"));
    assert_near(share(0, "time_share"), 1, 1e-9);
    assert_near(share(1, "time_share"), 0, 1e-9);
    assert_near(share(1, "cycles_share"), 0, 1e-9);
    assert_near(node(1, "backend_bound"), -1, 0);
}

static void the_pages_show_both_trees(void **state)
{
    static const char *const formats[] = {"term", "md"};
    const struct slw_render_options render = {.width = 100};

    (void)state;
    measure();
    conclude();
    for (size_t i = 0; i < 2; i++) {
        struct slw_buf out = {0};

        assert_int_equal(slw_renderer_find(formats[i])->render(report, &render, &out, &error), 0);
        const char *p = strstr(out.data, "P-cores\n") ? strstr(out.data, "P-cores\n")
                                                      : strstr(out.data, "TOP-DOWN, P-cores");
        assert_non_null(p);
        assert_non_null(strstr(p, "E-cores"));
        assert_non_null(strstr(p, "75 % of the CPU time, 88 % of the cycles"));
        assert_non_null(strstr(p, "25 % of the CPU time, 12 % of the cycles"));
        slw_buf_release(&out);
    }
}

/* Software that knows one model reads the same run. */
static void a_reader_of_one_model_sees_one_kind(void **state)
{
    struct slw_run *again = NULL;
    struct slw_report *one = NULL;
    struct slw_buf text = {0};

    (void)state;
    measure();
    assert_int_equal(slw_run_to_json(run, &text, NULL), 0);
    assert_int_equal(slw_run_from_json(text.data, text.length, &again, &error), 0);
    assert_int_equal(again->other_model_count, 1);
    assert_int_equal(slw_report_new(again, NULL, atom, &one, &error), 0);
    assert_int_equal(one->core_count, 0);
    assert_int_equal(one->topdown.status, SLW_TOPDOWN_FOUND);
    assert_near(one->nodes[slw_model_find_node(atom, "frontend_bound")].value.value, 0.5, 1e-9);
    slw_report_free(one);
    slw_run_free(again);
    slw_buf_release(&text);
}

/* ---- kinds ---- */

static void kinds_are_listed_by_their_first_cpu(void **state)
{
    struct slw_core_kind kinds[SLW_MAX_CORE_KINDS];

    (void)state;
    assert_int_equal(slw_core_kinds(fake_root, kinds), 2);
    assert_string_equal(kinds[0].pmu, "cpu_core");
    assert_string_equal(kinds[1].pmu, "cpu_atom");
    assert_int_equal(kinds[1].type, ATOM_TYPE);
    assert_true(slw_core_kind_has(&kinds[0], 3));
    assert_false(slw_core_kind_has(&kinds[0], 4));
    assert_false(slw_core_kind_has(&kinds[1], -1));
    assert_false(slw_core_kind_has(&kinds[1], SLW_CORE_CPUS));
    assert_ptr_equal(slw_core_kind_of(atom, kinds, 2), &kinds[1]);
}

static void arm_kinds_are_told_apart_by_what_their_cores_say(void **state)
{
    const struct slw_cpu first = {.arch = "aarch64",
                                  .vendor = "ARM",
                                  .family = -1,
                                  .model = -1,
                                  .stepping = -1,
                                  .implementer = 0x41,
                                  .part = 0xd05,
                                  .variant = 1,
                                  .revision = 0};
    struct slw_core_kind kinds[SLW_MAX_CORE_KINDS];
    struct slw_model *model = NULL;

    (void)state;
    fake_root_remove();
    fake_root_make();
    fake_sysfs("armv8_cortex_a55/type", "8\n");
    fake_sysfs("armv8_cortex_a55/cpus", "0-3\n");
    fake_sysfs("armv8_neoverse_n1/type", "9\n");
    fake_sysfs("armv8_neoverse_n1/cpus", "4-7\n");
    fake_sysfs("arm_dsu_0/type", "12\n");
    fake_sysfs("arm_dsu_0/cpus", "0-7\n");
    fake_file("sys/devices/system/cpu/cpu4/regs/identification/midr_el1", "0x00000000413fd0c1\n");
    assert_int_equal(slw_core_kinds(fake_root, kinds), 2);
    const struct slw_model_cpu little = slw_core_kind_cpu(&kinds[0], fake_root, &first);
    const struct slw_model_cpu big = slw_core_kind_cpu(&kinds[1], fake_root, &first);
    assert_int_equal(little.part, 0xd05);
    assert_int_equal(big.part, 0xd0c);
    assert_int_equal(big.stepping, 0x31);
    assert_int_equal(slw_core_kind_model(&kinds[0], &little, &model), -SLW_E_NOTFOUND);
    assert_int_equal(slw_core_kind_model(&kinds[1], &big, &model), 0);
    assert_string_equal(model->name, "neoverse_n1");
    slw_model_free(model);
}

static void one_kind_of_core_is_none(void **state)
{
    struct slw_core_kind kinds[SLW_MAX_CORE_KINDS];

    (void)state;
    fake_root_remove();
    fake_root_make();
    assert_int_equal(slw_core_kinds(fake_root, kinds), 0);
    fake_sysfs("cpu/type", "4\n");
    fake_sysfs("armv8_pmuv3_0/type", "8\n");
    assert_int_equal(slw_core_kinds(fake_root, kinds), 0);
    assert_null(slw_core_kind_of(atom, kinds, 0));
}

#define HYBRID_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HYBRID_TEST(one_session_counts_both_kinds_of_core),
        HYBRID_TEST(counts_are_scaled_to_the_time_on_their_own_cores),
        HYBRID_TEST(on_a_machine_events_are_opened_where_their_pmu_is),
        HYBRID_TEST(counters_are_tried_on_each_kind),
        HYBRID_TEST(a_kind_without_a_model_is_named),
        HYBRID_TEST(generic_events_name_their_pmu),
        HYBRID_TEST(cycles_are_sampled_on_every_core),
        HYBRID_TEST(a_kernel_that_wants_to_be_told_the_pmu_is_told),
        HYBRID_TEST(functions_of_several_kinds_are_refused_clearly),
        HYBRID_TEST(each_kind_has_a_tree_of_its_own_counts),
        HYBRID_TEST(one_sentence_names_the_kinds),
        HYBRID_TEST(cores_nobody_ran_on_are_named_as_unused),
        HYBRID_TEST(the_pages_show_both_trees),
        HYBRID_TEST(a_reader_of_one_model_sees_one_kind),
        HYBRID_TEST(kinds_are_listed_by_their_first_cpu),
        HYBRID_TEST(arm_kinds_are_told_apart_by_what_their_cores_say),
        HYBRID_TEST(one_kind_of_core_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
