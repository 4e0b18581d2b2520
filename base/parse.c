/* SPDX-License-Identifier: MIT */
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int slw_parse_u64(const char *text, const char *what, uint64_t min, uint64_t max,
                  uint64_t *ret_value, struct slw_error *err)
{
    char *end = NULL;
    int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;

    errno = 0;
    unsigned long long v = strtoull(text, &end, base);
    /* strtoull accepts signs and blanks; we do not. */
    if (!isxdigit((unsigned char)text[0]) || *end != '\0' || errno == EINVAL)
        return slw_fail(err, SLW_E_INVAL, "%s: '%.40s' is not a whole number", what, text);
    if (errno == ERANGE || v < min || v > max)
        return slw_fail(err, SLW_E_INVAL, "%s: '%.40s' is not between %" PRIu64 " and %" PRIu64,
                        what, text, min, max);
    *ret_value = v;
    return 0;
}

/* Milliseconds per unit as a fraction; 0 for an unknown unit. */
static double unit_ms(const char *unit)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"", 1}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"min", 60e3}, {"h", 3600e3}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].ms;
    return 0;
}

int slw_parse_duration_ms(const char *text, const char *what, uint64_t *ret_ms,
                          struct slw_error *err)
{
    const double limit_ms = 30.0 * 24 * 3600e3; /* a month: beyond it a unit was mistyped */
    size_t digits = strspn(text, "0123456789.");
    char number[32];

    if (digits == 0 || digits >= sizeof(number) || text[0] == '.')
        return slw_fail(err, SLW_E_INVAL, "%s: '%.40s' is not a duration such as 10s or 250ms",
                        what, text);
    memcpy(number, text, digits);
    number[digits] = '\0';
    char *end = NULL;
    double value = strtod(number, &end);
    double scale = unit_ms(text + digits);
    if (*end != '\0' || scale <= 0)
        return slw_fail(err, SLW_E_INVAL, "%s: '%.40s' is not a duration such as 10s or 250ms",
                        what, text);
    double ms = value * scale;
    if (ms > limit_ms)
        return slw_fail(err, SLW_E_INVAL, "%s: '%.40s' is longer than 30 days", what, text);
    *ret_ms = (uint64_t)(ms + 0.5);
    return 0;
}

int slw_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
