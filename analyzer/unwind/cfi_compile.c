/* SPDX-License-Identifier: MIT */
#include "analyzer/unwind/cfi.h"

#include "analyzer/unwind/cfi_int.h"

#include <stdlib.h>

/* By place; of one place, the section that is believed first. */
static int by_offset(const void *a, const void *b)
{
    const struct slw_cfi_entry *x = a, *y = b;

    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (x->section > y->section) - (x->section < y->section);
}

/* Linkers sort most sections already. */
static void sort_entries(struct slw_cfi_entries *e)
{
    for (size_t i = 1; i < e->count; i++)
        if (by_offset(&e->entries[i - 1], &e->entries[i]) > 0) {
            qsort(e->entries, e->count, sizeof(*e->entries), by_offset);
            return;
        }
}

struct compiling {
    struct slw_cfi_builder *builder;
    const struct slw_cfi_entry *entry;
    bool signal;
};

/* What a program says beyond the end of its code is of no code. */
static int on_state(void *ctx, uint64_t address, const struct slw_cfi_state *state)
{
    const struct compiling *c = ctx;
    uint64_t into = address - c->entry->address;

    if (into >= c->entry->bytes)
        return 0;
    return slw_cfi_add_state(c->builder, c->entry->offset + (uint32_t)into, state, c->signal);
}

/* Nothing calls the code that the system starts a program with. Some loaders' and C libraries' has
 * no description that would say so: then it is said of as much as such code is long, or as much of
 * it as no description covers. */
#define ENTRY_BYTES 128

static int add_outer(struct slw_cfi_builder *b, uint64_t entry, uint64_t covered, uint64_t next)
{
    uint64_t end = entry + ENTRY_BYTES < next ? entry + ENTRY_BYTES : next;

    if (entry < covered || entry >= next)
        return 0;
    int rc = slw_cfi_add_row(b, (uint32_t)entry, SLW_CFI_OUTER);
    return rc < 0 ? rc : slw_cfi_add_row(b, (uint32_t)end, SLW_CFI_GAP);
}

/* Of a program that breaks off nothing is believed. */
static int compile_entry(struct slw_cfi_builder *b, const struct slw_cfi_entries *entries,
                         const struct slw_cfi_entry *entry, enum slw_cfi_machine machine,
                         uint32_t *bad)
{
    const struct slw_cfi_common *common = &entries->commons[entry->common];
    struct slw_cfi_state state = common->initial;
    struct slw_cfi_cursor program = {.at = entry->program, .end = entry->program_end};
    struct compiling c = {b, entry, common->signal};
    int rc = slw_cfi_run(machine, common, entry, program, &state, on_state, &c);

    if (rc == -SLW_E_FORMAT) {
        slw_cfi_take_back(b, entry->offset);
        ++*bad;
        rc = slw_cfi_add_row(b, entry->offset, SLW_CFI_BAD);
    }
    if (rc == 0)
        rc = slw_cfi_add_row(b, entry->offset + (uint32_t)entry->bytes, SLW_CFI_GAP);
    return rc;
}

static int compile_entries(struct slw_cfi_builder *b, struct slw_cfi_entries *entries,
                           enum slw_cfi_machine machine, uint64_t start)
{
    uint64_t covered = 0; /* by what came first */
    int rc = 0;

    sort_entries(entries);
    for (size_t i = 0; rc == 0 && i < entries->count; i++) {
        const struct slw_cfi_entry *e = &entries->entries[i];

        if (e->offset < covered)
            continue;
        rc = add_outer(b, start, covered, e->offset);
        if (rc == 0)
            rc = compile_entry(b, entries, e, machine, &entries->bad);
        covered = (uint64_t)e->offset + e->bytes;
    }
    return rc < 0 ? rc : add_outer(b, start, covered, UINT32_MAX);
}

/* UINT32_MAX: there is none. */
static uint64_t entry_offset(const struct slw_cfi_source *source)
{
    for (size_t i = 0; source->entry != 0 && i < source->segment_count; i++) {
        const struct slw_cfi_segment *s = &source->segments[i];
        uint64_t into = source->entry - s->address;

        if (source->entry >= s->address && into < s->bytes && s->offset < UINT32_MAX - into)
            return s->offset + into;
    }
    return UINT32_MAX;
}

int slw_cfi_compile(const struct slw_cfi_source *source, struct slw_cfi_table *ret_table,
                    struct slw_error *err)
{
    struct slw_cfi_entries entries = {0};
    struct slw_cfi_builder *b = slw_cfi_builder_new(source->machine);
    int rc = b ? 0 : -SLW_E_NOMEM;

    for (size_t i = 0; rc == 0 && i < source->section_count; i++)
        rc = slw_cfi_read_entries(source, (uint32_t)i, &entries);
    if (rc == 0)
        rc = compile_entries(b, &entries, source->machine, entry_offset(source));
    if (rc == 0)
        rc = slw_cfi_finish(b, ret_table);
    if (rc == 0)
        ret_table->bad_entries = entries.bad;
    slw_cfi_entries_release(&entries);
    slw_cfi_builder_free(b);
    return rc < 0 ? slw_fail(err, (enum slw_code) - rc, "no table of the call frame information")
                  : 0;
}

void slw_cfi_table_release(struct slw_cfi_table *t)
{
    free(t->owned);
    *t = (struct slw_cfi_table){0};
}

/* Without branches that depend on the data: each would be guessed wrong every other time. */
const struct slw_cfi_row *slw_cfi_find(const struct slw_cfi_table *t, uint64_t offset)
{
    const struct slw_cfi_row *row = t->rows;
    uint32_t count = t->row_count;

    if (count == 0 || offset < row->offset || offset > UINT32_MAX)
        return NULL;
    while (count > 1) {
        uint32_t half = count / 2;
        row += row[half].offset <= offset ? half : 0;
        count -= half;
    }
    return row;
}
