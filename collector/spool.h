/* SPDX-License-Identifier: MIT */
/* A perf.data file being written: header and attributes first, then records as they come, then the
 * feature sections. Readable by perf at any moment after slw_spool_begin, also when we are killed.
 * Not for: reading (analyzer) or making up records (synth.h).
 * Source: linux tools/perf/Documentation/perf.data-file-format.txt, tools/perf/util/header.c. */
#ifndef SLW_COLLECTOR_SPOOL_H
#define SLW_COLLECTOR_SPOOL_H

#include "base/error.h"

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct slw_run;
struct slw_spool;
struct slw_sys;

/* One event of the file. Everything is lent until slw_spool_begin returns. */
struct slw_spool_event {
    const struct perf_event_attr *attr;
    const char *name;
    const uint64_t *ids; /* of all descriptors opened with attr */
    size_t id_count;
};

/* Create the file. SLW_E_FULL, SLW_E_PERM, SLW_E_NOTFOUND, SLW_E_IO. */
int slw_spool_open(const struct slw_sys *sys, const char *path, struct slw_spool **ret_spool,
                   struct slw_error *err);

/* Write header and attributes, and prepare the feature sections from what run says about the host
 * and the command. */
int slw_spool_begin(struct slw_spool *s, const struct slw_spool_event *events, size_t event_count,
                    const struct slw_run *run, struct slw_error *err);
bool slw_spool_begun(const struct slw_spool *s);

/* Append whole records. Allocates nothing. *ret_written is set also on failure: so many bytes are
 * in the file. -SLW_E_FULL once the disk, the quota or the file size limit is full, or -SLW_E_IO;
 * the caller then says with slw_spool_cut which of them are whole. */
#define SLW_SPOOL_MAX_PARTS 512 /* below IOV_MAX (1024) on every Linux */
int slw_spool_write(struct slw_spool *s, struct iovec *parts, size_t part_count,
                    uint64_t *ret_written);

/* Cut the last `bytes` off and take no more. Used when a write stopped inside a record. */
void slw_spool_cut(struct slw_spool *s, uint64_t bytes);
bool slw_spool_full(const struct slw_spool *s);

/* Why it takes no more; code SLW_E_OK while it does. Lent. */
const struct slw_error *slw_spool_failure(const struct slw_spool *s);

/* Bytes of feature sections that still have to go into the file. */
uint64_t slw_spool_reserve_bytes(const struct slw_spool *s);

/* Bring the data size in the header up to date, so that a killed run is readable that far. */
int slw_spool_checkpoint(struct slw_spool *s, struct slw_error *err);

uint64_t slw_spool_bytes(const struct slw_spool *s); /* in the file */

/* How large it may get where its records can be made fewer; 0: SLW_SPOOL_LIMIT_BYTES. */
#define SLW_SPOOL_LIMIT_BYTES  ((uint64_t)4 << 30)
#define SLW_SPOOL_MAX_THINNING 32
void slw_spool_limit(struct slw_spool *s, uint64_t bytes);
/* 0 while less than half of the limit is used, and one more each time half of what was left is: of
 * what makes it large, write one in 2^n. Never less than before. */
unsigned slw_spool_thinning(const struct slw_spool *s);

/* Write features and the final header. Bounds of the measured window, CLOCK_MONOTONIC. Where the
 * features find no room the file goes without them. */
int slw_spool_finish(struct slw_spool *s, uint64_t first_ns, uint64_t last_ns,
                     struct slw_error *err);

/* Remove the file again: it holds nothing. A device or a FIFO is left alone. */
void slw_spool_discard(struct slw_spool *s);

/* Close; a file that was never begun is discarded. NULL allowed. */
void slw_spool_close(struct slw_spool *s);

#endif
