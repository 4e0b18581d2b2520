/* SPDX-License-Identifier: MIT */
/* What a run did: requests, outcomes, latencies, batch sizes really reached, CPU time, switches.
 * One tally for each thread, added up at the end: nothing is shared while running. */
#ifndef SLW_WORKLOADS_TALLY_H
#define SLW_WORKLOADS_TALLY_H

#include "workloads/driver.h"

#include <stdint.h>

/* Logarithmic with 32 linear steps in each power of two: 3 % wide or less, exact below 64. */
#define SLW_HISTOGRAM_STEPS   ((size_t)32)
#define SLW_HISTOGRAM_BUCKETS ((64 - 5) * SLW_HISTOGRAM_STEPS + SLW_HISTOGRAM_STEPS)
struct slw_histogram {
    uint64_t buckets[SLW_HISTOGRAM_BUCKETS];
    uint64_t count, sum, low, high; /* exact; low and high mean nothing while count is 0 */
};
void slw_histogram_add(struct slw_histogram *h, uint64_t value);
void slw_histogram_merge(struct slw_histogram *h, const struct slw_histogram *from);
/* The smallest value that at least `share` (0 .. 1) of all are at or below, rounded up to the end
 * of its bucket, never above the highest value. count must not be 0. */
uint64_t slw_histogram_quantile(const struct slw_histogram *h, double share);
uint64_t slw_histogram_bucket_low(size_t bucket);  /* first value of a bucket */
uint64_t slw_histogram_bucket_high(size_t bucket); /* last */
size_t slw_histogram_bucket(uint64_t value);

struct slw_tally {
    uint64_t requests; /* answered, whatever the outcome; without warm-up */
    uint64_t outcomes[SLW_OUTCOME_LOST + 1];
    uint64_t retries; /* requests that were sent once more */
    uint64_t elapsed_ns;
    uint64_t user_ns, system_ns;     /* of the whole process while it ran */
    uint64_t voluntary, involuntary; /* context switches of it */
    struct slw_histogram latency_ns; /* from when it was due (open loop) or sent, to its answer */
    struct slw_histogram batch;      /* requests that travelled together: one entry a batch */
};
void slw_tally_merge(struct slw_tally *t, const struct slw_tally *from); /* not the times */
void slw_tally_answer(struct slw_tally *t, enum slw_outcome outcome, uint64_t latency_ns);

/* The times of a run: started where the warm-up ends, stopped after the last answer. */
struct slw_stretch {
    uint64_t start_ns, user_ns, system_ns, voluntary, involuntary;
};
void slw_stretch_start(struct slw_stretch *s);
void slw_stretch_stop(const struct slw_stretch *s, struct slw_tally *t);

#endif
