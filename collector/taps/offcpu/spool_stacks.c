/* SPDX-License-Identifier: MIT */
#include "collector/taps/offcpu/spool_stacks.h"

#include "collector/call_graph.h"
#include "collector/spool.h"
#include "record/stacks.h"

#include <string.h>
#include <time.h>

#define EVENT_ID UINT64_C(0x756370666666) /* the kernel counts its own up from 1 */

enum slw_off_callers slw_off_callers(const struct slw_session_options *opts)
{
    if (opts->offcpu != SLW_OFFCPU_STACKS || !opts->sample)
        return SLW_OFF_CALLERS_NO;
    switch (opts->call_graph) {
    case SLW_CALL_GRAPH_NONE:
        return SLW_OFF_CALLERS_KERNEL;
    case SLW_CALL_GRAPH_FP:
        return SLW_OFF_CALLERS_FP;
    case SLW_CALL_GRAPH_AUTO:
    case SLW_CALL_GRAPH_DWARF:
    case SLW_CALL_GRAPH_LBR: /* a thread that waits has no branch records any more */
        break;
    }
    return SLW_OFF_CALLERS_COPY;
}

uint32_t slw_off_copy_bytes(const struct slw_session_options *opts)
{
    if (opts->stack_bytes == 0)
        return SLW_OFF_COPY_BYTES;
    return opts->stack_bytes < SLW_OFF_MAX_COPY ? opts->stack_bytes : SLW_OFF_MAX_COPY;
}

struct slw_spool_event slw_off_spool_event(const struct slw_session_options *opts,
                                           struct perf_event_attr *attr)
{
    static const uint64_t id = EVENT_ID;

    *attr = (struct perf_event_attr){
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof(*attr),
        .config = PERF_COUNT_SW_BPF_OUTPUT,
        .sample_period = 1,
        .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
                       PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD |
                       PERF_SAMPLE_CALLCHAIN,
        .sample_id_all = 1,
        .use_clockid = 1,
        .clockid = CLOCK_MONOTONIC,
    };
    if (slw_off_callers(opts) == SLW_OFF_CALLERS_COPY)
        slw_call_graph_ask(SLW_CALL_GRAPH_DWARF, slw_off_copy_bytes(opts), attr);
    return (struct slw_spool_event){
        .attr = attr, .name = SLW_EVENT_OFFCPU, .ids = &id, .id_count = 1};
}

/* PERF_RECORD_SAMPLE with that sample_type. Source: perf_event_open(2). */
struct sample {
    struct perf_event_header header;
    uint64_t id, ip;
    uint32_t pid, tid;
    uint64_t time_ns;
    uint32_t cpu, reserved;
    uint64_t period;
    uint64_t word_count; /* of what follows: as many as are written */
    uint64_t words[1 + 2 * (1 + SLW_OFF_STACK_DEPTH) + 1 + SLW_USER_REG_COUNT + 2 +
                   SLW_OFF_MAX_COPY / sizeof(uint64_t)];
};

static void put(struct sample *s, uint64_t word)
{
    s->words[s->word_count++] = word;
}

static void put_chain(struct sample *out, const struct slw_off_sample *s)
{
    const uint64_t count = (s->kernel_count ? 1 + (uint64_t)s->kernel_count : 0) +
                           (s->user_count ? 1 + (uint64_t)s->user_count : 0);

    put(out, count);
    if (s->kernel_count)
        put(out, (uint64_t)PERF_CONTEXT_KERNEL);
    for (uint32_t i = 0; i < s->kernel_count; i++)
        put(out, s->kernel[i]);
    if (s->user_count)
        put(out, (uint64_t)PERF_CONTEXT_USER);
    for (uint32_t i = 0; i < s->user_count; i++) {
        uint64_t ip;

        memcpy(&ip, s->stack + i * sizeof(ip), sizeof(ip));
        put(out, ip);
    }
}

/* From the order of struct pt_regs to that of the bits of SLW_USER_REGS. */
#if defined(__x86_64__)
static const uint8_t order[SLW_USER_REG_COUNT] = {10, 5,  11, 12, 13, 14, 4, 19, 16, 18,
                                                  17, 20, 9,  8,  7,  6,  3, 2,  1,  0};
#define REG_IP 16

static bool is_64_bit(const struct slw_off_sample *s)
{
    return s->regs[17] == 0x33; /* cs of 64-bit programs */
}
#else
static const uint8_t order[SLW_USER_REG_COUNT] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                  11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                                  22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};
#define REG_IP 32

static bool is_64_bit(const struct slw_off_sample *s)
{
    return !(s->regs[33] & 0x10); /* pstate of 64-bit programs */
}
#endif

/* Threads of the kernel have none, nor those that waited before they were followed. */
static bool has_user_part(const struct slw_off_sample *s)
{
    return s->has_regs && s->regs[REG_IP] != 0;
}

static void put_copy(struct sample *out, const struct slw_off_sample *s)
{
    const size_t words = (s->stack_bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t);

    if (!has_user_part(s)) {
        put(out, PERF_SAMPLE_REGS_ABI_NONE);
        put(out, 0);
        return;
    }
    put(out, is_64_bit(s) ? PERF_SAMPLE_REGS_ABI_64 : PERF_SAMPLE_REGS_ABI_32);
    for (size_t i = 0; i < SLW_USER_REG_COUNT; i++)
        put(out, s->regs[order[i]]);
    put(out, words * sizeof(uint64_t));
    if (words == 0)
        return; /* then no word says what is in it */
    out->words[out->word_count + words - 1] = 0;
    memcpy(&out->words[out->word_count], s->stack, s->stack_bytes);
    out->word_count += words;
    put(out, s->stack_bytes);
}

static uint64_t leaf_of(const struct slw_off_sample *s)
{
    uint64_t ip = 0;

    if (s->kernel_count)
        return s->kernel[0];
    if (s->user_count)
        memcpy(&ip, s->stack, sizeof(ip));
    else if (has_user_part(s))
        ip = s->regs[REG_IP];
    return ip;
}

int slw_off_spool_stack(struct slw_spool *spool, enum slw_off_callers callers,
                        const struct slw_off_sample *s)
{
    struct sample out;
    uint64_t written;

    out.header = (struct perf_event_header){.type = PERF_RECORD_SAMPLE,
                                            .misc = s->kernel_count ? PERF_RECORD_MISC_KERNEL
                                                                    : PERF_RECORD_MISC_USER};
    out.id = EVENT_ID;
    out.ip = leaf_of(s);
    out.pid = s->pid;
    out.tid = s->tid;
    out.time_ns = s->time_ns;
    out.cpu = out.reserved = 0;
    out.period = s->ns;
    out.word_count = 0;
    put_chain(&out, s);
    if (callers == SLW_OFF_CALLERS_COPY)
        put_copy(&out, s);
    const size_t head = offsetof(struct sample, word_count); /* the words stand in its place */
    const size_t tail = out.word_count * sizeof(out.words[0]);
    out.header.size = (uint16_t)(head + tail);
    struct iovec parts[] = {{.iov_base = &out, .iov_len = head},
                            {.iov_base = out.words, .iov_len = tail}};
    int rc = slw_spool_write(spool, parts, 2, &written);
    if (rc < 0 && !slw_spool_full(spool))
        slw_spool_cut(spool, written);
    return rc;
}
