/* SPDX-License-Identifier: MIT */
/* Time off-CPU without its causes, where BPF is not permitted: the context-switch records of perf
 * events, which an ordinary user gets of his own processes. Source: perf_event_open(2),
 * attr.context_switch. */
#ifndef SLW_COLLECTOR_TAPS_OFFCPU_SWITCHES_H
#define SLW_COLLECTOR_TAPS_OFFCPU_SWITCHES_H

#include "base/error.h"
#include "record/run.h"

#include <stdbool.h>
#include <stddef.h>

struct perf_event_header;
struct slw_live_target;

/* One thread, its records in any order: each CPU has a ring of its own, so that the records of a
 * thread that moves arrive mixed up. Only sums, the first and the last are needed. */
struct slw_off_switched {
    int32_t pid, tid;
    bool known, forked, ended; /* known: this entry is taken */
    uint64_t born_ns, ended_ns;
    uint64_t first_ns, last_ns; /* switches */
    bool first_in, last_in;
    uint64_t in_sum_ns, out_sum_ns; /* times since the window began */
    uint64_t ins, outs, preempted;
    char comm[16];
};

#define SLW_OFF_MAX_SWITCHED 4096 /* power of two */

struct slw_off_switch_table {
    struct slw_off_switched threads[SLW_OFF_MAX_SWITCHED]; /* open addressing by tid */
    uint64_t start_ns;                                     /* of the window */
    uint64_t lost_threads, lost_records;
};

/* Take one record; others than SWITCH, FORK, EXIT, COMM and LOST are left alone. `record` holds
 * header.size bytes. */
void slw_off_switch_record(struct slw_off_switch_table *t, const struct perf_event_header *record);

/* What a thread did until end_ns; false when records of it are missing. */
bool slw_off_switch_sum(const struct slw_off_switch_table *t, const struct slw_off_switched *thread,
                        uint64_t end_ns, struct slw_waiting *ret_waiting);

/* ---- live ---- */

struct slw_off_switches;

/* A command or a process, measured from its start to its end. -SLW_E_UNSUPPORTED, -SLW_E_PERM. */
int slw_off_switches_open(const struct slw_live_target *target, struct slw_off_switches **ret_s,
                          struct slw_error *err);
int slw_off_switches_start(struct slw_off_switches *s, struct slw_error *err);
void slw_off_switches_poll(struct slw_off_switches *s);
void slw_off_switches_stop(struct slw_off_switches *s);
/* Put the sum of all threads, and the threads, into the run. */
int slw_off_switches_collect(struct slw_off_switches *s, struct slw_run *run,
                             struct slw_error *err);
void slw_off_switches_close(struct slw_off_switches *s); /* NULL allowed */

#endif
