/* SPDX-License-Identifier: MIT */
/* The feature sections behind the records of a perf.data file: who, where, which events.
 * Source: linux tools/perf/util/header.c (write_hostname, write_event_desc, ...). */
#ifndef SLW_COLLECTOR_SPOOL_FEATURES_H
#define SLW_COLLECTOR_SPOOL_FEATURES_H

#include "base/buf.h"
#include "collector/spool.h"
#include "record/perf_layout.h"

#define SLW_SPOOL_MAX_FEATURES 16

/* Sections in ascending order of their feature bit. Offsets are relative to the first byte of
 * `bytes`. Zero-initialise; release with slw_buf_release(&f->bytes). */
struct slw_spool_features {
    struct slw_buf bytes;
    int bits[SLW_SPOOL_MAX_FEATURES];
    struct slw_perf_section sections[SLW_SPOOL_MAX_FEATURES];
    size_t count;
    uint64_t time_offset; /* of the two times of SAMPLE_TIME in bytes */
};

/* -SLW_E_NOMEM only. Facts the run does not know are left out. */
int slw_spool_features_build(struct slw_spool_features *f, const struct slw_spool_event *events,
                             size_t event_count, const struct slw_run *run, struct slw_error *err);

#endif
