/* SPDX-License-Identifier: MIT */
#include "flamegraph/export_parts.h"

#include "flamegraph/tree_names.h"
#include "record/text.h"

#include <string.h>

static int no_column(const struct slw_export_options *opts, struct slw_error *err)
{
    return slw_fail(err, SLW_E_NODATA, "the profile has no column for event '%s', unit '%s'",
                    opts && opts->event ? opts->event : "(first)",
                    opts && opts->unit ? opts->unit : "(its own)");
}

int slw_export_column(const struct slw_stacks *s, const struct slw_export_options *opts,
                      size_t *ret_column, struct slw_error *err)
{
    const int column =
        slw_stacks_find_column(s, opts ? opts->event : NULL, opts ? opts->unit : NULL);

    if (column < 0)
        return no_column(opts, err);
    *ret_column = (size_t)column;
    return 0;
}

bool slw_export_takes(const struct slw_stacks *s, const struct slw_export_options *opts,
                      size_t column)
{
    const struct slw_column *c = slw_stacks_column(s, column);

    return !opts || ((!opts->event || strcmp(opts->event, c->event) == 0) &&
                     (!opts->unit || strcmp(opts->unit, c->unit) == 0));
}

int slw_export_takes_any(const struct slw_stacks *s, const struct slw_export_options *opts,
                         struct slw_error *err)
{
    for (size_t i = 0; i < slw_stacks_column_count(s); i++)
        if (slw_export_takes(s, opts, i))
            return 0;
    return no_column(opts, err);
}

const char *slw_export_source(const struct slw_provenance *from)
{
    switch (from->source) {
    case SLW_SOURCE_SIMULATED:
        return from->imported ? "simulated, imported" : "simulated";
    case SLW_SOURCE_SOFTWARE:
        return from->imported ? "software, imported" : "software";
    case SLW_SOURCE_HARDWARE:
        break;
    }
    return from->imported ? "imported" : "";
}

void slw_export_put_column(struct slw_buf *out, const struct slw_column *column)
{
    const char *source = slw_export_source(&column->from);

    slw_buf_printf(out, "%s (%s%s%s)", column->event, column->unit, source[0] ? "; " : "", source);
}

bool slw_export_is_time(const struct slw_column *column)
{
    return strcmp(column->unit, "nanoseconds") == 0;
}

const char *slw_export_module(const struct slw_stacks *s, const struct slw_frame *f)
{
    return f->mapping == SLW_NO_MAPPING ? "" : slw_stacks_mapping(s, f->mapping).path;
}

void slw_export_put_label(struct slw_buf *out, const struct slw_stacks *s,
                          const struct slw_frame *f)
{
    const struct slw_tree_label label = slw_tree_frame_label(f->function, slw_export_module(s, f));

    slw_buf_puts(out, label.open);
    slw_buf_puts(out, label.text);
    slw_buf_puts(out, label.close);
}

const char *slw_export_comm(const struct slw_stacks *s, uint32_t thread)
{
    const char *comm = thread == SLW_NO_THREAD ? "" : slw_stacks_thread(s, thread).comm;

    return comm[0] ? comm : "[unknown]";
}

static void put_json_char(struct slw_buf *out, char c)
{
    const unsigned char u = (unsigned char)c;

    if (c == '"' || c == '\\') {
        slw_buf_putc(out, '\\');
        slw_buf_putc(out, c);
    } else if (u < 0x20 || u == 0x7F) {
        slw_buf_printf(out, "\\u%04x", u);
    } else {
        slw_buf_putc(out, c);
    }
}

void slw_export_put_json(struct slw_buf *out, const char *text)
{
    struct slw_buf escaped = {0};

    slw_text_escape(&escaped, text);
    slw_buf_putc(out, '"');
    for (size_t i = 0; i < escaped.length; i++)
        put_json_char(out, escaped.data[i]);
    slw_buf_putc(out, '"');
    out->failed = out->failed || escaped.failed;
    slw_buf_release(&escaped);
}

void slw_export_put_line(struct slw_buf *out, const char *text)
{
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;

        slw_buf_putc(out, c < 0x20 || c == 0x7F ? ' ' : *text);
    }
}
