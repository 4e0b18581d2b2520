/* SPDX-License-Identifier: MIT */
/* States to rows: what most code needs fits 8 bytes, the rest has a rule that equal rows share. */
#include "analyzer/unwind/cfi_int.h"
#include "base/hash.h"

#include <dwarf.h>
#include <stdlib.h>

#define NO_SAVES SLW_MAX_CFI_SAVES /* of a row: it is not known what was saved */

struct kept {
    uint32_t at, bytes; /* of an expression, among those of the table */
};

struct slw_cfi_builder {
    enum slw_cfi_machine machine;
    struct slw_cfi_row *rows;
    uint16_t *saves_of; /* by row */
    uint32_t count, capacity, saves_of_capacity;
    struct slw_cfi_saves *saves;
    uint32_t saves_count, saves_capacity;
    struct slw_index saves_index;
    struct slw_cfi_rule *rules;
    uint32_t rule_count, rule_capacity;
    struct slw_index rule_index;
    struct kept *kept;
    uint32_t kept_count, kept_capacity;
    struct slw_index kept_index;
    uint8_t *expressions;
    uint32_t expression_bytes, expression_capacity;
};

struct slw_cfi_builder *slw_cfi_builder_new(enum slw_cfi_machine machine)
{
    struct slw_cfi_builder *b = calloc(1, sizeof(*b));

    if (b)
        b->machine = machine;
    return b;
}

void slw_cfi_builder_free(struct slw_cfi_builder *b)
{
    if (!b)
        return;
    free(b->rows);
    free(b->saves_of);
    free(b->saves);
    slw_index_release(&b->saves_index);
    free(b->rules);
    free(b->kept);
    free(b->expressions);
    slw_index_release(&b->rule_index);
    slw_index_release(&b->kept_index);
    free(b);
}

static int reserve(void **array, uint32_t wanted, uint32_t *capacity, uint32_t limit, size_t bytes)
{
    uint32_t grown_to = *capacity ? *capacity : 256;

    if (wanted <= *capacity)
        return 0;
    if (wanted > limit)
        return -SLW_E_LIMIT;
    while (grown_to < wanted)
        grown_to *= 2;
    void *grown = realloc(*array, grown_to * bytes);
    if (!grown)
        return -SLW_E_NOMEM;
    *array = grown;
    *capacity = grown_to;
    return 0;
}

static bool same_row(const struct slw_cfi_row *a, const struct slw_cfi_row *b)
{
    return a->cfa == b->cfa && a->fp == b->fp && a->kind == b->kind;
}

/* A row at the place of the last one replaces it: what was said of no byte is forgotten. */
static int add_row(struct slw_cfi_builder *b, struct slw_cfi_row row, uint16_t saves)
{
    if (b->count > 0 && b->rows[b->count - 1].offset == row.offset)
        b->count--;
    if (b->count > 0 && same_row(&b->rows[b->count - 1], &row) &&
        b->saves_of[b->count - 1] == saves)
        return 0;
    int rc =
        reserve((void **)&b->rows, b->count + 1, &b->capacity, SLW_MAX_CFI_ROWS, sizeof(*b->rows));
    if (rc == 0)
        rc = reserve((void **)&b->saves_of, b->count + 1, &b->saves_of_capacity, SLW_MAX_CFI_ROWS,
                     sizeof(*b->saves_of));
    if (rc < 0)
        return rc;
    b->rows[b->count] = row;
    b->saves_of[b->count++] = saves;
    return 0;
}

int slw_cfi_add_row(struct slw_cfi_builder *b, uint32_t offset, enum slw_cfi_kind kind)
{
    return add_row(b, (struct slw_cfi_row){.offset = offset, .kind = (uint8_t)kind}, NO_SAVES);
}

void slw_cfi_take_back(struct slw_cfi_builder *b, uint32_t offset)
{
    while (b->count > 0 && b->rows[b->count - 1].offset >= offset)
        b->count--;
}

/* ---- rows ---- */

/* The stub of a procedure linkage table as the linker describes it: CFA = sp + 8, and 8 more once
 * its push, which ends at byte 10 or 11 of 16, has run. Source: elf_x86_64_eh_frame_plt in
 * bfd/elf64-x86-64.c. 0: it is something else. */
static int plt_threshold(const struct slw_cfi_value *cfa)
{
    static const uint8_t before[] = {DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and};
    static const uint8_t behind[] = {DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus};
    const uint8_t *e = cfa->expression;
    const size_t at = sizeof(before);

    if (cfa->how != SLW_CFI_EXPR_IS ||
        cfa->expression_bytes != sizeof(before) + 1 + sizeof(behind) ||
        memcmp(e, before, sizeof(before)) != 0 || memcmp(e + at + 1, behind, sizeof(behind)) != 0 ||
        e[at] <= DW_OP_lit0 || e[at] > DW_OP_lit15)
        return 0;
    return e[at] - DW_OP_lit0;
}

static bool stack_pointer_kind(const struct slw_cfi_builder *b, uint64_t reg, uint8_t *ret_kind)
{
    bool x86 = b->machine == SLW_CFI_X86_64;

    if (reg == (x86 ? SLW_X86_RSP : SLW_ARM_SP))
        *ret_kind = SLW_CFI_SP;
    else if (reg == (x86 ? SLW_X86_RBP : SLW_ARM_FP))
        *ret_kind = SLW_CFI_FP;
    else
        return false;
    return true;
}

static bool row_of_cfa(const struct slw_cfi_builder *b, const struct slw_cfi_state *s,
                       struct slw_cfi_row *row)
{
    int threshold = plt_threshold(&s->cfa);

    if (b->machine == SLW_CFI_X86_64 && threshold > 0) {
        row->kind = SLW_CFI_PLT;
        row->cfa = (int16_t)threshold;
        return true;
    }
    if (s->cfa.how != SLW_CFI_REG_PLUS || s->cfa.value % 8 != 0 || s->cfa.value / 8 > INT16_MAX ||
        s->cfa.value / 8 < INT16_MIN || !stack_pointer_kind(b, s->cfa.reg, &row->kind))
        return false;
    row->cfa = (int16_t)(s->cfa.value / 8);
    return true;
}

static bool row_of_fp(const struct slw_cfi_state *s, struct slw_cfi_row *row)
{
    const struct slw_cfi_value *fp = &s->fp;

    if (fp->how == SLW_CFI_SAME)
        row->fp = SLW_CFI_FP_SAME;
    else if (fp->how == SLW_CFI_LOST)
        row->fp = SLW_CFI_FP_LOST;
    else if (fp->how == SLW_CFI_CFA_AT && fp->value % 8 == 0 && fp->value < 0 &&
             fp->value / 8 > SLW_CFI_FP_LOST)
        row->fp = (int8_t)(fp->value / 8);
    else
        return false;
    return true;
}

static bool row_of_ra(const struct slw_cfi_builder *b, const struct slw_cfi_state *s,
                      struct slw_cfi_row *row)
{
    const struct slw_cfi_value *ra = &s->ra;

    if (b->machine == SLW_CFI_X86_64)
        return ra->how == SLW_CFI_CFA_AT && ra->value == -8;
    if (ra->how == SLW_CFI_SAME) {
        row->kind |= SLW_CFI_IN_LR;
        return true;
    }
    return ra->how == SLW_CFI_CFA_AT && s->fp.how == SLW_CFI_CFA_AT && ra->value == s->fp.value + 8;
}

/* ---- rules ---- */

struct expression_key {
    const uint8_t *bytes;
    uint32_t count;
};

static bool same_expression(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_cfi_builder *b = ctx;
    const struct expression_key *k = key;
    const struct kept *kept = &b->kept[position];

    return kept->bytes == k->count && memcmp(b->expressions + kept->at, k->bytes, k->count) == 0;
}

static int add_expression(struct slw_cfi_builder *b, const struct expression_key *k, uint64_t hash)
{
    const uint32_t used = b->expression_bytes;
    int rc = reserve((void **)&b->expressions, used + k->count, &b->expression_capacity,
                     SLW_MAX_CFI_EXPRESSION_BYTES, 1);

    if (rc == 0)
        rc = reserve((void **)&b->kept, b->kept_count + 1, &b->kept_capacity,
                     SLW_MAX_CFI_EXPRESSION_BYTES, sizeof(*b->kept));
    if (rc == 0 && slw_index_add(&b->kept_index, hash, b->kept_count) < 0)
        rc = -SLW_E_NOMEM;
    if (rc < 0)
        return rc == -SLW_E_LIMIT ? -SLW_E_FORMAT : rc;
    memcpy(b->expressions + used, k->bytes, k->count);
    b->kept[b->kept_count++] = (struct kept){used, k->count};
    b->expression_bytes += k->count;
    return 0;
}

static int keep_expression(struct slw_cfi_builder *b, const struct slw_cfi_value *v,
                           struct slw_cfi_place *p)
{
    const struct expression_key key = {v->expression, (uint32_t)v->expression_bytes};
    uint32_t position = b->kept_count;

    if (v->expression_bytes == 0 || v->expression_bytes > UINT16_MAX)
        return -SLW_E_FORMAT;
    uint64_t hash = slw_hash_bytes(key.bytes, key.count, 0);
    if (!slw_index_find(&b->kept_index, hash, same_expression, b, &key, &position)) {
        int rc = add_expression(b, &key, hash);
        if (rc < 0)
            return rc;
    }
    p->how = (uint8_t)v->how;
    p->expression_bytes = (uint16_t)v->expression_bytes;
    p->value = (int32_t)b->kept[position].at;
    return 0;
}

/* "reg + offset", and what is stored there: most expressions are no more. */
static bool simple_expression(const struct slw_cfi_value *v, struct slw_cfi_place *p)
{
    struct slw_cfi_cursor c = {.at = v->expression, .end = v->expression + v->expression_bytes};
    uint8_t op = slw_cfi_byte(&c);

    if (op < DW_OP_breg0 || op > DW_OP_breg31)
        return false;
    int64_t offset = slw_cfi_sleb(&c);
    bool address = v->how == SLW_CFI_EXPR_AT;
    if (c.at < c.end && v->how == SLW_CFI_EXPR_IS) {
        address = slw_cfi_byte(&c) == DW_OP_deref;
        if (!address)
            return false;
    }
    if (c.bad || c.at != c.end || offset > INT32_MAX || offset < INT32_MIN)
        return false;
    p->how = address ? SLW_CFI_REG_AT : SLW_CFI_REG_PLUS;
    p->reg = (uint8_t)(op - DW_OP_breg0);
    p->value = (int32_t)offset;
    return true;
}

static int place_of(struct slw_cfi_builder *b, const struct slw_cfi_value *v,
                    struct slw_cfi_place *p)
{
    if (v->how == SLW_CFI_EXPR_AT || v->how == SLW_CFI_EXPR_IS)
        return simple_expression(v, p) ? 0 : keep_expression(b, v, p);
    if (v->value > INT32_MAX || v->value < INT32_MIN || v->reg >= SLW_CFI_REGISTERS)
        return -SLW_E_FORMAT;
    p->how = (uint8_t)v->how;
    p->value = (int32_t)v->value;
    p->reg = (uint8_t)v->reg;
    return 0;
}

static bool same_rule(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_cfi_builder *b = ctx;

    return memcmp(&b->rules[position], key, sizeof(*b->rules)) == 0;
}

static int keep_rule(struct slw_cfi_builder *b, const struct slw_cfi_rule *rule,
                     uint32_t *ret_position)
{
    uint64_t hash = slw_hash_key(rule, sizeof(*rule), 0);

    if (slw_index_find(&b->rule_index, hash, same_rule, b, rule, ret_position))
        return 0;
    int rc = reserve((void **)&b->rules, b->rule_count + 1, &b->rule_capacity, SLW_MAX_CFI_RULES,
                     sizeof(*b->rules));
    if (rc < 0)
        return rc == -SLW_E_LIMIT ? -SLW_E_FORMAT : rc;
    if (slw_index_add(&b->rule_index, hash, b->rule_count) < 0)
        return -SLW_E_NOMEM;
    b->rules[b->rule_count] = *rule;
    *ret_position = b->rule_count++;
    return 0;
}

static int rule_row(struct slw_cfi_builder *b, const struct slw_cfi_state *s, bool signal,
                    struct slw_cfi_row *row)
{
    struct slw_cfi_rule rule = {.signal = signal};
    uint32_t position = 0;
    int rc = place_of(b, &s->cfa, &rule.cfa);

    if (rc == 0)
        rc = place_of(b, &s->fp, &rule.fp);
    if (rc == 0)
        rc = place_of(b, &s->ra, &rule.ra);
    if (rc == 0)
        rc = place_of(b, &s->sp, &rule.sp);
    if (rc == 0)
        rc = keep_rule(b, &rule, &position);
    row->kind = rc == 0 ? SLW_CFI_RULE : SLW_CFI_BAD;
    row->cfa = (int16_t)position;
    row->fp = 0;
    return rc == -SLW_E_FORMAT ? 0 : rc;
}

static bool same_saves(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_cfi_builder *b = ctx;

    return memcmp(&b->saves[position], key, sizeof(*b->saves)) == 0;
}

/* More sets than a row can name are not known. */
static int keep_saves(struct slw_cfi_builder *b, const struct slw_cfi_saves *saves,
                      uint16_t *ret_position)
{
    uint32_t position = b->count > 0 ? b->saves_of[b->count - 1] : NO_SAVES;
    uint64_t hash;

    *ret_position = (uint16_t)position;
    if (position != NO_SAVES && same_saves(b, position, saves))
        return 0;
    hash = slw_hash_key(saves, sizeof(*saves), 0);
    if (!slw_index_find(&b->saves_index, hash, same_saves, b, saves, &position)) {
        position = b->saves_count;
        int rc = reserve((void **)&b->saves, position + 1, &b->saves_capacity, SLW_MAX_CFI_SAVES,
                         sizeof(*b->saves));
        if (rc == -SLW_E_LIMIT)
            *ret_position = NO_SAVES;
        if (rc < 0)
            return rc == -SLW_E_LIMIT ? 0 : rc;
        if (slw_index_add(&b->saves_index, hash, position) < 0)
            return -SLW_E_NOMEM;
        b->saves[b->saves_count++] = *saves;
    }
    *ret_position = (uint16_t)position;
    return 0;
}

int slw_cfi_add_state(struct slw_cfi_builder *b, uint32_t offset, const struct slw_cfi_state *state,
                      bool signal)
{
    struct slw_cfi_row row = {.offset = offset};
    uint16_t saves = NO_SAVES;
    int rc = keep_saves(b, &state->saves, &saves);

    if (rc < 0)
        return rc;
    if (state->ra.how == SLW_CFI_LOST) {
        row.kind = SLW_CFI_OUTER;
    } else if (signal || state->sp.how != SLW_CFI_SAME || !row_of_cfa(b, state, &row) ||
               !row_of_fp(state, &row) || !row_of_ra(b, state, &row)) {
        rc = rule_row(b, state, signal, &row);
    }
    if (state->is_signed && row.kind != SLW_CFI_OUTER)
        row.kind |= SLW_CFI_SIGNED;
    return rc < 0 ? rc : add_row(b, row, saves);
}

/* ---- the table ---- */

static uint8_t *append(uint8_t *at, const void *from, size_t bytes)
{
    if (bytes > 0)
        memcpy(at, from, bytes);
    return at + bytes;
}

/* What has to be aligned most comes first. */
int slw_cfi_finish(struct slw_cfi_builder *b, struct slw_cfi_table *ret_table)
{
    const size_t row_bytes = b->count * sizeof(*b->rows),
                 rule_bytes = b->rule_count * sizeof(*b->rules),
                 saves_bytes = b->saves_count * sizeof(*b->saves),
                 saves_of_bytes = b->count * sizeof(*b->saves_of);
    uint8_t *all =
        malloc(row_bytes + rule_bytes + saves_bytes + saves_of_bytes + b->expression_bytes + 1);

    if (!all)
        return -SLW_E_NOMEM;
    uint8_t *rules = append(all, b->rows, row_bytes);
    uint8_t *saves = append(rules, b->rules, rule_bytes);
    uint8_t *saves_of = append(saves, b->saves, saves_bytes);
    uint8_t *expressions = append(saves_of, b->saves_of, saves_of_bytes);
    (void)append(expressions, b->expressions, b->expression_bytes);
    *ret_table = (struct slw_cfi_table){.rows = (const void *)all,
                                        .rules = (const void *)rules,
                                        .saves = (const void *)saves,
                                        .saves_of = (const void *)saves_of,
                                        .expressions = expressions,
                                        .row_count = b->count,
                                        .rule_count = b->rule_count,
                                        .saves_count = b->saves_count,
                                        .expression_bytes = b->expression_bytes,
                                        .machine = b->machine,
                                        .owned = all};
    return 0;
}
