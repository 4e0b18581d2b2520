/* SPDX-License-Identifier: MIT */
#include "analyzer/elf_file.h"

#include "base/error.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

int slw_elf_open(const char *path, struct slw_elf *ret_elf)
{
    struct stat st;
    struct slw_elf e = {.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};

    if (e.fd < 0)
        return -SLW_E_NOTFOUND;
    /* A device or FIFO of a recorded name must not be read. */
    if (fstat(e.fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        (void)close(e.fd);
        return -SLW_E_FORMAT;
    }
    (void)elf_version(EV_CURRENT);
    e.elf = elf_begin(e.fd, ELF_C_READ_MMAP, NULL);
    if (!e.elf || elf_kind(e.elf) != ELF_K_ELF) {
        if (e.elf)
            (void)elf_end(e.elf);
        (void)close(e.fd);
        return -SLW_E_FORMAT;
    }
    *ret_elf = e;
    return 0;
}

int slw_elf_reopen(const struct slw_elf *e, struct slw_elf *ret_elf)
{
    char self[32];

    if (!e->elf || e->fd < 0)
        return -SLW_E_NOTFOUND;
    (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", e->fd);
    return slw_elf_open(self, ret_elf);
}

/* The kernel maps the image whole, section headers at its end. */
static size_t vdso_bytes(const char *image)
{
    Elf64_Ehdr h;

    memcpy(&h, image, sizeof(h));
    if (memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 || h.e_ident[EI_CLASS] != ELFCLASS64)
        return 0;
    return (size_t)h.e_shoff + (size_t)h.e_shnum * h.e_shentsize;
}

int slw_elf_open_vdso(struct slw_elf *ret_elf)
{
    unsigned long at = getauxval(AT_SYSINFO_EHDR);
    char *image = NULL;

    if (at == 0)
        return -SLW_E_NOTFOUND;
    memcpy(&image, &at, sizeof(image));
    size_t bytes = vdso_bytes(image);
    if (bytes == 0)
        return -SLW_E_NOTFOUND;
    (void)elf_version(EV_CURRENT);
    struct slw_elf e = {.fd = -1, .elf = elf_memory(image, bytes)};
    if (!e.elf)
        return -SLW_E_NOTFOUND;
    *ret_elf = e;
    return 0;
}

void slw_elf_close(struct slw_elf *e)
{
    if (!e || !e->elf) /* zeroed storage is a closed one; its fd is not 0 but nothing */
        return;
    (void)elf_end(e->elf);
    if (e->fd >= 0)
        (void)close(e->fd);
    free(e->memory);
    *e = (struct slw_elf){.fd = -1};
}

void slw_elf_build_id(const struct slw_elf *e, char ret_hex[SLW_BUILD_ID_HEX_BYTES])
{
    const void *bytes = NULL;
    ssize_t length = dwelf_elf_gnu_build_id(e->elf, &bytes);
    const unsigned char *b = bytes;

    ret_hex[0] = '\0';
    for (ssize_t i = 0; i < length && 2 * i + 2 < SLW_BUILD_ID_HEX_BYTES; i++)
        (void)snprintf(ret_hex + 2 * i, 3, "%02x", b[i]);
}

static bool load_segment(const struct slw_elf *e, size_t index, GElf_Phdr *ret_phdr)
{
    return gelf_getphdr(e->elf, (int)index, ret_phdr) && ret_phdr->p_type == PT_LOAD;
}

bool slw_elf_segment_delta(const struct slw_elf *e, uint64_t address, uint64_t *ret_delta)
{
    size_t count = 0;
    GElf_Phdr p;

    if (elf_getphdrnum(e->elf, &count) < 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (load_segment(e, i, &p) && address >= p.p_vaddr && address - p.p_vaddr < p.p_memsz) {
            *ret_delta = p.p_vaddr - p.p_offset;
            return true;
        }
    return false;
}

bool slw_elf_address_of_offset(const struct slw_elf *e, uint64_t offset, uint64_t *ret_address)
{
    size_t count = 0;
    GElf_Phdr p;

    if (elf_getphdrnum(e->elf, &count) < 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (load_segment(e, i, &p) && offset >= p.p_offset && offset - p.p_offset < p.p_filesz) {
            *ret_address = offset - p.p_offset + p.p_vaddr;
            return true;
        }
    return false;
}
