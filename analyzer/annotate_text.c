/* SPDX-License-Identifier: MIT */
#include "analyzer/annotate.h"
#include "analyzer/text.h"

#include <string.h>

#define MIN_COLUMNS  60
#define FILE_COLUMNS 240 /* of what is no terminal */

/* Share of the function's own weight; nothing where there is none. */
static void put_share(struct slw_buf *out, uint64_t weight, uint64_t of)
{
    if (weight == 0 || of == 0)
        slw_buf_puts(out, "        ");
    else
        slw_buf_printf(out, " %6.2f ", 100.0 * (double)weight / (double)of);
}

static void put_line(struct slw_buf *out, const struct slw_annotation *a,
                     const struct slw_annotated_line *l, size_t columns)
{
    put_share(out, l->self, a->self);
    put_share(out, l->total, a->total);
    slw_buf_printf(out, "%6u  ", l->line);
    if (l->text)
        slw_text_fit(out, l->text[0] ? l->text : " ", columns);
    slw_buf_putc(out, '\n');
}

static void put_source(struct slw_buf *out, const struct slw_annotation *a,
                       const struct slw_annotated_source *s, size_t columns)
{
    uint32_t last = 0;

    slw_buf_putc(out, '\n');
    slw_text_clean(out, s->path);
    if (s->absent)
        slw_buf_printf(out, " (%s)", s->absent);
    else if (s->newer)
        slw_buf_puts(out, " (changed since the program was built: lines may be others)");
    slw_buf_puts(out, "\n  self %  total %   line\n");
    for (size_t i = 0; i < s->line_count; i++) {
        if (last > 0 && s->lines[i].line > last + 1)
            slw_buf_puts(out, "                   ...\n");
        put_line(out, a, &s->lines[i], columns);
        last = s->lines[i].line;
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Told where it changes, so that the instructions stay readable. */
static void put_place(struct slw_buf *out, const struct slw_annotation *a,
                      const struct slw_annotated_instruction *i,
                      const struct slw_annotated_instruction *before, size_t columns)
{
    if (i->source == SLW_NO_SOURCE ||
        (before && before->source == i->source && before->line == i->line &&
         strcmp(before->inlined, i->inlined) == 0))
        return;
    slw_buf_puts(out, "                 ");
    slw_text_fit(out, base_name(a->sources[i->source].path), columns / 2);
    slw_buf_printf(out, ":%u", i->line);
    if (i->inlined[0]) {
        slw_buf_puts(out, " in ");
        slw_text_fit(out, i->inlined, columns / 2);
    }
    slw_buf_putc(out, '\n');
}

static void put_code(struct slw_buf *out, const struct slw_annotation *a, size_t columns)
{
    slw_buf_puts(out, "\nInstructions\n  self %  total %   address\n");
    for (size_t i = 0; i < a->instruction_count; i++) {
        const struct slw_annotated_instruction *n = &a->instructions[i],
                                               *before = i > 0 ? n - 1 : NULL;
        if (before && before->address + before->bytes != n->address) {
            slw_buf_puts(out, "                   ...\n");
            before = NULL;
        }
        put_place(out, a, n, before, columns);
        put_share(out, n->self, a->self);
        put_share(out, n->total, a->total);
        slw_buf_printf(out, "%8llx  ", (unsigned long long)n->address);
        slw_text_fit(out, n->text, columns);
        slw_buf_putc(out, '\n');
    }
}

static void put_head(struct slw_buf *out, const struct slw_annotation *a)
{
    const double all = a->all ? (double)a->all : 1;

    slw_text_clean(out, a->function);
    slw_buf_puts(out, " in ");
    slw_text_clean(out, a->module);
    slw_buf_printf(out, "\n%.2f %% of ", 100.0 * (double)a->self / all);
    slw_text_clean(out, a->event);
    slw_buf_printf(out, " is its own, %.2f %% with what it calls; below, shares of these.\n",
                   100.0 * (double)a->total / all);
    if (strcmp(a->function, a->linkage) != 0) {
        slw_buf_puts(out, "Linker's name: ");
        slw_text_clean(out, a->linkage);
        slw_buf_putc(out, '\n');
    }
    if (a->unchecked)
        slw_buf_puts(out, "The recording does not say which build ran: the program here may be "
                          "another.\n");
    slw_buf_puts(out, "An interrupt may come some instructions late: weight can stand behind what "
                      "caused it.\n");
}

void slw_annotation_text(const struct slw_annotation *a, int width, struct slw_buf *out)
{
    size_t columns = width > 0 ? (size_t)width : FILE_COLUMNS;

    columns = (columns < MIN_COLUMNS ? MIN_COLUMNS : columns) - 28;
    put_head(out, a);
    for (size_t i = 0; i < a->source_count; i++)
        put_source(out, a, &a->sources[i], columns);
    if (a->source_count == 0)
        slw_buf_puts(out, "\nNo source lines: the program has no DWARF that could be found.\n");
    put_code(out, a, columns);
}
