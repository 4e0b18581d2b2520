/* SPDX-License-Identifier: MIT */
#include "collector/taps/stage/pick.h"

#include "models/model.h"

#include <linux/perf_event.h>
#include <math.h>

#define MAX_EVENTS 512 /* the longest published list for levels 1 to 3 has about 150 */
#define MAX_NODES  512
#define CLOSE      1e-9 /* of two numbers that are the same but for rounding */

static void take(struct slw_stage_picks *p, enum slw_stage_event id, uint32_t type, uint64_t config,
                 uint64_t config1)
{
    p->counter[id] = (int)p->event_count;
    p->absent[id] = NULL;
    p->events[p->event_count++] = (struct slw_stage_counted){type, config, config1};
}

static void pick_generic(struct slw_stage_picks *p)
{
    const uint64_t l1i_read_misses = PERF_COUNT_HW_CACHE_L1I | PERF_COUNT_HW_CACHE_OP_READ << 8 |
                                     PERF_COUNT_HW_CACHE_RESULT_MISS << 16;

    take(p, SLW_STAGE_CYCLES, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 0);
    take(p, SLW_STAGE_INSTRUCTIONS, PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, 0);
    take(p, SLW_STAGE_ICACHE_MISSES, PERF_TYPE_HW_CACHE, l1i_read_misses, 0);
    p->absent[SLW_STAGE_FRONTEND_SLOTS] = p->absent[SLW_STAGE_SLOTS] = "the CPU model is not known";
}

/* ---- from a model ---- */

struct formulas {
    const struct slw_model *model;
    const struct slw_model_vars *vars;
    struct slw_model_input inputs[MAX_EVENTS]; /* numbers no formula can confuse */
    struct slw_model_value values[MAX_NODES];  /* of the nodes, then */
};

static void evaluate(struct formulas *f)
{
    for (size_t i = 0; i < f->model->event_count; i++)
        f->inputs[i] = (struct slw_model_input){.value = 1000 + 97 * (double)(i * i + 3 * i)};
    slw_model_evaluate(f->model, f->inputs, f->vars, f->values);
}

/* The one event that a node needs besides event `known`; -1: there is not exactly one. */
static int other_event(const struct formulas *f, int node, int known)
{
    bool needed[MAX_EVENTS] = {false};
    int found = -1;

    slw_model_needs_with(f->model, (size_t)node, f->vars, needed);
    for (size_t i = 0; i < f->model->event_count; i++) {
        if (!needed[i] || (int)i == known)
            continue;
        if (found >= 0)
            return -1;
        found = (int)i;
    }
    return found;
}

/* The event E for which the node is E * factor / (event `base`), or its inverse side: -1 where the
 * formula says something else. */
static int find_event(const struct formulas *f, const char *name, int base, double factor)
{
    int node = slw_model_find_node(f->model, name);
    int event = node < 0 || base < 0 ? -1 : other_event(f, node, base);

    if (event < 0 || f->values[node].missing || f->model->events[event].role != SLW_EVENT_PLAIN)
        return -1;
    double expected = factor * f->inputs[event].value / f->inputs[base].value;
    return fabs(f->values[node].value - expected) <= CLOSE * expected ? event : -1;
}

static void take_event(struct slw_stage_picks *p, const struct formulas *f, enum slw_stage_event id,
                       int event)
{
    if (event < 0) {
        p->absent[id] = "the formula of this CPU model is not about one event";
        return;
    }
    const struct slw_model_event *e = &f->model->events[event];
    take(p, id, e->type, e->config, e->config1);
}

static void pick_from_model(struct formulas *f, struct slw_stage_picks *p)
{
    const struct slw_model *m = f->model;
    int cycles = slw_model_cycles_event(m);

    evaluate(f);
    int instructions = find_event(f, "ipc", cycles, 1);
    int width = m->slots_per_cycle;
    take_event(p, f, SLW_STAGE_CYCLES, cycles);
    take_event(p, f, SLW_STAGE_INSTRUCTIONS, instructions);
    take_event(p, f, SLW_STAGE_ICACHE_MISSES, find_event(f, "icache_mpki", instructions, 1000));
    take_event(p, f, SLW_STAGE_FRONTEND_SLOTS,
               width > 0 ? find_event(f, "frontend_bound", cycles, 1.0 / width) : -1);
    p->absent[SLW_STAGE_SLOTS] = p->absent[SLW_STAGE_FRONTEND_SLOTS];
    if (p->counter[SLW_STAGE_FRONTEND_SLOTS] >= 0) {
        p->slots_per_cycle = (uint64_t)width;
        p->absent[SLW_STAGE_SLOTS] = "not counted";
    }
}

void slw_stage_pick(const struct slw_model *m, const struct slw_model_vars *vars,
                    struct slw_stage_picks *ret_picks)
{
    struct formulas f = {.model = m, .vars = vars};

    *ret_picks = (struct slw_stage_picks){0};
    for (int i = 0; i < SLW_STAGE_EVENT_COUNT; i++)
        ret_picks->counter[i] = -1;
    if (m && m->event_count <= MAX_EVENTS && m->node_count <= MAX_NODES &&
        slw_model_cycles_event(m) >= 0)
        pick_from_model(&f, ret_picks);
    else
        pick_generic(ret_picks);
}
