/* SPDX-License-Identifier: MIT */
/* An ELF file with notes of USDT probes, made in memory: for the tests of who reads them. */
#ifndef SLW_TESTS_STAGE_ELF_H
#define SLW_TESTS_STAGE_ELF_H

#include "collector/taps/stage/sdt.h"

#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__aarch64__)
#define STAGE_ELF_MACHINE  EM_AARCH64
#define STAGE_ELF_ARGUMENT "8@x0"
#else
#define STAGE_ELF_MACHINE  EM_X86_64
#define STAGE_ELF_ARGUMENT "8@%rdi"
#endif

#define STAGE_ELF_BYTES     8192
#define STAGE_ELF_TEXT      0x401000 /* address; offset 0x1000, 0x100 bytes */
#define STAGE_ELF_DATA      0x403800 /* address; offset 0x1800, 0x100 bytes */
#define STAGE_ELF_BASE      0x402000
#define STAGE_ELF_NOTES     0x400 /* offset */
#define STAGE_ELF_NOTES_MAX 0xa00

struct stage_elf {
    unsigned char bytes[STAGE_ELF_BYTES];
    size_t size; /* of the file; tests cut it */
    size_t note_bytes;
};

static inline Elf64_Ehdr *stage_elf_header(struct stage_elf *e)
{
    return (Elf64_Ehdr *)(void *)e->bytes;
}

static inline Elf64_Phdr *stage_elf_segments(struct stage_elf *e)
{
    return (Elf64_Phdr *)(void *)(e->bytes + 0x40);
}

/* 0: none; 1: names; 2: notes; 3: base. */
static inline Elf64_Shdr *stage_elf_sections(struct stage_elf *e)
{
    return (Elf64_Shdr *)(void *)(e->bytes + 0x200);
}

static inline void stage_elf_init(struct stage_elf *e)
{
    static const char names[] = "\0.shstrtab\0.note.stapsdt\0.stapsdt.base";
    Elf64_Shdr *s = stage_elf_sections(e);

    memset(e, 0, sizeof(*e));
    e->size = sizeof(e->bytes);
    *stage_elf_header(e) = (Elf64_Ehdr){.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB},
                                        .e_type = ET_DYN,
                                        .e_machine = STAGE_ELF_MACHINE,
                                        .e_phoff = 0x40,
                                        .e_phentsize = sizeof(Elf64_Phdr),
                                        .e_phnum = 2,
                                        .e_shoff = 0x200,
                                        .e_shentsize = sizeof(Elf64_Shdr),
                                        .e_shnum = 4,
                                        .e_shstrndx = 1};
    stage_elf_segments(e)[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                                            .p_flags = PF_R | PF_X,
                                            .p_offset = 0x1000,
                                            .p_vaddr = STAGE_ELF_TEXT,
                                            .p_filesz = 0x100,
                                            .p_memsz = 0x100};
    stage_elf_segments(e)[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                                            .p_flags = PF_R | PF_W,
                                            .p_offset = 0x1800,
                                            .p_vaddr = STAGE_ELF_DATA,
                                            .p_filesz = 0x100,
                                            .p_memsz = 0x200};
    memcpy(e->bytes + 0x380, names, sizeof(names));
    s[1] = (Elf64_Shdr){
        .sh_name = 1, .sh_type = SHT_STRTAB, .sh_offset = 0x380, .sh_size = sizeof(names)};
    s[2] = (Elf64_Shdr){.sh_name = 11, .sh_type = SHT_NOTE, .sh_offset = STAGE_ELF_NOTES};
    s[3] = (Elf64_Shdr){.sh_name = 25, .sh_type = SHT_PROGBITS, .sh_addr = STAGE_ELF_BASE};
}

static inline void stage_elf_put(struct stage_elf *e, const void *data, size_t size)
{
    if (e->note_bytes + size > STAGE_ELF_NOTES_MAX)
        abort();
    memcpy(e->bytes + STAGE_ELF_NOTES + e->note_bytes, data, size);
    e->note_bytes += size;
    stage_elf_sections(e)[2].sh_size = e->note_bytes;
}

/* A probe; addresses are those the file was linked with, at a base `moved` lower than it is now. */
static inline void stage_elf_probe(struct stage_elf *e, uint64_t address, uint64_t semaphore,
                                   uint64_t moved, const char *provider, const char *name,
                                   const char *arguments)
{
    const uint64_t addresses[3] = {address - moved, STAGE_ELF_BASE - moved,
                                   semaphore ? semaphore - moved : 0};
    const char *const texts[] = {provider, name, arguments};
    Elf64_Nhdr h = {.n_namesz = 8, .n_descsz = sizeof(addresses), .n_type = 3};
    const char padding[4] = {0};

    for (int i = 0; i < 3; i++)
        h.n_descsz += (uint32_t)strlen(texts[i]) + 1;
    stage_elf_put(e, &h, sizeof(h));
    stage_elf_put(e, "stapsdt", 8);
    stage_elf_put(e, addresses, sizeof(addresses));
    for (int i = 0; i < 3; i++)
        stage_elf_put(e, texts[i], strlen(texts[i]) + 1);
    stage_elf_put(e, padding, (4 - h.n_descsz % 4) % 4);
}

static inline void stage_elf_mark(struct stage_elf *e, const char *name)
{
    stage_elf_probe(e, STAGE_ELF_TEXT + 0x10, STAGE_ELF_DATA + 8, 0, "slotwise", name,
                    STAGE_ELF_ARGUMENT);
}

static inline bool stage_elf_read(void *ctx, void *data, size_t size, uint64_t offset)
{
    const struct stage_elf *e = ctx;

    if (offset > e->size || size > e->size - offset)
        return false;
    memcpy(data, e->bytes + offset, size);
    return true;
}

#endif
