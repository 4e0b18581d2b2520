/* SPDX-License-Identifier: MIT */
#include "collector/taps/stage/sums.h"

#include "base/int128.h"

#include <stdio.h>

static bool was_called(const struct slw_stage_sum *s)
{
    return s->calls > 0 || s->missed_begins > 0 || s->missed_ends > 0;
}

static struct slw_maybe_u64 absent(const char *why)
{
    return (struct slw_maybe_u64){.absent = why};
}

static struct slw_maybe_u64 event_of(const struct slw_stage_results *r,
                                     const struct slw_stage_sum *s, enum slw_stage_event event)
{
    if (r->counter[event] < 0)
        return absent(r->absent[event]);
    if (s->counts.running_ns == 0)
        return absent("not counted: never scheduled");
    /* 128 bits: a minute of 4 GHz cycles times a minute of ns is past 2^64. */
    slw_u128 scaled = (slw_u128)s->counts.values[r->counter[event]] * s->counts.enabled_ns;
    scaled = (scaled + s->counts.running_ns / 2) / s->counts.running_ns;
    if (scaled > UINT64_MAX)
        return absent("more than 64 bits");
    return (struct slw_maybe_u64){.value = (uint64_t)scaled};
}

/* Below this, in percent of the time, it is told that counts are scaled. */
#define MOST 99

static void put_coverage(const struct slw_stage_sum *s, char *text, size_t size,
                         struct slw_provenance *from)
{
    const struct slw_stage_counts *c = &s->counts;

    if (c->running_ns == 0 || c->running_ns / MOST >= c->enabled_ns / 100)
        return;
    (void)snprintf(text, size, "scaled: counted %.3g %% of the time",
                   100.0 * (double)c->running_ns / (double)c->enabled_ns);
    from->detail = text;
}

static struct slw_maybe_u64 slots_of(const struct slw_stage_results *r,
                                     const struct slw_maybe_u64 *cycles)
{
    struct slw_maybe_u64 slots = *cycles;

    if (!slots.absent && __builtin_mul_overflow(cycles->value, r->slots_per_cycle, &slots.value))
        return absent("more than 64 bits");
    return slots;
}

static int put_stage(const struct slw_stage_results *r, size_t i, struct slw_run *run,
                     struct slw_error *err)
{
    const struct slw_stage_name *name = &r->marks->stages[i];
    const struct slw_stage_sum *s = &r->sums[i];
    char coverage[64];
    struct slw_stage stage = {.name = name->name,
                              .provider = name->provider[0] ? name->provider : NULL,
                              .from = {SLW_SOURCE_SOFTWARE, false, "uprobes on the client's marks"},
                              .counted_from = r->counted_from,
                              .calls = s->calls,
                              .requests = s->requests,
                              .max_batch = s->max_batch,
                              .wall_ns = s->wall_ns,
                              .self_ns = s->self_ns,
                              .cpu_ns = {.value = s->cpu_ns},
                              .missed_begins = s->missed_begins,
                              .missed_ends = s->missed_ends};

    put_coverage(s, coverage, sizeof(coverage), &stage.counted_from);
    for (int e = 0; e < SLW_STAGE_EVENT_COUNT; e++)
        stage.events[e] = event_of(r, s, (enum slw_stage_event)e);
    if (r->slots_per_cycle > 0)
        stage.events[SLW_STAGE_SLOTS] = slots_of(r, &stage.events[SLW_STAGE_CYCLES]);
    return slw_run_add_stage(run, &stage, err);
}

static void note_missed(const struct slw_stage_results *r, struct slw_run *run)
{
    uint64_t begins = 0, ends = 0;

    for (size_t i = 0; i < r->marks->stage_count; i++) {
        begins += r->sums[i].missed_begins;
        ends += r->sums[i].missed_ends;
    }
    if (begins + ends > 0)
        (void)slw_run_note(run, SLW_NOTE_INFO, "stage-unbalanced", NULL,
                           "of %llu calls of stages only the end was seen and of %llu only the "
                           "begin: under way when measuring started or stopped, left by a jump, "
                           "or not marked in pairs; they are in no number",
                           (unsigned long long)begins, (unsigned long long)ends);
}

static void warn(struct slw_run *run, const char *code, uint64_t count, const char *what)
{
    if (count > 0)
        (void)slw_run_note(run, SLW_NOTE_WARNING, code, NULL, "%llu %s", (unsigned long long)count,
                           what);
}

static void note_losses(const struct slw_stage_results *r, struct slw_run *run)
{
    warn(run, "stage-marks-unusable", r->marks->unusable,
         "marks of stages are not as slotwise/stage.h writes them: they are not followed");
    warn(run, "stage-marks-left-out", r->marks->left_out + r->not_attached,
         "marks of stages could not be attached to: calls are missing");
    warn(run, "stage-threads-lost", r->losses.threads + r->not_followed,
         "times a thread could not be followed through its stages: calls are missing");
    warn(run, "stage-too-deep", r->losses.too_deep,
         "calls of stages were nested too deep: they are in no number");
    warn(run, "stage-batch-lost", r->losses.batches,
         "batches were compared too late: the largest one may be larger");
    warn(run, "stage-events-lost", r->skipped,
         "marks or context switches were not handed to the tap: times and calls are inexact");
}

int slw_stage_put(const struct slw_stage_results *r, struct slw_run *run, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < r->marks->stage_count && rc == 0; i++)
        rc = was_called(&r->sums[i]) ? put_stage(r, i, run, err) : 0;
    note_missed(r, run);
    note_losses(r, run);
    return rc;
}
