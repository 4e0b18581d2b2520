/* SPDX-License-Identifier: MIT */
/* Addresses to frames. Every distinct (module, address) is named once; after that it costs one
 * search of the process's mappings and one probe of a hash table. */
#include "analyzer/samples_int.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#define EXACT      (UINT32_C(1) << 31)
#define FREE_SLOT  UINT32_MAX
#define NO_FRAME   UINT32_MAX
#define FIRST_SIZE 4096

static size_t slot_of(const struct slw_locations *l, uint64_t address, uint32_t module)
{
    /* Fibonacci hashing: the multiplier is 2^64 / golden ratio. */
    uint64_t h = (address ^ ((uint64_t)module << 40)) * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(h >> 20) & l->mask;

    while (l->slots[i].module != FREE_SLOT &&
           (l->slots[i].address != address || l->slots[i].module != module))
        i = (i + 1) & l->mask;
    return i;
}

static int grow(struct slw_locations *l)
{
    size_t size = l->mask ? 2 * (l->mask + 1) : FIRST_SIZE;
    struct slw_locations bigger = {.mask = size - 1, .count = l->count};

    bigger.slots = malloc(size * sizeof(*bigger.slots));
    if (!bigger.slots)
        return -SLW_E_NOMEM;
    memset(bigger.slots, 0xff, size * sizeof(*bigger.slots)); /* module: FREE_SLOT */
    for (size_t i = 0; l->mask && i <= l->mask; i++)
        if (l->slots[i].module != FREE_SLOT)
            bigger.slots[slot_of(&bigger, l->slots[i].address, l->slots[i].module)] = l->slots[i];
    free(l->slots);
    *l = bigger;
    return 0;
}

/* The location's slot, made when new. NULL: out of memory. Valid until the next call. */
static struct slw_location *locate(struct slw_locations *l, uint64_t address, uint32_t module)
{
    if ((l->count + 1) * 2 > l->mask && grow(l) < 0)
        return NULL;
    struct slw_location *slot = &l->slots[slot_of(l, address, module)];
    if (slot->module == FREE_SLOT) {
        *slot = (struct slw_location){.address = address, .module = module, .frame = NO_FRAME};
        l->count++;
    }
    return slot;
}

static int reserve_mappings(struct slw_samples *s)
{
    uint32_t capacity = s->modules.capacity;

    if (s->mapping_capacity >= s->modules.count)
        return 0;
    uint32_t *grown = realloc(s->mappings, capacity * sizeof(*grown));
    if (!grown)
        return -SLW_E_NOMEM;
    for (uint32_t i = s->mapping_capacity; i < capacity; i++)
        grown[i] = SLW_NO_MAPPING;
    s->mappings = grown;
    s->mapping_capacity = capacity;
    return 0;
}

static int mapping_of(struct slw_samples *s, uint32_t module, uint32_t *ret_mapping)
{
    const struct slw_module *m = &s->modules.modules[module];

    if (reserve_mappings(s) < 0)
        return -SLW_E_NOMEM;
    if (s->mappings[module] == SLW_NO_MAPPING) {
        /* Where it was mapped differs from process to process, and addresses are relative. */
        const struct slw_mapping mapping = {.path = m->path, .build_id = m->build_id};
        int rc = slw_stacks_add_mapping(s->stacks, &mapping, &s->mappings[module]);
        if (rc < 0)
            return rc;
    }
    *ret_mapping = s->mappings[module];
    return 0;
}

static enum slw_frame_kind frame_kind(unsigned mode)
{
    if (mode == PERF_RECORD_MISC_USER)
        return SLW_FRAME_USER;
    return mode == PERF_RECORD_MISC_KERNEL ? SLW_FRAME_KERNEL : SLW_FRAME_OTHER;
}

/* Make the frame of a location. `lookup` is the address to be named: one before a return address,
 * because a call may be the last instruction of its function. */
static int make_frame(struct slw_samples *s, const struct slw_location *l, uint32_t module,
                      unsigned mode, uint64_t lookup, uint32_t *ret_frame)
{
    struct slw_frame f = {
        .function = "", .linkage = "", .file = "", .address = l->address, .kind = frame_kind(mode)};
    int rc = mapping_of(s, module, &f.mapping);

    if (rc == 0 && s->opts->symbols)
        rc = slw_symbols_name(s->symbols, module, lookup, &f.function);
    if (rc == 0 && s->hot_hits > 0 && l->hits >= s->hot_hits)
        rc = slw_symbols_line(s->symbols, module, lookup, &f.file, &f.line);
    f.linkage = f.function;
    return rc < 0 ? rc : slw_stacks_add_frame(s->stacks, &f, ret_frame);
}

/* Which module covers the address, and the distance from address to file offset. */
static uint32_t find_module(struct slw_samples *s, const struct slw_task *task, unsigned mode,
                            uint64_t address, uint64_t *ret_delta)
{
    const struct slw_map *map = NULL;

    if (mode == PERF_RECORD_MISC_USER)
        map = slw_procstate_find(s->procs, task, address);
    else if (mode == PERF_RECORD_MISC_KERNEL)
        map = slw_procstate_find_kernel(s->procs, address);
    *ret_delta = 0;
    if (!map)
        return mode == PERF_RECORD_MISC_KERNEL ? s->kernel_module : s->unknown_module;
    if (!slw_module_is_absolute(s->modules.modules[map->module].kind))
        *ret_delta = map->offset - map->start;
    return map->module;
}

int slw_samples_frame(struct slw_samples *s, const struct slw_task *task, unsigned mode,
                      uint64_t ip, bool exact, bool leaf, uint32_t *ret_frame)
{
    uint64_t lookup = exact || ip == 0 ? ip : ip - 1, delta;
    uint32_t module = find_module(s, task, mode, lookup, &delta);
    struct slw_location *l = locate(&s->locations, ip + delta, module | (exact ? EXACT : 0));

    if (!l)
        return -SLW_E_NOMEM;
    if (s->count_only) {
        l->hits += leaf && l->hits < UINT32_MAX;
        *ret_frame = 0;
        return 0;
    }
    if (l->frame == NO_FRAME) {
        int rc = make_frame(s, l, module, mode, lookup + delta, &l->frame);
        if (rc < 0) {
            l->frame = NO_FRAME;
            return rc;
        }
    }
    *ret_frame = l->frame;
    return 0;
}

static int descending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x < y) - (x > y);
}

uint32_t slw_samples_hot_hits(const struct slw_samples *s, size_t wanted)
{
    const struct slw_locations *l = &s->locations;
    uint32_t *hits = malloc((l->count + 1) * sizeof(*hits));
    size_t count = 0;

    if (!hits)
        return 0;
    for (size_t i = 0; l->mask && i <= l->mask; i++)
        if (l->slots[i].module != FREE_SLOT && l->slots[i].hits > 0)
            hits[count++] = l->slots[i].hits;
    qsort(hits, count, sizeof(*hits), descending);
    /* More may tie with the last one: then none of its equals is taken. */
    uint32_t least = count == 0 ? 0 : count <= wanted ? hits[count - 1] : hits[wanted] + 1;
    free(hits);
    return least;
}

void slw_samples_forget_frames(struct slw_samples *s)
{
    for (size_t i = 0; s->locations.mask && i <= s->locations.mask; i++)
        s->locations.slots[i].frame = NO_FRAME;
}
