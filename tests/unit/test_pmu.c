/* SPDX-License-Identifier: MIT */
/* Sessions on machines nobody has at hand: a kernel that hands out a number of counters, and a
 * sysfs of the PMU's own, as Intel hybrid, AMD and Arm machines have them. */
#include "tests/unit/fake_pmu_int.h"

#include "analyzer/report.h"
#include "collector/cores.h"
#include "collector/pmu.h"

#define ENABLED_NS (10 * FAKE_MS)

static char spool_path[PATH_MAX];
static struct slw_session_options options;
static struct slw_model *model;
static struct slw_run *run;
static struct slw_error error;

static uint64_t zero_config; /* such events count nothing */

static struct fake_reading but_zero(const struct fake_event *e, size_t place)
{
    const uint64_t value = fake_is_hardware(e) ? 1000000 : ENABLED_NS;

    (void)place;
    return (struct fake_reading){e->attr.config == zero_config ? 0 : value, ENABLED_NS, ENABLED_NS};
}

static void one_pmu(uint32_t type)
{
    kernel.pmu_count = 1;
    kernel.pmus[0] = (struct fake_pmu){.type = type, .counters = FAKE_NO_LIMIT};
}

static int set_up(void **state)
{
    (void)state;
    fake_reset();
    kernel.count = but_zero;
    zero_config = FAKE_ANY_CONFIG;
    error = (struct slw_error){0};
    fake_root_make();
    (void)snprintf(spool_path, sizeof(spool_path), "%s/perf.data", fake_root);
    options = (struct slw_session_options){.target = SLW_TARGET_PID,
                                           .pid = getpid(),
                                           .sample = true,
                                           .frequency_hz = 97,
                                           .duration_ms = 100,
                                           .level = 1,
                                           .sysfs_root = fake_root,
                                           .spool_path = spool_path};
    assert_int_equal(slw_run_new(&run, NULL), 0);
    run->host.kernel = "6.1.0-50-cloud-arm64";
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_assert_closed();
    slw_run_free(run);
    slw_model_free(model);
    model = NULL;
    fake_root_remove();
    return 0;
}

static void measure(const char *name)
{
    assert_int_equal(slw_model_builtin(name, &model, NULL), 0);
    options.model = model;
    if (slw_session_run_on(&fake, &options, run, &error) != 0)
        fail_msg("%s", error.text);
}

static bool has_note(const char *code)
{
    return fake_note(run, code) != NULL;
}

static const struct slw_count *count_of(const char *event)
{
    return fake_count(run, event);
}

static void assert_all_counted(void)
{
    size_t hardware = 0;

    for (size_t i = 0; i < run->count_count; i++) {
        const struct slw_count *c = &run->counts[i];

        if (c->from.source != SLW_SOURCE_HARDWARE)
            continue;
        hardware++;
        if (c->absent)
            fail_msg("%s: %s", c->event, c->absent);
        assert_int_equal(c->running_ns, ENABLED_NS);
    }
    assert_true(hardware > 4);
}

/* ---- AMD ---- */

static void amd_groups_fit_six_counters(void **state)
{
    (void)state;
    fake_sysfs("cpu/type", "4\n");
    kernel.counters = 6;
    options.level = 2;
    measure("zen4");
    assert_all_counted();
    assert_true(kernel.largest_group <= 5); /* one is left to the samples */
    assert_false(has_note("counters-held"));
    assert_false(has_note("sampling-part-time"));
}

static void a_hypervisor_that_gives_four_counters_is_noticed(void **state)
{
    (void)state;
    fake_sysfs("cpu/type", "4\n");
    kernel.counters = 4;
    options.level = 2;
    measure("zen4");
    assert_all_counted();
    assert_true(kernel.largest_group <= 3);
    assert_true(has_note("counters-held"));
}

static void without_any_counter_everything_is_absent(void **state)
{
    (void)state;
    fake_sysfs("cpu/type", "4\n");
    kernel.counters = 0;
    measure("zen4");
    for (size_t i = 0; i < run->count_count; i++)
        if (run->counts[i].from.source == SLW_SOURCE_HARDWARE) {
            assert_non_null(run->counts[i].absent);
            assert_non_null(strstr(run->counts[i].absent, "never scheduled"));
        }
    assert_true(has_note("sampling-part-time"));
}

/* ---- Intel ---- */

static void parts_of_perf_metrics_that_the_kernel_does_not_list_are_absent(void **state)
{
    (void)state;
    fake_sysfs("cpu/type", "4\n");
    fake_sysfs("cpu/events/slots", "event=0x00,umask=0x4\n");
    fake_sysfs("cpu/events/topdown-retiring", "event=0x00,umask=0x80\n");
    fake_sysfs("cpu/events/topdown-bad-spec", "event=0x00,umask=0x81\n");
    fake_sysfs("cpu/events/topdown-fe-bound", "event=0x00,umask=0x82\n");
    measure("sapphirerapids");
    assert_null(count_of("perf_metrics.retiring")->absent);
    assert_non_null(strstr(count_of("perf_metrics.backend_bound")->absent, "does not list"));
}

static void hybrid_cores_are_counted_by_the_pmu_of_their_kind(void **state)
{
    (void)state;
    fake_sysfs("cpu_core/type", "4\n");
    fake_sysfs("cpu_atom/type", "10\n");
    one_pmu(10);
    measure("alderlake_e");
    assert_all_counted();
    for (size_t i = 0; i < run->count_count; i++)
        if (run->counts[i].from.source == SLW_SOURCE_HARDWARE)
            assert_string_equal(run->counts[i].pmu, "cpu_atom");
        else
            assert_null(run->counts[i].pmu);
    assert_true(has_note("hybrid-part"));
}

static void one_kind_of_core_needs_no_name(void **state)
{
    (void)state;
    fake_sysfs("cpu/type", "4\n");
    measure("zen4");
    assert_false(has_note("hybrid-part"));
    for (size_t i = 0; i < run->count_count; i++)
        assert_null(run->counts[i].pmu);
}

/* ---- Arm ---- */

/* As ACPI or a device tree names it; the machine of stock QEMU lists four events. */
static void arm_sysfs(const char *pmu)
{
    static const char *const listed[][2] = {{"cpu_cycles", "event=0x0011\n"},
                                            {"inst_retired", "event=0x0008\n"},
                                            {"stall_frontend", "event=0x0023\n"},
                                            {"stall_backend", "event=0x0024\n"}};
    char name[128];

    (void)snprintf(name, sizeof(name), "%s/type", pmu);
    fake_sysfs(name, "9\n");
    (void)snprintf(name, sizeof(name), "%s/cpus", pmu);
    fake_sysfs(name, "0-3\n");
    (void)snprintf(name, sizeof(name), "%s/caps/slots", pmu);
    fake_sysfs(name, "0x00000000\n");
    for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++) {
        (void)snprintf(name, sizeof(name), "%s/events/%s", pmu, listed[i][0]);
        fake_sysfs(name, listed[i][1]);
    }
}

static void slot_events_a_core_lacks_are_absent_not_zero(void **state)
{
    (void)state;
    arm_sysfs("armv8_pmuv3_0");
    one_pmu(9);
    zero_config = 0x3f;
    measure("neoverse_n2");
    assert_non_null(strstr(count_of("stall_slot")->absent, "does not count it"));
    assert_null(count_of("inst_retired")->absent);
    assert_int_equal(count_of("inst_retired")->raw, 1000000);
}

/* The architecture's formulas need the number of slots, which such a core does not tell. */
static void an_unknown_core_without_slots_has_no_tree_and_says_so(void **state)
{
    struct slw_report *report = NULL;

    (void)state;
    arm_sysfs("armv8_pmuv3_0");
    one_pmu(9);
    measure("generic");
    assert_null(count_of("cycles")->absent);
    assert_int_equal(slw_report_new(run, NULL, model, &report, NULL), 0);
    assert_int_equal(report->topdown.status, SLW_TOPDOWN_NONE);
    assert_string_equal(report->topdown.reason, "the CPU model has no top-down tree");
    assert_int_equal(report->core_count, 0);
    slw_report_free(report);
}

static void an_old_kernel_is_believed_only_when_it_counts(void **state)
{
    (void)state;
    arm_sysfs("armv8_pmuv3_0");
    run->host.kernel = "5.4.0";
    zero_config = 0x3f; /* STALL_SLOT reads 0; the other unlisted ones count */
    measure("neoverse_n2");
    assert_non_null(strstr(count_of("stall_slot")->absent, "did not count"));
    assert_null(count_of("stall_slot_backend")->absent);
}

static void an_arm_pmu_is_found_by_whatever_name(void **state)
{
    struct slw_pmu pmu;

    (void)state;
    arm_sysfs("armv8_neoverse_n2");
    fake_sysfs("armv8_cortex_a55/type", "8\n");
    fake_sysfs("armv8_cortex_a55/cpus", "4-7\n");
    assert_true(slw_pmu_find(fake_root, "armv8_pmuv3_0", &pmu));
    assert_string_equal(pmu.name, "armv8_neoverse_n2"); /* CPU 0 is one of its */
    assert_int_equal(pmu.type, 9);
    assert_int_equal(slw_pmu_lists(&pmu, 0x11), SLW_PMU_LISTED);
    assert_int_equal(slw_pmu_lists(&pmu, 0x3f), SLW_PMU_UNLISTED);
    assert_int_equal(slw_pmu_lists(&pmu, 0x4005), SLW_PMU_UNLISTED);
    assert_int_equal(slw_pmu_lists(&pmu, 0xc1), SLW_PMU_NO_WORD); /* the vendor's own */
}

static void without_sysfs_there_is_no_pmu_to_find(void **state)
{
    struct slw_core_kind kinds[SLW_MAX_CORE_KINDS];
    struct slw_pmu pmu = {.type = 77};

    (void)state;
    assert_false(slw_pmu_find(fake_root, NULL, &pmu));
    assert_false(slw_pmu_find(fake_root, "armv8_pmuv3_0", &pmu));
    assert_false(slw_core_kinds(fake_root, kinds) > 0);
    fake_sysfs("cpu/type", "many\n");
    assert_false(slw_pmu_find(fake_root, "cpu", &pmu));
    assert_int_equal(pmu.type, 77);
}

static void events_the_kernel_does_not_know_do_not_take_turns(void **state)
{
    (void)state;
    fake_sysfs("cpu/type", "4\n");
    assert_int_equal(slw_model_builtin("zen4", &model, NULL), 0);
    int index = slw_model_find_event(model, "ex_ret_brn_misp");
    assert_true(index >= 0);
    kernel.missing_config = model->events[index].config;
    slw_model_free(model);
    options.level = 2;
    measure("zen4");
    assert_string_equal(count_of("ex_ret_brn_misp")->absent, "not supported");
}

static void kernels_that_list_all_arm_events(void **state)
{
    (void)state;
    assert_true(slw_pmu_kernel_lists_all("6.1.0-50-cloud-arm64"));
    assert_true(slw_pmu_kernel_lists_all("5.9"));
    assert_false(slw_pmu_kernel_lists_all("5.8.18"));
    assert_false(slw_pmu_kernel_lists_all("4.19.0"));
    assert_false(slw_pmu_kernel_lists_all(""));
    assert_false(slw_pmu_kernel_lists_all(NULL));
}

#define PMU_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PMU_TEST(amd_groups_fit_six_counters),
        PMU_TEST(a_hypervisor_that_gives_four_counters_is_noticed),
        PMU_TEST(without_any_counter_everything_is_absent),
        PMU_TEST(parts_of_perf_metrics_that_the_kernel_does_not_list_are_absent),
        PMU_TEST(hybrid_cores_are_counted_by_the_pmu_of_their_kind),
        PMU_TEST(one_kind_of_core_needs_no_name),
        PMU_TEST(slot_events_a_core_lacks_are_absent_not_zero),
        PMU_TEST(an_unknown_core_without_slots_has_no_tree_and_says_so),
        PMU_TEST(an_old_kernel_is_believed_only_when_it_counts),
        PMU_TEST(an_arm_pmu_is_found_by_whatever_name),
        PMU_TEST(without_sysfs_there_is_no_pmu_to_find),
        PMU_TEST(events_the_kernel_does_not_know_do_not_take_turns),
        PMU_TEST(kernels_that_list_all_arm_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
