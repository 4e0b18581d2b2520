/* SPDX-License-Identifier: MIT */
/* The Firefox Profiler's processed profile, version 48: newer ones read it and upgrade it. One
 * column, a thread of the profile for each thread. Source: the profiler's developer documents
 * "processed profile format" and its changelog of formats.
 *
 * The format wants a time for each sample. Those of summed stacks are not known: stacks stand one
 * after the other, as wide as they weigh when they weigh time, else one millisecond each.
 * "meta.extra" names the event, its unit and where the numbers come from. */
#include "flamegraph/firefox_int.h"

#include "base/arena.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESSED_VERSION = 48, GECKO_VERSION = 30 };

/* ---- which path and which stack is whose ---- */

static uint32_t thread_index(const struct slw_firefox *w, uint32_t thread)
{
    return thread == SLW_NO_THREAD ? w->thread_count - 1 : thread;
}

/* Turn counts at starts[i + 1] into where each thread's part starts. */
static void add_up(uint32_t *starts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        starts[i + 1] += starts[i];
}

static void sort_paths(struct slw_firefox *w)
{
    const uint32_t count = (uint32_t)slw_stacks_path_count(w->stacks);

    for (uint32_t i = 0; i < count; i++) {
        const struct slw_path p = slw_stacks_path(w->stacks, i);

        w->thread_of_path[i] =
            slw_firefox_is_root(&p) ? thread_index(w, p.id) : w->thread_of_path[p.caller];
        if (!slw_firefox_is_root(&p))
            w->place_of_path[i] = w->path_starts[w->thread_of_path[i] + 1]++;
    }
    add_up(w->path_starts, w->thread_count);
    for (uint32_t i = 0; i < count; i++) {
        const struct slw_path p = slw_stacks_path(w->stacks, i);

        if (!slw_firefox_is_root(&p))
            w->paths[w->path_starts[w->thread_of_path[i]] + w->place_of_path[i]] = i;
    }
}

static int sort_ends(struct slw_firefox *w)
{
    const uint32_t count = (uint32_t)slw_stacks_count(w->stacks);
    uint32_t *next = calloc((size_t)w->thread_count + 1, sizeof(*next));

    if (!next)
        return -SLW_E_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        w->end_starts[w->thread_of_path[slw_stacks_leaf(w->stacks, i)] + 1] +=
            slw_firefox_weight(w, i) > 0;
    add_up(w->end_starts, w->thread_count);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t thread = w->thread_of_path[slw_stacks_leaf(w->stacks, i)];

        if (slw_firefox_weight(w, i) > 0)
            w->ends[w->end_starts[thread] + next[thread]++] = i;
    }
    free(next);
    return 0;
}

/* A thread without weight is left out. */
static int put_threads(struct slw_firefox *w)
{
    const char *comma = "\n";
    int rc = 0;

    slw_buf_puts(w->out, "\"threads\":[");
    for (uint32_t i = 0; rc == 0 && i < w->thread_count; i++) {
        struct slw_firefox_part p = {
            .thread = i == w->thread_count - 1 ? SLW_NO_THREAD : i,
            .paths = w->paths + w->path_starts[i],
            .path_count = w->path_starts[i + 1] - w->path_starts[i],
            .ends = w->ends + w->end_starts[i],
            .end_count = w->end_starts[i + 1] - w->end_starts[i],
        };

        if (p.end_count == 0)
            continue;
        slw_buf_puts(w->out, comma);
        comma = ",\n";
        rc = slw_firefox_put_thread(w, &p);
    }
    slw_buf_puts(w->out, "]}\n");
    return rc;
}

/* ---- the profile ---- */

static void put_libs(struct slw_firefox *w)
{
    slw_buf_puts(w->out, "\"libs\":[");
    for (uint32_t i = 0; i < slw_stacks_mapping_count(w->stacks); i++) {
        const struct slw_mapping m = slw_stacks_mapping(w->stacks, i);
        const char *name = slw_firefox_lib_name(&m);
        const char *const keys[] = {"name", "path", "debugName", "debugPath"};
        const char *const values[] = {name, m.path, name, m.path};

        slw_buf_puts(w->out, i ? ",\n{\"arch\":\"\"" : "\n{\"arch\":\"\"");
        for (size_t k = 0; k < 4; k++) {
            slw_buf_printf(w->out, ",\"%s\":", keys[k]);
            slw_export_put_json(w->out, values[k]);
        }
        slw_buf_puts(w->out, ",\"breakpadId\":\"\",\"codeId\":");
        if (m.build_id[0])
            slw_export_put_json(w->out, m.build_id);
        else
            slw_buf_puts(w->out, "null");
        slw_buf_putc(w->out, '}');
    }
    slw_buf_puts(w->out, "],\n");
}

static void put_extra(struct slw_firefox *w)
{
    const struct slw_column *c = slw_stacks_column(w->stacks, w->column);
    const char *source = slw_export_source(&c->from);
    const char *const labels[] = {"event", "unit", "source"};
    const char *const values[] = {c->event, c->unit, source[0] ? source : "hardware"};

    slw_buf_puts(w->out, "\"extra\":[{\"label\":\"slotwise\",\"entries\":[");
    for (size_t i = 0; i < 3; i++) {
        slw_buf_printf(w->out, "%s{\"label\":\"%s\",\"format\":\"string\",\"value\":", i ? "," : "",
                       labels[i]);
        slw_export_put_json(w->out, values[i]);
        slw_buf_putc(w->out, '}');
    }
    slw_buf_puts(w->out, "]}]");
}

static void put_meta(struct slw_firefox *w)
{
    const uint64_t started = w->run ? w->run->started_realtime_ns : 0;

    slw_buf_puts(w->out, "{\"meta\":{\"interval\":1,\"startTime\":");
    slw_firefox_put_ms(w->out, started);
    slw_buf_printf(w->out,
                   ",\"processType\":0,\"product\":\"slotwise\",\"importedFrom\":\"slotwise\","
                   "\"stackwalk\":1,\"version\":%d,\"preprocessedProfileVersion\":%d,",
                   GECKO_VERSION, PROCESSED_VERSION);
    slw_buf_puts(w->out,
                 "\"symbolicated\":true,\"symbolicationNotSupported\":true,\"markerSchema\":[],"
                 "\"usesOnlyOneStackType\":true,\"sourceCodeIsNotOnSearchfox\":true,\n"
                 "\"categories\":["
                 "{\"name\":\"User\",\"color\":\"yellow\",\"subcategories\":[\"Other\"]},"
                 "{\"name\":\"Kernel\",\"color\":\"orange\",\"subcategories\":[\"Other\"]},"
                 "{\"name\":\"Other\",\"color\":\"grey\",\"subcategories\":[\"Other\"]}],\n");
    put_extra(w);
    slw_buf_puts(w->out, "},\n");
}

/* Frames of one name, module and file are one function, whatever their address and line. */
static int tell_functions(struct slw_firefox *w)
{
    struct slw_arena *arena = slw_arena_new();
    struct slw_strtab names = {0};
    struct slw_buf key = {0};
    int rc = arena ? slw_strtab_init(&names, arena) : -SLW_E_NOMEM;

    for (uint32_t i = 0; rc == 0 && i < slw_stacks_frame_count(w->stacks); i++) {
        const struct slw_frame f = slw_stacks_frame(w->stacks, i);

        key.length = 0;
        slw_export_put_label(&key, w->stacks, &f);
        slw_buf_putc(&key, '\0');
        slw_buf_puts(&key, slw_export_module(w->stacks, &f));
        slw_buf_putc(&key, '\0');
        slw_buf_puts(&key, f.file);
        rc = slw_buf_failed(&key)
                 ? -SLW_E_NOMEM
                 : slw_strtab_intern(&names, key.data, key.length, &w->function_of[i]);
    }
    slw_buf_release(&key);
    slw_strtab_release(&names);
    slw_arena_free(arena);
    return rc;
}

static int prepare(struct slw_firefox *w, struct slw_arena *arena)
{
    const size_t paths = slw_stacks_path_count(w->stacks) + 1;
    const size_t frames = slw_stacks_frame_count(w->stacks) + 2;
    const size_t stacks = slw_stacks_count(w->stacks) + 1, threads = (size_t)w->thread_count + 1;

    w->place_of_path = slw_arena_array(arena, paths, sizeof(uint32_t));
    w->thread_of_path = slw_arena_array(arena, paths, sizeof(uint32_t));
    w->paths = slw_arena_array(arena, paths, sizeof(uint32_t));
    w->function_of = slw_arena_array(arena, frames, sizeof(uint32_t));
    w->place_of_frame = slw_arena_array(arena, frames, sizeof(uint32_t));
    w->place_of_function = slw_arena_array(arena, frames, sizeof(uint32_t));
    w->ends = slw_arena_array(arena, stacks, sizeof(uint32_t));
    w->path_starts = slw_arena_array(arena, threads, sizeof(uint32_t));
    w->end_starts = slw_arena_array(arena, threads, sizeof(uint32_t));
    if (!w->place_of_path || !w->thread_of_path || !w->paths || !w->function_of ||
        !w->place_of_frame || !w->place_of_function || !w->ends || !w->path_starts ||
        !w->end_starts)
        return -SLW_E_NOMEM;
    sort_paths(w);
    int rc = sort_ends(w);
    return rc < 0 ? rc : tell_functions(w);
}

static int write(struct slw_firefox *w)
{
    struct slw_arena *arena = slw_arena_new();
    int rc = arena ? prepare(w, arena) : -SLW_E_NOMEM;

    if (rc == 0) {
        put_meta(w);
        put_libs(w);
        rc = put_threads(w);
    }
    slw_arena_free(arena);
    return rc < 0 || slw_buf_failed(w->out) ? -SLW_E_NOMEM : 0;
}

static int export(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_export_options *opts, struct slw_buf *out, struct slw_error *err)
{
    struct slw_firefox w = {.stacks = stacks, .run = run, .out = out};
    int rc = slw_export_column(stacks, opts, &w.column, err);

    if (rc < 0)
        return rc;
    w.time = slw_export_is_time(slw_stacks_column(stacks, w.column));
    w.thread_count = (uint32_t)slw_stacks_thread_count(stacks) + 1;
    return write(&w) < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory to write the stacks") : 0;
}

const struct slw_exporter slw_exporter_firefox = {
    .name = "firefox",
    .summary = "processed profile of the Firefox Profiler",
    .extension = "firefox.json",
    .needs_stacks = true,
    .export = export,
};
