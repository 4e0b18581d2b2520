/* SPDX-License-Identifier: MIT */
#include "analyzer/scale.h"

#include "base/int128.h"

#include <assert.h>

int slw_scale(const struct slw_reading *r, uint64_t *ret_events, struct slw_error *err)
{
    assert(r && ret_events);
    if (r->running_ns > r->enabled_ns)
        return slw_fail(err, SLW_E_INVAL, "counter held longer than it was enabled");
    if (r->running_ns == 0)
        return slw_fail(err, SLW_E_NODATA, "event never got a hardware counter");
    /* 128 bits: a minute of 4 GHz cycles times a minute of ns is 1.4e22, past 2^64. Dividing first
     * and rounding by the remainder keeps even the sum below 2^128. */
    slw_u128 product = (slw_u128)r->raw * r->enabled_ns;
    slw_u128 events = product / r->running_ns;
    uint64_t rest = (uint64_t)(product % r->running_ns);
    if (rest >= r->running_ns - rest)
        events++;
    if (events > UINT64_MAX)
        return slw_fail(err, SLW_E_RANGE, "scaled count needs more than 64 bits");
    *ret_events = (uint64_t)events;
    return 0;
}
