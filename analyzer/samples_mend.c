/* SPDX-License-Identifier: MIT */
/* Copied stacks that end in a program which is not here, or which does not say how to leave its
 * code, but which others have. What called it is not known before its file has come, and may be
 * another such program: the recording is walked for its stacks alone, until a walk leads to none,
 * before it is read. */
#include "analyzer/samples_int.h"

#include <linux/perf_event.h>

#define MAX_WALKS   8   /* programs that call each other, none of them here */
#define MAX_ASKED   32  /* in all walks */
#define LEAST_SHARE 100 /* one stack in so many ends there */

struct mending {
    struct slw_samples *s;
    struct slw_procstate *procs; /* of this walk */
    uint64_t stacks;             /* the same */
    unsigned asked;
    bool again; /* some file came */
};

static bool has_copies(const struct slw_perfdata *pd)
{
    for (size_t i = 0; i < slw_perfdata_event_count(pd); i++) {
        const struct slw_perf_event *e = slw_perfdata_event(pd, i);
        if ((e->attr.sample_type & PERF_SAMPLE_STACK_USER) && e->sample_count > 0)
            return true;
    }
    return false;
}

static int on_record(void *ctx, const struct slw_perf_record *r)
{
    struct mending *m = ctx;

    if (r->kind != SLW_PERF_SAMPLE)
        return slw_procstate_apply(m->procs, r);
    if (r->event < 0 || !slw_samples_has_copy(m->s, r))
        return 0;
    const struct slw_task *task = slw_procstate_task(m->procs, r->pid, r->tid);
    if (!task)
        return -SLW_E_NOMEM;
    const struct slw_sample sample = {
        .record = r, .task = *task, .space = slw_unwind_space(m->procs, task), .copied = true};
    slw_unwinder_try(m->s->unwinder, &sample);
    m->stacks++;
    return 0;
}

/* A program without a description may have one in its debug file. */
static int mend(struct mending *m, const struct slw_unwind_loss *loss)
{
    const uint32_t module = (uint32_t)(loss->module - m->s->modules.modules);
    struct slw_elf image, debug;

    m->asked++;
    int rc =
        slw_symbols_fetch(m->s->symbols, module,
                          loss->end == SLW_UNWOUND_NO_FILE ? SLW_REMOTE_PROGRAM : SLW_REMOTE_DEBUG);
    if (rc <= 0)
        return rc;
    m->again = true;
    rc = slw_symbols_reopen(m->s->symbols, module, &image, &debug);
    return rc < 0 ? rc : slw_unwind_tables_mend(m->s->unwinder->tables, module, &image, &debug);
}

static int walk(struct mending *m)
{
    struct slw_unwind_tables *tables = m->s->unwinder->tables;
    struct slw_unwind_loss loss;

    m->again = false;
    m->stacks = 0;
    m->procs = slw_procstate_new(&m->s->modules, m->s->pd);
    int rc = m->procs ? slw_perfdata_each(m->s->pd, on_record, m) : -SLW_E_NOMEM;
    if (rc == 0)
        rc = slw_unwind_tables_failed(tables);
    while (rc == 0 && m->asked < MAX_ASKED && slw_unwind_tables_next_loss(tables, &loss) &&
           loss.stacks >= m->stacks / LEAST_SHARE)
        rc = mend(m, &loss);
    slw_unwind_tables_forgive(tables);
    slw_procstate_free(m->procs);
    return rc;
}

int slw_samples_mend(struct slw_samples *s)
{
    struct mending m = {.s = s, .again = true};
    int rc = 0;

    if (!s->opts->remote || !s->opts->symbols || !has_copies(s->pd))
        return 0;
    s->unwinder = slw_unwinder_new(s);
    if (!s->unwinder)
        return -SLW_E_NOMEM;
    for (int i = 0; rc == 0 && m.again && i < MAX_WALKS; i++)
        rc = walk(&m);
    return rc;
}
