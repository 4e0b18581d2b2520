/* SPDX-License-Identifier: MIT */
/* Rules about the measurement itself: what spoils it. */
#include "analyzer/facts.h"
#include "analyzer/findings_int.h"
#include "analyzer/format.h"
#include "analyzer/unwinding.h"

#include <string.h>

/* Of the hottest function: wider than 3 points is worth saying. */
#define UNCERTAIN_HALF_WIDTH 0.03
#define LOST_SHARE           0.01 /* bias no larger than this is below the interval anyway */
#define STACKLESS_SHARE      0.20
#define BROKEN_SHARE         0.01 /* the same */
#define UNSYMBOLIZED_SHARE   0.20

bool slw_find_few_samples(const struct slw_report *r, struct slw_evidence *e)
{
    struct slw_buf *out = e->out;

    if (r->function_count == 0 || !r->functions[0].self_share.have_interval)
        return false;
    const struct slw_share *s = &r->functions[0].self_share;
    if (s->high - s->low <= 2 * UNCERTAIN_HALF_WIDTH)
        return false;
    slw_evidence_count(out, r->samples, "sample", "samples");
    slw_buf_puts(out, "; the hottest function's share is ");
    slw_format_share(out, s);
    slw_buf_puts(out, " at 95 % confidence");
    return true;
}

bool slw_find_lost_samples(const struct slw_report *r, struct slw_evidence *e)
{
    struct slw_buf *out = e->out;
    uint64_t lost = r->run->losses.lost_samples, records = r->run->losses.lost_records;
    uint64_t all = r->facts->expected_samples;

    if (lost == 0 && records == 0)
        return false;
    if (records == 0 && (double)lost < LOST_SHARE * (double)all)
        return false;
    e->weight = all > 0 ? (double)lost / (double)all : 0;
    if (lost > 0) {
        slw_evidence_count(out, lost, "sample", "samples");
        slw_buf_puts(out, " lost of ");
        slw_format_integer(out, all);
    }
    if (records > 0) {
        slw_buf_puts(out, lost > 0 ? "; " : "");
        slw_evidence_count(out, records, "record", "records");
        slw_buf_puts(out, " dropped because a ring was full");
    }
    return true;
}

bool slw_find_throttled(const struct slw_report *r, struct slw_evidence *e)
{
    struct slw_buf *out = e->out;

    if (r->run->losses.throttled == 0)
        return false;
    slw_buf_puts(out, "sampling stood still ");
    slw_evidence_count(out, r->run->losses.throttled, "time", "times");
    return true;
}

bool slw_find_no_user_stacks(const struct slw_report *r, struct slw_evidence *e)
{
    struct slw_buf *out = e->out;
    uint64_t without = r->run->losses.no_user_stack;

    if (r->samples == 0 || (double)without < STACKLESS_SHARE * (double)r->samples)
        return false;
    if (r->sampling && r->sampling->call_graph && strcmp(r->sampling->call_graph, "none") == 0)
        return false; /* nobody asked for stacks */
    e->weight = (double)without / (double)r->samples;
    slw_evidence_count(out, without, "sample", "samples");
    slw_buf_puts(out, " of ");
    slw_format_integer(out, r->samples);
    slw_buf_puts(out, " have at most one user frame");
    return true;
}

/* The event of whose stacks most ended so. */
static const struct slw_unwinding *worst_unwinding(const struct slw_run *run, bool truncated,
                                                   uint64_t *ret_stacks)
{
    const struct slw_unwinding *worst = NULL;

    *ret_stacks = 0;
    for (size_t i = 0; i < run->unwinding_count; i++) {
        const struct slw_unwinding *u = &run->unwindings[i];
        uint64_t all = slw_unwinding_stacks(u), cut = u->ends[SLW_UNWOUND_TRUNCATED];
        uint64_t stacks = truncated ? cut : all - u->ends[SLW_UNWOUND_COMPLETE] - cut;
        if (stacks > *ret_stacks && (double)stacks >= BROKEN_SHARE * (double)all) {
            worst = u;
            *ret_stacks = stacks;
        }
    }
    return worst;
}

static void put_stacks_of(struct slw_evidence *e, const struct slw_unwinding *u, uint64_t stacks)
{
    uint64_t all = slw_unwinding_stacks(u);

    e->weight = (double)stacks / (double)all;
    slw_format_integer(e->out, stacks);
    slw_buf_puts(e->out, " of ");
    slw_evidence_count(e->out, all, "stack", "stacks");
}

bool slw_find_truncated_stacks(const struct slw_report *r, struct slw_evidence *e)
{
    uint64_t stacks;
    const struct slw_unwinding *u = worst_unwinding(r->run, true, &stacks);

    if (!u)
        return false;
    put_stacks_of(e, u, stacks);
    slw_buf_puts(e->out, " go on beyond the ");
    slw_format_integer(e->out, u->copy_bytes / 1024);
    slw_buf_puts(e->out, " KiB that were copied");
    return true;
}

bool slw_find_broken_stacks(const struct slw_report *r, struct slw_evidence *e)
{
    enum slw_unwound_end ends[SLW_UNWOUND_COUNT];
    uint64_t stacks;
    const struct slw_unwinding *u = worst_unwinding(r->run, false, &stacks);
    size_t count = u ? slw_unwinding_failures(u, ends) : 0;
    const char *lead = " end early: ";

    if (!u)
        return false;
    put_stacks_of(e, u, stacks);
    for (size_t i = 0; i < count; i++) {
        if (ends[i] == SLW_UNWOUND_TRUNCATED)
            continue;
        slw_buf_puts(e->out, lead);
        slw_format_integer(e->out, u->ends[ends[i]]);
        slw_buf_printf(e->out, " %s", slw_unwound_words(ends[i]));
        lead = ", ";
    }
    return true;
}

bool slw_find_no_symbols(const struct slw_report *r, struct slw_evidence *e)
{
    return slw_evidence_heavy(r, &r->facts->unsymbolized, UNSYMBOLIZED_SHARE,
                              "has no function name", e);
}
