/* SPDX-License-Identifier: MIT */
/* Decode a SAMPLE record. The fields come in the order of perf_event_open(2), each present when
 * its bit of sample_type is set; one that does not fit the record makes the sample malformed. */
#include "analyzer/perfdata_int.h"

#include <linux/perf_event.h>

/* Newer than the oldest kernel headers we build with. */
#define BRANCH_HW_INDEX (UINT64_C(1) << 17)
#define BRANCH_COUNTERS (UINT64_C(1) << 19)
#define READ_LOST       (UINT64_C(1) << 4)

static struct slw_perf_values take_values(struct slw_perf_cursor *c, uint64_t count)
{
    struct slw_perf_values v = {.bytes = c->at, .count = count, .swap = c->swap};

    /* The comparison first, so that the product cannot wrap. */
    if (count > slw_perf_left(c) / sizeof(uint64_t))
        c->bad = true;
    else
        (void)slw_perf_skip(c, count * sizeof(uint64_t));
    return v;
}

static void read_times(struct slw_perf_cursor *c, uint64_t format, struct slw_perf_sample *s)
{
    const uint64_t both = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;

    if (format & PERF_FORMAT_TOTAL_TIME_ENABLED)
        s->read_enabled_ns = slw_perf_u64(c);
    if (format & PERF_FORMAT_TOTAL_TIME_RUNNING)
        s->read_running_ns = slw_perf_u64(c);
    s->has_read_times = (format & both) == both;
}

/* { value, [enabled], [running], [id], [lost] } or
 * { nr, [enabled], [running], { value, [id], [lost] } * nr } */
void slw_perf_read_values(struct slw_perf_cursor *c, uint64_t format, struct slw_perf_sample *s)
{
    bool group = (format & PERF_FORMAT_GROUP) != 0, id = (format & PERF_FORMAT_ID) != 0;
    bool lost = (format & READ_LOST) != 0;
    unsigned times = (format & PERF_FORMAT_TOTAL_TIME_ENABLED ? 1U : 0U) +
                     (format & PERF_FORMAT_TOTAL_TIME_RUNNING ? 1U : 0U);

    if (!group) {
        struct slw_perf_cursor after_value = *c;

        (void)slw_perf_u64(&after_value);
        read_times(&after_value, format, s);
        s->read_count = 1;
        s->read_stride = 1 + times + id + lost;
        s->read_id_index = id ? 1 + times : 0;
        s->read = take_values(c, s->read_stride);
        return;
    }
    s->read_count = slw_perf_u64(c);
    read_times(c, format, s);
    s->read_stride = 1 + (id ? 1U : 0U) + (lost ? 1U : 0U);
    s->read_id_index = id ? 1 : 0;
    if (s->read_count > slw_perf_left(c))
        c->bad = true;
    else
        s->read = take_values(c, s->read_count * s->read_stride);
}

static void read_branches(struct slw_perf_cursor *c, uint64_t branch_type,
                          struct slw_perf_sample *s)
{
    s->branch_count = slw_perf_u64(c);
    if (branch_type & BRANCH_HW_INDEX)
        (void)slw_perf_u64(c);
    if (s->branch_count > slw_perf_left(c)) {
        c->bad = true;
        return;
    }
    s->branches = take_values(c, s->branch_count * SLW_PERF_BRANCH_VALUES);
    if (branch_type & BRANCH_COUNTERS)
        (void)slw_perf_skip(c, s->branch_count * 8);
}

static void read_regs(struct slw_perf_cursor *c, uint64_t mask, uint64_t *ret_abi,
                      struct slw_perf_values *ret_regs)
{
    *ret_abi = slw_perf_u64(c);
    if (*ret_abi != 0) /* PERF_SAMPLE_REGS_ABI_NONE: no registers follow */
        *ret_regs = take_values(c, (uint64_t)__builtin_popcountll(mask));
}

static void read_stack(struct slw_perf_cursor *c, struct slw_perf_sample *s)
{
    uint64_t reserved = slw_perf_u64(c);

    if (reserved == 0)
        return;
    s->stack_user = slw_perf_skip(c, reserved);
    s->stack_user_room = reserved;
    s->stack_user_bytes = slw_perf_u64(c);
    if (s->stack_user_bytes > reserved)
        s->stack_user_bytes = reserved;
}

/* IDENTIFIER up to PERIOD: all fixed-size. */
static void read_fixed(struct slw_perf_cursor *c, uint64_t type, struct slw_perf_record *r)
{
    struct slw_perf_sample *s = &r->sample;

    if (type & PERF_SAMPLE_IDENTIFIER)
        s->id = slw_perf_u64(c);
    if (type & PERF_SAMPLE_IP)
        s->ip = slw_perf_u64(c);
    if (type & PERF_SAMPLE_TID) {
        r->pid = (int32_t)slw_perf_u32(c);
        r->tid = (int32_t)slw_perf_u32(c);
    }
    if (type & PERF_SAMPLE_TIME)
        r->time = slw_perf_u64(c);
    if (type & PERF_SAMPLE_ADDR)
        s->address = slw_perf_u64(c);
    if (type & PERF_SAMPLE_ID)
        s->id = slw_perf_u64(c);
    if (type & PERF_SAMPLE_STREAM_ID)
        s->stream_id = slw_perf_u64(c);
    if (type & PERF_SAMPLE_CPU) {
        r->cpu = (int32_t)slw_perf_u32(c);
        (void)slw_perf_u32(c);
    }
    if (type & PERF_SAMPLE_PERIOD)
        s->period = slw_perf_u64(c);
    s->has_ip = (type & PERF_SAMPLE_IP) != 0;
    s->has_period = (type & PERF_SAMPLE_PERIOD) != 0;
}

#define TAIL                                                                                       \
    (PERF_SAMPLE_WEIGHT | PERF_SAMPLE_WEIGHT_STRUCT | PERF_SAMPLE_DATA_SRC |                       \
     PERF_SAMPLE_TRANSACTION | PERF_SAMPLE_REGS_INTR | PERF_SAMPLE_PHYS_ADDR |                     \
     PERF_SAMPLE_CGROUP | PERF_SAMPLE_DATA_PAGE_SIZE | PERF_SAMPLE_CODE_PAGE_SIZE |                \
     PERF_SAMPLE_AUX)

/* What nothing uses yet is walked all the same: a sample that does not fit its record is damage. */
static void skip_tail(struct slw_perf_cursor *c, const struct slw_perf_attr *attr)
{
    static const uint64_t before_regs[] = {PERF_SAMPLE_WEIGHT | PERF_SAMPLE_WEIGHT_STRUCT,
                                           PERF_SAMPLE_DATA_SRC, PERF_SAMPLE_TRANSACTION};
    static const uint64_t after_regs[] = {PERF_SAMPLE_PHYS_ADDR, PERF_SAMPLE_CGROUP,
                                          PERF_SAMPLE_DATA_PAGE_SIZE, PERF_SAMPLE_CODE_PAGE_SIZE};
    uint64_t type = attr->sample_type, abi;
    struct slw_perf_values regs;

    for (size_t i = 0; i < sizeof(before_regs) / sizeof(before_regs[0]); i++)
        if (type & before_regs[i])
            (void)slw_perf_u64(c);
    if (type & PERF_SAMPLE_REGS_INTR)
        read_regs(c, attr->sample_regs_intr, &abi, &regs);
    for (size_t i = 0; i < sizeof(after_regs) / sizeof(after_regs[0]); i++)
        if (type & after_regs[i])
            (void)slw_perf_u64(c);
    if (type & PERF_SAMPLE_AUX)
        (void)slw_perf_skip(c, slw_perf_u64(c));
}

/* Of a field that may be nowhere: then of whatever stands first, to be left out. */
static uint64_t simple_field(const uint8_t *body, uint8_t offset)
{
    uint64_t value;

    memcpy(&value, body + (offset == SLW_PERF_NOWHERE ? 0 : offset), sizeof(value));
    return offset == SLW_PERF_NOWHERE ? 0 : value;
}

/* The chain is all that is left. */
static bool simple_chain(const struct slw_perf_raw *raw, const struct slw_perf_layout *l,
                         struct slw_perf_values *ret_chain)
{
    const size_t left = (size_t)(raw->body.end - raw->body.at) - l->bytes;

    if (left < sizeof(uint64_t))
        return false;
    *ret_chain = (struct slw_perf_values){.bytes = raw->body.at + l->bytes + sizeof(uint64_t),
                                          .count = simple_field(raw->body.at, l->bytes)};
    return ret_chain->count <= left / sizeof(uint64_t) - 1;
}

bool slw_perf_decode_simple(const struct slw_perfdata *pd, const struct slw_perf_raw *raw,
                            int32_t event, bool blank, struct slw_perf_record *r)
{
    const struct slw_perf_layout *l = &pd->layouts[event];
    const struct slw_perf_attr *attr = &pd->events[event].attr;
    const uint8_t *body = raw->body.at;

    if ((size_t)(raw->body.end - body) < l->bytes)
        return false;
    if (!blank)
        *r = (struct slw_perf_record){.kind = SLW_PERF_SAMPLE, .sample = {.has_ip = true}};
    r->misc = raw->misc;
    r->event = event;
    memcpy(&r->pid, body + l->tid, sizeof(r->pid));
    memcpy(&r->tid, body + l->tid + sizeof(r->pid), sizeof(r->tid));
    r->cpu = -1;
    if (l->cpu != SLW_PERF_NOWHERE)
        memcpy(&r->cpu, body + l->cpu, sizeof(r->cpu));
    r->time = simple_field(body, l->time);
    r->sample.ip = simple_field(body, l->ip);
    r->sample.id = simple_field(body, l->id);
    r->sample.has_period = l->period != SLW_PERF_NOWHERE || !(attr->flags & SLW_PERF_ATTR_FREQ);
    r->sample.period = l->period == SLW_PERF_NOWHERE && r->sample.has_period
                           ? attr->period_or_freq
                           : simple_field(body, l->period);
    r->sample.has_chain = l->chain;
    r->sample.chain = (struct slw_perf_values){0};
    return !l->chain || simple_chain(raw, l, &r->sample.chain);
}

bool slw_perf_decode_sample(const struct slw_perfdata *pd, const struct slw_perf_raw *raw,
                            struct slw_perf_record *r)
{
    struct slw_perf_cursor c = raw->body;
    struct slw_perf_sample *s = &r->sample;

    r->event = slw_perf_sample_event(pd, raw);
    if (r->event < 0)
        return true; /* whose it is stays unknown; the caller counts it */
    const struct slw_perf_attr *attr = &pd->events[r->event].attr;
    uint64_t type = attr->sample_type;

    read_fixed(&c, type, r);
    if (type & PERF_SAMPLE_READ)
        slw_perf_read_values(&c, attr->read_format, s);
    if (type & PERF_SAMPLE_CALLCHAIN) {
        s->has_chain = true;
        s->chain = take_values(&c, slw_perf_u64(&c));
    }
    if (type & PERF_SAMPLE_RAW)
        (void)slw_perf_skip(&c, slw_perf_u32(&c));
    if (type & PERF_SAMPLE_BRANCH_STACK)
        read_branches(&c, attr->branch_sample_type, s);
    if (type & PERF_SAMPLE_REGS_USER)
        read_regs(&c, attr->sample_regs_user, &s->regs_user_abi, &s->regs_user);
    if (type & PERF_SAMPLE_STACK_USER)
        read_stack(&c, s);
    if (type & TAIL)
        skip_tail(&c, attr);
    if (!s->has_period && !(attr->flags & SLW_PERF_ATTR_FREQ)) {
        s->period = attr->period_or_freq; /* a fixed period need not be repeated in each sample */
        s->has_period = true;
    }
    return !c.bad;
}
