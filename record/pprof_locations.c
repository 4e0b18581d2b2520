/* SPDX-License-Identifier: MIT */
#include "record/pprof_write_int.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LOCATION_FIELD = 4, FUNCTION_FIELD = 5 }; /* numbers in profile.proto */

struct chain_key {
    const uint32_t *frames;
    uint32_t count;
};

static bool chain_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_pprof_writer *w = ctx;
    const struct chain_key *k = key;
    const struct slw_pprof_chain *c = &w->chains[position];

    return c->count == k->count &&
           memcmp(w->chain_frames + c->first, k->frames, k->count * sizeof(*k->frames)) == 0;
}

static int reserve(void **array, size_t *capacity, size_t need, size_t element_bytes)
{
    size_t bigger = *capacity ? *capacity : 256;

    if (*array && need <= *capacity)
        return 0;
    while (bigger < need)
        bigger *= 2;
    void *more = realloc(*array, bigger * element_bytes);
    if (!more)
        return -SLW_E_NOMEM;
    *array = more;
    *capacity = bigger;
    return 0;
}

static int new_chain(struct slw_pprof_writer *w, const struct chain_key *key, uint64_t hash)
{
    void *chains = w->chains, *frames = w->chain_frames;
    int rc = reserve(&chains, &w->chain_capacity, w->chain_count + 1, sizeof(*w->chains));

    w->chains = chains;
    if (rc == 0)
        rc = reserve(&frames, &w->chain_frame_capacity, w->chain_frame_count + key->count,
                     sizeof(*w->chain_frames));
    w->chain_frames = frames;
    if (rc == 0 && key->count > 1)
        rc = slw_index_add(&w->chain_index, hash, (uint32_t)w->chain_count);
    if (rc < 0)
        return rc;
    w->chains[w->chain_count++] = (struct slw_pprof_chain){w->chain_frame_count, key->count};
    memcpy(w->chain_frames + w->chain_frame_count, key->frames, key->count * sizeof(*key->frames));
    w->chain_frame_count += key->count;
    return 0;
}

static int find_location(struct slw_pprof_writer *w, const uint32_t *frames, uint32_t count,
                         uint64_t *ret_id)
{
    const struct chain_key key = {frames, count};
    uint64_t hash = 0;
    uint32_t position;

    if (count == 1 && w->location_of[frames[0]]) {
        *ret_id = w->location_of[frames[0]];
        return 0;
    }
    if (count > 1) {
        hash = slw_hash_bytes(frames, count * sizeof(*frames), 0);
        if (slw_index_find(&w->chain_index, hash, chain_equal, w, &key, &position)) {
            *ret_id = (uint64_t)position + 1;
            return 0;
        }
    }
    int rc = new_chain(w, &key, hash);
    if (rc < 0)
        return rc;
    *ret_id = w->chain_count;
    if (count == 1)
        w->location_of[frames[0]] = w->chain_count;
    return 0;
}

/* pprof has one location for one address, so only frames at the same address may share it. */
static bool same_place(const struct slw_stacks *s, uint32_t a, uint32_t b)
{
    const struct slw_frame x = slw_stacks_frame(s, a), y = slw_stacks_frame(s, b);

    return x.mapping == y.mapping && x.address == y.address && x.kind == y.kind;
}

int slw_pprof_stack_locations(struct slw_pprof_writer *w, const struct slw_stack *stack,
                              uint64_t *ret_ids, size_t *ret_count)
{
    size_t count = 0;

    for (size_t i = 0; i < stack->depth;) {
        const uint32_t *f = stack->frames + i;
        uint32_t n = 1;

        while (w->inlined[f[n - 1]] && i + n < stack->depth && same_place(w->s, f[n - 1], f[n]))
            n++;
        int rc = find_location(w, f, n, &ret_ids[count++]);
        if (rc < 0)
            return rc;
        i += n;
    }
    *ret_count = count;
    return 0;
}

static bool function_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_pprof_writer *w = ctx;

    return memcmp(&w->functions[position], key, sizeof(w->functions[0])) == 0;
}

static int function_id(struct slw_pprof_writer *w, const struct slw_frame *f, uint64_t *ret_id)
{
    int64_t name, system_name, file;
    uint32_t position;
    int rc = slw_pprof_string(w, f->function, &name);

    if (rc == 0)
        rc = slw_pprof_string(w, f->linkage[0] ? f->linkage : f->function, &system_name);
    if (rc == 0)
        rc = slw_pprof_string(w, f->file, &file);
    if (rc < 0)
        return rc;
    const struct slw_pprof_function row = {(uint32_t)name, (uint32_t)system_name, (uint32_t)file};
    uint64_t hash = slw_hash_bytes(&row, sizeof(row), 0);
    if (!slw_index_find(&w->function_index, hash, function_equal, w, &row, &position)) {
        position =
            w->function_count; /* never more than frames, which is how many there is room for */
        rc = slw_index_add(&w->function_index, hash, position);
        if (rc < 0)
            return rc;
        w->functions[w->function_count++] = row;
    }
    *ret_id = (uint64_t)position + 1;
    return 0;
}

/* Add a location to the header's list of exceptions `which`: [first, count] pairs. */
static int note_exception(struct slw_pprof_writer *w, enum slw_pprof_exception which,
                          uint64_t location)
{
    if (!w->exceptions[which])
        w->exceptions[which] = json_array();
    json_t *list = w->exceptions[which];
    size_t size = json_array_size(list);
    json_t *last = size ? json_array_get(list, size - 1) : NULL;
    json_int_t first = last ? json_integer_value(json_array_get(last, 0)) : 0;
    json_int_t count = last ? json_integer_value(json_array_get(last, 1)) : 0;
    int rc;

    if (last && (uint64_t)(first + count) == location)
        rc = json_array_set_new(last, 1, json_integer(count + 1));
    else
        rc = json_array_append_new(list, json_pack("[I,i]", (json_int_t)location, 1));
    return rc < 0 ? -SLW_E_NOMEM : 0;
}

static int note_exceptions(struct slw_pprof_writer *w, uint64_t id,
                           const struct slw_frame *outermost)
{
    const char *module = outermost->mapping == SLW_NO_MAPPING
                             ? NULL
                             : slw_stacks_mapping(w->s, outermost->mapping).path;
    int rc = 0;

    if (outermost->kind != slw_pprof_kind(module, outermost->address))
        rc = note_exception(w, (enum slw_pprof_exception)outermost->kind, id);
    if (rc == 0 && outermost->inlined)
        rc = note_exception(w, SLW_PPROF_DANGLING, id);
    return rc;
}

static bool is_unresolved(const struct slw_frame *f)
{
    return !f->function[0] && !f->linkage[0] && !f->file[0] && f->line == 0;
}

static int emit_location(struct slw_pprof_writer *w, uint64_t id, Perftools__Profiles__Line *lines,
                         Perftools__Profiles__Line **pointers)
{
    const struct slw_pprof_chain c = w->chains[id - 1];
    Perftools__Profiles__Location m = PERFTOOLS__PROFILES__LOCATION__INIT;
    struct slw_frame f = {0};

    for (uint32_t i = 0; i < c.count; i++) {
        f = slw_stacks_frame(w->s, w->chain_frames[c.first + i]);
        perftools__profiles__line__init(&lines[i]);
        lines[i].line = f.line;
        pointers[i] = &lines[i];
        if (c.count == 1 && is_unresolved(&f))
            break;
        int rc = function_id(w, &f, &lines[i].function_id);
        if (rc < 0)
            return rc;
        m.n_line++;
    }
    m.id = id;
    m.mapping_id = f.mapping == SLW_NO_MAPPING ? 0 : (uint64_t)f.mapping + 1;
    m.address = f.address;
    m.line = pointers;
    w->fingerprint = slw_pprof_fingerprint(w->fingerprint, &m);
    int rc = note_exceptions(w, id, &f);
    return rc < 0 ? rc : slw_pprof_emit(w, LOCATION_FIELD, &m.base);
}

static int emit_functions(struct slw_pprof_writer *w)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < w->function_count; i++) {
        Perftools__Profiles__Function m = PERFTOOLS__PROFILES__FUNCTION__INIT;

        m.id = (uint64_t)i + 1;
        m.name = w->functions[i].name;
        m.system_name = w->functions[i].system_name;
        m.filename = w->functions[i].file;
        rc = slw_pprof_emit(w, FUNCTION_FIELD, &m.base);
    }
    return rc;
}

int slw_pprof_emit_locations(struct slw_pprof_writer *w)
{
    Perftools__Profiles__Line *lines =
        slw_arena_array(w->arena, SLW_MAX_STACK_DEPTH, sizeof(*lines));
    Perftools__Profiles__Line **pointers =
        slw_arena_array(w->arena, SLW_MAX_STACK_DEPTH, sizeof(*pointers));
    int rc = lines && pointers ? 0 : -SLW_E_NOMEM;

    for (uint64_t id = 1; rc == 0 && id <= w->chain_count; id++)
        rc = emit_location(w, id, lines, pointers);
    return rc == 0 ? emit_functions(w) : rc;
}

int slw_pprof_locations_init(struct slw_pprof_writer *w)
{
    size_t frames = slw_stacks_frame_count(w->s);

    w->inlined = slw_arena_array(w->arena, frames, sizeof(*w->inlined));
    w->location_of = slw_arena_array(w->arena, frames, sizeof(*w->location_of));
    w->functions = slw_arena_array(w->arena, frames, sizeof(*w->functions));
    if (!w->inlined || !w->location_of || !w->functions)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < frames; i++)
        w->inlined[i] = slw_stacks_frame(w->s, (uint32_t)i).inlined;
    return 0;
}

void slw_pprof_locations_release(struct slw_pprof_writer *w)
{
    slw_index_release(&w->chain_index);
    slw_index_release(&w->function_index);
    for (size_t i = 0; i < SLW_PPROF_EXCEPTION_COUNT; i++)
        json_decref(w->exceptions[i]);
    free(w->chains);
    free(w->chain_frames);
}
