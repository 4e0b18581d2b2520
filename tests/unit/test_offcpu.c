/* SPDX-License-Identifier: MIT */
/* The pure parts of the off-CPU tap: causes, what /proc says, windows and sums, the report. */
#include "analyzer/waiting.h"
#include "collector/tap.h"
#include "collector/taps/offcpu/classes.h"
#include "collector/taps/offcpu/initial.h"
#include "collector/taps/offcpu/sums.h"
#include "collector/taps/offcpu/switches.h"
#include "tests/unit/cmocka_int.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* ---- what the taps cost ---- */

/* Without a request in the window, the programs of the wire tap never run. */
static void a_tap_whose_programs_never_ran_hides_no_time(void **state)
{
    struct slw_run *run = NULL;

    (void)state;
    assert_int_equal(slw_run_new(&run, NULL), 0);
    slw_tap_tell_bpf_time(run, 0);
    assert_non_null(run->self.bpf_absent);
    slw_tap_tell_bpf_time(run, 500);
    assert_null(run->self.bpf_absent);
    slw_tap_tell_bpf_time(run, 0);
    slw_tap_tell_bpf_time(run, 200);
    assert_null(run->self.bpf_absent);
    assert_int_equal(run->self.bpf_ns, 700);
    slw_run_free(run);
}

/* ---- causes ---- */

static enum slw_off_state cause(enum slw_off_class class, enum slw_off_kind kind, uint64_t fds)
{
    const struct slw_off_call call = {.class = class, .kind = kind, .fd_count = fds};

    return slw_off_cause(&call);
}

static void the_descriptor_decides_what_reading_waits_for(void **state)
{
    (void)state;
    assert_int_equal(cause(SLW_OFF_CLASS_READ, SLW_OFF_KIND_SOCKET, 0), SLW_OFF_ANSWER);
    assert_int_equal(cause(SLW_OFF_CLASS_READ, SLW_OFF_KIND_FILE, 0), SLW_OFF_DISK);
    assert_int_equal(cause(SLW_OFF_CLASS_READ, SLW_OFF_KIND_UNKNOWN, 0), SLW_OFF_PIPE);
    assert_int_equal(cause(SLW_OFF_CLASS_WRITE, SLW_OFF_KIND_SOCKET, 0), SLW_OFF_SENDING);
    assert_int_equal(cause(SLW_OFF_CLASS_WRITE, SLW_OFF_KIND_FILE, 0), SLW_OFF_DISK);
    assert_int_equal(cause(SLW_OFF_CLASS_WRITE, SLW_OFF_KIND_UNKNOWN, 0), SLW_OFF_PIPE);
}

static void calls_that_tell_by_themselves(void **state)
{
    (void)state;
    assert_int_equal(cause(SLW_OFF_CLASS_RECEIVE, 0, 0), SLW_OFF_ANSWER);
    assert_int_equal(cause(SLW_OFF_CLASS_CONNECT, 0, 0), SLW_OFF_ANSWER);
    assert_int_equal(cause(SLW_OFF_CLASS_SEND, 0, 0), SLW_OFF_SENDING);
    assert_int_equal(cause(SLW_OFF_CLASS_ACCEPT, 0, 0), SLW_OFF_EVENT_LOOP);
    assert_int_equal(cause(SLW_OFF_CLASS_EPOLL, 0, 0), SLW_OFF_EVENT_LOOP);
    assert_int_equal(cause(SLW_OFF_CLASS_SLEEP, 0, 0), SLW_OFF_SLEEP);
    assert_int_equal(cause(SLW_OFF_CLASS_FUTEX, 0, 0), SLW_OFF_LOCK);
    assert_int_equal(cause(SLW_OFF_CLASS_SYNC, 0, 0), SLW_OFF_DISK);
    assert_int_equal(cause(SLW_OFF_CLASS_CHILD, 0, 0), SLW_OFF_CHILD);
    assert_int_equal(cause(SLW_OFF_CLASS_NONE, 0, 0), SLW_OFF_OTHER);
}

static void poll_of_one_socket_waits_for_an_answer_of_more_is_an_event_loop(void **state)
{
    struct slw_off_call call = {
        .class = SLW_OFF_CLASS_POLL, .kind = SLW_OFF_KIND_SOCKET, .fd_count = 1};

    (void)state;
    assert_int_equal(slw_off_cause(&call), SLW_OFF_ANSWER);
    call.write_only = 1;
    assert_int_equal(slw_off_cause(&call), SLW_OFF_SENDING);
    call.fd_count = 2;
    assert_int_equal(slw_off_cause(&call), SLW_OFF_EVENT_LOOP);
    call.fd_count = 0;
    assert_int_equal(slw_off_cause(&call), SLW_OFF_SLEEP);
    assert_int_equal(cause(SLW_OFF_CLASS_POLL, SLW_OFF_KIND_UNKNOWN, 1), SLW_OFF_PIPE);
    assert_int_equal(cause(SLW_OFF_CLASS_SELECT, 0, 0), SLW_OFF_SLEEP);
    assert_int_equal(cause(SLW_OFF_CLASS_SELECT, 0, 5), SLW_OFF_EVENT_LOOP);
}

/* A thread in recv that pages in its buffer waits for storage, not for the server. */
static void waits_of_the_kernel_are_not_the_servers(void **state)
{
    struct slw_off_call call = {.class = SLW_OFF_CLASS_RECEIVE, .uninterruptible = 1};

    (void)state;
    assert_int_equal(slw_off_cause(&call), SLW_OFF_OTHER);
    call.iowait = 1;
    assert_int_equal(slw_off_cause(&call), SLW_OFF_DISK);
    call = (struct slw_off_call){
        .class = SLW_OFF_CLASS_READ, .kind = SLW_OFF_KIND_SOCKET, .uninterruptible = 1};
    assert_int_equal(slw_off_cause(&call), SLW_OFF_OTHER);
    call.kind = SLW_OFF_KIND_FILE;
    assert_int_equal(slw_off_cause(&call), SLW_OFF_DISK);
    call = (struct slw_off_call){.class = SLW_OFF_CLASS_CHILD, .uninterruptible = 1};
    assert_int_equal(slw_off_cause(&call), SLW_OFF_CHILD); /* vfork */
}

static void the_table_knows_the_numbers_of_this_machine(void **state)
{
    uint8_t classes[SLW_OFF_SYSCALLS];

    (void)state;
    slw_off_classes(classes, sizeof(classes));
    assert_int_equal(classes[SYS_recvfrom], SLW_OFF_CLASS_RECEIVE);
    assert_int_equal(classes[SYS_futex], SLW_OFF_CLASS_FUTEX);
    assert_int_equal(classes[SYS_ppoll], SLW_OFF_CLASS_POLL);
    assert_int_equal(classes[SYS_getpid], SLW_OFF_CLASS_NONE);
    assert_int_equal(slw_off_kind(S_IFSOCK | 0777), SLW_OFF_KIND_SOCKET);
    assert_int_equal(slw_off_kind(S_IFREG), SLW_OFF_KIND_FILE);
    assert_int_equal(slw_off_kind(S_IFBLK), SLW_OFF_KIND_FILE);
    assert_int_equal(slw_off_kind(S_IFIFO), SLW_OFF_KIND_UNKNOWN);
    assert_int_equal(slw_off_kind(0600), SLW_OFF_KIND_UNKNOWN); /* an anonymous inode */
}

/* ---- /proc ---- */

static void proc_tells_system_call_and_state(void **state)
{
    uint64_t number = 0, args[2] = {0};

    (void)state;
    assert_true(
        slw_off_parse_syscall("45 0x7 0x7ffd12 0x0 0x0 0x0 0x0 0x7ffd 0x7f\n", &number, args));
    assert_int_equal(number, 45);
    assert_int_equal(args[0], 7);
    assert_int_equal(args[1], 0x7ffd12);
    assert_false(slw_off_parse_syscall("running\n", &number, args));
    assert_false(slw_off_parse_syscall("-1 0x7ffd 0x7f\n", &number, args));
    assert_false(slw_off_parse_syscall("45", &number, args));
    assert_false(slw_off_parse_syscall("", &number, args));
    assert_false(slw_off_parse_syscall("99999999999999999999999 0x1 0x2", &number, args));
    assert_int_equal(slw_off_parse_state("12 (a) R b) S 1 2"), 'S');
    assert_int_equal(slw_off_parse_state("12 (a"), '?');
    assert_int_equal(slw_off_parse_state("12 (a)"), '?');
    assert_int_equal(slw_off_parse_state(""), '?');
}

/* ---- sums ---- */

static int sums_setup(void **state)
{
    struct slw_off_sums *s = malloc(sizeof(*s));

    *state = s;
    return s ? slw_off_sums_init(s, true, true, NULL) : -1;
}

static int sums_teardown(void **state)
{
    slw_off_sums_release(*state);
    free(*state);
    return 0;
}

static void assert_whole(const struct slw_waiting *w)
{
    uint64_t sum = 0;

    for (int i = 0; i < SLW_WAIT_COUNT; i++)
        sum += w->ns[i];
    assert_true(sum == w->wall_ns);
}

static void a_thread_that_ended_is_in_the_sum(void **state)
{
    struct slw_off_sums *s = *state;
    struct slw_off_thread t = {
        .born_ns = 150, .since_ns = 180, .ended_ns = 180, .pid = 7, .tid = 8, .comm = "worker"};

    assert_true(slw_off_sums_begin(s, 100));
    slw_off_sums_end(s, 200);
    t.ns[SLW_OFF_ON_CPU] = 10;
    t.ns[SLW_OFF_LOCK] = 20;
    t.waits[SLW_OFF_LOCK] = 2;
    t.waits[SLW_OFF_ON_CPU] = 3; /* times it was put on a CPU: no wait */
    slw_off_sums_add(s, &t);
    assert_int_equal(s->each_count, 1);
    assert_int_equal(s->each[0].wall_ns, 30);
    assert_string_equal(s->each[0].comm, "worker");
    assert_int_equal(s->each[0].waits[SLW_WAIT_ON_CPU], 0);
    assert_whole(&s->each[0]);
    assert_int_equal(s->all.thread_count, 1);
    assert_int_equal(s->all.ns[SLW_WAIT_LOCK], 20);
    assert_int_equal(slw_waiting_switches(&s->all), 2);
}

static void a_wait_that_is_still_open_counts_to_the_end_of_the_window(void **state)
{
    struct slw_off_sums *s = *state;
    struct slw_off_thread t = {.born_ns = 50, .since_ns = 130, .state = SLW_OFF_ANSWER, .tid = 8};

    assert_true(slw_off_sums_begin(s, 100));
    slw_off_sums_end(s, 200);
    t.ns[SLW_OFF_ON_CPU] = 30;
    slw_off_sums_add(s, &t);
    assert_int_equal(s->each[0].ns[SLW_WAIT_ANSWER], 70);
    assert_int_equal(s->each[0].wall_ns, 100);
    assert_whole(&s->each[0]);
}

static void a_wait_over_two_windows_leaves_out_what_is_between(void **state)
{
    struct slw_off_sums *s = *state;
    const struct slw_off_thread t = {
        .born_ns = 50, .since_ns = 60, .state = SLW_OFF_SLEEP, .tid = 8};

    assert_true(slw_off_sums_begin(s, 100));
    slw_off_sums_end(s, 200);
    slw_off_sums_carry(s, &t);
    assert_true(slw_off_sums_begin(s, 1000));
    slw_off_sums_end(s, 1010);
    slw_off_sums_carry(s, &t);
    assert_true(slw_off_sums_begin(s, 2000));
    slw_off_sums_end(s, 2001);
    slw_off_sums_add(s, &t);
    assert_int_equal(s->each[0].ns[SLW_WAIT_SLEEP], 111);
    assert_whole(&s->each[0]);
}

static void a_thread_that_lived_between_two_windows_is_none(void **state)
{
    struct slw_off_sums *s = *state;
    const struct slw_off_thread t = {.born_ns = 300, .since_ns = 310, .ended_ns = 310, .tid = 8};

    assert_true(slw_off_sums_begin(s, 100));
    slw_off_sums_end(s, 200);
    assert_true(slw_off_sums_begin(s, 400));
    slw_off_sums_end(s, 500);
    slw_off_sums_add(s, &t);
    assert_int_equal(s->each_count, 0);
    assert_int_equal(s->all.thread_count, 0);
}

static void more_threads_than_are_told_apart_stay_in_the_sum(void **state)
{
    struct slw_off_sums *s = *state;
    struct slw_run *run = NULL;

    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_true(slw_off_sums_begin(s, 100));
    slw_off_sums_end(s, 10100);
    for (uint32_t i = 0; i < SLW_OFF_MAX_SUMS + 10; i++) {
        struct slw_off_thread t = {.born_ns = 100, .ended_ns = 101 + i, .tid = i + 1};

        t.ns[SLW_OFF_ON_CPU] = 1 + i;
        slw_off_sums_add(s, &t);
    }
    assert_int_equal(slw_off_sums_put(s, run, NULL), 0);
    assert_int_equal(run->waiting_count, SLW_MAX_WAITING);
    assert_int_equal(run->waiting[0].thread_count, SLW_OFF_MAX_SUMS + 10);
    assert_int_equal(run->waiting[0].tid, -1);
    assert_int_equal(run->waiting[1].wall_ns, SLW_OFF_MAX_SUMS); /* the longest first */
    assert_true(run->waiting[2].wall_ns < run->waiting[1].wall_ns);
    assert_whole(&run->waiting[0]);
    slw_run_free(run);
}

static void there_is_an_end_to_windows(void **state)
{
    struct slw_off_sums *s = *state;

    for (uint64_t i = 0; i < SLW_OFF_MAX_WINDOWS; i++) {
        assert_true(slw_off_sums_begin(s, 10 * i));
        slw_off_sums_end(s, 10 * i + 5);
    }
    assert_false(slw_off_sums_begin(s, 1000000));
}

/* ---- context-switch records ---- */

struct switch_record {
    struct perf_event_header header;
    uint32_t pid, tid;
    uint64_t time_ns;
};

static void feed_switch(struct slw_off_switch_table *t, uint32_t tid, uint16_t misc, uint64_t ns)
{
    const struct switch_record r = {{PERF_RECORD_SWITCH, misc, sizeof(r)}, 5, tid, ns};

    slw_off_switch_record(t, &r.header);
}

static void feed_task(struct slw_off_switch_table *t, uint32_t type, uint32_t tid, uint64_t ns)
{
    const struct {
        struct perf_event_header header;
        uint32_t pid, parent_pid, tid, parent_tid;
        uint64_t time_ns;
        uint32_t id_pid, id_tid;
        uint64_t id_ns;
    } r = {{type, 0, sizeof(r)}, 5, 5, tid, 5, ns, 5, tid, ns};

    slw_off_switch_record(t, &r.header);
}

#define OUT     PERF_RECORD_MISC_SWITCH_OUT
#define PREEMPT (PERF_RECORD_MISC_SWITCH_OUT | PERF_RECORD_MISC_SWITCH_OUT_PREEMPT)

static const struct slw_off_switched *switched(const struct slw_off_switch_table *t, int32_t tid)
{
    for (size_t i = 0; i < SLW_OFF_MAX_SWITCHED; i++)
        if (t->threads[i].known && t->threads[i].tid == tid)
            return &t->threads[i];
    fail_msg("thread %d is not known", (int)tid);
    abort(); /* fail_msg does not return, but the compiler cannot know */
}

static int table_setup(void **state)
{
    struct slw_off_switch_table *t = calloc(1, sizeof(*t));

    *state = t;
    if (t)
        t->start_ns = 1000;
    return t ? 0 : -1;
}

static int table_teardown(void **state)
{
    free(*state);
    return 0;
}

static void switches_of_a_thread_are_summed_in_any_order(void **state)
{
    struct slw_off_switch_table *t = *state;
    struct slw_waiting w;

    feed_switch(t, 9, 0, 1500); /* on from 1000 to 1200 and from 1500 to 1600, then off */
    feed_switch(t, 9, PREEMPT, 1600);
    feed_switch(t, 9, OUT, 1200);
    assert_true(slw_off_switch_sum(t, switched(t, 9), 2000, &w));
    assert_int_equal(w.wall_ns, 1000);
    assert_int_equal(w.ns[SLW_WAIT_ON_CPU], 300);
    assert_int_equal(w.ns[SLW_WAIT_UNSPLIT], 700);
    assert_int_equal(w.waits[SLW_WAIT_UNSPLIT], 1);
    assert_int_equal(w.waits[SLW_WAIT_RUNNABLE], 1);
    assert_false(w.by_cause);
}

static void a_thread_counts_from_fork_to_exit(void **state)
{
    struct slw_off_switch_table *t = *state;
    struct slw_waiting w;

    feed_task(t, PERF_RECORD_FORK, 9, 1100);
    feed_switch(t, 9, 0, 1150);
    feed_task(t, PERF_RECORD_EXIT, 9, 1400);
    feed_switch(t, 9, OUT, 1405); /* the last one of all threads: not its time any more */
    assert_true(slw_off_switch_sum(t, switched(t, 9), 2000, &w));
    assert_int_equal(w.wall_ns, 300);
    assert_int_equal(w.ns[SLW_WAIT_ON_CPU], 250);
    assert_int_equal(w.ns[SLW_WAIT_UNSPLIT], 50);
}

static void a_thread_with_lost_switches_has_no_sum(void **state)
{
    struct slw_off_switch_table *t = *state;
    struct slw_waiting w;

    feed_switch(t, 9, OUT, 1200);
    feed_switch(t, 9, OUT, 1300);
    assert_false(slw_off_switch_sum(t, switched(t, 9), 2000, &w));
    feed_task(t, PERF_RECORD_FORK, 10, 1100); /* and one that was never seen to run */
    assert_false(slw_off_switch_sum(t, switched(t, 10), 2000, &w));
}

/* ---- report ---- */

static void parts_are_the_whole_on_cpu_first(void **state)
{
    struct slw_waiting w = {.tid = -1};
    struct slw_waiting_part parts[SLW_WAIT_COUNT];
    struct slw_buf line = {0};

    (void)state;
    assert_int_equal(slw_waiting_parts(&w, parts), 0);
    w.ns[SLW_WAIT_ON_CPU] = 100;
    w.ns[SLW_WAIT_SLEEP] = 300;
    w.ns[SLW_WAIT_ANSWER] = 596;
    w.ns[SLW_WAIT_DISK] = 4;
    assert_int_equal(slw_waiting_parts(&w, parts), 4);
    assert_int_equal(parts[0].state, SLW_WAIT_ON_CPU);
    assert_int_equal(parts[1].state, SLW_WAIT_ANSWER);
    assert_int_equal(parts[3].state, SLW_WAIT_DISK);
    slw_waiting_summary(&line, &w);
    assert_string_equal(line.data, "on-CPU 10 %, answer (socket) 60 %, sleep 30 %");
    slw_buf_release(&line);
}

static void rates_are_per_second_and_per_request(void **state)
{
    struct slw_run *run = NULL;
    struct slw_waiting w = {
        .pid = -1, .tid = -1, .by_cause = true, .syscalls = {.value = 5000}, .thread_count = 1};
    struct slw_buf line = {0};

    (void)state;
    assert_int_equal(slw_run_new(&run, NULL), 0);
    w.waits[SLW_WAIT_ANSWER] = 900;
    w.waits[SLW_WAIT_RUNNABLE] = 100;
    assert_int_equal(slw_run_add_waiting(run, &w, NULL), 0);
    run->wall_ns = (struct slw_maybe_u64){.value = 2000000000};
    run->requests = (struct slw_maybe_u64){.value = 500};
    slw_waiting_rates(&line, run);
    assert_string_equal(line.data, "1,000 context switches (500 a second, 2 per request), 100 of "
                                   "them preemptions; 5,000 system calls (2,500 a second, 10 per "
                                   "request)");
    slw_buf_release(&line);
    run->waiting[0].syscalls.absent = "not counted";
    run->requests.absent = "nobody counted";
    slw_waiting_rates(&line, run);
    assert_non_null(strstr(line.data, "(500 a second), 100"));
    assert_non_null(strstr(line.data, "system calls: not counted"));
    slw_buf_release(&line);
    slw_run_free(run);
}

int main(void)
{
#define SUMS(test)  cmocka_unit_test_setup_teardown(test, sums_setup, sums_teardown)
#define TABLE(test) cmocka_unit_test_setup_teardown(test, table_setup, table_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tap_whose_programs_never_ran_hides_no_time),
        cmocka_unit_test(the_descriptor_decides_what_reading_waits_for),
        cmocka_unit_test(calls_that_tell_by_themselves),
        cmocka_unit_test(poll_of_one_socket_waits_for_an_answer_of_more_is_an_event_loop),
        cmocka_unit_test(waits_of_the_kernel_are_not_the_servers),
        cmocka_unit_test(the_table_knows_the_numbers_of_this_machine),
        cmocka_unit_test(proc_tells_system_call_and_state),
        SUMS(a_thread_that_ended_is_in_the_sum),
        SUMS(a_wait_that_is_still_open_counts_to_the_end_of_the_window),
        SUMS(a_wait_over_two_windows_leaves_out_what_is_between),
        SUMS(a_thread_that_lived_between_two_windows_is_none),
        SUMS(more_threads_than_are_told_apart_stay_in_the_sum),
        SUMS(there_is_an_end_to_windows),
        TABLE(switches_of_a_thread_are_summed_in_any_order),
        TABLE(a_thread_counts_from_fork_to_exit),
        TABLE(a_thread_with_lost_switches_has_no_sum),
        cmocka_unit_test(parts_are_the_whole_on_cpu_first),
        cmocka_unit_test(rates_are_per_second_and_per_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
