/* SPDX-License-Identifier: MIT */
/* Addresses to locations while reading, locations to frames when all is read: every distinct
 * (module, address) is named once, and by then it is known which are worth a source line. */
#include "analyzer/samples_int.h"

#include <stdlib.h>
#include <string.h>

/* Locations whose source line is looked up: what a report can show many times over. */
#define MAX_LINES 2000

static bool location_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_location *a = &((const struct slw_locations *)ctx)->locations[position];
    const struct slw_location *b = key;

    return a->address == b->address && a->module == b->module && a->turn == b->turn;
}

static int reserve_location(struct slw_locations *l)
{
    uint32_t capacity = l->capacity ? l->capacity * 2 : 1024;

    if (l->count < l->capacity)
        return 0;
    if (l->capacity > UINT32_MAX / 4)
        return -SLW_E_LIMIT;
    struct slw_location *grown = realloc(l->locations, capacity * sizeof(*grown));
    if (!grown)
        return -SLW_E_NOMEM;
    l->locations = grown;
    l->capacity = capacity;
    return 0;
}

static int intern(struct slw_locations *l, const struct slw_location *location,
                  uint32_t *ret_location)
{
    const uint64_t key[] = {location->address, location->module | (uint64_t)location->turn << 32};
    uint64_t hash = slw_hash_key(key, sizeof(key), 0);

    if (slw_index_find(&l->index, hash, location_equal, l, location, ret_location))
        return 0;
    int rc = reserve_location(l);
    if (rc == 0)
        rc = slw_index_add(&l->index, hash, l->count);
    if (rc < 0)
        return rc;
    l->locations[l->count] = *location;
    *ret_location = l->count++;
    return 0;
}

/* Which module covers the address, and the distance from address to file offset. */
static uint32_t find_module(struct slw_samples *s, const struct slw_task *task, bool kernel,
                            uint64_t address, uint64_t *ret_delta)
{
    const struct slw_map *map = NULL;

    if (kernel)
        map = slw_procstate_find_kernel(s->procs, address);
    else
        map = slw_procstate_find(s->procs, task, address);
    *ret_delta = 0;
    if (!map)
        return kernel ? s->kernel_module : s->unknown_module;
    if (!slw_module_is_absolute(s->modules.modules[map->module].kind))
        *ret_delta = map->offset - map->start;
    return map->module;
}

/* Once of each module; where memory is short, it is built when it is needed. */
static void expect(struct slw_samples *s, uint32_t module)
{
    if (module >= s->expected_capacity) {
        uint32_t capacity = s->modules.capacity;
        bool *grown = realloc(s->expected, capacity * sizeof(*grown));
        if (!grown)
            return;
        memset(grown + s->expected_capacity, 0, capacity - s->expected_capacity);
        s->expected = grown;
        s->expected_capacity = capacity;
    }
    if (s->expected[module] || !s->opts->symbols)
        return;
    s->expected[module] = true;
    slw_symbols_expect(s->symbols, module);
}

/* What it is named after does not change with time. */
static bool is_file(const struct slw_samples *s, uint32_t module)
{
    return !slw_module_is_absolute(s->modules.modules[module].kind);
}

/* A return address is looked up one before: a call may be the last instruction of its function. */
int slw_samples_locate(void *samples, const struct slw_chain_step *step, uint32_t *ret_location)
{
    struct slw_samples *s = samples;
    bool exact = (step->kind & SLW_STEP_EXACT) || step->address == 0;
    uint64_t lookup = exact ? step->address : step->address - 1, delta;
    uint32_t module = find_module(s, s->task, step->kind & SLW_STEP_KERNEL, lookup, &delta);
    const struct slw_location location = {.address = step->address + delta,
                                          .module = module | (exact ? SLW_LOCATION_EXACT : 0),
                                          .turn =
                                              is_file(s, module) ? 0 : step->kind >> SLW_STEP_BITS};

    expect(s, module);
    return intern(&s->locations, &location, ret_location);
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

int slw_samples_mapping(struct slw_samples *s, uint32_t location, uint32_t *ret_mapping)
{
    uint32_t module = slw_samples_module(&s->locations.locations[location]);
    const struct slw_module *m = &s->modules.modules[module];

    if (reserve_mappings(s) < 0)
        return -SLW_E_NOMEM;
    if (s->mappings[module] == SLW_NO_MAPPING) {
        /* Where it was mapped differs from process to process, and addresses are relative. */
        const struct slw_mapping mapping = {
            .path = m->path,
            .build_id = s->opts->symbols ? slw_symbols_build_id(s->symbols, module) : m->build_id};
        int rc = !mapping.build_id
                     ? -SLW_E_NOMEM
                     : slw_stacks_add_mapping(s->stacks, &mapping, &s->mappings[module]);
        if (rc < 0)
            return rc;
    }
    *ret_mapping = s->mappings[module];
    return 0;
}

enum slw_frame_kind slw_samples_kind(const struct slw_samples *s, uint32_t location)
{
    uint32_t module = slw_samples_module(&s->locations.locations[location]);
    enum slw_module_kind kind = s->modules.modules[module].kind;

    return kind == SLW_MODULE_KERNEL || kind == SLW_MODULE_KERNEL_MODULE ? SLW_FRAME_KERNEL
                                                                         : SLW_FRAME_USER;
}

static uint64_t lookup_address(const struct slw_location *l)
{
    return l->module & SLW_LOCATION_EXACT ? l->address : l->address - 1;
}

int slw_samples_name(struct slw_samples *s, uint32_t location, const char **ret_name)
{
    const struct slw_location *l = &s->locations.locations[location];

    *ret_name = "";
    if (!s->opts->symbols)
        return 0;
    if (l->turn) {
        *ret_name = slw_symbols_turn_name(s->symbols, l->turn);
        return 0;
    }
    return slw_symbols_name(s->symbols, slw_samples_module(l), lookup_address(l), ret_name);
}

static int descending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x < y) - (x > y);
}

/* Locations with at least so many hits get a line; 0: none does. */
static int line_hits(const struct slw_samples *s, uint32_t *ret_hits)
{
    const struct slw_locations *l = &s->locations;
    size_t count = 0;

    *ret_hits = 0;
    if (!s->opts->lines || !s->opts->symbols)
        return 0;
    uint32_t *hits = malloc(((size_t)l->count + 1) * sizeof(*hits));
    if (!hits)
        return -SLW_E_NOMEM;
    for (uint32_t i = 0; i < l->count; i++)
        if (l->locations[i].hits > 0)
            hits[count++] = l->locations[i].hits;
    qsort(hits, count, sizeof(*hits), descending);
    /* More may tie with the last one: then none of its equals is taken. */
    if (count > 0)
        *ret_hits = count <= MAX_LINES ? hits[count - 1] : hits[MAX_LINES] + 1;
    free(hits);
    return 0;
}

/* The kernel's symbols are still being read, perhaps: its locations come last. */
static int name_all(struct slw_samples *s, const char **names)
{
    static const enum slw_frame_kind turns[] = {SLW_FRAME_USER, SLW_FRAME_KERNEL};
    int rc = 0;

    for (size_t t = 0; t < 2; t++)
        for (uint32_t i = 0; rc == 0 && i < s->locations.count; i++)
            if (slw_samples_kind(s, i) == turns[t])
                rc = slw_samples_name(s, i, &names[i]);
    return rc;
}

/* Samples that came by each location, be it on their way to others: what is inlined into a caller
 * matters as much as what is inlined into the leaf. */
static int count_passers(struct slw_samples *s)
{
    const uint32_t chains = slw_chains_count(s->chains);
    uint64_t *passers = calloc((size_t)chains + 1, sizeof(*passers));
    uint32_t chain;

    if (!passers)
        return -SLW_E_NOMEM;
    for (uint32_t i = 0; i < slw_chains_row_count(s->chains); i++) {
        const uint64_t *weights = slw_chains_row(s->chains, i, &chain);
        for (size_t c = 0; c < slw_stacks_column_count(s->stacks); c += 2)
            passers[chain] += weights[c] < UINT32_MAX ? weights[c] : UINT32_MAX;
    }
    for (uint32_t i = 0; i < s->locations.count; i++)
        s->locations.locations[i].hits = 0;
    for (uint32_t i = chains; i-- > 0;) {
        const struct slw_chain *c = slw_chains_get(s->chains, i);
        if (c->caller != SLW_NO_CHAIN)
            passers[c->caller] += passers[i];
        if (c->location == SLW_NO_LOCATION)
            continue;
        uint32_t *hits = &s->locations.locations[c->location].hits;
        *hits = passers[i] < UINT32_MAX - *hits ? *hits + (uint32_t)passers[i] : UINT32_MAX;
    }
    free(passers);
    return 0;
}

static void count_leaves(struct slw_samples *s)
{
    uint32_t chain;

    for (uint32_t i = 0; i < slw_chains_row_count(s->chains); i++) {
        (void)slw_chains_row(s->chains, i, &chain);
        const uint32_t location = slw_chains_get(s->chains, chain)->location;
        if (location == SLW_NO_LOCATION)
            continue;
        uint32_t *hits = &s->locations.locations[location].hits;
        const uint64_t more = slw_chains_hits(s->chains, i);
        *hits = more < UINT32_MAX - *hits ? *hits + (uint32_t)more : UINT32_MAX;
    }
}

static int add_frame(struct slw_samples *s, struct slw_frame *f, const char *linkage,
                     const struct slw_symbols_place *place, uint32_t *ret_frame)
{
    int rc = slw_symbols_shown(s->symbols, linkage, &f->function);

    f->linkage = linkage;
    f->file = place->file;
    f->line = place->line;
    return rc < 0 ? rc : slw_stacks_add_frame(s->stacks, f, ret_frame);
}

static int add_inner(struct slw_samples_frames *to, uint32_t frame)
{
    if (to->inner_count == to->inner_capacity) {
        uint32_t capacity = to->inner_capacity ? to->inner_capacity * 2 : 1024;
        uint32_t *grown = realloc(to->inner, capacity * sizeof(*grown));
        if (!grown)
            return -SLW_E_NOMEM;
        to->inner = grown;
        to->inner_capacity = capacity;
    }
    to->inner[to->inner_count++] = frame;
    return 0;
}

static int make_frame(struct slw_samples *s, uint32_t location, const char *name, bool lines,
                      struct slw_samples_frames *to)
{
    const struct slw_location *l = &s->locations.locations[location];
    struct slw_symbols_place places[SLW_MAX_PLACES] = {{"", "", 0}};
    struct slw_frame f = {.address = l->address, .kind = slw_samples_kind(s, location)};
    size_t count = 1;
    uint32_t frame;
    int rc = slw_samples_mapping(s, location, &f.mapping);

    if (rc == 0 && lines)
        rc = slw_symbols_places(s->symbols, slw_samples_module(l), lookup_address(l), places,
                                &count);
    if (rc == 0)
        rc = add_frame(s, &f, name, &places[count - 1], &to->outer[location]);
    f.inlined = true;
    while (rc == 0 && --count > 0) {
        rc = add_frame(s, &f, places[count - 1].name, &places[count - 1], &frame);
        if (rc == 0)
            rc = add_inner(to, frame);
    }
    return rc;
}

static int make_frames(struct slw_samples *s, const char **names, struct slw_samples_frames *to)
{
    const struct slw_locations *l = &s->locations;
    uint32_t least = 0;
    const bool fetch = s->opts->remote && s->opts->symbols;
    int rc = 0;

    if (s->opts->lines || fetch)
        rc = count_passers(s);
    else
        count_leaves(s);
    if (rc == 0 && fetch)
        rc = slw_samples_fetch(s);
    if (rc == 0)
        rc = line_hits(s, &least);
    if (rc == 0)
        rc = name_all(s, names);
    if (rc == 0 && s->opts->symbols)
        slw_samples_count_nameless(s, names);
    for (uint32_t i = 0; rc == 0 && i < l->count; i++) {
        if (to->inner_begin)
            to->inner_begin[i] = to->inner_count;
        rc = make_frame(s, i, names[i], least > 0 && l->locations[i].hits >= least, to);
    }
    if (to->inner_begin)
        to->inner_begin[l->count] = to->inner_count;
    return rc;
}

int slw_samples_frames(struct slw_samples *s, struct slw_samples_frames *ret_frames)
{
    const size_t count = (size_t)s->locations.count + 1; /* calloc(0) may be NULL */
    const char **names = calloc(count, sizeof(*names));
    struct slw_samples_frames f = {.outer = malloc(count * sizeof(*f.outer))};
    bool lines = s->opts->lines && s->opts->symbols;

    if (lines)
        f.inner_begin = malloc(count * sizeof(*f.inner_begin));
    int rc =
        names && f.outer && (f.inner_begin || !lines) ? make_frames(s, names, &f) : -SLW_E_NOMEM;
    free(names);
    if (rc == 0)
        *ret_frames = f;
    else
        slw_samples_frames_release(&f);
    return rc;
}

void slw_samples_frames_release(struct slw_samples_frames *f)
{
    free(f->outer);
    free(f->inner);
    free(f->inner_begin);
}
