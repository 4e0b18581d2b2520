/* SPDX-License-Identifier: MIT */
/* `perf stat -j`: one object a line. What perf writes is not always JSON: Linux 6.10 to 6.13 end
 * objects in ", }", and numbers outside strings follow the locale ("pcnt-running" : 100,00). Both
 * are mended before the line is parsed. Source: perf-stat(1), JSON FORMAT. */
#include "base/buf.h"
#include "collector/importer.h"
#include "collector/perf_stat.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct json {
    const char *path;
    struct slw_perf_stat *stat;
    size_t line;
    struct slw_error *err;
};

/* ---- mending ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char next_solid(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p < end ? *p : '\0';
}

/* A comma before '}' goes; one between two digits is a decimal point, since a key is in quotes.
 * Every byte keeps its column. */
static void mend(char *text, size_t length)
{
    bool quoted = false;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\' && quoted) {
            i++;
            continue;
        }
        if (text[i] == '"')
            quoted = !quoted;
        if (quoted || text[i] != ',')
            continue;
        if (next_solid(text + i + 1, text + length) == '}')
            text[i] = ' ';
        else if (i > 0 && i + 1 < length && is_digit(text[i - 1]) && is_digit(text[i + 1]))
            text[i] = '.';
    }
}

/* ---- one object ---- */

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static struct slw_span span_of(const char *text)
{
    return (struct slw_span){text, text ? strlen(text) : 0};
}

/* A member that may be a number or a string. `room` holds it when it is a number. */
static struct slw_span number_of(const json_t *object, const char *key, char *room, size_t size)
{
    const json_t *j = json_object_get(object, key);

    if (json_is_integer(j))
        (void)snprintf(room, size, "%lld", (long long)json_integer_value(j));
    else if (json_is_real(j))
        (void)snprintf(room, size, "%.2f", json_real_value(j));
    else
        return slw_span_trim(span_of(json_string_value(j)));
    return span_of(room);
}

static struct slw_span place_of(const json_t *object, bool *ret_thread, char *room, size_t size)
{
    static const char *const keys[] = {"core", "die", "socket", "node", "cache", "cluster"};
    const char *cpu = text_of(object, "cpu"), *thread = text_of(object, "thread");

    *ret_thread = thread != NULL;
    if (thread)
        return slw_span_trim(span_of(thread));
    if (cpu) {
        (void)snprintf(room, size, "CPU%.16s", cpu);
        return span_of(room);
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (text_of(object, keys[i]))
            return slw_span_trim(span_of(text_of(object, keys[i])));
    return (struct slw_span){0};
}

static int read_metric(struct json *j, const json_t *object, bool beside)
{
    char value[64];
    const struct slw_perf_metric m = {.value =
                                          number_of(object, "metric-value", value, sizeof(value)),
                                      .name = span_of(text_of(object, "metric-unit")),
                                      .threshold = span_of(text_of(object, "metric-threshold")),
                                      .beside = beside};

    return m.name.length > 0 ? slw_perf_stat_metric(j->stat, &m, j->err) : 0;
}

static int read_object(struct json *j, const json_t *object, size_t column)
{
    char time[64], running[64], covered[64], spread[64], value[64], place[32];
    struct slw_perf_row row = {
        .line = j->line,
        .column = column,
        .time = number_of(object, "interval", time, sizeof(time)),
        .value = number_of(object, "counter-value", value, sizeof(value)),
        .unit = span_of(text_of(object, "unit")),
        .event = span_of(text_of(object, "event")),
        .spread = number_of(object, "variance", spread, sizeof(spread)),
        .running = number_of(object, "event-runtime", running, sizeof(running)),
        .covered = number_of(object, "pcnt-running", covered, sizeof(covered)),
        .machine = true};

    if (json_is_real(json_object_get(object, "interval"))) {
        (void)snprintf(time, sizeof(time), "%.9f",
                       json_real_value(json_object_get(object, "interval")));
        row.time = span_of(time);
    }
    row.place = place_of(object, &row.place_is_thread, place, sizeof(place));
    if (row.event.length == 0)
        return read_metric(j, object, false);
    if (row.value.length == 0)
        return slw_perf_stat_fail(j->path, j->line, column, SLW_E_FORMAT, j->err,
                                  "'%.64s' has no \"counter-value\"", row.event.text);
    const int rc = slw_perf_stat_add(j->stat, &row, j->err);
    return rc < 0 ? rc : read_metric(j, object, true);
}

static int parse_error(const struct json *j, const json_error_t *e, size_t column, bool last)
{
    const size_t at = column + (e->position > 0 ? (size_t)e->position - 1 : 0);

    return slw_perf_stat_fail(j->path, j->line, at, SLW_E_FORMAT, j->err,
                              last ? "the file ends in the middle of an object (%s)"
                                   : "not an object of perf stat -j: %s",
                              e->text);
}

static int read_line(struct json *j, struct slw_span line, bool last)
{
    const struct slw_span s = slw_span_trim(line);
    const size_t column = (size_t)(s.text - line.text) + 1;
    struct slw_buf text = {0};
    json_error_t e = {0};

    if (s.length == 0 || s.text[0] == '#')
        return 0;
    slw_buf_put(&text, s.text, s.length);
    if (slw_buf_failed(&text)) {
        slw_buf_release(&text);
        return slw_fail(j->err, SLW_E_NOMEM, "no memory for a line of '%s'", j->path);
    }
    mend(text.data, text.length);
    json_t *object = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, &e);
    int rc =
        json_is_object(object) ? read_object(j, object, column) : parse_error(j, &e, column, last);
    json_decref(object);
    slw_buf_release(&text);
    return rc;
}

/* ---- the file ---- */

static int read_lines(struct json *j, const void *bytes, size_t length)
{
    struct slw_perf_lines lines = {
        .path = j->path, .next = bytes, .end = (const char *)bytes + length};
    struct slw_span line;
    int rc;

    while ((rc = slw_perf_lines_next(&lines, &line, j->err)) == 1) {
        j->line = lines.number;
        rc = read_line(j, line, lines.next == lines.end);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static int import(const char *path, const void *bytes, size_t length,
                  struct slw_imported *ret_imported, struct slw_error *err)
{
    struct json j = {.path = path, .err = err};
    struct slw_imported imported = {0};
    int rc = slw_perf_stat_new(path, "perf stat -j", &j.stat, err);

    if (rc >= 0)
        rc = read_lines(&j, bytes, length);
    if (rc >= 0)
        rc = slw_perf_stat_finish(j.stat, &imported.run, err);
    slw_perf_stat_free(j.stat);
    if (rc >= 0)
        *ret_imported = imported;
    return rc < 0 ? rc : 0;
}

static bool recognise(const void *head, size_t length)
{
    static const char *const keys[] = {"\"counter-value\"", "\"metric-value\"", "\"event-runtime\"",
                                       "\"metric-unit\""};
    const char *p = head, *end = p + length;

    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    if (p == end || *p != '{' || memchr(head, '\0', length))
        return false;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (memmem(p, (size_t)(end - p), keys[i], strlen(keys[i])))
            return true;
    return false;
}

const struct slw_importer slw_importer_perf_stat_json = {
    .name = "perf_stat_json",
    .summary = "perf stat -j",
    .recognise = recognise,
    .import = import,
};
