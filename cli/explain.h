/* SPDX-License-Identifier: MIT */
/* What `slotwise explain` found for a name, and its two ways to show it. To explain another word of
 * the reports: a line in terms.def. Not for: choosing the model (cmd_explain.c). */
#ifndef SLW_CLI_EXPLAIN_H
#define SLW_CLI_EXPLAIN_H

#include "base/buf.h"
#include "models/model.h"

struct slw_term {
    const char *name, *what, *look_at;
};

/* Every term; NULL past the last. */
const struct slw_term *slw_term_at(size_t i);

/* The i-th name that can be explained with the models compiled in, each once; NULL past the last.
 * Static strings. */
const char *slw_explain_name(size_t i);

/* More than there are models or will be soon; what is beyond is not looked at. */
#define SLW_MAX_EXPLAIN_MODELS 64

/* The model that explanations are for. */
struct slw_explain_scope {
    const struct slw_model *model; /* NULL: there is none for this CPU */
    bool chosen;                   /* by --model, else by this machine's CPU */
    const char *why_none;          /* model == NULL: the reason */
    const char *hint;              /* model == NULL: what to do about it; may be "" */
    const char *offer;             /* model == NULL: the closest model; NULL: none is close */
};

/* What a name stands for. Release with slw_explained_release. */
struct slw_explained {
    const struct slw_explain_scope *scope;
    const struct slw_model *model; /* the one with the node or event; NULL for a term */
    int node, event;               /* of `model`; -1: not that */
    const struct slw_term *term;
    const char *others[SLW_MAX_EXPLAIN_MODELS]; /* names of further models with that node */
    size_t other_count;
    struct slw_model *own; /* loaded because the scope's model lacks the node */
};

/* Look up a node, metric, event or term: in the scope's model, among the terms, then in the other
 * models. Case does not matter, nor blanks, '-' and '_', nor perf's "tma_" before a name.
 * -SLW_E_NOTFOUND with the nearest name. */
int slw_explain_find(const struct slw_explain_scope *scope, const char *name,
                     struct slw_explained *ret, struct slw_error *err);
void slw_explained_release(struct slw_explained *e);

/* As text of `width` columns. */
void slw_explain_text(const struct slw_explained *e, size_t width, struct slw_buf *out);

/* All names of the scope with one line each. */
int slw_explain_list(const struct slw_explain_scope *scope, size_t width, struct slw_buf *out,
                     struct slw_error *err);

/* As JSON; docs/models.md lists the keys. `e` NULL: the list. */
int slw_explain_json(const struct slw_explain_scope *scope, const struct slw_explained *e,
                     struct slw_buf *out, struct slw_error *err);

#endif
