/* SPDX-License-Identifier: MIT */
/* One sample: its frames leaf first, its thread, and the weight it adds to each column. */
#include "analyzer/samples_int.h"

#include <linux/perf_event.h>

/* Markers in a call chain say whose addresses follow; they are no frames. Anything else, however
 * odd, is what the frame pointer led to: an address. False: no marker. */
static bool mode_of_marker(uint64_t value, unsigned *ret_mode)
{
    const uint64_t user_deferred = (uint64_t)-640; /* newer than the kernel headers we build with */

    if (value == (uint64_t)PERF_CONTEXT_USER || value == user_deferred)
        *ret_mode = PERF_RECORD_MISC_USER;
    else if (value == (uint64_t)PERF_CONTEXT_KERNEL)
        *ret_mode = PERF_RECORD_MISC_KERNEL;
    else if (value == (uint64_t)PERF_CONTEXT_HV || value == (uint64_t)PERF_CONTEXT_GUEST ||
             value == (uint64_t)PERF_CONTEXT_GUEST_KERNEL ||
             value == (uint64_t)PERF_CONTEXT_GUEST_USER)
        *ret_mode = PERF_RECORD_MISC_HYPERVISOR; /* not of this system */
    else
        return false;
    return true;
}

/* The leaf's mode. Old kernels leave it unknown; there the upper half is the kernel's. */
static unsigned leaf_mode(const struct slw_perf_record *r)
{
    unsigned mode = r->misc & PERF_RECORD_MISC_CPUMODE_MASK;

    if (mode == PERF_RECORD_MISC_CPUMODE_UNKNOWN)
        return r->sample.ip >> 63 ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER;
    return mode;
}

struct walk {
    struct slw_samples *s;
    const struct slw_task *task;
    size_t depth, user_frames, foreign_frames;
};

static int push(struct walk *w, unsigned mode, uint64_t ip, bool exact)
{
    struct slw_samples *s = w->s;

    if (mode != PERF_RECORD_MISC_USER && mode != PERF_RECORD_MISC_KERNEL) {
        w->foreign_frames++;
        return 0;
    }
    w->user_frames += mode == PERF_RECORD_MISC_USER;
    if (w->depth == SLW_MAX_STACK_DEPTH)
        return 0;
    int rc = slw_samples_frame(s, w->task, mode, ip, exact, w->depth == 0, &s->frames[w->depth]);
    if (rc == 0)
        w->depth++;
    return rc;
}

/* The leaf is the sampled address: with precise events the chain's own first entry may lie some
 * instructions behind it. The chain repeats it, unless the chain leaves the leaf's side out. The
 * first address behind a marker is where execution stood, not where a call returns to. */
static int walk_chain(struct walk *w, const struct slw_perf_record *r)
{
    const struct slw_perf_values *chain = &r->sample.chain;
    unsigned mode = leaf_mode(r), own = mode;
    bool exact = true, repeats_leaf = r->sample.has_ip;
    int rc = r->sample.has_ip ? push(w, mode, r->sample.ip, true) : 0;

    for (uint64_t i = 0; i < chain->count && rc == 0; i++) {
        uint64_t value = slw_perf_value(chain, i);
        if (mode_of_marker(value, &mode)) {
            exact = true;
            continue;
        }
        if (!repeats_leaf || mode != own)
            rc = push(w, mode, value, exact);
        repeats_leaf = false;
        exact = false;
    }
    return rc;
}

static int thread_of(struct slw_samples *s, struct slw_task *task, uint32_t *ret_thread)
{
    if (task->tag == UINT32_MAX) {
        const struct slw_thread thread = {
            .comm = slw_procstate_comm(s->procs, task->comm), .pid = task->pid, .tid = task->tid};
        int rc = slw_stacks_add_thread(s->stacks, &thread, &task->tag);
        if (rc < 0)
            return rc;
    }
    *ret_thread = task->tag;
    return 0;
}

void slw_samples_weigh(struct slw_samples *s, size_t event, uint64_t samples, uint64_t weight)
{
    const struct slw_event_columns *c = &s->events[event];

    if (c->count < 0)
        return;
    s->weights[c->count] += samples;
    s->weights[c->period] += weight;
}

/* NULL: the columns are no measurement of their own. */
static struct slw_sampling *sampling_of(struct slw_samples *s, size_t column)
{
    size_t sampling = s->samplings[column / 2];

    return sampling == SLW_NO_SAMPLING ? NULL : &s->run->samplings[sampling];
}

void slw_samples_total(struct slw_samples *s, bool taken)
{
    size_t columns = slw_stacks_column_count(s->stacks);

    for (size_t i = 0; i + 1 < columns; i += 2) {
        struct slw_sampling *sampling = sampling_of(s, i);

        if (sampling && taken) {
            sampling->samples += s->weights[i];
            sampling->weight += s->weights[i + 1];
        }
        s->weights[i] = s->weights[i + 1] = 0;
    }
}

/* Move s->weights into the entry and the run's totals, and clear it. A weight past the range of the
 * profile is refused whole and told in a note. */
static void commit(struct slw_samples *s, const struct slw_memo_entry *e)
{
    bool taken = slw_memo_weigh(s->memo, e, s->weights);

    slw_samples_total(s, taken);
    s->refused += !taken;
}

/* One sample like those of the entry. */
static int account(struct slw_samples *s, const struct slw_memo_entry *e,
                   const struct slw_perf_record *r)
{
    int rc = 0;

    s->foreign_frames += e->foreign_frames;
    s->run->losses.no_user_stack += e->flat;
    s->copied_stacks += e->copied;
    if (r->sample.read_count > 0 && r->sample.read_id_index > 0) {
        rc = slw_samples_weigh_read(s, r, e->leaf);
    } else {
        s->no_period += !r->sample.has_period;
        slw_samples_weigh(s, (size_t)r->event, 1, r->sample.has_period ? r->sample.period : 0);
    }
    s->delivered++;
    commit(s, e);
    return rc;
}

static int into_stacks(void *ctx, const struct slw_memo_entry *e, const uint32_t *frames,
                       const uint64_t *weights)
{
    struct slw_samples *s = ctx;
    size_t columns = slw_stacks_column_count(s->stacks);
    int rc = slw_stacks_add(s->stacks, frames, e->depth, e->key.thread, weights);

    if (rc != -SLW_E_RANGE)
        return rc;
    for (size_t i = 0; i + 1 < columns; i += 2) { /* they are not in the profile after all */
        struct slw_sampling *sampling = sampling_of(s, i);

        if (!sampling)
            continue;
        sampling->samples -= weights[i];
        sampling->weight -= weights[i + 1];
        s->refused += weights[i];
    }
    return 0;
}

int slw_samples_flush(struct slw_samples *s)
{
    return slw_memo_flush(s->memo, into_stacks, s);
}

/* A user stack of one frame means the client keeps no frame pointers. Stacks copied as memory are
 * another matter: their chain never holds the callers. */
static void judge(const struct slw_samples *s, const struct walk *w,
                  const struct slw_perf_record *r, struct slw_memo_entry *e)
{
    uint64_t type = slw_perfdata_event(s->pd, (size_t)r->event)->attr.sample_type;
    bool user = leaf_mode(r) == PERF_RECORD_MISC_USER || w->user_frames > 0;

    e->copied = r->sample.has_chain && user && (type & PERF_SAMPLE_STACK_USER);
    e->flat = r->sample.has_chain && user && !e->copied && w->user_frames <= 1;
    e->foreign_frames = (uint32_t)w->foreign_frames;
}

static int resolve(struct slw_samples *s, const struct slw_task *task,
                   const struct slw_perf_record *r, struct slw_memo_entry *entry)
{
    struct walk w = {.s = s, .task = task};
    int rc = walk_chain(&w, r);

    if (rc < 0 || s->count_only)
        return rc;
    judge(s, &w, r, entry);
    entry->depth = (uint32_t)w.depth;
    entry->leaf = w.depth > 0 ? s->frames[0] : SLW_NO_LEAF;
    return slw_memo_is_full(s->memo, w.depth, r->sample.chain.count) ? slw_samples_flush(s) : 0;
}

int slw_samples_add(struct slw_samples *s, const struct slw_perf_record *r)
{
    struct slw_task *task = slw_procstate_task(s->procs, r->pid, r->tid);
    struct slw_memo_entry fresh = {.key = {.ip = r->sample.ip,
                                           .event = (uint32_t)r->event,
                                           .misc = r->misc,
                                           .has_ip = r->sample.has_ip,
                                           .chain = r->sample.chain}};

    if (!task)
        return -SLW_E_NOMEM;
    if (s->count_only)
        return resolve(s, task, r, &fresh);
    int rc = thread_of(s, task, &fresh.key.thread);
    if (rc < 0)
        return rc;
    fresh.key.generation = slw_procstate_generation(s->procs, task);
    struct slw_memo_entry *e = slw_memo_find(s->memo, &fresh.key);
    if (!e) {
        rc = resolve(s, task, r, &fresh);
        if (rc < 0)
            return rc;
        e = slw_memo_add(s->memo, &fresh, s->frames);
    }
    if (!e)
        return -SLW_E_NOMEM;
    return account(s, e, r);
}
