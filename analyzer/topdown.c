/* SPDX-License-Identifier: MIT */
#include "analyzer/topdown.h"

#include "analyzer/inputs.h"
#include "analyzer/legend.h"
#include "analyzer/node_interval.h"
#include "analyzer/rounds.h"
#include "analyzer/simulated.h"
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
    int best; /* candidate with the largest value; -1 */
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

static struct level look_at(const struct slw_report_node *nodes, size_t count, int parent)
{
    struct level l = {.best = -1, .first_unusable = -1};
    bool thresholds = any_threshold(nodes, count, parent);

    for (size_t i = 0; i < count; i++) {
        if (!is_child(&nodes[i], parent))
            continue;
        l.children++;
        if (!usable(&nodes[i])) {
            l.unusable++;
            if (l.first_unusable < 0)
                l.first_unusable = (int)i;
        } else if ((nodes[i].flagged || !thresholds) &&
                   (l.best < 0 || nodes[i].value.value > nodes[l.best].value.value)) {
            l.best = (int)i;
        }
    }
    return l;
}

static bool exact(const struct slw_figure *f)
{
    return !f->interval.have && f->coverage >= 1;
}

static bool overlap(const struct slw_figure *a, const struct slw_figure *b)
{
    return (a->interval.have ? a->interval.low : a->value) <=
           (b->interval.have ? b->interval.high : b->value);
}

/* Can the larger one not be told from the other? Only rounds tell how values differ from one
 * execution to the next; for the others the margin stands for it. */
static bool too_close(const struct slw_report_node *a, const struct slw_report_node *b)
{
    const struct slw_figure *x = &a->value, *y = &b->value;
    const bool repeated = x->interval.from & y->interval.from & SLW_INTERVAL_ROUNDS;
    double margin = repeated ? 0 : SLW_MIN_LEAD;

    if (!same_unit(a, b))
        return true;
    if ((x->interval.have || exact(x)) && (y->interval.have || exact(y)))
        return overlap(x, y) || x->value - y->value < margin;
    return x->value - y->value < SLW_MIN_LEAD + (1 - fmin(x->coverage, y->coverage)) / 2;
}

/* The largest of the other candidates that cannot be told from the best; -1: it leads them all. */
static int rival_of(const struct slw_report_node *nodes, size_t count, int parent, int best)
{
    const bool thresholds = any_threshold(nodes, count, parent);
    int rival = -1;

    for (size_t i = 0; i < count; i++)
        if ((int)i != best && is_child(&nodes[i], parent) && usable(&nodes[i]) &&
            (nodes[i].flagged || !thresholds) && too_close(&nodes[best], &nodes[i]) &&
            (rival < 0 || nodes[i].value.value > nodes[rival].value.value))
            rival = (int)i;
    return rival;
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

/* In how many different stretches of time the known level-1 nodes were counted. */
static size_t count_stretches(const struct slw_report_node *nodes, size_t count)
{
    size_t stretches = 0;

    for (size_t i = 0; i < count; i++) {
        bool new = nodes[i].level == 1 && !nodes[i].value.absent &&
                   (nodes[i].value.coverage < 1 || nodes[i].in_passes);
        for (size_t k = 0; new &&k < i; k++)
            new = nodes[k].level != 1 || nodes[k].value.absent ||
                  nodes[k].stretch != nodes[i].stretch;
        stretches += new;
    }
    return stretches;
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
    t->stretches = count_stretches(nodes, count);
    if (t->have_sum && t->stretches > 1 && fabs(t->level1_sum - 1) > SLW_MAX_APART_ERROR)
        undecided(t, "the parts of level 1 were counted at different times and do not add up");
    else if (l->unusable > 0)
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
        const int rival = rival_of(nodes, node_count, t.bottleneck, l.best);

        if (rival >= 0 && t.bottleneck >= 0)
            break;
        if (rival >= 0) {
            undecided(&t, "two level-1 nodes are too close to tell apart");
            t.bottleneck = l.best;
            t.rival = rival;
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

/* A formula over counts of different privilege levels would divide apples by pears. */
static const char *check_mode(const struct slw_report *r, enum slw_mode counted, int *mode)
{
    if (*mode < 0)
        *mode = (int)counted;
    if (*mode == (int)counted)
        return NULL;
    const char *why = slw_arena_printf(r->arena, "counted in %s mode, other events in %s mode",
                                       mode_name(counted), mode_name((enum slw_mode) * mode));
    return why ? why : "counted in another mode";
}

static void fill_inputs(const struct slw_report *r, const struct slw_input_cell *const *chosen,
                        struct slw_model_input *inputs)
{
    int mode = -1;

    for (size_t i = 0; i < r->model->event_count; i++) {
        const struct slw_input_cell *c = chosen[i];

        inputs[i] = (struct slw_model_input){.absent = c ? c->absent : "not counted"};
        if (!c || c->absent)
            continue;
        inputs[i].absent = check_mode(r, c->mode, &mode);
        if (!inputs[i].absent)
            inputs[i].value = (double)c->events;
    }
}

/* Too few rotations to scale by; where the time is unknown the coverage alone decides. */
static bool ran_too_little(const struct slw_input_cell *c)
{
    return c->coverage < 1 && c->running_ns < SLW_MIN_MULTIPLEXED_NS &&
           !(c->running_ns == 0 && c->from.imported);
}

/* Is the first one the less reliable? */
static bool is_worse(const struct slw_provenance *one, const struct slw_provenance *other)
{
    return (one->source != SLW_SOURCE_HARDWARE || one->imported) && !slw_simulated_sampled(other);
}

/* Provenance and coverage of a node: the worst of the counts it is made of. */
static void judge_inputs(const struct slw_report *r, const struct slw_input_cell *const *chosen,
                         struct slw_report_node *n)
{
    bool first = true;

    n->value.coverage = 1;
    for (size_t i = 0; i < r->model->event_count; i++) {
        const struct slw_input_cell *c = chosen[i];

        if (!c || c->absent)
            continue;
        if (first || is_worse(&c->from, &n->value.from))
            n->value.from = c->from;
        n->mode = c->mode;
        first = false;
        n->value.coverage = fmin(n->value.coverage, c->coverage);
        if (c->coverage < SLW_MIN_COVERAGE || ran_too_little(c))
            n->thin = true;
        n->in_passes = n->in_passes || c->pass > 0;
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

struct work { /* scratch of the evaluation of one node */
    struct slw_inputs in;
    struct slw_model_input *inputs;
    const struct slw_input_cell **chosen;
    struct slw_model_value *values; /* of every node, with the inputs of the current one */
    struct slw_model_value *own;    /* of every node, each with its own inputs */
    bool *needed;
};

static int work_init(struct work *w, const struct slw_report *r)
{
    const struct slw_model *m = r->model;
    struct slw_arena *arena = r->arena;

    w->inputs = slw_arena_array(arena, m->event_count + 1, sizeof(*w->inputs));
    w->chosen = slw_arena_array(arena, m->event_count + 1, sizeof(*w->chosen));
    w->needed = slw_arena_array(arena, m->event_count + 1, sizeof(*w->needed));
    w->values = slw_arena_array(arena, m->node_count + 1, sizeof(*w->values));
    w->own = slw_arena_array(arena, m->node_count + 1, sizeof(*w->own));
    if (!w->inputs || !w->chosen || !w->needed || !w->values || !w->own)
        return -SLW_E_NOMEM;
    return slw_inputs_init(&w->in, r);
}

static void fill_node(struct slw_report *r, struct work *w, size_t i)
{
    const struct slw_model_vars vars = slw_inputs_vars(r->run);
    struct slw_report_node *n = &r->nodes[i];

    memset(w->needed, 0, r->model->event_count * sizeof(*w->needed));
    slw_model_needs_with(r->model, i, &vars, w->needed);
    const int stretch = slw_inputs_choose(&w->in, i, w->needed, w->chosen);
    fill_inputs(r, w->chosen, w->inputs);
    slw_model_evaluate(r->model, w->inputs, &vars, w->values);
    w->own[i] = w->values[i];
    set_node(r, i, &w->own[i], n);
    n->stretch = stretch;
    if (n->value.absent)
        n->value.absent = explain(r, w->inputs, w->needed, n->value.absent);
    else
        n->errata = slw_legend_node_errata(r->arena, r->model, w->needed);
    judge_inputs(r, w->chosen, n);
    const struct slw_node_inputs from = {r, w->inputs, w->chosen, w->needed, w->values};
    slw_node_interval(&from, i, n);
}

int slw_topdown_nodes(struct slw_report *r)
{
    const struct slw_model *m = r->model;
    struct work w;

    r->nodes = slw_arena_array(r->arena, m->node_count + 1, sizeof(*r->nodes));
    if (!r->nodes || work_init(&w, r) < 0)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < m->node_count; i++)
        fill_node(r, &w, i);
    slw_model_flag(m, w.own);
    for (size_t i = 0; i < m->node_count; i++)
        r->nodes[i].flagged = w.own[i].have && w.own[i].flagged;
    r->node_count = m->node_count;
    return 0;
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

    r->topdown = (struct slw_topdown){.bottleneck = -1, .rival = -1};
    if (r->model) {
        if ((slw_rounds_in(r->run) ? slw_rounds_nodes(r) : slw_topdown_nodes(r)) < 0)
            return slw_fail(err, SLW_E_NOMEM, "no memory for the top-down tree");
        r->errata = slw_legend_errata(r);
        slw_topdown_decide(r->nodes, r->node_count, &r->topdown);
    } else {
        r->topdown.reason = r->run->model.absent ? r->run->model.absent : "no CPU model was used";
    }
    if (r->topdown.status == SLW_TOPDOWN_NONE && no_pmu)
        r->topdown.reason = no_pmu;
    return 0;
}
