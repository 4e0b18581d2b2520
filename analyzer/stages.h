/* SPDX-License-Identifier: MIT */
/* The stages a client marked, as the renderers show them: sorted by the time in them alone. Pure.
 * Not for: measuring them (collector/taps/stage). */
#ifndef SLW_ANALYZER_STAGES_H
#define SLW_ANALYZER_STAGES_H

#include "analyzer/report.h"

struct slw_buf;

struct slw_stage_row {
    const struct slw_stage *stage;
    struct slw_figure share;                      /* of the self time of all stages */
    struct slw_figure mean_batch;                 /* requests per call */
    struct slw_figure per_request;                /* self time, ns */
    struct slw_figure cpu_per_request;            /* the part on a CPU, ns */
    struct slw_figure on_cpu;                     /* share of the self time */
    struct slw_figure ipc, icache_mpki, frontend; /* frontend: share of the slots */
};

/* The rows of run->stages into rows[SLW_MAX_STAGES]; returns how many. */
size_t slw_stage_rows(const struct slw_run *run, struct slw_stage_row *rows);

/* "decode", or "mylib: decode" */
void slw_stage_put_name(struct slw_buf *out, const struct slw_stage *s);

/* The section of a report for a terminal, and of one in Markdown, which says how it writes text and
 * marks; nothing where the client marked nothing. */
void slw_stages_term(struct slw_buf *out, const struct slw_run *run, size_t width, bool color);
void slw_stages_md(struct slw_buf *out, const struct slw_run *run,
                   void (*put_prose)(struct slw_buf *out, const char *text),
                   void (*put_mark)(struct slw_buf *out, const struct slw_provenance *from));

#endif
