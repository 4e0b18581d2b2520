/* SPDX-License-Identifier: MIT */
#include "collector/taps/offcpu/bpf.h"

#include "collector/taps/bpf/load.h"
#include "collector/taps/offcpu/classes.h"
#include "collector/taps/offcpu/offcpu.skel.h"
#include "record/run.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert((int)SLW_OFF_STATE_COUNT == (int)SLW_WAIT_COUNT, "one list of states");
_Static_assert((int)SLW_OFF_UNSPLIT == (int)SLW_WAIT_UNSPLIT, "one list of states");
_Static_assert((int)SLW_OFF_STATE_COUNT <= SLW_OFF_STATES, "the kernel masks states");

#define BATCH 256

struct slw_off_bpf {
    struct slw_offcpu_skeleton *skeleton;
    struct ring_buffer *ended;
    int stats; /* while it is open the kernel measures the time of BPF programs; -1: refused */
    slw_off_thread_fn *ended_fn; /* during slw_off_bpf_ended */
    void *ended_ctx;
    uint32_t tids[BATCH]; /* of slw_off_bpf_live */
    struct slw_off_thread threads[BATCH];
};

static int on_ended(void *ctx, void *data, size_t size)
{
    struct slw_off_bpf *b = ctx;

    if (size >= sizeof(struct slw_off_thread))
        b->ended_fn(b->ended_ctx, data);
    return 0;
}

static void configure(struct slw_offcpu_skeleton *s, const struct slw_off_bpf_options *opts)
{
    uint8_t table[SLW_OFF_SYSCALLS];

    slw_off_classes(table, sizeof(table));
    memcpy((void *)s->rodata->classes, table, sizeof(table)); /* not mapped read-only yet */
    s->rodata->with_stacks = opts->stacks;
    (void)bpf_program__set_autoload(s->progs.on_syscall, opts->syscalls);
    (void)bpf_map__set_max_entries(s->maps.threads, opts->thread_max);
    (void)bpf_map__set_max_entries(s->maps.stacks, opts->stacks ? opts->stack_max : 1);
    (void)bpf_map__set_max_entries(s->maps.stack_sums, opts->stacks ? opts->stack_max : 1);
}

static int load(struct slw_off_bpf *b, const struct slw_off_bpf_options *opts,
                struct slw_error *err)
{
    b->skeleton = slw_offcpu_skeleton__open();
    if (!b->skeleton)
        return slw_bpf_refused(errno, "open", err);
    configure(b->skeleton, opts);
    int rc = slw_offcpu_skeleton__load(b->skeleton);
    if (rc < 0)
        return slw_bpf_refused(-rc, "load", err);
    b->ended = ring_buffer__new(bpf_map__fd(b->skeleton->maps.ended), on_ended, b, NULL);
    if (!b->ended)
        return slw_bpf_refused(errno, "ring", err);
    b->stats = bpf_enable_stats(BPF_STATS_RUN_TIME); /* as good without: then nobody knows */
    rc = slw_offcpu_skeleton__attach(b->skeleton);
    return rc < 0 ? slw_bpf_refused(-rc, "attach", err) : 0;
}

int slw_off_bpf_open(const struct slw_off_bpf_options *opts, struct slw_off_bpf **ret_bpf,
                     struct slw_error *err)
{
    struct slw_off_bpf *b = calloc(1, sizeof(*b));

    if (!b)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the off-CPU tap");
    b->stats = -1;
    libbpf_print_fn_t before = libbpf_set_print(slw_bpf_say_nothing);
    int rc = load(b, opts, err);
    (void)libbpf_set_print(before);
    if (rc < 0) {
        slw_off_bpf_close(b);
        return rc;
    }
    *ret_bpf = b;
    return 0;
}

void slw_off_bpf_close(struct slw_off_bpf *b)
{
    if (!b)
        return;
    ring_buffer__free(b->ended);
    if (b->stats >= 0)
        (void)close(b->stats);
    slw_offcpu_skeleton__destroy(b->skeleton);
    free(b);
}

int slw_off_bpf_follow(struct slw_off_bpf *b, const struct slw_off_thread *t, struct slw_error *err)
{
    int rc = bpf_map_update_elem(bpf_map__fd(b->skeleton->maps.threads), &t->tid, t, BPF_NOEXIST);

    if (rc == -EEXIST)
        return 0; /* its parent has brought it in meanwhile */
    if (rc == -E2BIG)
        return slw_fail(err, SLW_E_LIMIT, "no room to follow thread %u", t->tid);
    return rc < 0 ? slw_fail_sys(err, SLW_E_IO, -rc, "cannot follow thread %u", t->tid) : 0;
}

void slw_off_bpf_window(struct slw_off_bpf *b, uint64_t start_ns, uint64_t end_ns)
{
    b->skeleton->data->window_end_ns = end_ns;
    b->skeleton->data->window_start_ns = start_ns;
}

void slw_off_bpf_ended(struct slw_off_bpf *b, slw_off_thread_fn *fn, void *ctx)
{
    b->ended_fn = fn;
    b->ended_ctx = ctx;
    (void)ring_buffer__consume(b->ended);
}

/* In batches of whole hash buckets: walking key by key starts over when a key goes away. */
void slw_off_bpf_live(struct slw_off_bpf *b, slw_off_thread_fn *fn, void *ctx)
{
    int fd = bpf_map__fd(b->skeleton->maps.threads);
    uint32_t place = 0;
    bool more = true;

    for (int i = 0; i < SLW_OFF_LIVE_THREADS && more; i++) {
        uint32_t count = BATCH;

        more = bpf_map_lookup_batch(fd, i == 0 ? NULL : &place, &place, b->tids, b->threads, &count,
                                    NULL) == 0;
        for (uint32_t k = 0; k < count && k < BATCH; k++)
            if (b->threads[k].started)
                fn(ctx, &b->threads[k]);
    }
}

struct slw_off_losses slw_off_bpf_losses(const struct slw_off_bpf *b)
{
    return b->skeleton->bss->losses;
}

static const uint64_t *ips_of(int fd, int32_t id, uint64_t *room)
{
    uint32_t key = (uint32_t)id;

    if (id < 0 || bpf_map_lookup_elem(fd, &key, room) < 0)
        room[0] = 0;
    return room;
}

void slw_off_bpf_stacks(struct slw_off_bpf *b, slw_off_stack_fn *fn, void *ctx)
{
    int sums = bpf_map__fd(b->skeleton->maps.stack_sums);
    int stacks = bpf_map__fd(b->skeleton->maps.stacks);
    struct slw_off_stack_key key = {0}, next;
    struct slw_off_stack_sum sum;
    uint64_t kernel[SLW_OFF_STACK_DEPTH], user[SLW_OFF_STACK_DEPTH];

    if (!b->skeleton->rodata->with_stacks)
        return;
    for (int i = 0; i < SLW_OFF_STACKS; i++) {
        if (bpf_map_get_next_key(sums, i == 0 ? NULL : &key, &next) < 0)
            return;
        key = next;
        if (bpf_map_lookup_elem(sums, &key, &sum) == 0)
            fn(ctx, &key, &sum, ips_of(stacks, key.kernel_stack, kernel),
               ips_of(stacks, key.user_stack, user));
    }
}

uint64_t slw_off_bpf_time_ns(const struct slw_off_bpf *b)
{
    return slw_bpf_time_ns(b->skeleton->obj);
}

uint64_t slw_off_bpf_bytes(const struct slw_off_bpf *b)
{
    return slw_bpf_map_bytes(b->skeleton->obj);
}
