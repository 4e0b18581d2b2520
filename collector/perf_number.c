/* SPDX-License-Identifier: MIT */
#include "collector/perf_number.h"

#include "base/int128.h"

#include <stdio.h>
#include <string.h>

/* More digits than any count (20) with six decimals has. */
#define MAX_NUMBER_BYTES 128
#define MAX_PLACES       18

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of a separator that may stand inside a number: the thousands and decimal signs of glibc's
 * locales. Source: glibc localedata/locales, thousands_sep and decimal_point. */
static size_t separator(const char *p, size_t left)
{
    static const char *const many[] = {"\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x99", "\xe2\x80\x89",
                                       "\xd9\xab", "\xd9\xac",     "\xc2\xb7"};

    if (left > 0 && (*p == ',' || *p == '.' || *p == '\''))
        return 1;
    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
        if (left >= strlen(many[i]) && memcmp(p, many[i], strlen(many[i])) == 0)
            return strlen(many[i]);
    return 0;
}

struct scan {
    size_t bytes;          /* of the number */
    size_t separators;     /* seen */
    size_t digits;         /* all */
    size_t last_group;     /* digits after the last separator */
    const char *last_sign; /* the last separator */
    bool mixed;            /* the last separator differs from the first */
};

static struct scan scan_number(const char *text, size_t length)
{
    struct scan s = {0};
    const char *first_sign = NULL;
    size_t at = 0;

    while (at < length && at < MAX_NUMBER_BYTES) {
        if (is_digit(text[at])) {
            s.digits++;
            s.last_group++;
            s.bytes = ++at;
            continue;
        }
        const size_t sign = separator(text + at, length - at);
        if (sign == 0 || at + sign >= length || !is_digit(text[at + sign]) || s.digits == 0)
            break;
        s.separators++;
        s.last_sign = text + at;
        s.mixed = first_sign && memcmp(first_sign, text + at, sign) != 0;
        first_sign = first_sign ? first_sign : text + at;
        s.last_group = 0;
        at += sign;
    }
    return s;
}

static bool has_decimals(const struct scan *s, bool machine)
{
    if (s->separators == 0)
        return false;
    if (machine || s->last_group != 3)
        return true;
    return s->mixed; /* "1,234.567" */
}

size_t slw_decimal_parse(const char *text, size_t length, bool machine, struct slw_decimal *ret)
{
    const size_t sign = length > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    const struct scan s = scan_number(text + sign, length - sign);
    struct slw_decimal d = {.negative = sign == 1 && text[0] == '-'};

    if (s.digits == 0)
        return 0;
    if (has_decimals(&s, machine))
        d.places = (unsigned)(s.last_group < 64 ? s.last_group : 64);
    for (size_t i = 0; i < s.bytes; i++)
        if (is_digit(text[sign + i]) &&
            (__builtin_mul_overflow(d.digits, 10, &d.digits) ||
             __builtin_add_overflow(d.digits, (uint64_t)(text[sign + i] - '0'), &d.digits)))
            return 0;
    if (d.places > MAX_PLACES)
        return 0;
    *ret = d;
    return sign + s.bytes;
}

static uint64_t power_of_ten(unsigned places)
{
    uint64_t power = 1;

    while (places-- > 0)
        power *= 10;
    return power;
}

bool slw_decimal_scale(const struct slw_decimal *d, uint64_t factor, uint64_t *ret_value,
                       bool *ret_exact)
{
    const uint64_t divisor = power_of_ten(d->places);
    const slw_u128 product = (slw_u128)d->digits * factor;
    slw_u128 value = product / divisor;
    const uint64_t rest = (uint64_t)(product % divisor);

    if (rest >= divisor - rest)
        value++;
    if ((d->negative && d->digits > 0) || value > UINT64_MAX)
        return false;
    *ret_value = (uint64_t)value;
    *ret_exact = rest == 0;
    return true;
}

void slw_decimal_print(const struct slw_decimal *d, char *out, size_t size)
{
    const uint64_t divisor = power_of_ten(d->places);
    const char *sign = d->negative ? "-" : "";

    if (d->places == 0)
        (void)snprintf(out, size, "%s%llu", sign, (unsigned long long)d->digits);
    else
        (void)snprintf(out, size, "%s%llu.%0*llu", sign, (unsigned long long)(d->digits / divisor),
                       (int)d->places, (unsigned long long)(d->digits % divisor));
}
