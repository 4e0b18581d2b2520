/* SPDX-License-Identifier: MIT */
#include "flamegraph/firefox_int.h"

#include "base/arena.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void slw_firefox_put_ms(struct slw_buf *out, uint64_t ns)
{
    slw_buf_printf(out, "%" PRIu64 ".%06" PRIu64, ns / 1000000, ns % 1000000);
}

const char *slw_firefox_lib_name(const struct slw_mapping *m)
{
    const char *slash = strrchr(m->path, '/');

    return slash ? slash + 1 : m->path;
}

/* ---- tables: an object of arrays of one length ---- */

typedef void (*put_cell)(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row);

struct table_column {
    const char *name;
    put_cell put;       /* NULL: */
    const char *always; /* the same in every row */
};

static void put_columns(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t rows,
                        const struct table_column *columns)
{
    for (const struct table_column *c = columns; c->name; c++) {
        slw_buf_printf(w->out, "\"%s\":[", c->name);
        for (uint32_t row = 0; row < rows; row++) {
            if (row > 0)
                slw_buf_putc(w->out, ',');
            if (c->put)
                c->put(w, p, row);
            else
                slw_buf_puts(w->out, c->always);
        }
        slw_buf_puts(w->out, "],\n");
    }
    slw_buf_printf(w->out, "\"length\":%" PRIu32 "}", rows);
}

static void put_table(struct slw_firefox *w, struct slw_firefox_part *p, const char *name,
                      uint32_t rows, const struct table_column *columns)
{
    slw_buf_printf(w->out, "\"%s\":{", name);
    put_columns(w, p, rows, columns);
}

/* ---- frames, functions, resources ---- */

static struct slw_frame frame_at(const struct slw_firefox *w, const struct slw_firefox_part *p,
                                 uint32_t row)
{
    return slw_stacks_frame(w->stacks, p->frames[row]);
}

static void put_string_id(struct slw_firefox *w, struct slw_firefox_part *p,
                          const struct slw_buf *text)
{
    uint32_t id = 0;

    if (text->failed ||
        slw_strtab_intern(&p->strings, text->data ? text->data : "", text->length, &id) < 0)
        w->out->failed = true;
    slw_buf_printf(w->out, "%" PRIu32, id);
}

static struct slw_frame function_at(const struct slw_firefox *w, const struct slw_firefox_part *p,
                                    uint32_t row)
{
    return slw_stacks_frame(w->stacks, p->functions[row]);
}

static void put_name(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    const struct slw_frame f = function_at(w, p, row);
    struct slw_buf name = {0};

    slw_export_put_label(&name, w->stacks, &f);
    put_string_id(w, p, &name);
    slw_buf_release(&name);
}

static void put_text_or_null(struct slw_firefox *w, struct slw_firefox_part *p, const char *text)
{
    struct slw_buf copy = {0};

    slw_buf_puts(&copy, text);
    if (text[0])
        put_string_id(w, p, &copy);
    else
        slw_buf_puts(w->out, "null");
    slw_buf_release(&copy);
}

static void put_file(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    put_text_or_null(w, p, function_at(w, p, row).file);
}

static void put_resource(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    const struct slw_frame f = function_at(w, p, row);

    if (f.mapping == SLW_NO_MAPPING)
        slw_buf_puts(w->out, "-1");
    else
        slw_buf_printf(w->out, "%" PRIu32, f.mapping);
}

static void put_resource_name(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    const struct slw_mapping m = slw_stacks_mapping(w->stacks, row);
    struct slw_buf copy = {0};

    slw_buf_puts(&copy, slw_firefox_lib_name(&m));
    put_string_id(w, p, &copy);
    slw_buf_release(&copy);
}

static void put_row(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    (void)p;
    slw_buf_printf(w->out, "%" PRIu32, row);
}

static void put_function(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    slw_buf_printf(w->out, "%" PRIu32, w->place_of_function[w->function_of[p->frames[row]]] - 1);
}

static void put_address(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    const uint64_t address = frame_at(w, p, row).address;

    /* -1 is "none"; a double holds no larger address exactly. */
    if (address == 0 || address >> 53)
        slw_buf_puts(w->out, "-1");
    else
        slw_buf_printf(w->out, "%" PRIu64, address);
}

static void put_line(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    const uint32_t line = frame_at(w, p, row).line;

    if (line == 0)
        slw_buf_puts(w->out, "null");
    else
        slw_buf_printf(w->out, "%" PRIu32, line);
}

static void put_category(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    static const int categories[] = {[SLW_FRAME_USER] = SLW_FIREFOX_USER,
                                     [SLW_FRAME_KERNEL] = SLW_FIREFOX_KERNEL,
                                     [SLW_FRAME_OTHER] = SLW_FIREFOX_OTHER};

    slw_buf_printf(w->out, "%d", categories[frame_at(w, p, row).kind]);
}

static void put_depth(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    slw_buf_printf(w->out, "%" PRIu32, p->depths[row]);
}

static void put_frames(struct slw_firefox *w, struct slw_firefox_part *p)
{
    static const struct table_column frames[] = {{"address", put_address, NULL},
                                                 {"inlineDepth", put_depth, NULL},
                                                 {"category", put_category, NULL},
                                                 {"subcategory", NULL, "0"},
                                                 {"func", put_function, NULL},
                                                 {"nativeSymbol", NULL, "null"},
                                                 {"innerWindowID", NULL, "0"},
                                                 {"implementation", NULL, "null"},
                                                 {"line", put_line, NULL},
                                                 {"column", NULL, "null"},
                                                 {NULL, NULL, NULL}};
    static const struct table_column functions[] = {
        {"name", put_name, NULL},         {"isJS", NULL, "false"},
        {"relevantForJS", NULL, "false"}, {"resource", put_resource, NULL},
        {"fileName", put_file, NULL},     {"lineNumber", NULL, "null"},
        {"columnNumber", NULL, "null"},   {NULL, NULL, NULL}};
    static const struct table_column resources[] = {{"lib", put_row, NULL},
                                                    {"name", put_resource_name, NULL},
                                                    {"host", NULL, "null"},
                                                    {"type", NULL, "1"}, /* a library */
                                                    {NULL, NULL, NULL}};
    static const struct table_column symbols[] = {{"libIndex", NULL, ""},
                                                  {"address", NULL, ""},
                                                  {"name", NULL, ""},
                                                  {"functionSize", NULL, ""},
                                                  {NULL, NULL, NULL}};

    put_table(w, p, "frameTable", p->frame_count, frames);
    slw_buf_puts(w->out, ",\n");
    put_table(w, p, "funcTable", p->function_count, functions);
    slw_buf_puts(w->out, ",\n");
    put_table(w, p, "resourceTable", (uint32_t)slw_stacks_mapping_count(w->stacks), resources);
    slw_buf_puts(w->out, ",\n");
    put_table(w, p, "nativeSymbols", 0, symbols);
}

/* ---- stacks and samples ---- */

static void put_stack_frame(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    const uint32_t frame = slw_stacks_path(w->stacks, p->paths[row]).id;

    slw_buf_printf(w->out, "%" PRIu32, w->place_of_frame[frame] - 1);
}

static void put_path_or_null(struct slw_firefox *w, uint32_t path)
{
    const struct slw_path at = slw_stacks_path(w->stacks, path);

    if (slw_firefox_is_root(&at))
        slw_buf_puts(w->out, "null");
    else
        slw_buf_printf(w->out, "%" PRIu32, w->place_of_path[path]);
}

static void put_prefix(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    put_path_or_null(w, slw_stacks_path(w->stacks, p->paths[row]).caller);
}

static void put_stack_category(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    const uint32_t frame = slw_stacks_path(w->stacks, p->paths[row]).id;

    put_category(w, p, w->place_of_frame[frame] - 1);
}

static void put_sample_stack(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    put_path_or_null(w, slw_stacks_leaf(w->stacks, p->ends[row]));
}

static void put_weight(struct slw_firefox *w, struct slw_firefox_part *p, uint32_t row)
{
    const uint64_t weight = slw_firefox_weight(w, p->ends[row]);

    if (w->time)
        slw_firefox_put_ms(w->out, weight);
    else
        slw_buf_printf(w->out, "%" PRIu64, weight);
}

static void put_times(struct slw_firefox *w, const struct slw_firefox_part *p)
{
    uint64_t at = 0;

    slw_buf_puts(w->out, "\"time\":[");
    for (uint32_t i = 0; i < p->end_count; i++) {
        if (i > 0)
            slw_buf_putc(w->out, ',');
        slw_firefox_put_ms(w->out, at);
        at += w->time ? slw_firefox_weight(w, p->ends[i]) : 1000000;
    }
    slw_buf_puts(w->out, "],\n");
}

static const char *weight_type(const struct slw_firefox *w)
{
    if (w->time)
        return "tracing-ms";
    return strcmp(slw_stacks_column(w->stacks, w->column)->unit, "bytes") == 0 ? "bytes"
                                                                               : "samples";
}

static void put_samples(struct slw_firefox *w, struct slw_firefox_part *p)
{
    static const struct table_column stacks[] = {{"frame", put_stack_frame, NULL},
                                                 {"prefix", put_prefix, NULL},
                                                 {"category", put_stack_category, NULL},
                                                 {"subcategory", NULL, "0"},
                                                 {NULL, NULL, NULL}};
    static const struct table_column samples[] = {
        {"stack", put_sample_stack, NULL}, {"weight", put_weight, NULL}, {NULL, NULL, NULL}};

    put_table(w, p, "stackTable", p->path_count, stacks);
    slw_buf_puts(w->out, ",\n\"samples\":{\"weightType\":");
    slw_export_put_json(w->out, weight_type(w));
    slw_buf_puts(w->out, ",\n");
    put_times(w, p);
    put_columns(w, p, p->end_count, samples);
}

/* ---- threads ---- */

/* A frame is at one address, where it is always inlined into the same ones. */
static uint32_t depth_of(const struct slw_firefox *w, const struct slw_firefox_part *p,
                         const struct slw_path *path)
{
    const struct slw_path caller = slw_stacks_path(w->stacks, path->caller);

    if (!slw_stacks_frame(w->stacks, path->id).inlined)
        return 0;
    return slw_firefox_is_root(&caller) ? 1 : p->depths[w->place_of_frame[caller.id] - 1] + 1;
}

/* The frames and functions of a thread, in the order its paths meet them. */
static void meet_frames(struct slw_firefox *w, struct slw_firefox_part *p)
{
    for (uint32_t i = 0; i < p->path_count; i++) {
        const struct slw_path path = slw_stacks_path(w->stacks, p->paths[i]);
        const uint32_t frame = path.id, function = w->function_of[frame];

        if (w->place_of_frame[frame])
            continue;
        p->depths[p->frame_count] = depth_of(w, p, &path);
        p->frames[p->frame_count] = frame;
        w->place_of_frame[frame] = ++p->frame_count;
        if (w->place_of_function[function])
            continue;
        p->functions[p->function_count] = frame;
        w->place_of_function[function] = ++p->function_count;
    }
}

static void forget_frames(struct slw_firefox *w, const struct slw_firefox_part *p)
{
    for (uint32_t i = 0; i < p->frame_count; i++) {
        w->place_of_frame[p->frames[i]] = 0;
        w->place_of_function[w->function_of[p->frames[i]]] = 0;
    }
}

static void put_strings(struct slw_firefox *w, const struct slw_firefox_part *p)
{
    slw_buf_puts(w->out, "\"stringArray\":[");
    for (uint32_t i = 0; i < p->strings.count; i++) {
        slw_buf_puts(w->out, i ? ",\n" : "");
        slw_export_put_json(w->out, slw_strtab_get(&p->strings, i));
    }
    slw_buf_putc(w->out, ']');
}

static void put_thread_head(struct slw_firefox *w, const struct slw_firefox_part *p)
{
    struct slw_thread t = {.comm = "", .pid = -1, .tid = -1};

    if (p->thread != SLW_NO_THREAD)
        t = slw_stacks_thread(w->stacks, p->thread);
    slw_buf_puts(w->out, "{\"processType\":\"default\",\"processStartupTime\":0,"
                         "\"processShutdownTime\":null,\"registerTime\":0,"
                         "\"unregisterTime\":null,\"pausedRanges\":[],\"name\":");
    slw_export_put_json(w->out, t.comm);
    slw_buf_printf(w->out, ",\"isMainThread\":%s,\"pid\":\"%" PRId32 "\",\"tid\":%" PRId32 ",\n",
                   t.pid == t.tid ? "true" : "false", t.pid, t.tid);
    slw_buf_puts(w->out, "\"markers\":{\"data\":[],\"name\":[],\"startTime\":[],\"endTime\":[],"
                         "\"phase\":[],\"category\":[],\"length\":0},\n");
}

int slw_firefox_put_thread(struct slw_firefox *w, struct slw_firefox_part *p)
{
    struct slw_arena *arena = slw_arena_new();
    int rc = arena ? slw_strtab_init(&p->strings, arena) : -SLW_E_NOMEM;

    p->frames = calloc((size_t)p->path_count + 1, sizeof(*p->frames));
    p->functions = calloc((size_t)p->path_count + 1, sizeof(*p->functions));
    p->depths = calloc((size_t)p->path_count + 1, sizeof(*p->depths));
    if (!p->frames || !p->functions || !p->depths)
        rc = -SLW_E_NOMEM;
    if (rc == 0) {
        meet_frames(w, p);
        put_thread_head(w, p);
        put_samples(w, p);
        slw_buf_puts(w->out, ",\n");
        put_frames(w, p);
        slw_buf_puts(w->out, ",\n");
        put_strings(w, p);
        slw_buf_putc(w->out, '}');
        forget_frames(w, p);
    }
    slw_strtab_release(&p->strings);
    free(p->frames);
    free(p->functions);
    free(p->depths);
    slw_arena_free(arena);
    return rc;
}
