/* SPDX-License-Identifier: MIT */
/* The DWARF of an ELF image from anywhere: lines and inlined calls around its addresses. */
#include "analyzer/elf_file.h"
#include "analyzer/inlined.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct slw_inlined *in, uint64_t address)
{
    struct slw_inlined_call calls[SLW_MAX_INLINED];
    const char *file = "";
    uint32_t line = 0;
    size_t count = 0;

    if (slw_inlined_at(in, address, calls, &count) == 0)
        for (size_t i = 0; i < count; i++)
            if (!calls[i].name || !*calls[i].name || strlen(calls[i].call_file) == SIZE_MAX)
                abort();
    if (slw_inlined_line(in, address, &file, &line) == 0 && (line > 0) != (*file != '\0'))
        abort();
}

static void read_dwarf(struct slw_elf *e)
{
    GElf_Ehdr h;

    if (!slw_elf_has_dwarf(e) || slw_elf_unpack_dwarf(e) < 0 || !gelf_getehdr(e->elf, &h))
        return;
    Dwarf *dwarf = dwarf_begin_elf(e->elf, DWARF_C_READ, NULL);
    struct slw_inlined *in = dwarf ? slw_inlined_new(dwarf) : NULL;
    for (uint64_t at = 0; in && at < 256; at += 8)
        ask(in, h.e_entry + at);
    slw_inlined_free(in);
    if (dwarf)
        (void)dwarf_end(dwarf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *image = malloc(size + 1);

    (void)elf_version(EV_CURRENT);
    if (!image)
        return 0;
    memcpy(image, data, size);
    struct slw_elf e = {.fd = -1, .elf = elf_memory(image, size)};
    if (e.elf && elf_kind(e.elf) == ELF_K_ELF)
        read_dwarf(&e);
    slw_elf_close(&e);
    free(image);
    return 0;
}
