/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/both.h"

#include "analyzer/compare/modules.h"
#include "record/stacks_merge.h"

#include <stdlib.h>
#include <string.h>

/* Columns of one side. */
struct side {
    const struct slw_stacks *stacks;
    int samples, weight; /* -1: does not say */
};

static int find_columns(struct side *s, const char *event, const char *which, struct slw_error *err)
{
    s->weight = slw_stacks_find_column(s->stacks, event, NULL);
    s->samples = slw_stacks_find_column(s->stacks, event, "count");
    if (s->weight < 0)
        s->weight = s->samples;
    return s->weight >= 0 ? 0
                          : slw_fail(err, SLW_E_NOTFOUND, "the event '%.60s' was not sampled in %s",
                                     event ? event : "", which);
}

static int check_columns(const struct slw_column *a, const struct slw_column *b, bool force,
                         struct slw_error *err)
{
    if (strcmp(a->unit, b->unit) != 0)
        return slw_fail(err, SLW_E_INVAL, "%.60s is in %.40s in A and in %.40s in B", a->event,
                        a->unit, b->unit);
    if (!force && (a->from.source != b->from.source || a->from.imported != b->from.imported)) {
        slw_error_hint(err, "profile both in the same way, or use --force");
        return slw_fail(err, SLW_E_INVAL, "%.60s was not measured in the same way in A and B",
                        a->event);
    }
    return 0;
}

static int make_stacks(struct slw_both *both, struct slw_error *err)
{
    struct slw_column columns[SLW_BOTH_COLUMNS];
    static const char *const events[] = {NULL, NULL, "A", "A", "B", "B"};

    for (size_t i = 0; i < SLW_BOTH_COLUMNS; i++) {
        columns[i] = *both->column;
        if (events[i])
            columns[i].event = events[i];
        if (i % 2 == 0)
            columns[i].unit = "count";
    }
    return slw_stacks_new(columns, SLW_BOTH_COLUMNS, &both->stacks, err);
}

static int copy_side(struct slw_both *both, size_t which, const struct side *s,
                     const struct slw_stacks_names *names, struct slw_error *err)
{
    uint64_t weights[SLW_BOTH_COLUMNS];

    both->paths[which] = calloc(slw_stacks_path_count(s->stacks) + 1, sizeof(uint32_t));
    if (!both->paths[which])
        return slw_fail(err, SLW_E_NOMEM, "no memory for the stacks of both runs");
    int rc = slw_stacks_copy_paths(both->stacks, s->stacks, names, both->paths[which], err);
    for (size_t i = 0; rc == 0 && i < slw_stacks_count(s->stacks); i++) {
        const uint64_t *from = slw_stacks_weights(s->stacks, i);
        const size_t own = which ? SLW_BOTH_B_SAMPLES : SLW_BOTH_A_SAMPLES;

        memset(weights, 0, sizeof(weights));
        weights[SLW_BOTH_SAMPLES] = weights[own] = s->samples >= 0 ? from[s->samples] : 0;
        weights[SLW_BOTH_WEIGHT] = weights[own + 1] = from[s->weight];
        rc = slw_stacks_weigh(both->stacks, both->paths[which][slw_stacks_leaf(s->stacks, i)],
                              weights);
        if (rc < 0)
            rc = slw_fail(err, (enum slw_code) - rc, "cannot put the samples of both together");
    }
    return rc;
}

static int copy_both(struct slw_both *both, const struct side *a, const struct side *b,
                     struct slw_error *err)
{
    const struct slw_stacks_names names = {
        calloc(slw_stacks_mapping_count(b->stacks) + 1, sizeof(char *)),
        calloc(slw_stacks_thread_count(b->stacks) + 1, sizeof(char *))};
    int rc = names.modules && names.threads ? slw_modules_match(a->stacks, b->stacks, names.modules)
                                            : -SLW_E_NOMEM;

    if (rc < 0)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for the files of both runs");
    if (rc == 0) {
        slw_threads_match(a->stacks, b->stacks, names.modules, names.threads);
        rc = copy_side(both, 0, a, NULL, err);
    }
    if (rc == 0)
        rc = copy_side(both, 1, b, &names, err);
    free(names.modules);
    free(names.threads);
    return rc;
}

int slw_both_init(struct slw_both *both, const struct slw_stacks *a, const struct slw_stacks *b,
                  const char *event, bool force, struct slw_error *err)
{
    struct side left = {.stacks = a}, right = {.stacks = b};

    *both = (struct slw_both){0};
    if (!event)
        event = slw_stacks_column(a, 0)->event;
    int rc = find_columns(&left, event, "A", err);
    if (rc == 0)
        rc = find_columns(&right, event, "B", err);
    if (rc < 0)
        return rc;
    both->column = slw_stacks_column(a, (size_t)left.weight);
    both->has_samples = left.samples >= 0 && right.samples >= 0;
    rc = check_columns(both->column, slw_stacks_column(b, (size_t)right.weight), force, err);
    if (rc == 0)
        rc = make_stacks(both, err);
    return rc < 0 ? rc : copy_both(both, &left, &right, err);
}

void slw_both_release(struct slw_both *both)
{
    slw_stacks_free(both->stacks);
    free(both->paths[0]);
    free(both->paths[1]);
    *both = (struct slw_both){0};
}
