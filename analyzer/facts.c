/* SPDX-License-Identifier: MIT */
#include "analyzer/facts.h"

#include "base/arena.h"
#include "base/cleanup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- counts ---- */

/* Clocks run in whatever mode they were asked for; occurrences that happen in the kernel are missed
 * by a count that excludes it, and its 0 would be taken for none. */
static bool misses_kernel(const struct slw_report_row *row)
{
    return row->count->mode == SLW_MODE_USER && strcmp(row->total.unit, "ns") != 0;
}

static struct slw_maybe_u64 count_of(const struct slw_report *r, const char *event)
{
    struct slw_maybe_u64 found = {.absent = "not counted"};

    for (size_t i = 0; i < r->row_count; i++) {
        const struct slw_report_row *row = &r->rows[i];

        if (strcmp(row->name, event) != 0)
            continue;
        found = (struct slw_maybe_u64){.value = row->events, .absent = row->total.absent};
        if (!found.absent && misses_kernel(row))
            found.absent = "counted in user mode only";
        if (!found.absent)
            break;
    }
    return found;
}

static struct slw_maybe_u64 first_of(const struct slw_report *r, const char *event,
                                     const char *also)
{
    struct slw_maybe_u64 n = count_of(r, event);

    return n.absent ? count_of(r, also) : n;
}

static void fill_times(struct slw_facts *f, const struct slw_report *r)
{
    f->wall_ns = r->run->wall_ns;
    f->user_ns = first_of(r, "user-time", "user_time");
    f->system_ns = first_of(r, "system-time", "system_time");
    f->cpu_ns = count_of(r, "task-clock");
    uint64_t both;
    if (f->cpu_ns.absent && !f->user_ns.absent && !f->system_ns.absent &&
        !__builtin_add_overflow(f->user_ns.value, f->system_ns.value, &both))
        f->cpu_ns = (struct slw_maybe_u64){.value = both};
    f->context_switches = count_of(r, "context-switches");
    f->major_faults = count_of(r, "major-faults");
}

bool slw_facts_busy(const struct slw_facts *f, double *ret_cpus)
{
    if (f->cpu_ns.absent || f->wall_ns.absent || f->wall_ns.value == 0)
        return false;
    *ret_cpus = (double)f->cpu_ns.value / (double)f->wall_ns.value;
    return true;
}

/* ---- user and kernel ---- */

static const char *sampled_split_absent(const struct slw_report *r)
{
    if (r->main_column < 0)
        return "no samples";
    if (r->sampling && r->sampling->mode == SLW_MODE_USER)
        return "only user mode was sampled";
    if (r->sampling && r->sampling->mode == SLW_MODE_KERNEL)
        return "only kernel mode was sampled";
    if (r->parts[SLW_FRAME_OTHER].weight > r->weight / 20)
        return "the profile does not say which frames are the kernel's";
    if (!r->sampling && r->parts[SLW_FRAME_KERNEL].weight == 0)
        return "whether the kernel was sampled is not known";
    return NULL;
}

static void fill_split(struct slw_facts *f, const struct slw_report *r)
{
    uint64_t both;

    f->split_absent = sampled_split_absent(r);
    if (!f->split_absent) {
        f->split_sampled = true;
        f->user = r->parts[SLW_FRAME_USER].share;
        f->kernel = r->parts[SLW_FRAME_KERNEL].share;
        return;
    }
    if (f->user_ns.absent || f->system_ns.absent ||
        __builtin_add_overflow(f->user_ns.value, f->system_ns.value, &both) || both == 0)
        return;
    f->split_absent = NULL;
    f->user = slw_share_of(f->user_ns.value, both, 0);
    f->kernel = slw_share_of(f->system_ns.value, both, 0);
}

/* ---- what the stacks are made of ---- */

#define UNSYMBOLIZED (1u << SLW_FAMILY_COUNT) /* an extra bit next to the families' */
_Static_assert(SLW_FAMILY_COUNT < 31, "families are bits of an unsigned");

static const char *module_of(const struct slw_stacks *s, const struct slw_frame *f)
{
    if (f->mapping == SLW_NO_MAPPING)
        return "";
    const char *path = slw_stacks_mapping(s, f->mapping).path;
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static unsigned frame_bits(const struct slw_stacks *s, uint32_t id)
{
    struct slw_frame f = slw_stacks_frame(s, id);
    const char *module = module_of(s, &f);
    unsigned bits = f.function[0] ? 0 : UNSYMBOLIZED;

    for (unsigned i = 0; i < SLW_FAMILY_COUNT; i++)
        if (slw_family_has((enum slw_family)i, f.function, module))
            bits |= 1u << i;
    return bits;
}

static unsigned places(enum slw_family_place place)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < SLW_FAMILY_COUNT; i++)
        if (slw_family_place((enum slw_family)i) == place)
            bits |= 1u << i;
    return bits;
}

static unsigned stack_bits(const struct slw_stacks *s, const struct slw_stack *k,
                           const unsigned *of_frame)
{
    unsigned any = 0;

    if (k->depth == 0)
        return UNSYMBOLIZED;
    for (size_t i = 0; i < k->depth; i++)
        any |= of_frame[k->frames[i]];
    return (any & places(SLW_FAMILY_ANY)) | (of_frame[k->frames[slw_stack_function(s, k)]] &
                                             (places(SLW_FAMILY_LEAF) | UNSYMBOLIZED));
}

static int fill_families(struct slw_facts *f, const struct slw_report *r)
{
    size_t frames = slw_stacks_frame_count(r->stacks);
    unsigned *SLW_AUTO(free) of_frame = calloc(frames + 1, sizeof(*of_frame));
    uint64_t weight[SLW_FAMILY_COUNT + 1] = {0};

    if (!of_frame)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < frames; i++)
        of_frame[i] = frame_bits(r->stacks, (uint32_t)i);
    for (size_t i = 0; i < slw_stacks_count(r->stacks); i++) {
        struct slw_stack k = slw_stacks_get(r->stacks, i);
        unsigned bits = stack_bits(r->stacks, &k, of_frame);

        for (size_t b = 0; b <= SLW_FAMILY_COUNT; b++)
            if (bits & (1u << b))
                weight[b] += k.weights[r->main_column];
    }
    for (size_t i = 0; i < SLW_FAMILY_COUNT; i++)
        f->family[i] = slw_share_of(weight[i], r->weight, r->samples);
    f->unsymbolized = slw_share_of(weight[SLW_FAMILY_COUNT], r->weight, r->samples);
    return 0;
}

/* Entries of one call that call each other (__x64_sys_x, __se_sys_x, ksys_x) are not added: the
 * heaviest single entry stands for the call. */
static void fill_syscall(struct slw_facts *f, const struct slw_report *r)
{
    const struct slw_report_function *best = NULL;

    for (size_t i = 0; i < r->function_count; i++) {
        const struct slw_report_function *fn = &r->functions[i];

        if (fn->kind == SLW_FRAME_KERNEL && slw_family_syscall(fn->function) &&
            (!best || fn->total > best->total))
            best = fn;
    }
    if (!best)
        return;
    f->syscall = slw_family_syscall(best->function);
    f->syscall_share = best->total_share;
}

int slw_facts_fill(struct slw_report *r, struct slw_error *err)
{
    struct slw_facts *f = slw_arena_alloc(r->arena, sizeof(*f));

    assert(r->run);
    if (!f)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    r->facts = f;
    fill_times(f, r);
    fill_split(f, r);
    f->expected_samples = r->samples;
    if (__builtin_add_overflow(r->samples, r->run->losses.lost_samples, &f->expected_samples))
        f->expected_samples = UINT64_MAX;
    if (r->main_column < 0)
        return 0;
    fill_syscall(f, r);
    if (fill_families(f, r) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    return 0;
}
