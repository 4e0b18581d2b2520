/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/gate.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PERCENT 1e6 /* ten thousand times as much: a slip of the finger */

static const char example[] = "a rule is METRIC>+N% or METRIC<-N%: cpu_per_request>+3%";

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(const char **start, const char **end)
{
    while (*start < *end && is_blank(**start))
        (*start)++;
    while (*start < *end && is_blank((*end)[-1]))
        (*end)--;
}

/* What of a rule an error may repeat: printable, not all of a long one. */
static void put_shown(char *out, size_t size, const char *start, const char *end)
{
    size_t n = 0;

    for (; start < end && n + 1 < size; start++)
        out[n++] = *start >= ' ' && *start < 0x7f ? *start : '?';
    out[n] = '\0';
}

static int refuse(const char *start, const char *end, size_t offset, const char *what,
                  struct slw_error *err)
{
    char shown[64];

    put_shown(shown, sizeof(shown), start, end);
    const int rc = slw_fail(err, SLW_E_USAGE, "--fail-on: '%s': %s", shown, what);
    slw_error_at(err, "--fail-on, character %zu", offset + 1);
    slw_error_hint(err, "%s", example);
    return rc;
}

/* Names as observations have them; stages are named by clients, so most bytes may stand in one. */
static const char *bad_name(const char *start, const char *end)
{
    if (start == end)
        return "there is no metric before the sign";
    if ((size_t)(end - start) >= sizeof(((struct slw_gate_rule *)0)->metric))
        return "the name of the metric is too long";
    for (; start < end; start++)
        if (iscntrl((unsigned char)*start))
            return "a control character in the name of the metric";
    return NULL;
}

/* Digits with at most one point: strtod alone would take "inf", "0x1p3" and "1e9". */
static bool is_plain_number(const char *text)
{
    size_t digits = 0, points = 0;

    for (; *text; text++) {
        digits += isdigit((unsigned char)*text) != 0;
        points += *text == '.';
        if (!isdigit((unsigned char)*text) && *text != '.')
            return false;
    }
    return digits > 0 && points <= 1;
}

/* The bound of [start, end) into the rule; NULL, or what is wrong with it. */
static const char *read_bound(const char *start, const char *end, struct slw_gate_rule *rule)
{
    char number[32];
    bool minus = false, sign = false;

    trim(&start, &end);
    if (start == end)
        return "there is no bound after the sign";
    if (end[-1] != '%')
        return "the bound is in percent of the base and ends with '%'";
    end--;
    trim(&start, &end);
    if (start < end && (*start == '+' || *start == '-')) {
        sign = true;
        minus = *start++ == '-';
    }
    trim(&start, &end);
    if ((size_t)(end - start) >= sizeof(number))
        return "the bound has too many digits";
    memcpy(number, start, (size_t)(end - start));
    number[end - start] = '\0';
    if (!is_plain_number(number))
        return "the bound is not a number";
    if (sign && minus == rule->above)
        return rule->above ? "'>' takes a bound of 0 or more: METRIC>+3%"
                           : "'<' takes a bound of 0 or less: METRIC<-3%";
    const double percent = strtod(number, NULL);
    if (percent > MOST_PERCENT)
        return "the bound is larger than any change";
    if (!rule->above && percent >= 100)
        return "nothing falls by 100 % or more: the bound must be above -100%";
    rule->bound = percent / 100;
    return NULL;
}

static const char *read_rule(const char *start, const char *end, struct slw_gate_rule *rule)
{
    const char *sign = start, *name_end;

    while (sign < end && *sign != '>' && *sign != '<')
        sign++;
    if (sign == end)
        return "there is neither '>' nor '<'";
    if (sign + 1 < end && (sign[1] == '=' || sign[1] == '>' || sign[1] == '<'))
        return "the sign is '>' or '<' alone";
    name_end = sign;
    trim(&start, &name_end);
    const char *wrong = bad_name(start, name_end);
    if (wrong)
        return wrong;
    memcpy(rule->metric, start, (size_t)(name_end - start));
    rule->metric[name_end - start] = '\0';
    rule->above = *sign == '>';
    return read_bound(sign + 1, end, rule);
}

static bool names_again(const struct slw_gates *gates, const char *metric)
{
    for (size_t i = 0; i < gates->count; i++)
        if (strcmp(gates->all[i].metric, metric) == 0)
            return true;
    return false;
}

static int add_rule(struct slw_gates *gates, const char *start, const char *end, size_t offset,
                    struct slw_error *err)
{
    struct slw_gate_rule rule = {0};

    trim(&start, &end);
    if (start == end)
        return refuse(start, end, offset, "an empty rule", err);
    if (gates->count == SLW_MAX_GATES)
        return slw_fail(err, SLW_E_USAGE, "--fail-on: more than %d rules", SLW_MAX_GATES);
    if ((size_t)(end - start) >= sizeof(rule.text))
        return refuse(start, end, offset, "the rule is too long", err);
    const char *wrong = read_rule(start, end, &rule);
    if (!wrong && names_again(gates, rule.metric))
        wrong = "this metric has a rule already";
    if (wrong)
        return refuse(start, end, offset, wrong, err);
    memcpy(rule.text, start, (size_t)(end - start));
    gates->all[gates->count++] = rule;
    return 0;
}

int slw_gates_parse(const char *text, struct slw_gates *ret_gates, struct slw_error *err)
{
    struct slw_gates gates = {0};
    const char *start = text;

    for (;;) {
        const char *end = start + strcspn(start, ",");
        const int rc = add_rule(&gates, start, end, (size_t)(start - text), err);

        if (rc < 0)
            return rc;
        if (*end == '\0')
            break;
        start = end + 1;
    }
    *ret_gates = gates;
    return 0;
}
