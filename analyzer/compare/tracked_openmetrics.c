/* SPDX-License-Identifier: MIT */
/* Observations as OpenMetrics text. Gauges only and no timestamps, so that the file is also what
 * Prometheus' older text format, node_exporter's textfile collector and a Pushgateway take. Source:
 * OpenMetrics 1.0; units and names: Prometheus' naming practice. */
#include "analyzer/compare/tracked.h"

#include "analyzer/compare/tracked_int.h"
#include "analyzer/format.h"
#include "analyzer/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "slotwise_metric_"
#define MOST   100 /* bytes of a metric's name, and of a unit, in the name of a family */

struct sample {
    char family[2 * MOST + 32], unit[MOST + 32]; /* unit "": none */
    double scale;
    size_t arm;
    size_t copy;  /* so many with the same label are before it */
    char *metric; /* the label: clean; heap */
    const struct slw_observation *o;
};

/* ---- names ---- */

/* Letters, digits and single underscores; what else there is becomes an underscore. */
static void put_word(char *to, size_t size, const char *text)
{
    size_t n = strlen(to);

    for (; *text && n + 1 < size; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c < 0x80 && isalnum(c))
            to[n++] = (char)tolower(c);
        else if (n > 0 && to[n - 1] != '_')
            to[n++] = '_';
    }
    while (n > 0 && to[n - 1] == '_')
        n--;
    to[n] = '\0';
}

static void put_end(char *to, size_t size, const char *text)
{
    (void)strncat(to, text, size - strlen(to) - 1);
}

/* Endings that belong to other types of metrics. */
static bool is_reserved(const char *unit)
{
    static const char *const words[] = {"total",   "count", "sum",    "bucket", "info",
                                        "created", "gsum",  "gcount", "value"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(unit, words[i]) == 0)
            return true;
    return unit[0] == '\0';
}

/* "ns" is told in seconds, as everything that Prometheus reads. Returns what to multiply by. */
static double base_unit(const char *unit, char *to, size_t size)
{
    static const struct {
        const char *unit, *base;
        double scale;
    } units[] = {{"ns", "seconds", 1e-9}, {"us", "seconds", 1e-6}, {"ms", "seconds", 1e-3},
                 {"s", "seconds", 1},     {"1", "ratio", 1},       {"share", "ratio", 1},
                 {"%", "percent", 1}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(unit, units[i].unit) == 0) {
            put_word(to, size, units[i].base);
            return units[i].scale;
        }
    put_word(to, size, unit);
    return 1;
}

static double unit_of(const char *unit, char *to, size_t size)
{
    char above[MOST] = "";
    const char *slash = strchr(unit, '/');
    const size_t length = slash ? (size_t)(slash - unit) : strlen(unit);

    to[0] = '\0';
    (void)strncat(above, unit, length < sizeof(above) ? length : sizeof(above) - 1);
    const double scale = base_unit(above, to, MOST / 2);
    if (slash && to[0]) {
        put_end(to, size, "_per_");
        put_word(to, size, strcmp(slash + 1, "s") == 0 ? "second" : slash + 1);
    }
    if (!is_reserved(to))
        return scale;
    to[0] = '\0';
    return 1;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t a = strlen(text), b = strlen(end);

    return a >= b && strcmp(text + a - b, end) == 0;
}

/* Escaped, so that any bytes may stand between quotes. */
static char *label_value(const char *text)
{
    struct slw_buf clean = {0}, value = {0};

    slw_text_clean(&clean, text ? text : "");
    slw_buf_puts(&value, "");
    for (const char *c = clean.data ? clean.data : ""; *c; c++) {
        slw_buf_puts(&value, *c == '"' || *c == '\\' ? "\\" : "");
        slw_buf_putc(&value, *c);
    }
    if (slw_buf_failed(&clean) || slw_buf_failed(&value))
        slw_buf_release(&value);
    slw_buf_release(&clean);
    return slw_buf_take(&value);
}

static struct sample sample_of(const struct slw_observation *o, size_t arm)
{
    struct sample s = {.family = PREFIX, .arm = arm, .o = o, .metric = label_value(o->metric)};
    char end[sizeof(s.unit) + 1] = "_";

    s.scale = unit_of(o->unit ? o->unit : "", s.unit, sizeof(s.unit));
    put_end(end, sizeof(end), s.unit[0] ? s.unit : "value");
    put_word(s.family, sizeof(PREFIX) + MOST, o->metric);
    if (strlen(s.family) < sizeof(PREFIX)) /* nothing of the name was left */
        (void)strcpy(s.family, PREFIX "unnamed");
    if (!ends_with(s.family, end))
        put_end(s.family, sizeof(s.family), end);
    return s;
}

static int by_family(const void *left, const void *right)
{
    const struct sample *a = left, *b = right;
    int order = strcmp(a->family, b->family);

    if (order == 0)
        order = strcmp(a->metric, b->metric);
    if (order == 0)
        order = (a->arm > b->arm) - (a->arm < b->arm);
    return order ? order : strcmp(a->o->metric, b->o->metric);
}

/* ---- lines ---- */

void slw_tracked_put_label(struct slw_buf *out, const char *lead, const char *name,
                           const char *value)
{
    char *text = label_value(value);

    slw_buf_printf(out, "%s%s=\"%s\"", lead, name, text ? text : "");
    if (!text)
        out->failed = true;
    free(text);
}

/* The two formats do not agree on how a quote is written in a help text. */
static void put_help(struct slw_buf *out, const char *text)
{
    struct slw_buf clean = {0};

    slw_text_clean(&clean, text);
    for (const char *c = clean.data ? clean.data : ""; *c; c++) {
        slw_buf_puts(out, *c == '\\' ? "\\" : "");
        slw_buf_putc(out, *c == '"' ? '\'' : *c);
    }
    if (slw_buf_failed(&clean))
        out->failed = true;
    slw_buf_release(&clean);
}

void slw_tracked_put_family(struct slw_buf *out, const char *name, const char *unit,
                            const char *help)
{
    slw_buf_printf(out, "# TYPE %s gauge\n", name);
    if (unit[0])
        slw_buf_printf(out, "# UNIT %s %s\n", name, unit);
    slw_buf_printf(out, "# HELP %s ", name);
    put_help(out, help);
    slw_buf_putc(out, '\n');
}

static void put_labels(struct slw_buf *out, const struct slw_tracked *series,
                       const struct sample *s)
{
    const char *arm = series->arms[s->arm].name;
    const char *lead = "{";

    if (arm) {
        slw_tracked_put_label(out, lead, "arm", arm);
        lead = ",";
    }
    slw_buf_printf(out, "%smetric=\"%s\"", lead, s->metric);
    slw_tracked_put_label(out, ",", "source", slw_format_source(s->o->from.source));
    if (s->o->from.imported)
        slw_tracked_put_label(out, ",", "imported", "yes");
    if (s->copy > 0)
        slw_buf_printf(out, ",copy=\"%zu\"", s->copy + 1);
}

static void put_families(struct slw_buf *out, const struct slw_tracked *series,
                         const struct sample *samples, size_t count)
{
    const char *open = "";

    for (size_t i = 0; i < count; i++) {
        const struct sample *s = &samples[i];
        const struct slw_tracked_summary sum = slw_tracked_summarise(s->o);

        if (sum.rounds == 0)
            continue;
        if (strcmp(open, s->family) != 0)
            slw_tracked_put_family(out, s->family, s->unit,
                                   s->o->title && s->o->title[0] ? s->o->title : s->o->metric);
        open = s->family;
        slw_buf_puts(out, s->family);
        put_labels(out, series, s);
        slw_buf_puts(out, "} ");
        slw_tracked_put_real(out, sum.median * s->scale);
        slw_buf_putc(out, '\n');
    }
}

static void put_counts(struct slw_buf *out, const struct slw_tracked *series,
                       const struct sample *samples, size_t count)
{
    slw_tracked_put_family(out, "slotwise_rounds", "",
                           "Rounds with a value, of which the metric is the median");
    for (size_t i = 0; i < count; i++) {
        slw_buf_puts(out, "slotwise_rounds");
        put_labels(out, series, &samples[i]);
        slw_buf_printf(out, "} %zu\n", slw_tracked_summarise(samples[i].o).rounds);
    }
    slw_tracked_put_family(out, "slotwise_absent", "",
                           "1 for a metric that some round has no value of, and why");
    for (size_t i = 0; i < count; i++) {
        const struct slw_observation *o = samples[i].o;

        if (!o->absent)
            continue;
        slw_buf_puts(out, "slotwise_absent");
        put_labels(out, series, &samples[i]);
        slw_tracked_put_label(out, ",", "reason", o->absent);
        slw_buf_puts(out, "} 1\n");
    }
}

static void samples_free(struct sample *samples, size_t count)
{
    for (size_t i = 0; samples && i < count; i++)
        free(samples[i].metric);
    free(samples);
}

/* Names of one arm that only differ in what cannot be shown would be one series twice. */
static void number_copies(struct sample *samples, size_t count)
{
    qsort(samples, count, sizeof(*samples), by_family);
    for (size_t i = 1; i < count; i++)
        if (samples[i].arm == samples[i - 1].arm &&
            strcmp(samples[i].family, samples[i - 1].family) == 0 &&
            strcmp(samples[i].metric, samples[i - 1].metric) == 0)
            samples[i].copy = samples[i - 1].copy + 1;
}

static int samples_of(const struct slw_tracked *series, struct sample **ret_samples,
                      size_t *ret_count)
{
    size_t count = 0, n = 0;
    bool failed = false;

    for (size_t i = 0; i < series->arm_count; i++)
        count += series->arms[i].run->observation_count;
    struct sample *samples = calloc(count + 1, sizeof(*samples));
    for (size_t i = 0; samples && i < series->arm_count; i++)
        for (size_t k = 0; k < series->arms[i].run->observation_count; k++) {
            samples[n] = sample_of(&series->arms[i].run->observations[k], i);
            failed |= samples[n++].metric == NULL;
        }
    if (!samples || failed) {
        samples_free(samples, n);
        return -SLW_E_NOMEM;
    }
    number_copies(samples, count);
    *ret_samples = samples;
    *ret_count = count;
    return 0;
}

int slw_tracked_openmetrics(const struct slw_tracked *series, struct slw_buf *out,
                            struct slw_error *err)
{
    struct sample *samples = NULL;
    size_t count = 0;
    int rc = slw_tracked_check(series, err);

    if (rc < 0)
        return rc;
    if (samples_of(series, &samples, &count) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for metrics");
    put_families(out, series, samples, count);
    put_counts(out, series, samples, count);
    slw_tracked_put_changes(out, series);
    slw_tracked_put_runs(out, series);
    slw_buf_puts(out, "# EOF\n");
    samples_free(samples, count);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for metrics") : 0;
}
