/* SPDX-License-Identifier: MIT */
/* The BPF program by itself: maps that are too small, stacks of waits. Skipped where the kernel
 * does not permit BPF. */
#include "base/clock.h"
#include "collector/taps/offcpu/bpf.h"
#include "tests/unit/cmocka_int.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    const struct slw_off_bpf_options opts = {.thread_max = 2, .slot_max = 2};

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
    const struct slw_off_bpf_options opts = {.thread_max = SLW_OFF_LIVE_THREADS, .slot_max = 2};
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

static const struct slw_off_bpf_options copying = {.callers = SLW_OFF_CALLERS_COPY,
                                                   .copy_bytes = SLW_OFF_COPY_BYTES,
                                                   .thread_max = 1024,
                                                   .slot_max = 100};
static const char mark[] = "the stack of one who waits";

struct tally {
    size_t stacks, marked;
    uint64_t ns, waited_ns;
};

static void add_sample(void *ctx, const struct slw_off_sample *s)
{
    struct tally *tally = ctx;

    tally->stacks += s->kernel_count > 0 && s->has_regs;
    tally->marked += memmem(s->stack, s->stack_bytes, mark, sizeof(mark)) != NULL;
    tally->ns += s->ns;
    assert_int_equal(s->pid, getpid());
}

static void add_waits(void *ctx, const struct slw_off_thread *t)
{
    struct tally *tally = ctx;

    for (int state = SLW_OFF_RUNNABLE + 1; state < SLW_OFF_STATES; state++)
        tally->waited_ns += t->ns[state];
}

/* A frame large enough that what stands in it is some pages away. */
__attribute__((noinline)) static void doze_on_a_mark(void)
{
    volatile char frame[10000];

    for (size_t i = 0; i < sizeof(frame); i++)
        frame[i] = i < sizeof(mark) ? mark[i] : 'x';
    for (int i = 0; i < 3; i++)
        (void)doze(NULL);
}

struct waiter {
    int fd;
    _Atomic pid_t tid; /* once there is nothing left to do but to wait */
};

static void *wait_for_byte(void *waiter)
{
    struct waiter *w = waiter;
    volatile char frame[sizeof(mark)];
    char byte;

    for (size_t i = 0; i < sizeof(frame); i++)
        frame[i] = mark[i];
    __asm__ volatile("" : : "r"(frame) : "memory"); /* else its bytes may be kept apart */
    w->tid = (pid_t)syscall(SYS_gettid);
    (void)!read(w->fd, &byte, 1);
    frame[0] = byte; /* it must be there until now */
    return NULL;
}

static bool is_waiting(struct waiter *w)
{
    char path[64], stat[256] = "";

    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)w->tid);
    FILE *f = w->tid ? fopen(path, "r") : NULL;
    const char *line = f ? fgets(stat, sizeof(stat), f) : NULL;
    const char *name_end = line ? strrchr(line, ')') : NULL;

    if (f)
        (void)fclose(f);
    return name_end && strncmp(name_end, ") S", 3) == 0;
}

static void stacks_carry_all_the_time_of_the_waits(void **state)
{
    struct tally tally = {0};

    (void)state;
    struct slw_off_bpf *b = opened(&copying);
    doze_on_a_mark();
    start_threads();
    (void)all_ended(b);
    slw_off_bpf_window(b, 1, slw_clock_monotonic_ns());
    slw_off_bpf_flush(b, add_sample, &tally);
    assert_true(tally.stacks > 0 && tally.marked > 0);
    slw_off_bpf_live(b, add_waits, &tally);
    assert_true(tally.ns >= tally.waited_ns && tally.waited_ns >= 5000000);
    assert_int_equal(slw_off_bpf_losses(b).stack_ns, 0);
    slw_off_bpf_close(b);
}

static void a_wait_that_goes_on_is_flushed_with_its_stack(void **state)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    struct tally tally = {0};
    int ends[2];

    (void)state;
    struct slw_off_bpf *b = opened(&copying);
    assert_int_equal(pipe(ends), 0);
    pthread_t thread;
    struct waiter waiter = {.fd = ends[0]};
    assert_int_equal(pthread_create(&thread, NULL, wait_for_byte, &waiter), 0);
    for (int i = 0; i < 1000 && !is_waiting(&waiter); i++)
        (void)nanosleep(&moment, NULL);
    (void)nanosleep(&moment, NULL);
    slw_off_bpf_window(b, 1, slw_clock_monotonic_ns());
    slw_off_bpf_flush(b, add_sample, &tally);
    assert_true(tally.marked > 0 && tally.ns >= 20000000);
    const uint64_t once = tally.ns;
    slw_off_bpf_flush(b, add_sample, &tally);
    assert_int_equal(tally.ns, once); /* told only once */
    assert_int_equal(write(ends[1], "x", 1), 1);
    (void)pthread_join(thread, NULL);
    slw_off_bpf_samples(b, add_sample, &tally);
    assert_int_equal(tally.ns, once);
    slw_off_bpf_close(b);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void waits_without_a_slot_are_counted_as_lost(void **state)
{
    struct slw_off_bpf_options opts = copying;
    struct tally tally = {0};

    (void)state;
    opts.slot_max = 1; /* ours */
    struct slw_off_bpf *b = opened(&opts);
    start_threads();
    (void)all_ended(b);
    slw_off_bpf_window(b, 1, slw_clock_monotonic_ns());
    slw_off_bpf_flush(b, add_sample, &tally);
    assert_int_equal(slw_off_bpf_losses(b).slots, THREADS);
    assert_true(slw_off_bpf_losses(b).stack_ns >= THREADS * UINT64_C(1000000));
    slw_off_bpf_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_beyond_the_map_are_counted_as_lost),
        cmocka_unit_test(every_thread_is_told_once),
        cmocka_unit_test(stacks_carry_all_the_time_of_the_waits),
        cmocka_unit_test(a_wait_that_goes_on_is_flushed_with_its_stack),
        cmocka_unit_test(waits_without_a_slot_are_counted_as_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
