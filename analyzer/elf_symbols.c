/* SPDX-License-Identifier: MIT */
/* Symbol tables of an ELF file. Which symbols count follows perf (tools/perf/util/symbol-elf.c):
 * functions, IFUNCs and objects, and visible labels in text or data sections. */
#include "analyzer/elf_file.h"
#include "base/error.h"

#include <string.h>

struct table {
    const struct slw_elf *e, *runtime;
    Elf_Data *symbols;
    const char *names;
    size_t names_bytes; /* up to the last NUL, so that every name inside is terminated */
    size_t section_names;
    bool arm; /* has mapping symbols */
};

static Elf_Scn *section_of_type(const struct slw_elf *e, uint32_t type, GElf_Shdr *ret_header)
{
    Elf_Scn *scn = NULL;

    while ((scn = elf_nextscn(e->elf, scn)) != NULL)
        if (gelf_getshdr(scn, ret_header) && ret_header->sh_type == type)
            return scn;
    return NULL;
}

bool slw_elf_has_symtab(const struct slw_elf *e)
{
    GElf_Shdr h;

    return section_of_type(e, SHT_SYMTAB, &h) != NULL;
}

bool slw_elf_has_dwarf(const struct slw_elf *e)
{
    Elf_Scn *scn = NULL;
    GElf_Shdr h;
    size_t names;

    if (elf_getshdrstrndx(e->elf, &names) < 0)
        return false;
    while ((scn = elf_nextscn(e->elf, scn)) != NULL) {
        const char *name = gelf_getshdr(scn, &h) ? elf_strptr(e->elf, names, h.sh_name) : NULL;
        if (name && h.sh_type != SHT_NOBITS &&
            (strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0))
            return true;
    }
    return false;
}

#define MAX_UNPACKED ((uint64_t)4 << 30) /* of all sections; browsers have 2 GiB */

int slw_elf_unpack_dwarf(struct slw_elf *e)
{
    uint64_t total = 0;
    Elf_Scn *scn = NULL;
    GElf_Shdr h;
    GElf_Chdr packed;
    size_t names;

    if (elf_getshdrstrndx(e->elf, &names) < 0)
        return -SLW_E_FORMAT;
    while ((scn = elf_nextscn(e->elf, scn)) != NULL) {
        const char *name = gelf_getshdr(scn, &h) ? elf_strptr(e->elf, names, h.sh_name) : NULL;
        if (!name || strncmp(name, ".debug_", 7) != 0 || !(h.sh_flags & SHF_COMPRESSED))
            continue;
        if (!gelf_getchdr(scn, &packed))
            return -SLW_E_FORMAT;
        if (packed.ch_size > MAX_UNPACKED - total)
            return -SLW_E_LIMIT;
        total += packed.ch_size;
        if (elf_compress(scn, 0, 0) < 0)
            return -SLW_E_FORMAT;
    }
    return 0;
}

static bool open_table(const struct slw_elf *e, const struct slw_elf *runtime, uint32_t type,
                       struct table *ret_table)
{
    GElf_Shdr h;
    GElf_Ehdr ehdr;
    Elf_Scn *scn = section_of_type(e, type, &h);
    Elf_Scn *names_scn = scn ? elf_getscn(e->elf, h.sh_link) : NULL;
    Elf_Data *names = names_scn ? elf_getdata(names_scn, NULL) : NULL;
    struct table t = {.e = e, .runtime = runtime, .symbols = scn ? elf_getdata(scn, NULL) : NULL};

    if (!t.symbols || !names || !names->d_buf || !gelf_getehdr(e->elf, &ehdr) ||
        elf_getshdrstrndx(e->elf, &t.section_names) < 0)
        return false;
    t.names = names->d_buf;
    const char *last = memrchr(t.names, '\0', names->d_size);
    t.names_bytes = last ? (size_t)(last - t.names) + 1 : 0;
    t.arm = ehdr.e_machine == EM_AARCH64 || ehdr.e_machine == EM_ARM;
    *ret_table = t;
    return true;
}

/* Labels count only where code or data is, as perf judges it: by the section's name. */
static bool label_section(const struct table *t, const GElf_Shdr *h)
{
    const char *name = elf_strptr(t->e->elf, t->section_names, h->sh_name);

    return name && (strstr(name, "text") || strstr(name, "data"));
}

static bool wanted(const struct table *t, const GElf_Sym *sym, const GElf_Shdr *section)
{
    unsigned type = GELF_ST_TYPE(sym->st_info), visibility = GELF_ST_VISIBILITY(sym->st_other);

    if (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_OBJECT)
        return true;
    return type == STT_NOTYPE && visibility != STV_HIDDEN && visibility != STV_INTERNAL &&
           label_section(t, section);
}

/* "$x", "$d.12": where code and data alternate, not names of anything. */
static bool is_mapping_symbol(const struct table *t, const char *name)
{
    return t->arm && name[0] == '$' && name[1] != '\0' && strchr("adtx", name[1]) &&
           (name[2] == '\0' || name[2] == '.');
}

static int add(const struct table *t, const GElf_Sym *sym, struct slw_symtab *to)
{
    GElf_Shdr section;
    uint64_t delta;
    struct slw_symbol s = {.binding = (uint8_t)GELF_ST_BIND(sym->st_info),
                           .type = (uint8_t)GELF_ST_TYPE(sym->st_info)};

    if (sym->st_name == 0 || sym->st_name >= t->names_bytes || sym->st_shndx == SHN_UNDEF ||
        sym->st_shndx == SHN_ABS)
        return 0;
    Elf_Scn *scn = elf_getscn(t->e->elf, sym->st_shndx);
    if (!scn || !gelf_getshdr(scn, &section) || !wanted(t, sym, &section))
        return 0;
    s.name = t->names + sym->st_name;
    if (*s.name == '\0' || is_mapping_symbol(t, s.name))
        return 0;
    if (!slw_elf_segment_delta(t->runtime, sym->st_value, &delta))
        delta = section.sh_addr - section.sh_offset;
    s.start = sym->st_value - delta;
    if (__builtin_add_overflow(s.start, sym->st_size, &s.end))
        return 0;
    return slw_symtab_add(to, &s);
}

static int add_table(const struct table *t, struct slw_symtab *to)
{
    size_t entry = gelf_fsize(t->e->elf, ELF_T_SYM, 1, EV_CURRENT);
    size_t count = entry ? t->symbols->d_size / entry : 0;
    int rc = 0;

    for (size_t i = 1; i < count && i < INT32_MAX && rc == 0; i++) {
        GElf_Sym sym;
        if (gelf_getsym(t->symbols, (int)i, &sym))
            rc = add(t, &sym, to);
    }
    return rc;
}

int slw_elf_add_symbols(const struct slw_elf *e, const struct slw_elf *runtime,
                        struct slw_symtab *t)
{
    static const uint32_t types[] = {SHT_SYMTAB, SHT_DYNSYM};
    int rc = 0;

    for (size_t i = 0; i < 2 && rc == 0; i++) {
        struct table table;
        if (open_table(e, runtime, types[i], &table))
            rc = add_table(&table, t);
    }
    return rc;
}
