/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/words.h"

#include "analyzer/format.h"
#include "analyzer/simulated.h"
#include "analyzer/text.h"

#include <math.h>
#include <string.h>

/* ---- words ---- */

const char *slw_row_word(const struct slw_metric_row *row)
{
    static const char *const words[] = {
        [SLW_JUDGED_INCONCLUSIVE] = "inconclusive",
        [SLW_JUDGED_NO_CHANGE] = "no change",
        [SLW_JUDGED_IMPROVED] = "improved",
        [SLW_JUDGED_REGRESSED] = "regressed",
    };
    const enum slw_judged word = row->judgement.word;

    if (row->absent)
        return "unknown";
    if (row->better == SLW_BETTER_NEITHER &&
        (word == SLW_JUDGED_IMPROVED || word == SLW_JUDGED_REGRESSED))
        return row->difference.low > 0 ? "higher" : "lower";
    return words[word];
}

const char *slw_gate_word(enum slw_gate gate)
{
    static const char *const words[] = {[SLW_GATE_PASSED] = "passed",
                                        [SLW_GATE_REGRESSED] = "failed",
                                        [SLW_GATE_INCONCLUSIVE] = "inconclusive"};

    return words[gate];
}

const char *slw_row_gate_word(const struct slw_metric_row *row)
{
    if (row->rank != SLW_METRIC_GATED)
        return "";
    return slw_gate_word(row->gate_word == SLW_JUDGED_REGRESSED      ? SLW_GATE_REGRESSED
                         : row->gate_word == SLW_JUDGED_INCONCLUSIVE ? SLW_GATE_INCONCLUSIVE
                                                                     : SLW_GATE_PASSED);
}

/* ---- numbers ---- */

/* Fractions of a nanosecond are nothing anybody reads, but they are no 0. */
static bool put_small_ns(struct slw_buf *out, const char *unit, double value)
{
    if (strcmp(unit, "ns") != 0 || !(fabs(value) > 0 && fabs(value) < 9.995))
        return false;
    slw_buf_printf(out, "%.2f ns", value);
    return true;
}

void slw_row_put_value(struct slw_buf *out, const struct slw_metric_row *row,
                       const struct slw_figure *value)
{
    struct slw_figure f = *value;

    f.unit = strcmp(row->unit, "1") == 0 ? "" : row->unit;
    if (f.absent || !isfinite(f.value)) {
        slw_text_clean(out, f.absent ? f.absent : "not a number");
        return;
    }
    if (strcmp(f.unit, "share") == 0) {
        slw_format_percent(out, f.value);
        return;
    }
    if (put_small_ns(out, f.unit, f.value))
        return;
    struct slw_buf text = {0};
    slw_format_figure(&text, &f);
    slw_text_clean(out, text.data ? text.data : "");
    out->failed |= slw_buf_failed(&text);
    slw_buf_release(&text);
}

/* "1.23M": three digits of 100,000 and more. */
static void put_suffixed(struct slw_buf *out, double value)
{
    static const struct {
        double least;
        const char *suffix;
    } scales[] = {{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};

    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++)
        if (value >= scales[i].least * .9995 || scales[i].least == 1e3) {
            const double part = value / scales[i].least;

            slw_buf_printf(out, "%.*f%s",
                           part >= 99.95   ? 0
                           : part >= 9.995 ? 1
                                           : 2,
                           part, scales[i].suffix);
            return;
        }
}

void slw_row_put_cell(struct slw_buf *out, const struct slw_metric_row *row,
                      const struct slw_figure *value)
{
    const bool scaled = strcmp(row->unit, "ns") == 0 || strcmp(row->unit, "share") == 0;
    struct slw_figure bare = *value;

    bare.unit = NULL;
    if (scaled || value->absent)
        slw_row_put_value(out, row, value);
    else if (value->value >= 1e6 && value->value < 1e18)
        put_suffixed(out, value->value);
    else
        slw_format_figure(out, &bare);
}

static const char *arm_command(const struct slw_comparison *c, const struct slw_side_of *side)
{
    const struct slw_experiment *e = c->in.experiment;
    const char *arm = side->run->experiment.arm;

    for (size_t i = 0; e && arm && i < e->arm_count; i++)
        if (e->arms[i].name && strcmp(e->arms[i].name, arm) == 0)
            return e->arms[i].command;
    return NULL;
}

void slw_side_put_command(struct slw_buf *out, const struct slw_comparison *c, const char *letter)
{
    const struct slw_side_of *side = letter[0] == 'A' ? &c->in.a : &c->in.b;
    const char *command = arm_command(c, side);

    if (command) {
        slw_text_clean(out, command);
        return;
    }
    for (size_t i = 0; i < side->run->command.argc; i++) {
        slw_buf_puts(out, i > 0 ? " " : "");
        slw_text_clean(out, side->run->command.argv[i]);
    }
}

void slw_words_put_log_percent(struct slw_buf *out, double log_ratio)
{
    const double percent = 100 * expm1(log_ratio);

    if (percent >= 1e9)
        slw_buf_puts(out, ">1e9 %");
    else
        slw_buf_printf(out, fabs(percent) < 9.95 ? "%.1f %%" : "%.0f %%", percent);
}

/* From twice as much on, percent are read wrongly: "+1,500 %" is 16 times. */
static bool told_in_times(const struct slw_difference *d)
{
    return expm1(d->estimate) >= 1;
}

/* One decimal where it tells something: small changes, and sure ones. */
static int percent_decimals(const struct slw_difference *d)
{
    const double low = 100 * expm1(d->low), high = 100 * expm1(d->high);
    const bool small = fabs(low) < 9.95 && fabs(high) < 9.95;

    return small || (high - low > 0 && high - low < 0.5);
}

struct scale {
    bool times;
    int decimals;
};

/* What percent tell takes three digits near 1, and below a tenth. */
static int times_decimals(double ratio, double width)
{
    if (ratio >= 9.95)
        return ratio >= 99.5 ? 0 : 1;
    return width < 0.02 || ratio < 0.1 ? 3 : 2;
}

static struct scale scale_of(const struct slw_difference *d)
{
    struct scale s = {.times = told_in_times(d)};

    if (s.times) {
        s.decimals = times_decimals(exp(d->estimate), 1);
    } else {
        s.decimals = percent_decimals(d);
    }
    return s;
}

void slw_words_put_large(struct slw_buf *out, double value, bool sign)
{
    const double size = fabs(value);

    if (value < 0)
        slw_buf_putc(out, '-');
    else if (sign)
        slw_buf_putc(out, '+');
    if (size < 99999.5)
        slw_format_number(out, size);
    else if (size < 1e15)
        put_suffixed(out, size);
    else
        slw_buf_puts(out, ">1e15");
}

/* A plain difference of times: all three numbers in the unit that fits the largest of them. */
static const struct time_unit {
    const char *name;
    double ns;
} time_units[] = {{" s", 1e9}, {" ms", 1e6}, {" us", 1e3}, {" ns", 1}};

static const struct time_unit *time_unit_of(const struct slw_metric_row *row)
{
    const struct slw_difference *d = &row->difference;
    const double size = fmax(fabs(d->estimate), d->enough ? fmax(fabs(d->low), fabs(d->high)) : 0);
    size_t i = 0;

    if (strcmp(row->unit, "ns") != 0 || size >= 1e14)
        return NULL;
    while (i + 1 < sizeof(time_units) / sizeof(time_units[0]) && size < time_units[i].ns)
        i++;
    return &time_units[i];
}

static bool is_share(const struct slw_metric_row *row)
{
    return strcmp(row->unit, "share") == 0;
}

/* Of shares, in points. */
static void put_points(struct slw_buf *out, double value)
{
    const double points = 100 * value, size = fabs(points);

    if (size > 0 && size < 0.005)
        slw_buf_puts(out, value < 0 ? "-<0.01" : "<0.01");
    else
        slw_buf_printf(out, "%+.*f", size < 0.995 ? 2 : size < 9.95 ? 1 : 0, points);
}

static void put_amount(struct slw_buf *out, const struct slw_metric_row *row, double value)
{
    const struct time_unit *unit = time_unit_of(row);

    if (is_share(row))
        put_points(out, value);
    else if (unit)
        slw_buf_printf(out, "%+.*f", fabs(value) / unit->ns < 9.95 ? 1 : 0, value / unit->ns);
    else
        slw_words_put_large(out, value, true);
}

/* What goes behind the last of the amounts. */
static const char *amount_unit(const struct slw_metric_row *row)
{
    const struct time_unit *unit = time_unit_of(row);

    return is_share(row) ? "pt" : unit ? unit->name : "";
}

static void put_scaled(struct slw_buf *out, const struct scale *s, double log_ratio)
{
    const double value = s->times ? exp(log_ratio) : 100 * expm1(log_ratio);

    if (value >= 999.5)
        slw_words_put_large(out, value, !s->times);
    else if (s->times)
        slw_buf_printf(out, "%.*f", s->decimals, value);
    else
        slw_buf_printf(out, "%+.*f", s->decimals, fabs(value) < 1e-9 ? 0.0 : value);
}

void slw_row_put_change(struct slw_buf *out, const struct slw_metric_row *row)
{
    const struct slw_difference *d = &row->difference;

    if (row->absent) {
        slw_text_clean(out, row->absent);
        return;
    }
    if (row->kind == SLW_PAIRS_ZERO) {
        slw_buf_puts(out, "identical (0)");
        return;
    }
    if (row->exact && d->estimate == 0) {
        slw_buf_puts(out, "equal");
        return;
    }
    if (row->kind == SLW_PAIRS_DIFFERENCE) {
        put_amount(out, row, d->estimate);
        slw_buf_puts(out, amount_unit(row));
        return;
    }
    const struct scale s = scale_of(d);
    put_scaled(out, &s, d->estimate);
    slw_buf_puts(out, s.times ? "x" : " %");
}

bool slw_row_has_interval(const struct slw_metric_row *row)
{
    return !row->absent && row->difference.enough && row->kind != SLW_PAIRS_ZERO && !row->exact;
}

void slw_row_put_interval(struct slw_buf *out, const struct slw_metric_row *row)
{
    const struct slw_difference *d = &row->difference;

    if (!slw_row_has_interval(row))
        return;
    slw_buf_putc(out, '[');
    if (row->kind == SLW_PAIRS_DIFFERENCE) {
        put_amount(out, row, d->low);
        slw_buf_puts(out, ", ");
        put_amount(out, row, d->high);
    } else {
        const struct scale s = scale_of(d);

        put_scaled(out, &s, d->low);
        slw_buf_puts(out, ", ");
        put_scaled(out, &s, d->high);
    }
    slw_buf_putc(out, ']');
}

void slw_row_put_size(struct slw_buf *out, const struct slw_metric_row *row)
{
    const struct slw_difference *d = &row->difference;

    if (row->absent || row->kind != SLW_PAIRS_RATIO) {
        slw_row_put_change(out, row);
        return;
    }
    const struct scale s = scale_of(d);
    if (s.times) {
        put_scaled(out, &s, d->estimate);
        slw_buf_puts(out, " times");
    } else {
        slw_buf_printf(out, "%.*f %%", s.decimals, fabs(100 * expm1(d->estimate)));
    }
}

static void put_times(struct slw_buf *out, double log_ratio, double width)
{
    const double ratio = exp(log_ratio);

    if (ratio >= 999.5)
        slw_words_put_large(out, ratio, false);
    else
        slw_buf_printf(out, "%.*f", times_decimals(ratio, width), ratio);
}

/* "1,234,567 and 1,234,890, exact" */
static void put_exact(struct slw_buf *out, const struct slw_metric_row *row)
{
    slw_row_put_value(out, row, &row->a_value);
    if (row->difference.estimate != 0) {
        slw_buf_puts(out, " and ");
        slw_row_put_value(out, row, &row->b_value);
    }
    slw_buf_puts(out, ", exact");
}

void slw_row_put_ratio(struct slw_buf *out, const struct slw_metric_row *row)
{
    const struct slw_difference *d = &row->difference;
    const double width = d->high - d->low;

    if (row->absent)
        return;
    if (row->exact) {
        put_exact(out, row);
        return;
    }
    if (row->kind == SLW_PAIRS_RATIO) {
        put_times(out, d->estimate, width);
        slw_buf_puts(out, " times");
        if (d->enough) {
            slw_buf_puts(out, ", 95 % ");
            put_times(out, d->low, width);
            slw_buf_puts(out, " to ");
            put_times(out, d->high, width);
        }
    } else if (d->enough && row->kind == SLW_PAIRS_DIFFERENCE) {
        slw_buf_puts(out, "ratio undefined, 95 % ");
        put_amount(out, row, d->low);
        slw_buf_puts(out, " to ");
        put_amount(out, row, d->high);
        slw_buf_puts(out, amount_unit(row));
    } else {
        slw_buf_puts(out, row->kind == SLW_PAIRS_ZERO ? "0 in every round" : "ratio undefined");
    }
    if (!row->sampled)
        slw_buf_printf(out, "; %zu %s", row->pairs.used, row->pairs.used == 1 ? "pair" : "pairs");
}

/* ---- remarks ---- */

void slw_row_put_forecast(struct slw_buf *out, const struct slw_metric_row *row)
{
    const struct slw_forecast *f = &row->forecast;

    if (row->absent || f->kind == SLW_FORECAST_NONE)
        return;
    if (f->kind == SLW_FORECAST_ROUNDS) {
        slw_buf_printf(out, "about %zu more rounds would settle it (could be a third of that)",
                       f->more);
        return;
    }
    slw_buf_puts(out, "will hardly settle at this margin");
    if (row->kind != SLW_PAIRS_RATIO)
        return;
    slw_buf_puts(out, "; with as many rounds as there may be, a margin of ");
    slw_words_put_log_percent(out, f->margin);
    slw_buf_puts(out, " could be");
}

static void put_margin(struct slw_buf *out, const struct slw_metric_row *row)
{
    const struct slw_margin *m = &row->judgement.margin;

    if (m->from == SLW_MARGIN_USER || row->kind != SLW_PAIRS_RATIO)
        return;
    slw_buf_puts(out, out->length > 0 ? "; the margin is " : "the margin is ");
    slw_words_put_log_percent(out, m->size);
    slw_buf_printf(out, ", %s", slw_margin_from_text(m->from));
    if (m->from == SLW_MARGIN_FLOOR && row->floor->tests < SLW_FLOOR_RUNS)
        slw_buf_printf(out, ", a weak one (%zu A/A)", row->floor->tests);
}

void slw_row_put_reason(struct slw_buf *out, const struct slw_metric_row *row)
{
    if (row->why)
        slw_text_clean(out, row->why);
    else if (!row->absent && row->judgement.unsettled)
        slw_buf_puts(out, "a difference is real, its size is not settled");
    if (row->absent || row->forecast.kind == SLW_FORECAST_NONE)
        return;
    slw_buf_puts(out, row->why || row->judgement.unsettled ? "; " : "");
    slw_row_put_forecast(out, row);
}

void slw_row_put_remark(struct slw_buf *out, const struct slw_metric_row *row)
{
    struct slw_buf b = {0};

    slw_row_put_reason(&b, row);
    if (!row->absent)
        put_margin(&b, row);
    slw_buf_puts(out, b.data ? b.data : "");
    out->failed |= slw_buf_failed(&b);
    slw_buf_release(&b);
}

bool slw_row_has_star(const struct slw_metric_row *row)
{
    return row->starred && !row->exact;
}

const char *slw_comparison_weight(const struct slw_comparison *c)
{
    return slw_simulated_is(c->in.a.run) ? "slots" : "time";
}
