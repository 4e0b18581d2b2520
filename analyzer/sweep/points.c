/* SPDX-License-Identifier: MIT */
/* The arms of a sweep as points: by series, ascending in the parameter. And what is on the x axis:
 * the batches that were observed, or what was asked for. */
#include "analyzer/sweep/sweep_int.h"
#include "analyzer/sweep/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LEAST_STEP 1.01 /* from one batch to the next; less is noise, not another batch */
#define LEAST_RISE                                                                                 \
    1.5          /* from the smallest to the largest; else a line through 1/x says nothing         \
                  */
#define FLAT 1.1 /* a batch factor that rises less than this does not follow the parameter */

bool slw_sweep_number(const char *text, double *ret_value)
{
    char *end = NULL;

    /* No hexadecimal, no "nan", no spaces. */
    if (text[0] == '\0' || text[strspn(text, "0123456789.+-eE")] != '\0')
        return false;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value))
        return false;
    *ret_value = value;
    return true;
}

/* ---- parameters of an arm ---- */

static const char *value_of(const struct slw_experiment_arm *arm, const char *name)
{
    for (size_t i = 0; i < arm->parameter_count; i++)
        if (strcmp(arm->parameters[i].name, name) == 0)
            return arm->parameters[i].value;
    return NULL;
}

/* "depth=4, size=10": all but the one on the x axis, as the first arm has them in order. */
static int series_of(struct slw_sweep_build *b, const struct slw_experiment_arm *arm,
                     const char **ret_series)
{
    const struct slw_experiment_arm *first = &b->r->in.experiment->arms[0];
    struct slw_buf text = {0};
    bool any = false;

    for (size_t i = 0; i < first->parameter_count; i++) {
        const char *name = first->parameters[i].name;

        if (strcmp(name, b->r->parameter) == 0)
            continue;
        slw_buf_printf(&text, "%s%s=%s", any ? ", " : "", name, value_of(arm, name));
        any = true;
    }
    *ret_series = NULL;
    if (!any && !slw_buf_failed(&text))
        return 0;
    *ret_series = slw_sweep_keep(b->r->arena, &text);
    return *ret_series ? 0 : -SLW_E_NOMEM;
}

static int other_names(struct slw_sweep_build *b)
{
    const struct slw_experiment_arm *first = &b->r->in.experiment->arms[0];
    struct slw_buf text = {0};

    for (size_t i = 0; i < first->parameter_count; i++)
        if (strcmp(first->parameters[i].name, b->r->parameter) != 0)
            slw_buf_printf(&text, "%s%s", text.length ? ", " : "", first->parameters[i].name);
    if (text.length == 0 && !slw_buf_failed(&text))
        return 0;
    b->r->others = slw_sweep_keep(b->r->arena, &text);
    return b->r->others ? 0 : -SLW_E_NOMEM;
}

static int check_arm(const struct slw_sweep_report *r, const struct slw_experiment_arm *arm,
                     struct slw_error *err)
{
    const struct slw_experiment_arm *first = &r->in.experiment->arms[0];

    if (arm->parameter_count != first->parameter_count)
        return slw_fail(err, SLW_E_INVAL, "arm '%.80s' has %zu parameters, the first one %zu",
                        arm->name, arm->parameter_count, first->parameter_count);
    for (size_t i = 0; i < first->parameter_count; i++)
        if (!value_of(arm, first->parameters[i].name))
            return slw_fail(err, SLW_E_INVAL, "arm '%.80s' has no parameter '%.80s'", arm->name,
                            first->parameters[i].name);
    return 0;
}

/* What a person gives as a parameter is short; names and values stand in sentences. */
static int check_lengths(const struct slw_experiment_arm *arm, struct slw_error *err)
{
    for (size_t i = 0; i < arm->parameter_count; i++)
        if (strlen(arm->parameters[i].name) > SLW_MAX_PARAMETER_BYTES ||
            strlen(arm->parameters[i].value) > SLW_MAX_PARAMETER_BYTES)
            return slw_fail(err, SLW_E_LIMIT,
                            "arm '%.80s': a parameter's name or value is longer than %d bytes",
                            arm->name, SLW_MAX_PARAMETER_BYTES);
    return 0;
}

static int fill_point(struct slw_sweep_build *b, size_t i, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;
    const struct slw_experiment_arm *arm = &r->in.experiment->arms[i];
    struct slw_sweep_point *p = &r->points[i];
    int status = check_arm(r, arm, err);

    if (status >= 0)
        status = check_lengths(arm, err);
    if (status < 0)
        return status;
    p->arm = arm;
    p->run = r->in.runs[i];
    if (!slw_sweep_number(value_of(arm, r->parameter), &p->parameter) || p->parameter <= 0)
        return slw_fail(err, SLW_E_INVAL,
                        "%.80s=%.80s: costs are told against numbers above 0 only", r->parameter,
                        value_of(arm, r->parameter));
    p->x = p->parameter;
    return series_of(b, arm, &p->series) < 0
               ? slw_fail(err, SLW_E_NOMEM, "no memory for the points of a sweep")
               : 0;
}

/* ---- series ---- */

static bool same_series(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The range of the series of arm i, made when it is the first of it. */
static struct slw_sweep_range *range_of(struct slw_sweep_build *b, const char *series)
{
    for (size_t i = 0; i < b->range_count; i++)
        if (same_series(b->ranges[i].series, series))
            return &b->ranges[i];
    b->ranges[b->range_count].series = series;
    return &b->ranges[b->range_count++];
}

static int by_parameter(const void *a, const void *b)
{
    const struct slw_sweep_point *left = a, *right = b;

    return (left->parameter > right->parameter) - (left->parameter < right->parameter);
}

/* Arms came in any order: put them together by series, in the order the series came. */
static int sort_points(struct slw_sweep_build *b, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;
    struct slw_sweep_point *sorted = slw_arena_array(r->arena, r->point_count, sizeof(*sorted));
    size_t at = 0;

    if (!sorted)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the points of a sweep");
    for (size_t i = 0; i < r->point_count; i++)
        range_of(b, r->points[i].series)->count++;
    for (size_t k = 0; k < b->range_count; k++) {
        struct slw_sweep_range *range = &b->ranges[k];

        range->first = at;
        for (size_t i = 0; i < r->point_count; i++)
            if (same_series(r->points[i].series, range->series)) {
                sorted[at] = r->points[i];
                sorted[at++].series = range->series;
            }
        qsort(sorted + range->first, range->count, sizeof(*sorted), by_parameter);
    }
    r->points = sorted;
    return 0;
}

static int check_ranges(const struct slw_sweep_build *b, struct slw_error *err)
{
    const struct slw_sweep_report *r = b->r;

    for (size_t k = 0; k < b->range_count; k++) {
        const struct slw_sweep_range *range = &b->ranges[k];

        if (range->count > SLW_MAX_SWEEP_POINTS)
            return slw_fail(err, SLW_E_LIMIT, "%zu values of '%.80s', at most %d", range->count,
                            r->parameter, SLW_MAX_SWEEP_POINTS);
        for (size_t i = range->first + 1; i < range->first + range->count; i++)
            if (!(r->points[i].parameter > r->points[i - 1].parameter))
                return slw_fail(err, SLW_E_INVAL, "two arms have %.80s=%.80s", r->parameter,
                                value_of(r->points[i].arm, r->parameter));
    }
    return 0;
}

static int name_series(struct slw_sweep_build *b, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;

    if (b->ranges[0].series) {
        r->series = slw_arena_array(r->arena, b->range_count, sizeof(*r->series));
        if (!r->series)
            return slw_fail(err, SLW_E_NOMEM, "no memory for the series of a sweep");
        for (size_t k = 0; k < b->range_count; k++)
            r->series[r->series_count++] = b->ranges[k].series;
    }
    return other_names(b) < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for the names of a sweep")
                              : 0;
}

static int fill_figures(struct slw_sweep_build *b, struct slw_error *err)
{
    int status = 0;

    for (size_t i = 0; status >= 0 && i < b->r->point_count; i++) {
        struct slw_sweep_point *p = &b->r->points[i];

        status = slw_sweep_figure(b, i, &slw_sweep_batch_factor, &p->batch_factor, err);
        if (status >= 0)
            status = slw_sweep_figure(b, i, &slw_sweep_throughput, &p->throughput, err);
        if (status >= 0)
            status = slw_sweep_figure(b, i, &slw_sweep_p50, &p->p50, err);
        if (status >= 0)
            status = slw_sweep_figure(b, i, &slw_sweep_p99, &p->p99, err);
    }
    return status;
}

int slw_sweep_make_points(struct slw_sweep_build *b, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;
    int status = 0;

    r->point_count = r->in.experiment->arm_count;
    r->points = slw_arena_array(r->arena, r->point_count, sizeof(*r->points));
    b->ranges = slw_arena_array(r->arena, r->point_count, sizeof(*b->ranges));
    if (!r->points || !b->ranges)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the points of a sweep");
    if (!value_of(&r->in.experiment->arms[0], r->parameter))
        return slw_fail(err, SLW_E_INVAL, "the arms have no parameter '%.80s'", r->parameter);
    for (size_t i = 0; status >= 0 && i < r->point_count; i++)
        status = fill_point(b, i, err);
    if (status >= 0)
        status = sort_points(b, err);
    if (status >= 0)
        status = check_ranges(b, err);
    if (status >= 0)
        status = name_series(b, err);
    if (status >= 0)
        status = slw_sweep_choose_count(b, err);
    return status < 0 ? status : fill_figures(b, err);
}

/* ---- the x axis ---- */

bool slw_sweep_asks_for_batches(const struct slw_sweep_report *r)
{
    return strcasestr(r->parameter, "batch") || strcasestr(r->parameter, "pipeline");
}

bool slw_sweep_flat(const struct slw_sweep_build *b, const struct slw_sweep_range *range)
{
    double least = (double)INFINITY, most = 0;

    for (size_t i = range->first; i < range->first + range->count; i++) {
        const struct slw_figure *f = &b->r->points[i].batch_factor;

        if (f->absent)
            return false;
        least = fmin(least, f->value);
        most = fmax(most, f->value);
    }
    return range->count > 1 && most < FLAT * least;
}

/* Why the observed batches cannot be the x axis; NULL: they can. */
static const char *why_not_observed(const struct slw_sweep_build *b)
{
    const struct slw_sweep_report *r = b->r;

    for (size_t i = 0; i < r->point_count; i++) {
        if (r->points[i].batch_factor.absent)
            return r->points[i].batch_factor.absent;
        (void)slw_sweep_values(b, i, &slw_sweep_batch_factor, b->a);
        for (size_t k = 0; k < r->blocks; k++)
            if (!(b->a[k] > 0))
                return "a round has no batch factor";
    }
    for (size_t k = 0; k < b->range_count; k++) {
        const struct slw_sweep_point *p = &r->points[b->ranges[k].first];
        const size_t count = b->ranges[k].count;

        for (size_t i = 1; i < count; i++)
            if (p[i].batch_factor.value < LEAST_STEP * p[i - 1].batch_factor.value)
                return "what was observed does not rise with it";
        if (count > 1 && p[count - 1].batch_factor.value < LEAST_RISE * p[0].batch_factor.value)
            return "what was observed hardly rises with it";
    }
    return NULL;
}

int slw_sweep_choose_x(struct slw_sweep_build *b, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;
    const char *why = why_not_observed(b);
    struct slw_buf text = {0};

    r->observed_x = !why;
    for (size_t i = 0; !why && i < r->point_count; i++)
        r->points[i].x = r->points[i].batch_factor.value;
    if (why)
        slw_buf_printf(&text,
                       "Costs are told against %s as it was asked for, not against the "
                       "batches observed: %s.",
                       r->parameter, why);
    else
        slw_buf_printf(&text,
                       "Costs are told against the requests a flush that were observed, "
                       "which rise with %s.",
                       r->parameter);
    r->x_basis = slw_sweep_keep(r->arena, &text);
    return r->x_basis ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a sentence");
}
