/* SPDX-License-Identifier: MIT */
#include "analyzer/topdown.h"

#include "base/arena.h"
#include "base/cleanup.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the decision ---- */

static bool usable(const struct slw_report_node *n)
{
    return !n->value.absent && !n->mismeasured && !n->thin;
}

static bool is_child(const struct slw_report_node *n, int parent)
{
    return parent < 0 ? n->level == 1 : n->level > 1 && n->parent == parent;
}

static bool same_unit(const struct slw_report_node *a, const struct slw_report_node *b)
{
    const char *x = a->value.unit ? a->value.unit : "", *y = b->value.unit ? b->value.unit : "";

    return strcmp(x, y) == 0;
}

/* What is known about the children of one node. */
struct level {
    int best, second; /* candidates, by value; -1 */
    size_t children, unusable;
    int first_unusable;
};

static bool any_threshold(const struct slw_report_node *nodes, size_t count, int parent)
{
    for (size_t i = 0; i < count; i++)
        if (is_child(&nodes[i], parent) && nodes[i].node && nodes[i].node->has_threshold)
            return true;
    return false;
}

static void rank(const struct slw_report_node *nodes, int candidate, struct level *l)
{
    if (l->best < 0 || nodes[candidate].value.value > nodes[l->best].value.value) {
        l->second = l->best;
        l->best = candidate;
    } else if (l->second < 0 || nodes[candidate].value.value > nodes[l->second].value.value) {
        l->second = candidate;
    }
}

static struct level look_at(const struct slw_report_node *nodes, size_t count, int parent)
{
    struct level l = {.best = -1, .second = -1, .first_unusable = -1};
    bool thresholds = any_threshold(nodes, count, parent);

    for (size_t i = 0; i < count; i++) {
        if (!is_child(&nodes[i], parent))
            continue;
        l.children++;
        if (!usable(&nodes[i])) {
            l.unusable++;
            if (l.first_unusable < 0)
                l.first_unusable = (int)i;
        } else if (nodes[i].flagged || !thresholds) {
            rank(nodes, (int)i, &l);
        }
    }
    return l;
}

static bool too_close(const struct slw_report_node *a, const struct slw_report_node *b)
{
    double covered = fmin(a->value.coverage, b->value.coverage);

    return !same_unit(a, b) || a->value.value - b->value.value < SLW_MIN_LEAD + (1 - covered) / 2;
}

static const char *why_unusable(const struct slw_report_node *n)
{
    if (n->value.absent)
        return "a level-1 node has no value";
    if (n->mismeasured)
        return "a level-1 node is outside its plausible range";
    return "its counts covered too little of the run";
}

static void undecided(struct slw_topdown *t, const char *reason)
{
    t->status = SLW_TOPDOWN_UNDECIDED;
    t->reason = reason;
}

/* Level-1 facts and checks; false when the decision is made (there is none). */
static bool check_level1(const struct slw_report_node *nodes, size_t count, const struct level *l,
                         struct slw_topdown *t)
{
    size_t known = 0;

    t->min_coverage = 1;
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].level != 1 || nodes[i].value.absent)
            continue;
        known++;
        t->level1_sum += nodes[i].value.value;
        t->min_coverage = fmin(t->min_coverage, nodes[i].value.coverage);
    }
    t->have_sum = known > 0 && known == l->children;
    if (known == 0) {
        t->min_coverage = 0;
        t->reason = l->children == 0 ? "the CPU model has no top-down tree"
                                     : nodes[l->first_unusable].value.absent;
        return false;
    }
    if (l->unusable > 0)
        undecided(t, why_unusable(&nodes[l->first_unusable]));
    else if (fabs(t->level1_sum - 1) > SLW_MAX_SUM_ERROR)
        undecided(t, "level 1 does not add up to 100 % of the slots");
    else
        return true;
    return false;
}

void slw_topdown_decide(const struct slw_report_node *nodes, size_t node_count,
                        struct slw_topdown *ret)
{
    struct slw_topdown t = {.status = SLW_TOPDOWN_NONE, .bottleneck = -1, .rival = -1};
    struct level l = look_at(nodes, node_count, -1);

    assert(ret);
    if (!check_level1(nodes, node_count, &l, &t)) {
        *ret = t;
        return;
    }
    t.status = SLW_TOPDOWN_BALANCED;
    /* Every step goes to a deeper child, so node_count bounds the walk even over a bad tree. */
    for (size_t step = 0; step < node_count && l.best >= 0 && l.unusable == 0; step++) {
        bool close = l.second >= 0 && too_close(&nodes[l.best], &nodes[l.second]);

        if (close && t.bottleneck >= 0)
            break;
        if (close) {
            undecided(&t, "two level-1 nodes are too close to tell apart");
            t.bottleneck = l.best;
            t.rival = l.second;
            break;
        }
        t.status = SLW_TOPDOWN_FOUND;
        t.bottleneck = l.best;
        l = look_at(nodes, node_count, t.bottleneck);
    }
    *ret = t;
}

/* ---- counts to nodes ---- */

static const char *mode_name(enum slw_mode mode)
{
    return mode == SLW_MODE_USER ? "user" : mode == SLW_MODE_KERNEL ? "kernel" : "all";
}

static const struct slw_report_row *find_row(const struct slw_report *r, const char *event)
{
    const struct slw_report_row *found = NULL;

    for (size_t i = 0; i < r->row_count; i++) {
        const struct slw_report_row *row = &r->rows[i];
        const char *pmu = row->count->pmu;

        if (strcmp(row->name, event) != 0 ||
            (pmu && r->model->pmu && strcmp(pmu, r->model->pmu) != 0))
            continue;
        if (!found || (found->total.absent && !row->total.absent))
            found = row;
    }
    return found;
}

/* A formula over counts of different privilege levels would divide apples by pears. */
static const char *check_mode(const struct slw_report *r, const struct slw_report_row *row,
                              int *mode)
{
    if (*mode < 0)
        *mode = (int)row->count->mode;
    if (*mode == (int)row->count->mode)
        return NULL;
    const char *why =
        slw_arena_printf(r->arena, "counted in %s mode, other events in %s mode",
                         mode_name(row->count->mode), mode_name((enum slw_mode) * mode));
    return why ? why : "counted in another mode";
}

static void fill_inputs(const struct slw_report *r, struct slw_model_input *inputs,
                        const struct slw_report_row **rows)
{
    int mode = -1;

    for (size_t i = 0; i < r->model->event_count; i++) {
        rows[i] = find_row(r, r->model->events[i].name);
        inputs[i].absent = rows[i] ? rows[i]->total.absent : "not counted";
        if (!inputs[i].absent)
            inputs[i].absent = check_mode(r, rows[i], &mode);
        if (!inputs[i].absent)
            inputs[i].value = rows[i]->total.value;
    }
}

/* Provenance and coverage of a node: the worst of the counts it is made of. */
static void judge_inputs(const struct slw_report *r, const struct slw_report_row *const *rows,
                         const bool *needed, struct slw_report_node *n)
{
    bool first = true;

    n->value.coverage = 1;
    for (size_t i = 0; i < r->model->event_count; i++) {
        if (!needed[i] || !rows[i] || rows[i]->total.absent)
            continue;
        const struct slw_figure *f = &rows[i]->total;
        if (first || f->from.source != SLW_SOURCE_HARDWARE || f->from.imported)
            n->value.from = f->from;
        first = false;
        n->value.coverage = fmin(n->value.coverage, f->coverage);
        if (f->coverage < SLW_MIN_COVERAGE ||
            (f->coverage < 1 && rows[i]->count->running_ns < SLW_MIN_MULTIPLEXED_NS))
            n->thin = true;
    }
}

static void set_node(const struct slw_report *r, size_t index, const struct slw_model_value *v,
                     struct slw_report_node *n)
{
    const struct slw_model_node *m = &r->model->nodes[index];

    *n = (struct slw_report_node){.name = m->name,
                                  .title = m->title,
                                  .level = m->level,
                                  .parent = m->parent,
                                  .flagged = v->have && v->flagged,
                                  .mismeasured = v->have && v->mismeasured,
                                  .node = m};
    n->value.unit = m->unit;
    if (v->have && isfinite(v->value))
        n->value.value = v->value;
    else
        n->value.absent = v->missing ? v->missing : "not computed";
}

/* "needs idq_uops_not_delivered.core: not supported": evaluation hands back the reason of the input
 * it lacks; say which event that is. */
static const char *explain(const struct slw_report *r, const struct slw_model_input *inputs,
                           const bool *needed, const char *missing)
{
    for (size_t i = 0; i < r->model->event_count; i++)
        if (needed[i] && inputs[i].absent && strcmp(inputs[i].absent, missing) == 0) {
            const char *why = slw_arena_printf(r->arena, "needs %s: %s", r->model->events[i].name,
                                               inputs[i].absent);
            return why ? why : missing;
        }
    return missing;
}

struct work { /* scratch of one evaluation */
    struct slw_model_input *inputs;
    const struct slw_report_row **rows;
    struct slw_model_value *values;
    bool *needed;
};

static int work_init(struct work *w, struct slw_arena *arena, const struct slw_model *m)
{
    w->inputs = slw_arena_array(arena, m->event_count + 1, sizeof(*w->inputs));
    w->rows = slw_arena_array(arena, m->event_count + 1, sizeof(*w->rows));
    w->needed = slw_arena_array(arena, m->event_count + 1, sizeof(*w->needed));
    w->values = slw_arena_array(arena, m->node_count + 1, sizeof(*w->values));
    return w->inputs && w->rows && w->needed && w->values ? 0 : -SLW_E_NOMEM;
}

static void fill_nodes(struct slw_report *r, struct work *w)
{
    const struct slw_model_vars vars = {.smt_on = r->run->host.cpu.smt == 1};
    const struct slw_model *m = r->model;

    fill_inputs(r, w->inputs, w->rows);
    slw_model_evaluate(m, w->inputs, &vars, w->values);
    for (size_t i = 0; i < m->node_count; i++) {
        struct slw_report_node *n = &r->nodes[i];

        memset(w->needed, 0, m->event_count * sizeof(*w->needed));
        slw_model_needs_with(m, i, &vars, w->needed);
        set_node(r, i, &w->values[i], n);
        if (n->value.absent)
            n->value.absent = explain(r, w->inputs, w->needed, n->value.absent);
        judge_inputs(r, w->rows, w->needed, n);
    }
    r->node_count = m->node_count;
}

static const char *why_no_pmu(const struct slw_run *run)
{
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, "no-pmu") == 0)
            return run->notes[i].text;
    return NULL;
}

int slw_topdown_fill(struct slw_report *r, struct slw_error *err)
{
    const char *no_pmu = why_no_pmu(r->run);
    struct work w;

    r->topdown = (struct slw_topdown){.bottleneck = -1, .rival = -1};
    if (r->model) {
        r->nodes = slw_arena_array(r->arena, r->model->node_count + 1, sizeof(*r->nodes));
        if (!r->nodes || work_init(&w, r->arena, r->model) < 0)
            return slw_fail(err, SLW_E_NOMEM, "no memory for the top-down tree");
        fill_nodes(r, &w);
        slw_topdown_decide(r->nodes, r->node_count, &r->topdown);
    } else {
        r->topdown.reason = r->run->model.absent ? r->run->model.absent : "no CPU model was used";
    }
    if (r->topdown.status == SLW_TOPDOWN_NONE && no_pmu)
        r->topdown.reason = no_pmu;
    return 0;
}
