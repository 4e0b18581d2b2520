/* SPDX-License-Identifier: MIT */
/* A run in memory -> the text of its report. */
#ifndef SLW_CLI_RENDER_H
#define SLW_CLI_RENDER_H

#include "analyzer/renderer.h"

#include <stdint.h>

struct slw_render_request {
    const char *format; /* name of a renderer; NULL: the first */
    const char *model;  /* name or file; NULL: what the run says */
    bool color;
    int width;
    uint64_t function_max; /* 0: default */
    bool verbose;
    const struct slw_moments *moments;  /* of the stacks; lent; NULL: not known */
    bool code_wanted;                   /* of hot functions, by who makes the request */
    const struct slw_annotations *code; /* of hot functions; lent; NULL: none */
};

/* What a run is read with: one model, and on a hybrid CPU those of the other kinds of core. */
struct slw_models {
    struct slw_model *own; /* NULL: none */
    struct slw_model *others[SLW_MAX_CORE_KINDS];
    bool hybrid;
};

/* The models the run names, as this slotwise has them; what is missing is a note in the run.
 * -SLW_E_NOMEM. */
int slw_models_load(struct slw_run *run, struct slw_models *m);
void slw_models_release(struct slw_models *m);

/* The report of a run; it lends the models. As slw_report_new. */
int slw_models_report(const struct slw_run *run, const struct slw_stacks *stacks,
                      const struct slw_models *m, struct slw_report **ret_report,
                      struct slw_error *err);

/* Append the report to out. `model` may be NULL: then the one named in the request or those named
 * by the run are looked up (of a hybrid CPU several, a tree for each); a run whose model is gone is
 * reported without its top-down tree, with a note. */
int slw_render_run(struct slw_run *run, const struct slw_stacks *stacks,
                   const struct slw_model *model, const struct slw_render_request *request,
                   struct slw_buf *out, struct slw_error *err);

/* For option tables: the i-th name, NULL past the last. */
const char *slw_render_formats(size_t i);
const char *slw_model_builtin_name_or_null(size_t i);

#endif
