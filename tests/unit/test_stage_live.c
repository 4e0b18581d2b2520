/* SPDX-License-Identifier: MIT */
/* The BPF program of the stage tap on this very program, with a software event in the place of the
 * counters. Skipped where the kernel does not permit BPF. */
#include "base/clock.h"
#include "collector/taps/stage/bpf.h"
#include "include/slotwise/stage.h"
#include "tests/unit/cmocka_int.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CALLS   1000
#define SPIN_NS 50000000
#define NAP_NS  50000000
#define CPUS    1024
/* Time and counter are read one after the other; a virtual machine may stand still in between. */
#define STALL_NS 25000000

static struct slw_stage_marks marks;

static size_t stage_of(const char *name)
{
    for (size_t i = 0; i < marks.stage_count; i++)
        if (strcmp(marks.stages[i].name, name) == 0)
            return i;
    fail();
    return 0;
}

static struct slw_stage_prog *opened(size_t counters, bool many)
{
    struct slw_stage_prog *p = NULL;
    struct slw_error err = {0};
    uint64_t failed = 0;
    int rc = slw_stage_prog_open(counters, many, &p, &err);

    if (rc == -SLW_E_PERM || rc == -SLW_E_UNSUPPORTED) {
        (void)printf("skipped: %s\n", err.text);
        skip();
    }
    assert_int_equal(rc, 0);
    slw_stage_marks_release(&marks);
    memset(&marks, 0, sizeof(marks));
    assert_int_equal(slw_stage_marks_file(&marks, "/proc/self/exe", NULL), 0);
    assert_int_equal(
        slw_stage_prog_follow(p, (uint32_t)getpid(), (uint32_t)syscall(SYS_gettid), NULL), 0);
    assert_int_equal(slw_stage_prog_attach(p, &marks, &failed, NULL), 0);
    assert_int_equal(failed, 0);
    return p;
}

static struct slw_stage_sum sum_of(struct slw_stage_prog *p, const char *name)
{
    struct slw_stage_sum *sums = calloc(SLW_STAGE_MAX, sizeof(*sums));
    struct slw_stage_sum sum;

    assert_non_null(sums);
    assert_int_equal(slw_stage_prog_sums(p, sums, marks.stage_count, NULL), 0);
    sum = sums[stage_of(name)];
    free(sums);
    return sum;
}

static void call_stages(void)
{
    for (uint64_t i = 1; i <= CALLS; i++) {
        SLOTWISE_STAGE_BEGIN(counted, i);
        SLOTWISE_STAGE_END(counted);
    }
}

static void exact_calls(bool many)
{
    struct slw_stage_prog *p = opened(0, many);
    struct slw_stage_losses lost;
    uint64_t skipped;

    call_stages(); /* nobody measures yet */
    slw_stage_prog_phase(p, 1);
    call_stages();
    slw_stage_prog_phase(p, 0);
    call_stages(); /* nor now */
    struct slw_stage_sum sum = sum_of(p, "counted");
    assert_int_equal(sum.calls, CALLS);
    assert_int_equal(sum.requests, CALLS * (CALLS + 1) / 2);
    assert_int_equal(sum.max_batch, CALLS);
    assert_int_equal(sum.missed_begins + sum.missed_ends, 0);
    lost = slw_stage_prog_losses(p, &skipped);
    assert_int_equal(lost.threads + lost.too_deep + lost.batches, 0);
    assert_true(slw_stage_prog_bytes(p) > 0);
    slw_stage_prog_close(p);
}

static void calls_are_exact_with_one_link_for_all_marks(void **state)
{
    (void)state;
    exact_calls(true);
}

static void calls_are_exact_with_a_link_for_each_mark(void **state)
{
    (void)state;
    exact_calls(false);
}

static void open_calls_are_told(void **state)
{
    struct slw_stage_prog *p = opened(0, true);
    uint64_t open_calls[SLW_STAGE_MAX] = {0};

    (void)state;
    slw_stage_prog_phase(p, 1);
    SLOTWISE_STAGE_BEGIN(left_open, 1);
    slw_stage_prog_open_calls(p, 1, open_calls);
    assert_int_equal(open_calls[stage_of("left_open")], 1);
    slw_stage_prog_open_calls(p, 2, open_calls); /* of another time of measuring */
    assert_int_equal(open_calls[stage_of("left_open")], 1);
    slw_stage_prog_phase(p, 2);
    SLOTWISE_STAGE_END(left_open);
    struct slw_stage_sum sum = sum_of(p, "left_open");
    assert_int_equal(sum.calls, 0);
    assert_int_equal(sum.missed_begins, 1);
    slw_stage_prog_close(p);
}

/* ---- counters ---- */

static int clocks[CPUS];
static int clock_count;

/* cpu-clock on every CPU, in ns: what a PMU's counter would be. */
static void hand_over_clocks(struct slw_stage_prog *p)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_SW_CPU_CLOCK,
                                   .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
                                                  PERF_FORMAT_TOTAL_TIME_RUNNING};

    for (clock_count = 0; clock_count < CPUS; clock_count++) {
        long fd = syscall(SYS_perf_event_open, &attr, -1, clock_count, -1, PERF_FLAG_FD_CLOEXEC);

        if (fd < 0)
            break; /* the last CPU */
        clocks[clock_count] = (int)fd;
        assert_int_equal(slw_stage_prog_counter(p, 0, clock_count, (int)fd, NULL), 0);
    }
    assert_true(clock_count > 0);
}

static void close_clocks(void)
{
    for (int i = 0; i < clock_count; i++)
        (void)close(clocks[i]);
}

static void spin(void)
{
    for (uint64_t end = slw_clock_monotonic_ns() + SPIN_NS; slw_clock_monotonic_ns() < end;)
        ;
}

static void nap(void)
{
    struct timespec left = {.tv_nsec = NAP_NS};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

/* The clock of a CPU runs for everybody: what it counted while the thread slept, or had no CPU,
 * must not be charged. Twice as much would be, if it were. */
static void counters_count_only_what_the_stage_did(void **state)
{
    (void)state;
    struct slw_stage_prog *p = opened(1, true);
    hand_over_clocks(p);
    slw_stage_prog_phase(p, 1);
    SLOTWISE_STAGE_BEGIN(spinning, 1);
    spin();
    SLOTWISE_STAGE_BEGIN(napping, 1);
    nap();
    SLOTWISE_STAGE_END(napping);
    SLOTWISE_STAGE_END(spinning);
    slw_stage_prog_phase(p, 0);
    struct slw_stage_sum spun = sum_of(p, "spinning"), napped = sum_of(p, "napping");
    assert_true(spun.self_ns >= SPIN_NS);
    assert_true(napped.self_ns >= NAP_NS);
    assert_true(napped.cpu_ns + NAP_NS <= napped.self_ns);
    assert_true(spun.wall_ns == spun.self_ns + napped.self_ns);
    assert_true(spun.counts.values[0] <= spun.cpu_ns + STALL_NS);
    assert_true(spun.counts.values[0] + STALL_NS >= spun.cpu_ns);
    assert_true(napped.counts.values[0] <= napped.self_ns - NAP_NS + STALL_NS);
    assert_true(spun.counts.running_ns <= spun.counts.enabled_ns);
    assert_true(spun.counts.running_ns > 0);
    slw_stage_prog_close(p);
    close_clocks();
}

static void a_counter_that_is_not_there_is_time_not_counted(void **state)
{
    (void)state;
    struct slw_stage_prog *p = opened(2, true); /* none is handed over */
    slw_stage_prog_phase(p, 1);
    call_stages();
    slw_stage_prog_phase(p, 0);
    struct slw_stage_sum sum = sum_of(p, "counted");
    assert_int_equal(sum.calls, CALLS);
    assert_int_equal(sum.counts.running_ns, 0);
    assert_true(sum.counts.enabled_ns > 0);
    assert_int_equal(sum.counts.values[0], 0);
    slw_stage_prog_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_exact_with_one_link_for_all_marks),
        cmocka_unit_test(calls_are_exact_with_a_link_for_each_mark),
        cmocka_unit_test(open_calls_are_told),
        cmocka_unit_test(counters_count_only_what_the_stage_did),
        cmocka_unit_test(a_counter_that_is_not_there_is_time_not_counted),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    slw_stage_marks_release(&marks);
    return rc;
}
