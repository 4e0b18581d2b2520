/* SPDX-License-Identifier: MIT */
/* From what the BPF program keeps per thread to what a run says: the measured windows, threads that
 * ended, threads that still wait, the sum of all. Pure. */
#ifndef SLW_COLLECTOR_TAPS_OFFCPU_SUMS_H
#define SLW_COLLECTOR_TAPS_OFFCPU_SUMS_H

#include "base/error.h"
#include "record/run.h"

#include <linux/types.h>

#include "collector/taps/offcpu/layout.h"

#define SLW_OFF_MAX_WINDOWS 256  /* start and stop by hand: nobody does it more often */
#define SLW_OFF_MAX_SUMS    4096 /* threads told apart; the others are in the sum of all */

struct slw_off_window {
    uint64_t start_ns, end_ns;
};

struct slw_off_sums {
    struct slw_off_window windows[SLW_OFF_MAX_WINDOWS];
    size_t window_count;
    struct slw_waiting all;
    struct slw_waiting *each; /* SLW_OFF_MAX_SUMS */
    char (*comms)[16];        /* their names */
    size_t each_count;
    /* Waits that were open when a window closed and the next began: of the earlier windows. */
    struct slw_off_thread *carried;
    size_t carried_count;
};

/* resumable: measuring may be stopped and started again. syscalls: they are
 * counted. -SLW_E_NOMEM. */
int slw_off_sums_init(struct slw_off_sums *s, bool resumable, bool syscalls, struct slw_error *err);
void slw_off_sums_release(struct slw_off_sums *s);

/* The next window begins. False when there are too many. */
bool slw_off_sums_begin(struct slw_off_sums *s, uint64_t now_ns);
void slw_off_sums_end(struct slw_off_sums *s, uint64_t now_ns);

/* Before the next window begins: this thread may wait since before the last one ended. */
void slw_off_sums_carry(struct slw_off_sums *s, const struct slw_off_thread *t);

/* Add a thread, once: when it ended, or at the end of all measuring. */
void slw_off_sums_add(struct slw_off_sums *s, const struct slw_off_thread *t);

/* Put the sum of all and the longest-lived threads into the run. */
int slw_off_sums_put(struct slw_off_sums *s, struct slw_run *run, struct slw_error *err);

#endif
