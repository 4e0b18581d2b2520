/* SPDX-License-Identifier: MIT */
/* JSON text to struct slw_model: the top level. Sections are read in load_*.c, names bound in
 * model_link.c, checks run in model_verify.c. */
#include "models/model_int.h"

#include "base/arena.h"

#include <assert.h>
#include <string.h>

/* jansson's own nesting limit is 2048; a model nests 5. */
static const char *const top_keys[] = {
    "name",   "title", "arch", "pmu",     "source", "cpu",      "match",  "relatives",    "libpfm",
    "events", "let",   "tree", "metrics", "checks", "based_on", "remove", "match_source", NULL};

int slw_load_array(struct slw_loader *l, size_t count, size_t size, void *ret_array)
{
    void *array = slw_arena_array(l->arena, count, size);

    if (!array)
        return slw_fail(l->err, SLW_E_NOMEM, "out of memory");
    memcpy(ret_array, &array, sizeof(array));
    return 0;
}

int slw_load_formula(struct slw_loader *l, const struct slw_json *at, const char **ret_text,
                     const struct slw_expr **ret_expr)
{
    struct slw_expr *e = NULL;
    size_t offset = 0;

    if (!json_is_string(at->value))
        return slw_json_fail(l->doc, at, SLW_E_FORMAT, "a formula (a string) is needed here");
    const char *text = slw_arena_strdup(l->arena, json_string_value(at->value));
    if (!text)
        return slw_fail(l->err, SLW_E_NOMEM, "out of memory");
    const int rc = slw_expr_parse(text, l->arena, &e, &offset, l->err);
    if (rc < 0) {
        slw_json_where_in(l->doc, at, offset);
        return rc;
    }
    *ret_text = text;
    *ret_expr = e;
    return 0;
}

int slw_load_string(struct slw_loader *l, const struct slw_json *at, const char *key, bool required,
                    const char **ret_copy)
{
    const char *s = NULL;
    const int rc = slw_json_string(l->doc, at, key, required, &s);

    if (rc < 0 || !s)
        return rc;
    const char *copy = slw_arena_strdup(l->arena, s);
    if (!copy)
        return slw_fail(l->err, SLW_E_NOMEM, "out of memory");
    *ret_copy = copy;
    return 0;
}

static int load_source(struct slw_loader *l, const struct slw_json *root)
{
    static const char *const keys[] = {"document", "version", "date", NULL};
    const struct slw_json at = slw_json_member(root, "source");

    if (!at.value)
        return slw_json_fail(l->doc, root, SLW_E_FORMAT, "'source' is missing");
    int rc = slw_json_keys(l->doc, &at, keys);
    if (rc >= 0)
        rc = slw_load_string(l, &at, "document", true, &l->model->source);
    if (rc >= 0)
        rc = slw_load_string(l, &at, "version", true, &l->model->version);
    if (rc >= 0)
        rc = slw_load_string(l, &at, "date", true, &l->model->date);
    return rc;
}

static int load_small_int(struct slw_loader *l, const struct slw_json *at, const char *key,
                          int64_t max, int *ret_int)
{
    int64_t value = 0;
    const int rc = slw_json_int(l->doc, at, key, true, 0, max, &value);

    if (rc >= 0)
        *ret_int = (int)value;
    return rc;
}

static int load_cpu(struct slw_loader *l, const struct slw_json *root)
{
    static const char *const keys[] = {"slots_per_cycle", "general_counters", "fixed_counters",
                                       NULL};
    const struct slw_json at = slw_json_member(root, "cpu");

    if (!at.value)
        return slw_json_fail(l->doc, root, SLW_E_FORMAT, "'cpu' is missing");
    int rc = slw_json_keys(l->doc, &at, keys);
    if (rc >= 0)
        rc = load_small_int(l, &at, "slots_per_cycle", 64, &l->model->slots_per_cycle);
    if (rc >= 0)
        rc = load_small_int(l, &at, "general_counters", 64, &l->model->general_counters);
    if (rc >= 0)
        rc = load_small_int(l, &at, "fixed_counters", 64, &l->model->fixed_counters);
    return rc;
}

static int check_arch(struct slw_loader *l, const struct slw_json *root)
{
    const struct slw_json at = slw_json_member(root, "arch");
    const char *arch = l->model->arch;

    if (strcmp(arch, "x86_64") == 0 || strcmp(arch, "aarch64") == 0 || strcmp(arch, "any") == 0)
        return 0;
    return slw_json_fail(l->doc, &at, SLW_E_FORMAT,
                         "'arch' must be \"x86_64\", \"aarch64\" or \"any\"");
}

static int load_identity(struct slw_loader *l, const struct slw_json *root)
{
    struct slw_model *m = l->model;
    int rc = slw_json_keys(l->doc, root, top_keys);

    if (rc >= 0)
        rc = slw_load_string(l, root, "name", true, &m->name);
    if (rc >= 0)
        rc = slw_load_string(l, root, "title", true, &m->title);
    if (rc >= 0)
        rc = slw_load_string(l, root, "arch", true, &m->arch);
    if (rc >= 0)
        rc = check_arch(l, root);
    if (rc >= 0)
        rc = slw_load_string(l, root, "pmu", true, &m->pmu);
    if (rc >= 0)
        rc = slw_load_string(l, root, "libpfm", false, &m->libpfm_pmu);
    if (rc >= 0)
        rc = slw_load_string(l, root, "match_source", false, &m->match_source);
    if (rc >= 0)
        rc = load_source(l, root);
    return rc < 0 ? rc : load_cpu(l, root);
}

static int load_sections(struct slw_loader *l, const struct slw_json *root)
{
    const struct slw_json match = slw_json_member(root, "match");
    const struct slw_json relatives = slw_json_member(root, "relatives");
    const struct slw_json events = slw_json_member(root, "events");
    const struct slw_json let = slw_json_member(root, "let");
    const struct slw_json tree = slw_json_member(root, "tree");
    const struct slw_json metrics = slw_json_member(root, "metrics");
    const struct slw_json checks = slw_json_member(root, "checks");

    l->events = &events;
    l->lets = &let;
    l->tree = &tree;
    l->metrics = &metrics;
    int rc = slw_load_matches(l, &match, &relatives);
    if (rc >= 0)
        rc = slw_load_events(l, &events);
    if (rc >= 0)
        rc = slw_load_lets(l, &let);
    if (rc >= 0)
        rc = slw_load_nodes(l, &tree, &metrics);
    if (rc >= 0)
        rc = slw_link(l);
    if (rc >= 0)
        rc = slw_load_checks(l, &checks);
    return rc < 0 ? rc : slw_verify_checks(l, &checks);
}

int slw_load_json(const struct slw_json_doc *doc, json_t **ret_root)
{
    json_error_t e;

    if (doc->length > SLW_MODEL_MAX_BYTES) {
        slw_error_at(doc->err, "%s", doc->origin);
        return slw_fail(doc->err, SLW_E_LIMIT, "a model file is at most %zu bytes",
                        SLW_MODEL_MAX_BYTES);
    }
    json_t *root = json_loadb(doc->text, doc->length, JSON_REJECT_DUPLICATES, &e);
    if (!root) {
        slw_error_at(doc->err, "%s:%d:%d", doc->origin, e.line, e.column > 0 ? e.column : 1);
        /* jansson says nothing at all where its tokenizer runs out of memory. */
        if (json_error_code(&e) == json_error_out_of_memory || e.text[0] == '\0')
            return slw_fail(doc->err, SLW_E_NOMEM, "out of memory");
        return slw_fail(doc->err, SLW_E_FORMAT, "%s", e.text);
    }
    *ret_root = root;
    return 0;
}

/* The model lives in its own arena, which slw_model_free drops whole. */
static int loader_init(struct slw_loader *l, const struct slw_json_doc *doc, struct slw_error *err)
{
    *l = (struct slw_loader){.doc = doc, .err = err, .arena = slw_arena_new()};
    if (l->arena) {
        l->model = slw_arena_alloc(l->arena, sizeof(*l->model));
        l->own = slw_arena_alloc(l->arena, sizeof(*l->own));
    }
    if (!l->model || !l->own)
        return slw_fail(err, SLW_E_NOMEM, "out of memory");
    l->own->arena = l->arena;
    l->model->own = l->own;
    return 0;
}

static int load_root(struct slw_loader *l, json_t *merged)
{
    const struct slw_json root = {.value = merged};
    const int rc = load_identity(l, &root);

    return rc < 0 ? rc : load_sections(l, &root);
}

int slw_model_parse_with(const char *json, size_t length, const char *origin,
                         const struct slw_model_library *library, struct slw_model **ret_model,
                         struct slw_error *err)
{
    struct slw_error scratch = {0}; /* the loader reports places even when nobody asked */
    struct slw_error *e = err ? err : &scratch;
    struct slw_json_doc doc = {.text = json, .length = length, .origin = origin, .err = e};
    struct slw_json_doc base = {0};
    struct slw_loader l;
    json_t *merged = NULL;

    assert(json && origin && library && ret_model);
    int rc = loader_init(&l, &doc, e);
    l.library = library;
    if (rc >= 0)
        rc = slw_load_json(&doc, &doc.own);
    if (rc >= 0)
        rc = slw_base_merge(&doc, library, &base, &merged);
    if (rc >= 0)
        rc = load_root(&l, merged);
    json_decref(merged);
    json_decref(base.own);
    json_decref(doc.own);
    json_decref(l.prose);
    if (rc < 0) {
        slw_arena_free(l.arena);
        return rc;
    }
    *ret_model = l.model;
    return 0;
}

void slw_model_free(struct slw_model *m)
{
    if (m)
        slw_arena_free(m->own->arena);
}
