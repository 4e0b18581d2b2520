/* SPDX-License-Identifier: MIT */
/* --metric NAME=REGEX: a number of the user's own choice. The expression is the user's, the text is
 * not: lines are cut, and what makes regular expressions slow is refused. */
#include "analyzer/client_output/client_output_int.h"

#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME    63
#define MAX_UNIT    23
#define MAX_MATCHES 1000 /* of one line; the line has no room for many more numbers */
#define MAX_PARTS   1000 /* of an expression with its repetitions written out, as regcomp does */
#define MAX_DEPTH   32   /* of parentheses: regcomp recurses */
#define GROUPS      10

struct slw_output_pattern {
    struct slw_client_reading kind; /* without its value */
    uint64_t scale;                 /* of the printed unit in kind.unit */
    regex_t regex;
};

/* ---- the expression ---- */

/* {m,n}: how many times at most, 0 when it is none. */
static uint64_t repeats_of(const char *brace)
{
    uint64_t most = 0, n = 0;

    for (const char *c = brace + 1; *c && *c != '}'; c++) {
        if (*c == ',') {
            most = n > most ? n : most;
            n = 0;
        } else if (!isdigit((unsigned char)*c)) {
            return 0;
        } else {
            n = n > 100000 ? n : n * 10 + (uint64_t)(*c - '0');
        }
    }
    return n > most ? n : most;
}

/* What follows the bracket expression that begins at c: "[]x]", "[^]x]", "[[:digit:].]". */
static const char *after_bracket(const char *c)
{
    c += c[1] == '^' ? 2 : 1;
    if (*c == ']')
        c++;
    for (; *c && *c != ']'; c++)
        if (*c == '[' && c[1] && strchr(":.=", c[1])) {
            const char end[] = {c[1], ']', '\0'};
            const char *closed = strstr(c + 2, end);
            if (!closed)
                return c + strlen(c);
            c = closed + 1;
        }
    return *c ? c + 1 : c;
}

/* How many parts the expression has once (ab){3} is ababab and a+ is aa*: groups of groups
 * multiply.
 */
struct parts {
    uint64_t before[MAX_DEPTH + 1], last[MAX_DEPTH + 1]; /* of each open group: all but the last */
    size_t depth;
};

static void add_part(struct parts *p, uint64_t size)
{
    p->before[p->depth] += p->last[p->depth];
    p->last[p->depth] = size;
}

static bool open_group(struct parts *p)
{
    if (p->depth == MAX_DEPTH)
        return false;
    p->depth++;
    p->before[p->depth] = p->last[p->depth] = 0;
    return true;
}

static void close_group(struct parts *p)
{
    const uint64_t size = p->before[p->depth] + p->last[p->depth] + 1;

    if (p->depth == 0) {
        add_part(p, 1);
        return;
    }
    p->depth--;
    add_part(p, size);
}

/* NULL, or why the C library is not to be given this. */
static const char *refuse(const char *regex)
{
    struct parts p = {.depth = 0};

    for (const char *c = regex; *c;) {
        const uint64_t repeats = *c == '{' ? repeats_of(c) : *c == '+' ? 2 : 0;
        if (*c == '\\' && isdigit((unsigned char)c[1]))
            return "a back reference (\\1) may take for ever to match";
        if (*c == '(' && !open_group(&p))
            return "too many parentheses within each other";
        if (*c == ')')
            close_group(&p);
        else if (repeats)
            p.last[p.depth] *= repeats;
        else if (*c != '(')
            add_part(&p, 1);
        if (p.before[p.depth] + p.last[p.depth] > MAX_PARTS)
            return "too many repetitions: written out it has more than 1000 parts";
        c = *c == '[' ? after_bracket(c) : c + (*c == '\\' && c[1] ? 2 : 1);
    }
    return NULL;
}

static int compile(struct slw_output_pattern *p, const char *regex, const char *text,
                   struct slw_error *err)
{
    const char *why = !*regex                           ? "it is empty"
                      : strlen(regex) > SLW_MAX_PATTERN ? "it is longer than 256 bytes"
                                                        : refuse(regex);
    char told[128];

    if (why)
        return slw_fail(err, SLW_E_USAGE, "the expression of metric '%.*s' is refused: %s",
                        MAX_NAME, p->kind.key, why);
    const int rc = regcomp(&p->regex, regex, REG_EXTENDED | REG_NEWLINE);
    if (rc == 0)
        return 0;
    (void)regerror(rc, &p->regex, told, sizeof(told));
    if (rc == REG_ESPACE)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a regular expression");
    return slw_fail(err, SLW_E_USAGE, "no regular expression in '%.200s': %s", text, told);
}

/* ---- NAME[UNIT]>= ---- */

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

/* Seconds and their parts become ns, as everywhere; other units stay as they are. */
static void set_unit(struct slw_output_pattern *p, const char *unit, size_t length)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } times[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};

    (void)snprintf(p->kind.unit, sizeof(p->kind.unit), "%.*s", (int)length, unit);
    p->scale = 1;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (strcmp(p->kind.unit, times[i].name) == 0) {
            p->scale = times[i].ns;
            (void)snprintf(p->kind.unit, sizeof(p->kind.unit), "ns");
            return;
        }
}

static int read_unit(struct slw_output_pattern *p, const char **at, struct slw_error *err)
{
    const char *c = *at;
    size_t length = 0;

    if (*c == '[') {
        length = strcspn(++c, "]");
        if (c[length] != ']' || length > MAX_UNIT)
            return slw_fail(err, SLW_E_USAGE,
                            "the unit of metric '%s' does not end in ']' within %d bytes",
                            p->kind.key, MAX_UNIT);
    }
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)c[i] < ' ' || c[i] == 0x7f)
            return slw_fail(err, SLW_E_USAGE, "the unit of metric '%s' holds a control character",
                            p->kind.key);
    set_unit(p, c, length);
    *at = c + length + (*(*at) == '[');
    return 0;
}

static int read_direction(struct slw_output_pattern *p, const char **at, struct slw_error *err)
{
    p->kind.better = **at == '>'   ? SLW_BETTER_HIGHER
                     : **at == '<' ? SLW_BETTER_LOWER
                                   : SLW_BETTER_NEITHER;
    if (p->kind.better != SLW_BETTER_NEITHER)
        (*at)++;
    if (**at != '=') {
        slw_error_hint(err, "for example: --metric 'score[points]>=score: ([0-9.]+)'");
        return slw_fail(err, SLW_E_USAGE, "metric '%s' needs =, >= or <= before its expression",
                        p->kind.key);
    }
    (*at)++;
    return 0;
}

static int read_head(struct slw_output_pattern *p, const char **at, struct slw_error *err)
{
    size_t n = 0;

    while (is_name_byte((*at)[n]))
        n++;
    if (n == 0 || n > MAX_NAME || !(isalpha((unsigned char)**at) || **at == '_')) {
        slw_error_hint(err, "NAME=REGEX, for example: --metric 'score>=score: ([0-9.]+)'");
        return slw_fail(err, SLW_E_USAGE,
                        "the name of a metric is letters, digits, '_', '.', '-', at most %d: "
                        "'%.100s'",
                        MAX_NAME, *at);
    }
    (void)snprintf(p->kind.key, sizeof(p->kind.key), "%.*s", (int)n, *at);
    (void)snprintf(p->kind.title, sizeof(p->kind.title), "%s, by --metric", p->kind.key);
    *at += n;
    int rc = read_unit(p, at, err);
    return rc < 0 ? rc : read_direction(p, at, err);
}

int slw_output_pattern_new(const char *text, struct slw_output_pattern **ret_pattern,
                           struct slw_error *err)
{
    struct slw_output_pattern *p = calloc(1, sizeof(*p));
    const char *at = text;

    if (!p)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a metric");
    int rc = read_head(p, &at, err);
    if (rc >= 0)
        rc = compile(p, at, text, err);
    if (rc < 0) {
        free(p);
        return rc;
    }
    *ret_pattern = p;
    return 0;
}

void slw_output_pattern_free(struct slw_output_pattern *p)
{
    if (!p)
        return;
    regfree(&p->regex);
    free(p);
}

const char *slw_output_pattern_name(const struct slw_output_pattern *p)
{
    return p->kind.key;
}

/* ---- the text ---- */

/* The number of a match: its first group, or all of it. */
static bool number_of(const struct slw_output_pattern *p, const char *line, const regmatch_t *m,
                      struct slw_decimal *ret_number)
{
    size_t group = 1;

    while (group < GROUPS && m[group].rm_so < 0)
        group++;
    if (group == GROUPS)
        group = 0;
    struct slw_line found = {line + m[group].rm_so, (size_t)(m[group].rm_eo - m[group].rm_so)};
    slw_line_skip_blanks(&found);
    const bool negative = found.length && *found.text == '-';
    if (found.length && (*found.text == '-' || *found.text == '+'))
        found = (struct slw_line){found.text + 1, found.length - 1};
    if (found.length == 0 || *found.text == ' ' || !slw_line_decimal(&found, p->scale, ret_number))
        return false;
    if (negative)
        ret_number->value = -ret_number->value;
    return slw_line_trimmed(found).length == 0;
}

/* The last match in the line. 0: none; 1: one; 2: one that is no number. */
static int match_line(const struct slw_output_pattern *p, struct slw_line line,
                      struct slw_decimal *ret_number)
{
    char copy[SLW_MAX_MATCHED_LINE + 1];
    size_t at = 0, left = MAX_MATCHES;
    regmatch_t m[GROUPS];
    int found = 0;

    if (line.length > SLW_MAX_MATCHED_LINE)
        line.length = SLW_MAX_MATCHED_LINE;
    for (size_t i = 0; i < line.length; i++)
        copy[i] = line.text[i] ? line.text[i] : ' ';
    copy[line.length] = '\0';
    while (at <= line.length && left-- &&
           regexec(&p->regex, copy + at, GROUPS, m, at ? REG_NOTBOL : 0) == 0) {
        found = number_of(p, copy + at, m, ret_number) ? 1 : 2;
        at += (size_t)m[0].rm_eo + (m[0].rm_eo == m[0].rm_so);
    }
    return found;
}

/* The line that ends at *end, which moves to its start: lines from the last to the first. */
static struct slw_line line_before(const char *text, const char **end)
{
    const char *from = *end;

    while (from > text && from[-1] != '\n' && from[-1] != '\r')
        from--;
    const struct slw_line line = {from, (size_t)(*end - from)};
    *end = from > text ? from - 1 : NULL;
    return line;
}

int slw_output_pattern_read(const struct slw_output_pattern *p, const char *text, size_t length,
                            struct slw_client_readings *readings, struct slw_error *err)
{
    struct slw_client_reading reading = p->kind;
    const char *end = text + length;
    struct slw_decimal number = {0};
    int found = 0;

    while (end && found == 0)
        found = match_line(p, line_before(text, &end), &number);
    if (found != 1 || !isfinite(number.value)) {
        slw_readings_leave_out(readings, "metric %s: %s", p->kind.key,
                               found ? "what its expression matches is no number"
                                     : "its expression matches nothing");
        return 0;
    }
    const bool requests = strcmp(reading.key, "requests") == 0;
    if (requests && (!number.whole || number.value < 0)) {
        slw_readings_leave_out(readings, "metric requests: what matches is no count");
        return 0;
    }
    reading.value = number.value;
    reading.step = requests ? 0 : number.step;
    return slw_readings_add(readings, &reading, err);
}
