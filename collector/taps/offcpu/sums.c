/* SPDX-License-Identifier: MIT */
#include "collector/taps/offcpu/sums.h"

#include <stdlib.h>
#include <string.h>

static const struct slw_provenance from_bpf = {.source = SLW_SOURCE_SOFTWARE,
                                               .detail = "BPF on sched_switch"};

int slw_off_sums_init(struct slw_off_sums *s, bool resumable, bool syscalls, struct slw_error *err)
{
    *s = (struct slw_off_sums){
        .all = {.pid = -1,
                .tid = -1,
                .from = from_bpf,
                .by_cause = true,
                .syscalls = {.absent = syscalls ? NULL : "not counted without --offcpu syscalls"}}};
    s->each = calloc(SLW_OFF_MAX_SUMS, sizeof(s->each[0]));
    s->comms = calloc(SLW_OFF_MAX_SUMS, sizeof(s->comms[0]));
    if (resumable)
        s->carried = calloc(SLW_OFF_LIVE_THREADS, sizeof(s->carried[0]));
    if (s->each && s->comms && (s->carried || !resumable))
        return 0;
    slw_off_sums_release(s);
    return slw_fail(err, SLW_E_NOMEM, "no memory for threads");
}

void slw_off_sums_release(struct slw_off_sums *s)
{
    free(s->each);
    free(s->comms);
    free(s->carried);
    *s = (struct slw_off_sums){0};
}

bool slw_off_sums_begin(struct slw_off_sums *s, uint64_t now_ns)
{
    if (s->window_count == SLW_OFF_MAX_WINDOWS)
        return false;
    s->windows[s->window_count++] = (struct slw_off_window){now_ns, UINT64_MAX};
    return true;
}

void slw_off_sums_end(struct slw_off_sums *s, uint64_t now_ns)
{
    if (s->window_count > 0 && s->windows[s->window_count - 1].end_ns == UINT64_MAX)
        s->windows[s->window_count - 1].end_ns = now_ns;
}

static uint64_t overlap_ns(const struct slw_off_window *w, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t start_ns = from_ns > w->start_ns ? from_ns : w->start_ns;
    uint64_t end_ns = to_ns < w->end_ns ? to_ns : w->end_ns;

    return end_ns > start_ns ? end_ns - start_ns : 0;
}

/* Of the last window: what the BPF program adds only when the thread changes its state. */
static uint64_t open_ns(const struct slw_off_sums *s, const struct slw_off_thread *t)
{
    if (t->ended_ns != 0 || s->window_count == 0)
        return 0;
    return overlap_ns(&s->windows[s->window_count - 1], t->since_ns, UINT64_MAX);
}

static struct slw_off_thread *find_carried(const struct slw_off_sums *s,
                                           const struct slw_off_thread *t)
{
    for (size_t i = 0; i < s->carried_count; i++)
        if (s->carried[i].tid == t->tid && s->carried[i].born_ns == t->born_ns)
            return &s->carried[i];
    return NULL;
}

void slw_off_sums_carry(struct slw_off_sums *s, const struct slw_off_thread *t)
{
    struct slw_off_thread *c = find_carried(s, t);

    if (open_ns(s, t) == 0 || (!c && s->carried_count == SLW_OFF_LIVE_THREADS))
        return;
    if (!c) {
        c = &s->carried[s->carried_count++];
        *c = (struct slw_off_thread){.tid = t->tid, .born_ns = t->born_ns};
    }
    c->ns[t->state % SLW_OFF_STATES] += open_ns(s, t);
}

static void add_states(struct slw_waiting *w, const struct slw_off_thread *t)
{
    for (int i = 0; i < SLW_WAIT_COUNT; i++) {
        w->ns[i] += t->ns[i];
        w->waits[i] += i == SLW_WAIT_ON_CPU ? 0 : t->waits[i];
    }
    w->syscalls.value += t->syscalls;
}

static void add_to_all(struct slw_waiting *all, const struct slw_waiting *w)
{
    for (int i = 0; i < SLW_WAIT_COUNT; i++) {
        all->ns[i] += w->ns[i];
        all->waits[i] += w->waits[i];
    }
    all->wall_ns += w->wall_ns;
    all->syscalls.value += w->syscalls.value;
    all->thread_count++;
}

void slw_off_sums_add(struct slw_off_sums *s, const struct slw_off_thread *t)
{
    struct slw_waiting w = {.pid = (int32_t)t->pid,
                            .tid = (int32_t)t->tid,
                            .from = from_bpf,
                            .by_cause = true,
                            .syscalls = {.absent = s->all.syscalls.absent},
                            .thread_count = 1};
    const struct slw_off_thread *carried = find_carried(s, t);
    uint64_t end_ns = t->ended_ns ? t->ended_ns : UINT64_MAX;

    add_states(&w, t);
    if (carried)
        add_states(&w, carried);
    w.ns[t->state % SLW_WAIT_COUNT] += open_ns(s, t);
    for (size_t i = 0; i < s->window_count; i++)
        w.wall_ns += overlap_ns(&s->windows[i], t->born_ns, end_ns);
    if (w.wall_ns == 0)
        return; /* lived between two windows */
    add_to_all(&s->all, &w);
    if (s->each_count == SLW_OFF_MAX_SUMS)
        return;
    memcpy(s->comms[s->each_count], t->comm, sizeof(t->comm) - 1);
    w.comm = t->comm[0] ? s->comms[s->each_count] : NULL;
    s->each[s->each_count++] = w;
}

static int longer_first(const void *a, const void *b)
{
    const struct slw_waiting *x = a, *y = b;

    if (x->wall_ns != y->wall_ns)
        return x->wall_ns < y->wall_ns ? 1 : -1;
    return (x->tid > y->tid) - (x->tid < y->tid);
}

int slw_off_sums_put(struct slw_off_sums *s, struct slw_run *run, struct slw_error *err)
{
    int rc = slw_run_add_waiting(run, &s->all, err);

    qsort(s->each, s->each_count, sizeof(s->each[0]), longer_first);
    for (size_t i = 0; i < s->each_count && i + 1 < SLW_MAX_WAITING && rc == 0; i++)
        rc = slw_run_add_waiting(run, &s->each[i], err);
    return rc;
}
