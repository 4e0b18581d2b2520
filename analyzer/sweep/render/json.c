/* SPDX-License-Identifier: MIT */
/* A sweep for programs, and for the page that draws its curves. docs/sweep.md documents every key.
 * Names are whole and unchanged; numbers that are unknown are null with a reason next to them. */
#include "analyzer/sweep/json.h"
#include "analyzer/sweep/sweep.h"
#include "analyzer/sweep/text.h"

#include "analyzer/format.h"
#include "analyzer/json_value.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#define SWEEP_SCHEMA   1
#define REAL_PRECISION 12 /* digits; more than any measurement here has */

/* {"value", "low", "high", "unit", "absent", provenance} */
static json_t *figure_json(struct slw_json *j, const struct slw_figure *f)
{
    json_t *o = json_object();
    const bool have = !f->absent && f->interval.have;

    slw_json_put(j, o, "value", f->absent ? json_null() : slw_json_real(f->value));
    slw_json_put(j, o, "low", have ? slw_json_real(f->interval.low) : json_null());
    slw_json_put(j, o, "high", have ? slw_json_real(f->interval.high) : json_null());
    slw_json_put_text(j, o, "unit", f->unit);
    slw_json_put_text(j, o, "absent", f->absent);
    slw_json_put_provenance(j, o, &f->from);
    return o;
}

static json_t *triple_json(struct slw_json *j, double value, double low, double high)
{
    json_t *o = json_object();

    slw_json_put(j, o, "value", slw_json_real(value));
    slw_json_put(j, o, "low", slw_json_real(low));
    slw_json_put(j, o, "high", slw_json_real(high));
    return o;
}

static json_t *difference_json(struct slw_json *j, const struct slw_difference *d)
{
    return d->enough ? triple_json(j, d->estimate, d->low, d->high)
                     : triple_json(j, d->estimate, (double)NAN, (double)NAN);
}

/* ---- the experiment ---- */

static json_t *experiment_json(struct slw_json *j, const struct slw_experiment *e)
{
    static const char *const stopped[] = {"rounds", "settled", "budget", "interrupted", "failed"};
    json_t *o = json_object();

    slw_json_put_text(j, o, "id", e->id);
    slw_json_put_text(j, o, "tool", e->tool);
    slw_json_put(j, o, "seed", slw_json_integer(e->seed));
    slw_json_put(j, o, "started_realtime_ns", slw_json_integer(e->started_realtime_ns));
    slw_json_put(j, o, "warmup", slw_json_integer(e->warmup));
    slw_json_put(j, o, "budget_ms", e->budget_ms ? slw_json_integer(e->budget_ms) : json_null());
    slw_json_put_text(j, o, "stopped", stopped[e->stopped]);
    slw_json_put_text(j, o, "setup", e->setup);
    slw_json_put_text(j, o, "prepare", e->prepare);
    slw_json_put_text(j, o, "cleanup", e->cleanup);
    return o;
}

static json_t *host_json(struct slw_json *j, const struct slw_host *h)
{
    json_t *o = json_object();

    slw_json_put_text(j, o, "hostname", h->hostname);
    slw_json_put_text(j, o, "os", h->os);
    slw_json_put_text(j, o, "kernel", h->kernel);
    slw_json_put_text(j, o, "hypervisor", h->hypervisor);
    slw_json_put_text(j, o, "cpu", h->cpu.name);
    slw_json_put(j, o, "cpus_online",
                 h->cpu.online_count > 0 ? json_integer(h->cpu.online_count) : json_null());
    return o;
}

/* ---- points ---- */

static json_t *point_json(struct slw_json *j, const struct slw_sweep_point *p)
{
    json_t *o = json_object(), *parameters = json_array();

    slw_json_put_text(j, o, "arm", p->arm->name);
    slw_json_put_text(j, o, "command", p->arm->command);
    slw_json_put_text(j, o, "directory", p->arm->directory);
    for (size_t i = 0; i < p->arm->parameter_count; i++) {
        json_t *one = json_object();

        slw_json_put_text(j, one, "name", p->arm->parameters[i].name);
        slw_json_put_text(j, one, "value", p->arm->parameters[i].value);
        slw_json_push(j, parameters, one);
    }
    slw_json_put(j, o, "parameters", parameters);
    slw_json_put_text(j, o, "series", p->series);
    slw_json_put(j, o, "parameter", slw_json_real(p->parameter));
    slw_json_put(j, o, "x", slw_json_real(p->x));
    slw_json_put(j, o, "requests_per_flush", figure_json(j, &p->batch_factor));
    slw_json_put(j, o, "requests_per_second", figure_json(j, &p->throughput));
    slw_json_put(j, o, "p50", figure_json(j, &p->p50));
    slw_json_put(j, o, "p99", figure_json(j, &p->p99));
    return o;
}

/* ---- curves ---- */

static json_t *fit_json(struct slw_json *j, const struct slw_sweep_curve *c)
{
    if (c->absent)
        return json_null();
    json_t *o = json_object();
    const bool fits = c->fit.fits;
    slw_json_put(j, o, "fits", json_boolean(fits));
    slw_json_put(j, o, "fixed", fits ? difference_json(j, &c->fit.fixed) : json_null());
    slw_json_put(j, o, "marginal", fits ? difference_json(j, &c->fit.marginal) : json_null());
    slw_json_put(j, o, "tested", json_boolean(c->fit.tested));
    slw_json_put(j, o, "lack_p", c->fit.tested ? slw_json_real(c->fit.lack_p) : json_null());
    slw_json_put(j, o, "misfit", slw_json_real(c->fit.misfit));
    slw_json_put(j, o, "block_correlation", slw_json_real(c->fit.block_correlation));
    return o;
}

static json_t *knee_json(struct slw_json *j, const struct slw_sweep_curve *c)
{
    static const char *const states[] = {"known", "no-fixed-cost", "no-marginal-cost"};
    json_t *o = json_object();
    const char *state = c->absent      ? "no-fit"
                        : !c->fit.fits ? "model-does-not-fit"
                                       : states[c->fit.knee];

    slw_json_put_text(j, o, "state", state);
    slw_json_put(j, o, "at", c->knee_known ? slw_json_real(c->knee.at) : json_null());
    slw_json_put(j, o, "low", c->knee_known ? slw_json_real(c->knee.low) : json_null());
    slw_json_put(j, o, "high", c->knee_known ? slw_json_real(c->knee.high) : json_null());
    slw_json_put(j, o, "extrapolated", json_boolean(c->knee_known && c->knee.beyond));
    return o;
}

static json_t *seen_json(struct slw_json *j, const struct slw_sweep_curve *c)
{
    if (!c->knee_seen_known)
        return json_null();
    json_t *o = json_object();
    slw_json_put(j, o, "first_possible", slw_json_integer(c->points[c->knee_seen.first_possible]));
    slw_json_put(j, o, "first_sure", slw_json_integer(c->points[c->knee_seen.first_sure]));
    return o;
}

static json_t *curve_points_json(struct slw_json *j, const struct slw_sweep_curve *c)
{
    json_t *array = json_array();

    for (size_t i = 0; i < c->point_count; i++) {
        json_t *o = figure_json(j, &c->cost[i]);

        slw_json_put(j, o, "point", slw_json_integer(c->points[i]));
        slw_json_put(j, o, "x", slw_json_real(c->x[i]));
        slw_json_put(j, o, "fitted", slw_json_real(slw_sweep_fitted(c, c->x[i])));
        slw_json_push(j, array, o);
    }
    return array;
}

static json_t *curve_json(struct slw_json *j, const struct slw_sweep_curve *c)
{
    json_t *o = json_object();

    slw_json_put_text(j, o, "metric", c->metric);
    slw_json_put_text(j, o, "title", c->title);
    slw_json_put_text(j, o, "unit", c->unit);
    slw_json_put_text(j, o, "series", c->series);
    slw_json_put_provenance(j, o, &c->from);
    slw_json_put(j, o, "points", curve_points_json(j, c));
    slw_json_put(j, o, "blocks", slw_json_integer(c->blocks));
    slw_json_put_text(j, o, "absent", c->absent);
    slw_json_put(j, o, "fit", fit_json(j, c));
    slw_json_put(j, o, "knee", knee_json(j, c));
    slw_json_put(j, o, "knee_seen", seen_json(j, c));
    slw_json_put(j, o, "removed", triple_json(j, c->removed, c->removed_low, c->removed_high));
    slw_json_put_text(j, o, "part_of", c->part_of);
    slw_json_put(j, o, "part",
                 c->part_of ? triple_json(j, c->part, c->part_low, c->part_high) : json_null());
    slw_json_put_text(j, o, "text", c->text);
    return o;
}

/* ---- the rest ---- */

static json_t *price_json(struct slw_json *j, const struct slw_sweep_price *p)
{
    json_t *o = json_object();

    slw_json_put_text(j, o, "series", p->series);
    slw_json_put(j, o, "from", slw_json_integer(p->from));
    slw_json_put(j, o, "to", slw_json_integer(p->to));
    slw_json_put_text(j, o, "at", p->at_knee ? "knee" : "largest");
    slw_json_put(j, o, "p50", figure_json(j, &p->p50));
    slw_json_put(j, o, "p99", figure_json(j, &p->p99));
    slw_json_put_text(j, o, "text", p->text);
    return o;
}

static void put_tables(struct slw_json *j, json_t *o, const struct slw_sweep_report *r)
{
    json_t *points = json_array(), *curves = json_array(), *prices = json_array();

    for (size_t i = 0; i < r->point_count; i++)
        slw_json_push(j, points, point_json(j, &r->points[i]));
    for (size_t i = 0; i < r->curve_count; i++)
        slw_json_push(j, curves, curve_json(j, &r->curves[i]));
    for (size_t i = 0; i < r->price_count; i++)
        slw_json_push(j, prices, price_json(j, &r->prices[i]));
    slw_json_put(j, o, "points", points);
    slw_json_put(j, o, "curves", curves);
    slw_json_put(j, o, "latency_prices", prices);
}

json_t *slw_sweep_json(const struct slw_sweep_report *r)
{
    json_t *o = json_object(), *series = json_array();
    struct slw_json j = {0};

    slw_json_put(&j, o, "schema", json_integer(SWEEP_SCHEMA));
    slw_json_put_text(&j, o, "kind", "sweep");
    slw_json_put_text(&j, o, "verdict", r->verdict);
    slw_json_put_text(&j, o, "verdict_basis", r->verdict_basis);
    slw_json_put(&j, o, "experiment", experiment_json(&j, r->in.experiment));
    slw_json_put(&j, o, "host", host_json(&j, &r->points[0].run->host));
    slw_json_put(&j, o, "blocks", slw_json_integer(r->blocks));
    slw_json_put_text(&j, o, "parameter", r->parameter);
    slw_json_put_text(&j, o, "other_parameters", r->others);
    for (size_t i = 0; i < r->series_count; i++)
        slw_json_push(&j, series, slw_json_text(r->series[i]));
    slw_json_put(&j, o, "series", series);
    slw_json_put(&j, o, "observed_x", json_boolean(r->observed_x));
    slw_json_put_text(&j, o, "x_basis", r->x_basis);
    slw_json_put(&j, o, "own_count", json_boolean(r->own_count));
    slw_json_put_text(&j, o, "count_basis", r->count_basis);
    slw_json_put(&j, o, "knee_excess", slw_json_real(SLW_SWEEP_EXCESS));
    put_tables(&j, o, r);
    slw_json_put(&j, o, "notes", slw_json_notes(&j, r->notes, r->note_count));
    return slw_json_done(&j, o);
}

static int render(const struct slw_sweep_report *sweep, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    json_t *o = slw_sweep_json(sweep);
    char *text = o ? json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_PRECISION)) : NULL;

    (void)opts;
    if (text)
        slw_json_print(out, text);
    json_decref(o);
    if (!text || slw_buf_failed(out)) {
        free(text);
        return slw_fail(err, SLW_E_NOMEM, "no memory for the report");
    }
    free(text);
    return 0;
}

const struct slw_sweep_renderer slw_sweep_renderer_json = {
    .name = "json",
    .summary = "for programs: everything",
    .extension = "json",
    .render = render,
};
