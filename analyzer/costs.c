/* SPDX-License-Identifier: MIT */
#include "analyzer/costs.h"

#include "analyzer/bar.h"
#include "analyzer/facts.h"
#include "analyzer/inputs.h"
#include "analyzer/json_value.h"
#include "analyzer/traffic.h"
#include "analyzer/waiting.h"
#include "base/arena.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

/* ---- dividing ---- */

static bool equal_work(const struct slw_run *run)
{
    const struct slw_round *first = NULL;

    for (size_t i = 0; i < run->round_count; i++) {
        const struct slw_round *r = &run->rounds[i];

        if (r->left_out || r->round == 0)
            continue;
        if (r->requests.absent)
            return false;
        if (first && first->requests.value != r->requests.value)
            return false;
        first = r;
    }
    return true;
}

struct slw_figure slw_cost_per_request(const struct slw_figure *total, const struct slw_run *run)
{
    const double by = (double)run->requests.value;
    struct slw_figure f = *total;

    if (f.absent || run->requests.absent || run->requests.value == 0) {
        if (!f.absent)
            f.absent = run->requests.absent ? run->requests.absent : "no request was observed";
        f.value = 0;
        f.interval = (struct slw_interval){0};
        return f;
    }
    f.value /= by;
    f.interval.low /= by;
    f.interval.high /= by;
    if (!equal_work(run))
        f.interval = (struct slw_interval){0};
    return f;
}

/* ---- rows ---- */

static const struct slw_provenance software = {.source = SLW_SOURCE_SOFTWARE};

static void add(struct slw_report *r, const char *key, const char *name,
                const struct slw_figure *total)
{
    struct slw_costs *costs = r->costs;

    assert(costs->count < SLW_MAX_COSTS);
    costs->rows[costs->count++] =
        (struct slw_cost){.key = key,
                          .name = name,
                          .total = *total,
                          .per_request = slw_cost_per_request(total, r->run)};
}

static void add_count(struct slw_report *r, const char *key, const char *name, const char *unit,
                      const struct slw_maybe_u64 *n)
{
    const struct slw_figure f = {.value = n->absent ? 0 : (double)n->value,
                                 .absent = n->absent,
                                 .unit = unit,
                                 .from = software,
                                 .coverage = n->absent ? 0 : 1};

    add(r, key, name, &f);
}

static void add_known(struct slw_report *r, const char *key, const char *name, const char *unit,
                      uint64_t n)
{
    add_count(r, key, name, unit, &(struct slw_maybe_u64){.value = n});
}

static void add_waiting(struct slw_report *r)
{
    const struct slw_waiting *w = r->run->waiting;

    if (r->run->waiting_count == 0 || r->bar->absent)
        return;
    add(r, "thread_time", "wall time of all threads", &r->bar->wall);
    add_count(r, "system_calls", "system calls", "events", &w->syscalls);
    add_known(r, "times_off_cpu", "times off-CPU", "events", slw_waiting_switches(w));
}

static void add_traffic(struct slw_report *r)
{
    const struct slw_traffic *t = r->traffic;

    if (!t->present)
        return;
    if (t->sends > 0 || t->reads > 0) { /* else nothing went over a socket: SQLite */
        add_known(r, "bytes_sent", "bytes sent", "bytes", t->sent_bytes);
        add_known(r, "bytes_received", "bytes received", "bytes", t->received_bytes);
        add_known(r, "sends", "sends", "events", t->sends);
        add_known(r, "reads", "reads", "events", t->reads);
    }
    add_known(r, "flushes", "flushes", "events", t->flushes);
    add_known(r, "rows_received", "rows received", "events", t->rows);
}

/* ---- slots ---- */

static const struct slw_report_row *row_of(const struct slw_report *r,
                                           const struct slw_model_event *event, enum slw_mode mode)
{
    const char *pmu = r->pmu ? r->pmu : r->model->pmu;

    for (size_t i = 0; i < r->row_count; i++) {
        const struct slw_report_row *row = &r->rows[i];

        if (!row->total.absent && row->count->mode == mode && strcmp(row->name, event->name) == 0 &&
            (!row->count->pmu || !pmu || strcmp(row->count->pmu, pmu) == 0))
            return row;
    }
    return NULL;
}

/* What a sample of the instructions leaves open of each input moves the slots, and that adds up. */
static void widen_slots(const struct slw_report *r, enum slw_mode mode,
                        struct slw_model_input *inputs, struct slw_figure *slots)
{
    const struct slw_model_vars vars = slw_inputs_vars(r->run);
    double half = 0;

    for (size_t i = 0; i < r->model->event_count && !slots->absent; i++) {
        const struct slw_report_row *row = row_of(r, &r->model->events[i], mode);

        if (!row || !(row->total.interval.from & SLW_INTERVAL_SAMPLE))
            continue;
        inputs[i].value = row->total.interval.high;
        half += fabs(slw_model_slots(r->model, inputs, &vars).value - slots->value);
        inputs[i].value = row->total.value;
    }
    if (half > 0)
        slw_interval_widen(&slots->interval, slots->value, half, SLW_INTERVAL_SAMPLE);
}

/* How many slots there were, of the privilege level that the tree is of. */
static int count_slots(const struct slw_report *r, enum slw_mode mode, struct slw_figure *ret)
{
    const struct slw_model *m = r->model;
    const struct slw_model_vars vars = slw_inputs_vars(r->run);
    struct slw_model_input *inputs = slw_arena_array(r->arena, m->event_count + 1, sizeof(*inputs));

    if (!inputs)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < m->event_count; i++) {
        const struct slw_report_row *row = row_of(r, &m->events[i], mode);

        inputs[i].absent = row ? NULL : "";
        inputs[i].value = row ? row->total.value : 0;
    }
    const struct slw_model_value slots = slw_model_slots(m, inputs, &vars);
    *ret = (struct slw_figure){.value = slots.have ? slots.value : 0,
                               .absent = slots.have ? NULL : slots.missing,
                               .unit = "events",
                               .coverage = slots.have ? 1 : 0};
    widen_slots(r, mode, inputs, ret);
    return 0;
}

/* A category is a share of them. The share's interval becomes one of slots. */
static struct slw_figure category(const struct slw_report_node *n, const struct slw_figure *slots)
{
    struct slw_figure f = n->value;

    f.unit = "events";
    if (!f.absent && n->mismeasured)
        f.absent = "mismeasured";
    if (!f.absent && slots->absent)
        f.absent = slots->absent;
    f.value = f.absent ? 0 : f.value * slots->value;
    f.interval.low *= slots->value;
    f.interval.high *= slots->value;
    if (f.absent)
        f.interval = (struct slw_interval){0};
    else if (slots->interval.have)
        slw_interval_widen(&f.interval, f.value,
                           n->value.value * slw_interval_half(&slots->interval, slots->value),
                           SLW_INTERVAL_SAMPLE);
    return f;
}

static bool is_category(const struct slw_report_node *n)
{
    return n->level == 1 && n->parent < 0 && n->value.unit && strcmp(n->value.unit, "slots") == 0;
}

static int add_slots(struct slw_report *r)
{
    struct slw_figure slots = {.absent = ""};
    size_t added = 0;

    /* Kinds of core have slots of their own, which do not add up. */
    for (size_t i = 0; r->core_count == 0 && i < r->node_count; i++) {
        const struct slw_report_node *n = &r->nodes[i];

        if (!is_category(n) || n->value.absent || added == SLW_MAX_BAR_NODES)
            continue;
        if (added == 0) {
            if (count_slots(r, n->mode, &slots) < 0)
                return -SLW_E_NOMEM;
            slots.from = n->value.from;
            slots.coverage = n->value.coverage; /* of the worst count, as the tree's */
            add(r, "slots", "pipeline slots", &slots);
        }
        const struct slw_figure total = category(n, &slots);
        const char *key = slw_arena_printf(r->arena, "slots.%s", n->name);
        const char *name = slw_arena_printf(r->arena, "slots: %s", n->title ? n->title : n->name);
        if (!key || !name)
            return -SLW_E_NOMEM;
        add(r, key, name, &total);
        added++;
    }
    return 0;
}

int slw_costs_fill(struct slw_report *r, struct slw_error *err)
{
    r->costs = slw_arena_alloc(r->arena, sizeof(*r->costs));
    if (!r->costs)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    const struct slw_maybe_u64 *requests = &r->run->requests;
    r->costs->per_request_absent = requests->absent       ? requests->absent
                                   : requests->value == 0 ? "no request was observed"
                                                          : NULL;
    if (r->traffic->present || !r->costs->per_request_absent)
        add_count(r, "wall_time", "wall time", "ns", &r->run->wall_ns);
    add_waiting(r);
    add_traffic(r);
    return add_slots(r) < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for a report") : 0;
}

/* ---- JSON ---- */

static json_t *pair_json(struct slw_json *j, const struct slw_figure *f)
{
    json_t *pair;

    if (f->absent || !f->interval.have)
        return json_null();
    pair = json_array();
    slw_json_push(j, pair, slw_json_real(f->interval.low));
    slw_json_push(j, pair, slw_json_real(f->interval.high));
    return pair;
}

json_t *slw_costs_json(const struct slw_costs *costs)
{
    json_t *o = json_object(), *rows = json_array();
    struct slw_json j = {0};

    slw_json_put_text(&j, o, "absent", costs->per_request_absent);
    for (size_t i = 0; i < costs->count; i++) {
        const struct slw_cost *c = &costs->rows[i];
        json_t *row = json_object();

        slw_json_put_text(&j, row, "key", c->key);
        slw_json_put_provenance(&j, row, &c->total.from);
        slw_json_put_figure(&j, row, "total", &c->total);
        slw_json_put_figure(&j, row, "per_request", &c->per_request);
        slw_json_put(&j, row, "interval", pair_json(&j, &c->per_request));
        slw_json_push(&j, rows, row);
    }
    slw_json_put(&j, o, "rows", rows);
    return slw_json_done(&j, o);
}
