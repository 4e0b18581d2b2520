/* SPDX-License-Identifier: MIT */
#include "analyzer/unwind/cfi_image.h"

#include "analyzer/unwind/cfi_int.h"

#include <string.h>

#define MAX_SEGMENTS       64
#define MAX_SECTIONS       4
#define MAX_UNPACKED_BYTES ((uint64_t)256 << 20) /* .debug_frame of the largest browsers */

struct image {
    Elf *elf;
    struct slw_cfi_section sections[MAX_SECTIONS];
    struct slw_cfi_segment code[MAX_SEGMENTS];
    struct slw_cfi_source source;
};

bool slw_cfi_machine_of(const struct slw_elf *elf, enum slw_cfi_machine *ret_machine)
{
    GElf_Ehdr h;

    if (!gelf_getehdr(elf->elf, &h) || h.e_ident[EI_CLASS] != ELFCLASS64 ||
        h.e_ident[EI_DATA] != ELFDATA2LSB ||
        (h.e_machine != EM_AARCH64 && h.e_machine != EM_X86_64))
        return false;
    *ret_machine = h.e_machine == EM_AARCH64 ? SLW_CFI_AARCH64 : SLW_CFI_X86_64;
    return true;
}

static uint64_t entry_of(Elf *elf)
{
    GElf_Ehdr h;

    return gelf_getehdr(elf, &h) ? h.e_entry : 0;
}

static void find_code(struct image *im)
{
    size_t count = 0;
    GElf_Phdr p;

    if (elf_getphdrnum(im->elf, &count) < 0)
        return;
    for (size_t i = 0; i < count && im->source.segment_count < MAX_SEGMENTS; i++)
        if (gelf_getphdr(im->elf, (int)i, &p) && p.p_type == PT_LOAD && (p.p_flags & PF_X))
            im->code[im->source.segment_count++] =
                (struct slw_cfi_segment){p.p_vaddr, p.p_filesz, p.p_offset};
}

static void add_section(struct image *im, const struct slw_cfi_section *section)
{
    if (section->bytes && section->length > 0 && im->source.section_count < MAX_SECTIONS)
        im->sections[im->source.section_count++] = *section;
}

/* What linkers and packers compressed is unpacked into memory of libelf's. */
static Elf_Data *data_of(Elf_Scn *scn, const GElf_Shdr *h)
{
    GElf_Chdr packed;

    if (!(h->sh_flags & SHF_COMPRESSED))
        return elf_rawdata(scn, NULL);
    if (!gelf_getchdr(scn, &packed) || packed.ch_size > MAX_UNPACKED_BYTES ||
        elf_compress(scn, 0, 0) < 0)
        return NULL;
    return elf_getdata(scn, NULL);
}

static void find_sections(struct image *im, const char *wanted, bool debug_frame)
{
    size_t names = 0;
    Elf_Scn *scn = NULL;
    GElf_Shdr h;

    if (elf_getshdrstrndx(im->elf, &names) < 0)
        return;
    while ((scn = elf_nextscn(im->elf, scn)) != NULL) {
        const char *name = gelf_getshdr(scn, &h) ? elf_strptr(im->elf, names, h.sh_name) : NULL;
        if (!name || strcmp(name, wanted) != 0 || h.sh_type == SHT_NOBITS)
            continue;
        const Elf_Data *data = data_of(scn, &h);
        if (data)
            add_section(im, &(struct slw_cfi_section){.bytes = data->d_buf,
                                                      .length = data->d_size,
                                                      .address = h.sh_addr,
                                                      .debug_frame = debug_frame});
    }
}

/* The bytes of the file from an address to the end of its segment. */
static bool bytes_at(Elf *elf, uint64_t address, struct slw_cfi_section *ret_section)
{
    size_t length = 0, count = 0;
    const uint8_t *file = (const uint8_t *)elf_rawfile(elf, &length);
    GElf_Phdr p;

    if (!file || elf_getphdrnum(elf, &count) < 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!gelf_getphdr(elf, (int)i, &p) || p.p_type != PT_LOAD || address < p.p_vaddr ||
            address - p.p_vaddr >= p.p_filesz || p.p_offset > length ||
            p.p_filesz > length - p.p_offset)
            continue;
        uint64_t into = address - p.p_vaddr;
        *ret_section = (struct slw_cfi_section){
            .bytes = file + p.p_offset + into, .length = p.p_filesz - into, .address = address};
        return true;
    }
    return false;
}

/* Without section headers the header that the program's own unwinder uses leads to .eh_frame; its
 * length is told nowhere. Source: LSB 5, 10.6.2. */
static void find_by_header(struct image *im)
{
    size_t count = 0;
    GElf_Phdr p;
    struct slw_cfi_section header, frames;

    if (elf_getphdrnum(im->elf, &count) < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        if (!gelf_getphdr(im->elf, (int)i, &p) || p.p_type != PT_GNU_EH_FRAME ||
            !bytes_at(im->elf, p.p_vaddr, &header) || header.length < 4 || header.bytes[0] != 1)
            continue;
        struct slw_cfi_cursor c = {.at = header.bytes + 4, .end = header.bytes + header.length};
        uint64_t address = slw_cfi_encoded(&c, header.bytes[1], header.bytes, header.address);
        if (c.bad || !bytes_at(im->elf, address, &frames))
            continue;
        frames.length_is_max = true;
        add_section(im, &frames);
    }
}

/* The code of the image; what describes it is still to be found. */
static int begin(struct image *im, const struct slw_elf *elf, struct slw_error *err)
{
    im->elf = elf->elf;
    if (!slw_cfi_machine_of(elf, &im->source.machine))
        return slw_fail(err, SLW_E_UNSUPPORTED, "not a program of x86-64 or arm64");
    im->source.sections = im->sections;
    im->source.segments = im->code;
    find_code(im);
    return 0;
}

int slw_cfi_compile_image(const struct slw_elf *elf, struct slw_cfi_table *ret_table,
                          struct slw_error *err)
{
    struct image im = {0};
    int rc = begin(&im, elf, err);

    if (rc < 0)
        return rc;
    im.source.entry = entry_of(elf->elf);
    find_sections(&im, ".eh_frame", false);
    if (im.source.section_count == 0)
        find_by_header(&im);
    find_sections(&im, ".debug_frame", true);
    return slw_cfi_compile(&im.source, ret_table, err);
}

int slw_cfi_compile_separate(const struct slw_elf *elf, const struct slw_elf *debug,
                             struct slw_cfi_table *ret_table, struct slw_error *err)
{
    struct image im = {0};
    int rc = begin(&im, elf, err);

    if (rc < 0)
        return rc;
    im.elf = debug->elf;
    find_sections(&im, ".debug_frame", true);
    return slw_cfi_compile(&im.source, ret_table, err);
}
