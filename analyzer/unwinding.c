/* SPDX-License-Identifier: MIT */
#include "analyzer/unwinding.h"

#include "analyzer/format.h"
#include "analyzer/json_value.h"

#include <jansson.h>

const char *slw_unwound_words(enum slw_unwound_end end)
{
    static const char *const words[] = {
#define SLW_UNWOUND(id, key, text) text,
#include "record/unwound.def"
#undef SLW_UNWOUND
    };

    return words[end];
}

size_t slw_unwinding_failures(const struct slw_unwinding *u,
                              enum slw_unwound_end ret_ends[SLW_UNWOUND_COUNT])
{
    size_t count = 0;

    for (int i = 0; i < SLW_UNWOUND_COUNT; i++) {
        size_t at = count;

        if (i == SLW_UNWOUND_COMPLETE || u->ends[i] == 0)
            continue;
        for (; at > 0 && u->ends[ret_ends[at - 1]] < u->ends[i]; at--)
            ret_ends[at] = ret_ends[at - 1];
        ret_ends[at] = (enum slw_unwound_end)i;
        count++;
    }
    return count;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100 * (double)part / (double)whole : 0;
}

/* 99.96 % of many is not all of them: never rounded to what it is not. */
static void put_percent(struct slw_buf *out, uint64_t part, uint64_t whole)
{
    double p = percent(part, whole);

    if (part == whole)
        slw_buf_puts(out, "100 %");
    else
        slw_buf_printf(out, "%.1f %%", p > 99.9 ? 99.9 : p);
}

void slw_unwinding_line(struct slw_buf *out, const struct slw_unwinding *u)
{
    uint64_t stacks = slw_unwinding_stacks(u);
    enum slw_unwound_end ends[SLW_UNWOUND_COUNT];
    size_t count = slw_unwinding_failures(u, ends);

    slw_buf_puts(out, "stacks: ");
    slw_format_integer(out, stacks);
    slw_buf_printf(out, " copied with %s (", u->event);
    slw_format_integer(out, u->copy_bytes / 1024);
    slw_buf_puts(out, " KiB each), ");
    put_percent(out, u->ends[SLW_UNWOUND_COMPLETE], stacks);
    slw_buf_puts(out, " complete");
    for (size_t i = 0; i < count; i++) {
        slw_buf_puts(out, i == 0 ? "; " : ", ");
        slw_format_integer(out, u->ends[ends[i]]);
        slw_buf_printf(out, " (%.1f %%) %s", percent(u->ends[ends[i]], stacks),
                       slw_unwound_words(ends[i]));
    }
    if (u->by_frame_pointer > 0) {
        slw_buf_puts(out, "; ");
        slw_format_integer(out, u->by_frame_pointer);
        slw_buf_puts(out, " in part by frame pointers");
    }
}

static json_t *failures_json(struct slw_json *j, const struct slw_unwinding *u)
{
    static const char *const keys[] = {
#define SLW_UNWOUND(id, key, text) #key,
#include "record/unwound.def"
#undef SLW_UNWOUND
    };
    enum slw_unwound_end ends[SLW_UNWOUND_COUNT];
    size_t count = slw_unwinding_failures(u, ends);
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *o = json_object();

        slw_json_put_text(j, o, "cause", keys[ends[i]]);
        slw_json_put_text(j, o, "words", slw_unwound_words(ends[i]));
        slw_json_put(j, o, "stacks", slw_json_integer(u->ends[ends[i]]));
        slw_json_push(j, array, o);
    }
    return array;
}

json_t *slw_unwinding_json(const struct slw_run *run)
{
    json_t *array = json_array();
    struct slw_json j = {0};

    for (size_t i = 0; i < run->unwinding_count; i++) {
        const struct slw_unwinding *u = &run->unwindings[i];
        json_t *o = json_object();

        slw_json_put_text(&j, o, "event", u->event);
        slw_json_put(&j, o, "copy_bytes", slw_json_integer(u->copy_bytes));
        slw_json_put(&j, o, "stacks", slw_json_integer(slw_unwinding_stacks(u)));
        slw_json_put(&j, o, "complete", slw_json_integer(u->ends[SLW_UNWOUND_COMPLETE]));
        slw_json_put(&j, o, "by_frame_pointer", slw_json_integer(u->by_frame_pointer));
        slw_json_put(&j, o, "failures", failures_json(&j, u));
        slw_json_push(&j, array, o);
    }
    return slw_json_done(&j, array);
}
