/* SPDX-License-Identifier: MIT */
/* Processed profiles of the Firefox Profiler, of any version: tables stand in the thread, or shared
 * by all threads in newer ones. Source: the profiler's developer document "processed profile
 * format". Profiles as the browser sends them ("Gecko profiles": tables with a schema, and a
 * profile of its own for each process) are brought into that form (import_gecko.h).
 *
 * Of each thread the samples are read. Markers and counters are no stacks. */
#include "collector/import_gecko.h"
#include "collector/import_json.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct slw_stack_import in;
    const json_t *file, *shared, *libs;
    const char *event, *unit, *source; /* of our own files; NULL */
};

/* The tables of one thread. */
struct tables {
    size_t index; /* of the thread */
    const json_t *strings;
    const json_t *stack_frame, *stack_prefix;
    bool offsets; /* the prefix is how many rows before, 0 for none */
    const json_t *frame_func, *frame_line, *frame_address, *frame_depth;
    const json_t *frame_flags, *frame_lib; /* newer, as those of functions; NULL */
    const json_t *func_name, *func_file, *func_resource, *func_flags;
    const json_t *sources; /* newer: file names by func.source */
    const json_t *resource_lib;
    size_t stack_count, frame_count, func_count;
    uint32_t *frame_ids; /* + 1; 0: not read yet */
    uint32_t *paths;     /* stack -> path */
};

static int stop(struct reader *r, enum slw_code code, const struct tables *t, const char *what,
                size_t at, const char *why)
{
    slw_error_at(&r->in.stop, "%s, thread %zu, %s %zu", r->in.path, t->index, what, at);
    return slw_fail(&r->in.stop, code, "%s", why);
}

static int no_memory(struct reader *r)
{
    return slw_stack_import_stop(&r->in, SLW_E_NOMEM, 0, "no memory for the imported stacks");
}

/* ---- tables ---- */

static const json_t *table(const struct reader *r, const json_t *thread, const char *name)
{
    const json_t *own = json_object_get(thread, name);

    return own ? own : json_object_get(r->shared, name);
}

/* Bits of the flags that tell what a row has, where a number alone does not (null, -1 before). */
enum frame_flag { FRAME_IS_INLINED = 1, FRAME_HAS_PLACE = 2, FRAME_HAS_LINE = 16 };
enum func_flag { FUNC_HAS_SOURCE = 8 };

static bool has(const json_t *flags, size_t row, int flag)
{
    return !flags || (json_integer_value(json_array_get(flags, row)) & flag) != 0;
}

static const json_t *strings_of(const struct reader *r, const json_t *thread)
{
    const json_t *strings = table(r, thread, "stringArray");

    return strings ? strings : json_object_get(json_object_get(thread, "stringTable"), "_array");
}

static int find_tables(struct reader *r, const json_t *thread, struct tables *t)
{
    const json_t *stacks = table(r, thread, "stackTable"), *frames = table(r, thread, "frameTable");
    const json_t *funcs = table(r, thread, "funcTable");

    t->strings = strings_of(r, thread);
    t->stack_frame = json_object_get(stacks, "frame");
    t->stack_prefix = json_object_get(stacks, "prefix");
    if (!t->stack_prefix) { /* newer */
        t->stack_prefix = json_object_get(stacks, "prefixOffset");
        t->offsets = true;
    }
    t->frame_func = json_object_get(frames, "func");
    t->frame_line = json_object_get(frames, "line");
    t->frame_address = json_object_get(frames, "address");
    t->frame_depth = json_object_get(frames, "inlineDepth");
    t->frame_flags = json_object_get(frames, "flags");
    t->frame_lib = json_object_get(frames, "lib");
    t->func_flags = json_object_get(funcs, "flags");
    t->func_name = json_object_get(funcs, "name");
    t->func_file = json_object_get(funcs, "fileName");
    t->func_resource = json_object_get(funcs, "resource");
    if (!t->func_file) {
        t->func_file = json_object_get(funcs, "source");
        t->sources = json_object_get(json_object_get(r->shared, "sources"), "filename");
    }
    t->resource_lib = json_object_get(table(r, thread, "resourceTable"), "lib");
    t->stack_count = json_array_size(t->stack_frame);
    t->frame_count = json_array_size(t->frame_func);
    t->func_count = json_array_size(t->func_name);
    if (json_array_size(t->stack_prefix) != t->stack_count)
        return stop(r, SLW_E_FORMAT, t, "stack", t->stack_count,
                    "has no prefix: the columns of the stack table differ in length");
    t->frame_ids = slw_arena_array(r->in.arena, t->frame_count + 1, sizeof(*t->frame_ids));
    t->paths = slw_arena_array(r->in.arena, t->stack_count + 1, sizeof(*t->paths));
    return t->frame_ids && t->paths ? 0 : no_memory(r);
}

/* The string that row `at` of a column of string numbers has; "" without. NULL: no memory. */
static const char *text_at(struct reader *r, const struct tables *t, const json_t *column,
                           size_t at)
{
    size_t index;

    if (!slw_import_json_index(json_array_get(column, at), json_array_size(t->strings), &index))
        return "";
    return slw_import_json_text(&r->in, json_array_get(t->strings, index));
}

static const char *file_of(struct reader *r, const struct tables *t, size_t func)
{
    size_t source;

    if (!t->sources)
        return text_at(r, t, t->func_file, func);
    if (!has(t->func_flags, func, FUNC_HAS_SOURCE) ||
        !slw_import_json_index(json_array_get(t->func_file, func), json_array_size(t->sources),
                               &source))
        return "";
    return text_at(r, t, t->sources, source);
}

/* The library of a frame; older ones tell that of its function's resource. */
static bool find_lib(const struct reader *r, const struct tables *t, size_t frame, size_t func,
                     size_t *ret_lib)
{
    const size_t count = json_array_size(r->libs);
    size_t resource;

    if (t->frame_lib)
        return has(t->frame_flags, frame, FRAME_HAS_PLACE) &&
               slw_import_json_index(json_array_get(t->frame_lib, frame), count, ret_lib);
    return slw_import_json_index(json_array_get(t->func_resource, func),
                                 json_array_size(t->resource_lib), &resource) &&
           slw_import_json_index(json_array_get(t->resource_lib, resource), count, ret_lib);
}

static int find_module(struct reader *r, const struct tables *t, size_t frame, size_t func,
                       struct slw_frame *f)
{
    size_t lib;

    if (!find_lib(r, t, frame, func, &lib))
        return 0;
    const json_t *json = json_array_get(r->libs, lib);
    const json_t *path = json_object_get(json, "path"); /* older: the name is one */
    const struct slw_mapping m = {
        .path = slw_import_json_text(&r->in, path ? path : json_object_get(json, "name")),
        .build_id = slw_import_json_text(&r->in, json_object_get(json, "codeId"))};
    if (!m.path || !m.build_id)
        return no_memory(r);
    f->kind = slw_import_kind(m.path);
    return slw_stack_import_check(&r->in, slw_stacks_add_mapping(r->in.stacks, &m, &f->mapping));
}

/* What a frame has of its own. */
static void read_place(const struct tables *t, size_t frame, struct slw_frame *f)
{
    const json_int_t line = json_integer_value(json_array_get(t->frame_line, frame));
    const json_int_t address = json_integer_value(json_array_get(t->frame_address, frame));

    if (has(t->frame_flags, frame, FRAME_HAS_LINE) && line > 0 && line <= UINT32_MAX)
        f->line = (uint32_t)line;
    if (has(t->frame_flags, frame, FRAME_HAS_PLACE) && address > 0)
        f->address = (uint64_t)address;
    f->inlined = t->frame_flags ? has(t->frame_flags, frame, FRAME_IS_INLINED)
                                : json_integer_value(json_array_get(t->frame_depth, frame)) > 0;
}

static int read_frame(struct reader *r, struct tables *t, size_t frame, uint32_t *ret_frame)
{
    struct slw_frame f = {.linkage = "", .mapping = SLW_NO_MAPPING};
    size_t func;

    if (t->frame_ids[frame]) {
        *ret_frame = t->frame_ids[frame] - 1;
        return 0;
    }
    if (!slw_import_json_index(json_array_get(t->frame_func, frame), t->func_count, &func))
        return stop(r, SLW_E_FORMAT, t, "frame", frame, "names a function that is not there");
    f.function = text_at(r, t, t->func_name, func);
    f.file = file_of(r, t, func);
    if (!f.function || !f.file)
        return no_memory(r);
    if (strcmp(f.function, "[unknown]") == 0)
        f.function = "";
    read_place(t, frame, &f);
    int rc = find_module(r, t, frame, func, &f);
    if (rc == 0)
        rc = slw_stack_import_check(&r->in, slw_stacks_add_frame(r->in.stacks, &f, ret_frame));
    if (rc == 0)
        t->frame_ids[frame] = *ret_frame + 1;
    return rc;
}

enum caller { CALLER_IS_BAD, CALLER_IS_NONE, CALLER_IS_THERE };

/* Callers come before what they call. */
static enum caller find_caller(const struct tables *t, size_t stack, size_t *ret_caller)
{
    const json_t *prefix = json_array_get(t->stack_prefix, stack);
    size_t n;

    if (!t->offsets && json_is_null(prefix))
        return CALLER_IS_NONE;
    if (!slw_import_json_index(prefix, t->offsets ? stack + 1 : stack, &n))
        return CALLER_IS_BAD;
    if (t->offsets && n == 0)
        return CALLER_IS_NONE;
    *ret_caller = t->offsets ? stack - n : n;
    return CALLER_IS_THERE;
}

static int read_stacks(struct reader *r, struct tables *t, uint32_t root)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < t->stack_count; i++) {
        size_t caller = 0, frame = 0;
        const enum caller found = find_caller(t, i, &caller);
        uint32_t id = 0;

        if (found == CALLER_IS_BAD)
            return stop(r, SLW_E_FORMAT, t, "stack", i,
                        "has a caller that does not come before it");
        if (!slw_import_json_index(json_array_get(t->stack_frame, i), t->frame_count, &frame))
            return stop(r, SLW_E_FORMAT, t, "stack", i, "names a frame that is not there");
        rc = read_frame(r, t, frame, &id);
        if (rc == 0)
            rc = slw_stack_import_check(
                &r->in,
                slw_stacks_step(r->in.stacks, found == CALLER_IS_THERE ? t->paths[caller] : root,
                                id, &t->paths[i]));
    }
    return rc;
}

/* ---- samples ---- */

static double scale_of(const json_t *samples)
{
    const char *type = json_string_value(json_object_get(samples, "weightType"));

    return type && strcmp(type, "tracing-ms") == 0 ? 1e6 : 1;
}

static const char *unit_of(const json_t *samples)
{
    const char *type = json_string_value(json_object_get(samples, "weightType"));

    if (type && strcmp(type, "tracing-ms") == 0)
        return "nanoseconds";
    return type && strcmp(type, "bytes") == 0 ? "bytes" : "count";
}

static enum slw_source source_of(const struct reader *r)
{
    if (r->source && strstr(r->source, "simulated"))
        return SLW_SOURCE_SIMULATED;
    return !r->source || strstr(r->source, "software") ? SLW_SOURCE_SOFTWARE : SLW_SOURCE_HARDWARE;
}

static int find_column(struct reader *r, const json_t *samples, uint32_t *ret_column)
{
    const struct slw_column column = {
        .event = r->event ? r->event : "samples",
        .unit = r->unit ? r->unit : unit_of(samples),
        .from = {.source = source_of(r), .imported = true, .detail = "Firefox profile"}};
    const int found =
        r->in.stacks ? slw_stacks_find_column(r->in.stacks, column.event, column.unit) : -1;

    if (found < 0)
        return slw_stack_import_column(&r->in, &column, ret_column);
    *ret_column = (uint32_t)found;
    return 0;
}

static int read_samples(struct reader *r, const struct tables *t, const json_t *samples,
                        uint32_t column, uint32_t root)
{
    const json_t *stacks = json_object_get(samples, "stack");
    const json_t *weights = json_object_get(samples, "weight");
    const double scale = scale_of(samples);
    uint64_t row[SLW_MAX_COLUMNS] = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(stacks); i++) {
        const json_t *stack = json_array_get(stacks, i);
        size_t index = 0;

        if (!json_is_null(stack) && !slw_import_json_index(stack, t->stack_count, &index))
            return stop(r, SLW_E_FORMAT, t, "sample", i, "names a stack that is not there");
        row[column] = 1;
        if (json_is_array(weights) &&
            !slw_import_json_weight(json_array_get(weights, i), scale, &row[column]))
            return stop(r, SLW_E_FORMAT, t, "sample", i, "has a weight that is no whole number");
        rc = slw_stack_import_check(
            &r->in,
            slw_stacks_weigh(r->in.stacks, json_is_null(stack) ? root : t->paths[index], row));
        r->in.samples += rc == 0;
    }
    return rc;
}

/* ---- threads ---- */

/* Numbers, or numbers as text. */
static int32_t id_of(const json_t *value)
{
    const char *text = json_string_value(value);
    const long long id = text ? strtoll(text, NULL, 10) : json_integer_value(value);

    return (text && !*text) || !value || id < 0 || id > INT32_MAX ? -1 : (int32_t)id;
}

static int find_root(struct reader *r, const json_t *thread, uint32_t *ret_root)
{
    const struct slw_thread t = {.comm =
                                     slw_import_json_text(&r->in, json_object_get(thread, "name")),
                                 .pid = id_of(json_object_get(thread, "pid")),
                                 .tid = id_of(json_object_get(thread, "tid"))};
    uint32_t id = SLW_NO_THREAD;
    int rc = 0;

    if (!t.comm)
        return no_memory(r);
    if (t.comm[0] || t.pid >= 0 || t.tid >= 0)
        rc = slw_stacks_add_thread(r->in.stacks, &t, &id);
    if (rc == 0)
        rc = slw_stacks_root(r->in.stacks, id, ret_root);
    return slw_stack_import_check(&r->in, rc);
}

static int read_thread(struct reader *r, const json_t *thread, size_t index)
{
    const json_t *samples = json_object_get(thread, "samples");
    struct tables t = {.index = index};
    uint32_t column = 0, root = 0;
    int rc = find_tables(r, thread, &t);

    if (rc == 0)
        rc = find_column(r, samples, &column);
    if (rc == 0)
        rc = find_root(r, thread, &root);
    if (rc == 0)
        rc = read_stacks(r, &t, root);
    return rc < 0 ? rc : read_samples(r, &t, samples, column, root);
}

/* ---- all of it ---- */

/* meta.extra, section "slotwise", as our exporter writes it. */
static int read_extra(struct reader *r, const json_t *meta)
{
    const json_t *section = json_array_get(json_object_get(meta, "extra"), 0);
    const json_t *entries = json_object_get(section, "entries");
    const char *label = json_string_value(json_object_get(section, "label"));
    const char **const values[] = {&r->event, &r->unit, &r->source};

    if (!label || strcmp(label, "slotwise") != 0 || json_array_size(entries) < 3)
        return 0;
    for (size_t i = 0; i < 3; i++) {
        *values[i] =
            slw_import_json_text(&r->in, json_object_get(json_array_get(entries, i), "value"));
        if (!*values[i])
            return no_memory(r);
    }
    return 0;
}

static int read_either(struct reader *r, const json_t *thread, size_t index)
{
    if (!slw_gecko_is_thread(thread))
        return read_thread(r, thread, index);
    json_t *processed = slw_gecko_thread(thread, r->libs);
    const int rc = processed ? read_thread(r, processed, index) : no_memory(r);
    json_decref(processed);
    return rc;
}

#define MAX_NESTED 8 /* a browser starts processes, which start none */

static int read_process(struct reader *r, const json_t *process, unsigned depth);

/* Each has libraries and threads of its own. Processed profiles have none of these. */
static int read_processes(struct reader *r, const json_t *file, unsigned depth)
{
    const json_t *processes = json_object_get(file, "processes");
    int rc = 0;

    for (size_t i = 0; rc == 0 && depth < MAX_NESTED && i < json_array_size(processes); i++)
        rc = read_process(r, json_array_get(processes, i), depth + 1);
    return rc;
}

static int read_process(struct reader *r, const json_t *process, unsigned depth)
{
    const json_t *threads = json_object_get(process, "threads");
    json_t *libs = slw_gecko_libs(json_object_get(process, "libs"));
    int rc = libs ? 0 : no_memory(r);

    r->libs = libs;
    if (rc == 0 && !json_is_array(threads))
        rc = slw_stack_import_stop(&r->in, SLW_E_FORMAT, 0, "there is no list of threads");
    for (size_t i = 0; rc == 0 && i < json_array_size(threads); i++)
        rc = read_either(r, json_array_get(threads, i), i);
    json_decref(libs);
    r->libs = NULL;
    return rc < 0 ? rc : read_processes(r, process, depth);
}

static int read_file(struct reader *r)
{
    const int rc = read_extra(r, json_object_get(r->file, "meta"));

    r->shared = json_object_get(r->file, "shared");
    return rc < 0 ? rc : read_process(r, r->file, 0);
}

static int import(const char *path, const void *bytes, size_t length,
                  struct slw_imported *ret_imported, struct slw_error *err)
{
    struct reader r = {0};
    json_t *file = NULL;
    int rc = slw_stack_import_start(&r.in, path);

    if (rc == 0)
        rc = slw_import_json_load(&r.in, bytes, length, &file);
    r.file = file;
    if (rc == 0)
        rc = read_file(&r);
    json_decref(file);
    return slw_stack_import_end(&r.in, rc, ret_imported, err);
}

/* "meta" comes first in every writer's files; perf's own JSON has no "stackwalk". */
static bool recognise(const void *head, size_t length)
{
    return slw_import_json_has(head, length, "\"preprocessedProfileVersion\"") ||
           (slw_import_json_has(head, length, "\"meta\"") &&
            slw_import_json_has(head, length, "\"stackwalk\""));
}

const struct slw_importer slw_importer_firefox = {
    .name = "firefox",
    .summary = "processed profile of the Firefox Profiler",
    .recognise = recognise,
    .import = import,
};
