/* SPDX-License-Identifier: MIT */
/* What the client said to its databases: requests, how they were batched, how long they took. Made
 * of the connections and latencies of a run. Pure: no I/O. */
#ifndef SLW_ANALYZER_TRAFFIC_H
#define SLW_ANALYZER_TRAFFIC_H

#include "analyzer/report.h"

struct slw_buf;

/* Where a share of the requests is done: the midpoint of its bucket. */
struct slw_quantiles {
    uint64_t count; /* of latencies; 0: the figures are absent */
    struct slw_figure mean, p50, p90, p99, p999, max;
};

struct slw_traffic {
    bool present;           /* the run has connections that were followed */
    const char *protocols;  /* "PostgreSQL, Redis" */
    uint64_t connections;   /* followed */
    uint64_t unknown, lost; /* not recognised; given up on the way */
    const char *why;        /* why the last of those; NULL: none */
    struct slw_maybe_u64 requests;
    uint64_t seen; /* requests, also where they are not all */
    uint64_t responses, errors, statements, prepares, pushes, rows;
    uint64_t sends, sent_bytes, reads, received_bytes; /* of connections that were followed */
    uint64_t flushes, max_batch, max_depth, merged, unmatched;
    struct slw_figure per_second;
    struct slw_figure batch_factor, statements_per_batch, bytes_per_flush, reads_per_request;
    struct slw_figure depth; /* requests in flight after a flush, mean */
    struct slw_quantiles request, batch;
};

/* Fills r->traffic. -SLW_E_NOMEM. */
int slw_traffic_fill(struct slw_report *r, struct slw_error *err);

/* The section of a report for a terminal, and of one in Markdown, which says how it writes text;
 * nothing when there is nothing. */
void slw_traffic_term(struct slw_buf *out, const struct slw_report *r, size_t width, bool color);
void slw_traffic_md(struct slw_buf *out, const struct slw_report *r,
                    void (*put_prose)(struct slw_buf *out, const char *text));

#endif
