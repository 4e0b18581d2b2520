/* SPDX-License-Identifier: MIT */
/* Something that watches the target besides the backend: what it sends, what it waits for. To add
 * one: write taps/NAME.c that defines `const struct slw_tap slw_tap_NAME`, add SLW_TAP(NAME) to
 * taps.def. A tap that cannot work says so in a note of the run and measuring goes on without it.
 */
#ifndef SLW_COLLECTOR_TAP_H
#define SLW_COLLECTOR_TAP_H

#include "collector/session.h"

struct slw_tap_state; /* private to each tap */
struct slw_live_target;
struct slw_spool; /* NULL: nothing is sampled */

struct slw_tap {
    const char *name;
    const char *summary; /* one line for doctor and help */
    uint64_t poll_ms;    /* it has to be polled so often; 0: LOOK_UP_MS will do */
    /* Everything is allocated here. *ret_state stays NULL where the tap is not wanted or cannot
     * work (which it has noted). Fails only where the tap was asked for by name, or with
     * -SLW_E_NOMEM. */
    int (*open)(const struct slw_session_options *opts, struct slw_live_target *target,
                struct slw_spool *spool, struct slw_run *run, struct slw_tap_state **ret_state,
                struct slw_error *err);
    int (*start)(struct slw_tap_state *s, struct slw_error *err);
    /* Take what has come; called every LOOK_UP_MS or more often. No waiting, no allocation. */
    int (*poll)(struct slw_tap_state *s, struct slw_error *err);
    int (*stop)(struct slw_tap_state *s, struct slw_error *err);
    int (*collect)(struct slw_tap_state *s, struct slw_run *run, struct slw_error *err);
    void (*close)(struct slw_tap_state *s); /* NULL and half-open allowed */
};

/* Add the time a tap's BPF programs ran to the self cost of the run, which says so where there is
 * none of any tap: in a window this short none may have run, or the kernel did not look. */
void slw_tap_tell_bpf_time(struct slw_run *run, uint64_t ns);

extern const struct slw_tap *const slw_taps[];
extern const size_t slw_tap_count;
#define SLW_MAX_TAPS 8

#endif
