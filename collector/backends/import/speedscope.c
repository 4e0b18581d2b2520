/* SPDX-License-Identifier: MIT */
/* speedscope's own JSON: profiles of samples, or of events that open and close frames. Source: the
 * file format schema that speedscope publishes.
 *
 * Our own files have a profile for each column. In files of other tools a profile is a thread: its
 * name becomes that, and profiles of one unit are one column. A profile of events weighs a stack by
 * the time it stood open. */
#include "collector/import_json.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct slw_stack_import in;
    bool ours;
    uint32_t *frames; /* of shared.frames: ours */
    size_t frame_count;
    uint32_t stack[SLW_MAX_STACK_DEPTH]; /* root first while events are read */
};

/* One profile of the file. */
struct profile {
    size_t index;
    const json_t *json;
    uint32_t column, thread;
    double scale;
};

static int stop(struct reader *r, enum slw_code code, const struct profile *p, const char *what,
                size_t at, const char *why)
{
    slw_error_at(&r->in.stop, "%s, profile %zu, %s %zu", r->in.path, p->index, what, at);
    return slw_fail(&r->in.stop, code, "%s", why);
}

static int no_memory(struct reader *r)
{
    return slw_stack_import_stop(&r->in, SLW_E_NOMEM, 0, "no memory for the imported stacks");
}

/* ---- frames ---- */

/* "file" is a source file, or a module in our files where there is none. */
static int read_frame(struct reader *r, const json_t *json, uint32_t *ret_frame)
{
    const json_int_t line = json_integer_value(json_object_get(json, "line"));
    struct slw_frame f = {.function = slw_import_json_text(&r->in, json_object_get(json, "name")),
                          .linkage = "",
                          .file = slw_import_json_text(&r->in, json_object_get(json, "file")),
                          .mapping = SLW_NO_MAPPING};
    int rc = 0;

    if (!f.function || !f.file)
        return no_memory(r);
    if (line > 0 && line <= UINT32_MAX)
        f.line = (uint32_t)line;
    if (f.file[0] == '[') {
        const struct slw_mapping m = {.path = f.file, .build_id = ""};

        f.file = "";
        f.kind = slw_import_kind(m.path);
        rc = slw_stacks_add_mapping(r->in.stacks, &m, &f.mapping);
    }
    if (strcmp(f.function, "[unknown]") == 0)
        f.function = "";
    if (rc == 0)
        rc = slw_stacks_add_frame(r->in.stacks, &f, ret_frame);
    return slw_stack_import_check(&r->in, rc);
}

static int read_frames(struct reader *r, const json_t *frames)
{
    int rc = 0;

    if (!json_is_array(frames))
        return slw_stack_import_stop(&r->in, SLW_E_FORMAT, 0, "there is no list shared.frames");
    r->frame_count = json_array_size(frames);
    r->frames = slw_arena_array(r->in.arena, r->frame_count + 1, sizeof(*r->frames));
    if (!r->frames)
        return no_memory(r);
    for (size_t i = 0; rc == 0 && i < r->frame_count; i++)
        rc = read_frame(r, json_array_get(frames, i), &r->frames[i]);
    return rc;
}

/* ---- columns ---- */

/* Nanoseconds to the unit; 0: not a unit of time. */
static double nanoseconds(const char *unit)
{
    if (strcmp(unit, "nanoseconds") == 0)
        return 1;
    if (strcmp(unit, "microseconds") == 0)
        return 1e3;
    if (strcmp(unit, "milliseconds") == 0)
        return 1e6;
    return strcmp(unit, "seconds") == 0 ? 1e9 : 0;
}

/* "cpu-clock (nanoseconds; software)", as our exporter names profiles. */
static bool split_name(char *name, struct slw_column *column)
{
    char *open = strrchr(name, '('), *end = open ? strpbrk(open, ";)") : NULL;

    if (!open || open == name || open[-1] != ' ' || !end)
        return false;
    if (strstr(end, "simulated"))
        column->from.source = SLW_SOURCE_SIMULATED;
    else if (!strstr(end, "software"))
        column->from.source = SLW_SOURCE_HARDWARE;
    open[-1] = *end = '\0';
    column->event = name;
    column->unit = open + 1;
    return true;
}

static int find_column(struct reader *r, const struct slw_column *column, uint32_t *ret_column)
{
    if (r->in.stacks) {
        const int found = slw_stacks_find_column(r->in.stacks, column->event, column->unit);

        if (found >= 0) {
            *ret_column = (uint32_t)found;
            return 0;
        }
    }
    return slw_stack_import_column(&r->in, column, ret_column);
}

static int read_column(struct reader *r, struct profile *p)
{
    const char *unit = json_string_value(json_object_get(p->json, "unit"));
    const char *name = slw_import_json_text(&r->in, json_object_get(p->json, "name"));
    char *copy = slw_arena_strdup(r->in.arena, name);
    struct slw_column column = {
        .event = "samples",
        .unit = "count",
        .from = {.source = SLW_SOURCE_SOFTWARE, .imported = true, .detail = "speedscope file"}};

    if (!copy)
        return no_memory(r);
    p->scale = unit ? nanoseconds(unit) : 0;
    if (p->scale > 0)
        column.unit = "nanoseconds";
    else if (unit && strcmp(unit, "bytes") == 0)
        column.unit = "bytes";
    if (p->scale == 0)
        p->scale = 1;
    if (r->ours)
        (void)split_name(copy, &column);
    return find_column(r, &column, &p->column);
}

/* ---- samples ---- */

/* `depth` frames of r->stack, root first; slw_stacks_add wants the leaf first. */
static int add(struct reader *r, const struct profile *p, size_t depth, uint64_t weight)
{
    uint32_t frames[SLW_MAX_STACK_DEPTH];
    uint64_t weights[SLW_MAX_COLUMNS] = {0};

    weights[p->column] = weight;
    for (size_t i = 0; i < depth; i++)
        frames[i] = r->stack[depth - 1 - i];
    return slw_stack_import_add(&r->in, frames, depth, p->thread, weights);
}

/* Too deep a stack loses its root end. */
static int read_stack(struct reader *r, const struct profile *p, const json_t *sample, size_t at,
                      size_t *ret_depth)
{
    const size_t length = json_array_size(sample);
    const size_t skip = length > SLW_MAX_STACK_DEPTH ? length - SLW_MAX_STACK_DEPTH : 0;
    size_t index;

    if (!json_is_array(sample))
        return stop(r, SLW_E_FORMAT, p, "sample", at, "is no list of frames");
    for (size_t i = skip; i < length; i++) {
        if (!slw_import_json_index(json_array_get(sample, i), r->frame_count, &index))
            return stop(r, SLW_E_FORMAT, p, "sample", at, "names a frame that is not there");
        r->stack[i - skip] = r->frames[index];
    }
    r->in.cut += skip > 0;
    *ret_depth = length - skip;
    return 0;
}

static int read_sampled(struct reader *r, const struct profile *p)
{
    const json_t *samples = json_object_get(p->json, "samples");
    const json_t *weights = json_object_get(p->json, "weights");
    int rc = 0;

    if (!json_is_array(samples) || json_array_size(weights) < json_array_size(samples))
        return stop(r, SLW_E_FORMAT, p, "sample", json_array_size(weights),
                    "has no weight: the lists of samples and weights differ");
    for (size_t i = 0; rc == 0 && i < json_array_size(samples); i++) {
        uint64_t weight;
        size_t depth = 0;

        if (!slw_import_json_weight(json_array_get(weights, i), p->scale, &weight))
            return stop(r, SLW_E_FORMAT, p, "sample", i, "has a weight that is no whole number");
        rc = read_stack(r, p, json_array_get(samples, i), i, &depth);
        if (rc == 0)
            rc = add(r, p, depth, weight);
    }
    return rc;
}

/* ---- events ---- */

/* The frame the event opens or closes. */
static int read_event(struct reader *r, const struct profile *p, size_t i, const json_t *event,
                      size_t *depth)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    size_t frame;

    if (!slw_import_json_index(json_object_get(event, "frame"), r->frame_count, &frame))
        return stop(r, SLW_E_FORMAT, p, "event", i, "names a frame that is not there");
    if (type && strcmp(type, "O") == 0) {
        if (*depth == SLW_MAX_STACK_DEPTH)
            return stop(r, SLW_E_LIMIT, p, "event", i, "opens more frames than a stack can hold");
        r->stack[(*depth)++] = r->frames[frame];
        return 0;
    }
    if (!type || strcmp(type, "C") != 0)
        return stop(r, SLW_E_FORMAT, p, "event", i, "neither opens nor closes a frame");
    if (*depth == 0 || r->stack[*depth - 1] != r->frames[frame])
        return stop(r, SLW_E_FORMAT, p, "event", i, "closes a frame that is not the innermost");
    (*depth)--;
    return 0;
}

/* Times are rounded one by one, so that what lies between them adds up. */
static int read_evented(struct reader *r, const struct profile *p)
{
    const json_t *events = json_object_get(p->json, "events");
    uint64_t last = 0, at = 0;
    size_t depth = 0;
    int rc = 0;

    if (!json_is_array(events))
        return stop(r, SLW_E_FORMAT, p, "event", 0, "is missing: there is no list of events");
    for (size_t i = 0; rc == 0 && i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);

        if (!slw_import_json_weight(json_object_get(event, "at"), p->scale, &at))
            return stop(r, SLW_E_FORMAT, p, "event", i, "has no time that is a whole number");
        if (i > 0 && at < last)
            return stop(r, SLW_E_FORMAT, p, "event", i, "is before the one before it");
        if (depth > 0 && at > last)
            rc = add(r, p, depth, at - last);
        last = at;
        if (rc == 0)
            rc = read_event(r, p, i, event, &depth);
    }
    return rc;
}

/* ---- all of it ---- */

static int read_thread(struct reader *r, struct profile *p)
{
    const char *name = slw_import_json_text(&r->in, json_object_get(p->json, "name"));
    const struct slw_thread t = {.comm = name, .pid = -1, .tid = -1};

    if (!name)
        return no_memory(r);
    p->thread = SLW_NO_THREAD;
    if (r->ours || !name[0])
        return 0;
    return slw_stack_import_check(&r->in, slw_stacks_add_thread(r->in.stacks, &t, &p->thread));
}

static int read_profile(struct reader *r, struct profile *p)
{
    const char *type = json_string_value(json_object_get(p->json, "type"));
    int rc = read_thread(r, p);

    if (rc < 0)
        return rc;
    if (type && strcmp(type, "sampled") == 0)
        return read_sampled(r, p);
    if (type && strcmp(type, "evented") == 0)
        return read_evented(r, p);
    return stop(r, SLW_E_FORMAT, p, "field", 0, "type: is neither sampled nor evented");
}

/* The columns first: frames need a profile to be in. */
static int read_file(struct reader *r, const json_t *file)
{
    const json_t *profiles = json_object_get(file, "profiles");
    const char *exporter = json_string_value(json_object_get(file, "exporter"));
    const size_t count = json_array_size(profiles);
    int rc = 0;

    if (count == 0)
        return slw_stack_import_stop(&r->in, SLW_E_NODATA, 0, "there are no profiles in the file");
    r->ours = exporter && strncmp(exporter, "slotwise", 8) == 0;
    struct profile *all = slw_arena_array(r->in.arena, count, sizeof(*all));
    if (!all)
        return no_memory(r);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        all[i].index = i;
        all[i].json = json_array_get(profiles, i);
        rc = read_column(r, &all[i]);
    }
    if (rc == 0)
        rc = read_frames(r, json_object_get(json_object_get(file, "shared"), "frames"));
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = read_profile(r, &all[i]);
    return rc;
}

static int import(const char *path, const void *bytes, size_t length,
                  struct slw_imported *ret_imported, struct slw_error *err)
{
    struct reader *r = calloc(1, sizeof(*r));
    json_t *file = NULL;

    if (!r)
        return slw_fail(err, SLW_E_NOMEM, "no memory for an imported run");
    int rc = slw_stack_import_start(&r->in, path);
    if (rc == 0)
        rc = slw_import_json_load(&r->in, bytes, length, &file);
    if (rc == 0)
        rc = read_file(r, file);
    json_decref(file);
    rc = slw_stack_import_end(&r->in, rc, ret_imported, err);
    free(r);
    return rc;
}

static bool recognise(const void *head, size_t length)
{
    return slw_import_json_has(head, length, "speedscope.app/file-format-schema") ||
           (slw_import_json_has(head, length, "\"shared\"") &&
            slw_import_json_has(head, length, "\"frames\""));
}

const struct slw_importer slw_importer_speedscope = {
    .name = "speedscope",
    .summary = "speedscope's JSON",
    .recognise = recognise,
    .import = import,
};
