/* SPDX-License-Identifier: MIT */
#include "cli/experiment/compare.h"

#include "analyzer/compare/observe.h"
#include "analyzer/compare/renderer.h"

#include <string.h>

/* A run that was saved before there were observations, or by another tool. */
static int side_of(const struct slw_arm *arm, struct slw_side_of *ret, struct slw_error *err)
{
    int rc = slw_observe_run(arm->run, arm->report, err);

    *ret = (struct slw_side_of){.name = arm->name,
                                .run = arm->run,
                                .report = arm->report,
                                .stacks = arm->stacks,
                                .moments = arm->moments};
    return rc;
}

int slw_judge_arms(const struct slw_arm *a, const struct slw_arm *b,
                   const struct slw_experiment *experiment, const struct slw_judging *how,
                   struct slw_judged_arms *ret, struct slw_error *err)
{
    struct slw_comparison_input in = {.experiment = experiment,
                                      .margin = how->margin,
                                      .equivalence_90 = how->equivalence_90,
                                      .force = how->force};
    int rc = 0;

    *ret = (struct slw_judged_arms){0};
    if (how->gates)
        rc = slw_gates_parse(how->gates, &ret->gates, err);
    in.gates = how->gates ? &ret->gates : NULL;
    if (rc >= 0)
        rc = side_of(a, &in.a, err);
    if (rc >= 0)
        rc = side_of(b, &in.b, err);
    return rc < 0 ? rc : slw_comparison_new(&in, &ret->comparison, err);
}

void slw_judged_release(struct slw_judged_arms *j)
{
    slw_comparison_free(j->comparison);
    j->comparison = NULL;
}

struct slw_judging slw_judging_of(const struct slw_experiment *e)
{
    return (struct slw_judging){
        .gates = e->gates, .margin = e->margin, .equivalence_90 = e->equivalence_90};
}

int slw_compare_status(const struct slw_comparison *c, bool inconclusive_passes)
{
    switch (c->gate) {
    case SLW_GATE_REGRESSED:
        return SLW_EXIT_REGRESSED;
    case SLW_GATE_INCONCLUSIVE:
        return inconclusive_passes ? 0 : SLW_EXIT_INCONCLUSIVE;
    case SLW_GATE_PASSED:
        break;
    }
    return 0;
}

int slw_comparison_put(const struct slw_comparison *c, const char *format,
                       const struct slw_render_options *opts, struct slw_buf *out,
                       struct slw_error *err)
{
    const struct slw_comparison_renderer *renderer =
        format ? slw_comparison_renderer_find(format) : slw_comparison_renderers[0];

    if (!renderer)
        return slw_fail(err, SLW_E_USAGE, "there is no format '%.40s' for a comparison", format);
    return renderer->render(c, opts, out, err);
}
