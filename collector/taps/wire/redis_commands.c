/* SPDX-License-Identifier: MIT */
/* Part of the preloaded library: see proto.h for what it may not do. */
#include "collector/taps/wire/redis_commands.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Heads as they stand in a word of memory; a digit is known by its upper half and then compared. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "heads are compared as words");
#define COMMAND_HEAD UINT64_C(0x0a0d30240a0d302a) /* "*d\r\n$d\r\n" */
#define COMMAND_MASK UINT64_C(0xfffff0fffffff0ff)
#define SHORT_HEAD   UINT64_C(0x0a0d30240a0d) /* "\r\n$d\r\n" */
#define SHORT_MASK   UINT64_C(0xfffff0ffffff)
#define LONG_HEAD    UINT64_C(0x0a0d3030240a0d) /* "\r\n$dd\r\n" */
#define LONG_MASK    UINT64_C(0xfffff0f0ffffff)

/* Could it be a verb that breaks_order or CLIENT? Those are left to the long way. */
static bool verb_matters(const uint8_t *verb, ptrdiff_t length)
{
    uint8_t first = verb[0] | 0x20, second = verb[1] | 0x20;

    switch (length) {
    case 4:
        return first == 's' && second == 'y';
    case 5:
    case 10:
        return (first == 'p' || first == 's') && second == 's';
    case 6:
        return first == 'c' && second == 'l';
    case 7:
        return first == 'm' && second == 'o';
    case 9:
        return first == 's' && second == 'u';
    default:
        return false;
    }
}

const uint8_t *slw_redis_length(const uint8_t *p, const uint8_t *end, ptrdiff_t *ret_length)
{
    if (end - p < 6 || p[0] != '$' || !is_digit(p[1]))
        return NULL;
    ptrdiff_t n = p[1] - '0';
    const uint8_t *q = p + 2;
    while (q < p + 4 && is_digit(*q))
        n = n * 10 + *q++ - '0';
    if (end - q < n + 4 || q[0] != '\r' || q[1] != '\n')
        return NULL;
    *ret_length = n;
    return q + 2;
}

/* Where the heads of a command stand: the next one mostly has the same, and then its end is known
 * without waiting for one length after the other to be read. */
struct shape {
    const uint8_t *command;
    uint32_t heads; /* past the first, which is at 0 */
    uint32_t at[8];
    uint64_t mask[8];
    ptrdiff_t length;
};

/* The next argument, where `p` is at the line end of the last one. */
static const uint8_t *quick_argument(const uint8_t *p, const uint8_t *end, uint64_t *ret_mask)
{
    ptrdiff_t n;

    if (end - p < 8)
        return NULL;
    uint64_t w = slw_redis_word(p);
    if ((w & SHORT_MASK) == SHORT_HEAD && p[3] <= '9') {
        n = p[3] - '0';
        p += 6;
        *ret_mask = UINT64_C(0xffffffffffff);
    } else if ((w & LONG_MASK) == LONG_HEAD && p[3] <= '9' && p[4] <= '9') {
        n = (p[3] - '0') * 10 + p[4] - '0';
        p += 7;
        *ret_mask = UINT64_C(0xffffffffffffff);
    } else {
        p = slw_redis_length(p + 2, end, &n);
        *ret_mask = UINT64_MAX;
    }
    return p && end - p >= n + 2 ? p + n : NULL;
}

/* A whole command of up to nine arguments of up to 999 bytes, all of it here, that need not be
 * looked at: nearly every command there is. NULL: go the long way. */
static const uint8_t *quick_command(const uint8_t *p, const uint8_t *end, struct shape *s)
{
    if (end - p < 8 || (slw_redis_word(p) & COMMAND_MASK) != COMMAND_HEAD || p[1] == '0' ||
        p[1] > '9' || p[5] > '9')
        return NULL;
    ptrdiff_t n = p[5] - '0';
    const uint8_t *q = p + 8;
    if (end - q < n + 2 || verb_matters(q, n))
        return NULL;
    q += n;
    s->heads = (uint32_t)(p[1] - '1');
    for (unsigned i = 0; i < s->heads; i++) {
        s->at[i] = (uint32_t)(q - p);
        q = quick_argument(q, end, &s->mask[i]);
        if (!q)
            return NULL;
    }
    s->command = p;
    s->length = q + 2 - p;
    return q + 2;
}

static bool same_shape(const uint8_t *p, const struct shape *s)
{
    uint64_t other = slw_redis_word(p) ^ slw_redis_word(s->command);

    for (unsigned i = 0; i < s->heads; i++)
        other |=
            (slw_redis_word(p + s->at[i]) ^ slw_redis_word(s->command + s->at[i])) & s->mask[i];
    return other == 0 && !verb_matters(p + 8, p[5] - '0');
}

const uint8_t *slw_redis_commands(const uint8_t *p, const uint8_t *end, uint32_t *asked)
{
    struct shape s;

    for (const uint8_t *next; (next = quick_command(p, end, &s)); p = next) {
        (*asked)++;
        while (end - next >= s.length && same_shape(next, &s)) {
            (*asked)++;
            next += s.length;
        }
    }
    return p;
}
