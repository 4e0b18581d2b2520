/* SPDX-License-Identifier: MIT */
#include "collector/taps/stage/sdt.h"

#include "base/cleanup.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#else
#define OUR_MACHINE EM_NONE
#endif

#define NOTE_TYPE      3 /* NT_STAPSDT */
#define NOTE_OWNER     "stapsdt"
#define NOTE_ADDRESSES 24 /* probe, base, semaphore */

struct file {
    slw_sdt_read_fn *read;
    void *ctx;
    Elf64_Ehdr header;
    Elf64_Phdr *segments; /* header.e_phnum */
};

/* What a note says is as far from where the probe is as the base is from where it is. */
struct bases {
    bool known;
    uint64_t address;
};

/* `size` bytes of the file, on the heap. */
static int load(const struct file *f, uint64_t offset, size_t size, void **ret_data,
                struct slw_error *err)
{
    void *data = calloc(1, size > 0 ? size : 1);

    if (!data)
        return slw_fail(err, SLW_E_NOMEM, "no memory to look for probes");
    if (size > 0 && !f->read(f->ctx, data, size, offset)) {
        free(data);
        return slw_fail(err, SLW_E_FORMAT, "the ELF file ends early");
    }
    *ret_data = data;
    return 0;
}

static bool is_ours(const Elf64_Ehdr *h)
{
    return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64 &&
           h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_machine == OUR_MACHINE &&
           (h->e_type == ET_EXEC || h->e_type == ET_DYN);
}

/* ---- addresses ---- */

/* The place in the file of an address that a segment with these rights loads from it. */
static bool find_offset(const struct file *f, uint64_t address, uint32_t rights,
                        uint64_t *ret_offset)
{
    for (size_t i = 0; i < f->header.e_phnum; i++) {
        const Elf64_Phdr *p = &f->segments[i];
        uint64_t within = address - p->p_vaddr;

        if (p->p_type == PT_LOAD && (p->p_flags & rights) == rights && address >= p->p_vaddr &&
            within < p->p_filesz && !__builtin_add_overflow(p->p_offset, within, ret_offset))
            return *ret_offset <= INT64_MAX; /* off_t */
    }
    return false;
}

/* ---- notes ---- */

/* The texts of a note, one after the other; false when one has no end. */
static bool take_text(const char **text, size_t *left, const char **ret_text)
{
    const char *end = memchr(*text, '\0', *left);

    if (!end)
        return false;
    *ret_text = *text;
    *left -= (size_t)(end + 1 - *text);
    *text = end + 1;
    return true;
}

static bool read_note(const struct file *f, const struct bases *base, const char *data, size_t size,
                      struct slw_sdt_probe *ret_probe)
{
    uint64_t addresses[3];

    if (size < NOTE_ADDRESSES)
        return false;
    memcpy(addresses, data, sizeof(addresses));
    uint64_t moved = base->known ? base->address - addresses[1] : 0;
    const char *text = data + NOTE_ADDRESSES;
    size_t left = size - NOTE_ADDRESSES;
    ret_probe->semaphore_offset = 0;
    return take_text(&text, &left, &ret_probe->provider) &&
           take_text(&text, &left, &ret_probe->name) &&
           take_text(&text, &left, &ret_probe->arguments) &&
           find_offset(f, addresses[0] + moved, PF_X, &ret_probe->offset) &&
           (addresses[2] == 0 ||
            find_offset(f, addresses[2] + moved, PF_W, &ret_probe->semaphore_offset));
}

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* Sizes are 32 bits and `left` is bounded by SLW_SDT_MAX_NOTE_BYTES: no sum of them overflows. */
static void read_notes(const struct file *f, const struct bases *base, const char *data,
                       size_t size, slw_sdt_probe_fn *fn, void *ctx, uint64_t *unusable)
{
    struct slw_sdt_probe probe;
    Elf64_Nhdr h;

    for (size_t at = 0; size - at >= sizeof(h);) {
        memcpy(&h, data + at, sizeof(h));
        size_t left = size - at - sizeof(h), name = padded(h.n_namesz), body = padded(h.n_descsz);
        const char *owner = data + at + sizeof(h);

        if (name > left || h.n_descsz > left - name) {
            (*unusable)++;
            return;
        }
        bool probes = h.n_type == NOTE_TYPE && h.n_namesz == sizeof(NOTE_OWNER) &&
                      memcmp(owner, NOTE_OWNER, sizeof(NOTE_OWNER)) == 0;
        if (probes && read_note(f, base, owner + name, h.n_descsz, &probe))
            fn(ctx, &probe);
        else if (probes)
            (*unusable)++;
        if (body > left - name) /* the last one need not be padded */
            return;
        at += sizeof(h) + name + body;
    }
}

/* ---- sections ---- */

struct sections {
    const Elf64_Shdr *all;
    size_t count;
    const char *names; /* NUL-terminated */
    size_t names_size;
};

static const Elf64_Shdr *find_section(const struct sections *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->all[i].sh_name < s->names_size && strcmp(s->names + s->all[i].sh_name, name) == 0)
            return &s->all[i];
    return NULL;
}

static int look_at_notes(const struct file *f, const struct sections *s, slw_sdt_probe_fn *fn,
                         void *ctx, uint64_t *unusable, struct slw_error *err)
{
    const Elf64_Shdr *notes = find_section(s, ".note.stapsdt");
    const Elf64_Shdr *base = find_section(s, ".stapsdt.base");
    const struct bases bases = {.known = base != NULL, .address = base ? base->sh_addr : 0};
    void *SLW_AUTO(free) data = NULL;

    if (!notes || notes->sh_type != SHT_NOTE)
        return 0;
    if (notes->sh_size > SLW_SDT_MAX_NOTE_BYTES)
        return slw_fail(err, SLW_E_FORMAT, "the ELF file has too many probes");
    int rc = load(f, notes->sh_offset, (size_t)notes->sh_size, &data, err);
    if (rc == 0)
        read_notes(f, &bases, data, (size_t)notes->sh_size, fn, ctx, unusable);
    return rc;
}

/* Section names, with an end put behind them. */
static int load_names(const struct file *f, struct sections *s, char **ret_names,
                      struct slw_error *err)
{
    size_t index = f->header.e_shstrndx;

    if (index >= s->count || s->all[index].sh_size > SLW_SDT_MAX_NAME_BYTES)
        return slw_fail(err, SLW_E_FORMAT, "the ELF file has no section names");
    size_t size = (size_t)s->all[index].sh_size;
    char *SLW_AUTO(free) names = calloc(1, size + 1);
    if (!names)
        return slw_fail(err, SLW_E_NOMEM, "no memory to look for probes");
    if (size > 0 && !f->read(f->ctx, names, size, s->all[index].sh_offset))
        return slw_fail(err, SLW_E_FORMAT, "the ELF file ends early");
    s->names = *ret_names = names;
    s->names_size = size;
    names = NULL;
    return 0;
}

static int look_at_sections(const struct file *f, slw_sdt_probe_fn *fn, void *ctx,
                            uint64_t *unusable, struct slw_error *err)
{
    struct sections s = {.count = f->header.e_shnum};
    void *SLW_AUTO(free) table = NULL;
    char *SLW_AUTO(free) names = NULL;

    int rc = load(f, f->header.e_shoff, s.count * sizeof(Elf64_Shdr), &table, err);
    if (rc < 0)
        return rc;
    s.all = table;
    rc = load_names(f, &s, &names, err);
    return rc < 0 ? rc : look_at_notes(f, &s, fn, ctx, unusable, err);
}

int slw_sdt_probes(slw_sdt_read_fn *read, void *read_ctx, slw_sdt_probe_fn *fn, void *ctx,
                   uint64_t *ret_unusable, struct slw_error *err)
{
    struct file f = {.read = read, .ctx = read_ctx};
    void *SLW_AUTO(free) segments = NULL;
    uint64_t unusable = 0;

    if (!read(read_ctx, &f.header, sizeof(f.header), 0) || !is_ours(&f.header))
        return 0;
    if (f.header.e_shnum == 0) /* stripped of them, or more than 65279 */
        return 0;
    if (f.header.e_shentsize != sizeof(Elf64_Shdr) || f.header.e_phentsize != sizeof(Elf64_Phdr) ||
        f.header.e_phnum > SLW_SDT_MAX_SEGMENTS)
        return slw_fail(err, SLW_E_FORMAT, "the ELF file has headers of an unknown size");
    int rc = load(&f, f.header.e_phoff, f.header.e_phnum * sizeof(Elf64_Phdr), &segments, err);
    if (rc < 0)
        return rc;
    f.segments = segments;
    rc = look_at_sections(&f, fn, ctx, &unusable, err);
    if (rc == 0 && ret_unusable)
        *ret_unusable = unusable;
    return rc;
}
