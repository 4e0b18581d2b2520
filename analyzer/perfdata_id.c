/* SPDX-License-Identifier: MIT */
/* Which event a record belongs to, and the trailer (sample_id_all) that says when and where a
 * record that is no sample was written. All events of a file share the position of their id,
 * which is why it can be found before the event is known. */
#include "analyzer/perfdata_int.h"

#include <linux/perf_event.h>

#define NO_EVENT (-1)

static uint64_t first_sample_type(const struct slw_perfdata *pd)
{
    return pd->event_count ? pd->events[0].attr.sample_type : 0;
}

/* An id of 0 marks a record the recorder made itself; perf gives it to the first event. */
static int32_t event_of_id(const struct slw_perfdata *pd, uint64_t id)
{
    uint32_t position, event;

    if (pd->event_count == 1 || (id == 0 && pd->event_count > 0))
        return 0;
    return slw_perfdata_find_id(pd, id, &position, &event) ? (int32_t)event : NO_EVENT;
}

int32_t slw_perf_event_among(const struct slw_perfdata *pd, const struct slw_perf_raw *raw)
{
    const uint8_t id = pd->event_count > 0 ? pd->layouts[0].id : SLW_PERF_NOWHERE;

    return id == SLW_PERF_NOWHERE ? NO_EVENT : event_of_id(pd, slw_perf_field_at(raw, id));
}

static size_t trailer_bytes(uint64_t type)
{
    const uint64_t fields = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID |
                            PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER;

    return 8 * (size_t)__builtin_popcountll(type & fields);
}

/* Counted from the end: IDENTIFIER last; before it CPU, STREAM_ID, ID. */
static int32_t trailer_event(const struct slw_perfdata *pd, const struct slw_perf_raw *raw,
                             uint64_t type)
{
    size_t back = 8;

    if (pd->event_count == 1)
        return 0;
    if (!(type & PERF_SAMPLE_IDENTIFIER)) {
        if (!(type & PERF_SAMPLE_ID))
            return NO_EVENT;
        back += (type & PERF_SAMPLE_CPU) ? 8 : 0;
        back += (type & PERF_SAMPLE_STREAM_ID) ? 8 : 0;
    }
    struct slw_perf_cursor c = raw->body;
    if (slw_perf_left(&c) < back)
        return NO_EVENT;
    c.at = c.end - back;
    return event_of_id(pd, slw_perf_u64(&c));
}

void slw_perf_read_trailer(const struct slw_perfdata *pd, const struct slw_perf_raw *raw,
                           struct slw_perf_trailer *ret_trailer)
{
    struct slw_perf_trailer t = {.pid = -1, .tid = -1, .cpu = -1, .event = NO_EVENT};
    uint64_t type = first_sample_type(pd);
    struct slw_perf_cursor c = raw->body;

    *ret_trailer = t;
    if (pd->event_count == 0 || !(pd->events[0].attr.flags & SLW_PERF_ATTR_SAMPLE_ID_ALL))
        return;
    t.event = trailer_event(pd, raw, type);
    if (t.event >= 0)
        type = pd->events[t.event].attr.sample_type;
    t.bytes = trailer_bytes(type);
    if (t.bytes > slw_perf_left(&c))
        return;
    c.at = c.end - t.bytes;
    if (type & PERF_SAMPLE_TID) {
        t.pid = (int32_t)slw_perf_u32(&c);
        t.tid = (int32_t)slw_perf_u32(&c);
    }
    if (type & PERF_SAMPLE_TIME) {
        t.time = slw_perf_u64(&c);
        t.has_time = true;
    }
    if (type & PERF_SAMPLE_ID)
        (void)slw_perf_u64(&c);
    if (type & PERF_SAMPLE_STREAM_ID)
        (void)slw_perf_u64(&c);
    if (type & PERF_SAMPLE_CPU)
        t.cpu = (int32_t)slw_perf_u32(&c);
    *ret_trailer = t;
}
