/* SPDX-License-Identifier: MIT */
/* One self-contained HTML file: a run, a comparison, a sweep or a history, drawn by scripts that
 * are in the file. The sections are made from the same JSON the json renderers write, so that a
 * page never says what they do not. Works offline, without a framework, by keyboard and printed.
 * Pure: no I/O. */
#ifndef SLW_ANALYZER_PAGE_H
#define SLW_ANALYZER_PAGE_H

#include "base/buf.h"
#include "base/error.h"
#include "record/moments.h"

struct json_t;

/* Samples of one side, for its flame graph and heat map. */
struct slw_page_samples {
    const char *name;                  /* "A" */
    const struct slw_stacks *stacks;   /* NULL: none; absent says why */
    const struct slw_moments *moments; /* NULL: no heat map */
    double requests;                   /* of all of them, to divide by; NAN: unknown */
    const char *absent;
};

#define SLW_MAX_PAGE_SIDES 2
struct slw_page {
    const char *title;
    const char *kind;          /* "run", "comparison", "sweep", "history": which sections */
    const struct json_t *data; /* what the json renderer of that kind writes; lent */
    struct slw_page_samples sides[SLW_MAX_PAGE_SIDES];
    size_t side_count;
};

/* Append the document. Nothing in it can end a script or open a tag that was not ours, whatever the
 * names hold. -SLW_E_NOMEM, -SLW_E_LIMIT. */
int slw_page_write(const struct slw_page *page, struct slw_buf *out, struct slw_error *err);

#endif
