/* SPDX-License-Identifier: MIT */
/* What came in each interval of a measurement: the counters are read at every tick, a group at
 * once, and their differences kept. Parts of PERF_METRICS are read with the slots that lead them,
 * as every read of them must be. Only for the perf_event engine. */
#ifndef SLW_COLLECTOR_PERF_TIMELINE_H
#define SLW_COLLECTOR_PERF_TIMELINE_H

#include "collector/perf_int.h"

struct slw_timeline {
    uint64_t interval_ns; /* 0: none is kept; doubled when there is no room for more */
    uint64_t origin_ns, begin_ns, next_ns;
    bool running, doubled;
    size_t counter_count, count;
    struct slw_time_slice *intervals; /* SLW_MAX_INTERVALS */
    struct slw_counted *cells;        /* [interval * counter_count + counter] */
    struct slw_counted *last, *now;   /* readings */
};

/* Everything is allocated here. -SLW_E_NOMEM. */
int slw_timeline_open(const struct slw_perf_env *env, const struct slw_counting *c,
                      struct slw_timeline *ret_timeline, struct slw_error *err);
/* Counting begins, or goes on. */
void slw_timeline_start(const struct slw_perf_env *env, struct slw_timeline *t);
/* How long to wait at most so as not to miss a tick. */
int slw_timeline_timeout_ms(const struct slw_perf_env *env, const struct slw_timeline *t,
                            int timeout_ms);
/* Read if the interval is over. */
void slw_timeline_tick(const struct slw_perf_env *env, struct slw_timeline *t,
                       struct slw_counting *c);
/* Counting has stopped: what came since the last tick is an interval of its real length. */
void slw_timeline_stop(const struct slw_perf_env *env, struct slw_timeline *t,
                       struct slw_counting *c);
/* After slw_counting_collect. */
int slw_timeline_collect(const struct slw_perf_env *env, const struct slw_timeline *t,
                         const struct slw_counting *c, struct slw_error *err);
void slw_timeline_close(struct slw_timeline *t);

#endif
