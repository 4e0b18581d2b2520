/* SPDX-License-Identifier: MIT */
/* Decode the records that change what is known about processes, or that tell of losses. */
#include "analyzer/perfdata_int.h"
#include "record/perf_layout.h"

#include <linux/perf_event.h>

/* PERF_RECORD_MISC_*: newer than the oldest kernel headers we build with, or overloaded per type */
#define MISC_COMM_EXEC        (1 << 13)
#define MISC_MMAP_DATA        (1 << 13)
#define MISC_LOST_SAMPLES_BPF (1 << 15) /* dropped by the user's own filter: not lost */

/* The string up to its NUL; NULL when there is none within the record. */
static const char *take_string(struct slw_perf_cursor *c)
{
    const char *s = (const char *)c->at;
    size_t left = slw_perf_left(c);

    return memchr(s, 0, left) ? s : NULL;
}

static void take_pid_tid(struct slw_perf_cursor *c, struct slw_perf_record *r)
{
    r->pid = (int32_t)slw_perf_u32(c);
    r->tid = (int32_t)slw_perf_u32(c);
}

/* The kernel leaves the mark of a build id in what it writes to those who did not ask for any, when
 * somebody else on the machine did. What perf writes of its own names no event, or the first: there
 * the asking of any event counts. */
static bool asked_for_build_ids(const struct slw_perfdata *pd, int32_t event)
{
    bool asked = false;

    if (event >= 0 && pd->events[event].attr.flags & SLW_PERF_ATTR_MMAP)
        return pd->events[event].attr.flags & SLW_PERF_ATTR_BUILD_ID;
    for (size_t i = 0; i < pd->event_count; i++)
        asked = asked || pd->events[i].attr.flags & SLW_PERF_ATTR_BUILD_ID;
    return asked;
}

static bool decode_mmap(const struct slw_perfdata *pd, struct slw_perf_cursor *c,
                        const struct slw_perf_raw *raw, struct slw_perf_record *r)
{
    struct slw_perf_mmap *m = &r->mmap;

    take_pid_tid(c, r);
    m->start = slw_perf_u64(c);
    m->length = slw_perf_u64(c);
    m->offset = slw_perf_u64(c);
    if (raw->type == PERF_RECORD_MMAP2) {
        if ((raw->misc & SLW_PERF_MISC_MMAP_BUILD_ID) && asked_for_build_ids(pd, r->event)) {
            const uint8_t *b = slw_perf_skip(c, 24); /* u8 size, 3 reserved, 20 bytes */
            if (b && b[0] <= sizeof(m->build_id)) {
                m->build_id_bytes = b[0];
                memcpy(m->build_id, b + 4, b[0]);
            }
        } else {
            m->major = slw_perf_u32(c);
            m->minor = slw_perf_u32(c);
            m->inode = slw_perf_u64(c);
            (void)slw_perf_u64(c); /* inode generation */
        }
        (void)slw_perf_u64(c); /* prot, flags */
    }
    m->data = (raw->misc & MISC_MMAP_DATA) != 0;
    m->path = take_string(c);
    return !c->bad && m->path;
}

static bool decode_task(struct slw_perf_cursor *c, struct slw_perf_record *r)
{
    r->pid = (int32_t)slw_perf_u32(c);
    r->fork.ppid = (int32_t)slw_perf_u32(c);
    r->tid = (int32_t)slw_perf_u32(c);
    r->fork.ptid = (int32_t)slw_perf_u32(c);
    return !c->bad;
}

/* All events of a group read have one format; without an event of its own the first one's. */
static bool decode_read(const struct slw_perfdata *pd, struct slw_perf_cursor *c,
                        struct slw_perf_record *r)
{
    size_t event = r->event >= 0 ? (size_t)r->event : 0;

    take_pid_tid(c, r);
    if (pd->event_count > 0)
        slw_perf_read_values(c, pd->events[event].attr.read_format, &r->sample);
    return !c->bad;
}

static bool decode_other(const struct slw_perfdata *pd, struct slw_perf_cursor *c,
                         const struct slw_perf_raw *raw, struct slw_perf_record *r)
{
    switch (raw->type) {
    case PERF_RECORD_MMAP:
    case PERF_RECORD_MMAP2:
        r->kind = SLW_PERF_MMAP;
        return decode_mmap(pd, c, raw, r);
    case PERF_RECORD_COMM:
        r->kind = SLW_PERF_COMM;
        take_pid_tid(c, r);
        r->comm.name = take_string(c);
        r->comm.exec = (raw->misc & MISC_COMM_EXEC) != 0;
        return !c->bad && r->comm.name;
    case PERF_RECORD_FORK:
        r->kind = SLW_PERF_FORK;
        return decode_task(c, r);
    case PERF_RECORD_EXIT:
        r->kind = SLW_PERF_EXIT;
        return decode_task(c, r);
    case PERF_RECORD_READ:
        r->kind = SLW_PERF_READ;
        return decode_read(pd, c, r);
    case PERF_RECORD_LOST:
        r->kind = SLW_PERF_LOST;
        (void)slw_perf_u64(c);
        r->lost = slw_perf_u64(c);
        return !c->bad;
    case PERF_RECORD_LOST_SAMPLES:
        r->kind = SLW_PERF_LOST_SAMPLES;
        r->lost = slw_perf_u64(c);
        if (raw->misc & MISC_LOST_SAMPLES_BPF)
            r->lost = 0;
        return !c->bad;
    case PERF_RECORD_THROTTLE:
    case PERF_RECORD_UNTHROTTLE:
        r->kind = raw->type == PERF_RECORD_THROTTLE ? SLW_PERF_THROTTLE : SLW_PERF_UNTHROTTLE;
        return true;
    default:
        return false; /* the index keeps no other type */
    }
}

bool slw_perf_decode(const struct slw_perfdata *pd, const struct slw_perf_raw *raw,
                     struct slw_perf_record *r)
{
    struct slw_perf_trailer trailer;
    struct slw_perf_cursor c = raw->body;

    *r = (struct slw_perf_record){.misc = raw->misc, .pid = -1, .tid = -1, .cpu = -1, .event = -1};
    if (raw->type == PERF_RECORD_SAMPLE) {
        r->kind = SLW_PERF_SAMPLE;
        return slw_perf_decode_sample(pd, raw, r);
    }
    slw_perf_read_trailer(pd, raw, &trailer);
    c.end -= trailer.bytes <= slw_perf_left(&c) ? trailer.bytes : 0;
    r->time = trailer.time;
    r->pid = trailer.pid;
    r->tid = trailer.tid;
    r->cpu = trailer.cpu;
    r->event = trailer.event;
    return decode_other(pd, &c, raw, r);
}
