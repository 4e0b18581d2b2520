/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/change_text.h"

#include "analyzer/format.h"

#include <math.h>
#include <string.h>

/* Without its unit where that says nothing ("1"); nanoseconds that are few keep their fraction. */
void slw_change_put_value(struct slw_buf *out, const struct slw_figure *figure)
{
    struct slw_figure f = *figure;
    const char *unit = f.unit ? f.unit : "";

    if (!f.absent && isfinite(f.value) && strcmp(unit, "ns") == 0 && fabs(f.value) < 100) {
        slw_format_number(out, f.value);
        slw_buf_puts(out, " ns");
        return;
    }
    if (strcmp(unit, "1") == 0)
        f.unit = NULL;
    slw_format_figure(out, &f);
}

void slw_change_put_ratio(struct slw_buf *out, double log_ratio)
{
    const double percent = expm1(log_ratio) * 100;

    if (fabs(log_ratio) > 600) /* exp() would leave the range of numbers */
        slw_buf_printf(out, "x 1e%+.0f", log_ratio / log(10));
    else if (percent > 999.5 || percent < -99.5)
        slw_buf_printf(out, "x %.3g", exp(log_ratio));
    else if (percent == 0)
        slw_buf_puts(out, "0 %");
    else
        slw_buf_printf(out, "%+.*f %%",
                       fabs(percent) < 0.095  ? 2
                       : fabs(percent) < 9.95 ? 1
                                              : 0,
                       percent);
}

void slw_change_put_end(struct slw_buf *out, const struct slw_metric_row *row, double end)
{
    if (row->kind == SLW_PAIRS_RATIO) {
        slw_change_put_ratio(out, end);
        return;
    }
    const struct slw_figure f = {.value = fabs(end), .unit = row->unit};
    slw_buf_puts(out, end < 0 ? "-" : end > 0 ? "+" : "");
    slw_change_put_value(out, &f);
}

static bool has_difference(const struct slw_metric_row *row)
{
    return !row->absent && row->kind != SLW_PAIRS_NONE && row->kind != SLW_PAIRS_ZERO;
}

void slw_change_put_estimate(struct slw_buf *out, const struct slw_metric_row *row)
{
    if (has_difference(row))
        slw_change_put_end(out, row, row->difference.estimate);
    else if (row->absent)
        slw_buf_puts(out, row->absent);
    else
        slw_buf_puts(out, row->kind == SLW_PAIRS_ZERO ? "none (0 in all rounds)" : "unknown");
}

void slw_change_put_interval(struct slw_buf *out, const struct slw_metric_row *row)
{
    if (!has_difference(row))
        return;
    slw_change_put_end(out, row, row->difference.low);
    slw_buf_puts(out, " to ");
    slw_change_put_end(out, row, row->difference.high);
}

void slw_change_put_whole(struct slw_buf *out, const struct slw_metric_row *row)
{
    const struct slw_difference *d = &row->difference;

    slw_change_put_estimate(out, row);
    if (!has_difference(row))
        return;
    if (row->deterministic && d->equal) {
        slw_buf_puts(out, " (the same in every round)");
        return;
    }
    if (d->enough)
        slw_buf_printf(out, " (%.4g %% interval ", d->level * 100);
    else
        slw_buf_printf(out, " (%zu %s, too few for an interval: ", d->pairs,
                       d->pairs == 1 ? "pair" : "pairs");
    slw_change_put_interval(out, row);
    slw_buf_putc(out, ')');
}

void slw_change_put_forecast(struct slw_buf *out, const struct slw_metric_row *row)
{
    switch (row->forecast.kind) {
    case SLW_FORECAST_NONE:
        break;
    case SLW_FORECAST_ROUNDS:
        slw_buf_printf(out, "about %zu more rounds would settle it (could be a third of that)",
                       row->forecast.more);
        break;
    case SLW_FORECAST_HARDLY:
        slw_buf_puts(out, "more rounds will hardly settle it at this margin; at ");
        slw_change_put_end(out, row, row->forecast.margin);
        slw_buf_puts(out, " they could");
        break;
    }
}

enum slw_judged slw_change_word(const struct slw_metric_row *row)
{
    return row->gate ? row->gate_word : row->judgement.word;
}
