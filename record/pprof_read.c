/* SPDX-License-Identifier: MIT */
/* A pprof profile of any writer as stacks. Nothing in the file is trusted: ids need not be dense,
 * indexes need not be inside, and the compressed data may be a bomb. */
#include "base/arena.h"
#include "record/gzip_int.h"
#include "record/pprof_read_int.h"
#include "record/run_dir.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* 3 million distinct stacks of 30 frames are about this large; compressed they are a tenth. */
#define MAX_MESSAGE_BYTES ((size_t)256 << 20)

/* A failure inside slw_stacks_x, which gives a code only. */
static int stacks_failed(struct slw_pprof_reader *r, int rc)
{
    return slw_fail(r->err, (enum slw_code) - rc, "stack profile: %s",
                    slw_code_text((enum slw_code) - rc));
}

/* ---- ids ---- */

static bool id_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_pprof_ids *map = ctx;

    return memcmp(&map->ids[position], key, sizeof(uint64_t)) == 0;
}

static uint64_t id_hash(uint64_t id)
{
    return slw_hash_bytes(&id, sizeof(id), 0);
}

static bool id_find(const struct slw_pprof_ids *map, uint64_t id, uint32_t *ret_position)
{
    /* Most writers number from 1 in the order of the file. */
    if (id > 0 && id <= map->count && map->ids[id - 1] == id) {
        *ret_position = (uint32_t)(id - 1);
        return true;
    }
    return slw_index_find(&map->index, id_hash(id), id_equal, map, &id, ret_position);
}

static int id_map_init(struct slw_pprof_reader *r, struct slw_pprof_ids *map, size_t count)
{
    if (count > UINT32_MAX / 4)
        return slw_fail(r->err, SLW_E_LIMIT, "too many messages in a stack profile");
    map->ids = slw_arena_array(r->arena, count, sizeof(*map->ids));
    return map->ids ? 0 : slw_pprof_no_memory(r);
}

static int id_add(struct slw_pprof_reader *r, struct slw_pprof_ids *map, const char *what,
                  uint64_t id)
{
    uint32_t position;

    if (id == 0)
        return slw_pprof_bad(r, "%s %" PRIu32 ": has no id", what, map->count);
    if (id_find(map, id, &position))
        return slw_pprof_bad(r, "%s %" PRIu32 ": id %" PRIu64 " is also that of %s %" PRIu32, what,
                             map->count, id, what, position);
    map->ids[map->count] = id;
    if (slw_index_add(&map->index, id_hash(id), map->count) < 0)
        return slw_pprof_no_memory(r);
    map->count++;
    return 0;
}

/* ---- mappings, functions, locations ---- */

static int read_mappings(struct slw_pprof_reader *r)
{
    int rc = id_map_init(r, &r->mappings, r->p->n_mapping);

    r->mapping_ids = slw_arena_array(r->arena, r->p->n_mapping, sizeof(*r->mapping_ids));
    if (rc == 0 && !r->mapping_ids)
        return slw_pprof_no_memory(r);
    for (size_t i = 0; rc == 0 && i < r->p->n_mapping; i++) {
        const Perftools__Profiles__Mapping *from = r->p->mapping[i];
        struct slw_mapping m = {
            .start = from->memory_start, .limit = from->memory_limit, .offset = from->file_offset};

        rc = id_add(r, &r->mappings, "mapping", from->id);
        if (rc == 0)
            rc = slw_pprof_get_string(r, from->filename, "mapping", i, &m.path);
        if (rc == 0)
            rc = slw_pprof_get_string(r, from->build_id, "mapping", i, &m.build_id);
        if (rc < 0)
            return rc;
        rc = slw_stacks_add_mapping(r->s, &m, &r->mapping_ids[i]);
        if (rc < 0)
            return stacks_failed(r, rc);
    }
    return rc;
}

static int read_functions(struct slw_pprof_reader *r)
{
    int rc = id_map_init(r, &r->functions, r->p->n_function);

    for (size_t i = 0; rc == 0 && i < r->p->n_function; i++)
        rc = id_add(r, &r->functions, "function", r->p->function[i]->id);
    return rc;
}

/* Fill in what the function of a line says. Function 0 is an unknown one. */
static int read_line(struct slw_pprof_reader *r, size_t location,
                     const Perftools__Profiles__Line *line, struct slw_frame *f)
{
    uint32_t position;

    f->line = line->line > 0 && line->line <= UINT32_MAX ? (uint32_t)line->line : 0;
    f->function = f->linkage = f->file = "";
    if (line->function_id == 0)
        return 0;
    if (!id_find(&r->functions, line->function_id, &position))
        return slw_pprof_bad(r, "location %zu: there is no function %" PRIu64, location,
                             line->function_id);
    const Perftools__Profiles__Function *from = r->p->function[position];
    int rc = slw_pprof_get_string(r, from->name, "function", position, &f->function);
    if (rc == 0)
        rc = slw_pprof_get_string(r, from->system_name, "function", position, &f->linkage);
    if (rc == 0)
        rc = slw_pprof_get_string(r, from->filename, "function", position, &f->file);
    if (rc < 0)
        return rc;
    if (!r->ours && !f->function[0])
        f->function = f->linkage; /* other writers may have only the linker's name */
    if (strcmp(f->function, f->linkage) == 0)
        f->linkage = "";
    return 0;
}

static enum slw_frame_kind location_kind(const struct slw_pprof_reader *r, size_t location,
                                         const struct slw_frame *f)
{
    const char *module =
        f->mapping == SLW_NO_MAPPING ? NULL : slw_stacks_mapping(r->s, f->mapping).path;

    for (unsigned kind = 0; r->exceptions && kind <= SLW_FRAME_OTHER; kind++)
        if (r->exceptions[location] & 1U << kind)
            return (enum slw_frame_kind)kind;
    return slw_pprof_kind(module, f->address);
}

/* The frame all lines of a location have in common. */
static int location_frame(struct slw_pprof_reader *r, size_t i, struct slw_frame *ret_frame)
{
    const Perftools__Profiles__Location *l = r->p->location[i];
    struct slw_frame f = {.function = "",
                          .linkage = "",
                          .file = "",
                          .mapping = SLW_NO_MAPPING,
                          .address = l->address};
    uint32_t position;

    if (l->mapping_id != 0 && !id_find(&r->mappings, l->mapping_id, &position))
        return slw_pprof_bad(r, "location %zu: there is no mapping %" PRIu64, i, l->mapping_id);
    if (l->mapping_id != 0)
        f.mapping = r->mapping_ids[position];
    f.kind = location_kind(r, i, &f);
    *ret_frame = f;
    return 0;
}

static int read_location(struct slw_pprof_reader *r, size_t i, uint32_t *next)
{
    const Perftools__Profiles__Location *l = r->p->location[i];
    bool dangling = r->exceptions && r->exceptions[i] & 1U << SLW_PPROF_DANGLING;
    struct slw_frame f;
    int rc = location_frame(r, i, &f);

    r->spans[i].first = *next;
    r->spans[i].count = l->n_line ? (uint32_t)l->n_line : 1;
    for (size_t line = 0; rc == 0 && line < r->spans[i].count; line++) {
        f.inlined = dangling || line + 1 < l->n_line;
        if (l->n_line)
            rc = read_line(r, i, l->line[line], &f);
        if (rc < 0)
            return rc;
        rc = slw_stacks_add_frame(r->s, &f, &r->frame_ids[(*next)++]);
        if (rc < 0)
            return stacks_failed(r, rc);
    }
    return rc;
}

static int read_locations(struct slw_pprof_reader *r)
{
    size_t frames = 0;
    uint32_t next = 0;
    int rc = id_map_init(r, &r->locations, r->p->n_location);

    for (size_t i = 0; i < r->p->n_location; i++)
        frames += r->p->location[i]->n_line ? r->p->location[i]->n_line : 1;
    if (rc == 0 && frames > UINT32_MAX / 4)
        return slw_fail(r->err, SLW_E_LIMIT, "too many lines in a stack profile");
    r->spans = slw_arena_array(r->arena, r->p->n_location, sizeof(*r->spans));
    r->frame_ids = slw_arena_array(r->arena, frames, sizeof(*r->frame_ids));
    if (rc == 0 && (!r->spans || !r->frame_ids))
        return slw_pprof_no_memory(r);
    for (size_t i = 0; rc == 0 && i < r->p->n_location; i++) {
        rc = id_add(r, &r->locations, "location", r->p->location[i]->id);
        if (rc == 0)
            rc = read_location(r, i, &next);
    }
    return rc;
}

/* ---- samples ---- */

static int32_t label_number(const Perftools__Profiles__Label *l)
{
    return l->str == 0 && l->num >= 0 && l->num <= INT32_MAX ? (int32_t)l->num : -1;
}

/* Labels pid, tid and comm; others describe what slotwise has no place for. */
static int read_thread(struct slw_pprof_reader *r, size_t sample, uint32_t *ret_thread)
{
    const Perftools__Profiles__Sample *from = r->p->sample[sample];
    struct slw_thread t = {.comm = "", .pid = -1, .tid = -1};
    const char *key;

    for (size_t i = 0; i < from->n_label; i++) {
        const Perftools__Profiles__Label *l = from->label[i];
        int rc = slw_pprof_get_string(r, l->key, "label of sample", sample, &key);

        if (rc == 0 && strcmp(key, "pid") == 0)
            t.pid = label_number(l);
        else if (rc == 0 && strcmp(key, "tid") == 0)
            t.tid = label_number(l);
        else if (rc == 0 && strcmp(key, "comm") == 0)
            rc = slw_pprof_get_string(r, l->str, "label of sample", sample, &t.comm);
        if (rc < 0)
            return rc;
    }
    *ret_thread = SLW_NO_THREAD;
    if (t.pid == -1 && t.tid == -1 && !t.comm[0])
        return 0;
    int rc = slw_stacks_add_thread(r->s, &t, ret_thread);
    return rc < 0 ? stacks_failed(r, rc) : 0;
}

int slw_pprof_put_location(struct slw_pprof_reader *r, size_t sample, uint64_t id, uint32_t *frames,
                           size_t *depth)
{
    uint32_t position;

    if (!id_find(&r->locations, id, &position))
        return slw_pprof_bad(r, "sample %zu: there is no location %" PRIu64, sample, id);
    const struct slw_pprof_span span = r->spans[position];
    for (uint32_t k = 0; k < span.count && *depth < SLW_MAX_STACK_DEPTH; k++)
        frames[(*depth)++] = r->frame_ids[span.first + k];
    return 0;
}

/* The stack of a sample, cut at the root end as slw_stacks_add would. */
static int read_stack(struct slw_pprof_reader *r, size_t sample, uint32_t *frames,
                      size_t *ret_depth)
{
    const Perftools__Profiles__Sample *from = r->p->sample[sample];
    size_t depth = 0;
    int rc = 0;

    assert(frames);
    for (size_t i = 0; rc == 0 && i < from->n_location_id; i++)
        rc = slw_pprof_put_location(r, sample, from->location_id[i], frames, &depth);
    *ret_depth = depth;
    return rc;
}

static int read_values(struct slw_pprof_reader *r, size_t sample, uint64_t *weights)
{
    const Perftools__Profiles__Sample *from = r->p->sample[sample];

    assert(weights);
    if (from->n_value != r->p->n_sample_type)
        return slw_pprof_bad(r, "sample %zu: has %zu values for %zu sample types", sample,
                             from->n_value, r->p->n_sample_type);
    for (size_t i = 0; i < from->n_value; i++) {
        if (from->value[i] < 0)
            return slw_fail(r->err, SLW_E_RANGE,
                            "sample %zu: value %zu is negative: a differential profile holds no "
                            "weights",
                            sample, i);
        weights[i] = (uint64_t)from->value[i];
    }
    return 0;
}

static int read_samples(struct slw_pprof_reader *r)
{
    uint32_t *frames = slw_arena_array(r->arena, SLW_MAX_STACK_DEPTH, sizeof(*frames));
    uint64_t *weights = slw_arena_array(r->arena, SLW_MAX_COLUMNS, sizeof(*weights));
    int rc = frames && weights ? 0 : slw_pprof_no_memory(r);

    for (size_t i = 0; rc == 0 && i < r->p->n_sample; i++) {
        size_t depth = 0;
        uint32_t thread = SLW_NO_THREAD;

        rc = read_values(r, i, weights);
        if (rc == 0)
            rc = read_stack(r, i, frames, &depth);
        if (rc == 0)
            rc = read_thread(r, i, &thread);
        if (rc < 0)
            return rc;
        rc = slw_stacks_add(r->s, frames, depth, thread, weights);
        if (rc < 0)
            return stacks_failed(r, rc);
    }
    return rc;
}

/* ---- all of it ---- */

int slw_pprof_read_tables(struct slw_pprof_reader *r, const void *bytes, size_t length)
{
    r->arena = slw_arena_new();
    int rc = r->arena ? slw_pprof_unpack(r, bytes, length) : slw_pprof_no_memory(r);

    if (rc == 0 && r->p->n_string_table > 0 && r->p->string_table[0][0])
        rc = slw_pprof_bad(r, "string 0 of a pprof profile must be empty");
    if (rc == 0)
        rc = slw_pprof_read_header(r);
    if (rc == 0)
        rc = slw_pprof_read_columns(r);
    if (rc == 0 && r->header)
        rc = slw_pprof_read_exceptions(r);
    if (rc == 0)
        rc = read_mappings(r);
    if (rc == 0)
        rc = read_functions(r);
    return rc < 0 ? rc : read_locations(r);
}

void slw_pprof_reader_release(struct slw_pprof_reader *r)
{
    json_decref(r->header);
    slw_index_release(&r->mappings.index);
    slw_index_release(&r->functions.index);
    slw_index_release(&r->locations.index);
    slw_arena_free(r->arena);
}

static int read_message(const void *bytes, size_t length, struct slw_stacks **ret_stacks,
                        struct slw_error *err)
{
    struct slw_pprof_reader r = {.err = err};
    int rc = slw_pprof_read_tables(&r, bytes, length);

    if (rc == 0)
        rc = read_samples(&r);
    slw_pprof_reader_release(&r);
    if (rc < 0) {
        slw_stacks_free(r.s);
        return rc;
    }
    *ret_stacks = r.s;
    return 0;
}

int slw_stacks_from_pprof(const void *bytes, size_t length, struct slw_stacks **ret_stacks,
                          struct slw_error *err)
{
    struct slw_buf plain = {0};
    int rc;

    if (!slw_gzip_recognise(bytes, length))
        return read_message(bytes, length, ret_stacks, err);
    rc = slw_gunzip(bytes, length, MAX_MESSAGE_BYTES, &plain, err);
    if (rc == 0)
        rc = read_message(plain.data, plain.length, ret_stacks, err);
    slw_buf_release(&plain);
    return rc;
}
