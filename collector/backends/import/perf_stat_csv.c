/* SPDX-License-Identifier: MIT */
/* `perf stat -x SEP`: value, unit, event, [+-%], running time, share of the time, metric, its unit,
 * [threshold]; before them the time stamp of -I and the CPU, core or thread of -A and --per-x.
 * SEP may be anything and is found out from the first row. Source: perf-stat(1), CSV FORMAT. */
#include "collector/importer.h"
#include "collector/perf_stat.h"

#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS    48 /* perf prints up to 14 */
#define MAX_SEPARATOR 4
#define PROBE_LINES   32  /* a header has fewer */
#define PROBE_BYTES   512 /* of a row: its separator is met before */

struct csv {
    const char *path;
    struct slw_perf_stat *stat;
    char separator[MAX_SEPARATOR + 1];
    size_t rows, covered_rows;
    size_t metric_fields; /* columns of the last row that held a metric only; 0: none yet */
    size_t line;
    struct slw_error *err;
};

struct fields {
    struct slw_span at[MAX_FIELDS];
    size_t count, next;
    bool too_many;
};

static struct fields split(struct slw_span line, const char *separator)
{
    const size_t length = strlen(separator);
    struct fields f = {0};
    const char *p = line.text, *end = line.text + line.length;

    for (;;) {
        const char *stop = memmem(p, (size_t)(end - p), separator, length);
        if (f.count == MAX_FIELDS) {
            f.too_many = true;
            return f;
        }
        f.at[f.count++] = slw_span_trim((struct slw_span){p, (size_t)((stop ? stop : end) - p)});
        if (!stop)
            return f;
        p = stop + length;
    }
}

static struct slw_span take(struct fields *f)
{
    return f->next < f->count ? f->at[f->next++] : (struct slw_span){0};
}

static struct slw_span peek(const struct fields *f)
{
    return f->next < f->count ? f->at[f->next] : (struct slw_span){0};
}

static bool all_digits(struct slw_span s)
{
    for (size_t i = 0; i < s.length; i++)
        if (s.text[i] < '0' || s.text[i] > '9')
            return false;
    return s.length > 0;
}

static bool is_number(struct slw_span s)
{
    struct slw_decimal d;

    return s.length > 0 && slw_decimal_parse(s.text, s.length, false, &d) == s.length;
}

static bool starts(struct slw_span s, const char *word)
{
    return s.length >= strlen(word) && memcmp(s.text, word, strlen(word)) == 0;
}

static bool is_value(struct slw_span s)
{
    return s.length == 0 || starts(s, "<not ") || is_number(s);
}

/* "1.000103288": perf prints nine decimals, and no count has them. */
static bool is_time(struct slw_span s)
{
    const char *dot = s.length > 10 ? memchr(s.text, '.', s.length) : NULL;

    return dot && s.text + s.length - dot == 10 &&
           all_digits((struct slw_span){s.text, (size_t)(dot - s.text)}) &&
           all_digits((struct slw_span){dot + 1, 9});
}

/* An event between slashes may hold the separator ("cpu/UOPS,cmask=1/"): join it again. */
static struct slw_span take_event(struct fields *f)
{
    struct slw_span event = take(f);
    size_t slashes = 0;

    for (size_t i = 0; i < event.length; i++)
        slashes += event.text[i] == '/';
    while (slashes == 1 && f->next < f->count) {
        const struct slw_span more = take(f);
        for (size_t i = 0; i < more.length; i++)
            slashes += more.text[i] == '/';
        event.length = (size_t)(more.text + more.length - event.text);
    }
    return event;
}

static bool has_letter(struct slw_span s)
{
    for (size_t i = 0; i < s.length; i++)
        if ((s.text[i] | 32) >= 'a' && (s.text[i] | 32) <= 'z')
            return true;
    return false;
}

/* The time stamp and the place; what follows them is the value. */
static void take_prefix(struct fields *f, struct slw_perf_row *row)
{
    if (is_time(peek(f)))
        row->time = take(f);
    if (is_value(peek(f)))
        return;
    row->place = take(f);
    /* --per-core and the like say how many CPUs were added up. */
    if (!starts(row->place, "CPU") && f->next + 1 < f->count && all_digits(peek(f)) &&
        is_value(f->at[f->next + 1]) && f->at[f->next + 1].length > 0)
        f->next++;
}

/* Fill the row; the fields behind it are left. NULL, or what is wrong at *ret_bad. */
static const char *read_row(struct fields *f, struct slw_perf_row *row, struct slw_span *ret_bad)
{
    struct slw_perf_event event;

    take_prefix(f, row);
    *ret_bad = peek(f);
    row->value = take(f);
    if (row->value.length == 0) /* a metric alone: behind at least four empty columns */
        return f->count < 5 ? "this is no row of perf stat -x" : NULL;
    if (!is_value(row->value))
        return "a count was expected";
    *ret_bad = peek(f);
    row->unit = take(f);
    if (f->next >= f->count)
        return "the row ends before the name of the event";
    *ret_bad = peek(f);
    row->event = take_event(f);
    if (!has_letter(row->event) || !slw_perf_event_parse(row->event, &event))
        return "the name of an event was expected";
    if (peek(f).length > 0 && peek(f).text[peek(f).length - 1] == '%') {
        row->spread = take(f);
        row->spread.length--;
    }
    *ret_bad = peek(f);
    row->running = take(f);
    if (row->running.length > 0 && !all_digits(row->running))
        return "the running time was expected";
    *ret_bad = peek(f);
    row->covered = take(f);
    if (row->covered.length > 0 && !is_number(row->covered))
        return "the share of the time was expected";
    return NULL;
}

static bool is_threshold(struct slw_span s)
{
    static const char *const words[] = {"good", "less good", "nearly bad", "bad", "unknown"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (s.length == strlen(words[i]) && starts(s, words[i]))
            return true;
    return false;
}

/* The last fields: value, name, and since Linux 6.13 the threshold. A metric group has a name only.
 */
static int read_metric(struct csv *c, struct fields *f, bool beside)
{
    struct slw_perf_metric m = {.beside = beside};
    size_t last = f->count;

    if (last > f->next && is_threshold(f->at[last - 1]))
        m.threshold = f->at[--last];
    if (last < f->next + 2)
        return 0;
    m.name = f->at[last - 1];
    m.value = f->at[last - 2];
    return slw_perf_stat_metric(c->stat, &m, c->err);
}

static int fail(const struct csv *c, struct slw_span line, struct slw_span at, const char *what)
{
    const size_t column = at.text ? (size_t)(at.text - line.text) + 1 : line.length + 1;

    return slw_perf_stat_fail(c->path, c->line, column, SLW_E_FORMAT, c->err, "%s: '%.*s'", what,
                              (int)(at.length < 40 ? at.length : 40), at.text ? at.text : "");
}

static int read_line(struct csv *c, struct slw_span line, bool last_unended)
{
    struct fields f = split(line, c->separator);
    struct slw_perf_row row = {.line = c->line, .column = 1};
    struct slw_span bad = {0};

    if (f.too_many)
        return fail(c, line, line, "more columns than perf stat has");
    const char *wrong = read_row(&f, &row, &bad);
    if (wrong)
        return fail(c, line, bad, wrong);
    if (row.value.length == 0) {
        if (last_unended && c->metric_fields > f.count)
            return fail(c, line, (struct slw_span){0}, "the file ends in the middle of a row");
        c->metric_fields = f.count;
        return read_metric(c, &f, false);
    }
    row.column = (size_t)(row.value.text - line.text) + 1;
    if (last_unended && row.covered.length == 0 && c->covered_rows > 0)
        return fail(c, line, (struct slw_span){0}, "the file ends in the middle of a row");
    c->covered_rows += row.covered.length > 0;
    c->rows++;
    const int rc = slw_perf_stat_add(c->stat, &row, c->err);
    return rc < 0 ? rc : read_metric(c, &f, true);
}

/* ---- the separator ---- */

static bool may_separate(const char *s, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char c = s[i];
        if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '<' ||
            c == '>' || c == '/' || c == '_' || c == '-' || c == '\r')
            return false;
    }
    return true;
}

/* Does the line read as a full row with this separator? */
static bool separates(struct slw_span line, const char *separator)
{
    struct fields f = split(line, separator);
    struct slw_perf_row row = {0};
    struct slw_span bad;

    return !f.too_many && f.count >= 3 && !read_row(&f, &row, &bad) && row.event.length > 0 &&
           (row.covered.length > 0 || f.count == 3 || f.next < f.count);
}

static bool find_separator(struct slw_span line, char *ret_separator)
{
    const size_t bytes = line.length < PROBE_BYTES ? line.length : PROBE_BYTES;

    for (size_t length = 1; length <= MAX_SEPARATOR; length++)
        for (size_t at = 0; at + length <= bytes; at++) {
            char candidate[MAX_SEPARATOR + 1] = "";
            if (!may_separate(line.text + at, length))
                continue;
            memcpy(candidate, line.text + at, length);
            if (strspn(candidate, " ") < length && separates(line, candidate)) {
                memcpy(ret_separator, candidate, sizeof(candidate));
                return true;
            }
        }
    return false;
}

static bool is_comment(struct slw_span line)
{
    const struct slw_span s = slw_span_trim(line);

    return s.length == 0 || s.text[0] == '#';
}

/* The separator of the first row; metric rows without a count are passed over. */
static bool probe(const char *path, const void *bytes, size_t length, char *ret_separator)
{
    struct slw_perf_lines lines = {
        .path = path, .next = bytes, .end = (const char *)bytes + length};
    struct slw_span line;

    for (int i = 0; i < PROBE_LINES && slw_perf_lines_next(&lines, &line, NULL) == 1; i++)
        if (!is_comment(line) && find_separator(line, ret_separator))
            return true;
    return false;
}

/* ---- the file ---- */

static int read_lines(struct csv *c, struct slw_perf_lines *lines)
{
    struct slw_span line;
    int rc;

    while ((rc = slw_perf_lines_next(lines, &line, c->err)) == 1) {
        c->line = lines->number;
        if (starts(line, "# started on") && c->rows > 0)
            return fail(c, line, line, "a second output starts here; import each of them alone");
        if (is_comment(line))
            continue;
        rc = read_line(c, line, lines->next == lines->end && lines->end[-1] != '\n');
        if (rc < 0)
            return rc;
    }
    return rc;
}

static int import(const char *path, const void *bytes, size_t length,
                  struct slw_imported *ret_imported, struct slw_error *err)
{
    struct slw_perf_lines lines = {
        .path = path, .next = bytes, .end = (const char *)bytes + length};
    struct csv c = {.path = path, .err = err};
    struct slw_imported imported = {0};
    struct slw_span first;

    if (!probe(path, bytes, length, c.separator)) {
        const int bad = slw_perf_lines_next(&lines, &first, err);
        return bad < 0 ? bad
                       : slw_perf_stat_fail(path, 1, 1, SLW_E_FORMAT, err,
                                            "no line is a row of perf stat -x");
    }
    int rc = slw_perf_stat_new(path, "perf stat -x", &c.stat, err);
    if (rc >= 0)
        rc = read_lines(&c, &lines);
    if (rc >= 0)
        rc = slw_perf_stat_finish(c.stat, &imported.run, err);
    slw_perf_stat_free(c.stat);
    if (rc >= 0)
        *ret_imported = imported;
    return rc < 0 ? rc : 0;
}

static bool recognise(const void *head, size_t length)
{
    char separator[MAX_SEPARATOR + 1];

    return length > 0 && *(const char *)head != '{' && !memchr(head, '\0', length) &&
           probe("", head, length, separator);
}

const struct slw_importer slw_importer_perf_stat_csv = {
    .name = "perf_stat_csv",
    .summary = "perf stat -x",
    .recognise = recognise,
    .import = import,
};
