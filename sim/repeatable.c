/* SPDX-License-Identifier: MIT */
#include "sim/repeatable.h"

#define SECOND UINT64_C(1000000000)

/* Some moment in November 2023: all clocks start there. Later than any file a client may compare it
 * with is not needed. */
#define BEGINNING (UINT64_C(1700000000) * SECOND)

/* How long a system call takes. Natively (Zen 4 guest) 0.3 us for an epoll_wait that finds nothing,
 * 0.5 us for a recv that does, 1.7 us for 40 bytes into a local socket or out of it, 7 us for
 * loopback TCP; whoever polls for a moment to come makes those of the first kind. Without it such a
 * client would spin several times as often as natively: the clock would stand while it asks. */
#define CALL_NS 1000

enum { TIMED_OUT = 110, TRY_AGAIN = 11 }; /* ETIMEDOUT, EAGAIN */

/* Of Linux on x86-64; headers of the C library are not here. */
enum {
    CALL_READ = 0,
    CALL_OPEN = 2,
    CALL_CLOSE = 3,
    CALL_POLL = 7,
    CALL_SELECT = 23,
    CALL_NANOSLEEP = 35,
    CALL_ALARM = 37,
    CALL_SETITIMER = 38,
    CALL_GETTIMEOFDAY = 96,
    CALL_RT_SIGTIMEDWAIT = 128,
    CALL_TIME = 201,
    CALL_FUTEX = 202,
    CALL_TIMER_SETTIME = 223,
    CALL_CLOCK_GETTIME = 228,
    CALL_CLOCK_NANOSLEEP = 230,
    CALL_EPOLL_WAIT = 232,
    CALL_OPENAT = 257,
    CALL_PSELECT6 = 270,
    CALL_PPOLL = 271,
    CALL_EPOLL_PWAIT = 281,
    CALL_TIMERFD_SETTIME = 286,
    CALL_GETRANDOM = 318,
    CALL_EPOLL_PWAIT2 = 441,
};

enum {
    FUTEX_COMMAND = 127,
    FUTEX_REALTIME = 256,
    FUTEX_WAIT = 0,
    FUTEX_LOCK_PI = 6,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAIT_REQUEUE_PI = 11,
    FUTEX_LOCK_PI2 = 13,
};

void slw_sim_repeatable_init(struct slw_sim_repeatable *r,
                             const struct slw_sim_repeatable_host *host)
{
    r->host = *host;
    r->clock_ns = BEGINNING;
    r->counted = 0;
    r->has_timers = false;
    r->random_state = UINT64_C(0x9e3779b97f4a7c15);
}

/* Four instructions per nanosecond, and a little for the call itself so that it always moves. */
static uint64_t now_ns(struct slw_sim_repeatable *r)
{
    const uint64_t instructions = r->host.instructions();

    r->clock_ns += 50 + (instructions - r->counted) / 4;
    r->counted = instructions;
    return r->clock_ns;
}

uint64_t slw_sim_repeatable_ticks(struct slw_sim_repeatable *r)
{
    return (now_ns(r) - BEGINNING) * 4;
}

uint64_t slw_sim_repeatable_random(struct slw_sim_repeatable *r)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < 8; i++) {
        r->random_state =
            r->random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes = bytes << 8 | r->random_state >> 56;
    }
    return bytes;
}

static void fill(struct slw_sim_repeatable *r, uint64_t address, uint64_t count)
{
    while (count > 0) {
        const uint64_t bytes = slw_sim_repeatable_random(r);
        const size_t part = count < sizeof(bytes) ? (size_t)count : sizeof(bytes);

        if (!r->host.poke(address, &bytes, part))
            return;
        address += part;
        count -= part;
    }
}

/* ---- time ---- */

static void put_time(struct slw_sim_repeatable *r, uint64_t address, uint64_t parts_per_second)
{
    const uint64_t now = now_ns(r);
    const int64_t time[2] = {(int64_t)(now / SECOND),
                             (int64_t)(now % SECOND / (SECOND / parts_per_second))};

    if (address)
        (void)r->host.poke(address, time, sizeof(time));
}

static bool read_time(const struct slw_sim_repeatable *r, uint64_t address,
                      uint64_t parts_per_second, uint64_t *ret_ns)
{
    int64_t time[2];

    if (!address || !r->host.peek(time, address, sizeof(time)) || time[0] < 0 || time[1] < 0 ||
        time[0] > (int64_t)(UINT64_MAX / SECOND / 4))
        return false;
    *ret_ns = (uint64_t)time[0] * SECOND + (uint64_t)time[1] * (SECOND / parts_per_second);
    return true;
}

/* ---- waits for a span of time ---- */

static uint64_t milliseconds(uint64_t timeout)
{
    return (int32_t)timeout > 0 ? (uint64_t)(int32_t)timeout * 1000000 : 0;
}

/* The kernel may write what is left of the time over it, so this is asked before the call. */
static uint64_t span_of(const struct slw_sim_repeatable *r, uint64_t number, const uint64_t *a)
{
    uint64_t address = 0, parts = SECOND, span = 0;

    switch (number) {
    case CALL_POLL:
        return milliseconds(a[2]);
    case CALL_EPOLL_WAIT:
    case CALL_EPOLL_PWAIT:
        return milliseconds(a[3]);
    case CALL_SELECT:
        address = a[4];
        parts = 1000000;
        break;
    case CALL_PSELECT6:
        address = a[4];
        break;
    case CALL_NANOSLEEP:
        address = a[0];
        break;
    case CALL_CLOCK_NANOSLEEP:
        address = a[1] & 1 ? 0 : a[2];
        break;
    case CALL_PPOLL:
    case CALL_RT_SIGTIMEDWAIT:
        address = a[2];
        break;
    case CALL_EPOLL_PWAIT2:
        address = a[3];
        break;
    case CALL_FUTEX:
        address = (a[1] & FUTEX_COMMAND) == FUTEX_WAIT ? a[3] : 0;
        break;
    default:
        break;
    }
    return read_time(r, address, parts, &span) ? span : 0;
}

/* Does it set a timer, and not take one back? Behind its interval stands when it goes off. */
static bool sets_timer(const struct slw_sim_repeatable *r, uint64_t number, const uint64_t *a)
{
    enum { INTERVAL_BYTES = 16 };
    uint64_t ns = 0;

    switch (number) {
    case CALL_ALARM:
        return (uint32_t)a[0] != 0;
    case CALL_SETITIMER:
        return a[1] && read_time(r, a[1] + INTERVAL_BYTES, 1000000, &ns) && ns > 0;
    case CALL_TIMER_SETTIME:
    case CALL_TIMERFD_SETTIME:
        return a[2] && read_time(r, a[2] + INTERVAL_BYTES, SECOND, &ns) && ns > 0;
    default:
        return false;
    }
}

/* Whether a wait ended because its time was over. */
static bool is_over(uint64_t number, int64_t result)
{
    if (number == CALL_FUTEX)
        return result == -TIMED_OUT;
    return result == (number == CALL_RT_SIGTIMEDWAIT ? -TRY_AGAIN : 0);
}

/* ---- waits until a moment ---- */

/* Address of the moment a call waits until; 0: it waits for a span, or for ever. */
static uint64_t deadline_of(uint64_t number, const uint64_t *a, bool *ret_is_realtime)
{
    const uint64_t command = a[1] & FUTEX_COMMAND;

    if (number == CALL_CLOCK_NANOSLEEP) {
        *ret_is_realtime = a[0] == 0;
        return a[1] & 1 && a[0] < 2 ? a[2] : 0;
    }
    if (number != CALL_FUTEX)
        return 0;
    *ret_is_realtime = command == FUTEX_LOCK_PI || (a[1] & FUTEX_REALTIME);
    switch (command) {
    case FUTEX_LOCK_PI:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
    case FUTEX_LOCK_PI2:
        return a[3];
    default:
        return 0;
    }
}

/* The kernel gets the same wait by its own clock. Where the client's memory may not be written, it
 * keeps its deadline, which is then due at once or in the far future. */
void slw_sim_repeatable_before(struct slw_sim_repeatable *r, uint32_t thread, uint64_t number,
                               const uint64_t *arguments)
{
    bool is_realtime = false;
    const uint64_t address = deadline_of(number, arguments, &is_realtime);
    struct slw_sim_wait *d = &r->waits[thread % SLW_SIM_REPEATABLE_THREADS];

    r->has_timers |= sets_timer(r, number, arguments);
    d->address = 0;
    d->span = span_of(r, number, arguments);
    if (!address || !read_time(r, address, SECOND, &d->ns) ||
        !r->host.peek(d->original, address, sizeof(d->original)))
        return;
    const uint64_t now = now_ns(r);
    const uint64_t real = r->host.real_ns(is_realtime) + (d->ns > now ? d->ns - now : 0);
    const int64_t time[2] = {(int64_t)(real / SECOND), (int64_t)(real % SECOND)};

    if (r->host.poke(address, time, sizeof(time)))
        d->address = address;
}

static void after_wait(struct slw_sim_repeatable *r, struct slw_sim_wait *d, bool over)
{
    if (d->address)
        (void)r->host.poke(d->address, d->original, sizeof(d->original));
    if (over && d->address && d->ns > r->clock_ns)
        r->clock_ns = d->ns;
    if (over)
        r->clock_ns += d->span;
    d->address = 0;
    d->span = 0;
}

/* ---- after a call ---- */

/* Natively no call of the kernel: what now_ns() adds is their time. */
static bool only_reads_clock(uint64_t number)
{
    return number == CALL_CLOCK_GETTIME || number == CALL_GETTIMEOFDAY || number == CALL_TIME;
}

void slw_sim_repeatable_called(struct slw_sim_repeatable *r, uint64_t number)
{
    if (!only_reads_clock(number))
        r->clock_ns += CALL_NS;
}

static int64_t time_call(struct slw_sim_repeatable *r, uint64_t number, const uint64_t *a,
                         int64_t result)
{
    switch (number) {
    case CALL_CLOCK_GETTIME:
        put_time(r, a[1], SECOND);
        break;
    case CALL_GETTIMEOFDAY:
        put_time(r, a[0], 1000000);
        break;
    case CALL_TIME:
        result = (int64_t)(now_ns(r) / SECOND);
        if (a[0])
            (void)r->host.poke(a[0], &result, sizeof(result));
        break;
    default:
        break;
    }
    return result;
}

static uint64_t *file_bit(struct slw_sim_repeatable *r, uint64_t file, uint64_t *ret_bit)
{
    *ret_bit = UINT64_C(1) << file % 64;
    return file < SLW_SIM_REPEATABLE_FILES ? &r->random_files[file / 64] : NULL;
}

/* Whether a path is one of the two sources of random bytes. */
static bool is_random(const struct slw_sim_repeatable *r, uint64_t address)
{
    static const char names[2][16] = {"/dev/urandom", "/dev/random"};

    for (unsigned i = 0; i < 2; i++) {
        unsigned at = 0;
        char c = 0;

        while (r->host.peek(&c, address + at, 1) && c == names[i][at] && c)
            at++;
        if (c == 0 && names[i][at] == 0)
            return true;
    }
    return false;
}

static void opened(struct slw_sim_repeatable *r, uint64_t path, int64_t result)
{
    uint64_t bit = 0;
    uint64_t *bits = file_bit(r, (uint64_t)result, &bit);

    if (bits && is_random(r, path))
        *bits |= bit;
}

static void random_call(struct slw_sim_repeatable *r, uint64_t number, const uint64_t *a,
                        int64_t result)
{
    uint64_t bit = 0;
    uint64_t *bits = file_bit(r, a[0], &bit);

    switch (number) {
    case CALL_GETRANDOM:
        fill(r, a[0], (uint64_t)result);
        break;
    case CALL_OPEN:
        opened(r, a[0], result);
        break;
    case CALL_OPENAT:
        opened(r, a[1], result);
        break;
    case CALL_CLOSE:
        if (bits)
            *bits &= ~bit;
        break;
    case CALL_READ:
        if (bits && (*bits & bit))
            fill(r, a[1], (uint64_t)result);
        break;
    default:
        break;
    }
}

int64_t slw_sim_repeatable_after(struct slw_sim_repeatable *r, uint32_t thread, uint64_t number,
                                 const uint64_t *arguments, int64_t result)
{
    struct slw_sim_wait *d = &r->waits[thread % SLW_SIM_REPEATABLE_THREADS];

    if (d->address || d->span)
        after_wait(r, d, is_over(number, result));
    if (result < 0)
        return result;
    random_call(r, number, arguments, result);
    return time_call(r, number, arguments, result);
}
