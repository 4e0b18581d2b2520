/* SPDX-License-Identifier: MIT */
/* One metric over many saved runs: a trend with intervals and change points. Renderers only format
 * this. Pure: no I/O; the runs are plain run.json files that the caller has read. */
#ifndef SLW_ANALYZER_HISTORY_H
#define SLW_ANALYZER_HISTORY_H

#include "analyzer/renderer.h"
#include "record/run.h"

#define SLW_MAX_HISTORY 10000 /* runs */

struct slw_history_run {
    const char *path;          /* as the user gave it or as it was found */
    const struct slw_run *run; /* with observations; lent */
};

struct slw_history_point {
    size_t run;              /* index of the input */
    struct slw_figure value; /* centre over the rounds, with an interval where there are enough */
    size_t rounds;
    bool change;        /* the level is another one from here on */
    double level;       /* of the stretch it belongs to */
    const char *unlike; /* what of the machine differs from the run before; NULL: nothing */
};

struct slw_history {
    struct slw_arena *arena;
    const char *metric, *title, *unit;
    enum slw_better better;
    struct slw_history_point *points; /* by start of the run */
    size_t point_count;
    size_t without; /* runs that have no value of it */
    struct slw_note *notes;
    size_t note_count;
};

/* labels: only runs that carry all of them. -SLW_E_NOTFOUND: no run has the metric (the text lists
 * the nearest); -SLW_E_NODATA, -SLW_E_LIMIT, -SLW_E_NOMEM. */
int slw_history_new(const struct slw_history_run *runs, size_t count, const char *metric,
                    const struct slw_label *labels, size_t label_count,
                    struct slw_history **ret_history, struct slw_error *err);
void slw_history_free(struct slw_history *h);

struct slw_history_renderer {
    const char *name, *summary, *extension;
    int (*render)(const struct slw_history *history, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err);
};
extern const struct slw_history_renderer *const slw_history_renderers[];
extern const size_t slw_history_renderer_count;
const struct slw_history_renderer *slw_history_renderer_find(const char *name);

#endif
