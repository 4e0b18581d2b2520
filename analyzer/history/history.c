/* SPDX-License-Identifier: MIT */
/* Runs to points: which belong, in which order, what each is worth, and what is to be said of all.
 */
#include "analyzer/history/history.h"

#include "analyzer/history/changes.h"
#include "analyzer/history/history_int.h"
#include "analyzer/statistics/paired.h"
#include "base/arena.h"
#include "base/edits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NOTES   16
#define MAX_NAMED   3 /* names of metrics offered, and of runs in a note */
#define FAR_NAME    8 /* edits: beyond it is another name */
#define INTERVAL_AT .05

struct building {
    struct slw_history *h;
    const struct slw_history_run *runs;
    size_t run_count;
    double *steps;                 /* of the points: what their values are resolved to */
    struct slw_paired *paired;     /* room for intervals */
    double values[SLW_MAX_ROUNDS]; /* of one run */
    double scratch[SLW_MAX_ROUNDS];
    size_t other_units;
    const char *without_path, *without_why;
    struct slw_error *err;
};

static int nomem(struct slw_error *err)
{
    return slw_fail(err, SLW_E_NOMEM, "no memory for a history");
}

__attribute__((format(printf, 5, 6))) static int note(struct building *b, enum slw_note_level level,
                                                      const char *code, const char *hint,
                                                      const char *fmt, ...)
{
    struct slw_history *h = b->h;
    struct slw_buf text = {0};
    va_list ap;

    if (h->note_count == MAX_NOTES)
        return 0;
    va_start(ap, fmt);
    slw_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    const char *kept = slw_buf_failed(&text) ? NULL : slw_arena_strdup(h->arena, text.data);
    slw_buf_release(&text);
    if (!kept)
        return nomem(b->err);
    h->notes[h->note_count++] = (struct slw_note){level, code, kept, hint};
    return 0;
}

/* ---- which runs ---- */

/* The arm of an experiment is a label that nobody has to write. */
static bool carries(const struct slw_run *run, const struct slw_label *label)
{
    if (strcmp(label->key, "arm") == 0 && run->experiment.arm &&
        strcmp(run->experiment.arm, label->value) == 0)
        return true;
    for (size_t i = 0; i < run->label_count; i++)
        if (strcmp(run->labels[i].key, label->key) == 0 &&
            strcmp(run->labels[i].value, label->value) == 0)
            return true;
    return false;
}

static bool wanted(const struct slw_history *h, const struct slw_run *run)
{
    for (size_t i = 0; i < h->label_count; i++)
        if (!carries(run, &h->labels[i]))
            return false;
    return true;
}

/* By start, unknown starts last; then by path and by place on the command line, so that the order
 * is the same every time. */
static int by_start(const void *a, const void *b)
{
    const struct slw_history_point *x = a, *y = b;

    if (x->started_ns != y->started_ns) {
        if (!x->started_ns || !y->started_ns)
            return x->started_ns ? -1 : 1;
        return x->started_ns < y->started_ns ? -1 : 1;
    }
    const int paths = strcmp(x->path, y->path);
    return paths ? paths : (x->run > y->run) - (x->run < y->run);
}

/* ---- the nearest names ---- */

struct offer {
    const char *name;
    size_t edits;
};

static void consider(struct offer *offers, const char *name, const char *wanted_name)
{
    struct offer fresh = {name, strstr(name, wanted_name) || strstr(wanted_name, name)
                                    ? 1
                                    : slw_edits_between(name, wanted_name)};

    for (size_t i = 0; i < MAX_NAMED; i++)
        if (offers[i].name && strcmp(offers[i].name, name) == 0)
            return;
    for (size_t i = 0; i < MAX_NAMED; i++)
        if (!offers[i].name || fresh.edits < offers[i].edits) {
            const struct offer pushed = offers[i];
            offers[i] = fresh;
            fresh = pushed;
            if (!fresh.name)
                return;
        }
}

static bool has_value(const struct slw_observation *o)
{
    for (size_t i = 0; i < o->length; i++)
        if (isfinite(o->values[i]))
            return true;
    return false;
}

static void offer_names(const struct building *b)
{
    struct offer offers[MAX_NAMED] = {{0}};
    char text[3 * (SLW_MAX_EDITED + 3) + 1] = "";
    size_t used = 0;

    for (size_t i = 0; i < b->run_count; i++)
        for (size_t k = 0; k < b->runs[i].run->observation_count; k++)
            consider(offers, b->runs[i].run->observations[k].metric, b->h->metric);
    for (size_t i = 0; i < MAX_NAMED && offers[i].name && offers[i].edits <= FAR_NAME; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s", i ? ", " : "",
                                 SLW_MAX_EDITED, offers[i].name);
    if (used)
        slw_error_hint(b->err, "did you mean %.200s?", text);
}

/* The metric is known and nobody has a value: of runs without requests, what they do have. */
static void offer_cpu_time(const struct building *b)
{
    for (size_t i = 0; i < b->run_count; i++) {
        const struct slw_observation *o =
            slw_run_find_observation(b->runs[i].run, SLW_HISTORY_OF_EVERY_RUN);

        if (o && has_value(o)) {
            slw_error_hint(b->err, "what they do have: -m " SLW_HISTORY_OF_EVERY_RUN);
            return;
        }
    }
}

static int not_found(const struct building *b)
{
    const struct slw_history *h = b->h;

    if (b->without_why)
        offer_cpu_time(b);
    else
        offer_names(b);
    if (h->label_count && h->others == b->run_count)
        return slw_fail(b->err, SLW_E_NODATA, "none of the %zu runs carries the labels",
                        b->run_count);
    return slw_fail(b->err, SLW_E_NOTFOUND, "none of the %zu runs has a value of '%.100s'%s%.200s",
                    b->run_count - h->others, h->metric, b->without_why ? ": " : "",
                    b->without_why ? b->without_why : "");
}

/* ---- a point ---- */

static size_t finite_values(const struct slw_observation *o, double *values)
{
    size_t n = 0;

    for (size_t i = 0; i < o->length && n < SLW_MAX_ROUNDS; i++)
        if (isfinite(o->values[i]))
            values[n++] = o->values[i];
    return n;
}

/* The interval of the values themselves, around their median; in logarithms where it can be. */
static int add_interval(struct building *b, struct slw_figure *f, size_t n, double step)
{
    struct slw_difference d;
    bool ratio = true;

    if (n < SLW_MIN_PAIRS)
        return 0;
    n = n < SLW_MAX_PAIRS ? n : SLW_MAX_PAIRS;
    for (size_t i = 0; i < n; i++)
        ratio = ratio && b->values[i] > 0;
    for (size_t i = 0; i < n && ratio; i++)
        b->values[i] = log(b->values[i]);
    const int rc = slw_paired_interval(b->paired, b->values, n, INTERVAL_AT, &d, b->err);
    if (rc < 0 || !d.enough)
        return rc;
    const double low = (ratio ? exp(d.low) : d.low) - step;
    const double high = (ratio ? exp(d.high) : d.high) + step;
    f->interval = (struct slw_interval){.have = true,
                                        .low = fmin(low, f->value),
                                        .high = fmax(high, f->value),
                                        .from = SLW_INTERVAL_ROUNDS};
    return 0;
}

static int add_point(struct building *b, size_t index, const struct slw_observation *o)
{
    const struct slw_run *run = b->runs[index].run;
    struct slw_history *h = b->h;
    const size_t n = finite_values(o, b->values);
    struct slw_history_point *p = &h->points[h->point_count];

    if (n == 0) {
        h->without++;
        b->without_path = b->runs[index].path;
        b->without_why = o->absent;
        return 0;
    }
    *p = (struct slw_history_point){
        .run = index,
        .path = b->runs[index].path,
        .arm = run->experiment.arm,
        .started_ns = run->started_realtime_ns,
        .value = {.value = slw_changes_median(b->values, n, b->scratch),
                  .unit = o->unit,
                  .from = o->from,
                  .coverage = 1},
        .rounds = n,
        .shift = (double)NAN,
        .labels = run->labels,
        .label_count = run->label_count,
    };
    h->point_count++;
    return add_interval(b, &p->value, n, o->step);
}

static int add_points(struct building *b)
{
    struct slw_history *h = b->h;
    int rc = 0;

    for (size_t i = 0; i < b->run_count && rc >= 0; i++) {
        const struct slw_run *run = b->runs[i].run;
        const struct slw_observation *o = slw_run_find_observation(run, h->metric);

        if (!wanted(h, run)) {
            h->others++;
        } else if (!o) {
            h->without++;
            b->without_path = b->runs[i].path;
        } else {
            rc = add_point(b, i, o);
        }
    }
    if (rc >= 0 && h->point_count == 0)
        return not_found(b);
    if (rc >= 0)
        qsort(h->points, h->point_count, sizeof(h->points[0]), by_start);
    return rc;
}

static const struct slw_observation *observed(const struct building *b,
                                              const struct slw_history_point *p)
{
    return slw_run_find_observation(b->runs[p->run].run, b->h->metric);
}

/* The newest run says what the metric is called; those that have it in another unit go. */
static void keep_unit(struct building *b)
{
    struct slw_history *h = b->h;
    const struct slw_observation *last = observed(b, &h->points[h->point_count - 1]);
    size_t kept = 0;

    h->title = last->title;
    h->unit = last->unit;
    h->better = last->better;
    for (size_t i = 0; i < h->point_count; i++) {
        const struct slw_observation *o = observed(b, &h->points[i]);
        if (strcmp(o->unit, h->unit) != 0) {
            b->other_units++;
            continue;
        }
        b->steps[kept] = o->step;
        h->points[kept++] = h->points[i];
    }
    h->point_count = kept;
}

static int compare_machines(struct building *b)
{
    struct slw_history *h = b->h;
    int rc = 0;

    for (size_t i = 1; i < h->point_count && rc >= 0; i++) {
        struct slw_history_point *p = &h->points[i];
        rc = slw_history_unlike(h, b->runs[h->points[i - 1].run].run, b->runs[p->run].run,
                                &p->unlike, &p->apart, b->err);
        h->apart_count += p->apart;
    }
    return rc;
}

/* ---- notes ---- */

static int note_runs(struct building *b)
{
    const struct slw_history *h = b->h;
    int rc = 0;

    if (h->without)
        rc = note(b, SLW_NOTE_INFO, "without-value", NULL,
                  "%zu run%s no value of it, the last is %s%s%s", h->without,
                  h->without == 1 ? " has" : "s have", b->without_path, b->without_why ? ": " : "",
                  b->without_why ? b->without_why : "");
    if (rc >= 0 && b->other_units)
        rc = note(b, SLW_NOTE_WARNING, "other-unit", NULL,
                  "%zu run%s it in another unit than the newest run and are left out",
                  b->other_units, b->other_units == 1 ? " has" : "s have");
    if (rc >= 0 && h->point_count && !h->points[h->point_count - 1].started_ns)
        rc = note(b, SLW_NOTE_WARNING, "unknown-start", NULL,
                  "when some runs were measured is not known: they stand last, by name");
    return rc;
}

static size_t longest_stretch(const struct slw_history *h)
{
    size_t longest = 0, length = 0;

    for (size_t i = 0; i < h->point_count; i++) {
        length = h->points[i].apart ? 1 : length + 1;
        longest = length > longest ? length : longest;
    }
    return longest;
}

static int note_changes(struct building *b)
{
    struct slw_history *h = b->h;
    int rc = 0;

    h->searched = longest_stretch(h) >= SLW_MIN_CHANGE_RUNS;
    if (h->apart_count)
        rc = note(b, SLW_NOTE_WARNING, "machines-differ",
                  "choose the runs of one machine with --label",
                  "the CPU or the kind of measurement changes %zu time%s: levels are not compared "
                  "across",
                  h->apart_count, h->apart_count == 1 ? "" : "s");
    if (rc >= 0 && !h->searched)
        rc = note(b, SLW_NOTE_INFO, "few-runs", NULL,
                  "changes of level are looked for from %d runs on that may be compared",
                  SLW_MIN_CHANGE_RUNS);
    for (size_t i = 0; i < h->point_count && rc >= 0; i++)
        if (h->points[i].change && h->points[i].unlike)
            rc = note(b, SLW_NOTE_WARNING, "change-with-machine", NULL,
                      "%s: the level changes together with what was measured on (%s), which may be "
                      "the reason",
                      h->points[i].path, h->points[i].unlike);
    return rc;
}

/* ---- all of it ---- */

static int build(struct building *b)
{
    struct slw_history *h = b->h;

    h->points = slw_arena_array(h->arena, b->run_count, sizeof(h->points[0]));
    h->notes = slw_arena_array(h->arena, MAX_NOTES, sizeof(h->notes[0]));
    b->steps = slw_arena_array(h->arena, b->run_count, sizeof(b->steps[0]));
    if (!h->metric || !h->points || !h->notes || !b->steps)
        return nomem(b->err);
    int rc = add_points(b);
    if (rc >= 0) {
        keep_unit(b);
        rc = compare_machines(b);
    }
    if (rc >= 0)
        rc = slw_history_levels(h, b->steps, b->err);
    if (rc >= 0)
        rc = note_runs(b);
    return rc < 0 ? rc : note_changes(b);
}

int slw_history_new(const struct slw_history_run *runs, size_t count, const char *metric,
                    const struct slw_label *labels, size_t label_count,
                    struct slw_history **ret_history, struct slw_error *err)
{
    struct slw_history *h = calloc(1, sizeof(*h));
    struct building *b = calloc(1, sizeof(*b));
    int rc = h && b ? 0 : nomem(err);

    if (rc == 0 && count == 0)
        rc = slw_fail(err, SLW_E_NODATA, "no runs");
    if (rc == 0 && count > SLW_MAX_HISTORY)
        rc = slw_fail(err, SLW_E_LIMIT, "%zu runs are more than %d", count, SLW_MAX_HISTORY);
    if (rc == 0 && !(h->arena = slw_arena_new()))
        rc = nomem(err);
    if (rc == 0)
        rc = slw_paired_new(SLW_MAX_PAIRS, &b->paired, err);
    if (rc == 0) {
        h->metric = slw_arena_strdup(h->arena, metric);
        h->labels = labels;
        h->label_count = label_count;
        b->h = h;
        b->runs = runs;
        b->run_count = count;
        b->err = err;
        rc = build(b);
    }
    if (b)
        slw_paired_free(b->paired);
    free(b);
    if (rc < 0) {
        slw_history_free(h);
        return rc;
    }
    *ret_history = h;
    return 0;
}

void slw_history_free(struct slw_history *h)
{
    if (!h)
        return;
    slw_arena_free(h->arena);
    free(h);
}
