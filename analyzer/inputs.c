/* SPDX-License-Identifier: MIT */
#include "analyzer/inputs.h"

#include "analyzer/rows.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "models/perf_name.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct slw_model_vars slw_inputs_vars(const struct slw_run *run)
{
    return (struct slw_model_vars){.smt_on = run->host.cpu.smt == 1,
                                   .single_task = slw_command_is_tasks(run->command.kind)};
}

/* ---- names of printed metrics ---- */

static char folded(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == ' ' || c == '-' ? '_' : c;
}

static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (folded(*a) != folded(*b))
            return false;
    return *a == *b;
}

int slw_inputs_find_node(const struct slw_model *m, const char *printed_name)
{
    static const struct {
        const char *perf, *model;
    } others[] = {{"branch mispredict", "branch_mispredicts"}, {"insn per cycle", "ipc"}};

    if (strncmp(printed_name, "tma_", 4) == 0)
        printed_name += 4;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (same_name(others[i].perf, printed_name))
            printed_name = others[i].model;
    for (size_t i = 0; i < m->node_count; i++)
        if (same_name(m->nodes[i].name, printed_name))
            return (int)i;
    return -1;
}

/* ---- cells ---- */

static bool of_model(const struct slw_count *c, const struct slw_report *r)
{
    const char *pmu = r->pmu ? r->pmu : r->model->pmu;

    return !c->pmu || !pmu || strcmp(c->pmu, pmu) == 0;
}

/* The run's group numbers are anything; ours are small. -1 stays. */
static int group_number(struct slw_inputs *in, int group)
{
    if (group < 0)
        return -1;
    for (size_t i = 0; i < in->group_count; i++)
        if (in->groups[i] == group)
            return (int)i;
    in->groups[in->group_count] = group;
    return (int)in->group_count++;
}

static bool same_group(const struct slw_inputs *in, const struct slw_input_cell *cell, int group)
{
    return cell->group < 0 ? group < 0 : in->groups[cell->group] == group;
}

/* Where a count goes: its own cell if it is of the whole target, else the sum of its group. NULL:
 * there are too many. */
static struct slw_input_cell *cell_for(struct slw_inputs *in, const struct slw_count *c, int event)
{
    const bool whole = slw_count_is_whole(c);

    for (size_t i = in->cell_count; !whole && i > 0; i--) {
        struct slw_input_cell *cell = &in->cells[i - 1];
        if (!cell->whole && cell->event == event && cell->mode == c->mode &&
            cell->pass == c->pass && same_group(in, cell, c->group))
            return cell;
    }
    if (in->cell_count == SLW_MAX_INPUT_CELLS)
        return NULL;
    struct slw_input_cell *cell = &in->cells[in->cell_count++];
    *cell = (struct slw_input_cell){.event = event,
                                    .mode = c->mode,
                                    .group = group_number(in, c->group),
                                    .pass = c->pass,
                                    .whole = whole,
                                    .coverage = 1,
                                    .from = c->from,
                                    .running_ns = UINT64_MAX};
    return cell;
}

static void add_count(struct slw_inputs *in, const struct slw_count *c, int event, size_t index)
{
    struct slw_input_cell *cell = cell_for(in, c, event);
    uint64_t events = 0;

    if (!cell)
        return;
    const char *absent = slw_count_events(in->report->arena, c, &events);
    if (cell->running_ns == UINT64_MAX) {
        cell->count_index = index;
        cell->running_ns = 0;
        if (!c->absent)
            cell->running_ns = c->running_ns;
    } else if (c->running_ns > 0 && c->running_ns < cell->running_ns) {
        cell->running_ns = c->running_ns;
    }
    if (!absent && __builtin_add_overflow(cell->events, events, &cell->events))
        absent = "the sum of its parts needs more than 64 bits";
    if (absent && !cell->absent)
        cell->absent = absent;
    if (!absent && slw_count_has_coverage(c) && slw_count_coverage(c) < cell->coverage)
        cell->coverage = slw_count_coverage(c);
}

static int by_event(const void *a, const void *b)
{
    const struct slw_input_cell *x = a, *y = b;

    if (x->event != y->event)
        return x->event < y->event ? -1 : 1;
    return x->count_index < y->count_index ? -1 : x->count_index > y->count_index;
}

/* The parts are in the whole. */
static void drop_parts_of_wholes(struct slw_inputs *in)
{
    size_t kept = 0;

    for (size_t i = 0; i < in->cell_count; i++) {
        bool covered = false;
        for (size_t k = 0; k < in->cell_count && !in->cells[i].whole; k++)
            covered = covered || (in->cells[k].whole && in->cells[k].event == in->cells[i].event &&
                                  in->cells[k].mode == in->cells[i].mode && !in->cells[k].absent);
        if (!covered)
            in->cells[kept++] = in->cells[i];
    }
    in->cell_count = kept;
}

static void mark_printed(struct slw_inputs *in)
{
    const struct slw_run *run = in->report->run;

    for (size_t p = 0; p < run->printed_count; p++) {
        in->printed_node[p] = slw_inputs_find_node(in->report->model, run->printed[p].name);
        for (size_t i = 0; i < in->cell_count; i++)
            if (run->printed[p].count_index >= 0 &&
                (size_t)run->printed[p].count_index == in->cells[i].count_index)
                in->cells[i].carries = true;
    }
}

/* A run holds the same event for every thread: its name is looked up once. */
struct lookup {
    const char *event;
    int found;
};

static int find_event(const struct slw_model *m, struct lookup *last, const char *event)
{
    if (!last->event || strcmp(last->event, event) != 0)
        *last = (struct lookup){event, slw_model_find_perf_event(m, event)};
    return last->found;
}

static void index_cells(struct slw_inputs *in, size_t event_count)
{
    for (size_t i = 0; i < in->cell_count; i++) {
        in->first[in->cells[i].event + 1] = i + 1;
        if (in->cells[i].group >= 0)
            in->sizes[in->cells[i].group]++;
    }
    for (size_t i = 1; i <= event_count; i++)
        if (in->first[i] < in->first[i - 1])
            in->first[i] = in->first[i - 1];
}

int slw_inputs_init(struct slw_inputs *in, const struct slw_report *r)
{
    const struct slw_model *m = r->model;
    const struct slw_run *run = r->run;
    struct lookup last = {0};

    *in = (struct slw_inputs){.report = r};
    in->cells = slw_arena_array(r->arena, SLW_MAX_INPUT_CELLS, sizeof(*in->cells));
    in->first = slw_arena_array(r->arena, m->event_count + 1, sizeof(*in->first));
    in->groups = slw_arena_array(r->arena, SLW_MAX_INPUT_CELLS, sizeof(*in->groups));
    in->sizes = slw_arena_array(r->arena, SLW_MAX_INPUT_CELLS, sizeof(*in->sizes));
    in->printed_node = slw_arena_array(r->arena, run->printed_count + 1, sizeof(int));
    if (!in->cells || !in->first || !in->groups || !in->sizes || !in->printed_node)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < run->count_count; i++) {
        const struct slw_count *c = &run->counts[i];
        const int event = of_model(c, r) ? find_event(m, &last, c->event) : -1;
        if (event >= 0)
            add_count(in, c, event, i);
    }
    drop_parts_of_wholes(in);
    qsort(in->cells, in->cell_count, sizeof(*in->cells), by_event);
    mark_printed(in);
    index_cells(in, m->event_count);
    return 0;
}

/* ---- the choice ---- */

/* Counted all the time there was: fits together with any other count. */
static bool all_the_time(const struct slw_input_cell *c)
{
    return c->coverage >= 1 && c->pass == 0;
}

static const struct slw_input_cell *first_of(const struct slw_inputs *in, size_t event)
{
    for (size_t i = in->first[event]; i < in->first[event + 1]; i++)
        if (!in->cells[i].absent)
            return &in->cells[i];
    return NULL;
}

/* The event as this group counted it; where the group has none, as it was counted all the time. */
static const struct slw_input_cell *in_group(const struct slw_inputs *in, size_t event, int group)
{
    const struct slw_input_cell *always = NULL;

    for (size_t i = in->first[event]; i < in->first[event + 1]; i++) {
        const struct slw_input_cell *c = &in->cells[i];
        if (c->absent)
            continue;
        if (c->group == group && !all_the_time(c))
            return c;
        if (!always && all_the_time(c))
            always = c;
    }
    return always;
}

/* How many of the needed events the group counted itself; -1: some were counted only elsewhere. */
static int count_in_group(const struct slw_inputs *in, const bool *needed, int group)
{
    int own = 0;

    for (size_t e = 0; e < in->report->model->event_count; e++) {
        if (!needed[e] || !first_of(in, e))
            continue;
        const struct slw_input_cell *c = in_group(in, e, group);
        if (!c)
            return -1;
        own += c->group == group && !all_the_time(c);
    }
    return own;
}

static int smallest_group(const struct slw_inputs *in, const bool *needed)
{
    int best = -1;

    for (size_t g = 0; g < in->group_count; g++)
        if (count_in_group(in, needed, (int)g) > 0 && (best < 0 || in->sizes[g] < in->sizes[best]))
            best = (int)g;
    return best;
}

/* The cell of this event that the tool printed this node's metric next to. */
static const struct slw_input_cell *own_row(const struct slw_inputs *in, size_t node, size_t event)
{
    const struct slw_run *run = in->report->run;

    for (size_t p = 0; p < run->printed_count; p++) {
        const struct slw_printed *printed = &run->printed[p];
        if (printed->count_index < 0 || in->printed_node[p] != (int)node)
            continue;
        for (size_t i = in->first[event]; i < in->first[event + 1]; i++)
            if (in->cells[i].count_index == (size_t)printed->count_index && !in->cells[i].absent)
                return &in->cells[i];
    }
    return NULL;
}

/* The group that most of the node's counts can come from, the one of its own row if there is one.
 */
static int main_group(const struct slw_inputs *in, size_t node, const bool *needed)
{
    int best = -1, most = 0;

    for (size_t e = 0; e < in->report->model->event_count; e++) {
        const struct slw_input_cell *own = needed[e] ? own_row(in, node, e) : NULL;
        if (own && !all_the_time(own) && own->group >= 0)
            return own->group;
    }
    for (size_t g = 0; g < in->group_count; g++) {
        int own = 0;
        for (size_t e = 0; e < in->report->model->event_count; e++) {
            const struct slw_input_cell *c = needed[e] ? in_group(in, e, (int)g) : NULL;
            own += c && c->group == (int)g && !all_the_time(c);
        }
        if (own > most) {
            most = own;
            best = (int)g;
        }
    }
    return best;
}

static const struct slw_input_cell *choose_one(const struct slw_inputs *in, size_t node,
                                               size_t event, int group)
{
    const struct slw_input_cell *own = own_row(in, node, event), *same = in_group(in, event, group);

    if (own)
        return own;
    if (same && !all_the_time(same))
        return same;
    for (size_t i = in->first[event]; i < in->first[event + 1]; i++)
        if (!in->cells[i].absent && !in->cells[i].carries)
            return &in->cells[i];
    return first_of(in, event);
}

static int stretch_of(const struct slw_inputs *in, const bool *needed,
                      const struct slw_input_cell *const *chosen)
{
    const struct slw_input_cell *part = NULL;

    for (size_t e = 0; e < in->report->model->event_count; e++) {
        if (!needed[e] || !chosen[e] || chosen[e]->absent || all_the_time(chosen[e]))
            continue;
        if (part && (part->group != chosen[e]->group || part->group < 0))
            return SLW_STRETCH_SEVERAL;
        part = chosen[e];
    }
    if (!part)
        return SLW_STRETCH_ALL;
    return part->group >= 0 ? part->group : SLW_STRETCH_SEVERAL;
}

int slw_inputs_choose(const struct slw_inputs *in, size_t node, const bool *needed,
                      const struct slw_input_cell **chosen)
{
    const int whole = smallest_group(in, needed);
    const int most = whole < 0 ? main_group(in, node, needed) : -1;

    for (size_t e = 0; e < in->report->model->event_count; e++) {
        chosen[e] = NULL;
        if (!needed[e] || in->first[e] == in->first[e + 1])
            continue;
        chosen[e] = whole >= 0 ? in_group(in, e, whole) : choose_one(in, node, e, most);
        if (!chosen[e])
            chosen[e] = &in->cells[in->first[e]]; /* absent: for its reason */
    }
    return stretch_of(in, needed, chosen);
}
