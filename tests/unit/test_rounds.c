/* SPDX-License-Identifier: MIT */
/* Rounds and passes on a kernel that is played: six counters, groups that take turns, clients that
 * fail, work that differs. */
#include "tests/unit/cmocka_int.h"

#include "collector/rounds.h"
#include "collector/session_int.h"
#include "collector/sys.h"
#include "models/model.h"

#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_FD       1000
#define MAX_FDS        8192
#define MAX_EXECUTIONS 64
#define ENABLED_NS     UINT64_C(1000000000)
#define RETIRED        0xc0 /* ex_ret_instr of AMD, inst_retired of Intel */

struct event {
    struct perf_event_attr attr;
    int leader; /* index */
    bool open, enabled, trial;
};

static struct {
    size_t counters;
    int execution; /* from 1 */
    uint64_t instructions[MAX_EXECUTIONS];
    size_t counters_from[MAX_EXECUTIONS]; /* not 0: as many from this execution on */
    int gone_from;                        /* from this execution on the target is gone */
    int stop_in;                          /* the user interrupts this execution */
    struct event events[MAX_FDS];
    int count;
} kernel;

static volatile sig_atomic_t stop_flag;

static bool takes_counter(const struct event *e)
{
    return e->attr.type != PERF_TYPE_SOFTWARE;
}

/* Counters that are asked for: by a group, or by everything that is measured. */
static size_t wanted(int leader, bool trial)
{
    size_t size = 0;

    for (int i = 0; i < kernel.count; i++) {
        const struct event *e = &kernel.events[i];
        size += e->open && takes_counter(e) && e->trial == trial &&
                (leader < 0 ? kernel.events[e->leader].enabled : e->leader == leader);
    }
    return size;
}

static int fake_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                     unsigned long flags)
{
    struct event *e = &kernel.events[kernel.count];
    const bool starts = pid != 0 && attr->type == PERF_TYPE_SOFTWARE &&
                        attr->config == PERF_COUNT_SW_TASK_CLOCK && group_fd < 0;

    (void)cpu;
    (void)flags;
    assert_true(kernel.count < MAX_FDS && kernel.execution + 1 < MAX_EXECUTIONS);
    if (starts && kernel.gone_from > 0 && kernel.execution + 1 >= kernel.gone_from)
        return -ESRCH;
    kernel.execution += starts;
    if (starts && kernel.counters_from[kernel.execution])
        kernel.counters = kernel.counters_from[kernel.execution];
    *e = (struct event){.attr = *attr,
                        .leader = group_fd < 0 ? kernel.count : group_fd - FIRST_FD,
                        .open = true,
                        .enabled = !attr->disabled || attr->enable_on_exec,
                        .trial = pid == 0};
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

static uint64_t running_ns(const struct event *leader)
{
    const size_t all = wanted(-1, false);

    if (!takes_counter(leader) || all <= kernel.counters)
        return ENABLED_NS;
    return ENABLED_NS * kernel.counters / all;
}

/* Whole events that scale to what happened. */
static uint64_t counted(const struct event *e, uint64_t ran_ns)
{
    const bool retired =
        (e->attr.type == PERF_TYPE_HARDWARE && e->attr.config == PERF_COUNT_HW_INSTRUCTIONS) ||
        (e->attr.type != PERF_TYPE_SOFTWARE && e->attr.config == RETIRED);
    uint64_t events = 1000000;

    if (retired && kernel.instructions[kernel.execution])
        events = kernel.instructions[kernel.execution];
    return takes_counter(e) ? (uint64_t)((double)events * (double)ran_ns / (double)ENABLED_NS)
                            : ENABLED_NS;
}

static ssize_t fake_read(int fd, void *data, size_t length)
{
    uint64_t words[3 + 64] = {0};
    const int leader = fd - FIRST_FD;
    const struct event *l = &kernel.events[leader];
    size_t n = 0;

    if (l->attr.pinned && wanted(-1, true) > kernel.counters)
        return 0; /* in its error state */
    words[1] = ENABLED_NS;
    words[2] = running_ns(l);
    for (int i = leader; i < kernel.count; i++)
        if (kernel.events[i].open && kernel.events[i].leader == leader)
            words[3 + n++] = counted(&kernel.events[i], words[2]);
    const bool group = l->attr.read_format & PERF_FORMAT_GROUP;
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
    if (kernel.stop_in > 0 && kernel.execution == kernel.stop_in)
        stop_flag = SIGINT;
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

static char folder[] = "/tmp/slw-rounds-XXXXXX";
static char spool_path[PATH_MAX], script[PATH_MAX];
static char shell_path[] = "/bin/sh", command_flag[] = "-c";
static char *shell[] = {shell_path, command_flag, script, NULL};
static struct slw_session_options options;
static struct slw_rounds_options rounds;
static struct slw_model *model;
static struct slw_run *run;
static struct slw_error error;

static int set_up(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof(kernel));
    kernel.counters = 6;
    stop_flag = 0;
    now_ns = 1000000000;
    error = (struct slw_error){0};
    (void)snprintf(folder, sizeof(folder), "%s", "/tmp/slw-rounds-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(spool_path, sizeof(spool_path), "%s/perf.data", folder);
    options = (struct slw_session_options){.target = SLW_TARGET_PID,
                                           .pid = getpid(),
                                           .frequency_hz = 97,
                                           .duration_ms = 100,
                                           .level = 2,
                                           .sysfs_root = folder,
                                           .stop = &stop_flag};
    rounds = (struct slw_rounds_options){.session = &options, .rounds = 2};
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_model_builtin("zen4", &model, NULL), 0);
    options.model = model;
    run->host.kernel = "6.1.0";
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
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : -1; /* NOLINT(cert-env33-c): a test's own folder */
}

static void measure(void)
{
    if (slw_rounds_run_on(&fake, &rounds, run, &error) != 0)
        fail_msg("%s", error.text);
}

static void run_script(const char *text)
{
    assert_true(snprintf(script, sizeof(script), "%s", text) < (int)sizeof(script));
    options.target = SLW_TARGET_COMMAND;
    options.argv = shell;
    options.envp = environ;
    options.duration_ms = 0;
    measure();
}

/* What a note of this code says; NULL: there is none. */
static const char *note(const char *code)
{
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, code) == 0)
            return run->notes[i].text;
    return NULL;
}

static void assert_note_says(const char *code, const char *words)
{
    const char *text = note(code);

    if (!text || !strstr(text, words))
        fail_msg("%s: %s", code, text ? text : "no such note");
}

static size_t counts_of_round(int round)
{
    size_t n = 0;

    for (size_t i = 0; i < run->count_count; i++)
        n += run->counts[i].round == round;
    return n;
}

/* ---- tests ---- */

static void groups_that_take_turns_count_part_of_the_time(void **state)
{
    size_t part = 0;

    (void)state;
    measure();
    for (size_t i = 0; i < run->count_count; i++)
        part += !run->counts[i].absent && run->counts[i].running_ns < run->counts[i].enabled_ns;
    assert_true(part > 4);
    assert_int_equal(run->round_count, 2);
    assert_int_equal(run->rounds[1].round, 2);
    assert_int_equal(run->rounds[1].pass, 0);
    assert_int_equal(counts_of_round(0), 0);
    assert_int_equal(counts_of_round(1), counts_of_round(2));
    assert_int_equal(run->wall_ns.value, 100000000);
    assert_non_null(note("rounds"));
}

/* One group in each pass, and each holds its counters all the time. */
static void passes_count_every_group_all_of_the_time(void **state)
{
    int passes = 0;

    (void)state;
    rounds.no_multiplex = true;
    measure();
    for (size_t i = 0; i < run->round_count; i++)
        passes = run->rounds[i].pass > passes ? run->rounds[i].pass : passes;
    assert_true(passes > 1);
    assert_int_equal(run->round_count, 2 * passes);
    for (size_t i = 0; i < run->count_count; i++) {
        const struct slw_count *c = &run->counts[i];
        if (c->absent)
            fail_msg("%s: %s", c->event, c->absent);
        assert_int_equal(c->running_ns, ENABLED_NS);
        assert_true(c->round >= 1 && c->round <= 2 && c->pass >= 1 && c->pass <= passes);
        if (c->from.source == SLW_SOURCE_HARDWARE && c->group >= 0)
            assert_int_equal(c->group, c->pass); /* as the plan numbers them */
    }
    assert_null(note("passes-differ"));
    assert_string_equal(run->model.name, "zen4");
}

/* What is counted in passes is what is counted in turns. */
static void passes_leave_no_event_out(void **state)
{
    struct slw_run *turns;

    (void)state;
    measure();
    turns = run;
    assert_int_equal(slw_run_new(&run, NULL), 0);
    run->host.kernel = "6.1.0";
    kernel.execution = 0;
    rounds.no_multiplex = true;
    measure();
    for (size_t i = 0; i < turns->count_count; i++)
        if (!slw_run_find_count(run, turns->counts[i].event))
            fail_msg("%s is not counted in any pass", turns->counts[i].event);
    slw_run_free(turns);
}

static void samples_are_of_an_execution_of_their_own(void **state)
{
    struct stat st;

    (void)state;
    options.sample = true;
    options.spool_path = spool_path;
    measure();
    assert_int_equal(run->round_count, 3);
    assert_int_equal(run->rounds[0].round, 0);
    assert_true(run->rounds[0].sampled && !run->rounds[1].sampled);
    assert_int_equal(run->sampling_count, 1);
    assert_int_equal(counts_of_round(0), 0);
    assert_true(counts_of_round(1) > 0);
    assert_int_equal(stat(spool_path, &st), 0);
    assert_true(st.st_size > 0);
}

static void passes_that_did_different_work_are_warned_of(void **state)
{
    (void)state;
    rounds.no_multiplex = true;
    for (int i = 0; i < MAX_EXECUTIONS; i++)
        kernel.instructions[i] = i % 2 ? 1000000 : 1100000;
    measure();
    assert_non_null(note("passes-differ"));
    assert_note_says("passes-differ", "retired instructions from 1e+06");
}

static void a_little_more_or_less_work_is_no_warning(void **state)
{
    (void)state;
    rounds.no_multiplex = true;
    for (int i = 0; i < MAX_EXECUTIONS; i++)
        kernel.instructions[i] = i % 2 ? 1000000 : 1040000;
    measure();
    assert_null(note("passes-differ"));
    assert_null(note("rounds-differ"));
}

static void rounds_that_did_different_work_are_warned_of(void **state)
{
    (void)state;
    kernel.instructions[1] = 1000000;
    kernel.instructions[2] = 2000000;
    measure();
    assert_non_null(note("rounds-differ"));
    assert_null(note("passes-differ"));
}

/* Executions of six events on six counters cannot be compared: that is said. */
static void no_room_to_compare_the_work_is_said(void **state)
{
    (void)state;
    rounds.no_multiplex = true;
    measure();
    size_t unknown = 0;
    for (int pass = 1; pass <= (int)run->round_count / 2; pass++) {
        bool known = false;
        for (size_t i = 0; i < run->count_count; i++)
            known = known || (run->counts[i].pass == pass &&
                              (strcmp(run->counts[i].event, "instructions") == 0 ||
                               strcmp(run->counts[i].event, "ex_ret_instr") == 0));
        unknown += !known;
    }
    assert_int_equal(note("work-unchecked") != NULL, unknown > 0);
}

static void an_interrupted_round_is_left_out_and_the_others_kept(void **state)
{
    (void)state;
    rounds.rounds = 5;
    kernel.stop_in = 3;
    measure();
    assert_int_equal(run->round_count, 3);
    assert_string_equal(run->rounds[2].left_out, "interrupted");
    assert_null(run->rounds[1].left_out);
    assert_int_equal(counts_of_round(3), 0);
    assert_true(counts_of_round(2) > 0);
    assert_non_null(note("round-left-out"));
}

/* A round of passes is kept as a whole or not at all. */
static void a_round_with_a_bad_pass_is_left_out(void **state)
{
    (void)state;
    rounds.no_multiplex = true;
    measure();
    const int passes = (int)run->round_count / 2;
    slw_run_free(run);
    assert_int_equal(slw_run_new(&run, NULL), 0);
    run->host.kernel = "6.1.0";
    kernel.execution = 0;
    kernel.stop_in = passes + 2;
    measure();
    assert_int_equal(run->round_count, passes + 2);
    assert_true(counts_of_round(1) > 0);
    assert_int_equal(counts_of_round(2), 0);
    assert_string_equal(run->rounds[passes].left_out,
                        "another execution of its round was left out");
}

static void interrupted_in_the_first_execution_it_is_a_plain_run(void **state)
{
    (void)state;
    kernel.stop_in = 1;
    measure();
    assert_int_equal(run->round_count, 1);
    assert_true(counts_of_round(0) > 0);
    assert_non_null(note("no-round"));
}

static void a_client_that_fails_now_and_then_loses_those_rounds(void **state)
{
    char text[PATH_MAX];

    (void)state;
    rounds.rounds = 4;
    (void)snprintf(text, sizeof(text), "cd %s; if [ -e x ]; then rm x; exit 3; fi; : >x", folder);
    run_script(text);
    assert_int_equal(run->round_count, 4);
    assert_null(run->rounds[0].left_out);
    assert_string_equal(run->rounds[1].left_out, "the client failed with exit status 3");
    assert_null(run->rounds[2].left_out);
    assert_int_equal(counts_of_round(2) + counts_of_round(4), 0);
    assert_int_equal(run->command.exit, SLW_EXIT_STATUS);
    assert_int_equal(run->command.exit_value, 3);
    assert_int_equal(run->command.argc, 3);
}

static void a_client_that_always_ends_alike_keeps_its_rounds(void **state)
{
    (void)state;
    run_script("exit 124");
    assert_true(counts_of_round(1) > 0 && counts_of_round(2) > 0);
    assert_null(run->rounds[0].left_out);
    assert_non_null(note("rounds-failed"));
    assert_note_says("rounds-failed", "124");
}

static void a_client_that_is_killed_each_time_has_no_round(void **state)
{
    (void)state;
    run_script("kill -9 $$");
    assert_string_equal(run->rounds[1].left_out, "the client was killed by signal 9");
    assert_non_null(note("no-round"));
    assert_int_equal(counts_of_round(1) + counts_of_round(2), 0);
    assert_true(counts_of_round(0) > 0);
}

static void counters_taken_by_others_meanwhile_leave_a_round_out(void **state)
{
    (void)state;
    rounds.rounds = 3;
    rounds.no_multiplex = true;
    measure();
    const int passes = (int)run->round_count / 3;
    slw_run_free(run);
    assert_int_equal(slw_run_new(&run, NULL), 0);
    run->host.kernel = "6.1.0";
    kernel.execution = 0;
    kernel.counters_from[passes + 1] = 3;
    kernel.counters_from[passes + 2] = 3;
    measure();
    assert_true(counts_of_round(1) > 0);
    assert_int_equal(counts_of_round(3), 0);
    assert_non_null(note("round-left-out"));
    assert_note_says("round-left-out", "round 2");
}

static void a_target_that_vanishes_ends_the_rounds(void **state)
{
    (void)state;
    rounds.rounds = 9;
    kernel.gone_from = 4;
    measure();
    assert_int_equal(run->round_count, 3);
    assert_non_null(note("rounds-ended"));
    assert_true(counts_of_round(3) > 0);
}

static void a_target_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    kernel.gone_from = 1;
    assert_int_equal(slw_rounds_run_on(&fake, &rounds, run, &error), -SLW_E_GONE);
    assert_int_equal(run->count_count, 0);
}

static void a_command_that_cannot_start_is_an_error(void **state)
{
    char path[] = "/nonexistent/client";
    char *none[] = {path, NULL};

    (void)state;
    options.target = SLW_TARGET_COMMAND;
    options.argv = none;
    options.duration_ms = 0;
    assert_int_equal(slw_rounds_run_on(&fake, &rounds, run, &error), -SLW_E_EXEC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(groups_that_take_turns_count_part_of_the_time),
        TEST(passes_count_every_group_all_of_the_time),
        TEST(passes_leave_no_event_out),
        TEST(samples_are_of_an_execution_of_their_own),
        TEST(passes_that_did_different_work_are_warned_of),
        TEST(a_little_more_or_less_work_is_no_warning),
        TEST(rounds_that_did_different_work_are_warned_of),
        TEST(no_room_to_compare_the_work_is_said),
        TEST(an_interrupted_round_is_left_out_and_the_others_kept),
        TEST(a_round_with_a_bad_pass_is_left_out),
        TEST(interrupted_in_the_first_execution_it_is_a_plain_run),
        TEST(a_client_that_fails_now_and_then_loses_those_rounds),
        TEST(a_client_that_always_ends_alike_keeps_its_rounds),
        TEST(a_client_that_is_killed_each_time_has_no_round),
        TEST(counters_taken_by_others_meanwhile_leave_a_round_out),
        TEST(a_target_that_vanishes_ends_the_rounds),
        TEST(a_target_that_is_not_there_is_an_error),
        TEST(a_command_that_cannot_start_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
