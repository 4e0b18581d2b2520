/* SPDX-License-Identifier: MIT */
/* speedscope's own JSON: a table of frames, and a "sampled" profile for each column. The thread
 * name is the outermost frame. Source: the file format schema that speedscope publishes.
 *
 * speedscope tells frames apart by their place in the table and takes `line` for the line a
 * function starts at, which is not known: frames of one function and file are one entry. Weights
 * are exact here; speedscope itself reads them as doubles, exact up to 2^53. */
#include "flamegraph/export_parts.h"

#include "base/arena.h"
#include "base/strtab.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    const struct slw_stacks *stacks;
    const struct slw_export_options *opts;
    struct slw_strtab names; /* "function NUL file"; 0 is not used */
    uint32_t *of_frame, *of_thread;
    struct slw_buf *out;
};

/* ---- frames ---- */

static int intern(struct writer *w, struct slw_buf *name, const char *file, uint32_t *ret_id)
{
    slw_buf_putc(name, '\0');
    slw_buf_puts(name, file);
    const int rc = slw_buf_failed(name)
                       ? -SLW_E_NOMEM
                       : slw_strtab_intern(&w->names, name->data, name->length, ret_id);
    name->length = 0;
    return rc;
}

static int name_all(struct writer *w)
{
    struct slw_buf name = {0};
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < slw_stacks_frame_count(w->stacks); i++) {
        const struct slw_frame f = slw_stacks_frame(w->stacks, i);

        slw_export_put_label(&name, w->stacks, &f);
        rc = intern(w, &name, f.file[0] ? f.file : slw_export_module(w->stacks, &f),
                    &w->of_frame[i]);
    }
    for (uint32_t i = 0; rc == 0 && i < slw_stacks_thread_count(w->stacks); i++) {
        slw_buf_puts(&name, slw_export_comm(w->stacks, i));
        rc = intern(w, &name, "", &w->of_thread[i]);
    }
    slw_buf_release(&name);
    return rc;
}

static void put_frames(struct writer *w)
{
    slw_buf_puts(w->out, "\"shared\":{\"frames\":[");
    for (uint32_t i = 1; i < w->names.count; i++) {
        const char *name = slw_strtab_get(&w->names, i), *file = name + strlen(name) + 1;

        slw_buf_puts(w->out, i > 1 ? ",\n{\"name\":" : "\n{\"name\":");
        slw_export_put_json(w->out, name);
        if (file[0]) {
            slw_buf_puts(w->out, ",\"file\":");
            slw_export_put_json(w->out, file);
        }
        slw_buf_putc(w->out, '}');
    }
    slw_buf_puts(w->out, "]}");
}

/* ---- profiles ---- */

static void put_stack(struct writer *w, const struct slw_stack *stack)
{
    const char *comma = "";

    slw_buf_putc(w->out, '[');
    if (stack->thread != SLW_NO_THREAD) {
        slw_buf_printf(w->out, "%" PRIu32, w->of_thread[stack->thread] - 1);
        comma = ",";
    }
    for (size_t i = stack->depth; i-- > 0; comma = ",")
        slw_buf_printf(w->out, "%s%" PRIu32, comma, w->of_frame[stack->frames[i]] - 1);
    slw_buf_putc(w->out, ']');
}

static void put_samples(struct writer *w, size_t column)
{
    const char *comma = "\n";

    for (size_t i = 0; i < slw_stacks_count(w->stacks); i++) {
        if (slw_stacks_weights(w->stacks, i)[column] == 0)
            continue;
        const struct slw_stack stack = slw_stacks_get(w->stacks, i);
        slw_buf_puts(w->out, comma);
        put_stack(w, &stack);
        comma = ",\n";
    }
}

static void put_weights(struct writer *w, size_t column)
{
    const char *comma = "";

    for (size_t i = 0; i < slw_stacks_count(w->stacks); i++) {
        const uint64_t weight = slw_stacks_weights(w->stacks, i)[column];

        if (weight == 0)
            continue;
        slw_buf_printf(w->out, "%s%" PRIu64, comma, weight);
        comma = ",";
    }
}

static const char *unit_of(const struct slw_column *c)
{
    if (slw_export_is_time(c))
        return "nanoseconds";
    return strcmp(c->unit, "bytes") == 0 ? "bytes" : "none";
}

static void put_profile(struct writer *w, size_t column)
{
    const struct slw_column *c = slw_stacks_column(w->stacks, column);
    struct slw_buf name = {0};

    slw_export_put_column(&name, c);
    slw_buf_puts(w->out, "\n{\"type\":\"sampled\",\"name\":");
    slw_export_put_json(w->out, name.data ? name.data : "");
    slw_buf_printf(w->out, ",\"unit\":\"%s\",\"startValue\":0,\"endValue\":%" PRIu64, unit_of(c),
                   slw_stacks_total(w->stacks, column));
    slw_buf_puts(w->out, ",\"samples\":[");
    put_samples(w, column);
    slw_buf_puts(w->out, "],\n\"weights\":[");
    put_weights(w, column);
    slw_buf_puts(w->out, "]}");
    w->out->failed = w->out->failed || name.failed;
    slw_buf_release(&name);
}

/* The weight of the first event is what opens: the count of its samples comes before it. */
static size_t active(const struct writer *w)
{
    const int first = slw_stacks_find_column(w->stacks, w->opts ? w->opts->event : NULL,
                                             w->opts ? w->opts->unit : NULL);
    size_t index = 0;

    for (size_t i = 0; first > 0 && i < (size_t)first; i++)
        index += slw_export_takes(w->stacks, w->opts, i);
    return index;
}

static void put_file(struct writer *w)
{
    const char *comma = "";

    slw_buf_puts(w->out, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
                         "\"exporter\":\"slotwise " SLW_VERSION "\",");
    slw_buf_printf(w->out, "\"activeProfileIndex\":%zu,\n", active(w));
    put_frames(w);
    slw_buf_puts(w->out, ",\n\"profiles\":[");
    for (size_t i = 0; i < slw_stacks_column_count(w->stacks); i++)
        if (slw_export_takes(w->stacks, w->opts, i)) {
            slw_buf_puts(w->out, comma);
            put_profile(w, i);
            comma = ",";
        }
    slw_buf_puts(w->out, "]}\n");
}

static int write(struct writer *w, struct slw_arena *arena)
{
    w->of_frame = calloc(slw_stacks_frame_count(w->stacks) + 1, sizeof(*w->of_frame));
    w->of_thread = calloc(slw_stacks_thread_count(w->stacks) + 1, sizeof(*w->of_thread));
    int rc =
        w->of_frame && w->of_thread && arena ? slw_strtab_init(&w->names, arena) : -SLW_E_NOMEM;

    if (rc == 0)
        rc = name_all(w);
    if (rc == 0)
        put_file(w);
    slw_strtab_release(&w->names);
    free(w->of_frame);
    free(w->of_thread);
    return rc < 0 || slw_buf_failed(w->out) ? -SLW_E_NOMEM : 0;
}

static int export(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_export_options *opts, struct slw_buf *out, struct slw_error *err)
{
    struct writer w = {.stacks = stacks, .opts = opts, .out = out};
    int rc = slw_export_takes_any(stacks, opts, err);

    (void)run;
    if (rc < 0)
        return rc;
    struct slw_arena *arena = slw_arena_new();
    rc = write(&w, arena);
    slw_arena_free(arena);
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory to write the stacks") : 0;
}

const struct slw_exporter slw_exporter_speedscope = {
    .name = "speedscope",
    .summary = "speedscope's JSON with every event",
    .extension = "speedscope.json",
    .needs_stacks = true,
    .export = export,
};
