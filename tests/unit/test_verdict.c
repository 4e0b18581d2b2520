/* SPDX-License-Identifier: MIT */
#include "analyzer/verdict.h"
#include "tests/report_fixture.h"

static void says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void never_says(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" says \"%s\"", text, part);
}

/* One sentence: one full stop, at the end; a capital first. */
static void assert_sentence(const char *text)
{
    size_t length = strlen(text);

    assert_true(length > 10 && text[length - 1] == '.');
    assert_true(text[0] < 'a' || text[0] > 'z');
    assert_null(strstr(text, ". "));
    assert_null(strchr(text, '\n'));
    never_says(text, "nan");
    never_says(text, "(null)");
}

static const char *verdict(struct fixture *f)
{
    const struct slw_report *r = fixture_report(f);

    assert_sentence(r->verdict);
    return r->verdict;
}

static void durable_sqlite_is_kernel_below_fdatasync(void **state)
{
    (void)state;
    struct fixture f = fixture_sqlite();
    const char *v = verdict(&f);
    says(v, "mostly waits (0.33 CPUs busy over 1.20 s)");
    says(v, "70 % of its CPU time is in the kernel");
    says(v, "most of it below the fdatasync system call (60 %)");
    says(v, "ext4_sync_file (60 %)");
    says(v, "[software tier]");
    assert_string_equal(f.report->verdict_basis,
                        "software tier: 400 cpu-clock samples over 1.20 s; no pipeline slots: "
                        "no PMU in this VM (KVM)");
    fixture_free(&f);
}

static void a_busy_client_is_cpu_bound_in_its_module(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_thread one = {"client", 1, 1};
    uint32_t thread;
    assert_int_equal(slw_stacks_add_thread(f.stacks, &one, &thread), 0);
    fixture_sampling(&f, SLW_MODE_ALL);
    fixture_count(&f, "task-clock", "ns", 1180000000);
    fixture_add(&f, 900, thread, "u:/usr/lib/libsqlite3.so.0:sqlite3VdbeExec");
    fixture_add(&f, 100, thread, "k:[kernel.kallsyms]:page_fault");
    const char *v = verdict(&f);
    says(v, "This client is CPU bound (0.98 CPUs busy");
    says(v, "90 % of its CPU time is in user space, 90 % in libsqlite3.so.0");
    says(v, "hottest function sqlite3VdbeExec");
    fixture_free(&f);
}

static void several_threads_are_never_called_cpu_bound(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_thread a = {"a", 1, 1}, b = {"b", 1, 2};
    uint32_t ta, tb;
    assert_int_equal(slw_stacks_add_thread(f.stacks, &a, &ta), 0);
    assert_int_equal(slw_stacks_add_thread(f.stacks, &b, &tb), 0);
    fixture_count(&f, "task-clock", "ns", 1180000000);
    fixture_add(&f, 500, ta, "u:/bin/x:f");
    fixture_add(&f, 500, tb, "u:/bin/x:f");
    const char *v = verdict(&f);
    never_says(v, "CPU bound");
    says(v, "0.98 CPUs busy");
    fixture_free(&f);
}

static void user_mode_samples_say_nothing_about_the_kernel(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_sampling(&f, SLW_MODE_USER);
    fixture_add(&f, 300, SLW_NO_THREAD, "u:/usr/lib/libpq.so.5:pqGetInt");
    const char *v = verdict(&f);
    never_says(v, "kernel");
    says(v, "100 % of this client's user-mode CPU time is in libpq.so.5");
    says(f.report->verdict_basis, "(user mode only)");
    fixture_free(&f);
}

static void user_and_system_time_stand_in_for_a_split_that_was_not_sampled(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_sampling(&f, SLW_MODE_USER);
    fixture_count(&f, "user-time", "ns", 100000000);
    fixture_count(&f, "system-time", "ns", 300000000);
    fixture_add(&f, 300, SLW_NO_THREAD, "u:/usr/lib/libpq.so.5:pqGetInt");
    const struct slw_report *r = fixture_report(&f);
    assert_false(r->facts->split_sampled);
    assert_near(r->facts->kernel.value, 0.75, 1e-12);
    assert_false(r->facts->kernel.have_interval);
    says(r->verdict, "75 % of its CPU time is in the kernel");
    says(r->verdict, "of user-mode CPU time"); /* what the function's share is of */
    fixture_free(&f);
}

static void close_functions_are_not_ranked(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_sampling(&f, SLW_MODE_ALL);
    fixture_add(&f, 52, SLW_NO_THREAD, "u:/bin/x:first");
    fixture_add(&f, 48, SLW_NO_THREAD, "u:/bin/x:second");
    const char *v = verdict(&f);
    says(v, "too close to rank");
    says(v, "first");
    says(v, "second");
    fixture_add(&f, 47, SLW_NO_THREAD, "u:/bin/x:third");
    v = verdict(&f);
    says(v, "no function stands out");
    fixture_free(&f);
}

static void code_without_symbols_is_not_called_a_function(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_sampling(&f, SLW_MODE_ALL);
    fixture_add(&f, 500, SLW_NO_THREAD, "u:/opt/client:");
    const char *v = verdict(&f);
    never_says(v, "hottest function");
    says(v, "no symbol");
    fixture_free(&f);
}

static void a_handful_of_samples_names_no_place(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_sampling(&f, SLW_MODE_ALL);
    fixture_count(&f, "task-clock", "ns", 7000000);
    fixture_add(&f, SLW_MIN_VERDICT_SAMPLES - 1, SLW_NO_THREAD, "u:/bin/x:f");
    const char *v = verdict(&f);
    says(v, "only 19 samples were taken in 7.00 ms of CPU time, too few to say where it goes");
    never_says(v, "hottest");
    fixture_add(&f, 1, SLW_NO_THREAD, "u:/bin/x:f");
    v = verdict(&f);
    says(v, "from only 20 samples");
    fixture_free(&f);
}

static void zero_samples_say_what_is_missing(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_count(&f, "task-clock", "ns", 2000000);
    const char *v = verdict(&f);
    says(v, "no samples were taken in 2.00 ms of CPU time");
    never_says(v, " 0 %");
    says(f.report->verdict_basis, "no samples");
    fixture_free(&f);
}

static void nothing_measured_says_so(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    f.run->wall_ns.absent = "not measured";
    fixture_absent(&f, "task-clock", "refused: perf_event_paranoid=3");
    const char *v = verdict(&f);
    says(v, "No samples were taken");
    says(v, "nor was CPU time counted");
    never_says(v, "tier");
    says(f.report->verdict_basis, "nothing was measured");
    fixture_free(&f);
}

static void other_targets_are_not_called_clients(void **state)
{
    (void)state;
    struct fixture f = fixture_sqlite();
    f.run->command.kind = SLW_TARGET_ALL;
    const char *v = verdict(&f);
    says(v, "70 % of this machine's CPU time");
    never_says(v, "client");
    never_says(v, "waits");
    fixture_free(&f);
}

static void a_window_without_length_is_not_a_rate(void **state)
{
    (void)state;
    struct fixture f = fixture_sqlite();
    f.run->wall_ns = (struct slw_maybe_u64){.value = 0};
    never_says(verdict(&f), "CPUs busy");
    fixture_free(&f);
}

static void hostile_names_stay_inside_the_sentence(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_sampling(&f, SLW_MODE_ALL);
    const uint64_t weights[] = {500, 500 * (uint64_t)FIXTURE_PERIOD_NS};
    uint32_t id = fixture_frame(&f, SLW_FRAME_USER, "/tmp/\033]0;x\007", "evil\n\033[2J");
    assert_int_equal(slw_stacks_add(f.stacks, &id, 1, SLW_NO_THREAD, weights), 0);
    const char *v = verdict(&f);
    assert_null(strchr(v, '\033'));
    assert_null(strchr(v, '\007'));
    says(v, "evil\\x0a\\x1b[2J");
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durable_sqlite_is_kernel_below_fdatasync),
        cmocka_unit_test(a_busy_client_is_cpu_bound_in_its_module),
        cmocka_unit_test(several_threads_are_never_called_cpu_bound),
        cmocka_unit_test(user_mode_samples_say_nothing_about_the_kernel),
        cmocka_unit_test(user_and_system_time_stand_in_for_a_split_that_was_not_sampled),
        cmocka_unit_test(close_functions_are_not_ranked),
        cmocka_unit_test(code_without_symbols_is_not_called_a_function),
        cmocka_unit_test(a_handful_of_samples_names_no_place),
        cmocka_unit_test(zero_samples_say_what_is_missing),
        cmocka_unit_test(nothing_measured_says_so),
        cmocka_unit_test(other_targets_are_not_called_clients),
        cmocka_unit_test(a_window_without_length_is_not_a_rate),
        cmocka_unit_test(hostile_names_stay_inside_the_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
