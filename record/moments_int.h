/* SPDX-License-Identifier: MIT */
/* What moments.c and the files that read and write moments.pb.gz share; for record/ and its tests.
 */
#ifndef SLW_RECORD_MOMENTS_INT_H
#define SLW_RECORD_MOMENTS_INT_H

#include "record/moments.h"

/* Unpacked. A million moments of stacks 30 deep are a tenth of it. */
#define SLW_MAX_MOMENTS_BYTES ((size_t)1 << 30)

/* The labels of a sample, and the key of the header that holds the bucket length. */
#define SLW_MOMENTS_ROUND  "round"
#define SLW_MOMENTS_TIME   "time"
#define SLW_MOMENTS_BUCKET "bucket_ns"

const struct slw_stacks *slw_moments_stacks(const struct slw_moments *m);

/* slw_moments_to_pprof with another limit than SLW_MAX_MOMENTS_BYTES. */
int slw_moments_write(const struct slw_moments *m, size_t limit_bytes, struct slw_buf *out,
                      struct slw_error *err);

#endif
