/* SPDX-License-Identifier: MIT */
/* `perf stat` as it prints for people: rows of value, [unit], event, then "# metric", the spread of
 * -r and the share of the time. Neither the heading nor the closing lines need to be there, and
 * other text may stand around the rows; where there is a heading, rows are looked for behind it
 * only. */
#include "collector/importer.h"
#include "collector/perf_stat.h"

#include <stdlib.h>
#include <string.h>

#define HEADING "Performance counter stats for"

struct text {
    const char *path;
    struct slw_perf_stat *stat;
    size_t line, rows;
    bool headed;    /* the file has a heading */
    size_t heading; /* line of the one met; 0: not yet */
    bool covered;   /* the last row's share of the time is known */
    struct slw_error *err;
};

/* ---- words ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool starts(struct slw_span s, const char *word)
{
    return s.length >= strlen(word) && memcmp(s.text, word, strlen(word)) == 0;
}

static void skip(struct slw_span *s, size_t bytes)
{
    s->text += bytes;
    s->length -= bytes;
}

/* The next word; empty at the end. */
static struct slw_span take_word(struct slw_span *s)
{
    struct slw_span word;

    *s = slw_span_trim(*s);
    word = *s;
    for (word.length = 0; word.length < s->length; word.length++)
        if (s->text[word.length] == ' ' || s->text[word.length] == '\t')
            break;
    skip(s, word.length);
    return word;
}

static bool is_word(struct slw_span s, const char *word)
{
    return s.length == strlen(word) && starts(s, word);
}

static bool parse_all(struct slw_span s, bool machine, struct slw_decimal *ret)
{
    return s.length > 0 && slw_decimal_parse(s.text, s.length, machine, ret) == s.length;
}

static bool is_count(struct slw_span s)
{
    struct slw_decimal d;

    return parse_all(s, false, &d);
}

static bool is_time(struct slw_span s)
{
    const char *dot = s.length > 10 ? memchr(s.text, '.', s.length) : NULL;

    for (size_t i = 0; i < s.length; i++)
        if (!is_digit(s.text[i]) && s.text + i != dot)
            return false;
    return dot && s.text + s.length - dot == 10;
}

/* ---- the tail of a row: metrics, spread, share ---- */

/* "(66.87%)", "(66,87%)", and "[66.87%]" of Linux 3.x at the end: cut off and put into *ret. */
static void take_share(struct slw_span *s, struct slw_span *ret)
{
    const char close = s->length > 0 ? s->text[s->length - 1] : '\0';
    size_t at = s->length;
    struct slw_decimal d;

    if ((close != ')' && close != ']') || s->length < 4 || s->text[s->length - 2] != '%')
        return;
    while (at > 0 && s->text[at - 1] != (close == ')' ? '(' : '['))
        at--;
    const struct slw_span inside =
        slw_span_trim((struct slw_span){s->text + at, s->length - at - (at > 0 ? 2 : s->length)});
    if (at == 0 || !parse_all(inside, true, &d))
        return;
    *ret = inside;
    *s = slw_span_trim((struct slw_span){s->text, at - 1});
}

/* "( +-  0.05% )" at the end. */
static void take_spread(struct slw_span *s, struct slw_span *ret)
{
    const char *open = s->length > 0 ? memrchr(s->text, '(', s->length) : NULL;
    const char *sign = open ? memmem(open, (size_t)(s->text + s->length - open), "+-", 2) : NULL;
    struct slw_decimal d;

    if (!sign || s->text[s->length - 1] != ')')
        return;
    const char *percent = memchr(sign, '%', (size_t)(s->text + s->length - sign));
    if (!percent)
        return;
    const struct slw_span inside =
        slw_span_trim((struct slw_span){sign + 2, (size_t)(percent - sign - 2)});
    if (!parse_all(inside, true, &d))
        return;
    *ret = inside;
    *s = slw_span_trim((struct slw_span){s->text, (size_t)(open - s->text)});
}

/* "26.6 %  tma_bad_speculation", "7.5% Retiring", "0.001 CPUs utilized" */
static bool cut_metric(struct slw_span s, struct slw_perf_metric *m)
{
    struct slw_decimal d;
    size_t bytes;

    s = slw_span_trim(s);
    bytes = slw_decimal_parse(s.text, s.length, true, &d);
    if (bytes == 0)
        return false;
    m->value = (struct slw_span){s.text, bytes};
    m->name = slw_span_trim((struct slw_span){s.text + bytes, s.length - bytes});
    return m->name.length > 0;
}

/* The metrics of "# a # b"; s begins behind the first '#'. */
static int read_metrics(struct text *t, struct slw_span s)
{
    for (;;) {
        struct slw_perf_metric m = {.beside = true};
        const char *more = memmem(s.text, s.length, " #", 2);
        const struct slw_span one = {s.text, more ? (size_t)(more - s.text) : s.length};

        if (cut_metric(one, &m)) {
            const int rc = slw_perf_stat_metric(t->stat, &m, t->err);
            if (rc < 0)
                return rc;
        }
        if (!more)
            return 0;
        skip(&s, one.length + 2);
    }
}

/* ---- a row ---- */

struct cut { /* a line that looks like a row */
    struct slw_perf_row row;
    struct slw_span metrics;
    bool have_metrics;
};

/* "1,234" or "<not counted>" at the start of s. */
static bool take_value(struct slw_span *s, struct slw_span *ret)
{
    static const char *const absent[] = {"<not counted>", "<not supported>"};

    *s = slw_span_trim(*s);
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        if (starts(*s, absent[i])) {
            *ret = (struct slw_span){s->text, strlen(absent[i])};
            skip(s, ret->length);
            return true;
        }
    struct slw_span rest = *s;
    const struct slw_span word = take_word(&rest);
    if (!is_count(word))
        return false;
    *ret = word;
    *s = rest;
    return true;
}

/* A time stamp, and a CPU, core (with the number of its CPUs) or thread. A thread's name may hold
 * blanks: it is all that stands before "-TID  value". */
static bool take_prefix(struct slw_span *s, struct slw_perf_row *row)
{
    struct slw_span rest = *s, value;
    struct slw_span word = take_word(&rest);

    if (is_time(word) && rest.length > 0 && !starts(slw_span_trim(rest), "seconds ")) {
        row->time = word;
        *s = rest;
        word = take_word(&rest);
    }
    struct slw_span probe = *s;
    if (take_value(&probe, &value))
        return true;
    if (word.length == 0 || word.text[0] == '#')
        return false;
    for (size_t words = 0; words < 8 && word.length > 0; words++) {
        struct slw_span behind = rest;
        if (take_value(&behind, &value)) {
            row->place = (struct slw_span){
                slw_span_trim(*s).text, (size_t)(word.text + word.length - slw_span_trim(*s).text)};
            *s = rest;
            break;
        }
        word = take_word(&rest);
    }
    const struct slw_span place = row->place;
    if (place.length == 0 || !is_digit(place.text[place.length - 1]))
        return false;
    const bool cpu = starts(place, "CPU"), dash = memchr(place.text, '-', place.length);
    const bool topology = is_digit(place.text[1 < place.length ? 1 : 0]) &&
                          (place.text[0] == 'S' || place.text[0] == 'N' || place.text[0] == 'D');
    if (!cpu && !dash && !topology)
        return false;
    probe = *s;
    (void)take_word(&probe);
    if (topology && !cpu && take_value(&probe, &value))
        (void)take_word(s); /* how many CPUs were added up */
    return true;
}

/* [unit] event, or "event (unit)" as Linux 3.x printed clocks. Two words at most: anything longer
 * is not of perf. */
static bool take_names(struct slw_span s, struct slw_perf_row *row)
{
    const struct slw_span first = take_word(&s), second = take_word(&s);
    struct slw_perf_event event;

    if (slw_span_trim(s).length > 0 || first.length == 0)
        return false;
    row->event = first;
    if (second.length > 2 && second.text[0] == '(' && second.text[second.length - 1] == ')')
        row->unit = (struct slw_span){second.text + 1, second.length - 2};
    else if (second.length > 0) {
        row->unit = first;
        row->event = second;
    }
    bool letter = false;
    for (size_t i = 0; i < row->event.length; i++)
        letter = letter || (row->event.text[i] | 32) >= 'a';
    return letter && slw_perf_event_parse(row->event, &event);
}

static bool cut_row(struct slw_span line, struct cut *c)
{
    struct slw_span s = slw_span_trim(line);

    take_share(&s, &c->row.covered);
    take_spread(&s, &c->row.spread);
    if (!take_prefix(&s, &c->row) || !take_value(&s, &c->row.value))
        return false;
    const char *hash = memmem(s.text, s.length, " #", 2);
    if (hash) {
        c->metrics = (struct slw_span){hash + 2, (size_t)(s.text + s.length - hash - 2)};
        c->have_metrics = true;
        s.length = (size_t)(hash - s.text);
    }
    c->row.column = (size_t)(c->row.value.text - line.text) + 1;
    return take_names(s, &c->row);
}

static int read_row(struct text *t, struct cut *c)
{
    c->row.line = t->line;
    t->rows++;
    const int rc = slw_perf_stat_add(t->stat, &c->row, t->err);
    return rc >= 0 && c->have_metrics ? read_metrics(t, c->metrics) : rc;
}

/* "   # 54.1 %  tma_frontend_bound   (66.87%)": more of the row before. */
static bool is_continuation(struct slw_span line)
{
    struct slw_perf_metric m;
    struct slw_span s = slw_span_trim(line), share = {0}, spread = {0};

    take_share(&s, &share);
    take_spread(&s, &spread);
    return s.length > 1 && s.text[0] == '#' &&
           cut_metric((struct slw_span){s.text + 1, s.length - 1}, &m);
}

static int read_continuation(struct text *t, struct slw_span line)
{
    struct slw_span s = slw_span_trim(line), share = {0}, spread = {0};

    take_share(&s, &share);
    take_spread(&s, &spread);
    int rc = read_metrics(t, (struct slw_span){s.text + 1, s.length - 1});
    if (rc >= 0 && share.length > 0)
        rc = slw_perf_stat_cover(t->stat, share, t->line, (size_t)(share.text - line.text) + 1,
                                 t->err);
    return rc;
}

/* "1.0036 seconds time elapsed", "1.0036 +- 0.0012 seconds time elapsed", "0.77 seconds user" */
static bool read_seconds(struct text *t, struct slw_span line)
{
    struct slw_span s = slw_span_trim(line), word;
    struct slw_decimal d;

    if (!parse_all(take_word(&s), true, &d))
        return false;
    word = take_word(&s);
    if (is_word(word, "+-")) {
        (void)take_word(&s);
        word = take_word(&s);
    }
    if (!is_word(word, "seconds"))
        return false;
    word = take_word(&s);
    if (is_word(word, "time"))
        slw_perf_stat_elapsed(t->stat, &d);
    else if (is_word(word, "user") || is_word(word, "sys"))
        slw_perf_stat_cpu_time(t->stat, is_word(word, "user"), &d);
    else
        return false;
    return true;
}

static int read_heading(struct text *t, struct slw_span line)
{
    const char *at = memmem(line.text, line.length, HEADING, strlen(HEADING));

    if (t->heading > 0)
        return slw_perf_stat_fail(
            t->path, t->line, (size_t)(at - line.text) + 1, SLW_E_FORMAT, t->err,
            "a second output starts here (the first in line %zu); import each "
            "of them alone",
            t->heading);
    t->heading = t->line;
    struct slw_span target = {at + strlen(HEADING),
                              (size_t)(line.text + line.length - at) - strlen(HEADING)};
    target = slw_span_trim(target);
    if (target.length > 0 && target.text[target.length - 1] == ':')
        target.length--;
    if (target.length > 512)
        target.length = 512;
    return target.length > 0 ? slw_perf_stat_target(t->stat, target, t->err) : 0;
}

/* A number, then nothing a row could be: of the last line it is a row that was cut. */
static bool is_cut_row(struct slw_span line)
{
    struct slw_span s = slw_span_trim(line), value;

    return take_value(&s, &value) && slw_span_trim(s).length == 0;
}

static int read_line(struct text *t, struct slw_span line, bool unended)
{
    struct cut c = {0};

    if (memmem(line.text, line.length, HEADING, strlen(HEADING)))
        return read_heading(t, line);
    if (t->headed && t->heading == 0)
        return 0;
    if (read_seconds(t, line))
        return 0;
    if (t->rows > 0 && is_continuation(line))
        return read_continuation(t, line);
    if (cut_row(line, &c))
        return read_row(t, &c);
    if (unended && t->rows > 0 && is_cut_row(line))
        return slw_perf_stat_fail(t->path, t->line, line.length + 1, SLW_E_FORMAT, t->err,
                                  "the file ends in the middle of a row");
    return 0;
}

/* ---- the file ---- */

static int read_lines(struct text *t, const void *bytes, size_t length)
{
    struct slw_perf_lines lines = {
        .path = t->path, .next = bytes, .end = (const char *)bytes + length};
    struct slw_span line;
    int rc;

    t->headed = memmem(bytes, length, HEADING, strlen(HEADING)) != NULL;
    while ((rc = slw_perf_lines_next(&lines, &line, t->err)) == 1) {
        t->line = lines.number;
        rc = read_line(t, line, lines.next == lines.end && lines.end[-1] != '\n');
        if (rc < 0)
            return rc;
    }
    return rc;
}

static int import(const char *path, const void *bytes, size_t length,
                  struct slw_imported *ret_imported, struct slw_error *err)
{
    struct text t = {.path = path, .err = err};
    struct slw_imported imported = {0};
    int rc = slw_perf_stat_new(path, "perf stat", &t.stat, err);

    if (rc >= 0)
        rc = read_lines(&t, bytes, length);
    if (rc >= 0)
        rc = slw_perf_stat_finish(t.stat, &imported.run, err);
    slw_perf_stat_free(t.stat);
    if (rc >= 0)
        *ret_imported = imported;
    return rc < 0 ? rc : 0;
}

/* A heading, or a line that can only be a row. */
static bool recognise(const void *head, size_t length)
{
    struct slw_perf_lines lines = {.path = "", .next = head, .end = (const char *)head + length};
    struct slw_span line;

    if (memchr(head, '\0', length))
        return false;
    if (memmem(head, length, HEADING, strlen(HEADING)))
        return true;
    while (slw_perf_lines_next(&lines, &line, NULL) == 1) {
        struct cut c = {0};
        /* Aligned to the right: other tools' "12 word" is not. */
        if (line.length > 0 && line.text[0] == ' ' && cut_row(line, &c))
            return true;
    }
    return false;
}

const struct slw_importer slw_importer_perf_stat_text = {
    .name = "perf_stat_text",
    .summary = "perf stat",
    .recognise = recognise,
    .import = import,
};
