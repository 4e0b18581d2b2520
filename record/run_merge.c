/* SPDX-License-Identifier: MIT */
#include "record/run_merge.h"

#include "base/arena.h"

#include <string.h>

static int no_memory(struct slw_error *err)
{
    return slw_fail(err, SLW_E_NOMEM, "no memory to put executions together");
}

int slw_run_copy_command(struct slw_run *run, const struct slw_command *from, struct slw_error *err)
{
    struct slw_command *c = &run->command;

    *c = *from;
    c->cgroup = slw_run_str(run, from->cgroup);
    c->argv = slw_arena_array(run->arena, from->argc + 1, sizeof(c->argv[0]));
    for (size_t i = 0; c->argv && i < from->argc; i++)
        if (!(c->argv[i] = slw_run_str(run, from->argv[i])))
            c->argv = NULL;
    if (c->argv && (c->cgroup || !from->cgroup))
        return 0;
    c->argc = 0;
    return slw_fail(err, SLW_E_NOMEM, "no memory for the command line");
}

int slw_run_copy_models(struct slw_run *run, const struct slw_run *from, struct slw_error *err)
{
    const struct slw_model_ref *m = &from->model;
    int rc = 0;

    if (run->model.name || !m->name)
        return 0;
    run->model = (struct slw_model_ref){.name = slw_run_str(run, m->name),
                                        .source = slw_run_str(run, m->source),
                                        .version = slw_run_str(run, m->version),
                                        .pmu = slw_run_str(run, m->pmu)};
    if (!run->model.name || (m->source && !run->model.source) ||
        (m->version && !run->model.version) || (m->pmu && !run->model.pmu))
        return no_memory(err);
    for (size_t i = 0; i < from->other_model_count && rc == 0; i++)
        rc = slw_run_add_model(run, &from->other_models[i], err);
    return rc;
}

static bool has_code(const struct slw_run *run, size_t count, const char *code)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(run->notes[i].code, code) == 0)
            return true;
    return false;
}

int slw_run_merge_notes(struct slw_run *run, const struct slw_run *from, bool by_code)
{
    const size_t before = run->note_count;
    int rc = 0;

    for (size_t i = 0; i < from->note_count && rc != -SLW_E_NOMEM; i++) {
        const struct slw_note *n = &from->notes[i];

        if (!by_code || !has_code(run, before, n->code))
            rc = slw_run_note(run, n->level, n->code, n->hint, "%s", n->text);
    }
    return rc == -SLW_E_NOMEM ? rc : 0;
}

static int add_maybe(struct slw_run *run, struct slw_maybe_u64 *sum,
                     const struct slw_maybe_u64 *more, bool first)
{
    if (first)
        *sum = (struct slw_maybe_u64){0};
    sum->value += more->value;
    if (sum->absent || !more->absent)
        return 0;
    sum->absent = slw_run_str(run, more->absent);
    return sum->absent ? 0 : -SLW_E_NOMEM;
}

int slw_run_merge_costs(struct slw_run *run, const struct slw_run *from, bool first)
{
    struct slw_self_cost *a = &run->self;
    const struct slw_self_cost *b = &from->self;
    int user = add_maybe(run, &a->user_ns, &b->user_ns, first);
    int system = add_maybe(run, &a->system_ns, &b->system_ns, first);

    a->ring_bytes = b->ring_bytes > a->ring_bytes ? b->ring_bytes : a->ring_bytes;
    a->spool_bytes += b->spool_bytes;
    a->wakeups += b->wakeups;
    a->bpf_ns += b->bpf_ns;
    if (a->bpf_ns > 0) /* told in one round, it is told in all: in the others nothing ran */
        a->bpf_absent = NULL;
    else if (b->bpf_absent)
        a->bpf_absent = slw_run_str(run, b->bpf_absent);
    run->losses.lost_records += from->losses.lost_records;
    run->losses.lost_samples += from->losses.lost_samples;
    run->losses.throttled += from->losses.throttled;
    run->losses.unreadable_bytes += from->losses.unreadable_bytes;
    run->losses.no_user_stack += from->losses.no_user_stack;
    const bool told = a->bpf_ns > 0 || !b->bpf_absent || a->bpf_absent;
    return user < 0 || system < 0 || !told ? -SLW_E_NOMEM : 0;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static struct slw_sampling *find_sampling(struct slw_run *run, const struct slw_sampling *like)
{
    for (size_t i = 0; i < run->sampling_count; i++) {
        struct slw_sampling *s = &run->samplings[i];

        if (strcmp(s->event, like->event) == 0 && same_text(s->unit, like->unit) &&
            s->mode == like->mode)
            return s;
    }
    return NULL;
}

int slw_run_merge_samplings(struct slw_run *run, const struct slw_run *from, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < from->sampling_count && rc == 0; i++) {
        struct slw_sampling *s = find_sampling(run, &from->samplings[i]);

        if (!s) {
            rc = slw_run_add_sampling(run, &from->samplings[i], err);
            continue;
        }
        s->samples += from->samplings[i].samples;
        s->weight += from->samplings[i].weight;
    }
    for (size_t i = 0; i < from->unwinding_count && rc == 0; i++)
        rc = slw_run_add_unwinding(run, &from->unwindings[i], err);
    return rc;
}
