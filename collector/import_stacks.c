/* SPDX-License-Identifier: MIT */
#include "collector/import_stacks.h"

#include "base/arena.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int slw_stack_import_start(struct slw_stack_import *in, const char *path)
{
    *in = (struct slw_stack_import){.path = path};
    in->arena = slw_arena_new();
    const int rc = slw_run_new(&in->run, &in->stop);
    if (rc < 0 || !in->arena)
        return slw_fail(&in->stop, SLW_E_NOMEM, "no memory for an imported run");
    in->run->command.kind = SLW_TARGET_IMPORT;
    in->run->tool = slw_run_str(in->run, "slotwise " SLW_VERSION);
    return in->run->tool ? 0 : slw_fail(&in->stop, SLW_E_NOMEM, "no memory for an imported run");
}

int slw_stack_import_column(struct slw_stack_import *in, const struct slw_column *column,
                            uint32_t *ret_column)
{
    int rc;

    if (in->stacks)
        rc = slw_stacks_add_column(in->stacks, column);
    else
        rc = slw_stacks_new(column, 1, &in->stacks, &in->stop);
    if (rc == 0)
        *ret_column = (uint32_t)slw_stacks_column_count(in->stacks) - 1;
    return slw_stack_import_check(in, rc);
}

int slw_stack_import_stop(struct slw_stack_import *in, enum slw_code code, size_t offset,
                          const char *fmt, ...)
{
    va_list ap;

    slw_error_at(&in->stop, "%s, offset 0x%zx", in->path, offset);
    va_start(ap, fmt);
    const int rc = slw_vfail(&in->stop, code, fmt, ap);
    va_end(ap);
    return rc;
}

int slw_import_stop(struct slw_stack_import *in, enum slw_code code, const char *fmt, ...)
{
    va_list ap;

    slw_error_at(&in->stop, "%s:%zu", in->path, in->line);
    va_start(ap, fmt);
    const int rc = slw_vfail(&in->stop, code, fmt, ap);
    va_end(ap);
    return rc;
}

int slw_stack_import_check(struct slw_stack_import *in, int rc)
{
    if (rc >= 0)
        return rc;
    slw_error_at(&in->stop, "%s", in->path);
    if (rc == -SLW_E_RANGE)
        return slw_fail(&in->stop, SLW_E_RANGE, "the weights add up to more than 63 bits");
    if (rc == -SLW_E_LIMIT)
        return slw_fail(&in->stop, SLW_E_LIMIT, "more stacks or events than slotwise can hold");
    return slw_fail(&in->stop, SLW_E_NOMEM, "no memory for the imported stacks");
}

int slw_stack_import_add(struct slw_stack_import *in, const uint32_t *frames, size_t depth,
                         uint32_t thread, const uint64_t *weights)
{
    if (depth > SLW_MAX_STACK_DEPTH) {
        depth = SLW_MAX_STACK_DEPTH;
        in->cut++;
    }
    const int rc = slw_stacks_add(in->stacks, frames, depth, thread, weights);
    in->samples += rc == 0;
    return slw_stack_import_check(in, rc);
}

/* ---- lines ---- */

/* The line as a string of its own, in *line of *room bytes, which grows. */
static int copy_line(const char *from, size_t length, char **line, size_t *room)
{
    if (length >= *room) {
        char *more = realloc(*line, length + 256);

        if (!more)
            return -SLW_E_NOMEM;
        *line = more;
        *room = length + 256;
    }
    memcpy(*line, from, length);
    (*line)[length] = '\0';
    return 0;
}

int slw_import_lines(struct slw_stack_import *in, const char *bytes, size_t length,
                     slw_import_line_fn read, void *reader)
{
    const char *p = bytes, *end = bytes + length;
    char *line = NULL;
    size_t room = 0;
    int rc = 0;

    while (rc >= 0 && p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const size_t n = (size_t)((newline ? newline : end) - p);

        in->line++;
        if (memchr(p, '\0', n))
            rc = slw_import_stop(in, SLW_E_FORMAT, "a NUL byte: this is not text");
        else if (copy_line(p, n, &line, &room) < 0)
            rc = slw_import_stop(in, SLW_E_NOMEM, "no memory for a line");
        else
            rc = read(reader, line, newline != NULL);
        p = newline ? newline + 1 : end;
    }
    free(line);
    return rc < 0 ? rc : 0;
}

/* ---- the end ---- */

/* What a file may be to blame for; a want of memory is not. */
static bool is_of_the_data(int rc)
{
    return rc == -SLW_E_FORMAT || rc == -SLW_E_RANGE || rc == -SLW_E_LIMIT || rc == -SLW_E_INVAL ||
           rc == -SLW_E_VERSION;
}

static int note_ends(struct slw_stack_import *in, int stopped)
{
    int rc = 0;

    if (stopped < 0)
        rc = slw_run_note(in->run, SLW_NOTE_WARNING, "partial-import",
                          "see what is wrong with the file there; numbers are those of its "
                          "beginning",
                          "partial: reading stopped at %.200s: %.300s; the %" PRIu64
                          " samples before it were kept",
                          in->stop.where, in->stop.text, in->samples);
    if (rc == 0 && in->cut > 0)
        rc = slw_run_note(in->run, SLW_NOTE_WARNING, "stack-cut", NULL,
                          "%" PRIu64 " stacks are deeper than %d frames and lost their root end",
                          in->cut, SLW_MAX_STACK_DEPTH);
    return rc;
}

static int finish(struct slw_stack_import *in, int rc)
{
    if (rc == 0 && in->samples == 0)
        rc = slw_stack_import_stop(in, SLW_E_NODATA, 0, "'%s' holds no samples", in->path);
    if (rc < 0 && (in->samples == 0 || !is_of_the_data(rc)))
        return rc;
    if (note_ends(in, rc) < 0)
        return slw_fail(&in->stop, SLW_E_NOMEM, "no memory for an imported run");
    if (rc < 0)
        in->stop = (struct slw_error){0};
    rc = slw_import_samplings(in->run, in->stacks, &in->stop);
    if (rc < 0)
        slw_error_at(&in->stop, "%s", in->path);
    return rc;
}

int slw_stack_import_end(struct slw_stack_import *in, int rc, struct slw_imported *ret_imported,
                         struct slw_error *err)
{
    rc = finish(in, rc);
    slw_arena_free(in->arena);
    if (rc >= 0) {
        *ret_imported = (struct slw_imported){.run = in->run, .stacks = in->stacks};
        return 0;
    }
    slw_stacks_free(in->stacks);
    slw_run_free(in->run);
    if (err && err->code == SLW_E_OK)
        *err = in->stop;
    return rc;
}

/* ---- names ---- */

static bool has_part(const char *s, const char *part)
{
    return strstr(s, part) != NULL;
}

enum slw_frame_kind slw_import_kind(const char *module)
{
    static const char *const user[] = {"[vdso",    "[vsyscall", "[heap",    "[stack",
                                       "[unknown", "[anon",     "[uprobes", "[vvar"};
    const char *slash = strrchr(module, '/'), *base = slash ? slash + 1 : module;

    if (strncmp(base, "vmlinux", 7) == 0 || has_part(base, ".ko"))
        return SLW_FRAME_KERNEL;
    if (strncmp(module, "//anon", 6) == 0 ||
        (strncmp(base, "perf-", 5) == 0 && has_part(base, ".map")))
        return SLW_FRAME_OTHER; /* generated code */
    if (module[0] != '[')
        return SLW_FRAME_USER;
    for (size_t i = 0; i < sizeof(user) / sizeof(user[0]); i++)
        if (strncmp(module, user[i], strlen(user[i])) == 0)
            return SLW_FRAME_USER;
    return SLW_FRAME_KERNEL;
}

int slw_import_samplings(struct slw_run *run, const struct slw_stacks *s, struct slw_error *err)
{
    for (size_t i = 0; i < slw_stacks_column_count(s); i++) {
        const struct slw_column *c = slw_stacks_column(s, i);
        const int counts = slw_stacks_find_column(s, c->event, "count");

        if (strcmp(c->unit, "count") == 0 && counts == (int)i &&
            slw_stacks_find_column(s, c->event, NULL) != (int)i)
            continue;
        const struct slw_sampling sampling = {
            .event = c->event,
            .unit = c->unit,
            .from = c->from,
            .samples = counts >= 0 ? slw_stacks_total(s, (size_t)counts) : 0,
            .weight = slw_stacks_total(s, i),
        };
        const int rc = slw_run_add_sampling(run, &sampling, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}
