/* SPDX-License-Identifier: MIT */
#include "collector/taps/offcpu/bpf.h"

#include "collector/taps/bpf/load.h"
#include "collector/taps/offcpu/classes.h"
#include "collector/taps/offcpu/offcpu.skel.h"
#include "collector/taps/offcpu/table.h"
#include "record/run.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert((int)SLW_OFF_STATE_COUNT == (int)SLW_WAIT_COUNT, "one list of states");
_Static_assert((int)SLW_OFF_UNSPLIT == (int)SLW_WAIT_UNSPLIT, "one list of states");
_Static_assert((int)SLW_OFF_STATE_COUNT <= SLW_OFF_STATES, "the kernel masks states");

struct slw_off_bpf {
    struct slw_offcpu_skeleton *skeleton;
    struct ring_buffer *ended, *samples; /* samples: NULL without stacks */
    int stats; /* while it is open the kernel measures the time of BPF programs; -1: refused */
    slw_off_thread_fn *ended_fn; /* during slw_off_bpf_ended */
    void *ended_ctx;
    slw_off_sample_fn *sample_fn; /* during slw_off_bpf_samples */
    void *sample_ctx;
    struct slw_off_table table; /* its records are mapped; NULL: not yet */
    size_t table_bytes;
};

static int on_ended(void *ctx, void *data, size_t size)
{
    struct slw_off_bpf *b = ctx;

    if (size >= sizeof(struct slw_off_thread))
        b->ended_fn(b->ended_ctx, data);
    return 0;
}

static int on_sample(void *ctx, void *data, size_t size)
{
    const struct slw_off_sample *sample = data;
    struct slw_off_bpf *b = ctx;
    const size_t head = offsetof(struct slw_off_sample, stack);

    if (size >= head && sample->kernel_count <= SLW_OFF_STACK_DEPTH &&
        sample->user_count <= SLW_OFF_STACK_DEPTH && sample->stack_bytes <= size - head &&
        sample->user_count <= (size - head) / sizeof(uint64_t))
        b->sample_fn(b->sample_ctx, sample);
    return 0;
}

static void configure(struct slw_offcpu_skeleton *s, const struct slw_off_bpf_options *opts)
{
    uint8_t table[SLW_OFF_SYSCALLS];

    slw_off_classes(table, sizeof(table));
    memcpy((void *)s->rodata->classes, table, sizeof(table)); /* not mapped read-only yet */
    s->rodata->callers = opts->callers;
    s->rodata->copy_bytes = opts->copy_bytes;
    (void)bpf_program__set_autoload(s->progs.on_syscall, opts->syscalls);
    (void)bpf_map__set_max_entries(s->maps.threads, opts->thread_max);
    s->rodata->bucket_mask = slw_off_bucket_count(opts->thread_max) - 1;
    if (opts->callers == SLW_OFF_CALLERS_NO) {
        (void)bpf_program__set_autoload(s->progs.flush, false);
        (void)bpf_map__set_max_entries(s->maps.samples, (uint32_t)sysconf(_SC_PAGESIZE));
    }
    uint32_t slots = opts->callers == SLW_OFF_CALLERS_NO ? 1 : opts->slot_max;
    (void)bpf_map__set_max_entries(s->maps.slots, slots);
    (void)bpf_map__set_max_entries(s->maps.free_slots, slots);
}

static int open_samples(struct slw_off_bpf *b, const struct slw_off_bpf_options *opts,
                        struct slw_error *err)
{
    const int queue = bpf_map__fd(b->skeleton->maps.free_slots);

    if (opts->callers == SLW_OFF_CALLERS_NO)
        return 0;
    for (uint32_t slot = 1; slot <= opts->slot_max; slot++)
        if (bpf_map_update_elem(queue, NULL, &slot, BPF_ANY) < 0)
            return slw_bpf_refused(errno, "stacks", err);
    b->samples = ring_buffer__new(bpf_map__fd(b->skeleton->maps.samples), on_sample, b, NULL);
    return b->samples ? 0 : slw_bpf_refused(errno, "ring", err);
}

static int map_table(struct slw_off_bpf *b, size_t thread_max, struct slw_error *err)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);

    b->table_bytes = (thread_max * sizeof(struct slw_off_thread) + page - 1) / page * page;
    void *records = mmap(NULL, b->table_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                         bpf_map__fd(b->skeleton->maps.threads), 0);
    if (records == MAP_FAILED)
        return slw_bpf_refused(errno, "threads", err);
    b->table = (struct slw_off_table){.buckets = b->skeleton->bss->buckets,
                                      .bucket_count = slw_off_bucket_count(thread_max),
                                      .records = records,
                                      .record_count = thread_max};
    return 0;
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
    rc = map_table(b, opts->thread_max, err);
    if (rc < 0)
        return rc;
    b->ended = ring_buffer__new(bpf_map__fd(b->skeleton->maps.ended), on_ended, b, NULL);
    if (!b->ended)
        return slw_bpf_refused(errno, "ring", err);
    rc = open_samples(b, opts, err);
    if (rc < 0)
        return rc;
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
    ring_buffer__free(b->samples);
    if (b->stats >= 0)
        (void)close(b->stats);
    if (b->table.records)
        (void)munmap(b->table.records, b->table_bytes);
    slw_offcpu_skeleton__destroy(b->skeleton);
    free(b);
}

int slw_off_bpf_follow(struct slw_off_bpf *b, const struct slw_off_thread *t, struct slw_error *err)
{
    const int queue = bpf_map__fd(b->skeleton->maps.free_slots);
    struct slw_off_thread with_slot = *t;

    if (bpf_map_lookup_and_delete_elem(queue, NULL, &with_slot.slot) < 0)
        with_slot.slot = 0; /* none is left, or no stacks are looked at */
    const enum slw_off_put put = slw_off_table_put(&b->table, &with_slot);
    if (put != SLW_OFF_PUT && with_slot.slot != 0)
        (void)bpf_map_update_elem(queue, NULL, &with_slot.slot, BPF_ANY);
    return put == SLW_OFF_FULL ? slw_fail(err, SLW_E_LIMIT, "no room to follow thread %u", t->tid)
                               : 0; /* or its parent has brought it in meanwhile */
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

void slw_off_bpf_live(struct slw_off_bpf *b, slw_off_thread_fn *fn, void *ctx)
{
    struct slw_off_thread t;

    for (size_t i = 0; i < (size_t)b->table.bucket_count * SLW_OFF_WAYS; i++)
        if (slw_off_table_get(&b->table, i, &t))
            fn(ctx, &t);
}

void slw_off_bpf_objects(struct slw_off_bpf *b, size_t max, slw_off_object_fn *fn, void *ctx)
{
    int fd = bpf_map__fd(b->skeleton->maps.objects);
    struct slw_off_object key = {0}, next;
    struct slw_off_object_sum sum;

    for (size_t i = 0; i < max; i++) {
        if (bpf_map_get_next_key(fd, i == 0 ? NULL : &key, &next) < 0)
            return;
        key = next;
        if (bpf_map_lookup_elem(fd, &key, &sum) == 0)
            fn(ctx, &key, &sum);
    }
}

struct slw_off_losses slw_off_bpf_losses(const struct slw_off_bpf *b)
{
    return b->skeleton->bss->losses;
}

void slw_off_bpf_samples(struct slw_off_bpf *b, slw_off_sample_fn *fn, void *ctx)
{
    b->sample_fn = fn;
    b->sample_ctx = ctx;
    if (b->samples)
        (void)ring_buffer__consume(b->samples);
}

/* The program runs for each thread of the machine while we read; it prints nothing. */
void slw_off_bpf_flush(struct slw_off_bpf *b, slw_off_sample_fn *fn, void *ctx)
{
    char nothing[64];

    slw_off_bpf_samples(b, fn, ctx);
    if (!b->samples || !b->skeleton->links.flush)
        return;
    int fd = bpf_iter_create(bpf_link__fd(b->skeleton->links.flush));
    if (fd < 0)
        return;
    for (ssize_t n = -1; n != 0;) {
        n = read(fd, nothing, sizeof(nothing));
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            break;
    }
    (void)close(fd);
    slw_off_bpf_samples(b, fn, ctx);
}

void slw_off_bpf_sample_every(struct slw_off_bpf *b, uint64_t ns)
{
    b->skeleton->data->sample_ns = ns;
}

uint64_t slw_off_bpf_time_ns(const struct slw_off_bpf *b)
{
    return slw_bpf_time_ns(b->skeleton->obj);
}

uint64_t slw_off_bpf_bytes(const struct slw_off_bpf *b)
{
    return slw_bpf_map_bytes(b->skeleton->obj);
}
