/* SPDX-License-Identifier: MIT */
#include "analyzer/crosscheck.h"

#include "analyzer/inputs.h"
#include "models/perf_name.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A printed decimal is exact to half of its last digit. */
static double half_digit(const char *value)
{
    const char *dot = strchr(value, '.');

    return dot ? 0.5 * pow(10, -(double)strlen(dot + 1)) : 0.5;
}

/* The comment next to a topdown-* event is that event over the sum of the four, without the
 * corrections of the CPU's table: another metric under the same name. */
static bool is_plain_share(const struct slw_report *r, const struct slw_printed *p)
{
    if (strncmp(p->name, "tma_", 4) == 0 || p->count_index < 0 ||
        (size_t)p->count_index >= r->run->count_count)
        return false;
    const int event = slw_model_find_perf_event(r->model, r->run->counts[p->count_index].event);
    return event >= 0 && r->model->events[event].role == SLW_EVENT_PERF_METRIC;
}

static bool same_core(const struct slw_report *r, const struct slw_printed *p)
{
    const char *pmu = r->pmu ? r->pmu : r->model->pmu;

    return !p->pmu || !pmu || strcmp(p->pmu, pmu) == 0;
}

/* Ours and theirs in their unit; false: there is nothing to compare. */
static bool pair(const struct slw_report *r, const struct slw_printed *p,
                 const struct slw_report_node **ret_node, double *ret_ours, double *ret_theirs)
{
    const int index = slw_inputs_find_node(r->model, p->name);
    char *end;

    if (index < 0 || (size_t)index >= r->node_count || !same_core(r, p) || is_plain_share(r, p))
        return false;
    const struct slw_report_node *n = &r->nodes[index];
    *ret_theirs = strtod(p->value, &end);
    if (n->value.absent || end == p->value || *end || !isfinite(*ret_theirs))
        return false;
    *ret_node = n;
    *ret_ours = p->unit && strcmp(p->unit, "%") == 0 ? n->value.value * 100 : n->value.value;
    return true;
}

static int note_difference(const struct slw_report *r, struct slw_run *run,
                           const struct slw_printed *p, double ours)
{
    const char *dot = strchr(p->value, '.');
    const int places = dot && strlen(dot + 1) < 9 ? (int)strlen(dot + 1) : 0;

    return slw_run_note(run, SLW_NOTE_WARNING, "printed-differs",
                        "the formulas of that perf and of this model differ, or it was another CPU",
                        "perf printed %.20s%s%s for %.60s; the model %s makes %.*f of the counts",
                        p->value, p->unit ? " " : "", p->unit ? p->unit : "", p->name,
                        r->model->name, places + 1, ours);
}

static int note_stretches(const struct slw_report *r, struct slw_run *run)
{
    const struct slw_topdown *t = &r->topdown;

    if (t->stretches < 2)
        return 0;
    if (!t->have_sum)
        return slw_run_note(run, SLW_NOTE_WARNING, "counted-apart", NULL,
                            "the parts of level 1 were measured at %zu different times, the least "
                            "of them %.0f %% of the run, and need not add up",
                            t->stretches, t->min_coverage * 100);
    return slw_run_note(
        run, SLW_NOTE_WARNING, "counted-apart", NULL,
        "the parts of level 1 were measured at %zu different times, the least of them %.0f %% of "
        "the run, and %s (sum %.1f %%)",
        t->stretches, t->min_coverage * 100,
        fabs(t->level1_sum - 1) > 0.005 ? "do not add up" : "need not add up", t->level1_sum * 100);
}

int slw_crosscheck_note(const struct slw_report *r, struct slw_run *run,
                        struct slw_crosscheck *ret_result, struct slw_error *err)
{
    struct slw_crosscheck result = {0};
    int rc = 0;

    assert(r->run == run && r->model);
    for (size_t i = 0; rc == 0 && i < run->printed_count; i++) {
        const struct slw_report_node *node = NULL;
        double ours = 0, theirs = 0;

        if (!pair(r, &run->printed[i], &node, &ours, &theirs))
            continue;
        result.checked++;
        /* 1e-9: what the conversion of decimals may be off by. */
        if (fabs(ours - theirs) <= half_digit(run->printed[i].value) + 1e-9)
            continue;
        result.different++;
        rc = note_difference(r, run, &run->printed[i], ours);
    }
    if (rc == 0 && result.checked > 0 && result.different == 0)
        rc = slw_run_note(run, SLW_NOTE_INFO, "printed-agrees", NULL,
                          "what perf printed for %zu of the metrics agrees with what the model %s "
                          "makes of the counts",
                          result.checked, r->model->name);
    if (rc == 0)
        rc = note_stretches(r, run);
    if (rc == -SLW_E_LIMIT)
        rc = 0; /* a thousand notes are there already */
    if (rc < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for notes");
    *ret_result = result;
    return 0;
}
