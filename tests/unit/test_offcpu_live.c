/* SPDX-License-Identifier: MIT */
/* The BPF program with maps that are too small. Skipped where the kernel does not permit BPF. */
#include "base/clock.h"
#include "collector/taps/offcpu/bpf.h"
#include "tests/unit/cmocka_int.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREADS 40

static void *doze(void *unused)
{
    const struct timespec t = {.tv_nsec = 2000000};

    (void)nanosleep(&t, NULL);
    return unused;
}

static void start_threads(void)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, doze, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
}

static struct slw_off_bpf *opened(const struct slw_off_bpf_options *opts)
{
    struct slw_off_bpf *b = NULL;
    struct slw_error err = {0};
    int rc = slw_off_bpf_open(opts, &b, &err);

    if (rc == -SLW_E_PERM || rc == -SLW_E_UNSUPPORTED) {
        (void)printf("skipped: %s\n", err.text);
        skip();
    }
    assert_int_equal(rc, 0);
    const struct slw_off_thread self = {.born_ns = 1,
                                        .since_ns = 1,
                                        .pid = (uint32_t)getpid(),
                                        .tid = (uint32_t)syscall(SYS_gettid),
                                        .state = SLW_OFF_UNSPLIT,
                                        .started = 1};
    assert_int_equal(slw_off_bpf_follow(b, &self, NULL), 0);
    slw_off_bpf_window(b, 1, UINT64_MAX);
    return b;
}

static void count(void *ctx, const struct slw_off_thread *t)
{
    (void)t;
    ++*(size_t *)ctx;
}

/* A thread that was joined has told so, but has not left its CPU for the last time. */
static size_t all_ended(struct slw_off_bpf *b)
{
    const struct timespec moment = {.tv_nsec = 5000000};
    size_t ended = 0;

    for (int i = 0; i < 2000 && ended + slw_off_bpf_losses(b).threads < THREADS; i++) {
        slw_off_bpf_ended(b, count, &ended);
        (void)nanosleep(&moment, NULL);
    }
    return ended;
}

static void threads_beyond_the_map_are_counted_as_lost(void **state)
{
    const struct slw_off_bpf_options opts = {.thread_max = 2, .stack_max = 2};

    (void)state;
    struct slw_off_bpf *b = opened(&opts);
    start_threads();
    size_t ended = all_ended(b);
    assert_true(slw_off_bpf_losses(b).threads > 0);
    assert_int_equal(ended + slw_off_bpf_losses(b).threads, THREADS);
    assert_int_equal(slw_off_bpf_losses(b).ended, 0);
    slw_off_bpf_close(b);
}

static void every_thread_is_told_once(void **state)
{
    const struct slw_off_bpf_options opts = {.thread_max = SLW_OFF_LIVE_THREADS, .stack_max = 2};
    size_t live = 0;

    (void)state;
    struct slw_off_bpf *b = opened(&opts);
    start_threads();
    assert_int_equal(all_ended(b), THREADS);
    slw_off_bpf_live(b, count, &live);
    assert_int_equal(live, 1);
    assert_int_equal(slw_off_bpf_losses(b).threads, 0);
    slw_off_bpf_close(b);
}

struct tally {
    size_t stacks;
    uint64_t ns;
};

static void add_stack(void *ctx, const struct slw_off_stack_key *key,
                      const struct slw_off_stack_sum *sum, const uint64_t *kernel_ips,
                      const uint64_t *user_ips)
{
    struct tally *tally = ctx;

    (void)user_ips;
    assert_true(key->state > SLW_OFF_RUNNABLE);
    tally->stacks += kernel_ips[0] != 0;
    tally->ns += sum->ns;
}

static void stacks_carry_the_time_of_the_waits(void **state)
{
    const struct slw_off_bpf_options opts = {
        .stacks = true, .thread_max = 100, .stack_max = SLW_OFF_STACKS};
    struct tally tally = {0};

    (void)state;
    struct slw_off_bpf *b = opened(&opts);
    (void)doze(NULL);
    slw_off_bpf_stacks(b, add_stack, &tally);
    assert_true(tally.stacks > 0);
    assert_true(tally.ns >= 1000000);
    slw_off_bpf_close(b);
}

static void waits_beyond_the_stack_map_are_counted_as_lost(void **state)
{
    const struct slw_off_bpf_options opts = {.stacks = true, .thread_max = 100, .stack_max = 1};

    (void)state;
    struct slw_off_bpf *b = opened(&opts);
    start_threads();
    assert_true(slw_off_bpf_losses(b).stacks > 0);
    slw_off_bpf_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_beyond_the_map_are_counted_as_lost),
        cmocka_unit_test(every_thread_is_told_once),
        cmocka_unit_test(stacks_carry_the_time_of_the_waits),
        cmocka_unit_test(waits_beyond_the_stack_map_are_counted_as_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
