/* SPDX-License-Identifier: MIT */
/* Decisions of a session on a kernel that is played: what it refuses, and what then is measured. */
#include "tests/unit/fake_pmu_int.h"

#include <sys/resource.h>

/* Every event counts 100 more than its place in the group, over 8 of 10 ms; one alone all the time.
 */
static struct fake_reading places(const struct fake_event *e, size_t place)
{
    const bool group = e->attr.read_format & PERF_FORMAT_GROUP;

    return (struct fake_reading){100 + place, 10 * FAKE_MS, group ? 8 * FAKE_MS : 10 * FAKE_MS};
}

static char spool_path[] = "/tmp/slw-session-XXXXXX";
static struct slw_session_options options;
static struct slw_run *run;
static struct slw_error error;
static volatile sig_atomic_t stop_flag;

static int set_up(void **state)
{
    (void)state;
    fake_reset();
    kernel.count = places;
    stop_flag = 0;
    error = (struct slw_error){0};
    options = (struct slw_session_options){.target = SLW_TARGET_PID,
                                           .pid = getpid(),
                                           .sample = true,
                                           .frequency_hz = 97,
                                           .duration_ms = 5000,
                                           .spool_path = spool_path,
                                           .stop = &stop_flag};
    assert_int_equal(slw_run_new(&run, NULL), 0);
    run->host.perf_event_paranoid = 2;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    slw_run_free(run);
    fake_assert_closed();
    return 0;
}

static int session(void)
{
    return slw_session_run_on(&fake, &options, run, &error);
}

static bool has_note(const char *code)
{
    return fake_note(run, code) != NULL;
}

static const struct slw_count *count_of(const char *event)
{
    return fake_count(run, event);
}

static void a_pmu_is_used_where_there_is_one(void **state)
{
    (void)state;
    assert_int_equal(session(), 0);
    assert_string_equal(run->samplings[0].event, "cycles");
    assert_int_equal(run->samplings[0].from.source, SLW_SOURCE_HARDWARE);
    assert_int_equal(count_of("instructions")->raw % 100, 1);
    assert_int_equal(count_of("instructions")->from.source, SLW_SOURCE_HARDWARE);
    assert_int_equal(count_of("task-clock")->from.source, SLW_SOURCE_SOFTWARE);
    assert_int_equal(count_of("cycles")->group, count_of("instructions")->group);
    assert_int_not_equal(count_of("cycles")->group, count_of("task-clock")->group);
    assert_int_equal(count_of("cycles")->running_ns * 10, count_of("cycles")->enabled_ns * 8);
    assert_int_equal(run->note_count, 0);
    assert_int_equal(run->wall_ns.value, 5000 * 1000000ull);
    assert_null(run->self.user_ns.absent);
    assert_true(run->self.ring_bytes > 0 && run->self.wakeups > 0);
}

static void without_a_pmu_the_clock_is_sampled_and_the_reason_noted(void **state)
{
    (void)state;
    kernel.hardware_errno = ENOENT;
    assert_int_equal(session(), 0);
    assert_string_equal(run->samplings[0].event, "cpu-clock");
    assert_true(has_note("no-pmu"));
    assert_null(slw_run_find_count(run, "cycles"));
    assert_null(count_of("context-switches")->absent);
}

/* Refused before anything is loaded into a kernel. */
static void assert_timers_of_tasks(const char *why)
{
    options.timers = SLW_TIMERS_AUTO;
    assert_int_equal(session(), 0);
    assert_string_equal(run->samplings[0].timers, "task");
    assert_non_null(strstr(run->samplings[0].timers_reason, why));
    options.timers = SLW_TIMERS_CPU;
    assert_int_equal(session(), -SLW_E_UNSUPPORTED);
    assert_non_null(strstr(error.text, why));
}

static void a_large_machine_is_not_interrupted_everywhere(void **state)
{
    (void)state;
    kernel.hardware_errno = ENOENT;
    fake_root_make();
    fake_file("sys/devices/system/cpu/online", "0-64\n");
    options.sysfs_root = fake_root;
    assert_timers_of_tasks("65 CPUs");
    fake_root_remove();
}

static void a_high_frequency_is_the_targets_own(void **state)
{
    (void)state;
    kernel.hardware_errno = ENOENT;
    options.frequency_hz = 0;
    options.period = 100000;
    assert_timers_of_tasks("10000 times a second");
}

static void timers_of_tasks_need_no_reason_when_they_are_asked_for(void **state)
{
    (void)state;
    kernel.hardware_errno = ENOENT;
    assert_int_equal(session(), 0);
    assert_string_equal(run->samplings[0].timers, "task");
    assert_null(run->samplings[0].timers_reason);
}

static void a_counter_of_events_has_no_timers(void **state)
{
    (void)state;
    options.timers = SLW_TIMERS_AUTO;
    assert_int_equal(session(), 0);
    assert_string_equal(run->samplings[0].event, "cycles");
    assert_null(run->samplings[0].timers);
}

static void a_hidden_kernel_leaves_no_zero_behind(void **state)
{
    (void)state;
    kernel.hardware_errno = ENOENT;
    kernel.kernel_errno = EACCES;
    assert_int_equal(session(), 0);
    assert_true(has_note("kernel-hidden"));
    assert_int_equal(run->samplings[0].mode, SLW_MODE_USER);
    assert_int_equal(count_of("page-faults")->mode, SLW_MODE_USER);
    assert_int_equal(count_of("task-clock")->mode, SLW_MODE_ALL);
    assert_non_null(strstr(count_of("context-switches")->absent, "perf_event_paranoid=2"));
    assert_non_null(count_of("cpu-migrations")->absent);
    assert_null(count_of("page-faults")->absent);
}

static void a_refused_kernel_interface_leaves_getrusage(void **state)
{
    (void)state;
    kernel.hardware_errno = EPERM;
    kernel.software_errno = EPERM;
    assert_int_equal(session(), 0);
    assert_true(has_note("perf-refused"));
    assert_true(has_note("no-samples"));
    assert_int_equal(run->sampling_count, 0);
    assert_null(count_of("user-time")->absent);
    assert_null(count_of("max-rss")->absent);
    assert_int_equal(access(spool_path, F_OK), -1); /* no empty file is left */
}

static void a_backend_that_was_asked_for_is_never_replaced(void **state)
{
    (void)state;
    kernel.hardware_errno = ENOENT;
    options.backend = "hwpmu";
    assert_int_equal(session(), -SLW_E_UNSUPPORTED);
    kernel.software_errno = EACCES;
    options.backend = "swclock";
    error = (struct slw_error){0};
    assert_int_equal(session(), -SLW_E_PERM);
    assert_non_null(strstr(error.text, "cpu-clock"));
    options.backend = "nonsense";
    error = (struct slw_error){0};
    assert_int_equal(session(), -SLW_E_INVAL);
    assert_int_equal(run->count_count, 0);
}

static void a_machine_cannot_be_measured_by_getrusage(void **state)
{
    (void)state;
    kernel.hardware_errno = EACCES;
    kernel.software_errno = EACCES;
    options.target = SLW_TARGET_ALL;
    assert_int_equal(session(), -SLW_E_UNSUPPORTED);
}

static void an_event_the_cpu_lacks_is_absent_and_the_rest_counted(void **state)
{
    (void)state;
    kernel.missing_config = PERF_COUNT_HW_BRANCH_MISSES;
    assert_int_equal(session(), 0);
    assert_string_equal(count_of("branch-misses")->absent, "not supported");
    assert_null(count_of("branches")->absent);
    assert_int_equal(count_of("branches")->raw % 100, 2);
}

static void a_leader_the_cpu_lacks_passes_the_lead_on(void **state)
{
    (void)state;
    kernel.hardware_errno = 0;
    kernel.missing_config = PERF_COUNT_HW_INSTRUCTIONS;
    options.sample = false;
    assert_int_equal(session(), 0);
    assert_string_equal(count_of("instructions")->absent, "not supported");
    assert_int_equal(count_of("branches")->raw % 100, 1);
}

static void a_group_without_a_counter_was_never_scheduled(void **state)
{
    (void)state;
    kernel.counters = 0;
    assert_int_equal(session(), 0);
    assert_non_null(strstr(count_of("cycles")->absent, "never scheduled"));
    assert_null(count_of("task-clock")->absent);
}

static void the_descriptor_limit_is_raised_once(void **state)
{
    struct rlimit before, limit;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    kernel.emfile_after = 7; /* past what the trial of the counters opens */
    kernel.emfile_once = true;
    assert_int_equal(session(), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, limit.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void out_of_descriptors_is_an_error_that_says_so(void **state)
{
    (void)state;
    kernel.emfile_after = 3;
    assert_int_equal(session(), -SLW_E_IO);
    assert_non_null(strstr(error.text, "file descriptors"));
    assert_true(error.hint[0] != '\0');
}

static void a_refused_ring_is_made_smaller_and_noted(void **state)
{
    (void)state;
    kernel.largest_map = (size_t)64 << 10;
    assert_int_equal(session(), 0);
    assert_true(has_note("ring-smaller"));
    assert_true(run->self.ring_bytes > 0);
}

static void no_ring_at_all_is_an_error(void **state)
{
    (void)state;
    kernel.largest_map = 100;
    assert_int_equal(session(), -SLW_E_NOMEM);
}

static void an_interrupted_poll_is_no_error(void **state)
{
    (void)state;
    kernel.eintr_count = 3;
    assert_int_equal(session(), 0);
    assert_null(count_of("cycles")->absent);
}

static void a_stop_before_the_end_keeps_the_counts(void **state)
{
    (void)state;
    stop_flag = 15;
    assert_int_equal(session(), 0);
    assert_null(count_of("cycles")->absent);
    assert_true(run->wall_ns.value < 1000000);
}

static void a_broken_ring_is_an_error_but_loses_no_count(void **state)
{
    (void)state;
    kernel.break_ring = true;
    assert_int_equal(session(), -SLW_E_FORMAT);
    assert_non_null(strstr(error.where, "ring offset"));
    assert_null(count_of("cycles")->absent);
    assert_null(count_of("task-clock")->absent);
}

static void a_full_disk_ends_sampling_not_counting(void **state)
{
    (void)state;
    if (access("/dev/full", F_OK) < 0)
        skip();
    options.spool_path = "/dev/full";
    assert_int_equal(session(), -SLW_E_FULL);
    assert_int_equal(access("/dev/full", F_OK), 0); /* a device is not ours to remove */
}

static void a_vanished_pid_is_gone(void **state)
{
    (void)state;
    options.pid = 0x3fffffff; /* above every pid_max */
    assert_int_equal(session(), -SLW_E_GONE);
}

static void impossible_options_are_refused_before_anything_starts(void **state)
{
    (void)state;
    options.ring_bytes = 12345;
    assert_int_equal(session(), -SLW_E_INVAL);
    options.ring_bytes = 0;
    options.frequency_hz = 0;
    error = (struct slw_error){0};
    assert_int_equal(session(), -SLW_E_INVAL);
    assert_int_equal(kernel.next, 0);
}

static void a_control_file_must_be_a_fifo(void **state)
{
    (void)state;
    options.control_fifo = "/dev/null";
    assert_int_equal(session(), -SLW_E_INVAL);
    options.control_fifo = "/nonexistent/fifo";
    error = (struct slw_error){0};
    assert_int_equal(session(), -SLW_E_NOTFOUND);
}

#define SESSION_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(a_pmu_is_used_where_there_is_one),
        SESSION_TEST(without_a_pmu_the_clock_is_sampled_and_the_reason_noted),
        SESSION_TEST(a_large_machine_is_not_interrupted_everywhere),
        SESSION_TEST(a_high_frequency_is_the_targets_own),
        SESSION_TEST(timers_of_tasks_need_no_reason_when_they_are_asked_for),
        SESSION_TEST(a_counter_of_events_has_no_timers),
        SESSION_TEST(a_hidden_kernel_leaves_no_zero_behind),
        SESSION_TEST(a_refused_kernel_interface_leaves_getrusage),
        SESSION_TEST(a_backend_that_was_asked_for_is_never_replaced),
        SESSION_TEST(a_machine_cannot_be_measured_by_getrusage),
        SESSION_TEST(an_event_the_cpu_lacks_is_absent_and_the_rest_counted),
        SESSION_TEST(a_leader_the_cpu_lacks_passes_the_lead_on),
        SESSION_TEST(a_group_without_a_counter_was_never_scheduled),
        SESSION_TEST(the_descriptor_limit_is_raised_once),
        SESSION_TEST(out_of_descriptors_is_an_error_that_says_so),
        SESSION_TEST(a_refused_ring_is_made_smaller_and_noted),
        SESSION_TEST(no_ring_at_all_is_an_error),
        SESSION_TEST(an_interrupted_poll_is_no_error),
        SESSION_TEST(a_stop_before_the_end_keeps_the_counts),
        SESSION_TEST(a_broken_ring_is_an_error_but_loses_no_count),
        SESSION_TEST(a_full_disk_ends_sampling_not_counting),
        SESSION_TEST(a_vanished_pid_is_gone),
        SESSION_TEST(impossible_options_are_refused_before_anything_starts),
        SESSION_TEST(a_control_file_must_be_a_fifo),
    };
    int fd = mkstemp(spool_path);

    if (fd < 0)
        return 1;
    (void)close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(spool_path);
    return failed;
}
