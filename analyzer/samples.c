/* SPDX-License-Identifier: MIT */
#include "analyzer/samples.h"

#include "analyzer/samples_int.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void tell_kernel_text(struct slw_samples *s)
{
    uint64_t address;

    if (slw_procstate_kernel_text(s->procs, &address))
        slw_symbols_set_kernel_text(s->symbols, address);
}

static int on_record(void *ctx, const struct slw_perf_record *r)
{
    struct slw_samples *s = ctx;
    struct slw_losses *losses = &s->run->losses;

    if (r->kind == SLW_PERF_SAMPLE)
        return r->event < 0 ? 0 : slw_samples_queue(s, r);
    s->has_now = false;
    int flushed = slw_samples_flush(s);
    if (flushed < 0)
        return flushed;
    switch (r->kind) {
    case SLW_PERF_LOST:
        losses->lost_records += r->lost;
        return 0;
    case SLW_PERF_LOST_SAMPLES:
        losses->lost_samples += r->lost;
        return 0;
    case SLW_PERF_THROTTLE:
        losses->throttled++;
        return 0;
    case SLW_PERF_READ:
        slw_samples_final_read(s, r);
        return 0;
    case SLW_PERF_FORK:
    case SLW_PERF_EXIT:
        slw_group_reads_forget(s->reads, r->tid);
        return slw_procstate_apply(s->procs, r);
    case SLW_PERF_MMAP: {
        int rc = slw_procstate_apply(s->procs, r);
        tell_kernel_text(s);
        return rc;
    }
    case SLW_PERF_COMM:
    case SLW_PERF_SAMPLE:
    case SLW_PERF_UNTHROTTLE:
    default:
        return slw_procstate_apply(s->procs, r);
    }
}

static int intern_fallbacks(struct slw_samples *s)
{
    struct slw_module kernel = {
        .kind = SLW_MODULE_KERNEL, .path = "[kernel.kallsyms]", .build_id = "", .pid = -1};
    const struct slw_module unknown = {
        .kind = SLW_MODULE_UNKNOWN, .path = "[unknown]", .build_id = "", .pid = -1};

    for (size_t i = 0; i < slw_perfdata_build_id_count(s->pd); i++)
        if (strcmp(slw_perfdata_build_id(s->pd, i)->path, kernel.path) == 0)
            kernel.build_id = slw_perfdata_build_id(s->pd, i)->build_id;
    if (slw_modules_intern(&s->modules, &kernel, &s->kernel_module) < 0)
        return -SLW_E_NOMEM;
    return slw_modules_intern(&s->modules, &unknown, &s->unknown_module);
}

static int read_samples(struct slw_samples *s)
{
    s->chains = slw_chains_new(slw_stacks_column_count(s->stacks));
    s->procs = slw_procstate_new(&s->modules, s->pd);
    int rc = s->chains && s->procs ? slw_samples_start_times(s) : -SLW_E_NOMEM;
    if (rc == 0)
        rc = slw_samples_mend(s);
    if (rc == 0)
        rc = slw_perfdata_each(s->pd, on_record, s);
    if (rc == 0)
        rc = slw_samples_flush(s);
    if (rc == 0)
        rc = slw_samples_name_stacks(s);
    return rc < 0 ? rc : slw_samples_close_books(s);
}

/* Of all events: their records are put in one order. */
static bool is_monotonic(const struct slw_perfdata *pd)
{
    const size_t count = slw_perfdata_event_count(pd);

    for (size_t i = 0; i < count; i++) {
        const struct slw_perf_attr *a = &slw_perfdata_event(pd, i)->attr;
        if (!(a->flags & SLW_PERF_ATTR_USE_CLOCKID) || a->clockid != CLOCK_MONOTONIC)
            return false;
    }
    return count > 0;
}

static int start(struct slw_samples *s, const char *path, struct slw_error *err)
{
    int rc = slw_perfdata_open(path, &s->pd, err);

    if (rc < 0)
        return rc;
    s->arena = slw_arena_new();
    s->modules.arena = s->arena;
    s->symbols_options =
        (struct slw_symbols_options){.debug_dir = s->opts->debug_dir,
                                     .cache_dir = s->opts->cache_dir,
                                     .imported = s->opts->imported,
                                     .monotonic = is_monotonic(s->pd),
                                     .remote = s->opts->remote,
                                     .meta = slw_perfdata_meta(s->pd),
                                     .started_realtime_ns = s->run->started_realtime_ns};
    if (s->arena && intern_fallbacks(s) == 0)
        s->symbols = slw_symbols_new(&s->modules, &s->symbols_options);
    if (!s->symbols)
        return slw_fail(err, SLW_E_NOMEM, "no memory for symbols");
    if (s->opts->symbols && slw_perfdata_has_kernel(s->pd))
        slw_symbols_expect_kernel(s->symbols);
    return slw_samples_make_columns(s, err);
}

static int no_sample_decoded(const struct slw_samples *s, const char *path, struct slw_error *err)
{
    const struct slw_perf_damage *d = slw_perfdata_damage(s->pd);

    if (s->delivered > 0 || d->unreadable_bytes == 0)
        return 0;
    (void)slw_fail(err, SLW_E_FORMAT, "'%s' has no readable sample: %s", path, d->reason);
    slw_error_at(err, "%s, offset 0x%llx", path, (unsigned long long)d->first_offset);
    return -SLW_E_FORMAT;
}

static int load(struct slw_samples *s, const char *path, struct slw_error *err)
{
    int rc = start(s, path, err);

    if (rc < 0)
        return rc;
    if (s->stacks)
        rc = read_samples(s);
    if (rc < 0)
        return slw_fail(err, (enum slw_code) - rc, "cannot build the stacks of '%s'", path);
    rc = no_sample_decoded(s, path, err);
    if (rc < 0)
        return rc;
    s->run->losses.unreadable_bytes += slw_perfdata_damage(s->pd)->unreadable_bytes;
    if (slw_samples_describe(s) < 0 || slw_samples_notes(s) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for notes");
    return 0;
}

static void release(struct slw_samples *s)
{
    slw_samples_forget_batches(s);
    slw_chains_free(s->chains);
    slw_group_reads_free(s->reads);
    slw_moments_free(s->times);
    slw_stacks_free(s->stacks);
    slw_symbols_free(s->symbols);
    slw_unwinder_free(s->unwinder);
    slw_procstate_free(s->procs);
    slw_modules_release(&s->modules);
    free(s->locations.locations);
    slw_index_release(&s->locations.index);
    free(s->mappings);
    free(s->expected);
    free(s->unwindings);
    slw_perfdata_close(s->pd);
    slw_arena_free(s->arena);
    free(s);
}

int slw_samples_load_timed(const char *path, const struct slw_samples_options *opts,
                           struct slw_run *run, struct slw_stacks **ret_stacks,
                           struct slw_moments **ret_moments, struct slw_error *err)
{
    struct slw_samples *s = calloc(1, sizeof(*s));

    if (!s)
        return slw_fail(err, SLW_E_NOMEM, "no memory to read samples");
    s->opts = opts;
    s->run = run;
    s->timed = ret_moments != NULL;
    int rc = load(s, path, err);
    if (rc == 0) {
        const bool any = s->delivered > 0;

        *ret_stacks = any ? s->stacks : NULL;
        if (ret_moments)
            *ret_moments = any ? s->times : NULL;
        if (any) {
            s->stacks = NULL;
            s->times = NULL;
        }
    }
    release(s);
    return rc;
}

int slw_samples_load(const char *path, const struct slw_samples_options *opts, struct slw_run *run,
                     struct slw_stacks **ret_stacks, struct slw_error *err)
{
    return slw_samples_load_timed(path, opts, run, ret_stacks, NULL, err);
}
