/* SPDX-License-Identifier: MIT */
/* Points to levels: the change points of each stretch of runs that may be compared. */
#include "analyzer/format.h"
#include "analyzer/history/changes.h"
#include "analyzer/history/history_int.h"
#include "analyzer/statistics/pairs.h"
#include "analyzer/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct room {
    double *values, *scratch;
};

/* In logarithms where all values are above 0: noise of measurements is relative. What they are
 * resolved to is the coarsest step of the stretch. */
static bool fill(const struct slw_history_point *points, const double *steps, size_t n,
                 const struct room *room, double *ret_step)
{
    bool ratio = true;
    double step = 0;

    for (size_t i = 0; i < n; i++) {
        room->values[i] = points[i].value.value;
        ratio = ratio && room->values[i] > 0;
        step = fmax(step, steps[i]);
    }
    const double median = slw_changes_median(room->values, n, room->scratch);
    *ret_step = ratio ? slw_resolution_of_ratio(step, median) : step;
    for (size_t i = 0; i < n && ratio; i++)
        room->values[i] = log(room->values[i]);
    return ratio;
}

static void set_level(struct slw_history_point *points, size_t from, size_t to,
                      const struct room *room)
{
    for (size_t i = from; i < to; i++)
        room->values[i - from] = points[i].value.value;
    const double level = slw_changes_median(room->values, to - from, room->scratch);
    for (size_t i = from; i < to; i++)
        points[i].level = level;
}

static int stretch(struct slw_history *h, struct slw_history_point *points, const double *steps,
                   size_t n, const struct room *room, struct slw_error *err)
{
    size_t starts[SLW_MAX_CHANGES], count = 0;
    double step;
    const bool ratio = fill(points, steps, n, room, &step);
    const int rc = slw_changes_find(room->values, n, step, starts, &count, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i <= count; i++) {
        const size_t from = i ? starts[i - 1] : 0, to = i < count ? starts[i] : n;
        set_level(points, from, to, room);
        if (i == 0)
            continue;
        points[from].change = true;
        if (ratio)
            points[from].shift = points[from].level / points[from - 1].level - 1;
    }
    h->change_count += count;
    return 0;
}

int slw_history_levels(struct slw_history *h, const double *steps, struct slw_error *err)
{
    const struct room room = {calloc(h->point_count, sizeof(double)),
                              calloc(h->point_count, sizeof(double))};
    int rc = room.values && room.scratch ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for levels");

    for (size_t from = 0, to; rc >= 0 && from < h->point_count; from = to) {
        for (to = from + 1; to < h->point_count && !h->points[to].apart; to++)
            continue;
        rc = stretch(h, h->points + from, steps + from, to - from, &room, err);
    }
    free(room.values);
    free(room.scratch);
    return rc;
}

/* The unit may be a client's own. */
void slw_history_put_value(struct slw_buf *out, const struct slw_history *h, double value)
{
    const struct slw_figure f = {.value = value, .unit = strcmp(h->unit, "1") == 0 ? "" : h->unit};
    struct slw_buf text = {0};

    slw_format_figure(&text, &f);
    slw_text_clean(out, text.data ? text.data : "");
    out->failed |= slw_buf_failed(&text);
    slw_buf_release(&text);
}

void slw_history_put_shift(struct slw_buf *out, double shift)
{
    if (isnan(shift))
        return;
    if (shift >= 1)
        slw_buf_printf(out, "%.*fx", shift < 9 ? 1 : 0, shift + 1);
    else
        slw_buf_printf(out, "%+.*f %%", fabs(shift) < .0995 ? 1 : 0, shift * 100);
}
