/* SPDX-License-Identifier: MIT */
#include "cli/experiment/compare.h"

#include "analyzer/compare/renderer.h"
#include "analyzer/sweep/sweep.h"

#include <string.h>

/* All names one after the other: of runs, of comparisons, of sweeps. */
static const char *format_at(size_t i)
{
    if (i < slw_renderer_count)
        return slw_renderers[i]->name;
    i -= slw_renderer_count;
    if (i < slw_comparison_renderer_count)
        return slw_comparison_renderers[i]->name;
    i -= slw_comparison_renderer_count;
    return i < slw_sweep_renderer_count ? slw_sweep_renderers[i]->name : NULL;
}

static bool is_repeated(size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(format_at(i), format_at(at)) == 0)
            return true;
    return false;
}

const char *slw_report_formats(size_t i)
{
    for (size_t at = 0; format_at(at); at++)
        if (!is_repeated(at) && i-- == 0)
            return format_at(at);
    return NULL;
}

static int render_comparison(const struct slw_loaded_experiment *l, const char *format,
                             const struct slw_render_options *opts, struct slw_buf *out,
                             struct slw_error *err)
{
    const struct slw_judging how = slw_judging_of(l->experiment);
    struct slw_judged_arms judged;
    int rc = slw_judge_arms(&l->arms[0], &l->arms[1], l->experiment, &how, &judged, err);

    if (rc >= 0)
        rc = slw_comparison_put(judged.comparison, format, opts, out, err);
    slw_judged_release(&judged);
    return rc;
}

static int put_sweep(const struct slw_sweep_report *report, const char *format,
                     const struct slw_render_options *opts, struct slw_buf *out,
                     struct slw_error *err)
{
    const struct slw_sweep_renderer *renderer =
        format ? slw_sweep_renderer_find(format) : slw_sweep_renderers[0];

    if (!renderer)
        return slw_fail(err, SLW_E_USAGE, "there is no format '%.40s' for a sweep", format);
    return renderer->render(report, opts, out, err);
}

static int render_sweep(const struct slw_loaded_experiment *l, const char *format,
                        const struct slw_render_options *opts, struct slw_buf *out,
                        struct slw_error *err)
{
    const struct slw_run *runs[SLW_MAX_ARMS];
    const struct slw_report *reports[SLW_MAX_ARMS];
    const struct slw_sweep_input in = {
        .experiment = l->experiment, .runs = runs, .reports = reports};
    struct slw_sweep_report *report = NULL;

    for (size_t i = 0; i < l->arm_count; i++) {
        runs[i] = l->arms[i].run;
        reports[i] = l->arms[i].report;
    }
    int rc = slw_sweep_report_new(&in, &report, err);
    if (rc >= 0)
        rc = put_sweep(report, format, opts, out, err);
    slw_sweep_report_free(report);
    return rc;
}

int slw_experiment_render(const struct slw_loaded_experiment *l, const char *format,
                          const struct slw_render_options *opts, struct slw_buf *out,
                          struct slw_error *err)
{
    if (l->experiment->kind == SLW_EXPERIMENT_COMPARE)
        return render_comparison(l, format, opts, out, err);
    return render_sweep(l, format, opts, out, err);
}
