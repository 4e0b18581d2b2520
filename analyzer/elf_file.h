/* SPDX-License-Identifier: MIT */
/* One ELF image opened for its symbols: a file, or the vdso in our own memory. Addresses are turned
 * into file offsets, because that is what a mapping tells; correct for ET_EXEC, PIE, prelinked
 * files and segments whose p_vaddr differs from p_offset. */
#ifndef SLW_ANALYZER_ELF_FILE_H
#define SLW_ANALYZER_ELF_FILE_H

#include "analyzer/symtab.h"

#include <gelf.h>

struct slw_arena;

struct slw_elf {
    int fd; /* -1: none */
    Elf *elf;
    void *memory; /* heap that the image is in; NULL: it is a file, or not ours */
};

#define SLW_BUILD_ID_HEX_BYTES 129 /* 64 bytes of id and a NUL: more than any linker writes */

/* 0, -SLW_E_NOTFOUND (missing, unreadable), or -SLW_E_FORMAT (no ELF). */
int slw_elf_open(const char *path, struct slw_elf *ret_elf);
/* The same file once more: a handle serves one thread. As slw_elf_open; of memory:
 * -SLW_E_NOTFOUND. */
int slw_elf_reopen(const struct slw_elf *e, struct slw_elf *ret_elf);
/* The vdso of this very process. -SLW_E_NOTFOUND: there is none. */
int slw_elf_open_vdso(struct slw_elf *ret_elf);
void slw_elf_close(struct slw_elf *e); /* NULL and closed ones allowed */

/* The GNU build id as hex, "" when there is none. */
void slw_elf_build_id(const struct slw_elf *e, char ret_hex[SLW_BUILD_ID_HEX_BYTES]);

bool slw_elf_has_symtab(const struct slw_elf *e);

/* Source lines and more: .debug_info, be it compressed. */
bool slw_elf_has_dwarf(const struct slw_elf *e);
/* Unpack what is packed of it in place: libdw would take what it cannot unpack for absent. 0,
 * -SLW_E_FORMAT (not to be unpacked), or -SLW_E_LIMIT. */
int slw_elf_unpack_dwarf(struct slw_elf *e);

/* Add .symtab (if any) and .dynsym of `e`, with addresses translated by the segments of `runtime`
 * (the mapped file; a separate debug file has no offsets of its own). Names are lent from `e`.
 * 0, -SLW_E_NOMEM, -SLW_E_LIMIT. */
int slw_elf_add_symbols(const struct slw_elf *e, const struct slw_elf *runtime,
                        struct slw_symtab *t);

/* Add "name@plt" for every stub of .plt, .plt.sec and .plt.got whose GOT slot has a relocation.
 * Names are put into the arena. */
int slw_elf_add_plt(const struct slw_elf *e, struct slw_arena *arena, struct slw_symtab *t);

/* Open the separate debug file of `e` (mapped from `path`): by build id, then by .gnu_debuglink.
 * Only one that matches (build id, or checksum) is taken. 0, -SLW_E_NOTFOUND, or -SLW_E_PERM: there
 * is one of this build id that cannot be used. ret_path (may be NULL) is a heap string. */
int slw_elf_open_debug(const struct slw_elf *e, const char *path, const char *debug_dir,
                       struct slw_elf *ret_debug, char **ret_path);

/* The symbol table that is packed into `e` itself. 0, or -SLW_E_NOTFOUND: there is none that could
 * be read. */
int slw_elf_open_minidebug(const struct slw_elf *e, struct slw_elf *ret_debug);

/* Segment that holds the address; false: none. offset = address - *ret_delta. */
bool slw_elf_segment_delta(const struct slw_elf *e, uint64_t address, uint64_t *ret_delta);
/* The inverse: the address a file offset is mapped at. */
bool slw_elf_address_of_offset(const struct slw_elf *e, uint64_t offset, uint64_t *ret_address);

#endif
