/* SPDX-License-Identifier: MIT */
/* Sessions on machines nobody has at hand: a kernel that hands out a number of counters, and a
 * sysfs of the PMU's own, as Intel hybrid, AMD and Arm machines have them. */
#include "tests/unit/cmocka_int.h"

#include "collector/pmu.h"
#include "collector/session_int.h"
#include "collector/sys.h"
#include "models/model.h"

#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_FD   1000
#define MAX_FDS    4096
#define MAX_EVENTS 64
#define ENABLED_NS 10000000
#define ANY_CONFIG UINT64_MAX

struct event {
    struct perf_event_attr attr;
    int leader; /* index */
    bool open, enabled;
};

static struct {
    size_t counters;      /* of each PMU */
    uint32_t only_type;   /* attr.type of the PMU there is; 0: any */
    uint64_t zero_config; /* such events count nothing */
    uint64_t unknown;     /* such events do not exist */
    struct event events[MAX_FDS];
    int count;
    size_t largest_group; /* of what was measured, not tried */
} kernel;

static bool is_hardware(const struct event *e)
{
    return e->attr.type != PERF_TYPE_SOFTWARE;
}

/* PERF_METRICS parts are beside the counters. */
static bool takes_counter(const struct event *e)
{
    return is_hardware(e) && !(e->attr.config >= 0x8000 && e->attr.config <= 0x8700);
}

static size_t size_of_group(int leader)
{
    size_t size = 0;

    for (int i = 0; i < kernel.count; i++)
        size += kernel.events[i].open && kernel.events[i].leader == leader &&
                takes_counter(&kernel.events[i]);
    return size;
}

static size_t pinned_elsewhere(int leader)
{
    size_t size = 0;

    for (int i = 0; i < leader; i++)
        if (kernel.events[i].open && kernel.events[i].leader == i && kernel.events[i].enabled &&
            kernel.events[i].attr.pinned)
            size += size_of_group(i);
    return size;
}

static bool runs(int leader)
{
    return !is_hardware(&kernel.events[leader]) ||
           pinned_elsewhere(leader) + size_of_group(leader) <= kernel.counters;
}

static int fake_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                     unsigned long flags)
{
    struct event *e = &kernel.events[kernel.count];

    (void)cpu;
    (void)flags;
    if (attr->type != PERF_TYPE_SOFTWARE && attr->type != PERF_TYPE_HARDWARE && kernel.only_type &&
        attr->type != kernel.only_type)
        return -ENOENT;
    if (kernel.unknown && attr->config == kernel.unknown && attr->type != PERF_TYPE_SOFTWARE)
        return -ENOENT;
    assert_true(kernel.count < MAX_FDS);
    *e = (struct event){.attr = *attr,
                        .leader = group_fd < 0 ? kernel.count : group_fd - FIRST_FD,
                        .open = true,
                        .enabled = !attr->disabled};
    if (pid != 0 && size_of_group(e->leader) > kernel.largest_group)
        kernel.largest_group = size_of_group(e->leader);
    return FIRST_FD + kernel.count++;
}

static int fake_ioctl(int fd, unsigned long request, void *argument)
{
    if (request == PERF_EVENT_IOC_ID)
        *(uint64_t *)argument = (uint64_t)fd;
    if (request == PERF_EVENT_IOC_ENABLE)
        kernel.events[fd - FIRST_FD].enabled = true;
    return 0;
}

static ssize_t fake_read(int fd, void *data, size_t length)
{
    uint64_t words[3 + MAX_EVENTS] = {0};
    const int leader = fd - FIRST_FD;
    const bool group = kernel.events[leader].attr.read_format & PERF_FORMAT_GROUP;
    size_t n = 0;

    if (!runs(leader) && kernel.events[leader].attr.pinned)
        return 0; /* in its error state */
    words[1] = ENABLED_NS;
    words[2] = runs(leader) ? ENABLED_NS : 0;
    for (int i = leader; i < kernel.count; i++) {
        const struct event *e = &kernel.events[i];

        if (e->leader != leader || !e->open)
            continue;
        assert_true(n < MAX_EVENTS);
        words[3 + n++] = runs(leader) && e->attr.config != kernel.zero_config
                             ? (is_hardware(e) ? 1000000 : ENABLED_NS)
                             : 0;
    }
    words[0] = group ? n : words[3];
    n = (group ? 3 + n : 3) * sizeof(words[0]);
    assert_true(n <= length);
    memcpy(data, words, n);
    return (ssize_t)n;
}

static int fake_mmap(size_t length, int fd, void **ret_base)
{
    (void)fd;
    *ret_base = calloc(1, length);
    return *ret_base ? 0 : -ENOMEM;
}

static void fake_munmap(void *base, size_t length)
{
    (void)length;
    free(base);
}

static uint64_t now_ns;

static int fake_poll(struct pollfd *fds, size_t count, int timeout_ms)
{
    for (size_t i = 0; i < count; i++)
        fds[i].revents = 0;
    now_ns += (uint64_t)(timeout_ms > 0 ? timeout_ms : 1) * 1000000;
    return 0;
}

static void fake_close(int fd)
{
    kernel.events[fd - FIRST_FD].open = false;
}

static uint64_t fake_now(void)
{
    return now_ns;
}

static ssize_t real_writev(int fd, const struct iovec *parts, int part_count)
{
    return slw_sys_real.writev(fd, parts, part_count);
}

static const struct slw_sys fake = {.perf_event_open = fake_open,
                                    .ioctl = fake_ioctl,
                                    .mmap = fake_mmap,
                                    .munmap = fake_munmap,
                                    .read = fake_read,
                                    .writev = real_writev,
                                    .poll = fake_poll,
                                    .close = fake_close,
                                    .now_ns = fake_now};

/* ---- the machine ---- */

static char root[] = "/tmp/slw-pmu-XXXXXX";
static char spool_path[PATH_MAX];
static struct slw_session_options options;
static struct slw_model *model;
static struct slw_run *run;
static struct slw_error error;

static void make_folders(char *path)
{
    for (char *c = path + 1; *c; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        (void)mkdir(path, 0700);
        *c = '/';
    }
}

/* A file below the devices of the sysfs. */
static void sysfs(const char *name, const char *text)
{
    char path[PATH_MAX];

    assert_true(snprintf(path, sizeof(path), "%s/sys/bus/event_source/devices/%s", root, name) <
                (int)sizeof(path));
    make_folders(path);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof(kernel));
    kernel.counters = MAX_EVENTS;
    kernel.zero_config = ANY_CONFIG;
    now_ns = 1000000000;
    error = (struct slw_error){0};
    (void)snprintf(root, sizeof(root), "%s", "/tmp/slw-pmu-XXXXXX");
    assert_non_null(mkdtemp(root));
    (void)snprintf(spool_path, sizeof(spool_path), "%s/perf.data", root);
    options = (struct slw_session_options){.target = SLW_TARGET_PID,
                                           .pid = getpid(),
                                           .sample = true,
                                           .frequency_hz = 97,
                                           .duration_ms = 100,
                                           .level = 1,
                                           .sysfs_root = root,
                                           .spool_path = spool_path};
    assert_int_equal(slw_run_new(&run, NULL), 0);
    run->host.kernel = "6.1.0-50-cloud-arm64";
    return 0;
}

static int tear_down(void **state)
{
    char command[PATH_MAX + 16];

    (void)state;
    for (int i = 0; i < kernel.count; i++)
        assert_false(kernel.events[i].open);
    slw_run_free(run);
    slw_model_free(model);
    model = NULL;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command) == 0 ? 0 : -1; /* NOLINT(cert-env33-c): a test's own folder */
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
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, code) == 0)
            return true;
    return false;
}

static const struct slw_count *count_of(const char *event)
{
    const struct slw_count *c = slw_run_find_count(run, event);

    if (!c)
        fail_msg("no count of %s", event);
    return c;
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
    sysfs("cpu/type", "4\n");
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
    sysfs("cpu/type", "4\n");
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
    sysfs("cpu/type", "4\n");
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
    sysfs("cpu/type", "4\n");
    sysfs("cpu/events/slots", "event=0x00,umask=0x4\n");
    sysfs("cpu/events/topdown-retiring", "event=0x00,umask=0x80\n");
    sysfs("cpu/events/topdown-bad-spec", "event=0x00,umask=0x81\n");
    sysfs("cpu/events/topdown-fe-bound", "event=0x00,umask=0x82\n");
    measure("sapphirerapids");
    assert_null(count_of("perf_metrics.retiring")->absent);
    assert_non_null(strstr(count_of("perf_metrics.backend_bound")->absent, "does not list"));
}

static void hybrid_cores_are_counted_by_the_pmu_of_their_kind(void **state)
{
    (void)state;
    sysfs("cpu_core/type", "4\n");
    sysfs("cpu_atom/type", "10\n");
    kernel.only_type = 10;
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
    sysfs("cpu/type", "4\n");
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
    sysfs(name, "9\n");
    (void)snprintf(name, sizeof(name), "%s/cpus", pmu);
    sysfs(name, "0-3\n");
    (void)snprintf(name, sizeof(name), "%s/caps/slots", pmu);
    sysfs(name, "0x00000000\n");
    for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++) {
        (void)snprintf(name, sizeof(name), "%s/events/%s", pmu, listed[i][0]);
        sysfs(name, listed[i][1]);
    }
}

static void slot_events_a_core_lacks_are_absent_not_zero(void **state)
{
    (void)state;
    arm_sysfs("armv8_pmuv3_0");
    kernel.only_type = 9;
    kernel.zero_config = 0x3f;
    measure("neoverse_n2");
    assert_non_null(strstr(count_of("stall_slot")->absent, "does not count it"));
    assert_null(count_of("inst_retired")->absent);
    assert_int_equal(count_of("inst_retired")->raw, 1000000);
}

static void an_old_kernel_is_believed_only_when_it_counts(void **state)
{
    (void)state;
    arm_sysfs("armv8_pmuv3_0");
    run->host.kernel = "5.4.0";
    kernel.zero_config = 0x3f; /* STALL_SLOT reads 0; the other unlisted ones count */
    measure("neoverse_n2");
    assert_non_null(strstr(count_of("stall_slot")->absent, "did not count"));
    assert_null(count_of("stall_slot_backend")->absent);
}

static void an_arm_pmu_is_found_by_whatever_name(void **state)
{
    struct slw_pmu pmu;

    (void)state;
    arm_sysfs("armv8_neoverse_n2");
    sysfs("armv8_cortex_a55/type", "8\n");
    sysfs("armv8_cortex_a55/cpus", "4-7\n");
    assert_true(slw_pmu_find(root, "armv8_pmuv3_0", &pmu));
    assert_string_equal(pmu.name, "armv8_neoverse_n2"); /* CPU 0 is one of its */
    assert_int_equal(pmu.type, 9);
    assert_int_equal(slw_pmu_lists(&pmu, 0x11), SLW_PMU_LISTED);
    assert_int_equal(slw_pmu_lists(&pmu, 0x3f), SLW_PMU_UNLISTED);
    assert_int_equal(slw_pmu_lists(&pmu, 0x4005), SLW_PMU_UNLISTED);
    assert_int_equal(slw_pmu_lists(&pmu, 0xc1), SLW_PMU_NO_WORD); /* the vendor's own */
}

static void without_sysfs_there_is_no_pmu_to_find(void **state)
{
    struct slw_pmu pmu = {.type = 77};

    (void)state;
    assert_false(slw_pmu_find(root, NULL, &pmu));
    assert_false(slw_pmu_find(root, "armv8_pmuv3_0", &pmu));
    assert_false(slw_pmu_hybrid(root));
    sysfs("cpu/type", "many\n");
    assert_false(slw_pmu_find(root, "cpu", &pmu));
    assert_int_equal(pmu.type, 77);
}

static void events_the_kernel_does_not_know_do_not_take_turns(void **state)
{
    (void)state;
    sysfs("cpu/type", "4\n");
    assert_int_equal(slw_model_builtin("zen4", &model, NULL), 0);
    int index = slw_model_find_event(model, "ex_ret_brn_misp");
    assert_true(index >= 0);
    kernel.unknown = model->events[index].config;
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
        PMU_TEST(an_old_kernel_is_believed_only_when_it_counts),
        PMU_TEST(an_arm_pmu_is_found_by_whatever_name),
        PMU_TEST(without_sysfs_there_is_no_pmu_to_find),
        PMU_TEST(events_the_kernel_does_not_know_do_not_take_turns),
        PMU_TEST(kernels_that_list_all_arm_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
