/* SPDX-License-Identifier: MIT */
/* Parts of the perf_event engine that see each other: attributes, counting, sampling. */
#ifndef SLW_COLLECTOR_PERF_INT_H
#define SLW_COLLECTOR_PERF_INT_H

#include "collector/cores.h"
#include "collector/perf_events.h"
#include "collector/ring.h"
#include "collector/spool.h"
#include "collector/sys.h"
#include "collector/target.h"

#include <linux/perf_event.h>
#include <poll.h>

/* What perf_event_open wants to know about where to look. */
struct slw_spot {
    int pid, cpu;
    unsigned long flags;
};

/* Everything the parts need to open events. */
struct slw_perf_env {
    const struct slw_session_options *opts;
    const struct slw_sys *sys;
    const struct slw_live_target *target;
    struct slw_run *run;
    bool user_only;                                 /* the kernel refuses to count kernel mode */
    struct slw_core_kind kinds[SLW_MAX_CORE_KINDS]; /* of a hybrid CPU */
    size_t kind_count;                              /* 0: there is one kind */
    bool records; /* threads that end leave a record of their counts: perf_tasks.c */
};

/* ---- perf_attr.c ---- */

/* The descriptor of a new event, raising our descriptor limit once when it is reached; -errno. */
int slw_perf_try_open(const struct slw_perf_env *env, struct perf_event_attr *attr,
                      const struct slw_spot *spot, int group_fd);

/* A zeroed attr for the target: type, config, inherit, exclude_kernel, size. */
struct perf_event_attr slw_perf_attr(const struct slw_perf_env *env, uint32_t type, uint64_t config,
                                     uint64_t config1);

/* Let it count this mode only; SLW_MODE_ALL changes nothing. */
void slw_perf_set_mode(struct perf_event_attr *attr, enum slw_mode mode);

/* The mode samples are of. */
enum slw_mode slw_perf_sampled_mode(const struct slw_perf_env *env);

/* Why an event could not be opened, for slw_count.absent; owned by the run. */
const char *slw_perf_reason(const struct slw_perf_env *env, int sys);

/* Turn errno of the event that stands for the backend into an error. */
int slw_perf_fail(const struct slw_perf_env *env, const char *event, int sys,
                  struct slw_error *err);

/* Places to count at: each thread, each CPU, or the command with its children as one. */
int slw_perf_count_spots(const struct slw_live_target *t, struct slw_spot **ret_spots,
                         size_t *ret_count, struct slw_error *err);

/* ---- perf_count.c ---- */

struct slw_counted {
    uint64_t raw, enabled_ns, running_ns;
};

struct slw_counter {
    struct slw_plan_event event;
    int group;
    enum slw_source source;
    int kind; /* of env->kinds; -1: of every core */
    enum slw_mode mode;
    const char *absent; /* NULL so far: open everywhere */
};

/* CPU time that the target spent on the cores of each kind: what their counters are scaled to, as
 * the kernel's own enabled time goes on while the target runs on the others. */
struct slw_core_clocks {
    int *fds; /* task clocks, of one CPU each */
    uint8_t *kinds;
    size_t fd_count;
    uint64_t ns[SLW_MAX_CORE_KINDS]; /* after slw_core_clocks_read */
    uint64_t enabled_ns;             /* time the target could have been on any of them */
    bool unreadable;                 /* some are missing in ns */
};

struct slw_counting {
    struct slw_core_clocks clocks;
    struct slw_counter *counters; /* those of a group side by side */
    size_t counter_count;
    size_t spot_count;
    int *fds;                   /* [spot * counter_count + counter]; -1: not open */
    struct slw_counted *totals; /* of each counter, once collected */
    size_t first_count;         /* in the run, once collected */
};

int slw_counting_open(const struct slw_perf_env *env, const struct slw_plan *plan,
                      struct slw_counting *ret_counting, struct slw_error *err);
int slw_counting_enable(const struct slw_perf_env *env, const struct slw_counting *c, bool on,
                        struct slw_error *err);
/* Add what the counters hold at one spot to totals[counter_count]; those of a group that cannot be
 * read become absent. */
void slw_counting_read(const struct slw_perf_env *env, struct slw_counting *c, size_t spot,
                       struct slw_counted *totals);
/* Add what counter k counted to the run; pid and tid -1: for the whole target. */
int slw_counting_add(const struct slw_perf_env *env, const struct slw_counter *k,
                     const struct slw_counted *n, int pid, int tid, struct slw_error *err);
/* Read all groups and add the counts to the run: that of counter i is number first_count + i. */
int slw_counting_collect(const struct slw_perf_env *env, struct slw_counting *c,
                         struct slw_error *err);
void slw_counting_close(const struct slw_perf_env *env, struct slw_counting *c);

/* ---- perf_clock.c ---- */

/* Nothing on a CPU with one kind of core, and for the machine as a target: a CPU's clock tells how
 * long was measured, not who ran. Errors as slw_counting_open. */
int slw_core_clocks_open(const struct slw_perf_env *env, const struct slw_spot *spots,
                         size_t spot_count, struct slw_core_clocks *c, struct slw_error *err);
int slw_core_clocks_enable(const struct slw_perf_env *env, const struct slw_core_clocks *c, bool on,
                           struct slw_error *err);
void slw_core_clocks_read(const struct slw_perf_env *env, struct slw_core_clocks *c);
/* Add the counts "task-clock" of each kind to the run. */
int slw_core_clocks_collect(const struct slw_perf_env *env, const struct slw_core_clocks *c,
                            struct slw_error *err);
void slw_core_clocks_close(const struct slw_perf_env *env, struct slw_core_clocks *c);

/* ---- perf_sample.c ---- */

/* One event of the spool: the sampled one, one that only tracks mappings when the sampled one may
 * be off while the target starts programs, and those that are read with every sample. */
struct slw_sampled {
    const char *name;
    struct perf_event_attr attr;
    uint64_t *ids;
    size_t id_count;
    int *fds; /* [cpu * tid_count + thread]; -1: not open */
};
#define SLW_MAX_SAMPLED (2 + SLW_MAX_GROUP_EVENTS)

struct slw_sample_rings {
    const struct slw_perf_event *event; /* lent; NULL: not sampling */
    struct slw_spool *spool;
    enum slw_call_graph how; /* callers are found; as asked for, or what was possible */
    struct slw_sampled sampled[SLW_MAX_SAMPLED];
    size_t sampled_count;
    size_t leader;       /* of sampled: its group; 0 when it samples alone */
    size_t first_member; /* from here on they only count, in the group; sampled_count: none */
    size_t tracking;     /* the event that tells mappings and names */
    struct slw_timer_filter *filter; /* sampled[0] is a timer of each CPU, and this tells whose
                                        samples are kept; NULL: it is the target's own */
    const char *timers_reason;       /* why it is NULL though it would have been preferred; NULL */
    size_t thread_count;             /* fds per CPU and event */
    size_t ring_count;               /* one per CPU */
    struct slw_ring *rings;
    uint64_t *heads;      /* of the pass under way */
    size_t *poll_threads; /* whose descriptor stands for the ring in poll */
    struct iovec *parts;
    uint64_t ring_bytes;
    struct slw_pack *pack; /* samples carry copies of stacks; NULL: they do not */
};

int slw_sampling_open(const struct slw_perf_env *env, const struct slw_perf_event *event,
                      const struct slw_sample_group *group, struct slw_spool *spool,
                      struct slw_sample_rings *ret_rings, struct slw_error *err);
int slw_sampling_enable(const struct slw_perf_env *env, struct slw_sample_rings *r, bool on,
                        struct slw_error *err);
/* Move what the rings hold to the spool. A spool that fails ends sampling and is remembered. */
int slw_sampling_drain(const struct slw_perf_env *env, struct slw_sample_rings *r,
                       struct slw_error *err);
/* The same number of pollfds of events that are the target's: one hangs up with its last process.
 */
void slw_sampling_task_fds(const struct slw_sample_rings *r, struct pollfd *polls);
/* Fill ring_count pollfds. */
void slw_sampling_poll_fds(const struct slw_sample_rings *r, struct pollfd *polls);
/* The descriptor of ring `index` hung up: use that of another thread, or none. */
void slw_sampling_hung_up(struct slw_sample_rings *r, size_t index, struct pollfd *poll_fd);
int slw_sampling_collect(const struct slw_perf_env *env, struct slw_sample_rings *r,
                         struct slw_error *err);
/* Note when the sampled event was off the counters for a part of the CPU time: then the samples may
 * show another picture than the whole. Not told by its enabled time, which also runs while a thread
 * is on another CPU than this descriptor's. */
void slw_sampling_coverage(const struct slw_perf_env *env, const struct slw_sample_rings *r,
                           uint64_t cpu_time_ns);
void slw_sampling_close(const struct slw_perf_env *env, struct slw_sample_rings *r);

/* ---- perf_choose.c: which events there are ---- */

bool slw_sampling_copies_stacks(const struct slw_sample_rings *r);
/* Fill r->sampled but for ids and descriptors. group NULL: samples carry no counters. */
void slw_sampling_choose(const struct slw_perf_env *env, struct slw_sample_rings *r,
                         const struct slw_sample_group *group);
/* Change what a kernel may have refused with EINVAL; false when nothing is left to give up. */
bool slw_sampling_concede(const struct slw_perf_env *env, struct perf_event_attr *attr);

/* ---- perf_timers.c: one timer for each CPU ---- */

/* Set r->filter where such timers are wanted and possible, or r->timers_reason. Fails only
 * where they were asked for by name. */
int slw_timers_open(const struct slw_perf_env *env, bool group, struct slw_sample_rings *r,
                    struct slw_error *err);
/* Have the filter asked about the samples of this event. */
int slw_timers_attach(const struct slw_perf_env *env, const struct slw_timer_filter *filter, int fd,
                      struct slw_error *err);
/* Write which timers there were into *s, and losses and costs into the run. */
void slw_timers_collect(const struct slw_perf_env *env, const struct slw_sample_rings *r,
                        struct slw_sampling *s);

/* ---- perf_pack.c: instead of unparsed spans, where samples carry copies of stacks ---- */

int slw_sampling_open_pack(struct slw_sample_rings *r, struct slw_error *err);
void slw_sampling_close_pack(struct slw_sample_rings *r);
uint64_t slw_sampling_pack_bytes(const struct slw_sample_rings *r);
/* One round over all rings; errors as slw_sampling_drain. */
int slw_sampling_pack(struct slw_sample_rings *r, struct slw_error *err);
/* Say in the run when samples were left out. */
void slw_sampling_note_pack(const struct slw_perf_env *env, const struct slw_sample_rings *r);

/* ---- perf_group.c: counters read with every sample ---- */

/* Make sampled[0] carry the group's counters and append its other events. */
void slw_sampling_add_group(const struct slw_perf_env *env, struct slw_sample_rings *r,
                            const struct slw_sample_group *group);
/* Does this kernel and CPU do it? Opens the group on ourselves and lets it run for a moment. False:
 * *ret_why says why not. */
bool slw_sampling_probe_group(const struct slw_perf_env *env, const struct slw_sample_rings *r,
                              const char **ret_why);
/* Final values of all groups, as records of the spool. */
void slw_sampling_write_totals(const struct slw_perf_env *env, struct slw_sample_rings *r);

#endif
