/* SPDX-License-Identifier: MIT */
#include "flamegraph/amount.h"

#include "base/int128.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct slw_amount_unit slw_amount_unit_of(const struct slw_tree *t)
{
    struct slw_amount_unit unit = {.label = t->unit, .scale = 1};

    if (t->counts_samples) {
        unit.label = "samples";
    } else if (strcmp(t->unit, "nanoseconds") == 0 || strcmp(t->unit, "ns") == 0) {
        /* Clocks of the CPU say so in their name; any other time is just time. */
        unit.label = strstr(t->event, "cpu-clock") || strstr(t->event, "task-clock")
                         ? "ms of CPU time"
                         : "ms";
        unit.scale = 1000000;
    } else if (strcmp(t->unit, "count") == 0 || strcmp(t->unit, "events") == 0) {
        unit.label = t->event;
    }
    return unit;
}

static void put_grouped(struct slw_buf *out, uint64_t value)
{
    char digits[24];
    const int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            slw_buf_putc(out, ',');
        slw_buf_putc(out, digits[i]);
    }
}

void slw_amount_put(struct slw_buf *out, uint64_t value, uint32_t scale)
{
    if (scale == 1) {
        put_grouped(out, value);
        return;
    }
    const uint64_t thousandths = (uint64_t)(((slw_u128)value * 1000 + scale / 2) / scale);
    put_grouped(out, thousandths / 1000);
    slw_buf_printf(out, ".%03u", (unsigned)(thousandths % 1000));
}

uint64_t slw_amount_share(uint64_t part, uint64_t whole, uint32_t times)
{
    if (whole == 0)
        return 0;
    return (uint64_t)(((slw_u128)part * times * 100 + whole / 2) / whole);
}

void slw_amount_put_hundredths(struct slw_buf *out, uint64_t hundredths)
{
    slw_buf_printf(out, "%" PRIu64 ".%02u", hundredths / 100, (unsigned)(hundredths % 100));
}
