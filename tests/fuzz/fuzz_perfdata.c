/* SPDX-License-Identifier: MIT */
/* A whole perf.data from anywhere: index it, decode every record twice, apply it to the processes,
 * look up every address. */
#include "analyzer/perfdata.h"
#include "analyzer/procstate.h"
#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small enough that a bomb costs the fuzzer no time. */
#define UNPACKED_LIMIT ((uint64_t)1 << 20)

struct context {
    struct slw_procstate *ps;
    uint64_t sum; /* keeps every read alive */
    uint64_t last_time;
};

static void look_up(struct context *c, const struct slw_perf_record *r)
{
    struct slw_task *t = slw_procstate_task(c->ps, r->pid, r->tid);
    const struct slw_perf_values *chain = &r->sample.chain;

    for (uint64_t i = 0; t && i < chain->count; i++) {
        uint64_t ip = slw_perf_value(chain, i);
        const struct slw_map *m = slw_procstate_find(c->ps, t, ip);
        c->sum += m ? m->module : 0;
        if (m && (ip < m->start || ip >= m->end))
            abort();
    }
    for (uint64_t i = 0; i < r->sample.read_count; i++)
        c->sum +=
            slw_perf_value(&r->sample.read, i * r->sample.read_stride + r->sample.read_id_index);
    for (uint64_t i = 0; i < r->sample.regs_user.count; i++)
        c->sum += slw_perf_value(&r->sample.regs_user, i);
    for (uint64_t i = 0; r->sample.stack_user && i < r->sample.stack_user_bytes; i++)
        c->sum += r->sample.stack_user[i];
}

static int on_record(void *ctx, const struct slw_perf_record *r)
{
    struct context *c = ctx;

    if (r->kind == SLW_PERF_SAMPLE)
        look_up(c, r);
    return slw_procstate_apply(c->ps, r);
}

static int count(void *ctx, const struct slw_perf_record *r)
{
    *(uint64_t *)ctx += r->offset + r->time;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_perfdata *pd = NULL;
    struct slw_error err = {0};
    struct context c = {0};

    if (slw_perfdata_open_bytes(data, size, UNPACKED_LIMIT, &pd, &err) < 0) {
        if (err.code == SLW_E_OK || err.text[0] == '\0')
            abort(); /* a failure without a reason */
        return 0;
    }
    struct slw_arena *arena = slw_arena_new();
    struct slw_modules modules = {.arena = arena};
    c.ps = arena ? slw_procstate_new(&modules, pd) : NULL;
    if (c.ps) {
        (void)slw_perfdata_each(pd, on_record, &c);
        uint64_t unreadable = slw_perfdata_damage(pd)->unreadable_bytes;
        (void)slw_perfdata_each(pd, count, &c.sum);
        if (slw_perfdata_damage(pd)->unreadable_bytes != unreadable || unreadable > UINT64_MAX / 2)
            abort(); /* damage must be counted once */
    }
    slw_procstate_free(c.ps);
    slw_modules_release(&modules);
    slw_arena_free(arena);
    slw_perfdata_close(pd);
    return 0;
}
