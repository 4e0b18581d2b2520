/* SPDX-License-Identifier: MIT */
/* The options every experiment has. */
#include "cli/experiment/experiment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MAX_WARMUP 100

static int read_seed(struct slw_measure_plan *p, struct slw_error *err)
{
    if (slw_args_has(p->args, "seed"))
        return slw_args_u64(p->args, "seed", 0, UINT64_MAX, &p->seed, err);
    if (getrandom(&p->seed, sizeof(p->seed), 0) != (ssize_t)sizeof(p->seed))
        return slw_fail_sys(err, SLW_E_IO, errno, "no random numbers");
    p->seed >>= 1; /* an integer for every reader of JSON */
    return 0;
}

static int read_patterns(struct slw_measure_plan *p, struct slw_error *err)
{
    struct slw_output_pattern **all;
    const struct slw_output_pattern *const *lent;
    size_t count = 0;
    int rc = 0;

    while (slw_args_get_nth(p->args, "metric", count))
        count++;
    if (count == 0)
        return 0;
    if (count > SLW_MAX_READINGS)
        return slw_fail(err, SLW_E_USAGE, "more than %d --metric", SLW_MAX_READINGS);
    all = calloc(count, sizeof(struct slw_output_pattern *));
    if (!all)
        return slw_fail(err, SLW_E_NOMEM, "no memory for patterns");
    memcpy(&lent, &all, sizeof(lent));
    p->patterns = lent;
    for (size_t i = 0; i < count && rc >= 0; i++) {
        rc = slw_output_pattern_new(slw_args_get_nth(p->args, "metric", i), &all[i], err);
        p->pattern_count += rc >= 0;
    }
    return rc;
}

int slw_measure_plan_settings(struct slw_measure_plan *p, struct slw_error *err)
{
    /* What repeats needs nothing warm. */
    uint64_t warmup = slw_args_has(p->args, "simulate") ? 0 : 1;
    int rc = slw_args_u64(p->args, "warmup", 0, MAX_WARMUP, &warmup, err);

    if (rc >= 0)
        rc = slw_args_duration_ms(p->args, "budget", &p->budget_ms, err);
    if (rc >= 0)
        rc = slw_args_u64(p->args, "ops", 1, UINT64_C(1) << 53, &p->operations, err);
    if (rc >= 0)
        rc = read_seed(p, err);
    if (rc >= 0)
        rc = read_patterns(p, err);
    if (rc >= 0)
        rc = slw_args_exclude(p->args, "wire", "no-wire", err);
    if (rc >= 0)
        rc = slw_args_exclude(p->args, "no-sampling", "frequency", err);
    if (rc >= 0 && slw_args_has(p->args, "budget") && p->budget_ms == 0)
        rc = slw_fail(err, SLW_E_USAGE, "--budget: nothing can be measured in no time");
    p->warmup = (size_t)warmup;
    p->setup = slw_args_get(p->args, "setup");
    p->prepare = slw_args_get(p->args, "prepare");
    p->cleanup = slw_args_get(p->args, "cleanup");
    p->quiet = slw_args_has(p->args, "quiet");
    return rc;
}

void slw_measure_plan_release(struct slw_measure_plan *p)
{
    struct slw_output_pattern **all;

    memcpy(&all, &p->patterns, sizeof(all));
    for (size_t i = 0; i < p->pattern_count; i++)
        slw_output_pattern_free(all[i]);
    free(all);
    p->patterns = NULL;
    p->pattern_count = 0;
}
