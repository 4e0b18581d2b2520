/* SPDX-License-Identifier: MIT */
/* Brendan Gregg's folded stacks: one line a distinct stack, root first, frames joined by ';', then
 * a blank and the weight. Thread name first and kernel frames marked _[k], as stackcollapse-perf
 * does; _[i] marks inlined and _[j] other frames. Source: FlameGraph's stackcollapse scripts.
 *
 * The format has no escapes. A ';' inside a name becomes ':', control characters become blanks,
 * and a blank before a second number or a '#' that would open a comment becomes '_': names may
 * lose, weights never do. Lines that become equal this way are added up. */
#include "flamegraph/export_parts.h"

#include "base/hash.h"
#include "flamegraph/tree_names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct line {
    size_t offset, length; /* in the text */
    uint64_t weight;
};

/* A frame as it stands in a line. */
struct label {
    size_t offset, length; /* in the labels; length 0: not made yet */
};

struct folder {
    const struct slw_stacks *stacks;
    size_t column;
    struct slw_buf label_text;
    struct label *labels; /* by frame */
    struct slw_buf text;  /* the stacks of all lines, one after the other, each with a NUL */
    struct line *lines;
    uint32_t count;
    struct slw_index index;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void put_name(struct slw_buf *out, const char *name)
{
    for (; *name; name++) {
        const unsigned char c = (unsigned char)*name;

        if (c == ';')
            slw_buf_putc(out, ':');
        else
            slw_buf_putc(out, c < 0x20 || c == 0x7F ? ' ' : (char)c);
    }
}

static const char *suffix(const struct slw_frame *f)
{
    switch (f->kind) {
    case SLW_FRAME_USER:
        return f->inlined ? "_[i]" : "";
    case SLW_FRAME_KERNEL:
        return f->inlined ? "_[i]_[k]" : "_[k]";
    case SLW_FRAME_OTHER:
        break;
    }
    return f->inlined ? "_[i]_[j]" : "_[j]";
}

/* A frame is in many stacks: its words are put together once. */
static void make_label(struct folder *b, uint32_t id, struct label *to)
{
    const struct slw_frame f = slw_stacks_frame(b->stacks, id);
    const char *module =
        f.mapping == SLW_NO_MAPPING ? "" : slw_stacks_mapping(b->stacks, f.mapping).path;
    const struct slw_tree_label label = slw_tree_frame_label(f.function, module);

    to->offset = b->label_text.length;
    slw_buf_puts(&b->label_text, label.open);
    put_name(&b->label_text, label.text);
    slw_buf_puts(&b->label_text, label.close);
    slw_buf_puts(&b->label_text, suffix(&f));
    to->length = b->label_text.length - to->offset;
}

static void put_frame(struct folder *b, uint32_t id)
{
    struct label *label = &b->labels[id];

    if (label->length == 0)
        make_label(b, id, label);
    if (label->length > 0)
        slw_buf_put(&b->text, b->label_text.data + label->offset, label->length);
}

/* Readers take a trailing " 5" for a count and a leading "# " for a comment. */
static void disarm(char *stack, size_t length)
{
    size_t end = length;

    if (stack[0] == '#' && (length == 1 || stack[1] == ' '))
        stack[0] = '_';
    while (end > 0 && is_digit(stack[end - 1]))
        end--;
    if (end > 0 && end < length && stack[end - 1] == ' ')
        stack[end - 1] = '_';
}

/* Append the words of one stack to the text. */
static int put_stack(struct folder *b, const struct slw_stack *stack)
{
    const size_t start = b->text.length;

    if (stack->thread != SLW_NO_THREAD) {
        const char *comm = slw_stacks_thread(b->stacks, stack->thread).comm;
        put_name(&b->text, comm[0] ? comm : "[unknown]");
    } else if (stack->depth == 0) {
        slw_buf_puts(&b->text, "[unknown]");
    }
    for (size_t i = stack->depth; i-- > 0;) {
        if (b->text.length > start)
            slw_buf_putc(&b->text, ';');
        put_frame(b, stack->frames[i]);
    }
    if (slw_buf_failed(&b->text) || slw_buf_failed(&b->label_text))
        return -SLW_E_NOMEM;
    disarm(b->text.data + start, b->text.length - start);
    slw_buf_putc(&b->text, '\0');
    return slw_buf_failed(&b->text) ? -SLW_E_NOMEM : 0;
}

static bool line_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct folder *b = ctx;
    const struct line *a = &b->lines[position], *k = key;

    return a->length == k->length &&
           memcmp(b->text.data + a->offset, b->text.data + k->offset, k->length) == 0;
}

static int add_stack(struct folder *b, const struct slw_stack *stack)
{
    struct line line = {.offset = b->text.length, .weight = stack->weights[b->column]};
    uint32_t position;

    if (line.weight == 0)
        return 0;
    if (put_stack(b, stack) < 0)
        return -SLW_E_NOMEM;
    line.length = b->text.length - 1 - line.offset;
    const uint64_t hash = slw_hash_key(b->text.data + line.offset, line.length, 0);
    if (slw_index_find(&b->index, hash, line_equal, b, &line, &position)) {
        b->text.length = line.offset;
        /* A reader could not take a count past 2^63 back. */
        if (line.weight > (uint64_t)INT64_MAX - b->lines[position].weight)
            return -SLW_E_RANGE;
        b->lines[position].weight += line.weight;
        return 0;
    }
    b->lines[b->count] = line;
    return slw_index_add(&b->index, hash, b->count++);
}

struct entry {
    const char *stack;
    uint64_t weight;
};

static int compare(const void *left, const void *right)
{
    return strcmp(((const struct entry *)left)->stack, ((const struct entry *)right)->stack);
}

static int write_lines(const struct folder *b, struct slw_buf *out)
{
    struct entry *entries = calloc((size_t)b->count + 1, sizeof(*entries));

    if (!entries)
        return -SLW_E_NOMEM;
    for (uint32_t i = 0; i < b->count; i++)
        entries[i] = (struct entry){b->text.data + b->lines[i].offset, b->lines[i].weight};
    qsort(entries, b->count, sizeof(*entries), compare);
    for (uint32_t i = 0; i < b->count; i++) {
        slw_buf_puts(out, entries[i].stack);
        slw_buf_printf(out, " %" PRIu64 "\n", entries[i].weight);
    }
    free(entries);
    return slw_buf_failed(out) ? -SLW_E_NOMEM : 0;
}

static int fold(struct folder *b, struct slw_buf *out)
{
    const size_t count = slw_stacks_count(b->stacks);
    int rc = 0;

    b->lines = calloc(count + 1, sizeof(*b->lines));
    b->labels = calloc(slw_stacks_frame_count(b->stacks) + 1, sizeof(*b->labels));
    if (!b->lines || !b->labels)
        return -SLW_E_NOMEM;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct slw_stack stack = slw_stacks_get(b->stacks, i);
        rc = add_stack(b, &stack);
    }
    return rc < 0 ? rc : write_lines(b, out);
}

static int export(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_export_options *opts, struct slw_buf *out, struct slw_error *err)
{
    struct folder b = {.stacks = stacks};
    int rc = slw_export_column(stacks, opts, &b.column, err);

    (void)run;
    if (rc < 0)
        return rc;
    rc = fold(&b, out);
    slw_index_release(&b.index);
    slw_buf_release(&b.text);
    slw_buf_release(&b.label_text);
    free(b.labels);
    free(b.lines);
    if (rc == -SLW_E_RANGE)
        return slw_fail(err, SLW_E_RANGE, "a stack weighs more than 2^63 once names are folded");
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory to fold the stacks") : 0;
}

const struct slw_exporter slw_exporter_folded = {
    .name = "folded",
    .summary = "folded stacks, for flamegraph.pl, inferno and speedscope",
    .extension = "folded",
    .needs_stacks = true,
    .export = export,
};
