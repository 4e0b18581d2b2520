/* SPDX-License-Identifier: MIT */
/* Does a program carry symbols and debug info? Looks at section headers only. */
#include "collector/doctor_int.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_SECTIONS       65536 /* ELF's own limit without extensions */
#define MAX_BUILD_ID_BYTES 64
#define MAX_BUILD_ID_HEX   ((size_t)MAX_BUILD_ID_BYTES * 2 + sizeof("/.debug"))

struct sections {
    bool symtab, debug_info;
    unsigned char build_id[MAX_BUILD_ID_BYTES];
    size_t build_id_length;
};

/* Source: elf(5), Nhdr; the note of GNU with type NT_GNU_BUILD_ID. */
static void take_note(Elf_Scn *scn, struct sections *s)
{
    Elf_Data *data = elf_getdata(scn, NULL);
    size_t offset = 0, name = 0, desc = 0;
    GElf_Nhdr note;

    while (data && (offset = gelf_getnote(data, offset, &note, &name, &desc)) > 0) {
        const unsigned char *bytes = data->d_buf;

        if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 ||
            memcmp(bytes + name, "GNU", 4) != 0 || note.n_descsz > MAX_BUILD_ID_BYTES)
            continue;
        memcpy(s->build_id, bytes + desc, note.n_descsz);
        s->build_id_length = note.n_descsz;
    }
}

static void look_at(Elf *elf, struct sections *s)
{
    Elf_Scn *scn = NULL;
    size_t names = 0;

    if (elf_getshdrstrndx(elf, &names) != 0)
        return;
    for (int i = 0; i < MAX_SECTIONS && (scn = elf_nextscn(elf, scn)) != NULL; i++) {
        GElf_Shdr header;

        if (!gelf_getshdr(scn, &header))
            continue;
        const char *name = elf_strptr(elf, names, header.sh_name);
        s->symtab = s->symtab || header.sh_type == SHT_SYMTAB;
        s->debug_info =
            s->debug_info ||
            (name && (strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0));
        if (header.sh_type == SHT_NOTE)
            take_note(scn, s);
    }
}

static bool separate_file(const char *root, const struct sections *s)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/usr/lib/debug/.build-id/", root);

    if (s->build_id_length < 2 || n < 0 || (size_t)n + MAX_BUILD_ID_HEX > sizeof(path))
        return false;
    for (size_t i = 0; i < s->build_id_length; i++)
        n += snprintf(path + n, sizeof(path) - (size_t)n, "%s%02x", i == 1 ? "/" : "",
                      s->build_id[i]);
    (void)snprintf(path + n, sizeof(path) - (size_t)n, ".debug");
    return access(path, R_OK) == 0;
}

enum slw_debug_info slw_doctor_debug_info(const char *root, const char *program)
{
    int SLW_AUTO(close) fd = open(program, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct sections s = {0};

    if (fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
        return SLW_DEBUG_INFO_UNREADABLE;
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    bool is_elf = elf && elf_kind(elf) == ELF_K_ELF;
    if (is_elf)
        look_at(elf, &s);
    (void)elf_end(elf);
    if (!is_elf)
        return SLW_DEBUG_INFO_NOT_ELF;
    if (s.debug_info)
        return SLW_DEBUG_INFO_FULL;
    if (separate_file(root, &s))
        return SLW_DEBUG_INFO_SEPARATE;
    return s.symtab ? SLW_DEBUG_INFO_SYMBOLS : SLW_DEBUG_INFO_NONE;
}
