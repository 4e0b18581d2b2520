/* SPDX-License-Identifier: MIT */
#include "collector/call_graph.h"

#include <linux/perf_event.h>
#include <string.h>

static void ask_for_stack(uint32_t stack_bytes, struct perf_event_attr *attr)
{
    attr->sample_type |= PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
    attr->sample_regs_user = SLW_USER_REGS;
    attr->sample_stack_user = stack_bytes ? stack_bytes : SLW_STACK_BYTES;
    /* The unwinder finds them; following frame pointers as well would cost the client. */
    attr->exclude_callchain_user = 1;
}

void slw_call_graph_ask(enum slw_call_graph how, uint32_t stack_bytes, struct perf_event_attr *attr)
{
    switch (how) {
    case SLW_CALL_GRAPH_AUTO:
    case SLW_CALL_GRAPH_DWARF:
        ask_for_stack(stack_bytes, attr);
        break;
    case SLW_CALL_GRAPH_LBR:
        attr->sample_type |= PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_BRANCH_STACK;
        attr->branch_sample_type = PERF_SAMPLE_BRANCH_USER | PERF_SAMPLE_BRANCH_CALL_STACK |
                                   PERF_SAMPLE_BRANCH_NO_FLAGS | PERF_SAMPLE_BRANCH_NO_CYCLES;
        break;
    case SLW_CALL_GRAPH_FP:
        attr->sample_type |= PERF_SAMPLE_CALLCHAIN;
        break;
    case SLW_CALL_GRAPH_NONE:
        break;
    }
}

bool slw_call_graph_fall_back(struct perf_event_attr *attr)
{
    const uint64_t better =
        PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER | PERF_SAMPLE_BRANCH_STACK;

    if (!(attr->sample_type & better))
        return false;
    attr->sample_type &= ~better;
    attr->sample_regs_user = 0;
    attr->sample_stack_user = 0;
    attr->branch_sample_type = 0;
    attr->exclude_callchain_user = 0;
    return true;
}

const char *slw_call_graph_name(const struct perf_event_attr *attr)
{
    if (attr->sample_type & PERF_SAMPLE_STACK_USER)
        return "dwarf";
    if (attr->sample_type & PERF_SAMPLE_BRANCH_STACK)
        return "lbr";
    return attr->sample_type & PERF_SAMPLE_CALLCHAIN ? "fp" : "none";
}

/* ---- the layout of a sample: perf_event_open(2), PERF_RECORD_SAMPLE ---- */

struct cursor {
    const uint8_t *record;
    size_t at, end; /* at > end: the record is shorter than its fields */
};

static uint64_t word(struct cursor *c)
{
    uint64_t value = 0;

    if (c->at <= c->end && c->end - c->at >= sizeof(value))
        memcpy(&value, c->record + c->at, sizeof(value));
    else
        c->at = c->end;
    c->at += sizeof(value);
    return value;
}

static void skip_words(struct cursor *c, uint64_t count)
{
    if (c->at > c->end || count > (c->end - c->at) / sizeof(uint64_t))
        c->at = c->end + 1;
    else
        c->at += (size_t)count * sizeof(uint64_t);
}

static void skip_read(struct cursor *c, uint64_t format)
{
    const uint64_t times = (format & PERF_FORMAT_TOTAL_TIME_ENABLED ? 1U : 0U) +
                           (format & PERF_FORMAT_TOTAL_TIME_RUNNING ? 1U : 0U);
    const uint64_t each = 1 + (format & PERF_FORMAT_ID ? 1U : 0U);

    if (!(format & PERF_FORMAT_GROUP)) {
        skip_words(c, times + each);
        return;
    }
    uint64_t count = word(c);
    skip_words(c, times);
    skip_words(c, count > c->end ? c->end : count * each); /* too many for any record */
}

/* The fields that are one word each, in their order, as far as our samples have them. */
static const uint64_t words[] = {PERF_SAMPLE_IDENTIFIER, PERF_SAMPLE_IP,  PERF_SAMPLE_TID,
                                 PERF_SAMPLE_TIME,       PERF_SAMPLE_CPU, PERF_SAMPLE_PERIOD};

static void skip_to_stack(struct cursor *c, const struct perf_event_attr *attr)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        skip_words(c, attr->sample_type & words[i] ? 1 : 0);
    if (attr->sample_type & PERF_SAMPLE_READ)
        skip_read(c, attr->read_format);
    if (attr->sample_type & PERF_SAMPLE_CALLCHAIN)
        skip_words(c, word(c));
    if ((attr->sample_type & PERF_SAMPLE_REGS_USER) && word(c) != PERF_SAMPLE_REGS_ABI_NONE)
        skip_words(c, (uint64_t)__builtin_popcountll(attr->sample_regs_user));
}

bool slw_sample_cut(const struct perf_event_attr *attr, const struct perf_event_header *record,
                    struct slw_sample_cut *ret_cut)
{
    struct cursor c = {(const uint8_t *)record, sizeof(*record), record->size};

    if (record->type != PERF_RECORD_SAMPLE || !(attr->sample_type & PERF_SAMPLE_STACK_USER) ||
        (attr->sample_type & PERF_SAMPLE_BRANCH_STACK))
        return false;
    skip_to_stack(&c, attr);
    const size_t size_at = c.at;
    const uint64_t room = word(&c);
    const size_t stack_at = c.at;
    if (room == 0 || room % sizeof(uint64_t) != 0)
        return false;
    skip_words(&c, room / sizeof(uint64_t));
    const uint64_t filled = word(&c);
    const uint64_t kept = (filled + sizeof(uint64_t) - 1) & ~(uint64_t)(sizeof(uint64_t) - 1);
    if (c.at != c.end || filled > room || kept >= room)
        return false;
    *ret_cut = (struct slw_sample_cut){size_at, stack_at + (size_t)kept, filled};
    return true;
}

size_t slw_sample_period_at(const struct perf_event_attr *attr)
{
    size_t at = sizeof(struct perf_event_header);

    if (!(attr->sample_type & PERF_SAMPLE_PERIOD))
        return 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i] != PERF_SAMPLE_PERIOD && (attr->sample_type & words[i]))
            at += sizeof(uint64_t);
    return at;
}
