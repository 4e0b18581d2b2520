/* SPDX-License-Identifier: MIT */
/* Numbers as perf prints them in any locale: "1,234,567", "1.234.567", "0,59", "24 073.58" with
 * narrow blanks. Exact: no floating point. */
#ifndef SLW_COLLECTOR_PERF_NUMBER_H
#define SLW_COLLECTOR_PERF_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slw_decimal { /* digits / 10^places */
    uint64_t digits;
    unsigned places;
    bool negative;
};

/* Bytes of the number at the start of text[0..length), 0: there is none, or it does not fit 64
 * bits. A separator before exactly three last digits groups thousands, any other is the decimal
 * point, because perf prints counts whole or with two places; with `machine` (JSON) the last one is
 * always the decimal point. */
size_t slw_decimal_parse(const char *text, size_t length, bool machine, struct slw_decimal *ret);

/* d * factor as a whole number, to nearest; *ret_exact says whether nothing was lost. False: it is
 * negative or needs more than 64 bits. */
bool slw_decimal_scale(const struct slw_decimal *d, uint64_t factor, uint64_t *ret_value,
                       bool *ret_exact);

/* "-1234.50": always with '.', never grouped. Cut at size. */
void slw_decimal_print(const struct slw_decimal *d, char *out, size_t size);

#endif
