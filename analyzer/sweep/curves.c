/* SPDX-License-Identifier: MIT */
/* One cost against batches: values, fit, knees, and what the largest batch removed. */
#include "analyzer/simulated.h"
#include "analyzer/statistics/pairs.h"
#include "analyzer/sweep/sweep_int.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define MAX_METRICS 64 /* a tree has some ten categories; more curves than that nobody reads */

const struct slw_sweep_metric slw_sweep_cpu = {
    .metric = "cpu_per_request",
    .title = "CPU time per request",
    .unit = "ns",
    .parts = {"cpu_per_request"},
};
static const struct slw_sweep_metric slw_sweep_cycles = {
    .metric = "cycles_per_request",
    .title = "cycles per request",
    .unit = "1",
    .parts = {"cycles_per_request"},
};
const struct slw_sweep_metric slw_sweep_user = {
    .metric = "user_per_request",
    .title = "user time per request",
    .unit = "ns",
    .parts = {"user_per_request"},
};
const struct slw_sweep_metric slw_sweep_system = {
    .metric = "system_per_request",
    .title = "system time per request",
    .unit = "ns",
    .parts = {"system_per_request"},
};
const struct slw_sweep_metric slw_sweep_batch_factor = {
    .metric = "requests_per_flush",
    .unit = "requests",
    .parts = {"requests_per_flush"},
    .of = SLW_SWEEP_REQUESTS,
};
const struct slw_sweep_metric slw_sweep_throughput = {
    .metric = "requests_per_second",
    .unit = "requests/s",
    .parts = {"requests_per_second"},
    .of = SLW_SWEEP_REQUESTS,
};
const struct slw_sweep_metric slw_sweep_p50 = {
    .metric = "p50",
    .unit = "ns",
    .parts = {"p50"},
    .of = SLW_SWEEP_LATENCY,
    .own = "client_p50",
};
const struct slw_sweep_metric slw_sweep_p99 = {
    .metric = "p99",
    .unit = "ns",
    .parts = {"p99"},
    .of = SLW_SWEEP_LATENCY,
    .own = "client_p99",
};

/* After the slots; "sends_and_reads" is what batching saves of system calls, where only the wire
 * tap counts. */
static const struct slw_sweep_metric later[] = {
    {.metric = "sends_and_reads_per_request",
     .title = "sends and reads per request",
     .unit = "1",
     .parts = {"sends_per_request", "reads_per_request"}},
    {.metric = "syscalls_per_request", .parts = {"syscalls_per_request"}},
    {.metric = "bytes_sent_per_request", .parts = {"bytes_sent_per_request"}},
    {.metric = "bytes_received_per_request", .parts = {"bytes_received_per_request"}},
    {.metric = "instructions_per_request", .parts = {"instructions_per_request"}},
    {.metric = "icache_misses_per_request", .parts = {"icache_misses_per_request"}},
};

/* ---- which metrics ---- */

/* On a described core nobody has a clock: there it is cycles. */
static const struct slw_sweep_metric *main_metric(const struct slw_sweep_report *r)
{
    return r->point_count > 0 && slw_simulated_is(r->points[0].run) ? &slw_sweep_cycles
                                                                    : &slw_sweep_cpu;
}

struct metrics {
    struct slw_sweep_metric all[MAX_METRICS];
    size_t count;
};

static bool has_value(const struct slw_run *run, const char *metric)
{
    const struct slw_observation *o = slw_run_find_observation(run, metric);

    for (size_t i = 0; o && i < o->length; i++)
        if (isfinite(o->values[i]))
            return true;
    return false;
}

static bool some_arm_has(const struct slw_sweep_report *r, const struct slw_sweep_metric *m)
{
    for (size_t i = 0; i < r->point_count; i++)
        if (has_value(r->points[i].run, m->parts[0]) &&
            (!m->parts[1] || has_value(r->points[i].run, m->parts[1])))
            return true;
    return false;
}

static void add_metric(struct metrics *m, const struct slw_sweep_metric *metric)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->all[i].metric, metric->metric) == 0)
            return;
    if (m->count < MAX_METRICS)
        m->all[m->count++] = *metric;
}

static void add_slots(struct metrics *m, const struct slw_run *run)
{
    for (size_t i = 0; i < run->observation_count; i++) {
        const char *name = run->observations[i].metric;

        if ((strncmp(name, "slots.", 6) == 0 || strcmp(name, "slots") == 0) && has_value(run, name))
            add_metric(m, &(struct slw_sweep_metric){.metric = name, .parts = {name}});
    }
}

static struct metrics find_metrics(const struct slw_sweep_report *r)
{
    struct metrics m = {0};

    add_metric(&m, main_metric(r)); /* also where it is absent: the reason has to be seen */
    if (some_arm_has(r, &slw_sweep_user))
        add_metric(&m, &slw_sweep_user);
    if (some_arm_has(r, &slw_sweep_system))
        add_metric(&m, &slw_sweep_system);
    for (size_t i = 0; i < r->point_count; i++)
        add_slots(&m, r->points[i].run);
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        if (some_arm_has(r, &later[i]))
            add_metric(&m, &later[i]);
    return m;
}

/* ---- one curve ---- */

/* Costs of the blocks in which every point has one, as the fit wants them; how many blocks. */
static size_t complete_blocks(const struct slw_sweep_build *b, const struct slw_sweep_range *range,
                              const struct slw_sweep_metric *metric)
{
    const size_t blocks = b->r->blocks, points = range->count;
    size_t kept = 0;

    for (size_t i = 0; i < points; i++) {
        (void)slw_sweep_values(b, range->first + i, metric, b->a);
        for (size_t k = 0; k < blocks; k++)
            b->costs[k * points + i] = b->a[k];
    }
    for (size_t k = 0; k < blocks; k++) {
        bool complete = true;

        for (size_t i = 0; i < points; i++)
            complete = complete && isfinite(b->costs[k * points + i]);
        if (complete && kept != k)
            memcpy(b->costs + kept * points, b->costs + k * points, points * sizeof(*b->costs));
        kept += complete;
    }
    return kept;
}

static const char *too_little(const struct slw_sweep_build *b, const struct slw_sweep_curve *c)
{
    struct slw_arena *arena = b->r->arena;

    if (c->point_count < SLW_MIN_SWEEP_POINTS)
        return slw_arena_printf(arena, "%zu value%s of %s, a fit takes %d", c->point_count,
                                c->point_count == 1 ? "" : "s", b->r->parameter,
                                SLW_MIN_SWEEP_POINTS);
    if (c->blocks == 0)
        for (size_t i = 0; i < c->point_count; i++)
            if (c->cost[i].absent)
                return c->cost[i].absent;
    return slw_arena_printf(arena, "%zu block%s in which every point has a value, a fit takes %d",
                            c->blocks, c->blocks == 1 ? "" : "s", SLW_MIN_PAIRS);
}

/* Bad data is a curve without a fit; only the lack of memory is a failure. */
static int absent_or_fail(struct slw_sweep_build *b, struct slw_sweep_curve *c, int status,
                          const struct slw_error *why, struct slw_error *err)
{
    if (status >= 0)
        return 0;
    if (status == -SLW_E_NOMEM)
        return slw_fail(err, SLW_E_NOMEM, "%s", why->text);
    c->absent = slw_arena_strdup(b->r->arena, why->text);
    return c->absent ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a reason");
}

static int fit_curve(struct slw_sweep_build *b, struct slw_sweep_curve *c, struct slw_error *err)
{
    const struct slw_sweep s = {c->blocks, c->point_count, c->x, b->costs};
    struct slw_error why = {0};

    if (c->point_count < SLW_MIN_SWEEP_POINTS || c->blocks < SLW_MIN_PAIRS) {
        c->absent = too_little(b, c);
        return c->absent ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a reason");
    }
    int status = slw_sweep_fit_of(&s, SLW_SWEEP_ALPHA, b->r->in.experiment->seed, &c->fit, &why);
    if (status >= 0)
        status = slw_knee_seen_of(&s, SLW_SWEEP_EXCESS, SLW_SWEEP_ALPHA, &c->knee_seen, &why);
    c->knee_seen_known = status >= 0;
    c->knee_known = status >= 0 && c->fit.fits && c->fit.knee == SLW_KNEE_KNOWN;
    if (c->knee_known)
        c->knee = slw_knee_of(&c->fit, c->x[c->point_count - 1], SLW_SWEEP_EXCESS);
    return absent_or_fail(b, c, status, &why, err);
}

/* Where a cost is 0 there is no logarithm: the parts themselves, block by block. */
static int find_parts_removed(struct slw_sweep_build *b, struct slw_sweep_curve *c,
                              const struct slw_sweep_metric *metric, struct slw_error *err)
{
    struct slw_difference d;
    size_t kept = 0;

    (void)slw_sweep_values(b, c->points[0], metric, b->a);
    (void)slw_sweep_values(b, c->points[c->point_count - 1], metric, b->b);
    for (size_t k = 0; k < b->r->blocks; k++) {
        if (!isfinite(b->a[k]) || !isfinite(b->b[k]))
            continue;
        const double part = 1 - b->b[k] / b->a[k];
        if (!(b->a[k] > 0) || b->b[k] < 0 || !isfinite(part))
            return 0;
        b->d[kept++] = part;
    }
    if (kept == 0)
        return 0;
    const int status = slw_paired_interval(b->space, b->d, kept, SLW_SWEEP_ALPHA, &d, err);
    if (status < 0)
        return status;
    c->removed = d.estimate;
    if (d.enough) {
        c->removed_low = d.low;
        c->removed_high = d.high;
    }
    return 0;
}

static int find_removed(struct slw_sweep_build *b, struct slw_sweep_curve *c,
                        const struct slw_sweep_metric *metric, struct slw_error *err)
{
    struct slw_difference ratio;
    struct slw_error why = {0};

    c->removed = c->removed_low = c->removed_high = (double)NAN;
    c->part = c->part_low = c->part_high = (double)NAN;
    if (c->point_count < 2)
        return 0;
    const int status =
        slw_sweep_log_ratio(b, c->points[0], c->points[c->point_count - 1], metric, &ratio, &why);
    if (status == -SLW_E_NOMEM)
        return slw_fail(err, SLW_E_NOMEM, "%s", why.text);
    if (status < 0)
        return find_parts_removed(b, c, metric, err);
    c->removed = 0 - expm1(ratio.estimate); /* not -expm1: no minus before a 0 */
    if (ratio.enough) {
        c->removed_low = 0 - expm1(ratio.high);
        c->removed_high = 0 - expm1(ratio.low);
    }
    return 0;
}

static int allocate(struct slw_sweep_build *b, struct slw_sweep_curve *c, struct slw_error *err)
{
    c->points = slw_arena_array(b->r->arena, c->point_count, sizeof(*c->points));
    c->x = slw_arena_array(b->r->arena, c->point_count, sizeof(*c->x));
    c->cost = slw_arena_array(b->r->arena, c->point_count, sizeof(*c->cost));
    return c->points && c->x && c->cost
               ? 0
               : slw_fail(err, SLW_E_NOMEM, "no memory for a curve of a sweep");
}

static void name_curve(struct slw_sweep_curve *c, const struct slw_sweep_metric *metric,
                       const struct slw_observation *o, bool own_count)
{
    c->title = metric->title ? metric->title : c->title ? c->title : o ? o->title : NULL;
    c->unit = metric->unit ? metric->unit : c->unit ? c->unit : o ? o->unit : NULL;
    if (o)
        c->from = o->from;
    c->from.imported = c->from.imported || own_count;
}

static int make_curve(struct slw_sweep_build *b, const struct slw_sweep_range *range,
                      const struct slw_sweep_metric *metric, struct slw_sweep_curve *c,
                      struct slw_error *err)
{
    *c = (struct slw_sweep_curve){
        .metric = metric->metric, .series = range->series, .point_count = range->count};
    int status = allocate(b, c, err);

    for (size_t i = 0; status >= 0 && i < c->point_count; i++) {
        c->points[i] = range->first + i;
        c->x[i] = b->r->points[range->first + i].x;
        name_curve(c, metric,
                   slw_run_find_observation(b->r->points[range->first + i].run, metric->parts[0]),
                   b->r->own_count);
        status = slw_sweep_figure(b, range->first + i, metric, &c->cost[i], err);
    }
    if (!c->title)
        c->title = c->metric;
    if (!c->unit)
        c->unit = "";
    if (status >= 0)
        status = find_removed(b, c, metric, err);
    if (status < 0)
        return status;
    c->blocks = complete_blocks(b, range, metric);
    return fit_curve(b, c, err);
}

/* ---- what part of it ---- */

/* Values of the smallest batch less those of the largest: what was removed, block by block. */
static void removed_values(const struct slw_sweep_build *b, const struct slw_sweep_curve *c,
                           const struct slw_sweep_metric *metric, double *ret)
{
    (void)slw_sweep_values(b, c->points[0], metric, ret);
    (void)slw_sweep_values(b, c->points[c->point_count - 1], metric, b->d);
    for (size_t k = 0; k < b->r->blocks; k++)
        ret[k] -= b->d[k];
}

/* The part of `whole` that `part` is; only where every block removed something of the whole. */
static int part_of(struct slw_sweep_build *b, struct slw_sweep_curve *c, const char *name,
                   const struct slw_sweep_metric *part, const struct slw_sweep_metric *whole,
                   struct slw_error *err)
{
    struct slw_difference d;
    size_t kept = 0;

    removed_values(b, c, part, b->a);
    removed_values(b, c, whole, b->b);
    for (size_t k = 0; k < b->r->blocks; k++) {
        if (!isfinite(b->a[k]) || !isfinite(b->b[k]))
            continue;
        if (b->b[k] <= 0)
            return 0;
        b->a[kept++] = b->a[k] / b->b[k];
    }
    if (kept < SLW_MIN_PAIRS)
        return 0;
    const int status = slw_paired_interval(b->space, b->a, kept, SLW_SWEEP_ALPHA, &d, err);
    if (status < 0)
        return status;
    c->part_of = name;
    c->part = d.estimate;
    c->part_low = d.low;
    c->part_high = d.high;
    return 0;
}

/* Front-end slots of all slots, where there are slots; else system time of CPU time. */
static int find_part(struct slw_sweep_build *b, struct slw_sweep_curve *c, struct slw_error *err)
{
    static const struct slw_sweep_metric slots = {.parts = {"slots"}};
    static const struct slw_sweep_metric frontend = {.parts = {"slots.frontend_bound"}};
    int status = 0;

    if (!(c->removed_low > 0))
        return 0;
    status = part_of(b, c, "front-end", &frontend, &slots, err);
    if (status >= 0 && !c->part_of)
        status = part_of(b, c, "system time", &slw_sweep_system, &slw_sweep_cpu, err);
    return status;
}

struct slw_sweep_curve *slw_sweep_cpu_curve(const struct slw_sweep_report *r, const char *series)
{
    for (size_t i = 0; i < r->curve_count; i++)
        if (r->curves[i].series == series &&
            strcmp(r->curves[i].metric, main_metric(r)->metric) == 0)
            return &r->curves[i];
    return NULL;
}

int slw_sweep_make_curves(struct slw_sweep_build *b, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;
    const struct metrics m = find_metrics(r);
    int status = 0;

    r->curves = slw_arena_array(r->arena, m.count * b->range_count, sizeof(*r->curves));
    if (!r->curves)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the curves of a sweep");
    for (size_t i = 0; i < m.count; i++)
        for (size_t k = 0; status >= 0 && k < b->range_count; k++)
            status = make_curve(b, &b->ranges[k], &m.all[i], &r->curves[r->curve_count++], err);
    for (size_t k = 0; status >= 0 && k < b->range_count; k++) {
        struct slw_sweep_curve *c = slw_sweep_cpu_curve(r, b->ranges[k].series);

        assert(c);
        if (c->point_count > 1)
            status = find_part(b, c, err);
    }
    return status;
}
