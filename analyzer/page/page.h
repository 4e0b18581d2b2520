/* SPDX-License-Identifier: MIT */
/* One self-contained HTML file: a run, a comparison, a sweep or a history, drawn by scripts that
 * are in the file. The sections are made from the same JSON the json renderers write, so that a
 * page never says what they do not. Works offline, without a framework, by keyboard and printed.
 * Pure: no I/O. docs/html-report.md shows it. */
#ifndef SLW_ANALYZER_PAGE_H
#define SLW_ANALYZER_PAGE_H

#include "base/buf.h"
#include "base/error.h"
#include "record/moments.h"

struct json_t;
struct slw_annotations;
struct slw_report;

/* One side: the run itself, an arm of a comparison. Everything is lent. */
struct slw_page_side {
    const char *name;                  /* "A"; NULL: the only one */
    const struct slw_report *report;   /* its JSON, its host and latencies are part of the page;
                                          NULL: only its samples are */
    const struct slw_stacks *stacks;   /* NULL: none; absent says why */
    const struct slw_moments *moments; /* NULL: no heat map */
    const char *absent;
};

#define SLW_MAX_PAGE_SIDES 2
/* Frames of the call trees of all sides, equal ones counted once. More are more than a browser
 * reads in the time a reader waits. */
#define SLW_MAX_PAGE_NODES (UINT32_C(1) << 22)
/* Moments of a side; of more there is no heat map, and the page says so. */
#define SLW_MAX_PAGE_MOMENTS (UINT32_C(1) << 22)

struct slw_page {
    const char *title;
    const char *kind;          /* "run", "comparison", "sweep", "history": which sections */
    const struct json_t *data; /* what the json renderer of that kind writes; lent; NULL for a run:
                                  it is the report of its side */
    struct slw_page_side sides[SLW_MAX_PAGE_SIDES];
    size_t side_count;
    const struct slw_annotations *code; /* of hot functions; NULL: none is asked for */
};

/* Append the document. Nothing in it can end a script or open a tag that was not ours, whatever the
 * names hold. -SLW_E_NOMEM, -SLW_E_LIMIT. */
int slw_page_write(const struct slw_page *page, struct slw_buf *out, struct slw_error *err);

#endif
