/* SPDX-License-Identifier: MIT */
/* The entries of .eh_frame and .debug_frame: what code they describe and where their programs are.
 * Source: DWARF 5, 6.4.1; LSB 5, 10.6.1; gcc's unwind-dw2-fde.c for what is met in practice. */
#include "analyzer/unwind/cfi_int.h"

#include <stdlib.h>

#define PE_OMIT       0xff
#define PE_RELATIVE   0x70
#define PE_PC         0x10
#define EH_COMMON_ID  UINT32_C(0)
#define DBG_COMMON_ID UINT32_MAX

uint64_t slw_cfi_encoded(struct slw_cfi_cursor *c, uint8_t encoding, const uint8_t *bytes,
                         uint64_t address)
{
    const uint64_t here = address + (uint64_t)(c->at - bytes);
    uint64_t value = 0;

    switch (encoding & 0x0f) {
    case 0x0: /* absptr */
    case 0x4: /* udata8 */
    case 0x8: /* signed absptr */
    case 0xc: /* sdata8 */
        value = slw_cfi_fixed(c, 8);
        break;
    case 0x1:
        value = slw_cfi_uleb(c);
        break;
    case 0x2:
        value = slw_cfi_fixed(c, 2);
        break;
    case 0x3:
        value = slw_cfi_fixed(c, 4);
        break;
    case 0x9:
        value = (uint64_t)slw_cfi_sleb(c);
        break;
    case 0xa:
        value = (uint64_t)(int16_t)slw_cfi_fixed(c, 2);
        break;
    case 0xb:
        value = (uint64_t)(int32_t)slw_cfi_fixed(c, 4);
        break;
    default:
        c->bad = true;
        return 0;
    }
    /* Relative to text, data or function, aligned, or through a pointer: of data, never of code. */
    if ((encoding & 0x80) || ((encoding & PE_RELATIVE) != 0 && (encoding & PE_RELATIVE) != PE_PC))
        c->bad = true;
    return (encoding & PE_RELATIVE) == PE_PC ? value + here : value;
}

struct reading {
    const struct slw_cfi_source *source;
    const struct slw_cfi_section *section;
    struct slw_cfi_entries *entries;
    size_t first_common; /* of this section */
    uint32_t section_index;
};

/* One entry as it stands in the section. */
struct framed {
    uint64_t at, id;
    const uint8_t *id_at;
    struct slw_cfi_cursor body;
};

/* False: there is no more, or no telling where it would begin. */
static bool next_entry(const struct reading *r, struct slw_cfi_cursor *c, struct framed *ret)
{
    const struct slw_cfi_section *s = r->section;
    uint64_t length = 0;
    size_t id_bytes = 4;

    while (length == 0) {
        if (c->end - c->at < 8)
            return false;
        ret->at = (uint64_t)(c->at - s->bytes);
        length = slw_cfi_fixed(c, 4);
        if (length == 0 && s->length_is_max)
            return false;
    }
    if (length == UINT32_MAX) {
        length = slw_cfi_fixed(c, 8);
        id_bytes = s->debug_frame ? 8 : 4;
    }
    if (c->bad || length < id_bytes || length > (uint64_t)(c->end - c->at)) {
        r->entries->bad++;
        return false;
    }
    ret->body = (struct slw_cfi_cursor){.at = c->at, .end = c->at + length};
    ret->id_at = c->at;
    ret->id = slw_cfi_fixed(&ret->body, id_bytes);
    if (id_bytes == 8 && ret->id == UINT64_MAX)
        ret->id = DBG_COMMON_ID;
    c->at += length;
    return true;
}

static bool is_common(const struct reading *r, const struct framed *f)
{
    return r->section->debug_frame ? f->id == DBG_COMMON_ID : f->id == EH_COMMON_ID;
}

/* The letters after 'z'. One that is not known makes what follows it unknown, no more: its length
 * is told. */
static void read_augmentation(const struct reading *r, const char *letters,
                              struct slw_cfi_cursor data, struct slw_cfi_common *common)
{
    for (; *letters != '\0' && !data.bad; letters++) {
        if (*letters == 'R') {
            common->encoding = slw_cfi_byte(&data);
        } else if (*letters == 'P') {
            uint8_t encoding = slw_cfi_byte(&data);
            struct slw_cfi_cursor skipped = data;
            /* A pointer to a pointer is as long as a pointer. */
            (void)slw_cfi_encoded(&skipped, encoding & 0x0f, r->section->bytes, 0);
            data = skipped;
        } else if (*letters == 'L') {
            (void)slw_cfi_byte(&data);
        } else if (*letters == 'S') {
            common->signal = true;
        } else if (*letters != 'B') { /* arm64: which key signs; one is taken off like the other */
            return;
        }
    }
}

static bool parse_common(const struct reading *r, struct slw_cfi_cursor *c,
                         struct slw_cfi_common *common)
{
    uint8_t version = slw_cfi_byte(c);
    const char *letters = (const char *)c->at;
    const uint8_t *end = memchr(c->at, '\0', (size_t)(c->end - c->at));

    if (!end || version < 1 || version > 4 || version == 2)
        return false;
    c->at = end + 1;
    const uint8_t address_bytes = version == 4 ? slw_cfi_byte(c) : 8;
    const uint8_t segment_bytes = version == 4 ? slw_cfi_byte(c) : 0;
    if (address_bytes != 8 || segment_bytes != 0)
        return false;
    common->code_align = slw_cfi_uleb(c);
    common->data_align = slw_cfi_sleb(c);
    common->return_register = version == 1 ? slw_cfi_byte(c) : slw_cfi_uleb(c);
    if (*letters == 'z') {
        uint64_t bytes = slw_cfi_uleb(c);
        struct slw_cfi_cursor data = {.at = slw_cfi_block(c, bytes)};
        data.end = c->at;
        common->sized = true;
        read_augmentation(r, letters + 1, data, common);
    } else if (*letters != '\0') {
        return false; /* "eh" of gcc 2 and the like: what follows cannot be told */
    }
    return !c->bad && common->code_align > 0 && common->code_align <= 16;
}

static bool return_register_is(const struct slw_cfi_source *source, uint64_t reg)
{
    return reg == (source->machine == SLW_CFI_X86_64 ? SLW_X86_RA : SLW_ARM_LR);
}

static int grow(void **array, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return 0;
    if (count >= SLW_MAX_CFI_ENTRIES)
        return -SLW_E_LIMIT;
    size_t wanted = *capacity ? *capacity * 2 : 256;
    void *grown = realloc(*array, wanted * bytes);
    if (!grown)
        return -SLW_E_NOMEM;
    *array = grown;
    *capacity = wanted;
    return 0;
}

static int add_common(const struct reading *r, const struct framed *f)
{
    struct slw_cfi_entries *e = r->entries;
    struct slw_cfi_common common = {.at = f->at};
    struct slw_cfi_cursor c = f->body;
    int rc = grow((void **)&e->commons, e->common_count, &e->common_capacity, sizeof(common));

    if (rc < 0)
        return rc;
    common.usable =
        parse_common(r, &c, &common) && return_register_is(r->source, common.return_register) &&
        slw_cfi_run(r->source->machine, &common, NULL, c, &common.initial, NULL, NULL) == 0;
    e->bad += !common.usable;
    e->commons[e->common_count++] = common;
    return 0;
}

/* Parts shared stand in the order of their places. */
static const struct slw_cfi_common *find_common(const struct reading *r, uint64_t at)
{
    size_t low = r->first_common, high = r->entries->common_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->entries->commons[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < r->entries->common_count && r->entries->commons[low].at == at;
    return found && r->entries->commons[low].usable ? &r->entries->commons[low] : NULL;
}

/* Entries of code that the linker threw away describe addresses in no segment. */
static bool offset_of(const struct slw_cfi_source *source, uint64_t address, uint64_t bytes,
                      uint32_t *ret_offset)
{
    for (size_t i = 0; i < source->segment_count; i++) {
        const struct slw_cfi_segment *s = &source->segments[i];
        uint64_t into = address - s->address;

        if (address < s->address || into >= s->bytes || bytes > s->bytes - into)
            continue;
        if (s->offset > UINT32_MAX || into + bytes > UINT32_MAX - s->offset)
            return false;
        *ret_offset = (uint32_t)(s->offset + into);
        return true;
    }
    return false;
}

static int add_entry(const struct reading *r, const struct framed *f)
{
    struct slw_cfi_entries *e = r->entries;
    const struct slw_cfi_section *s = r->section;
    uint64_t common_at =
        s->debug_frame ? f->id : (uint64_t)(f->id_at - s->bytes) - f->id; /* wraps: not found */
    const struct slw_cfi_common *common = find_common(r, common_at);
    struct slw_cfi_cursor c = f->body;
    struct slw_cfi_entry entry = {
        .section = r->section_index, .section_bytes = s->bytes, .section_address = s->address};

    if (!common) {
        e->bad++;
        return 0;
    }
    entry.common = (uint32_t)(common - e->commons);
    entry.address = slw_cfi_encoded(&c, common->encoding, s->bytes, s->address);
    entry.bytes = slw_cfi_encoded(&c, common->encoding & 0x0f, s->bytes, 0);
    if (common->sized)
        (void)slw_cfi_block(&c, slw_cfi_uleb(&c));
    if (c.bad) {
        e->bad++;
        return 0;
    }
    if (entry.bytes == 0 || !offset_of(r->source, entry.address, entry.bytes, &entry.offset))
        return 0;
    int rc = grow((void **)&e->entries, e->count, &e->capacity, sizeof(entry));
    if (rc < 0)
        return rc;
    entry.program = c.at;
    entry.program_end = c.end;
    e->entries[e->count++] = entry;
    return 0;
}

/* Twice: in .debug_frame, what entries share may stand behind them. */
int slw_cfi_read_entries(const struct slw_cfi_source *source, uint32_t section,
                         struct slw_cfi_entries *entries)
{
    const struct slw_cfi_section *s = &source->sections[section];
    struct reading r = {source, s, entries, entries->common_count, section};
    struct framed f;
    int rc = 0;

    for (int turn = 0; rc == 0 && turn < 2; turn++) {
        struct slw_cfi_cursor c = {.at = s->bytes, .end = s->bytes + s->length};

        while (rc == 0 && next_entry(&r, &c, &f))
            if (is_common(&r, &f) == (turn == 0))
                rc = turn == 0 ? add_common(&r, &f) : add_entry(&r, &f);
    }
    return rc;
}

void slw_cfi_entries_release(struct slw_cfi_entries *entries)
{
    free(entries->commons);
    free(entries->entries);
}
