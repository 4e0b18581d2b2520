/* SPDX-License-Identifier: MIT */
/* One metric over many saved runs: a trend with intervals and change points. Renderers only format
 * this. Pure: no I/O; the runs are plain run.json files that the caller has read. What is found and
 * what is not: docs/history.md. */
#ifndef SLW_ANALYZER_HISTORY_H
#define SLW_ANALYZER_HISTORY_H

#include "analyzer/renderer.h"
#include "record/run.h"

#define SLW_MAX_HISTORY 10000 /* runs */

/* A metric that every measured run has; told where nobody has a value of the one asked for. */
#define SLW_HISTORY_OF_EVERY_RUN "cpu_time"

struct slw_history_run {
    const char *path;          /* as the user gave it or as it was found */
    const struct slw_run *run; /* with observations; lent */
};

struct slw_history_point {
    size_t run;              /* index of the input */
    const char *path;        /* of it */
    const char *arm;         /* of an experiment; NULL: none */
    uint64_t started_ns;     /* since the epoch; 0: unknown, such runs come last, by path */
    struct slw_figure value; /* median over the rounds, with an interval where there are enough */
    size_t rounds;           /* that have a value */
    bool change;             /* the level is another one from here on */
    double level;            /* of the stretch it belongs to: median of the values */
    double shift;            /* of the level against the one before, relative; NAN: not a change, or
                                no ratio */
    const char *unlike;      /* what of the machine differs from the run before; NULL: nothing */
    bool apart;              /* so much that the two are not compared: a new stretch begins */
    const struct slw_label *labels; /* lent */
    size_t label_count;
};

struct slw_history {
    struct slw_arena *arena;
    const char *metric, *title, *unit;
    enum slw_better better;
    struct slw_history_point *points; /* by start of the run */
    size_t point_count;
    size_t change_count, apart_count;
    bool searched;                  /* some stretch had runs enough to look for changes in */
    size_t without;                 /* runs that have no value of it */
    size_t others;                  /* runs that do not carry the labels */
    const struct slw_label *labels; /* that were asked for; lent */
    size_t label_count;
    struct slw_note *notes;
    size_t note_count;
};

/* labels: only runs that carry all of them. -SLW_E_NOTFOUND: no run has the metric (the hint lists
 * the nearest), or none has a value (why the last has none); -SLW_E_NODATA, -SLW_E_LIMIT,
 * -SLW_E_NOMEM. */
int slw_history_new(const struct slw_history_run *runs, size_t count, const char *metric,
                    const struct slw_label *labels, size_t label_count,
                    struct slw_history **ret_history, struct slw_error *err);
void slw_history_free(struct slw_history *h);

/* To add one: write history/render/NAME.c that defines
 * `const struct slw_history_renderer slw_history_renderer_NAME`, add SLW_HISTORY_RENDERER(NAME) to
 * history/renderers.def. The same history gives the same bytes. */
struct slw_history_renderer {
    const char *name, *summary, *extension;
    int (*render)(const struct slw_history *history, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err);
};
extern const struct slw_history_renderer *const slw_history_renderers[];
extern const size_t slw_history_renderer_count;
const struct slw_history_renderer *slw_history_renderer_find(const char *name);

#endif
