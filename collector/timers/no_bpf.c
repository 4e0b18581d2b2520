/* SPDX-License-Identifier: MIT */
/* In place of bpf.c where slotwise was built without clang, bpftool or libbpf. */
#include "collector/timers/filter.h"

int slw_timer_filter_open(const struct slw_live_target *target, uint32_t process_max,
                          struct slw_timer_filter **ret_filter, struct slw_error *err)
{
    (void)target;
    (void)process_max;
    (void)ret_filter;
    slw_error_hint(err, "build it with clang, bpftool and libbpf installed");
    return slw_fail(err, SLW_E_UNSUPPORTED, "this slotwise was built without BPF");
}

void slw_timer_filter_close(struct slw_timer_filter *f)
{
    (void)f;
}

int slw_timer_filter_program(const struct slw_timer_filter *f)
{
    (void)f;
    return -1;
}

uint64_t slw_timer_filter_lost(const struct slw_timer_filter *f)
{
    (void)f;
    return 0;
}

uint64_t slw_timer_filter_time_ns(const struct slw_timer_filter *f)
{
    (void)f;
    return 0;
}

uint64_t slw_timer_filter_bytes(const struct slw_timer_filter *f)
{
    (void)f;
    return 0;
}
