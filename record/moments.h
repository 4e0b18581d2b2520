/* SPDX-License-Identifier: MIT */
/* When stacks were sampled: which round of the run, and how long after its start. What heat maps
 * are drawn from, and how much the weight of a function scatters from round to round. Stacks are
 * those of a profile (record/stacks.h), which must outlive the moments. On disk a pprof profile of
 * its own, whose samples carry the numeric labels `round` and `time`: `go tool pprof
 * -tagfocus=time=1000ms:2000ms` reads it. */
#ifndef SLW_RECORD_MOMENTS_H
#define SLW_RECORD_MOMENTS_H

#include "base/buf.h"
#include "record/stacks.h"

#define SLW_RUN_MOMENTS "moments.pb.gz"

/* Equal (round, bucket, path) are one. */
struct slw_moment {
    uint32_t round;           /* from 1; 0: the run is one execution */
    uint32_t bucket;          /* so many bucket lengths after the start of the round */
    uint32_t path;            /* slw_stacks_path */
    uint64_t samples, weight; /* of the profile's first event */
};

struct slw_moments;

/* bucket_ns: finer times are not kept; 10 ms is finer than any heat map of a screen. The length
 * grows (doubling) where an execution would take more than SLW_MAX_BUCKETS. */
#define SLW_MOMENT_NS   UINT64_C(10000000)
#define SLW_MAX_BUCKETS 65536
int slw_moments_new(const struct slw_stacks *stacks, uint64_t bucket_ns,
                    struct slw_moments **ret_moments, struct slw_error *err);
void slw_moments_free(struct slw_moments *m);

/* A time past SLW_MAX_BUCKETS lengths doubles the length. -SLW_E_NOMEM, -SLW_E_LIMIT (more than
 * SLW_MAX_MOMENTS), -SLW_E_RANGE (the sums would pass 2^63); then nothing was added. */
#define SLW_MAX_MOMENTS (1 << 25) /* 1 GiB of them, a day of 300 samples a second */
int slw_moments_add(struct slw_moments *m, uint32_t round, uint64_t time_ns, uint32_t path,
                    uint64_t samples, uint64_t weight);

/* Add all moments of `from` as those of a round. path_map: the path in the stacks of `into` for
 * each path in those of `from` (record/stacks_merge.h); NULL: they are the same. The coarser bucket
 * length becomes that of both. As slw_moments_add, but a part may have been added. */
#define SLW_KEEP_ROUNDS UINT32_MAX /* for round: that of each moment */
int slw_moments_merge(struct slw_moments *into, const struct slw_moments *from,
                      const uint32_t *path_map, uint32_t round, struct slw_error *err);

uint64_t slw_moments_bucket_ns(const struct slw_moments *m);
size_t slw_moments_count(const struct slw_moments *m); /* in no order */
const struct slw_moment *slw_moments_get(const struct slw_moments *m, size_t index);

/* gzip-compressed pprof. More than fits a file that can be read again is written with longer
 * buckets. */
int slw_moments_to_pprof(const struct slw_moments *m, struct slw_buf *out, struct slw_error *err);
/* Stacks that `stacks` does not hold are SLW_E_FORMAT. */
int slw_moments_from_pprof(const void *bytes, size_t length, const struct slw_stacks *stacks,
                           struct slw_moments **ret_moments, struct slw_error *err);

#endif
