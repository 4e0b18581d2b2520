/* SPDX-License-Identifier: MIT */
/* .gnu_debugdata: a symbol table that distributions leave inside stripped programs, as an ELF file
 * of its own, packed by xz. Source: gdb manual, "MiniDebugInfo". */
#include "analyzer/elf_file.h"
#include "base/error.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#define MAX_UNPACKED     ((size_t)64 << 20) /* twenty times the largest that Fedora ships */
#define MAX_DECODER      ((uint64_t)128 << 20)
#define FIRST_ALLOCATION ((size_t)256 << 10)

static Elf_Data *packed_section(const struct slw_elf *e)
{
    Elf_Scn *scn = NULL;
    GElf_Shdr h;
    size_t names;

    if (elf_getshdrstrndx(e->elf, &names) < 0)
        return NULL;
    while ((scn = elf_nextscn(e->elf, scn)) != NULL) {
        const char *name = gelf_getshdr(scn, &h) ? elf_strptr(e->elf, names, h.sh_name) : NULL;
        if (name && h.sh_type == SHT_PROGBITS && strcmp(name, ".gnu_debugdata") == 0)
            return elf_rawdata(scn, NULL);
    }
    return NULL;
}

/* More room for what comes out; false: there is enough of it. */
static bool grow(lzma_stream *z, char **bytes)
{
    size_t used = z->total_out, bigger = used ? used * 2 : FIRST_ALLOCATION;
    char *grown = used < MAX_UNPACKED ? realloc(*bytes, bigger) : NULL;

    if (!grown)
        return false;
    *bytes = grown;
    z->next_out = (uint8_t *)grown + used;
    z->avail_out = bigger - used;
    return true;
}

/* NULL: not xz, cut off, or too large. */
static char *unpack(const Elf_Data *packed, size_t *ret_length)
{
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_ret r = lzma_stream_decoder(&z, MAX_DECODER, 0);
    char *bytes = NULL;

    z.next_in = packed->d_buf;
    z.avail_in = packed->d_size;
    while (r == LZMA_OK && (z.avail_out > 0 || grow(&z, &bytes)))
        r = lzma_code(&z, LZMA_FINISH);
    *ret_length = z.total_out;
    lzma_end(&z);
    if (r == LZMA_STREAM_END)
        return bytes;
    free(bytes);
    return NULL;
}

int slw_elf_open_minidebug(const struct slw_elf *e, struct slw_elf *ret_debug)
{
    const Elf_Data *packed = packed_section(e);
    size_t length;
    char *bytes = packed && packed->d_buf ? unpack(packed, &length) : NULL;

    if (!bytes)
        return -SLW_E_NOTFOUND;
    struct slw_elf found = {.fd = -1, .elf = elf_memory(bytes, length), .memory = bytes};
    if (!found.elf || elf_kind(found.elf) != ELF_K_ELF) {
        if (found.elf)
            (void)elf_end(found.elf);
        free(bytes);
        return -SLW_E_NOTFOUND;
    }
    *ret_debug = found;
    return 0;
}
