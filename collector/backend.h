/* SPDX-License-Identifier: MIT */
/* A source of counts and samples. To add one: write backends/NAME.c that defines
 * `const struct slw_backend slw_backend_NAME`, add SLW_BACKEND(NAME) to backends.def. */
#ifndef SLW_COLLECTOR_BACKEND_H
#define SLW_COLLECTOR_BACKEND_H

#include "collector/session.h"

struct slw_backend_state; /* private to each backend */
struct slw_live_target;   /* collector/target.h: the processes to measure */
struct slw_spool;         /* collector/spool.h: where samples go */

/* What a probe found. */
struct slw_probe {
    bool works;
    char why_not[256]; /* one sentence; empty when it works */
    char fix[256];     /* the one command that would make it work; empty: nothing can */
};

struct slw_backend {
    const char *name;
    const char *summary; /* one line for doctor and help */
    enum slw_source source;
    /* What works here. Opens and closes test events; changes nothing. */
    void (*probe)(struct slw_probe *ret_probe);
    /* Everything is allocated here; events are open but disabled. Notes go to run. */
    int (*open)(const struct slw_session_options *opts, struct slw_live_target *target,
                struct slw_spool *spool, struct slw_run *run, struct slw_backend_state **ret_state,
                struct slw_error *err);
    int (*start)(struct slw_backend_state *s, struct slw_error *err);
    /* Wait up to timeout_ms for data and move it to the spool. 0 or negative. No allocation. */
    int (*poll)(struct slw_backend_state *s, int timeout_ms, struct slw_error *err);
    /* Stop counting; may be started again. */
    int (*stop)(struct slw_backend_state *s, struct slw_error *err);
    /* Drain what is left and put counts and samplings into the run. */
    int (*collect)(struct slw_backend_state *s, struct slw_run *run, struct slw_error *err);
    void (*close)(struct slw_backend_state *s); /* NULL and half-open allowed */
};

/* In the order of preference. */
extern const struct slw_backend *const slw_backends[];
extern const size_t slw_backend_count;

#endif
