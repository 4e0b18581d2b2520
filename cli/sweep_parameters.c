/* SPDX-License-Identifier: MIT */
#include "cli/sweep_parameters.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST  1e15  /* whole numbers are exact and print whole up to here */
#define CLOSE 1e-12 /* relative; decimals are not exact, but nearly */

struct parse {
    struct slw_sweep_parameter *p;
    struct slw_error *err;
};

/* ---- words ---- */

static bool same(const char *a, const char *b)
{
    double left, right;

    if (slw_sweep_number(a, &left) && slw_sweep_number(b, &right))
        return left == right;
    return strcmp(a, b) == 0;
}

static int add_word(const struct parse *s, const char *word, size_t length)
{
    struct slw_sweep_parameter *p = s->p;

    if (length == 0) {
        slw_error_hint(s->err, "write -P %.32s=1,2,4,..64", p->name);
        return slw_fail(s->err, SLW_E_USAGE, "-P %.32s: an empty value", p->name);
    }
    if (length > SLW_MAX_PARAMETER_BYTES)
        return slw_fail(s->err, SLW_E_USAGE, "-P %.32s: a value is longer than %d bytes", p->name,
                        SLW_MAX_PARAMETER_BYTES);
    if (p->count == SLW_MAX_SWEEP_VALUES)
        return slw_fail(s->err, SLW_E_USAGE, "-P %.32s: more than %d values", p->name,
                        SLW_MAX_SWEEP_VALUES);
    memcpy(p->values[p->count], word, length);
    p->values[p->count][length] = '\0';
    for (size_t i = 0; i < p->count; i++)
        if (same(p->values[i], p->values[p->count]))
            return slw_fail(s->err, SLW_E_USAGE, "-P %.32s: %.64s stands twice", p->name,
                            p->values[p->count]);
    p->count++;
    return 0;
}

static int add_number(const struct parse *s, double value)
{
    char text[40];
    const int length = snprintf(text, sizeof(text), "%.15g", value);

    assert(length > 0 && (size_t)length < sizeof(text));
    return add_word(s, text, (size_t)length);
}

static int number_of(const struct parse *s, const char *text, double *ret_value)
{
    if (slw_sweep_number(text, ret_value) && fabs(*ret_value) <= MOST)
        return 0;
    return slw_fail(s->err, SLW_E_USAGE, "-P %.32s: '..' goes on with numbers, and '%.64s' is none",
                    s->p->name, text);
}

/* ---- rows ---- */

struct row {
    bool times; /* else plus */
    double by;
};

static bool close_to(double a, double b)
{
    return fabs(a - b) <= CLOSE * fmax(fabs(a), fabs(b));
}

/* After `value`; numbers that are whole but for the last digits become whole. */
static double next_of(struct row r, double value)
{
    const double next = r.times ? value * r.by : value + r.by;

    return fabs(next - round(next)) <= 1e-9 ? round(next) : next;
}

static bool moves_toward(struct row r, double from, double end)
{
    const double next = next_of(r, from);

    return isfinite(next) && next != from && fabs(end - next) < fabs(end - from);
}

/* Does the row meet `end`, within as many values as there may be? */
static bool meets(struct row r, double from, double end)
{
    for (size_t i = 0; i < SLW_MAX_SWEEP_VALUES && moves_toward(r, from, end); i++) {
        from = next_of(r, from);
        if (close_to(from, end))
            return true;
    }
    return false;
}

static int add_row(const struct parse *s, struct row r, double from, double end)
{
    int status = 0;

    for (size_t i = 0; status >= 0 && i < SLW_MAX_SWEEP_VALUES && !close_to(from, end); i++) {
        from = next_of(r, from);
        if (!close_to(from, end))
            status = add_number(s, from);
    }
    return status < 0 ? status : add_number(s, end);
}

static int never_met(const struct parse *s, double end, const char *why)
{
    slw_error_hint(s->err, "write the values out: -P %.32s=1,2,3", s->p->name);
    return slw_fail(s->err, SLW_E_USAGE, "-P %.32s: the row before '..' %s %.15g", s->p->name, why,
                    end);
}

/* Two values before "..": only where just one kind of row ends where it is told to. */
static int continue_two(const struct parse *s, const double v[2], double end)
{
    const struct row plus = {false, v[1] - v[0]};
    const struct row times = {true, v[0] != 0 ? v[1] / v[0] : 0};
    const bool can_plus = meets(plus, v[1], end),
               can_times = times.by > 0 && meets(times, v[1], end);

    if (can_plus && can_times && !close_to(next_of(plus, v[1]), next_of(times, v[1]))) {
        slw_error_hint(s->err, "write a third value: %.15g,%.15g,%.15g,.. or %.15g,%.15g,%.15g,..",
                       v[0], v[1], next_of(plus, v[1]), v[0], v[1], next_of(times, v[1]));
        return slw_fail(s->err, SLW_E_USAGE,
                        "-P %.32s: %.15g,%.15g,..%.15g may be added or multiplied", s->p->name,
                        v[0], v[1], end);
    }
    if (!can_plus && !can_times)
        return never_met(s, end, "does not meet");
    return add_row(s, can_plus ? plus : times, v[1], end);
}

static int continue_three(const struct parse *s, const double v[3], double end)
{
    const struct row plus = {false, v[2] - v[1]};
    const struct row times = {true, v[1] != 0 ? v[2] / v[1] : 0};

    if (close_to(v[1] - v[0], plus.by))
        return meets(plus, v[2], end) ? add_row(s, plus, v[2], end)
                                      : never_met(s, end, "does not meet");
    if (v[0] != 0 && times.by > 0 && close_to(v[1] / v[0], times.by))
        return meets(times, v[2], end) ? add_row(s, times, v[2], end)
                                       : never_met(s, end, "does not meet");
    return never_met(s, end, "neither adds nor multiplies, and so has no way to");
}

/* "..64": go on with the last two or three values. */
static int continue_row(const struct parse *s, const char *end_text)
{
    const size_t count = s->p->count, used = count >= 3 ? 3 : count;
    double v[3], end;
    int status = number_of(s, end_text, &end);

    for (size_t i = 0; status >= 0 && i < used; i++)
        status = number_of(s, s->p->values[count - used + i], &v[i]);
    if (status < 0)
        return status;
    if (used < 2) {
        slw_error_hint(s->err, "write -P %.32s=1,2,4,..64, or 1..64 to double", s->p->name);
        return slw_fail(s->err, SLW_E_USAGE, "-P %.32s: '..' needs two values or more before it",
                        s->p->name);
    }
    return used == 3 ? continue_three(s, v, end) : continue_two(s, v, end);
}

/* "1..64": doubling. */
static int doubling(const struct parse *s, const char *from_text, const char *end_text)
{
    double from, end;
    int status = number_of(s, from_text, &from);

    if (status >= 0)
        status = number_of(s, end_text, &end);
    if (status < 0)
        return status;
    const struct row times = {true, 2};
    if (!(from > 0) || !meets(times, from, end)) {
        slw_error_hint(s->err, "A..B doubles from A to B; write -P %.32s=1,2,3,..8 to count",
                       s->p->name);
        return slw_fail(s->err, SLW_E_USAGE, "-P %.32s: doubling %.15g does not meet %.15g",
                        s->p->name, from, end);
    }
    status = add_number(s, from);
    return status < 0 ? status : add_row(s, times, from, end);
}

/* ---- the whole ---- */

struct cursor {
    const char *at; /* NULL: the end */
    char word[2 * SLW_MAX_PARAMETER_BYTES + 4];
};

/* The next word into c->word. */
static int take_word(const struct parse *s, struct cursor *c)
{
    const size_t length = strcspn(c->at, ",");

    if (length >= sizeof(c->word))
        return slw_fail(s->err, SLW_E_USAGE, "-P %.32s: a value is longer than %d bytes",
                        s->p->name, SLW_MAX_PARAMETER_BYTES);
    memcpy(c->word, c->at, length);
    c->word[length] = '\0';
    c->at = c->at[length] == ',' ? c->at + length + 1 : NULL;
    return 0;
}

static int parse_word(const struct parse *s, struct cursor *c)
{
    char *dots = strstr(c->word, "..");
    int status = 0;

    if (!dots)
        return add_word(s, c->word, strlen(c->word));
    if (dots != c->word) {
        *dots = '\0';
        return doubling(s, c->word, dots + 2);
    }
    if (dots[2] != '\0')
        return continue_row(s, dots + 2);
    if (!c->at) /* "1,2,4,.." */
        return slw_fail(s->err, SLW_E_USAGE, "-P %.32s: '..' needs the last value after it",
                        s->p->name);
    status = take_word(s, c); /* "1,2,4,..,64" */
    return status < 0 ? status : continue_row(s, c->word);
}

static bool is_name(const char *text, size_t length)
{
    if (length == 0 || length > SLW_MAX_PARAMETER_BYTES || !isalpha((unsigned char)text[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_' && text[i] != '-')
            return false;
    return true;
}

int slw_sweep_parameter_parse(const char *text, struct slw_sweep_parameter *ret_parameter,
                              struct slw_error *err)
{
    struct slw_sweep_parameter p = {.count = 0};
    const struct parse s = {&p, err};
    const size_t length = strcspn(text, "=");
    struct cursor c = {.at = text + length + 1};
    int status = 0;

    if (text[length] != '=' || !is_name(text, length)) {
        slw_error_hint(err, "write -P batch=1,2,4,..64");
        return slw_fail(err, SLW_E_USAGE, "-P: '%.60s' is not NAME=VALUES", text);
    }
    memcpy(p.name, text, length);
    while (status >= 0 && c.at) {
        status = take_word(&s, &c);
        if (status >= 0)
            status = parse_word(&s, &c);
    }
    if (status < 0)
        return status;
    *ret_parameter = p;
    return 0;
}

int slw_sweep_parameters_add(struct slw_sweep_parameters *all,
                             const struct slw_sweep_parameter *parameter, struct slw_error *err)
{
    double value;

    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->all[i].name, parameter->name) == 0)
            return slw_fail(err, SLW_E_USAGE, "-P %.32s is given twice", parameter->name);
    if (all->count == SLW_MAX_PARAMETERS)
        return slw_fail(err, SLW_E_USAGE, "more than %d parameters", SLW_MAX_PARAMETERS);
    for (size_t i = 0; all->count == 0 && i < parameter->count; i++)
        if (!slw_sweep_number(parameter->values[i], &value) || value <= 0) {
            slw_error_hint(err, "costs are drawn against the first -P; give another one first");
            return slw_fail(err, SLW_E_USAGE, "-P %.32s: '%.64s' is no number above 0",
                            parameter->name, parameter->values[i]);
        }
    all->all[all->count++] = *parameter;
    return 0;
}

size_t slw_sweep_parameters_arms(const struct slw_sweep_parameters *all)
{
    size_t arms = 1;

    for (size_t i = 0; i < all->count; i++)
        arms *= all->all[i].count; /* 64 to the 8th power is 2 to the 48th */
    return arms;
}
