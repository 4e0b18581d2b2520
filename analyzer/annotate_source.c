/* SPDX-License-Identifier: MIT */
/* What instructions weigh, line by line, beside the text of the lines. */
#include "analyzer/annotate_int.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_SOURCE_BYTES ((size_t)16 << 20) /* sqlite3.c has 9 MB */
#define CONTEXT          2                  /* lines around those that have instructions */

static int by_line(const void *a, const void *b)
{
    const struct slw_annotated_line *x = a, *y = b;

    return (x->line > y->line) - (x->line < y->line);
}

/* One entry for each line that has instructions. */
static size_t collect(const struct slw_annotation *a, uint32_t source,
                      struct slw_annotated_line *lines)
{
    size_t count = 0, out = 0;

    for (size_t i = 0; i < a->instruction_count; i++) {
        const struct slw_annotated_instruction *n = &a->instructions[i];
        if (n->source == source && n->line > 0)
            lines[count++] =
                (struct slw_annotated_line){.line = n->line, .self = n->self, .total = n->total};
    }
    if (count > 1)
        qsort(lines, count, sizeof(*lines), by_line);
    for (size_t i = 0; i < count; i++) {
        if (out > 0 && lines[out - 1].line == lines[i].line) {
            lines[out - 1].self += lines[i].self;
            lines[out - 1].total += lines[i].total;
        } else {
            lines[out++] = lines[i];
        }
    }
    return out;
}

/* NULL: read. */
static const char *read_source(struct slw_annotated_source *s, const struct stat *program,
                               char **ret_text)
{
    struct stat st;

    if (stat(s->path, &st) < 0)
        return "not here";
    if (!S_ISREG(st.st_mode))
        return "not a file";
    /* DWARF can name any file, and what is read here may be sent around as a report. */
    if (!(st.st_mode & S_IROTH) && st.st_uid != program->st_uid)
        return "not for everybody to read";
    if (slw_file_read(s->path, MAX_SOURCE_BYTES, ret_text, NULL, NULL) < 0)
        return "not readable, or too large";
    s->newer = st.st_mtim.tv_sec > program->st_mtim.tv_sec;
    return NULL;
}

/* Is a line shown: near enough to one that has instructions? *at goes along with the lines. */
static bool is_near(const struct slw_annotated_line *lines, size_t count, size_t *at, uint32_t line)
{
    while (*at < count && (uint64_t)lines[*at].line + CONTEXT < line)
        ++*at;
    return *at < count && lines[*at].line <= (uint64_t)line + CONTEXT;
}

/* The lines of `from` with their text, and some around them. */
static int add_text(struct slw_arena *arena, const char *text,
                    const struct slw_annotated_line *from, size_t count,
                    struct slw_annotated_source *to)
{
    size_t at = 0, next = 0;

    to->lines = slw_arena_array(arena, count * (2 * CONTEXT + 1) + 1, sizeof(*to->lines));
    if (!to->lines)
        return -SLW_E_NOMEM;
    for (uint32_t line = 1; *text != '\0' && line < UINT32_MAX - CONTEXT; line++) {
        size_t length = strcspn(text, "\n");
        if (is_near(from, count, &at, line)) {
            struct slw_annotated_line l = {.line = line};
            while (next < count && from[next].line < line)
                next++;
            if (next < count && from[next].line == line)
                l = from[next];
            l.text = slw_arena_strndup(arena, text, length);
            if (!l.text)
                return -SLW_E_NOMEM;
            to->lines[to->line_count++] = l;
        }
        text += length + (text[length] == '\n');
    }
    return 0;
}

static int annotate_source(struct slw_annotation *a, uint32_t source, const struct stat *program)
{
    struct slw_annotated_source *s = &a->sources[source];
    struct slw_annotated_line *lines =
        slw_arena_array(a->arena, a->instruction_count + 1, sizeof(*lines));
    char *SLW_AUTO(free) text = NULL;

    if (!lines)
        return -SLW_E_NOMEM;
    size_t count = collect(a, source, lines);
    s->absent = read_source(s, program, &text);
    if (!s->absent)
        return add_text(a->arena, text, lines, count, s);
    s->lines = lines;
    s->line_count = count;
    return 0;
}

int slw_annotate_sources(struct slw_annotation *a, const struct stat *program)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < a->source_count; i++)
        rc = annotate_source(a, i, program);
    return rc;
}
