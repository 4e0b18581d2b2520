/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/metrics.h"

#include "analyzer/costs.h"
#include "analyzer/facts.h"
#include "analyzer/simulated.h"
#include "analyzer/statistics/quantile.h"
#include "analyzer/traffic.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct slw_provenance software = {.source = SLW_SOURCE_SOFTWARE};

/* getrusage(2) and proc(5) tell times in microseconds; the other clocks tell nanoseconds. */
#define RUSAGE_STEP_NS 1000
/* How a time is split between user and system is known to a tick only (cputime_adjust of the kernel
 * scales counts of ticks), which is 10 ms where it is longest. The sum is exact. */
#define TICK_NS 10e6

/* Divide by the requests, the step too. */
static bool per_request(const struct slw_report *r, const struct slw_figure *total, double step,
                        struct slw_measure *ret)
{
    ret->figure = slw_cost_per_request(total, r->run);
    if (!ret->figure.absent)
        ret->step = step / (double)r->run->requests.value;
    return true;
}

static struct slw_figure count_figure(const struct slw_maybe_u64 *n,
                                      const struct slw_provenance *from)
{
    return (struct slw_figure){
        .value = n->absent ? 0 : (double)n->value, .absent = n->absent, .from = *from};
}

/* ---- counted events ---- */

/* Occurrences in the kernel are missed by a count that excludes it. */
static const char *row_absent(const struct slw_report_row *row)
{
    const bool misses_kernel = row->count->mode == SLW_MODE_USER &&
                               row->total.from.source == SLW_SOURCE_SOFTWARE &&
                               strcmp(row->total.unit, "ns") != 0;

    return !row->total.absent && misses_kernel ? "counted in user mode only" : row->total.absent;
}

/* The sum over the kinds of core, where there are several. Of a simulation that timed a part of the
 * instructions, values of the same thing are as far apart as the interval is wide to one side. */
static bool event_named(const struct slw_report *r, const char *name, size_t length,
                        struct slw_measure *ret_measure)
{
    struct slw_figure *const ret = &ret_measure->figure;
    bool found = false;

    for (size_t i = 0; i < r->row_count; i++) {
        const struct slw_report_row *row = &r->rows[i];
        const bool named = strlen(row->name) == length && memcmp(row->name, name, length) == 0;

        if (!named || (found && (!row->count->pmu || ret->absent)))
            continue;
        const double before = found ? ret->value : 0;
        *ret = row->total;
        ret->absent = row_absent(row);
        ret->value = ret->absent ? 0 : before + row->total.value;
        if (row->count->mode != SLW_MODE_ALL && !ret->from.detail)
            ret->from.detail = row->count->mode == SLW_MODE_USER ? "user mode" : "kernel mode";
        if (row->total.interval.from & SLW_INTERVAL_SAMPLE)
            ret_measure->step = slw_interval_half(&row->total.interval, row->total.value);
        found = true;
    }
    return found;
}

/* The first of the names that was counted; else why the first of them was not. */
static bool find_event(const struct slw_report *r, const char *names, struct slw_measure *ret)
{
    bool found = false;

    while (*names) {
        const size_t length = strcspn(names, " ");
        struct slw_measure m = {0};

        if (event_named(r, names, length, &m) && (!found || !m.figure.absent)) {
            *ret = m;
            found = true;
            if (!m.figure.absent)
                return true;
        }
        names += length;
        names += strspn(names, " ");
    }
    return found;
}

bool slw_metric_event_per_request(const struct slw_report *r, const char *names,
                                  struct slw_measure *ret)
{
    struct slw_measure total;

    return find_event(r, names, &total) && per_request(r, &total.figure, total.step, ret);
}

static bool event_per_request(const struct slw_report *r, const char *names,
                              struct slw_measure *ret)
{
    return slw_metric_event_per_request(r, names, ret);
}

static bool event_total(const struct slw_report *r, const char *names, struct slw_measure *ret)
{
    return find_event(r, names, ret);
}

/* Totals tell something where another execution gives the same. */
static bool simulated_total(const struct slw_report *r, const char *names, struct slw_measure *ret)
{
    return slw_simulated_is(r->run) && find_event(r, names, ret);
}

static bool time_per_request(const struct slw_report *r, const char *names, struct slw_measure *ret)
{
    struct slw_measure total;

    return find_event(r, names, &total) && per_request(r, &total.figure, TICK_NS, ret);
}

/* From misses per thousand instructions: models count them by events of many names. */
static bool misses_per_request(const struct slw_report *r, const char *node,
                               struct slw_measure *ret)
{
    static const char instructions[] = "inst_retired.any instructions inst_retired ex_ret_instr";
    struct slw_measure per;

    for (size_t i = 0; r->core_count == 0 && i < r->node_count; i++) {
        const struct slw_report_node *n = &r->nodes[i];

        if (strcmp(n->name, node) != 0 || n->level != 0)
            continue;
        ret->figure = n->value;
        if (!ret->figure.absent && n->mismeasured)
            ret->figure.absent = "mismeasured";
        memset(&per, 0, sizeof(per));
        if (ret->figure.absent || !slw_metric_event_per_request(r, instructions, &per))
            return true;
        ret->figure.absent = per.figure.absent;
        ret->figure.value *= per.figure.value / 1000;
        return true;
    }
    return false;
}

/* ---- times ---- */

static bool cpu_time(const struct slw_report *r, const char *argument, struct slw_measure *ret)
{
    struct slw_measure counted;

    (void)argument;
    ret->figure = count_figure(&r->facts->cpu_ns, &software);
    ret->step = 1;
    if (ret->figure.absent)
        return true;
    if (find_event(r, "task-clock", &counted) && !counted.figure.absent)
        ret->figure.from = counted.figure.from;
    else
        ret->step = RUSAGE_STEP_NS;
    return true;
}

static bool cpu_per_request(const struct slw_report *r, const char *argument,
                            struct slw_measure *ret)
{
    const bool have = cpu_time(r, argument, ret);
    const struct slw_figure total = ret->figure;

    return have && per_request(r, &total, ret->step, ret);
}

static bool wall_time(const struct slw_report *r, const char *argument, struct slw_measure *ret)
{
    (void)argument;
    ret->figure = count_figure(&r->run->wall_ns, &software);
    ret->step = 1;
    return true;
}

static bool requests(const struct slw_report *r, const char *argument, struct slw_measure *ret)
{
    (void)argument;
    ret->figure = count_figure(&r->run->requests, &software);
    return true;
}

static bool requests_per_second(const struct slw_report *r, const char *argument,
                                struct slw_measure *ret)
{
    const struct slw_maybe_u64 *n = &r->run->requests, *wall = &r->run->wall_ns;

    (void)argument;
    ret->figure = count_figure(n, &software);
    if (!n->absent && (wall->absent || wall->value == 0))
        ret->figure.absent = wall->absent ? wall->absent : "the window has no length";
    if (ret->figure.absent)
        return true;
    ret->figure.value = (double)n->value * 1e9 / (double)wall->value;
    ret->step = ret->figure.value / (double)wall->value;
    return true;
}

/* ---- costs and traffic ---- */

static bool cost_per_request(const struct slw_report *r, const char *key, struct slw_measure *ret)
{
    for (size_t i = 0; i < r->costs->count; i++) {
        const struct slw_cost *c = &r->costs->rows[i];

        if (strcmp(c->key, key) == 0)
            return per_request(r, &c->total,
                               c->total.unit && strcmp(c->total.unit, "ns") == 0 ? 1 : 0, ret);
    }
    return false;
}

/* Requests may be those the client counted, of which several went over the wire as one. */
static bool counted_elsewhere(const struct slw_report *r)
{
    return !r->run->requests.absent && r->traffic->present &&
           r->run->requests.value != r->traffic->seen;
}

static struct slw_figure requests_per_flush(const struct slw_report *r)
{
    struct slw_figure f = r->traffic->batch_factor;

    if (!f.absent && counted_elsewhere(r) && r->traffic->flushes > 0) {
        f.value = (double)r->run->requests.value / (double)r->traffic->flushes;
        f.interval.have = false;
    }
    return f;
}

static bool traffic_figure(const struct slw_report *r, const char *name, struct slw_measure *ret)
{
    const struct slw_traffic *t = r->traffic;

    if (!t->present)
        return false;
    ret->figure = strcmp(name, "requests_per_flush") == 0 ? requests_per_flush(r)
                  : strcmp(name, "depth") == 0            ? t->depth
                                                          : t->bytes_per_flush;
    return true;
}

static bool traffic_count(const struct slw_report *r, const char *name, struct slw_measure *ret)
{
    const struct slw_traffic *t = r->traffic;
    const uint64_t n = strcmp(name, "prepares") == 0     ? t->prepares
                       : strcmp(name, "statements") == 0 ? t->statements
                                                         : t->errors;
    const struct slw_figure total =
        count_figure(&(struct slw_maybe_u64){.value = n}, &t->batch_factor.from);

    return t->present && per_request(r, &total, 0, ret);
}

/* ---- latency ---- */

static uint64_t latencies_of(const struct slw_run *run, enum slw_latency_of of)
{
    uint64_t count = 0;

    for (size_t i = 0; i < run->latency_count; i++)
        count += run->latencies[i].of == of ? run->latencies[i].count : 0;
    return count;
}

/* Width of the bucket that holds the value. */
static double bucket_step(const struct slw_run *run, enum slw_latency_of of, double ns)
{
    for (size_t i = 0; i < run->latency_count; i++) {
        const struct slw_latency *l = &run->latencies[i];

        if (l->of == of && (double)l->low_ns <= ns && ns < (double)l->high_ns)
            return (double)l->high_ns - (double)l->low_ns;
    }
    return 0;
}

static const struct slw_figure *figure_of(const struct slw_quantiles *q, const char *name)
{
    return strcmp(name, "50") == 0     ? &q->p50
           : strcmp(name, "90") == 0   ? &q->p90
           : strcmp(name, "99") == 0   ? &q->p99
           : strcmp(name, "99.9") == 0 ? &q->p999
           : strcmp(name, "max") == 0  ? &q->max
                                       : &q->mean;
}

static bool quantile(const struct slw_report *r, const char *name, enum slw_latency_of of,
                     const struct slw_quantiles *q, struct slw_measure *ret)
{
    const double percent = strtod(name, NULL); /* 0: no quantile */
    const uint64_t seen = latencies_of(r->run, of);
    const uint64_t least = percent > 0 ? slw_quantile_least(percent / 100) : 0;

    if (!r->traffic->present)
        return false;
    ret->figure = *figure_of(q, name);
    ret->step = 1;
    if (ret->figure.absent || percent == 0)
        return true;
    ret->step = bucket_step(r->run, of, ret->figure.value);
    ret->relative = true;
    if (seen < least) {
        (void)snprintf(
            ret->why, sizeof(ret->why), "it takes %llu %s in an execution, %llu were seen",
            (unsigned long long)least, of == SLW_LATENCY_REQUEST ? "requests" : "batches",
            (unsigned long long)seen);
        ret->figure.absent = ret->why;
    }
    return true;
}

static bool request_quantile(const struct slw_report *r, const char *name, struct slw_measure *ret)
{
    const bool have = quantile(r, name, SLW_LATENCY_REQUEST, &r->traffic->request, ret);

    if (have && counted_elsewhere(r) && !ret->figure.absent)
        ret->figure.absent = "what goes over the wire is not the request that the client counts";
    return have;
}

static bool batch_quantile(const struct slw_report *r, const char *name, struct slw_measure *ret)
{
    return quantile(r, name, SLW_LATENCY_BATCH, &r->traffic->batch, ret);
}

/* ---- the table ---- */

/* clang-format off */
#define HEADLINE    SLW_METRIC_HEADLINE
#define SHOWN       SLW_METRIC_DETAIL
#define NEVER_GATED SLW_METRIC_NEVER_GATED

const struct slw_metric slw_metrics[] = {
#define SLW_METRIC(key, title, unit, better, use, alias, get, argument) \
    {key, title, unit, SLW_BETTER_##better, use, alias, get, argument},
#include "analyzer/compare/metrics.def"
#undef SLW_METRIC
};
/* clang-format on */
const size_t slw_metric_count = sizeof(slw_metrics) / sizeof(slw_metrics[0]);

const struct slw_metric *slw_metric_find(const char *key)
{
    for (size_t i = 0; i < slw_metric_count; i++)
        if (strcmp(slw_metrics[i].key, key) == 0)
            return &slw_metrics[i];
    return NULL;
}
