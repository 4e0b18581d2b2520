/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <string.h>
#include <time.h>

static uint64_t now_ns(clockid_t clock)
{
    struct timespec ts = {0, 0};

    (void)clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

uint64_t slw_clock_monotonic_ns(void)
{
    return now_ns(CLOCK_MONOTONIC);
}

uint64_t slw_clock_realtime_ns(void)
{
    return now_ns(CLOCK_REALTIME);
}

uint64_t slw_clock_process_cpu_ns(void)
{
    return now_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void slw_clock_iso(uint64_t realtime_ns, char ret_text[SLW_CLOCK_ISO_BYTES])
{
    time_t seconds = (time_t)(realtime_ns / UINT64_C(1000000000));
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) ||
        strftime(ret_text, SLW_CLOCK_ISO_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        memcpy(ret_text, "?", 2);
}
