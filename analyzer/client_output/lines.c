/* SPDX-License-Identifier: MIT */
/* Lines of foreign text and the numbers in them. Not for: what they mean (readers/). */
#include "analyzer/client_output/client_output_int.h"

#include <assert.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static void advance(struct slw_line *l, size_t bytes)
{
    l->text += bytes;
    l->length -= bytes;
}

struct slw_lines slw_lines_of(const char *text, size_t length)
{
    return (struct slw_lines){text, text + length};
}

bool slw_lines_next(struct slw_lines *l, struct slw_line *ret_line)
{
    const char *from = l->next, *to = from;

    if (from == l->end)
        return false;
    while (to < l->end && *to != '\n' && *to != '\r')
        to++;
    l->next = to < l->end ? to + 1 : to;
    *ret_line = (struct slw_line){from, (size_t)(to - from)};
    slw_line_skip_blanks(ret_line);
    return true;
}

void slw_line_skip_blanks(struct slw_line *l)
{
    while (l->length && is_blank(*l->text))
        advance(l, 1);
}

struct slw_line slw_line_trimmed(struct slw_line l)
{
    while (l.length && is_blank(l.text[l.length - 1]))
        l.length--;
    return l;
}

static bool skip(struct slw_line *l, const char *word, bool any_case)
{
    const size_t length = strlen(word);
    struct slw_line rest = *l;

    slw_line_skip_blanks(&rest);
    if (rest.length < length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (any_case ? lower(rest.text[i]) != lower(word[i]) : rest.text[i] != word[i])
            return false;
    advance(&rest, length);
    *l = rest;
    return true;
}

bool slw_line_skip(struct slw_line *l, const char *word)
{
    return skip(l, word, false);
}

bool slw_line_skip_any_case(struct slw_line *l, const char *word)
{
    return skip(l, word, true);
}

bool slw_line_skip_to(struct slw_line *l, const char *word)
{
    const size_t length = strlen(word);
    const char *found = l->length ? memmem(l->text, l->length, word, length) : NULL;

    if (!found)
        return false;
    advance(l, (size_t)(found - l->text) + length);
    return true;
}

bool slw_line_is(const struct slw_line *l, const char *word)
{
    return l->length == strlen(word) && memcmp(l->text, word, l->length) == 0;
}

bool slw_line_has(const struct slw_line *l, const char *word)
{
    struct slw_line copy = *l;

    return slw_line_skip_to(&copy, word);
}

struct slw_line slw_line_field(struct slw_line *l, char separator)
{
    struct slw_line field = *l;
    const char *found = l->length ? memchr(l->text, separator, l->length) : NULL;

    if (found)
        field.length = (size_t)(found - l->text);
    advance(l, found ? field.length + 1 : field.length);
    return field;
}

void slw_key_word(struct slw_line word, char *ret_word, size_t size)
{
    size_t n = 0;

    assert(size > 0);
    for (size_t i = 0; i < word.length && n + 1 < size; i++) {
        const char c = lower(word.text[i]);
        const bool keep = is_digit(c) || (c >= 'a' && c <= 'z');
        if (keep)
            ret_word[n++] = c;
        else if (n && ret_word[n - 1] != '_')
            ret_word[n++] = '_';
    }
    while (n && ret_word[n - 1] == '_')
        n--;
    ret_word[n] = '\0';
}

/* ---- numbers ---- */

#define MAX_DIGITS 18 /* fit into 64 bits; a double holds no more anyway */

/* Digits with a point that is kept apart: 12.50 is 1250 with two decimals. */
struct digits {
    uint64_t all;
    size_t count, decimals;
    bool point;
};

/* Digits of a fraction beyond those a double can hold are skipped, of an integer refused. */
static bool take_digit(struct digits *d, char c)
{
    if (d->count == MAX_DIGITS)
        return d->point;
    d->all = d->all * 10 + (uint64_t)(c - '0');
    d->count += d->count > 0 || c != '0' || d->point;
    d->decimals += d->point;
    return true;
}

/* "12.", "1.2.3" and "1,5" are not numbers here. */
static bool take_digits(struct slw_line *l, struct digits *ret_digits)
{
    struct digits d = {0};
    size_t i = 0;

    if (l->length == 0 || !is_digit(l->text[0]))
        return false;
    for (; i < l->length; i++) {
        if (is_digit(l->text[i])) {
            if (!take_digit(&d, l->text[i]))
                return false;
        } else if (l->text[i] == '.' && !d.point && i + 1 < l->length && is_digit(l->text[i + 1])) {
            d.point = true;
        } else {
            break;
        }
    }
    advance(l, i);
    *ret_digits = d;
    return true;
}

/* Exact wherever the digits are: one division of two whole numbers a double holds. */
static struct slw_decimal decimal_of(const struct digits *d, uint64_t scale)
{
    double divisor = 1;

    for (size_t i = 0; i < d->decimals; i++)
        divisor *= 10;
    return (struct slw_decimal){(double)d->all * (double)scale / divisor, (double)scale / divisor,
                                !d->point};
}

static bool foreign_tail(const struct slw_line *l)
{
    return l->length && (strchr(".,'eE_", *l->text) != NULL || is_digit(*l->text)) && *l->text;
}

/* A comma that ends a clause ("1.0 s, 8301 tps") is no part of the number before it. */
static bool ends_clause(const struct slw_line *l)
{
    return *l->text == ',' && (l->length == 1 || !is_digit(l->text[1]));
}

bool slw_line_decimal(struct slw_line *l, uint64_t scale, struct slw_decimal *ret_decimal)
{
    struct slw_line rest = *l;
    struct digits d;

    slw_line_skip_blanks(&rest);
    if (!take_digits(&rest, &d) || (foreign_tail(&rest) && !ends_clause(&rest)))
        return false;
    *ret_decimal = decimal_of(&d, scale);
    *l = rest;
    return true;
}

static bool group_of_three(const struct slw_line *l)
{
    return l->length >= 4 && l->text[0] == ',' && is_digit(l->text[1]) && is_digit(l->text[2]) &&
           is_digit(l->text[3]);
}

bool slw_line_grouped(struct slw_line *l, struct slw_decimal *ret_decimal)
{
    struct slw_line rest = *l;
    struct digits d;

    slw_line_skip_blanks(&rest);
    if (!take_digits(&rest, &d) || d.point)
        return false;
    for (const bool groups = d.count <= 3; groups && group_of_three(&rest); advance(&rest, 4))
        for (size_t i = 1; i <= 3; i++)
            if (!take_digit(&d, rest.text[i]))
                return false;
    if (foreign_tail(&rest) && !ends_clause(&rest))
        return false;
    *ret_decimal = decimal_of(&d, 1);
    *l = rest;
    return true;
}

static bool duration_unit(struct slw_line *l, uint64_t *ret_ns)
{
    static const struct {
        const char *word;
        uint64_t ns;
    } units[] = {
        {"ns", 1},
        {"us", 1000},
        {"\xc2\xb5s", 1000}, /* the micro sign, and the Greek letter */
        {"\xce\xbcs", 1000},
        {"ms", 1000000},
        {"h", UINT64_C(3600000000000)},
        {"m", UINT64_C(60000000000)},
        {"s", 1000000000},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        const size_t length = strlen(units[i].word);
        if (l->length < length || memcmp(l->text, units[i].word, length) != 0)
            continue;
        advance(l, length);
        *ret_ns = units[i].ns;
        return true;
    }
    return false;
}

bool slw_line_duration(struct slw_line *l, struct slw_decimal *ret_decimal)
{
    struct slw_decimal sum = {0};
    struct slw_line rest = *l;
    uint64_t before = UINT64_MAX;
    struct digits d;

    slw_line_skip_blanks(&rest);
    do { /* hours, minutes, seconds: each unit smaller than the one before */
        uint64_t ns;
        if (!take_digits(&rest, &d) || !duration_unit(&rest, &ns) || ns >= before)
            return false;
        const struct slw_decimal part = decimal_of(&d, ns);
        sum.value += part.value;
        sum.step = part.step;
        before = ns;
    } while (rest.length && is_digit(*rest.text));
    *ret_decimal = sum;
    *l = rest;
    return true;
}
