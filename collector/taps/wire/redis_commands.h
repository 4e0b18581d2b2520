/* SPDX-License-Identifier: MIT */
/* Redis commands that are whole and need not be looked at, which nearly all are: found by comparing
 * them as words. Not for: all others, and replies (proto/redis.c). */
#ifndef SLW_COLLECTOR_TAPS_WIRE_REDIS_COMMANDS_H
#define SLW_COLLECTOR_TAPS_WIRE_REDIS_COMMANDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Pass over such commands from `p` on, where a command begins: what comes after them, `p` when
 * there are none. Adds their number to *asked. */
const uint8_t *slw_redis_commands(const uint8_t *p, const uint8_t *end, uint32_t *asked);

/* "$n\r\n" of up to three digits, with n bytes and a line end after it: what comes after the "\n".
 * NULL: something else, or not all of it. */
const uint8_t *slw_redis_length(const uint8_t *p, const uint8_t *end, ptrdiff_t *ret_length);

/* Eight bytes as a number. */
static inline uint64_t slw_redis_word(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

#endif
