/* SPDX-License-Identifier: MIT */
/* An ELF image from anywhere: its symbols, its PLT stubs, its build id. */
#include "analyzer/elf_file.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_symbols(struct slw_elf *e)
{
    char build_id[SLW_BUILD_ID_HEX_BYTES];
    struct slw_arena *arena = slw_arena_new();
    struct slw_symtab t = {0};

    slw_elf_build_id(e, build_id);
    if (arena && slw_elf_add_symbols(e, e, &t) == 0 && slw_elf_add_plt(e, arena, &t) == 0 &&
        slw_symtab_finish(&t, UINT64_MAX) == 0)
        for (size_t i = 0; i < t.count; i++)
            if (!slw_symtab_find(&t, t.symbols[i].start) && t.symbols[i].end > t.symbols[i].start)
                abort();
    slw_symtab_release(&t);
    slw_arena_free(arena);
}

static void read_packed(const struct slw_elf *e)
{
    struct slw_elf packed;

    if (slw_elf_open_minidebug(e, &packed) < 0)
        return;
    read_symbols(&packed);
    slw_elf_close(&packed);
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
        read_symbols(&e);
    if (e.elf && elf_kind(e.elf) == ELF_K_ELF)
        read_packed(&e);
    slw_elf_close(&e);
    free(image);
    return 0;
}
