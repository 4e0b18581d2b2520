/* SPDX-License-Identifier: MIT */
/* Metrics that only some reports have: nodes of the top-down tree and their slots, what threads
 * waited for, stages, and what the client printed. Their keys: ipc, slots.frontend_bound,
 * share.frontend_bound, wait.disk, stage.decode.cpu_per_request. */
#include "analyzer/compare/observe_int.h"
#include "analyzer/costs.h"
#include "analyzer/stages.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct slw_provenance software = {.source = SLW_SOURCE_SOFTWARE};

struct named {
    char key[SLW_METRIC_KEY_BYTES], title[SLW_METRIC_KEY_BYTES];
    const char *unit;
    enum slw_better better;
};

static void add(struct slw_observing *o, const struct named *n, const struct slw_measure *m)
{
    const struct slw_observation what = {.metric = n->key,
                                         .title = n->title,
                                         .unit = n->unit,
                                         .better = n->better,
                                         .gateable = true};

    slw_observing_add(o, &what, m);
}

static void add_figure(struct slw_observing *o, const struct named *n, const struct slw_figure *f,
                       double step)
{
    const struct slw_measure m = {.figure = *f, .step = step};

    add(o, n, &m);
}

/* ---- the top-down tree ---- */

static bool is_slots(const struct slw_report_node *n)
{
    return n->value.unit && strncmp(n->value.unit, "slots", 5) == 0;
}

static struct slw_figure node_value(const struct slw_report_node *n)
{
    struct slw_figure f = n->value;

    if (!f.absent && n->mismeasured)
        f.absent = "mismeasured";
    return f;
}

/* A field of 8 bits is a step, and what a sample of the instructions leaves open. */
static void add_share(struct slw_observing *o, const struct slw_report_node *n, const char *pmu)
{
    const struct slw_figure f = node_value(n);
    struct named m = {.unit = n->level == 0 ? n->value.unit : "share",
                      .better = SLW_BETTER_NEITHER};
    const char *title = n->title ? n->title : n->name;

    if (n->level == 0 && strcmp(n->name, "ipc") != 0)
        m.better = SLW_BETTER_LOWER; /* misses and stalls */
    (void)snprintf(m.key, sizeof(m.key), "%s%s%s%s", n->level == 0 ? "" : "share.", pmu,
                   pmu[0] ? "." : "", n->name);
    (void)snprintf(m.title, sizeof(m.title), "%s%s%s", title, pmu[0] ? ", " : "", pmu);
    add_figure(o, &m, &f, fmax(2 * n->quantum, n->sample_half));
}

static const struct slw_cost *find_cost(const struct slw_report *r, const char *key)
{
    for (size_t i = 0; i < r->costs->count; i++)
        if (strcmp(r->costs->rows[i].key, key) == 0)
            return &r->costs->rows[i];
    return NULL;
}

/* How far off a sample of the instructions may be, as part of the value. */
static double sampled_part(const struct slw_figure *f)
{
    return f->interval.from & SLW_INTERVAL_SAMPLE && f->value > 0
               ? slw_interval_half(&f->interval, f->value) / f->value
               : 0;
}

/* Slots of a node for each request: its share of all slots. */
static void add_slots(struct slw_observing *o, const struct slw_report *r,
                      const struct slw_report_node *n, const struct slw_cost *slots)
{
    struct named m = {.unit = "1", .better = SLW_BETTER_LOWER};
    struct slw_figure total = node_value(n);

    if (!total.absent)
        total.absent = slots->total.absent;
    if (!total.absent)
        total.value *= slots->total.value;
    const struct slw_figure f = slw_cost_per_request(&total, r->run);
    (void)snprintf(m.key, sizeof(m.key), "slots.%s", n->name);
    (void)snprintf(m.title, sizeof(m.title), "%s slots per request", n->title ? n->title : n->name);
    if (f.absent)
        add_figure(o, &m, &f, 0);
    else
        add_figure(o, &m, &f,
                   slots->per_request.value *
                       fmax(2 * n->quantum,
                            n->sample_half + n->value.value * sampled_part(&slots->total)));
}

static void add_tree(struct slw_observing *o, const struct slw_report *r)
{
    const struct slw_cost *slots = find_cost(r, "slots");
    static const struct named all = {
        .key = "slots", .title = "slots per request", .unit = "1", .better = SLW_BETTER_LOWER};

    if (slots)
        add_figure(
            o, &all, &slots->per_request,
            slots->per_request.absent ? 0 : slots->per_request.value * sampled_part(&slots->total));
    for (size_t i = 0; r->core_count == 0 && i < r->node_count; i++) {
        if (slots && r->nodes[i].level > 0 && is_slots(&r->nodes[i]))
            add_slots(o, r, &r->nodes[i], slots);
        add_share(o, &r->nodes[i], "");
    }
    for (size_t c = 0; c < r->core_count; c++)
        for (size_t i = 0; i < r->cores[c].node_count; i++)
            add_share(o, &r->cores[c].nodes[i], r->cores[c].pmu ? r->cores[c].pmu : "other");
}

/* ---- waiting ---- */

static const char *wait_key(int state)
{
    static const char *const keys[] = {
#define SLW_WAIT(id, key, words) #key,
#include "record/waits.def"
#undef SLW_WAIT
    };

    return keys[state];
}

static void add_waits(struct slw_observing *o, const struct slw_report *r)
{
    const struct slw_waiting *w = r->run->waiting;

    if (r->run->waiting_count == 0)
        return;
    for (int i = 0; i < SLW_WAIT_COUNT; i++) {
        const struct slw_figure total = {
            .value = (double)w->ns[i], .unit = "ns", .from = w->from, .coverage = 1};
        struct named m = {.unit = "ns", .better = SLW_BETTER_LOWER};

        /* Time on a CPU is CPU time; unsplit waits are all there is, or nothing. */
        if (i == SLW_WAIT_ON_CPU || (i == SLW_WAIT_UNSPLIT) == w->by_cause)
            continue;
        const struct slw_figure f = slw_cost_per_request(&total, r->run);
        (void)snprintf(m.key, sizeof(m.key), "wait.%s", wait_key(i));
        (void)snprintf(m.title, sizeof(m.title), "waiting per request (%s)",
                       slw_wait_words((enum slw_wait)i));
        add_figure(o, &m, &f, f.absent ? 0 : 1 / (double)r->run->requests.value);
    }
}

/* ---- stages ---- */

static void name_stage(struct named *m, const struct slw_stage *s, const char *what,
                       const char *words)
{
    const char *provider = s->provider ? s->provider : "";

    (void)snprintf(m->key, sizeof(m->key), "stage.%.80s%s%.80s.%s", provider,
                   provider[0] ? "." : "", s->name, what);
    (void)snprintf(m->title, sizeof(m->title), "%s in stage %.80s%s%.80s", words, provider,
                   provider[0] ? ": " : "", s->name);
}

static struct slw_figure per_call(const struct slw_stage *s, double total, const char *unit)
{
    return (struct slw_figure){.value = s->calls > 0 ? total / (double)s->calls : 0,
                               .absent = s->calls > 0 ? NULL : "no whole call",
                               .unit = unit,
                               .from = s->from,
                               .coverage = 1};
}

static void add_stage_times(struct slw_observing *o, const struct slw_report *r,
                            const struct slw_stage *s)
{
    struct named m = {.unit = "ns", .better = SLW_BETTER_LOWER};
    struct slw_figure f = {.value = (double)s->cpu_ns.value,
                           .absent = s->cpu_ns.absent,
                           .unit = "ns",
                           .from = s->from};
    struct slw_figure call = per_call(s, f.value, "ns");

    f = slw_cost_per_request(&f, r->run);
    name_stage(&m, s, "cpu_per_request", "CPU time per request");
    add_figure(o, &m, &f, 0);
    if (s->cpu_ns.absent)
        call.absent = s->cpu_ns.absent;
    name_stage(&m, s, "cpu_per_call", "CPU time per call");
    add_figure(o, &m, &call, 0);
    f = (struct slw_figure){.value = (double)s->self_ns, .unit = "ns", .from = s->from};
    f = slw_cost_per_request(&f, r->run);
    name_stage(&m, s, "time_per_request", "time per request");
    add_figure(o, &m, &f, 0);
}

static void add_stages(struct slw_observing *o, const struct slw_report *r)
{
    for (size_t i = 0; i < r->run->stage_count; i++) {
        const struct slw_stage *s = &r->run->stages[i];
        struct named m = {.unit = "1", .better = SLW_BETTER_HIGHER};
        const struct slw_figure batch = per_call(s, (double)s->requests, "1");

        add_stage_times(o, r, s);
        name_stage(&m, s, "requests_per_call", "requests per call");
        if (s->requests > 0)
            add_figure(o, &m, &batch, 0);
    }
}

void slw_observe_found(struct slw_observing *o, const struct slw_report *report)
{
    add_tree(o, report);
    add_waits(o, report);
    add_stages(o, report);
}

/* ---- what the client printed ---- */

void slw_observe_client(struct slw_observing *o, const struct slw_client_readings *client)
{
    for (size_t i = 0; i < client->count && i < SLW_MAX_READINGS; i++) {
        const struct slw_client_reading *c = &client->all[i];
        const bool requests = strcmp(c->key, "requests") == 0;
        const struct slw_observation what = {
            .metric = requests ? "client_requests" : c->key,
            .title = c->title,
            .unit = c->unit,
            .better = requests ? SLW_BETTER_NEITHER : c->better,
            .gateable = !requests && !strstr(c->key, "max"),
        };
        const struct slw_measure m = {
            .figure = {.value = c->value,
                       .from = {.source = software.source,
                                .imported = true,
                                .detail = client->reader ? client->reader : "the client's output"},
                       .coverage = 1},
            .step = c->step,
        };

        slw_observing_add(o, &what, &m);
    }
}
