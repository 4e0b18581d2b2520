/* SPDX-License-Identifier: MIT */
/* Sessions on the real kernel: software events on clients whose behaviour is known. Skips what this
 * machine or user is not allowed to do. */
#include "tests/unit/cmocka_int.h"

#include "tests/unit/live_int.h"

#include <limits.h>

#define HZ 997

static char self[PATH_MAX], folder[] = "/tmp/slw-live-XXXXXX", spool_path[PATH_MAX];
static struct slw_session_options options;
static struct slw_run *run;
static struct slw_error error;
static struct live_spool *spool;
static volatile sig_atomic_t stop_flag;
static char *client[5];

/* The client of the next session. */
static void choose(const char *kind, const char *ms)
{
    static char flag[] = "--client", kind_text[16], ms_text[16];

    (void)snprintf(kind_text, sizeof(kind_text), "%s", kind);
    (void)snprintf(ms_text, sizeof(ms_text), "%s", ms);
    client[0] = self;
    client[1] = flag;
    client[2] = kind_text;
    client[3] = ms_text;
}

static int set_up(void **state)
{
    (void)state;
    stop_flag = 0;
    (void)unlink(spool_path);
    error = (struct slw_error){0};
    options = (struct slw_session_options){.target = SLW_TARGET_COMMAND,
                                           .argv = client,
                                           .envp = environ,
                                           .sample = true,
                                           .frequency_hz = HZ,
                                           .spool_path = spool_path,
                                           .backend = "swclock",
                                           .stop = &stop_flag};
    choose("spin", "400");
    spool = calloc(1, sizeof(*spool));
    return spool ? slw_run_new(&run, NULL) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    slw_run_free(run);
    free(spool->bytes);
    free(spool);
    return 0;
}

static int session(void)
{
    int rc = slw_session_run(&options, run, &error);

    if (rc < 0)
        print_message("(%s %s)\n", slw_code_name(error.code), error.text);
    return rc;
}

static void need_perf(void)
{
    if (!live_perf_works()) {
        print_message("skipped: perf_event_open is refused here\n");
        skip();
    }
}

static double count_of(const char *event)
{
    const struct slw_count *c = slw_run_find_count(run, event);

    if (!c || c->absent)
        fail_msg("no count of %s: %s", event, c ? c->absent : "not there");
    return (double)c->raw;
}

static bool has_note(const char *code)
{
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, code) == 0)
            return true;
    return false;
}

static void assert_near(double value, double expected, double tolerance)
{
    if (value < expected - tolerance || value > expected + tolerance)
        fail_msg("%g is not %g +- %g", value, expected, tolerance);
}

static void load_spool(void)
{
    assert_true(live_load(spool_path, spool));
    assert_false(spool->broken);
}

static void samples_follow_cpu_time_and_lie_in_the_program(void **state)
{
    uint64_t periods = 0;
    size_t inside = 0, user = 0;

    (void)state;
    need_perf();
    assert_int_equal(session(), 0);
    load_spool();
    double task_clock = count_of("task-clock");
    assert_near(task_clock, 400e6, 60e6);
    assert_near((double)spool->sample_count, task_clock / 1e9 * HZ, 30);
    for (size_t i = 0; i < spool->sample_count; i++) {
        const struct live_sample *k = &spool->samples[i];
        const char *name = live_mapping(spool, k->pid, k->ip);

        assert_int_equal(k->pid, run->command.pid);
        periods += k->period;
        user += k->user;
        inside += k->user && name && strcmp(name, self) == 0;
    }
    assert_near((double)periods, task_clock, 0.1 * task_clock);
    assert_true(user > spool->sample_count * 8 / 10);
    assert_true(inside > user * 9 / 10); /* the rest: libc, vdso */
    assert_near(count_of("user-time") + count_of("system-time"), task_clock, 60e6);
}

static void threads_are_followed(void **state)
{
    uint32_t tids[2] = {0, 0};

    (void)state;
    need_perf();
    choose("threads", "200");
    assert_int_equal(session(), 0);
    load_spool();
    for (size_t i = 0; i < spool->sample_count; i++) {
        uint32_t tid = spool->samples[i].tid;

        assert_int_equal(spool->samples[i].pid, run->command.pid);
        if (tid == (uint32_t)run->command.pid || tid == tids[0] || tid == tids[1])
            continue;
        assert_true(tids[0] == 0 || tids[1] == 0);
        tids[tids[0] != 0] = tid;
    }
    assert_true(tids[1] != 0);
    assert_near(count_of("task-clock"), 400e6, 60e6);
}

static void forked_children_are_followed(void **state)
{
    size_t of_child = 0;

    (void)state;
    need_perf();
    choose("fork", "300");
    assert_int_equal(session(), 0);
    load_spool();
    for (size_t i = 0; i < spool->sample_count; i++)
        of_child += spool->samples[i].pid != (uint32_t)run->command.pid;
    assert_near((double)of_child, 0.3 * HZ, 40);
    assert_near(count_of("task-clock"), 450e6, 70e6);
    assert_false(has_note("descendants-running"));
}

static void a_daemon_left_behind_is_noted(void **state)
{
    (void)state;
    need_perf();
    choose("daemon", "2000");
    assert_int_equal(session(), 0);
    assert_int_equal(run->command.exit, SLW_EXIT_STATUS);
    assert_true(has_note("descendants-running"));
    assert_true(run->wall_ns.value < 1900000000); /* nobody waited for it */
}

static void the_exit_status_is_passed(void **state)
{
    (void)state;
    need_perf();
    choose("seven", "0");
    assert_int_equal(session(), 0);
    assert_int_equal(run->command.exit, SLW_EXIT_STATUS);
    assert_int_equal(run->command.exit_value, 7);
    assert_int_equal(run->command.argc, 4);
    assert_string_equal(run->command.argv[2], "seven");
}

static void death_by_signal_is_told_apart(void **state)
{
    (void)state;
    need_perf();
    choose("kill", "0");
    assert_int_equal(session(), 0);
    assert_int_equal(run->command.exit, SLW_EXIT_SIGNAL);
    assert_int_equal(run->command.exit_value, SIGKILL);
}

static void our_signal_dispositions_are_not_inherited(void **state)
{
    (void)state;
    need_perf();
    choose("signals", "0");
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    int rc = session();
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    assert_int_equal(rc, 0);
    assert_int_equal(run->command.exit_value, 0);
}

static void a_command_that_is_not_there_leaves_nothing(void **state)
{
    static char name[] = "slotwise-no-such-command";

    (void)state;
    need_perf();
    client[0] = name;
    assert_int_equal(slw_session_run(&options, run, &error), -SLW_E_EXEC);
    assert_non_null(strstr(error.text, name));
    assert_int_equal(error.sys, ENOENT);
    assert_int_equal(access(spool_path, F_OK), -1);
}

static void only_the_window_is_measured(void **state)
{
    (void)state;
    need_perf();
    choose("spin", "1500");
    options.delay_ms = 200;
    options.duration_ms = 300;
    assert_int_equal(session(), 0);
    load_spool();
    assert_true(run->wall_ns.value >= 300000000);
    assert_true(run->wall_ns.value < 800000000); /* other people use this machine too */
    assert_true(count_of("task-clock") <= (double)run->wall_ns.value * 1.05);
    assert_near((double)spool->sample_count, count_of("task-clock") / 1e9 * HZ, 30);
    assert_true(spool->sample_count > 20);
    for (size_t i = 0; i < spool->sample_count; i++)
        if (spool->samples[i].user) /* mapped before measuring began, known all the same */
            assert_non_null(live_mapping(spool, spool->samples[i].pid, spool->samples[i].ip));
    assert_int_equal(run->command.exit, SLW_EXIT_STILL_RUNNING);
    assert_true(has_note("command-still-running"));
    (void)kill(run->command.pid, SIGKILL);
    (void)waitpid(run->command.pid, NULL, 0);
}

static pid_t spawn(const char *kind, int ms)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(live_client(kind, ms));
    return pid;
}

static void a_running_process_is_attached_to(void **state)
{
    (void)state;
    need_perf();
    options.target = SLW_TARGET_PID;
    options.pid = spawn("spin", 5000);
    options.duration_ms = 300;
    int rc = session();
    (void)kill(options.pid, SIGKILL);
    (void)waitpid(options.pid, NULL, 0);
    assert_int_equal(rc, 0);
    load_spool();
    assert_near((double)spool->sample_count, count_of("task-clock") / 1e9 * HZ, 30);
    assert_true(spool->sample_count > 20);
    for (size_t i = 0; i < spool->sample_count; i++) {
        assert_int_equal(spool->samples[i].pid, options.pid);
        if (spool->samples[i].user)
            assert_non_null(live_mapping(spool, spool->samples[i].pid, spool->samples[i].ip));
    }
    assert_int_equal(run->command.exit, SLW_EXIT_UNKNOWN);
}

static void a_process_that_vanishes_ends_the_session(void **state)
{
    (void)state;
    need_perf();
    options.target = SLW_TARGET_PID;
    options.pid = spawn("spin", 1000);
    options.duration_ms = 20000;
    assert_int_equal(session(), 0);
    (void)waitpid(options.pid, NULL, 0);
    assert_true(run->wall_ns.value < 10000000000ull);
    assert_true(count_of("task-clock") > 50e6);
}

static void a_machine_is_measured_without_its_idle_time(void **state)
{
    (void)state;
    need_perf();
    if (geteuid() != 0)
        skip();
    options.target = SLW_TARGET_ALL;
    options.duration_ms = 300;
    pid_t pid = spawn("spin", 5000);
    int rc = session();
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    assert_int_equal(rc, 0);
    load_spool();
    size_t ours = 0;
    for (size_t i = 0; i < spool->sample_count; i++) {
        assert_int_not_equal(spool->samples[i].tid, 0); /* the idle task */
        ours += spool->samples[i].pid == (uint32_t)pid;
    }
    assert_true(ours > 20);
    assert_null(slw_run_find_count(run, "task-clock"));
    assert_true(count_of("cpu-clock") > 250e6);
}

/* Wait until the session got as far as writing its spool. */
static void await_spool(void)
{
    struct stat st;

    for (int i = 0; i < 1000 && (stat(spool_path, &st) < 0 || st.st_size == 0); i++)
        (void)poll(NULL, 0, 10);
}

static void the_fifo_gates_what_is_counted(void **state)
{
    char path[PATH_MAX + 16];

    (void)state;
    need_perf();
    (void)snprintf(path, sizeof(path), "%s/control", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    pid_t script = fork();
    if (script == 0) {
        static const char *const lines[] = {"start\n", "stop\n", "bogus\nstart\n", "quit\n"};

        await_spool();
        for (size_t i = 0; i < 4; i++) {
            (void)poll(NULL, 0, 200);
            int fd = open(path, O_WRONLY); /* a writer that comes and goes */
            ssize_t n = write(fd, lines[i], strlen(lines[i]));
            (void)close(fd);
            if (n < 0)
                _exit(1);
        }
        _exit(0);
    }
    choose("spin", "3000");
    options.control_fifo = path;
    options.start_stopped = true;
    int rc = session();
    (void)kill(run->command.pid, SIGKILL);
    (void)waitpid(run->command.pid, NULL, 0);
    (void)waitpid(script, NULL, 0);
    (void)unlink(path);
    assert_int_equal(rc, 0);
    load_spool();
    /* Two phases of 200 ms each on an idle machine, out of 3 s and more. */
    assert_true(run->wall_ns.value >= 50000000);
    assert_true(run->wall_ns.value < 2000000000);
    assert_true(count_of("task-clock") <= (double)run->wall_ns.value * 1.05);
    assert_near((double)spool->sample_count, count_of("task-clock") / 1e9 * HZ, 30);
    assert_true(has_note("control-unknown"));
}

static void interrupting_us_interrupts_the_command(void **state)
{
    (void)state;
    need_perf();
    choose("sleep", "20000");
    stop_flag = SIGTERM; /* as a handler would set it */
    assert_int_equal(session(), 0);
    assert_int_equal(run->command.exit, SLW_EXIT_SIGNAL);
    assert_int_equal(run->command.exit_value, SIGTERM);
}

static void perf_counts_the_same_samples(void **state)
{
    char command[PATH_MAX + 128], line[256];
    size_t lines = 0;

    (void)state;
    need_perf();
    if (system("perf --version >/dev/null 2>&1") != 0)
        skip();
    assert_int_equal(session(), 0);
    load_spool();
    (void)snprintf(command, sizeof(command), "perf script -i '%s' -F time 2>/dev/null", spool_path);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        lines += strchr(line, ':') != NULL;
    assert_int_equal(pclose(f), 0);
    assert_int_equal(lines, spool->sample_count);
    (void)snprintf(command, sizeof(command),
                   "perf report -i '%s' --stdio -g none 2>/dev/null | grep -q live_spin",
                   spool_path);
    assert_int_equal(system(command), 0);
}

static void counting_alone_needs_no_spool(void **state)
{
    (void)state;
    need_perf();
    options.sample = false;
    options.spool_path = NULL;
    assert_int_equal(session(), 0);
    assert_near(count_of("task-clock"), 400e6, 60e6);
    assert_int_equal(run->sampling_count, 0);
    assert_true(count_of("page-faults") >= count_of("minor-faults"));
}

static void getrusage_counts_a_command(void **state)
{
    (void)state;
    options.backend = "rusage";
    assert_int_equal(session(), 0);
    assert_near(count_of("user-time") + count_of("system-time"), 400e6, 80e6);
    assert_true(count_of("max-rss") > 100e3);
    assert_true(count_of("minor-faults") > 10);
    assert_true(has_note("no-samples"));
    assert_int_equal(run->command.exit, SLW_EXIT_STATUS);
}

static void proc_counts_a_process(void **state)
{
    (void)state;
    options.backend = "rusage";
    options.target = SLW_TARGET_PID;
    options.pid = spawn("spin", 5000);
    options.duration_ms = 400;
    int rc = session();
    (void)kill(options.pid, SIGKILL);
    (void)waitpid(options.pid, NULL, 0);
    assert_int_equal(rc, 0);
    double used = count_of("user-time") + count_of("system-time");
    assert_true(used > 40e6);
    assert_true(used < (double)run->wall_ns.value * 1.05 + 40e6); /* told in ticks */
}

#define LIVE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(samples_follow_cpu_time_and_lie_in_the_program),
        LIVE_TEST(threads_are_followed),
        LIVE_TEST(forked_children_are_followed),
        LIVE_TEST(a_daemon_left_behind_is_noted),
        LIVE_TEST(the_exit_status_is_passed),
        LIVE_TEST(death_by_signal_is_told_apart),
        LIVE_TEST(our_signal_dispositions_are_not_inherited),
        LIVE_TEST(a_command_that_is_not_there_leaves_nothing),
        LIVE_TEST(only_the_window_is_measured),
        LIVE_TEST(a_running_process_is_attached_to),
        LIVE_TEST(a_process_that_vanishes_ends_the_session),
        LIVE_TEST(a_machine_is_measured_without_its_idle_time),
        LIVE_TEST(the_fifo_gates_what_is_counted),
        LIVE_TEST(interrupting_us_interrupts_the_command),
        LIVE_TEST(perf_counts_the_same_samples),
        LIVE_TEST(counting_alone_needs_no_spool),
        LIVE_TEST(getrusage_counts_a_command),
        LIVE_TEST(proc_counts_a_process),
    };

    if (argc == 4 && strcmp(argv[1], "--client") == 0)
        _exit(live_client(argv[2], atoi(argv[3]))); /* no leak checker: it forks */
    if (!mkdtemp(folder) || !realpath("/proc/self/exe", self))
        return 1;
    (void)snprintf(spool_path, sizeof(spool_path), "%s/perf.data", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(spool_path);
    (void)rmdir(folder);
    return failed;
}
