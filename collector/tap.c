/* SPDX-License-Identifier: MIT */
#include "collector/tap.h"

#define SLW_TAP(name) extern const struct slw_tap slw_tap_##name;
#include "collector/taps.def"
#undef SLW_TAP

#define SLW_TAP(name) &slw_tap_##name,
const struct slw_tap *const slw_taps[] = {
#include "collector/taps.def"
};
#undef SLW_TAP

const size_t slw_tap_count = sizeof(slw_taps) / sizeof(slw_taps[0]);
_Static_assert(sizeof(slw_taps) / sizeof(slw_taps[0]) <= SLW_MAX_TAPS, "raise SLW_MAX_TAPS");

void slw_tap_tell_bpf_time(struct slw_run *run, uint64_t ns)
{
    /* Who is told of one is told of all: another without any time never ran. */
    run->self.bpf_ns += ns;
    run->self.bpf_absent = NULL;
    if (run->self.bpf_ns == 0)
        run->self.bpf_absent =
            "none ran, or the kernel does not tell: it does to CAP_SYS_ADMIN, or "
            "with the sysctl kernel.bpf_stats_enabled=1";
}
