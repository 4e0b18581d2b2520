/* SPDX-License-Identifier: MIT */
/* The BPF program of the stage tap, as its reader sees it. Not for: what the sums mean (sums.h). */
#ifndef SLW_COLLECTOR_TAPS_STAGE_BPF_H
#define SLW_COLLECTOR_TAPS_STAGE_BPF_H

#include "base/error.h"
#include "collector/taps/stage/marks.h"

#include <stddef.h>
#include <stdint.h>

struct slw_stage_prog;

/* Load, and attach to what tells of threads. many: marks of a file share a link where the kernel
 * can do that (Linux 6.6); tests also take the other way. -SLW_E_UNSUPPORTED: not built in, no BTF,
 * too old a kernel. -SLW_E_PERM: refused. Both with a hint. -SLW_E_NOMEM, -SLW_E_IO. */
int slw_stage_prog_open(size_t counter_count, bool many, struct slw_stage_prog **ret_prog,
                        struct slw_error *err);
void slw_stage_prog_close(struct slw_stage_prog *p); /* NULL allowed */

/* Read this perf event when a mark is hit on this CPU. */
int slw_stage_prog_counter(struct slw_stage_prog *p, size_t counter, int cpu, int perf_fd,
                           struct slw_error *err);

/* Attach to all marks; *ret_failed of them cannot be, because the file is not what it was. Fails
 * when none can be, or when there are too few descriptors. */
int slw_stage_prog_attach(struct slw_stage_prog *p, const struct slw_stage_marks *m,
                          uint64_t *ret_failed, struct slw_error *err);

/* Follow this thread and what it starts. -SLW_E_LIMIT when there are too many. */
int slw_stage_prog_follow(struct slw_stage_prog *p, uint32_t pid, uint32_t tid,
                          struct slw_error *err);

/* Measure: n > 0 for the n-th time, 0 to stop. */
void slw_stage_prog_phase(struct slw_stage_prog *p, uint32_t phase);

/* Add the calls that are open now, by stage. */
void slw_stage_prog_open_calls(struct slw_stage_prog *p, uint32_t phase,
                               uint64_t counts[SLW_STAGE_MAX]);

/* The sums over all CPUs of the first `count` stages. */
int slw_stage_prog_sums(struct slw_stage_prog *p, struct slw_stage_sum *sums, size_t count,
                        struct slw_error *err);

/* Events the kernel did not hand to the program, too. */
struct slw_stage_losses slw_stage_prog_losses(const struct slw_stage_prog *p,
                                              uint64_t *ret_skipped);

/* Bytes of its maps, for the self cost. */
uint64_t slw_stage_prog_bytes(const struct slw_stage_prog *p);
uint64_t slw_stage_prog_time_ns(const struct slw_stage_prog *p); /* as slw_bpf_time_ns */

#endif
