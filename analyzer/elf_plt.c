/* SPDX-License-Identifier: MIT */
/* Names for PLT stubs. Each stub jumps through a GOT slot; the relocation of that slot names the
 * function. Decoding the jump is exact for lazy, IBT (.plt.sec) and .plt.got stubs alike, where
 * counting stubs is not. */
#include "analyzer/elf_file.h"
#include "base/arena.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    uint64_t got;
    const char *name; /* lent from .dynstr; NULL: an IFUNC resolved at start-up */
    uint64_t addend;
};

struct slots {
    struct slot *slots;
    size_t count, capacity;
};

#define MAX_SLOTS 1000000 /* imports of one file */

static int add_slot(struct slots *s, const struct slot *slot)
{
    if (s->count == s->capacity) {
        if (s->count >= MAX_SLOTS)
            return -SLW_E_LIMIT;
        size_t capacity = s->capacity ? s->capacity * 2 : 256;
        struct slot *grown = realloc(s->slots, capacity * sizeof(*grown));
        if (!grown)
            return -SLW_E_NOMEM;
        s->slots = grown;
        s->capacity = capacity;
    }
    s->slots[s->count++] = *slot;
    return 0;
}

static bool fills_got(unsigned machine, uint64_t type)
{
    if (machine == EM_X86_64)
        return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT ||
               type == R_X86_64_IRELATIVE;
    return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT || type == R_AARCH64_IRELATIVE;
}

static int add_relocations(const struct slw_elf *e, unsigned machine, Elf_Scn *scn,
                           const GElf_Shdr *h, struct slots *to)
{
    GElf_Shdr symbols_header;
    Elf_Scn *symbols_scn = elf_getscn(e->elf, h->sh_link);
    Elf_Data *symbols = symbols_scn ? elf_getdata(symbols_scn, NULL) : NULL;
    Elf_Data *data = elf_getdata(scn, NULL);
    int rc = 0;

    if (!data || !symbols || h->sh_entsize == 0 || !gelf_getshdr(symbols_scn, &symbols_header))
        return 0;
    for (size_t i = 0; i < data->d_size / h->sh_entsize && i < INT32_MAX && rc == 0; i++) {
        GElf_Rela r;
        GElf_Sym sym;
        if (!gelf_getrela(data, (int)i, &r) || !fills_got(machine, GELF_R_TYPE(r.r_info)))
            continue;
        struct slot slot = {.got = r.r_offset, .addend = (uint64_t)r.r_addend};
        uint64_t index = GELF_R_SYM(r.r_info);
        if (index > 0 && index < INT32_MAX && gelf_getsym(symbols, (int)index, &sym))
            slot.name = elf_strptr(e->elf, symbols_header.sh_link, sym.st_name);
        rc = add_slot(to, &slot);
    }
    return rc;
}

static int by_got(const void *a, const void *b)
{
    const struct slot *x = a, *y = b;

    return (x->got > y->got) - (x->got < y->got);
}

static int collect_slots(const struct slw_elf *e, unsigned machine, struct slots *to)
{
    Elf_Scn *scn = NULL;
    GElf_Shdr h;
    int rc = 0;

    while (rc == 0 && (scn = elf_nextscn(e->elf, scn)) != NULL)
        if (gelf_getshdr(scn, &h) && h.sh_type == SHT_RELA)
            rc = add_relocations(e, machine, scn, &h, to);
    if (to->count > 0)
        qsort(to->slots, to->count, sizeof(*to->slots), by_got);
    return rc;
}

static const struct slot *find_slot(const struct slots *s, uint64_t got)
{
    struct slot key = {.got = got};

    return s->count ? bsearch(&key, s->slots, s->count, sizeof(key), by_got) : NULL;
}

/* The GOT slot that code at `address` jumps through: ff 25 disp32, that is jmp *disp(%rip), behind
 * an optional endbr64 (f3 0f 1e fa) and an optional bnd (f2). 0: it does not. */
static uint64_t x86_slot(const uint8_t *code, size_t bytes, uint64_t address)
{
    static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
    size_t i = 0;
    int32_t displacement;

    if (bytes >= sizeof(endbr64) && memcmp(code, endbr64, sizeof(endbr64)) == 0)
        i = sizeof(endbr64);
    if (i < bytes && code[i] == 0xf2)
        i++;
    if (i + 6 > bytes || code[i] != 0xff || code[i + 1] != 0x25)
        return 0;
    memcpy(&displacement, code + i + 2, sizeof(displacement));
    return address + i + 6 + (uint64_t)(int64_t)displacement;
}

/* arm64: adrp x16, page; ldr x17, [x16, #offset] at the start, or behind a bti c. 0: none. */
static uint64_t arm64_slot(const uint8_t *code, size_t bytes, uint64_t address)
{
    for (size_t i = 0; i + 8 <= bytes && i <= 4; i += 4) {
        uint32_t adrp, ldr;
        memcpy(&adrp, code + i, sizeof(adrp));
        memcpy(&ldr, code + i + 4, sizeof(ldr));
        if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400211)
            continue;
        uint64_t pages = (uint64_t)((adrp >> 3 & 0x1ffffc) | (adrp >> 29 & 3));
        if (pages & 0x100000)
            pages |= ~UINT64_C(0x1fffff); /* 21 bits, signed */
        return ((address + i) & ~UINT64_C(0xfff)) + (pages << 12) +
               (uint64_t)(ldr >> 10 & 0xfff) * 8;
    }
    return 0;
}

static int add_stub(struct slw_arena *arena, const struct slot *slot, uint64_t start, uint64_t most,
                    uint64_t to_next, struct slw_symtab *t)
{
    struct slw_symbol s = {.start = start,
                           .end = start + (to_next < most ? to_next : most),
                           .binding = STB_GLOBAL,
                           .type = STT_FUNC};

    s.name = slot->name
                 ? slw_arena_printf(arena, "%s@plt", slot->name)
                 : slw_arena_printf(arena, "*ABS*+0x%llx@plt", (unsigned long long)slot->addend);
    return s.name ? slw_symtab_add(t, &s) : -SLW_E_NOMEM;
}

/* Stubs are 8 or 16 bytes long on x86-64 (of one section all the same, but sh_entsize may not say)
 * and 16 or 24 on arm64: look at every place where one may begin. */
static int add_section(const struct slw_elf *e, unsigned machine, Elf_Scn *scn, const GElf_Shdr *h,
                       const struct slots *slots, struct slw_arena *arena, struct slw_symtab *t)
{
    Elf_Data *data = elf_getdata(scn, NULL);
    const size_t step = machine == EM_X86_64 ? 8 : 4, most = machine == EM_X86_64 ? 16 : 24;
    uint64_t delta;
    int rc = 0;

    if (!data || !data->d_buf || !slw_elf_segment_delta(e, h->sh_addr, &delta))
        return 0;
    const struct slot *found = NULL;
    size_t begun = 0;
    for (size_t at = 0; at < data->d_size && rc == 0; at += step) {
        const uint8_t *code = (const uint8_t *)data->d_buf + at;
        size_t left = data->d_size - at;
        uint64_t got = machine == EM_X86_64 ? x86_slot(code, left, h->sh_addr + at)
                                            : arm64_slot(code, left, h->sh_addr + at);
        const struct slot *slot = got ? find_slot(slots, got) : NULL;
        if (!slot || slot == found) /* on arm64 a stub is seen again behind its bti */
            continue;
        if (found)
            rc = add_stub(arena, found, h->sh_addr + begun - delta, most, at - begun, t);
        found = slot;
        begun = at;
    }
    if (found && rc == 0)
        rc = add_stub(arena, found, h->sh_addr + begun - delta, most, data->d_size - begun, t);
    return rc;
}

static int add_sections(const struct slw_elf *e, unsigned machine, const struct slots *slots,
                        struct slw_arena *arena, struct slw_symtab *t)
{
    Elf_Scn *scn = NULL;
    GElf_Shdr h;
    size_t names;
    int rc = 0;

    if (elf_getshdrstrndx(e->elf, &names) < 0)
        return 0;
    while (rc == 0 && (scn = elf_nextscn(e->elf, scn)) != NULL) {
        const char *name = gelf_getshdr(scn, &h) ? elf_strptr(e->elf, names, h.sh_name) : NULL;
        if (name && h.sh_type == SHT_PROGBITS && strncmp(name, ".plt", 4) == 0)
            rc = add_section(e, machine, scn, &h, slots, arena, t);
    }
    return rc;
}

int slw_elf_add_plt(const struct slw_elf *e, struct slw_arena *arena, struct slw_symtab *t)
{
    GElf_Ehdr h;
    struct slots slots = {0};

    if (!gelf_getehdr(e->elf, &h) || (h.e_machine != EM_X86_64 && h.e_machine != EM_AARCH64))
        return 0;
    int rc = collect_slots(e, h.e_machine, &slots);
    if (rc == 0)
        rc = add_sections(e, h.e_machine, &slots, arena, t);
    free(slots.slots);
    return rc;
}
