/* SPDX-License-Identifier: MIT */
/* gzip streams to and from memory, for profile.pb.gz. Only for record/ and its tests. */
#ifndef SLW_RECORD_GZIP_INT_H
#define SLW_RECORD_GZIP_INT_H

#include "record/gunzip.h"

#include <stdint.h>

#define ZLIB_CONST /* next_in points to const */
#include <zlib.h>

/* Collects small pieces and compresses them into `out`. Failure is sticky in out->failed. */
struct slw_gzip {
    z_stream z;
    struct slw_buf *out; /* lent */
    size_t used;
    uint8_t in[64 * 1024];
};

/* Start a stream without a time stamp, so that equal input gives equal bytes. 0 or -SLW_E_NOMEM.
 */
int slw_gzip_init(struct slw_gzip *g, struct slw_buf *out);
void slw_gzip_put(struct slw_gzip *g, const void *bytes, size_t length);
/* Write what is left and the trailer. 0 or -SLW_E_NOMEM, also for what went wrong before. */
int slw_gzip_finish(struct slw_gzip *g);
void slw_gzip_release(struct slw_gzip *g); /* a zeroed struct is allowed */

#endif
