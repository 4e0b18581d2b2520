/* SPDX-License-Identifier: MIT */
/* The clock and the random bytes of --det, around system calls of a client made of one array. */
#include "sim/repeatable.h"

#include "tests/unit/cmocka_int.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#define SECOND INT64_C(1000000000)
#define BASE   UINT64_C(0x1000)

static struct {
    int64_t time[2];
    char path[32];
    uint8_t bytes[32];
} memory;

static bool is_read_only;
static uint64_t executed;

static void *at(uint64_t address, size_t count)
{
    return address >= BASE && address + count <= BASE + sizeof(memory)
               ? (uint8_t *)&memory + (address - BASE)
               : NULL;
}

static bool peek(void *to, uint64_t address, size_t count)
{
    return at(address, count) && memcpy(to, at(address, count), count);
}

static bool poke(uint64_t address, const void *from, size_t count)
{
    return !is_read_only && at(address, count) && memcpy(at(address, count), from, count);
}

static uint64_t instructions(void)
{
    return executed;
}

static uint64_t real_ns(bool is_realtime)
{
    return (uint64_t)((is_realtime ? 2000000000 : 500) * SECOND);
}

static struct slw_sim_repeatable r;

static int fresh(void **state)
{
    const struct slw_sim_repeatable_host host = {
        .peek = peek, .poke = poke, .instructions = instructions, .real_ns = real_ns};

    (void)state;
    memset(&memory, 0, sizeof(memory));
    memset(&r, 0, sizeof(r));
    is_read_only = false;
    executed = 0;
    slw_sim_repeatable_init(&r, &host);
    return 0;
}

static int64_t call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, int64_t result)
{
    const uint64_t arguments[6] = {a, b, c, d};

    slw_sim_repeatable_before(&r, 1, (uint64_t)number, arguments);
    return slw_sim_repeatable_after(&r, 1, (uint64_t)number, arguments, result);
}

static int64_t clock_ns(void)
{
    assert_int_equal(call(SYS_clock_gettime, 1, BASE, 0, 0, 0), 0);
    return memory.time[0] * SECOND + memory.time[1];
}

static void the_clock_follows_the_instructions(void **state)
{
    (void)state;
    const int64_t first = clock_ns();

    executed += 4000;
    const int64_t second = clock_ns();

    assert_int_equal(second - first, 1050);
    assert_int_equal(call(SYS_time, 0, 0, 0, 0, 1), 1700000000);
    assert_true(slw_sim_repeatable_ticks(&r) > 0);
}

static void a_call_takes_time_and_reading_the_clock_less(void **state)
{
    (void)state;
    const int64_t was = clock_ns();

    slw_sim_repeatable_called(&r, SYS_epoll_wait);
    (void)call(SYS_epoll_wait, 0, 0, 0, 0, 0);
    assert_int_equal(clock_ns() - was, 1050);
    slw_sim_repeatable_called(&r, SYS_clock_gettime);
    slw_sim_repeatable_called(&r, SYS_gettimeofday);
    slw_sim_repeatable_called(&r, SYS_time);
    assert_int_equal(clock_ns() - was, 1100);
    slw_sim_repeatable_called(&r, SLW_SIM_REPEATABLE_ANY_CALL);
    assert_int_equal(clock_ns() - was, 2150);
}

static void waits_in_vain_move_it(void **state)
{
    (void)state;
    int64_t was = clock_ns();

    assert_int_equal(call(SYS_poll, 0, 0, 3, 0, 0), 0);
    assert_int_equal(clock_ns() - was, 3000050);
    was = clock_ns();
    (void)call(SYS_poll, 0, 0, 3, 0, 1); /* something came */
    (void)call(SYS_poll, 0, 0, (uint64_t)-1, 0, 0);
    assert_int_equal(clock_ns() - was, 50);
    was = clock_ns();
    memory.time[0] = 2;
    memory.time[1] = 7;
    (void)call(SYS_futex, 0, 128, 0, BASE, -ETIMEDOUT);
    assert_int_equal(clock_ns() - was, 2 * SECOND + 57);
}

/* select and ppoll leave 0 where the time stood. */
static void the_span_is_that_of_before_the_call(void **state)
{
    const uint64_t arguments[6] = {0, 0, 0, 0, BASE};

    (void)state;
    const int64_t was = clock_ns();

    memory.time[0] = 0;
    memory.time[1] = 40;
    slw_sim_repeatable_before(&r, 1, SYS_select, arguments);
    memory.time[1] = 0;
    (void)slw_sim_repeatable_after(&r, 1, SYS_select, arguments, 0);
    assert_int_equal(clock_ns() - was, 40050);
}

static void a_deadline_is_the_kernels_during_the_call_only(void **state)
{
    const uint64_t arguments[6] = {BASE + 16, 9 | 128, 0, BASE}; /* FUTEX_WAIT_BITSET, monotonic */

    (void)state;
    const int64_t was = clock_ns();
    const int64_t deadline = was + 3 * SECOND;

    memory.time[0] = deadline / SECOND;
    memory.time[1] = deadline % SECOND;
    slw_sim_repeatable_before(&r, 1, SYS_futex, arguments);
    assert_int_equal(memory.time[0], 502);
    assert_int_equal(memory.time[1], SECOND - 50);
    assert_int_equal(slw_sim_repeatable_after(&r, 1, SYS_futex, arguments, -ETIMEDOUT), -ETIMEDOUT);
    assert_int_equal(memory.time[0], deadline / SECOND);
    assert_int_equal(memory.time[1], deadline % SECOND);
    assert_int_equal(clock_ns(), deadline + 50);
}

static void a_deadline_that_is_over_is_due(void **state)
{
    (void)state;
    const uint64_t arguments[6] = {0, 1, BASE}; /* CLOCK_REALTIME, TIMER_ABSTIME */

    memory.time[0] = 1000;
    slw_sim_repeatable_before(&r, 1, SYS_clock_nanosleep, arguments);
    assert_int_equal(memory.time[0], 2000000000);
    (void)slw_sim_repeatable_after(&r, 1, SYS_clock_nanosleep, arguments, 0);
    assert_int_equal(memory.time[0], 1000);
    is_read_only = true; /* nothing can be done, and nothing is undone */
    (void)call(SYS_clock_nanosleep, 0, 1, BASE, 0, 0);
    assert_int_equal(memory.time[0], 1000);
}

static void random_bytes_repeat(void **state)
{
    uint8_t first[32];

    assert_int_equal(call(SYS_getrandom, BASE + 48, 32, 0, 0, 32), 32);
    memcpy(first, memory.bytes, sizeof(first));
    (void)fresh(state);
    assert_int_equal(call(SYS_getrandom, BASE + 48, 32, 0, 0, 13), 13);
    assert_memory_equal(memory.bytes, first, 13);
    assert_int_equal(memory.bytes[13], 0);
}

static void files_of_random_bytes_are_known(void **state)
{
    static const uint8_t nothing[8];

    (void)state;
    memcpy(memory.path, "/dev/urandom", 13);
    assert_int_equal(call(SYS_openat, 0, BASE + 16, 0, 0, 5), 5);
    memcpy(memory.path, "/dev/urandom2", 14);
    assert_int_equal(call(SYS_openat, 0, BASE + 16, 0, 0, 6), 6);
    (void)call(SYS_read, 6, BASE + 48, 8, 0, 8);
    assert_memory_equal(memory.bytes, nothing, 8);
    (void)call(SYS_read, 5, BASE + 48, 8, 0, 8);
    assert_memory_not_equal(memory.bytes, nothing, 8);
    (void)call(SYS_close, 5, 0, 0, 0, 0);
    memset(memory.bytes, 0, 8);
    (void)call(SYS_read, 5, BASE + 48, 8, 0, 8);
    assert_memory_equal(memory.bytes, nothing, 8);
    assert_int_equal(call(SYS_read, 5000, BASE + 48, 8, 0, 8), 8);
}

/* Interval, then when it goes off; seconds, then parts of them. */
static void timers_are_noticed(void **state)
{
    static const struct {
        long call;
        unsigned argument; /* where the time is */
    } calls[] = {{SYS_setitimer, 1}, {SYS_timer_settime, 2}, {SYS_timerfd_settime, 2}};

    (void)call(SYS_alarm, 0, 0, 0, 0, 0);
    assert_false(r.has_timers);
    (void)call(SYS_alarm, 1, 0, 0, 0, 0);
    assert_true(r.has_timers);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        for (unsigned word = 0; word < 4; word++) {
            const uint64_t one = calls[i].argument == 1 ? BASE : 0;
            const uint64_t two = calls[i].argument == 2 ? BASE : 0;
            const int64_t some = 1;

            (void)fresh(state);
            (void)call(calls[i].call, 0, one, two, 0, 0); /* taken back */
            assert_false(r.has_timers);
            assert_true(poke(BASE + sizeof(some) * word, &some, sizeof(some)));
            (void)call(calls[i].call, 0, one, two, 0, 0);
            assert_int_equal(r.has_timers, word >= 2);
            (void)fresh(state);
            (void)call(calls[i].call, 0, 16, 16, 0, -EFAULT);
            assert_false(r.has_timers);
        }
}

static void memory_that_is_not_there_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(call(SYS_clock_gettime, 0, 16, 0, 0, 0), 0);
    assert_int_equal(call(SYS_getrandom, 16, 64, 0, 0, 64), 64);
    assert_int_equal(call(SYS_futex, 16, 9, 0, 16, -EFAULT), -EFAULT);
    assert_int_equal(call(SYS_openat, 0, 16, 0, 0, 5), 5);
    memset(memory.path, '/', sizeof(memory.path));
    memset(memory.bytes, '/', sizeof(memory.bytes)); /* no end before the end of memory */
    assert_int_equal(call(SYS_openat, 0, BASE + 16, 0, 0, 5), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_clock_follows_the_instructions, fresh),
        cmocka_unit_test_setup(a_call_takes_time_and_reading_the_clock_less, fresh),
        cmocka_unit_test_setup(waits_in_vain_move_it, fresh),
        cmocka_unit_test_setup(the_span_is_that_of_before_the_call, fresh),
        cmocka_unit_test_setup(a_deadline_is_the_kernels_during_the_call_only, fresh),
        cmocka_unit_test_setup(a_deadline_that_is_over_is_due, fresh),
        cmocka_unit_test_setup(random_bytes_repeat, fresh),
        cmocka_unit_test_setup(files_of_random_bytes_are_known, fresh),
        cmocka_unit_test_setup(timers_are_noticed, fresh),
        cmocka_unit_test_setup(memory_that_is_not_there_is_left_alone, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
