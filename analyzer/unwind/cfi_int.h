/* SPDX-License-Identifier: MIT */
/* Shared by the cfi_*.c files: reading the bytes, and the state a program computes. */
#ifndef SLW_ANALYZER_UNWIND_CFI_INT_H
#define SLW_ANALYZER_UNWIND_CFI_INT_H

#include "analyzer/unwind/cfi.h"

#include <string.h>

/* ---- bytes; both machines are little-endian ---- */

struct slw_cfi_cursor {
    const uint8_t *at, *end;
    bool bad; /* something did not fit; whatever was read since is 0 */
};

static inline uint64_t slw_cfi_fixed(struct slw_cfi_cursor *c, size_t bytes)
{
    uint64_t value = 0;

    if ((size_t)(c->end - c->at) < bytes) {
        c->bad = true;
        c->at = c->end;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)c->at[i] << 8 * i;
    c->at += bytes;
    return value;
}

static inline uint8_t slw_cfi_byte(struct slw_cfi_cursor *c)
{
    return (uint8_t)slw_cfi_fixed(c, 1);
}

static inline uint64_t slw_cfi_leb(struct slw_cfi_cursor *c, bool is_signed)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = slw_cfi_byte(c);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += shift < 64 ? 7 : 0;
    } while ((byte & 0x80) && !c->bad);
    if (is_signed && shift < 64 && (byte & 0x40))
        value |= UINT64_MAX << shift;
    return c->bad ? 0 : value;
}

static inline uint64_t slw_cfi_uleb(struct slw_cfi_cursor *c)
{
    return slw_cfi_leb(c, false);
}

static inline int64_t slw_cfi_sleb(struct slw_cfi_cursor *c)
{
    return (int64_t)slw_cfi_leb(c, true);
}

static inline const uint8_t *slw_cfi_block(struct slw_cfi_cursor *c, uint64_t bytes)
{
    const uint8_t *block = c->at;

    if ((uint64_t)(c->end - c->at) < bytes) {
        c->bad = true;
        bytes = (uint64_t)(c->end - c->at);
    }
    c->at += bytes;
    return block;
}

/* ---- what a program computes ---- */

struct slw_cfi_value {
    enum slw_cfi_how how;
    uint64_t reg;
    int64_t value;
    const uint8_t *expression;
    uint64_t expression_bytes;
};

struct slw_cfi_state {
    struct slw_cfi_value cfa, fp, ra, sp;
    struct slw_cfi_saves saves;
    bool is_signed;
};

/* What entries of code share. */
struct slw_cfi_common {
    uint64_t at; /* in its section */
    uint64_t code_align;
    int64_t data_align;
    uint64_t return_register;
    uint8_t encoding; /* of addresses in entries */
    bool sized;       /* entries have augmentation data, with its length */
    bool signal, usable;
    struct slw_cfi_state initial;
};

/* A stretch of code and the program that describes it. */
struct slw_cfi_entry {
    uint64_t address, bytes;
    uint32_t offset; /* in the file */
    uint32_t common, section;
    const uint8_t *program, *program_end;
    const uint8_t *section_bytes; /* with section_address: what addresses in the program are */
    uint64_t section_address;     /* relative to */
};

struct slw_cfi_entries {
    struct slw_cfi_common *commons;
    size_t common_count, common_capacity;
    struct slw_cfi_entry *entries;
    size_t count, capacity;
    uint32_t bad;
};
#define SLW_MAX_CFI_ENTRIES ((size_t)1 << 23)

/* cfi_entries.c: those of one section that describe code in the segments. 0 or -SLW_E_x. */
int slw_cfi_read_entries(const struct slw_cfi_source *source, uint32_t section,
                         struct slw_cfi_entries *entries);
void slw_cfi_entries_release(struct slw_cfi_entries *entries);

/* An address encoded as `encoding` (DW_EH_PE_*), bytes being mapped at address; marks the cursor
 * bad where the encoding is one that code is not described with. */
uint64_t slw_cfi_encoded(struct slw_cfi_cursor *c, uint8_t encoding, const uint8_t *bytes,
                         uint64_t address);

/* cfi_program.c: run a program from a state on. For each stretch the function is told its first
 * address and its state; it returns 0 or -SLW_E_x. -SLW_E_FORMAT: the program cannot be followed.
 * entry == NULL: of the common part, which tells nothing of addresses. */
typedef int (*slw_cfi_state_fn)(void *ctx, uint64_t address, const struct slw_cfi_state *state);
int slw_cfi_run(enum slw_cfi_machine machine, const struct slw_cfi_common *common,
                const struct slw_cfi_entry *entry, struct slw_cfi_cursor program,
                struct slw_cfi_state *state, slw_cfi_state_fn fn, void *ctx);

/* cfi_rows.c: the table as it grows. */
struct slw_cfi_builder;
struct slw_cfi_builder *slw_cfi_builder_new(enum slw_cfi_machine machine);
void slw_cfi_builder_free(struct slw_cfi_builder *b);
/* From this offset on, which is not below the last, code is described so; 0 or -SLW_E_x. */
int slw_cfi_add_state(struct slw_cfi_builder *b, uint32_t offset, const struct slw_cfi_state *state,
                      bool signal);
int slw_cfi_add_row(struct slw_cfi_builder *b, uint32_t offset, enum slw_cfi_kind kind);
/* Forget what was said from this offset on. */
void slw_cfi_take_back(struct slw_cfi_builder *b, uint32_t offset);
/* One heap block that all of the table is part of; the builder is used up. */
int slw_cfi_finish(struct slw_cfi_builder *b, struct slw_cfi_table *ret_table);

#endif
