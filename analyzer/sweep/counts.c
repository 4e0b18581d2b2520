/* SPDX-License-Identifier: MIT */
/* What costs are divided by. Where a batch becomes one statement, the wire tap counts it as one
 * request, so that a request is not the same thing at every batch. If the client has counted its
 * own requests, they are taken at every point; else it is said. */
#include "analyzer/statistics/lack_of_fit.h"
#include "analyzer/sweep/sweep_int.h"
#include "analyzer/sweep/text.h"

#include <math.h>
#include <string.h>

#define SAME_COUNT 1.1 /* both counts, in proportion, within this at all points */
#define FALLS      1.5 /* fewer requests by more than this for what may be the same work */

static double value_at(const struct slw_observation *o, size_t block)
{
    return o && block < o->length && o->values[block] > 0 ? o->values[block] : (double)NAN;
}

void slw_sweep_own_requests(const struct slw_sweep_build *b, size_t point, double *values)
{
    const struct slw_run *run = b->r->points[point].run;
    const struct slw_observation *seen = slw_run_find_observation(run, "requests");
    const struct slw_observation *own = slw_run_find_observation(run, "client_requests");

    for (size_t k = 0; k < b->r->blocks; k++)
        values[k] = value_at(own, k) / value_at(seen, k);
}

static double median_of(double *values, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            values[kept++] = values[i];
    return kept ? slw_median_of(values, kept) : (double)NAN;
}

bool slw_sweep_count_falls(const struct slw_sweep_build *b, const struct slw_sweep_range *range,
                           double *ret_first, double *ret_last)
{
    double *const ret[] = {ret_first, ret_last};
    const size_t points[] = {range->first, range->first + range->count - 1};

    if (b->r->own_count || !slw_sweep_asks_for_batches(b->r))
        return false;
    for (size_t i = 0; i < 2; i++) {
        const struct slw_observation *o =
            slw_run_find_observation(b->r->points[points[i]].run, "requests");

        for (size_t k = 0; k < b->r->blocks; k++)
            b->own[k] = value_at(o, k);
        *ret[i] = median_of(b->own, b->r->blocks);
    }
    return *ret_first > FALLS * *ret_last;
}

/* Were the requests of every point divided by those of its client already? */
static bool all_from_clients(const struct slw_sweep_report *r)
{
    for (size_t i = 0; i < r->point_count; i++) {
        const struct slw_run *run = r->points[i].run;
        bool found = false;

        for (size_t k = 0; k < run->note_count; k++)
            found |= strcmp(run->notes[k].code, "requests-from-client") == 0;
        if (!found)
            return false;
    }
    return r->point_count > 0;
}

int slw_sweep_choose_count(struct slw_sweep_build *b, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;
    size_t least = 0, most = 0;
    double low = (double)INFINITY, high = 0;
    struct slw_buf text = {0};

    for (size_t i = 0; i < r->point_count; i++) {
        slw_sweep_own_requests(b, i, b->own);
        const double own = median_of(b->own, r->blocks);

        if (!isfinite(own))
            return 0;
        least = own < low ? i : least;
        most = own > high ? i : most;
        low = fmin(low, own);
        high = fmax(high, own);
    }
    r->own_count = high > SAME_COUNT * low || all_from_clients(r);
    if (!r->own_count)
        return 0;
    if (!(high > SAME_COUNT * low)) {
        r->count_basis = "Requests are those that the client counted, whatever they become on the "
                         "wire, and latencies those that it printed.";
        return 0;
    }
    slw_buf_puts(&text, "One request on the wire stands for ");
    slw_sweep_put_number(&text, low);
    slw_buf_puts(&text, " of the client's own at ");
    slw_sweep_put_point(&text, r, least);
    slw_buf_puts(&text, " and for ");
    slw_sweep_put_number(&text, high);
    slw_buf_puts(&text, " at ");
    slw_sweep_put_point(&text, r, most);
    slw_buf_puts(&text, ": requests are therefore those that the client counted, and latencies "
                        "those that it printed.");
    r->count_basis = slw_sweep_keep(r->arena, &text);
    return r->count_basis ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a sentence");
}
