/* SPDX-License-Identifier: MIT */
/* Observations as the trackers of benchmarks read them: Bencher Metric Format and the custom JSON
 * of github-action-benchmark. Both follow one value of each metric from commit to commit: the
 * median over the rounds, of a comparison that of the candidate; and B / A, in which what both arms
 * met on their machine has cancelled out. */
#include "analyzer/compare/tracked.h"

#include "analyzer/format.h"
#include "analyzer/json_value.h"
#include "analyzer/text.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_COLUMNS   240 /* Bencher takes 1024 bytes; of UTF-8 a column is at most 4 */
#define MEASURE_COLUMNS 60  /* Bencher takes 64 characters */
#define REAL_PRECISION  12  /* digits; no measurement has more */

static const struct slw_run *followed(const struct slw_tracked *series)
{
    return series->arms[series->arm_count - 1].run;
}

/* B / A and its interval, where there is one. */
static bool ratio_of(const struct slw_metric_row *row, double ret_ratio[3])
{
    if (row->absent || row->kind != SLW_PAIRS_RATIO)
        return false;
    ret_ratio[0] = exp(row->difference.estimate);
    ret_ratio[1] = exp(row->difference.low);
    ret_ratio[2] = exp(row->difference.high);
    return isfinite(ret_ratio[0]) && isfinite(ret_ratio[1]) && isfinite(ret_ratio[2]);
}

static int print(struct slw_buf *out, json_t *json, struct slw_error *err)
{
    char *text = json ? json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER |
                                             JSON_REAL_PRECISION(REAL_PRECISION))
                      : NULL;

    json_decref(json);
    if (text)
        slw_json_print(out, text);
    const bool have = text != NULL;
    free(text);
    return !have || slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for JSON") : 0;
}

/* ---- Bencher ---- */

/* A new object under a key that is not there yet: keys that were shortened may have become equal.
 * NULL when out of memory. */
static json_t *new_key(struct slw_json *j, json_t *object, const char *name, size_t columns)
{
    struct slw_buf key = {0};

    slw_text_fit(&key, name, columns);
    const size_t length = key.length;
    for (size_t copy = json_object_size(object); json_object_get(object, key.data); copy++) {
        key.length = length;
        slw_buf_printf(&key, "~%zu", copy + 1);
    }
    slw_json_put(j, object, key.data ? key.data : "unnamed", json_object());
    json_t *value = json_object_get(object, key.data ? key.data : "unnamed");
    if (slw_buf_failed(&key))
        j->failed = true;
    slw_buf_release(&key);
    return value;
}

static void put_three(struct slw_json *j, json_t *measure, double value, double low, double high)
{
    slw_json_put(j, measure, "value", slw_json_real(value));
    if (low < high) {
        slw_json_put(j, measure, "lower_value", slw_json_real(low));
        slw_json_put(j, measure, "upper_value", slw_json_real(high));
    }
}

static void put_values(struct slw_json *j, json_t *benchmark, const struct slw_run *run)
{
    for (size_t i = 0; i < run->observation_count; i++) {
        const struct slw_observation *o = &run->observations[i];
        const struct slw_tracked_summary s = slw_tracked_summarise(o);

        if (s.rounds > 0)
            put_three(j, new_key(j, benchmark, o->metric, MEASURE_COLUMNS), s.median, s.smallest,
                      s.largest);
    }
}

static void put_ratios(struct slw_json *j, json_t *benchmark, const struct slw_comparison *c)
{
    double ratio[3];

    for (size_t i = 0; i < c->row_count; i++)
        if (ratio_of(&c->rows[i], ratio))
            put_three(j, new_key(j, benchmark, c->rows[i].metric, MEASURE_COLUMNS), ratio[0],
                      ratio[1], ratio[2]);
}

int slw_tracked_bencher(const struct slw_tracked *series, struct slw_buf *out,
                        struct slw_error *err)
{
    struct slw_json j = {false};
    struct slw_buf title = {0};
    int rc = slw_tracked_check(series, err);

    if (rc < 0)
        return rc;
    json_t *root = json_object();
    slw_tracked_title(&title, series, TITLE_COLUMNS);
    put_values(&j, new_key(&j, root, title.data ? title.data : "", TITLE_COLUMNS),
               followed(series));
    if (series->comparison) {
        slw_buf_puts(&title, ": B / A");
        put_ratios(&j, new_key(&j, root, title.data ? title.data : "", TITLE_COLUMNS + 10),
                   series->comparison);
    }
    j.failed |= slw_buf_failed(&title) || !root;
    slw_buf_release(&title);
    return print(out, slw_json_done(&j, root), err);
}

/* ---- github-action-benchmark ---- */

struct github {
    struct slw_json j;
    json_t *array;
    struct slw_buf title;
    enum slw_better better;
};

static void put_entry(struct github *g, const char *metric, const char *end, const char *unit,
                      double value, const char *range, const char *extra)
{
    json_t *entry = json_object();
    struct slw_buf name = {0}, clean = {0};

    slw_text_clean(&name, metric);
    slw_buf_puts(&name, end);
    slw_text_clean(&clean, unit);
    slw_json_put_text(&g->j, entry, "name", name.data);
    slw_json_put_text(&g->j, entry, "unit", clean.length > 0 ? clean.data : "1");
    slw_json_put(&g->j, entry, "value", slw_json_real(value));
    if (range)
        slw_json_put_text(&g->j, entry, "range", range);
    slw_json_put_text(&g->j, entry, "extra", extra);
    g->j.failed |= slw_buf_failed(&name) || slw_buf_failed(&clean);
    slw_buf_release(&name);
    slw_buf_release(&clean);
    slw_json_push(&g->j, g->array, entry);
}

static void put_range(struct slw_buf *out, double low, double high)
{
    slw_format_number(out, low);
    slw_buf_puts(out, " to ");
    slw_format_number(out, high);
}

static void put_observation(struct github *g, const struct slw_observation *o)
{
    const struct slw_tracked_summary s = slw_tracked_summarise(o);
    struct slw_buf range = {0}, extra = {0};

    if (o->better != g->better || s.rounds == 0)
        return;
    if (s.rounds > 1)
        put_range(&range, s.smallest, s.largest);
    slw_text_clean(&extra, o->title ? o->title : "");
    slw_buf_printf(&extra, "; %s%s; ", slw_format_source(o->from.source),
                   o->from.imported ? ", imported" : "");
    if (s.rounds > 1)
        slw_buf_printf(&extra, "median of %zu rounds; ", s.rounds);
    slw_buf_puts(&extra, g->title.data ? g->title.data : "");
    put_entry(g, o->metric, "", o->unit ? o->unit : "", s.median, range.data, extra.data);
    g->j.failed |= slw_buf_failed(&range) || slw_buf_failed(&extra);
    slw_buf_release(&range);
    slw_buf_release(&extra);
}

static void put_row(struct github *g, const struct slw_metric_row *row)
{
    struct slw_buf range = {0}, extra = {0};
    double ratio[3];

    if (row->better != g->better || !ratio_of(row, ratio))
        return;
    slw_buf_printf(&range, "%.4g to %.4g", ratio[1], ratio[2]);
    slw_text_clean(&extra, row->title);
    slw_buf_printf(&extra, "; %s; %zu pairs of rounds; %s", slw_judged_text(row->judgement.word),
                   row->pairs.used, g->title.data ? g->title.data : "");
    put_entry(g, row->metric, " B / A", "1", ratio[0], range.data, extra.data);
    g->j.failed |= slw_buf_failed(&range) || slw_buf_failed(&extra);
    slw_buf_release(&range);
    slw_buf_release(&extra);
}

int slw_tracked_github(const struct slw_tracked *series, enum slw_better better,
                       struct slw_buf *out, struct slw_error *err)
{
    struct github g = {.better = better};
    const struct slw_run *run = followed(series);
    int rc = slw_tracked_check(series, err);

    if (rc < 0)
        return rc;
    g.array = json_array();
    slw_tracked_title(&g.title, series, TITLE_COLUMNS);
    for (size_t i = 0; i < run->observation_count; i++)
        put_observation(&g, &run->observations[i]);
    for (size_t i = 0; series->comparison && i < series->comparison->row_count; i++)
        put_row(&g, &series->comparison->rows[i]);
    g.j.failed |= slw_buf_failed(&g.title) || !g.array;
    slw_buf_release(&g.title);
    return print(out, slw_json_done(&g.j, g.array), err);
}
