/* SPDX-License-Identifier: MIT */
/* One bar of where the wall time of the client's threads went, and of each request's share of it:
 * on a CPU, divided by what the pipeline did there where that was counted, and waiting, by cause.
 * The parts make 100 %. Not for: measuring the waits (collector/taps/offcpu). */
#ifndef SLW_ANALYZER_BAR_H
#define SLW_ANALYZER_BAR_H

#include "analyzer/report.h"

struct slw_buf;
struct json_t;

/* Six nodes at level 1 are the most a model has; the kernel's part is one more. */
#define SLW_MAX_BAR_NODES 6
#define SLW_MAX_BAR_PARTS (SLW_WAIT_COUNT + SLW_MAX_BAR_NODES)

struct slw_bar_part {
    const char *key, *words; /* "frontend_bound", "on-CPU: Frontend Bound"; "answer" */
    char letter;             /* what the bar is drawn with; each part has its own */
    enum slw_wait state;
    uint64_t ns;
    double share;          /* of the wall time */
    double per_request_ns; /* 0 where per_request is absent */
};

enum slw_bar_split {
    SLW_BAR_WHOLE,       /* time on a CPU is one part */
    SLW_BAR_MODES,       /* user space and kernel */
    SLW_BAR_TOPDOWN,     /* level 1 of the top-down tree */
    SLW_BAR_USER_TOPDOWN /* the same of user space, which alone was counted, and the kernel */
};

struct slw_bar {
    const char *absent;            /* why there is no bar; NULL: there is */
    enum slw_bar_split split;      /* of the time on a CPU */
    const char *split_absent;      /* why it is not of the pipeline; NULL: it is */
    struct slw_figure wall;        /* of all threads, one after the other */
    struct slw_figure per_request; /* wall time of threads for one request */
    uint64_t thread_count, lost_threads;
    struct slw_bar_part parts[SLW_MAX_BAR_PARTS]; /* on-CPU first, then by time */
    size_t part_count;
};

/* Fill r->bar; r->facts, the tree and the requests are there. -SLW_E_NOMEM. */
int slw_bar_fill(struct slw_report *r, struct slw_error *err);

/* The bar itself in so many columns: letters of the parts, each as often as its share says, which
 * fill the columns exactly (largest remainder). color: with ANSI styles. */
void slw_bar_put(struct slw_buf *out, const struct slw_bar *bar, size_t columns, bool color);

/* "1 thread, 2.52 s; 12.6 us of thread time for each of 200,002 requests"; and what must stand
 * below the bar. */
void slw_bar_sentence(struct slw_buf *out, const struct slw_report *r);
void slw_bar_remarks(struct slw_buf *out, const struct slw_report *r);

/* The bar and its parts for a terminal, without a heading. */
void slw_bar_term(struct slw_buf *out, const struct slw_report *r, size_t width, bool color);
void slw_bar_md(struct slw_buf *out, const struct slw_report *r,
                void (*put_prose)(struct slw_buf *out, const char *text));

/* New reference; NULL when out of memory. */
struct json_t *slw_bar_json(const struct slw_bar *bar);

#endif
