/* SPDX-License-Identifier: MIT */
/* What the files of models/ share: limits, the loader's state, the binding of formulas. */
#ifndef SLW_MODELS_MODEL_INT_H
#define SLW_MODELS_MODEL_INT_H

#include "models/expr.h"
#include "models/json_cursor.h"
#include "models/model.h"

/* The largest published model (Granite Rapids) has 64 events, 45 nodes and 11 lets. */
#define SLW_MODEL_MAX_BYTES   ((size_t)1 << 20)
#define SLW_MODEL_MAX_EVENTS  256
#define SLW_MODEL_MAX_LETS    64
#define SLW_MODEL_MAX_NODES   192
#define SLW_MODEL_MAX_ITEMS   (SLW_MODEL_MAX_LETS + SLW_MODEL_MAX_NODES)
#define SLW_MODEL_MAX_CHECKS  64
#define SLW_MODEL_MAX_MATCHES 64
#define SLW_MODEL_MAX_LEVEL   6

/* Ways the conditions of a formula can be. */
#define SLW_MODEL_STATES 4

/* An item is a let (0 .. let_count-1) or a node (let_count ..). */
struct slw_model_own {
    struct slw_arena *arena;
    int *order;                    /* items, those they use first */
    int *flag_order;               /* nodes, those whose flags they need first */
    bool *needs[SLW_MODEL_STATES]; /* by smt_on + 2 * single_task: item * event_count + event */
};

/* A file of models/ in memory, lent by the library. */
struct slw_model_text {
    const char *text;
    size_t length;
    const char *origin;
};

/* Where a model finds what it is built on: the model NAME, or "prose". `get` gives -SLW_E_NOTFOUND
 * when there is none; the text stays until the model is loaded. */
struct slw_model_library {
    int (*get)(void *context, const char *name, struct slw_model_text *ret_text,
               struct slw_error *err);
    void *context;
};

struct slw_loader {
    const struct slw_json_doc *doc;
    const struct slw_model_library *library;
    json_t *prose; /* prose.json, read when a node first leaves its prose out */
    struct slw_arena *arena;
    struct slw_model *model;
    struct slw_model_own *own;
    struct slw_error *err;
    const struct slw_json *events, *lets, *tree, *metrics; /* for error positions */
};

static inline size_t slw_model_item_count(const struct slw_model *m)
{
    return m->let_count + m->node_count;
}

static inline const struct slw_expr *slw_model_item_expr(const struct slw_model *m, size_t item)
{
    return item < m->let_count ? m->lets[item].expr : m->nodes[item - m->let_count].expr;
}

/* slw_model_parse with files from `library` instead of those compiled in. */
int slw_model_parse_with(const char *json, size_t length, const char *origin,
                         const struct slw_model_library *library, struct slw_model **ret_model,
                         struct slw_error *err);

/* The text as JSON. -SLW_E_FORMAT with the place, -SLW_E_LIMIT, -SLW_E_NOMEM. */
int slw_load_json(const struct slw_json_doc *doc, json_t **ret_root);

/* The model as its file and the file it is based on say together. doc->own is read already; the
 * base is read into *base, which the caller keeps as long as doc and whose `own` it drops. */
int slw_base_merge(struct slw_json_doc *doc, const struct slw_model_library *library,
                   struct slw_json_doc *base, json_t **ret_root);

/* Prose `key` of the node at `at`: its own, or prose.json's for that name. */
int slw_load_prose(struct slw_loader *l, const struct slw_json *at, const char *name,
                   const char *key, const char **ret_copy);

/* Every entry of prose.json is of use: text for what and look_at, and nothing else. */
int slw_prose_check(const struct slw_json_doc *doc);

/* Parts of slw_model_parse, in this order. Each -SLW_E_FORMAT, -SLW_E_LIMIT or -SLW_E_NOMEM. */
int slw_load_events(struct slw_loader *l, const struct slw_json *at);
int slw_load_lets(struct slw_loader *l, const struct slw_json *at);
int slw_load_nodes(struct slw_loader *l, const struct slw_json *tree,
                   const struct slw_json *metrics);
int slw_load_checks(struct slw_loader *l, const struct slw_json *at);
int slw_load_matches(struct slw_loader *l, const struct slw_json *at,
                     const struct slw_json *relatives);

/* Bind names, refuse cycles, order the items and note which events each needs. */
int slw_link(struct slw_loader *l);

/* Evaluate every check. */
int slw_verify_checks(struct slw_loader *l, const struct slw_json *at);

/* Zeroed memory for the model. -SLW_E_NOMEM. */
int slw_load_array(struct slw_loader *l, size_t count, size_t size, void *ret_array);

/* The string member `key`, copied into the model. Absent: as slw_json_string. */
int slw_load_string(struct slw_loader *l, const struct slw_json *at, const char *key, bool required,
                    const char **ret_copy);

/* The formula at `at`, parsed; errors point into it. */
int slw_load_formula(struct slw_loader *l, const struct slw_json *at, const char **ret_text,
                     const struct slw_expr **ret_expr);

#endif
