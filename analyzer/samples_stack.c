/* SPDX-License-Identifier: MIT */
/* One sample: its frames leaf first, its thread, and the weight it adds to each column. */
#include "analyzer/samples_int.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

/* Markers in a call chain say whose addresses follow; they are no frames. Anything else, however
 * odd, is what the frame pointer led to: an address. False: no marker, though it looks like one. */
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

static inline bool is_marker(uint64_t value, unsigned *ret_mode)
{
    return value >= (uint64_t)PERF_CONTEXT_MAX && mode_of_marker(value, ret_mode);
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
    struct slw_chain_step *steps; /* leaf first */
    size_t depth, user_frames, foreign_frames;
};

static inline void push(struct walk *w, unsigned mode, uint64_t ip, bool exact)
{
    bool kernel = mode == PERF_RECORD_MISC_KERNEL;

    if (mode != PERF_RECORD_MISC_USER && !kernel) {
        w->foreign_frames++;
        return;
    }
    w->user_frames += !kernel;
    if (w->depth < SLW_MAX_STACK_DEPTH)
        w->steps[w->depth++] = (struct slw_chain_step){ip, (kernel ? SLW_STEP_KERNEL : 0) |
                                                               (exact ? SLW_STEP_EXACT : 0)};
}

/* The leaf is the sampled address: with precise events the chain's own first entry may lie some
 * instructions behind it. The chain repeats it, unless the chain leaves the leaf's side out. The
 * first address behind a marker is where execution stood, not where a call returns to. */
static void walk_chain(struct walk *to, const struct slw_perf_record *r)
{
    const struct slw_perf_values chain = r->sample.chain;
    unsigned mode = leaf_mode(r), own = mode;
    bool exact = true, repeats_leaf = r->sample.has_ip;
    struct walk w = *to; /* the compiler would take any step for a part of it */

    if (r->sample.has_ip)
        push(&w, mode, r->sample.ip, true);
    for (uint64_t i = 0; i < chain.count; i++) {
        uint64_t value = slw_perf_value(&chain, i);
        if (is_marker(value, &mode)) {
            exact = true;
            continue;
        }
        if (!repeats_leaf || mode != own)
            push(&w, mode, value, exact);
        repeats_leaf = false;
        exact = false;
    }
    *to = w;
}

/* Frames to keep when the callers in user mode come from elsewhere: the kernel's, and the first of
 * user mode. */
static size_t up_to_user(const struct walk *w)
{
    size_t keep = 0;

    while (keep < w->depth && (w->steps[keep].kind & SLW_STEP_KERNEL))
        keep++;
    return keep < w->depth ? keep + 1 : keep;
}

/* Calls that have not returned yet, as the CPU keeps them: each from where it was made. It keeps a
 * few (32 at most), while frame pointers may lead further: who tells more callers is believed.
 * Source: Intel SDM volume 3, LBR call-stack mode. */
static void walk_calls(struct slw_samples *s, struct walk *w, const struct slw_perf_record *r)
{
    const struct slw_perf_values *b = &r->sample.branches;
    uint64_t calls = 0;

    while (calls < r->sample.branch_count && slw_perf_value(b, calls * SLW_PERF_BRANCH_VALUES) != 0)
        calls++;
    if (calls == 0 || calls < w->user_frames)
        return;
    w->depth = up_to_user(w);
    if (w->user_frames == 0) /* the chain leaves user mode out: what was called last */
        push(w, PERF_RECORD_MISC_USER, slw_perf_value(b, 1), true);
    w->user_frames = 1;
    for (uint64_t i = 0; i < calls; i++)
        push(w, PERF_RECORD_MISC_USER, slw_perf_value(b, i * SLW_PERF_BRANCH_VALUES), true);
    s->calls[calls < SLW_MAX_CALLS ? calls : SLW_MAX_CALLS]++;
}

static int name_thread(struct slw_samples *s, struct slw_task *task)
{
    const struct slw_thread thread = {
        .comm = slw_procstate_comm(s->procs, task->comm), .pid = task->pid, .tid = task->tid};

    return task->tag == UINT32_MAX ? slw_stacks_add_thread(s->stacks, &thread, &task->tag) : 0;
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

/* Move s->weights to the chain and into the run's totals, and clear it. A weight past the range of
 * the profile is refused whole and told in a note. */
static int commit(struct slw_samples *s, uint32_t chain)
{
    int rc = slw_chains_weigh(s->chains, chain, s->weights);

    slw_samples_total(s, rc == 0);
    s->refused += rc == -SLW_E_RANGE;
    return rc == -SLW_E_RANGE ? 0 : rc;
}

/* A user stack of one frame means the client keeps no frame pointers. How those ended that were
 * copied is counted apart, and waits are no samples of the CPU: they are in no total that the
 * losses are compared with. */
static bool lacks_callers(const struct slw_samples *s, const struct walk *w,
                          const struct slw_perf_record *r)
{
    const struct slw_event_columns *e = &s->events[r->event];
    bool user = w->user_frames > 0 || leaf_mode(r) == PERF_RECORD_MISC_USER;

    return r->sample.has_chain && w->user_frames <= 1 && user && !e->copies && !e->offcpu;
}

/* Put the callers that were found in the copy in the place of what the chain says of user code. The
 * leaf stays: it is the sampled address. An unfinished stack that is shorter than the chain, whose
 * callers were then found by frame pointers, is the worse one. */
static void walk_copy(struct walk *w, const struct slw_sample *sample,
                      const struct slw_unwound_frame *frames)
{
    const struct slw_perf_record *r = sample->record;
    const size_t depth = sample->unwound.depth;
    bool user = leaf_mode(r) == PERF_RECORD_MISC_USER;
    size_t keep = 0, from = user && r->sample.has_ip;

    if (depth == 0 || (sample->unwound.end != SLW_UNWOUND_COMPLETE && w->user_frames >= depth))
        return;
    while (keep < w->depth && (keep < from || (w->steps[keep].kind & SLW_STEP_KERNEL)))
        keep++;
    w->depth = keep;
    w->user_frames = from;
    for (size_t i = from; i < depth; i++)
        push(w, PERF_RECORD_MISC_USER, frames[i].address, frames[i].exact);
}

/* A sample that neither carries counters nor is kept with its time. */
static int weigh_alone(struct slw_samples *s, uint32_t chain, const struct slw_perf_record *r)
{
    const size_t column = (size_t)s->events[r->event].count;
    const uint64_t weight = r->sample.has_period ? r->sample.period : 0;
    struct slw_sampling *sampling = sampling_of(s, column);
    int rc = slw_chains_weigh_pair(s->chains, chain, column, weight);

    if (rc == 0 && sampling) {
        sampling->samples++;
        sampling->weight += weight;
    }
    s->no_period += !r->sample.has_period;
    s->refused += rc == -SLW_E_RANGE;
    return rc == -SLW_E_RANGE ? 0 : rc;
}

static int account(struct slw_samples *s, uint32_t chain, const struct slw_perf_record *r)
{
    const bool reads = r->sample.read_count > 0 && r->sample.read_id_index > 0;
    const uint32_t leaf = slw_chains_get(s->chains, chain)->location;
    int rc = 0;

    s->delivered++;
    if (!reads && !s->times && s->events[r->event].count >= 0)
        return weigh_alone(s, chain, r);
    if (reads) {
        rc = slw_samples_weigh_read(s, r, leaf == SLW_NO_LOCATION ? SLW_NO_LEAF : leaf);
    } else {
        s->no_period += !r->sample.has_period;
        slw_samples_weigh(s, (size_t)r->event, 1, r->sample.has_period ? r->sample.period : 0);
    }
    if (rc == 0)
        rc = slw_samples_time(s, chain, r->time);
    return rc < 0 ? rc : commit(s, chain);
}

/* Which function a JIT compiler had at each address then. */
static void tell_turns(struct slw_samples *s, const struct walk *w, const struct slw_perf_record *r)
{
    for (size_t i = 0; i < w->depth; i++) {
        struct slw_chain_step *step = &w->steps[i];
        const uint64_t before = !(step->kind & SLW_STEP_EXACT) && step->address > 0;

        if (!(step->kind & SLW_STEP_KERNEL))
            step->kind |= slw_symbols_turn(s->symbols, r->pid, step->address - before, r->time)
                          << SLW_STEP_BITS;
    }
}

/* Its task, which is in the profile. */
static int task_of(struct slw_samples *s, const struct slw_perf_record *r,
                   struct slw_task **ret_task)
{
    *ret_task = slw_procstate_task(s->procs, r->pid, r->tid);
    return *ret_task ? name_thread(s, *ret_task) : -SLW_E_NOMEM;
}

int slw_samples_begin(struct slw_samples *s, const struct slw_perf_record *r,
                      struct slw_sample *ret_sample)
{
    struct slw_task *task;
    int rc = task_of(s, r, &task);

    if (rc < 0)
        return rc;
    ret_sample->record = r;
    ret_sample->task = *task;
    ret_sample->space = slw_unwind_space(s->procs, task);
    ret_sample->unwound.depth = 0;
    ret_sample->copied = false;
    return 0;
}

static int follow(struct slw_samples *s, const struct slw_perf_record *r, const struct walk *w,
                  const struct slw_chain_root *root)
{
    uint32_t chain = SLW_NO_CHAIN;

    if (s->opts->symbols && slw_symbols_has_turns(s->symbols))
        tell_turns(s, w, r);
    int rc = slw_chains_follow(s->chains, root, w->steps, w->depth, slw_samples_locate, s, &chain);
    return rc < 0 ? rc : account(s, chain, r);
}

/* What the record itself tells of the stack. */
static void walk_record(struct slw_samples *s, struct walk *w, const struct slw_perf_record *r)
{
    walk_chain(w, r);
    if (s->events[r->event].calls)
        walk_calls(s, w, r);
    s->run->losses.no_user_stack += lacks_callers(s, w, r);
    s->foreign_frames += w->foreign_frames;
}

/* Most samples are of the task that the one before is of. */
static int find_now(struct slw_samples *s, const struct slw_perf_record *r)
{
    struct slw_task *task;
    int rc = task_of(s, r, &task);

    if (rc == 0) {
        s->now = *task;
        s->now_root = (struct slw_chain_root){task->tag, slw_procstate_generation(s->procs, task)};
        s->has_now = true;
    }
    return rc;
}

int slw_samples_add_now(struct slw_samples *s, const struct slw_perf_record *r)
{
    struct walk w = {.steps = s->steps};

    if (!s->has_now || s->now.tid != r->tid || s->now.pid != r->pid) {
        int rc = find_now(s, r);
        if (rc < 0)
            return rc;
    }
    walk_record(s, &w, r);
    s->task = &s->now;
    return follow(s, r, &w, &s->now_root);
}

int slw_samples_add(struct slw_samples *s, const struct slw_sample *sample,
                    const struct slw_unwound_frame *frames)
{
    const struct slw_perf_record *r = sample->record;
    struct walk w = {.steps = s->steps};
    int rc = 0;

    walk_record(s, &w, r);
    s->task = &sample->task;
    if (sample->copied) {
        rc = slw_samples_count_unwound(s, sample);
        walk_copy(&w, sample, frames);
    }
    const struct slw_chain_root root = {sample->task.tag, sample->space.generation};
    return rc < 0 ? rc : follow(s, r, &w, &root);
}

/* Weights that fit one by one may not when chains turn out to be one stack. */
static void take_back(struct slw_samples *s, const uint64_t *weights)
{
    for (size_t i = 0; i + 1 < slw_stacks_column_count(s->stacks); i += 2) {
        struct slw_sampling *sampling = sampling_of(s, i);

        if (!sampling)
            continue;
        sampling->samples -= weights[i];
        sampling->weight -= weights[i + 1];
        s->refused += weights[i];
    }
}

/* From a caller's path to that of a location, by way of what was inlined there. */
static int step(struct slw_samples *s, const struct slw_samples_frames *f, uint32_t caller,
                uint32_t location, uint32_t *ret_path)
{
    uint32_t path;
    int rc = slw_stacks_step(s->stacks, caller, f->outer[location], &path);

    if (f->inner_begin)
        for (uint32_t i = f->inner_begin[location]; rc == 0 && i < f->inner_begin[location + 1];
             i++)
            rc = slw_stacks_step(s->stacks, path, f->inner[i], &path);
    if (rc == 0)
        *ret_path = path;
    return rc;
}

static int make_paths(struct slw_samples *s, const struct slw_samples_frames *frames,
                      uint32_t *path_of)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < slw_chains_count(s->chains); i++) {
        const struct slw_chain *c = slw_chains_get(s->chains, i);

        if (c->caller == SLW_NO_CHAIN)
            rc = slw_stacks_root(s->stacks, (uint32_t)c->step.address, &path_of[i]);
        else if (c->step.kind == SLW_STEP_ROOT)
            path_of[i] = path_of[c->caller];
        else
            rc = step(s, frames, path_of[c->caller], c->location, &path_of[i]);
    }
    return rc;
}

static int make_stacks(struct slw_samples *s, const uint32_t *path_of)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < slw_chains_row_count(s->chains); i++) {
        uint32_t chain;
        const uint64_t *weights = slw_chains_row(s->chains, i, &chain);
        rc = slw_stacks_weigh(s->stacks, path_of[chain], weights);
        if (rc == -SLW_E_RANGE) {
            take_back(s, weights);
            rc = 0;
        }
    }
    return rc;
}

int slw_samples_name_stacks(struct slw_samples *s)
{
    struct slw_samples_frames frames = {0};

    slw_chains_seal(s->chains);
    uint32_t *path_of = malloc(((size_t)slw_chains_count(s->chains) + 1) * sizeof(*path_of));
    int rc = path_of ? slw_samples_frames(s, &frames) : -SLW_E_NOMEM;

    if (rc == 0)
        rc = make_paths(s, &frames, path_of);
    if (rc == 0)
        rc = make_stacks(s, path_of);
    if (rc == 0)
        rc = slw_samples_name_times(s, path_of);
    slw_samples_frames_release(&frames);
    free(path_of);
    return rc;
}
