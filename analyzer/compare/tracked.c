/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/tracked.h"

#include "analyzer/shell_text.h"
#include "analyzer/statistics/quantile.h"
#include "analyzer/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slw_tracked slw_tracked_of_run(const struct slw_run *run)
{
    return (struct slw_tracked){.arms = {{.run = run}}, .arm_count = 1};
}

struct slw_tracked slw_tracked_of_comparison(const struct slw_comparison *comparison)
{
    const struct slw_side_of *a = &comparison->in.a, *b = &comparison->in.b;

    return (struct slw_tracked){
        .arms = {{a->name, a->run}, {b->name, b->run}}, .arm_count = 2, .comparison = comparison};
}

int slw_tracked_check(const struct slw_tracked *series, struct slw_error *err)
{
    for (size_t i = 0; i < series->arm_count; i++)
        if (series->arms[i].run->observation_count > 0)
            return 0;
    return slw_fail(err, SLW_E_NODATA, "the run has no observations: nothing of it was compared");
}

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

struct slw_tracked_summary slw_tracked_summarise(const struct slw_observation *observation)
{
    double sorted[SLW_MAX_ROUNDS];
    size_t n = 0;

    assert(observation->length <= SLW_MAX_ROUNDS);
    for (size_t i = 0; i < observation->length; i++)
        if (isfinite(observation->values[i]))
            sorted[n++] = observation->values[i];
    if (n == 0)
        return (struct slw_tracked_summary){0};
    qsort(sorted, n, sizeof(sorted[0]), by_value);
    return (struct slw_tracked_summary){.rounds = n,
                                        .median = slw_quantile_of_sorted(sorted, n, 0.5),
                                        .smallest = sorted[0],
                                        .largest = sorted[n - 1]};
}

void slw_tracked_put_real(struct slw_buf *out, double value)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    slw_buf_puts(out, text);
}

void slw_tracked_title(struct slw_buf *out, const struct slw_tracked *series, size_t columns)
{
    const struct slw_run *run = series->arms[series->arm_count - 1].run;
    struct slw_buf name = {0};

    for (size_t i = 0; i < run->label_count; i++)
        if (strcmp(run->labels[i].key, "benchmark") == 0 && name.length == 0)
            slw_buf_puts(&name, run->labels[i].value);
    if (name.length == 0)
        slw_shell_command(&name, &run->command);
    slw_text_fit(out, name.length > 0 ? name.data : "slotwise", columns);
    if (slw_buf_failed(&name))
        out->failed = true;
    slw_buf_release(&name);
}
