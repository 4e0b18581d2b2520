/* SPDX-License-Identifier: MIT */
/* Brendan Gregg's folded stacks: "root;...;leaf 123", one stack a line, names may hold blanks.
 * Suffixes as stackcollapse-perf writes them: _[k] kernel, _[i] inlined, _[j] other (JIT).
 * Not for differential folded stacks: they hold two profiles. The first name is often a thread
 * name, but nothing says so: it stays a frame. */
#include "collector/importer.h"

#include "base/arena.h"
#include "base/strtab.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct folded {
    const char *path;
    struct slw_stacks *stacks;
    struct slw_arena *arena;
    struct slw_strtab words; /* frame texts met; a frame is built once for each */
    uint32_t *frame_of;      /* word id -> frame id + 1; 0: not built yet */
    uint32_t frame_capacity;
    size_t line_number;
    size_t stack_lines, pair_lines; /* all; those that look like "stack n1 n2" */
    size_t cut_lines;               /* deeper than SLW_MAX_STACK_DEPTH */
    uint64_t total;
    struct slw_error *err;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

__attribute__((format(printf, 3, 4))) static int fail(struct folded *f, enum slw_code code,
                                                      const char *fmt, ...)
{
    va_list ap;

    slw_error_at(f->err, "%s:%zu", f->path, f->line_number);
    va_start(ap, fmt);
    const int rc = slw_vfail(f->err, code, fmt, ap);
    va_end(ap);
    return rc;
}

/* ---- one frame ---- */

static bool strip(const char *word, size_t *length, const char *suffix)
{
    const size_t n = strlen(suffix);

    if (*length <= n || memcmp(word + *length - n, suffix, n) != 0)
        return false;
    *length -= n;
    return true;
}

static int build_frame(struct folded *f, const char *word, uint32_t *ret_frame)
{
    struct slw_frame frame = {.mapping = SLW_NO_MAPPING};
    size_t length = strlen(word);

    if (strip(word, &length, "_[k]"))
        frame.kind = SLW_FRAME_KERNEL;
    else if (strip(word, &length, "_[j]"))
        frame.kind = SLW_FRAME_OTHER;
    frame.inlined = strip(word, &length, "_[i]");
    frame.function = slw_arena_strndup(f->arena, word, length);
    if (!frame.function)
        return -SLW_E_NOMEM;
    if (strcmp(frame.function, "[unknown]") == 0)
        frame.function = "";
    return slw_stacks_add_frame(f->stacks, &frame, ret_frame);
}

static int grow_frames(struct folded *f, uint32_t need)
{
    uint32_t capacity = f->frame_capacity ? f->frame_capacity : 256;

    while (capacity <= need) {
        if (capacity > UINT32_MAX / 2)
            return -SLW_E_NOMEM;
        capacity *= 2;
    }
    uint32_t *grown = realloc(f->frame_of, capacity * sizeof(*grown));
    if (!grown)
        return -SLW_E_NOMEM;
    memset(grown + f->frame_capacity, 0, (capacity - f->frame_capacity) * sizeof(*grown));
    f->frame_of = grown;
    f->frame_capacity = capacity;
    return 0;
}

static int find_frame(struct folded *f, const char *word, size_t length, uint32_t *ret_frame)
{
    uint32_t id;
    int rc = slw_strtab_intern(&f->words, word, length, &id);

    if (rc == 0 && id >= f->frame_capacity)
        rc = grow_frames(f, id);
    if (rc < 0)
        return rc;
    if (f->frame_of[id] == 0) {
        rc = build_frame(f, slw_strtab_get(&f->words, id), ret_frame);
        if (rc < 0)
            return rc;
        f->frame_of[id] = *ret_frame + 1;
    }
    *ret_frame = f->frame_of[id] - 1;
    return 0;
}

/* ---- one line ---- */

/* The frames of `stack`, leaf first. From the leaf, so that a too deep stack loses its root end,
 * as everywhere. */
static int read_frames(struct folded *f, const char *stack, size_t length, uint32_t *frames,
                       size_t *ret_depth)
{
    size_t end = length, depth = 0;

    for (;;) {
        const char *semicolon = memrchr(stack, ';', end);
        const size_t start = semicolon ? (size_t)(semicolon - stack) + 1 : 0;

        if (depth == SLW_MAX_STACK_DEPTH) {
            f->cut_lines++;
            break;
        }
        int rc = find_frame(f, stack + start, end - start, &frames[depth++]);
        if (rc < 0)
            return fail(f, (enum slw_code)(-rc), "no memory for the imported stacks");
        if (!semicolon)
            break;
        end = start - 1;
    }
    *ret_depth = depth;
    return 0;
}

/* The count at text[0..length), all of it digits. */
static int read_count(struct folded *f, const char *text, size_t length, uint64_t *ret_count)
{
    const int shown = (int)(length < 40 ? length : 40);
    uint64_t count = 0;

    if (text[0] == '-')
        return fail(f, SLW_E_FORMAT, "negative count '%.*s'", shown, text);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.')
            return fail(f, SLW_E_FORMAT, "fractional count '%.*s': counts are whole numbers", shown,
                        text);
        if (!is_digit(text[i]))
            return fail(f, SLW_E_FORMAT, "no count at the end of the line: '%.*s' is not a number",
                        shown, text);
        if (__builtin_mul_overflow(count, 10, &count) ||
            __builtin_add_overflow(count, (uint64_t)(text[i] - '0'), &count) || count > INT64_MAX)
            return fail(f, SLW_E_FORMAT, "count '%.*s' does not fit 63 bits", shown, text);
    }
    *ret_count = count;
    return 0;
}

/* "stack 12" before the count of "stack 12 34". */
static bool ends_in_number(const char *stack, size_t length)
{
    size_t end = length;

    while (end > 0 && is_digit(stack[end - 1]))
        end--;
    return end < length && end > 0 && is_blank(stack[end - 1]);
}

static int add_line(struct folded *f, const char *stack, size_t length, uint64_t count)
{
    uint32_t frames[SLW_MAX_STACK_DEPTH];
    size_t depth = 0;
    int rc = read_frames(f, stack, length, frames, &depth);

    if (rc < 0)
        return rc;
    rc = slw_stacks_add(f->stacks, frames, depth, SLW_NO_THREAD, &count);
    if (rc == -SLW_E_RANGE || __builtin_add_overflow(f->total, count, &f->total))
        return fail(f, SLW_E_RANGE, "the counts add up to more than 63 bits");
    if (rc < 0)
        return fail(f, (enum slw_code)(-rc), "%s",
                    rc == -SLW_E_LIMIT ? "more distinct stacks than slotwise can hold"
                                       : "no memory for the imported stacks");
    f->stack_lines++;
    if (ends_in_number(stack, length))
        f->pair_lines++;
    return 0;
}

static int read_line(struct folded *f, const char *line, size_t length)
{
    uint64_t count = 0;

    while (length > 0 && (is_blank(line[length - 1]) || line[length - 1] == '\r'))
        length--;
    if (length == 0)
        return 0;
    if (memchr(line, '\0', length))
        return fail(f, SLW_E_FORMAT, "a NUL byte: this is not text");
    if (line[0] == '#' && (length == 1 || is_blank(line[1])))
        return fail(f, SLW_E_FORMAT, "folded stacks have no comments: '%.*s'",
                    (int)(length < 40 ? length : 40), line);
    size_t start = length;
    while (start > 0 && !is_blank(line[start - 1]))
        start--;
    if (start == 0)
        return fail(f, SLW_E_FORMAT, "no count at the end of the line");
    if (start == 1)
        return fail(f, SLW_E_FORMAT, "no stack before the count");
    int rc = read_count(f, line + start, length - start, &count);
    return rc < 0 ? rc : add_line(f, line, start - 1, count);
}

static int read_lines(struct folded *f, const char *bytes, size_t length)
{
    const char *p = bytes, *end = bytes + length;

    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline ? newline : end;

        f->line_number++;
        /* A byte-order mark is no part of a name; there are several where files were joined. */
        while (stop - p >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
            p += 3;
        int rc = read_line(f, p, (size_t)(stop - p));
        if (rc < 0)
            return rc;
        p = newline ? newline + 1 : end;
    }
    f->line_number = 1;
    if (f->stack_lines == 0)
        return fail(f, SLW_E_NODATA, "'%s' holds no stacks", f->path);
    /* A name may end in a number, but then not all do. */
    if (f->pair_lines == f->stack_lines)
        return fail(f, SLW_E_FORMAT,
                    "every line has two counts: differential folded stacks hold two profiles; "
                    "import each of them alone");
    return 0;
}

/* ---- the run ---- */

static const struct slw_provenance provenance = {
    .source = SLW_SOURCE_SOFTWARE,
    .imported = true,
    .detail = "folded stacks: the file does not say what was measured or how"};

static int fill_run(const struct folded *f, struct slw_run *run, struct slw_error *err)
{
    const struct slw_sampling sampling = {.event = "samples",
                                          .unit = "count",
                                          .from = provenance,
                                          .samples = f->total,
                                          .weight = f->total};

    run->tool = slw_run_str(run, "slotwise " SLW_VERSION);
    run->command.kind = SLW_TARGET_IMPORT;
    if (!run->tool)
        return slw_fail(err, SLW_E_NOMEM, "no memory for an imported run");
    int rc = slw_run_add_sampling(run, &sampling, err);
    if (rc == 0)
        rc = slw_run_note(run, SLW_NOTE_INFO, "folded-import", NULL,
                          "folded stacks carry one number a stack and do not say what it counts; "
                          "it is shown as samples");
    if (rc == 0 && f->cut_lines > 0)
        rc = slw_run_note(run, SLW_NOTE_WARNING, "stack-cut", NULL,
                          "%zu stacks are deeper than %d frames and lost their root end",
                          f->cut_lines, SLW_MAX_STACK_DEPTH);
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for an imported run") : 0;
}

static int start(struct folded *f, struct slw_imported *imported)
{
    const struct slw_column column = {.event = "samples", .unit = "count", .from = provenance};
    int rc = slw_run_new(&imported->run, f->err);

    if (rc == 0)
        rc = slw_stacks_new(&column, 1, &imported->stacks, f->err);
    if (rc < 0)
        return rc;
    f->stacks = imported->stacks;
    f->arena = slw_arena_new();
    if (!f->arena || slw_strtab_init(&f->words, f->arena) < 0)
        return slw_fail(f->err, SLW_E_NOMEM, "no memory for the imported stacks");
    return 0;
}

static int import(const char *path, const void *bytes, size_t length,
                  struct slw_imported *ret_imported, struct slw_error *err)
{
    struct slw_imported imported = {0};
    struct folded f = {.path = path, .err = err};
    int rc = start(&f, &imported);

    if (rc == 0)
        rc = read_lines(&f, bytes, length);
    if (rc == 0)
        rc = fill_run(&f, imported.run, err);
    slw_strtab_release(&f.words);
    slw_arena_free(f.arena);
    free(f.frame_of);
    if (rc < 0) {
        slw_stacks_free(imported.stacks);
        slw_run_free(imported.run);
        return rc;
    }
    *ret_imported = imported;
    return 0;
}

/* ---- recognition ---- */

/* Does the first line end in something meant as a number? A bad one is recognised too, so that the
 * error can say what is wrong with it. */
static bool line_fits(const char *line, size_t length)
{
    while (length > 0 && (is_blank(line[length - 1]) || line[length - 1] == '\r'))
        length--;
    size_t start = length;
    while (start > 0 && !is_blank(line[start - 1]))
        start--;
    const bool number =
        start > 1 && (is_digit(line[start]) ||
                      (line[start] == '-' && start + 1 < length && is_digit(line[start + 1])));
    return line[0] != '{' && (number || memchr(line, ';', length));
}

static bool recognise(const void *head, size_t length)
{
    const char *p = head, *end = p + length;

    if (memchr(head, '\0', length))
        return false;
    while (p < end && (*p == '\n' || *p == '\r' || is_blank(*p)))
        p++;
    if (p == end || (*p == '#' && p + 1 < end && is_blank(p[1])))
        return false;
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    if (!newline && length >= SLW_IMPORT_HEAD_BYTES) /* one long line: its count is out of sight */
        return *p != '{' && memchr(p, ';', length - (size_t)(p - (const char *)head));
    return line_fits(p, (size_t)((newline ? newline : end) - p));
}

const struct slw_importer slw_importer_folded = {
    .name = "folded",
    .summary = "folded stacks of stackcollapse-*.pl, bcc, bpftrace and others",
    .recognise = recognise,
    .import = import,
};
