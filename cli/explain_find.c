/* SPDX-License-Identifier: MIT */
/* From what somebody typed to the node, event or term it means. */
#include "cli/explain.h"

#include "cli/suggest.h"

#include <assert.h>
#include <string.h>

static const struct slw_term terms[] = {
#define SLW_TERM(term_name, term_what, term_look_at)                                               \
    {.name = (term_name), .what = (term_what), .look_at = (term_look_at)},
#include "cli/terms.def"
#undef SLW_TERM
#define SLW_FINDING(id, rule, sure, title, advice)                                                 \
    {.name = (id), .what = (title "."), .look_at = (advice)},
#include "analyzer/findings.def"
#undef SLW_FINDING
};

#define TERM_COUNT (sizeof(terms) / sizeof(terms[0]))
#define MAX_NAMES  512 /* the models have 155 different nodes */

const struct slw_term *slw_term_at(size_t i)
{
    return i < TERM_COUNT ? &terms[i] : NULL;
}

/* ---- all names ---- */

static bool is_known(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static size_t collect_names(const char **names)
{
    const char *name;
    size_t count = 0;

    for (size_t b = 0; b < slw_model_builtin_count(); b++)
        for (size_t n = 0; (name = slw_model_builtin_node(b, n)) != NULL; n++)
            if (count < MAX_NAMES && !is_known(names, count, name))
                names[count++] = name;
    for (size_t i = 0; i < TERM_COUNT; i++)
        if (count < MAX_NAMES && !strchr(terms[i].name, ' '))
            names[count++] = terms[i].name;
    return count;
}

const char *slw_explain_name(size_t i)
{
    static const char *names[MAX_NAMES];
    static size_t count;

    if (count == 0)
        count = collect_names(names);
    return i < count ? names[i] : NULL;
}

/* ---- one name ---- */

static char folded(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == ' ' || c == '-' ? '_' : c;
}

static bool same(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (folded(*a) != folded(*b))
            return false;
    return *a == *b;
}

/* "context switch" and "context-switches", "slots" and "slot" are one. */
static bool same_term(const char *typed, const char *term)
{
    const size_t length = strlen(typed);
    char other[SLW_MAX_SUGGEST_BYTES + 4];

    if (same(typed, term) || length > SLW_MAX_SUGGEST_BYTES)
        return same(typed, term);
    static const char *const endings[] = {"s", "es"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        const size_t extra = strlen(endings[i]);
        memcpy(other, typed, length);
        memcpy(other + length, endings[i], extra + 1);
        if (same(other, term))
            return true;
        if (length > extra && strcmp(typed + length - extra, endings[i]) == 0) {
            other[length - extra] = '\0';
            if (same(other, term))
                return true;
        }
    }
    return false;
}

static int find_node(const struct slw_model *m, const char *name)
{
    for (size_t i = 0; i < m->node_count; i++)
        if (same(m->nodes[i].name, name))
            return (int)i;
    for (size_t i = 0; i < m->node_count; i++)
        if (same(m->nodes[i].title, name))
            return (int)i;
    return -1;
}

static int find_event(const struct slw_model *m, const char *name)
{
    for (size_t i = 0; i < m->event_count; i++)
        if (same(m->events[i].name, name))
            return (int)i;
    return -1;
}

static bool has_node(size_t builtin, const char *node)
{
    const char *name;

    for (size_t n = 0; (name = slw_model_builtin_node(builtin, n)) != NULL; n++)
        if (strcmp(name, node) == 0)
            return true;
    return false;
}

static void note_others(struct slw_explained *e)
{
    assert(e->model && e->node >= 0);
    const char *node = e->model->nodes[e->node].name;
    for (size_t b = 0; b < slw_model_builtin_count(); b++)
        if (e->other_count < SLW_MAX_EXPLAIN_MODELS && has_node(b, node) &&
            strcmp(slw_model_builtin_name(b), e->model->name) != 0)
            e->others[e->other_count++] = slw_model_builtin_name(b);
}

/* AMD's words about a node of AMD's, where there is a choice. */
static bool same_vendor(const struct slw_model *a, const struct slw_model *b)
{
    return a && a->match_count > 0 && b->match_count > 0 &&
           strcmp(a->matches[0].vendor, b->matches[0].vendor) == 0;
}

static bool is_nearer(const struct slw_explain_scope *s, const struct slw_model *m,
                      const struct slw_model *than)
{
    if (s->offer)
        return strcmp(m->name, s->offer) == 0;
    return same_vendor(s->model, m) && !same_vendor(s->model, than);
}

/* The first model that has the name, of the same vendor if there is one; the scope's model has not.
 */
static int find_elsewhere(struct slw_explained *e, const char *name, struct slw_error *err)
{
    for (size_t b = 0; b < slw_model_builtin_count(); b++) {
        struct slw_model *m = NULL;
        const int rc = slw_model_builtin(slw_model_builtin_name(b), &m, err);

        if (rc < 0)
            return rc;
        const int node = find_node(m, name);
        const int event = node < 0 ? find_event(m, name) : -1;
        const bool better = !e->own || is_nearer(e->scope, m, e->own);
        if ((node < 0 && event < 0) || !better) {
            slw_model_free(m);
            continue;
        }
        slw_model_free(e->own);
        e->model = e->own = m;
        e->node = node;
        e->event = event;
    }
    return e->own != NULL;
}

static int unknown(const struct slw_explain_scope *scope, const char *name, struct slw_error *err)
{
    struct slw_suggestion s = {.typed = name};
    const char *candidate;

    for (size_t i = 0; scope->model && i < scope->model->node_count; i++)
        slw_suggest(&s, scope->model->nodes[i].name);
    for (size_t i = 0; (candidate = slw_explain_name(i)) != NULL; i++)
        slw_suggest(&s, candidate);
    if (s.best)
        slw_error_hint(err, "did you mean %s?", s.best);
    else
        slw_error_hint(err, "'slotwise explain' without a name lists them");
    return slw_fail(err, SLW_E_NOTFOUND, "no model has a node or metric '%.60s'", name);
}

int slw_explain_find(const struct slw_explain_scope *scope, const char *name,
                     struct slw_explained *ret, struct slw_error *err)
{
    struct slw_explained e = {.scope = scope, .model = scope->model, .node = -1, .event = -1};
    const char *bare = strncmp(name, "tma_", 4) == 0 ? name + 4 : name;
    int rc = 0;

    assert(ret);
    if (e.model)
        e.node = find_node(e.model, bare);
    for (size_t i = 0; e.node < 0 && !e.term && i < TERM_COUNT; i++)
        if (same_term(name, terms[i].name))
            e.term = &terms[i];
    if (e.node < 0 && !e.term && e.model)
        e.event = find_event(e.model, name);
    if (e.node < 0 && !e.term && e.event < 0) {
        rc = find_elsewhere(&e, bare, err);
        if (rc <= 0) {
            slw_model_free(e.own);
            return rc < 0 ? rc : unknown(scope, name, err);
        }
    }
    if (e.term)
        e.model = NULL;
    if (e.node >= 0)
        note_others(&e);
    *ret = e;
    return 0;
}

void slw_explained_release(struct slw_explained *e)
{
    slw_model_free(e->own);
    e->own = NULL;
}
