/* SPDX-License-Identifier: MIT */
#include "workloads/execution.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int stage_init(struct slw_execution_stage *s, const struct slw_execution_kind *kind,
                      struct slw_error *err)
{
    if (kind->limit < 1 || kind->limit > SLW_MAX_EXECUTION_LIMIT)
        return slw_fail(err, SLW_E_INVAL, "stage %s: %zu calls in a run, not 1 to %d", kind->name,
                        kind->limit, SLW_MAX_EXECUTION_LIMIT);
    s->kind = *kind;
    s->queue = calloc(kind->limit, sizeof(*s->queue));
    s->sizes = calloc(kind->limit + 1, sizeof(*s->sizes));
    if (!s->queue || !s->sizes)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the queue of stage %s", kind->name);
    return 0;
}

int slw_execution_init(struct slw_execution *e, const struct slw_execution_kind *kinds,
                       size_t count, uint64_t quota_ns, uint64_t (*now_ns)(void *ctx),
                       void *now_ctx, struct slw_error *err)
{
    int r = 0;

    assert(e && kinds && (now_ns || quota_ns == 0));
    *e = (struct slw_execution){.quota_ns = quota_ns, .now_ns = now_ns, .now_ctx = now_ctx};
    if (count < 1 || count > SLW_MAX_EXECUTION_STAGES)
        return slw_fail(err, SLW_E_INVAL, "%zu stages, not 1 to %d", count,
                        SLW_MAX_EXECUTION_STAGES);
    e->stages = calloc(count, sizeof(*e->stages));
    if (!e->stages)
        return slw_fail(err, SLW_E_NOMEM, "no memory for %zu stages", count);
    e->count = count;
    for (size_t i = 0; i < count && r == 0; i++)
        r = stage_init(&e->stages[i], &kinds[i], err);
    if (r < 0)
        slw_execution_release(e);
    return r;
}

void slw_execution_release(struct slw_execution *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->count; i++) {
        free(e->stages[i].queue);
        free(e->stages[i].sizes);
    }
    free(e->stages);
    *e = (struct slw_execution){0};
}

static void run_queue(struct slw_execution *e, size_t index, enum slw_execution_reason reason);

/* From stage `index` on, as far as it goes without waiting. */
static void hand(struct slw_execution *e, size_t index, void *call)
{
    for (; index < e->count; index++) {
        struct slw_execution_stage *s = &e->stages[index];

        if (s->kind.limit > 1) {
            s->queue[s->queued++] = call;
            e->queued++;
            if (s->queued == s->kind.limit)
                run_queue(e, index, SLW_EXECUTION_FULL);
            return;
        }
        s->sizes[1]++;
        s->kind.run(s->kind.ctx, &call, 1);
    }
}

/* While the results are handed on only later stages run, so that the queue keeps what it held. */
static void run_queue(struct slw_execution *e, size_t index, enum slw_execution_reason reason)
{
    struct slw_execution_stage *s = &e->stages[index];
    const size_t count = s->queued;

    s->queued = 0;
    e->queued -= count;
    s->sizes[count]++;
    s->reasons[reason]++;
    s->kind.run(s->kind.ctx, s->queue, count);
    for (size_t i = 0; i < count; i++)
        hand(e, index + 1, s->queue[i]);
}

static size_t run_all(struct slw_execution *e, enum slw_execution_reason reason)
{
    size_t ran = 0;

    for (size_t i = 0; i < e->count && e->queued > 0; i++)
        if (e->stages[i].queued > 0) {
            run_queue(e, i, reason);
            ran++;
        }
    assert(e->queued == 0);
    return ran;
}

void slw_execution_call(struct slw_execution *e, void *call)
{
    const size_t queued = e->queued;

    hand(e, 0, call);
    if (e->queued == 0 || e->quota_ns == 0)
        return;
    const uint64_t now = e->now_ns(e->now_ctx);
    if (queued == 0)
        e->waiting_since_ns = now;
    else if (now - e->waiting_since_ns >= e->quota_ns)
        (void)run_all(e, SLW_EXECUTION_QUOTA);
}

size_t slw_execution_poll(struct slw_execution *e)
{
    return run_all(e, SLW_EXECUTION_POLL);
}

void slw_execution_reset(struct slw_execution *e)
{
    for (size_t i = 0; i < e->count; i++) {
        struct slw_execution_stage *s = &e->stages[i];

        memset(s->sizes, 0, (s->kind.limit + 1) * sizeof(*s->sizes));
        memset(s->reasons, 0, sizeof(s->reasons));
    }
}

struct slw_execution_count slw_execution_counted(const struct slw_execution_stage *s)
{
    struct slw_execution_count c = {0};

    for (size_t n = 1; n <= s->kind.limit; n++)
        if (s->sizes[n] > 0) {
            c.calls += n * s->sizes[n];
            c.runs += s->sizes[n];
            c.largest = n;
        }
    return c;
}
