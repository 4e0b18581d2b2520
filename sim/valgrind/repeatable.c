/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --det: the same run every time. The client sees a clock that follows the instructions it executed
 * and random bytes from a fixed sequence. Waits that timed out move the clock on by what was waited
 * for. Not covered: what a server answers and when, rdtsc, rdrand, waits until an absolute time. */
#include "tool_int.h"

#include "pub_tool_vki.h"
#include "pub_tool_vkiscnums.h"

#define SECOND 1000000000ull

/* Some moment in November 2023; later than any file a client may compare it with is not needed. */
static ULong clock_ns = 1700000000ull * SECOND;
static ULong clock_instructions;
static ULong random_state = 0x9e3779b97f4a7c15ull;
static Int random_file = -1;

struct seconds {
    Long seconds, parts;
};

/* Four instructions per nanosecond, and a little for the call itself so that it always moves. */
static ULong now_ns(void)
{
    const ULong instructions = instructions_executed();

    clock_ns += 50 + (instructions - clock_instructions) / 4;
    clock_instructions = instructions;
    return clock_ns;
}

static void fill(UChar *bytes, ULong count)
{
    for (ULong i = 0; i < count; i++) {
        random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
        bytes[i] = (UChar)(random_state >> 56);
    }
}

static void put_time(UWord where, ULong parts_per_second)
{
    const ULong now = now_ns();
    struct seconds *to = (struct seconds *)where;

    if (!to)
        return;
    to->seconds = (Long)(now / SECOND);
    to->parts = (Long)(now % SECOND / (SECOND / parts_per_second));
}

static void pass(const struct seconds *waited, ULong parts_per_second)
{
    if (waited)
        clock_ns +=
            (ULong)waited->seconds * SECOND + (ULong)waited->parts * (SECOND / parts_per_second);
}

static void is_random_file(UWord path, SysRes result)
{
    const HChar *name = (const HChar *)path;

    if (name && (VG_(strcmp)(name, "/dev/urandom") == 0 || VG_(strcmp)(name, "/dev/random") == 0))
        random_file = (Int)sr_Res(result);
}

static void time_call(UInt number, const UWord *a, SysRes result)
{
    switch (number) {
    case __NR_clock_gettime:
        put_time(a[1], SECOND);
        break;
    case __NR_gettimeofday:
        put_time(a[0], 1000000);
        break;
    case __NR_nanosleep:
        pass((const struct seconds *)a[0], SECOND);
        break;
    case __NR_clock_nanosleep:
        if (a[1] == 0)
            pass((const struct seconds *)a[2], SECOND);
        break;
    case __NR_poll:
    case __NR_epoll_wait: {
        const Int timeout_ms = (Int)a[number == __NR_poll ? 2 : 3];

        if (sr_Res(result) == 0 && timeout_ms > 0)
            clock_ns += (ULong)timeout_ms * 1000000;
        break;
    }
    case __NR_select:
        if (sr_Res(result) == 0)
            pass((const struct seconds *)a[4], 1000000);
        break;
    default:
        break;
    }
}

static void random_call(UInt number, const UWord *a, SysRes result)
{
    switch (number) {
    case __NR_getrandom:
        fill((UChar *)a[0], sr_Res(result));
        break;
    case __NR_open:
        is_random_file(a[0], result);
        break;
    case __NR_openat:
        is_random_file(a[1], result);
        break;
    case __NR_close:
        if ((Int)a[0] == random_file)
            random_file = -1;
        break;
    case __NR_read:
        if (random_file >= 0 && (Int)a[0] == random_file)
            fill((UChar *)a[1], sr_Res(result));
        break;
    default:
        break;
    }
}

void before_syscall(ThreadId thread, UInt number, UWord *arguments, UInt count)
{
    (void)arguments, (void)count;
    if (number == __NR_connect)
        connects();
    beside_before(thread);
}

void after_syscall(ThreadId thread, UInt number, UWord *arguments, UInt count, SysRes result)
{
    (void)count;
    beside_after(thread, number, result);
    if (!options.repeatable || sr_isError(result))
        return;
    time_call(number, arguments, result);
    random_call(number, arguments, result);
}
