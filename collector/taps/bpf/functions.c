/* SPDX-License-Identifier: MIT */
#include "collector/taps/bpf/functions.h"

#include "base/cleanup.h"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_SECTIONS 65536u /* 16 bits in the header */
#define MAX_SEGMENTS 1024u  /* programs have about 13 */
#define MAX_SYMBOLS  (1u << 24)

struct search {
    Elf *elf;
    const char *const *names;
    size_t count, found;
    uint64_t *offsets;
    uint64_t address; /* of a variable */
    char *name;
    size_t name_size;
};

/* 0: in no segment of the file. */
static uint64_t offset_of(Elf *elf, uint64_t address)
{
    size_t count = 0;

    if (elf_getphdrnum(elf, &count) < 0)
        return 0;
    for (size_t i = 0; i < count && i < MAX_SEGMENTS; i++) {
        GElf_Phdr p;

        if (gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_LOAD && (p.p_flags & PF_X) &&
            address >= p.p_vaddr && address - p.p_vaddr < p.p_filesz)
            return address - p.p_vaddr + p.p_offset;
    }
    return 0;
}

static void look_at_symbol(struct search *s, const char *name, const GElf_Sym *symbol)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->offsets[i] == 0 && strcmp(s->names[i], name) == 0) {
            s->offsets[i] = offset_of(s->elf, symbol->st_value);
            s->found += s->offsets[i] != 0;
            return;
        }
}

static void look_at_table(struct search *s, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t entries = header->sh_entsize > 0 ? (size_t)(header->sh_size / header->sh_entsize) : 0;

    for (size_t i = 0; data && i < entries && i < MAX_SYMBOLS && s->found < s->count; i++) {
        GElf_Sym symbol;

        if (!gelf_getsym(data, (int)i, &symbol) || GELF_ST_TYPE(symbol.st_info) != STT_FUNC ||
            symbol.st_shndx == SHN_UNDEF)
            continue;
        const char *name = elf_strptr(s->elf, header->sh_link, symbol.st_name);
        if (name)
            look_at_symbol(s, name, &symbol);
    }
}

typedef void table_fn(struct search *s, Elf_Scn *section, const GElf_Shdr *header);

static void look_at_tables(struct search *s, uint32_t type, table_fn *look)
{
    Elf_Scn *section = NULL;

    for (unsigned i = 0; i < MAX_SECTIONS && (section = elf_nextscn(s->elf, section)); i++) {
        GElf_Shdr header;

        if (gelf_getshdr(section, &header) && header.sh_type == type)
            look(s, section, &header);
    }
}

static Elf *open_elf(const char *path, int *ret_fd)
{
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*ret_fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
        return NULL;
    /* Not mapped: a file that shrinks is no signal. */
    Elf *elf = elf_begin(*ret_fd, ELF_C_READ, NULL);
    if (elf && elf_kind(elf) == ELF_K_ELF && gelf_getclass(elf) == ELFCLASS64)
        return elf;
    (void)elf_end(elf);
    return NULL;
}

size_t slw_functions_find(const char *path, const char *const *names, size_t count,
                          uint64_t *ret_offsets)
{
    int SLW_AUTO(close) fd = -1;
    struct search s = {.names = names, .count = count, .offsets = ret_offsets};

    memset(ret_offsets, 0, count * sizeof(ret_offsets[0]));
    s.elf = open_elf(path, &fd);
    if (!s.elf)
        return 0;
    look_at_tables(&s, SHT_DYNSYM, look_at_table);
    if (s.found == 0) /* what a program does not export */
        look_at_tables(&s, SHT_SYMTAB, look_at_table);
    (void)elf_end(s.elf);
    return s.found;
}

/* ---- variables ---- */

static void look_for_variable(struct search *s, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t entries = header->sh_entsize > 0 ? (size_t)(header->sh_size / header->sh_entsize) : 0;

    for (size_t i = 0; data && i < entries && i < MAX_SYMBOLS && s->found == 0; i++) {
        GElf_Sym symbol;

        if (!gelf_getsym(data, (int)i, &symbol) || GELF_ST_TYPE(symbol.st_info) != STT_OBJECT ||
            symbol.st_shndx == SHN_UNDEF || s->address < symbol.st_value ||
            s->address - symbol.st_value >= symbol.st_size)
            continue;
        const char *name = elf_strptr(s->elf, header->sh_link, symbol.st_name);
        if (name && name[0]) {
            (void)snprintf(s->name, s->name_size, "%s", name);
            s->found = 1;
        }
    }
}

static bool is_moved(Elf *elf)
{
    GElf_Ehdr header;

    return gelf_getehdr(elf, &header) && header.e_type != ET_EXEC;
}

bool slw_variable_find(const char *path, uint64_t address, uint64_t bias, char *ret_name,
                       size_t size)
{
    int SLW_AUTO(close) fd = -1;
    struct search s = {.name_size = size};

    s.name = ret_name;
    s.elf = open_elf(path, &fd);
    if (!s.elf)
        return false;
    s.address = is_moved(s.elf) ? address - bias : address;
    look_at_tables(&s, SHT_SYMTAB, look_for_variable);
    if (s.found == 0)
        look_at_tables(&s, SHT_DYNSYM, look_for_variable);
    (void)elf_end(s.elf);
    return s.found > 0;
}
