/* SPDX-License-Identifier: MIT */
#include "cli/metrics.h"

#include "analyzer/compare/counted.h"
#include "analyzer/compare/observe.h"
#include "analyzer/compare/tracked.h"
#include "cli/render.h"

/* counts: NULL, or where the counts of the report go. */
static int observe(struct slw_run *run, const struct slw_stacks *stacks, struct slw_buf *counts,
                   struct slw_error *err)
{
    struct slw_models models = {0};
    struct slw_report *report = NULL;
    int rc = slw_models_load(run, &models);

    if (rc < 0)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for a CPU model");
    if (rc >= 0)
        rc = slw_models_report(run, stacks, &models, &report, err);
    if (rc >= 0 && counts)
        rc = slw_counted_openmetrics(report, counts, err);
    if (rc >= 0)
        rc = slw_observe_run(run, report, err);
    slw_report_free(report);
    slw_models_release(&models);
    return rc;
}

int slw_metrics_observe(struct slw_run *run, const struct slw_stacks *stacks, struct slw_error *err)
{
    return run->observation_count > 0 ? 0 : observe(run, stacks, NULL, err);
}

int slw_metrics_text(struct slw_run *run, const struct slw_stacks *stacks, struct slw_buf *out,
                     struct slw_error *err)
{
    int rc = observe(run, stacks, out, err);

    if (rc < 0)
        return rc;
    struct slw_run silent = *run;
    silent.command.argc = 0;
    const struct slw_tracked series = slw_tracked_of_run(&silent);
    if (run->observation_count > 0)
        return slw_tracked_openmetrics(&series, out, err);
    slw_buf_puts(out, "# EOF\n");
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for metrics") : 0;
}
