/* SPDX-License-Identifier: MIT */
/* Separate debug files, where distributions put them. Own search instead of libdwfl's standard one,
 * because that may ask servers on the network. */
#include "analyzer/elf_file.h"
#include "base/cleanup.h"
#include "base/error.h"

#include <elfutils/libdwelf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* Source: the checksum of .gnu_debuglink, gdb manual "Separate Debug Files": CRC-32 of the file. */
static bool checksum_matches(const struct slw_elf *e, uint32_t expected)
{
    struct stat st;

    if (fstat(e->fd, &st) < 0 || st.st_size <= 0)
        return false;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, e->fd, 0);
    if (map == MAP_FAILED)
        return false;
    uLong crc = crc32_z(0, map, (size_t)st.st_size);
    (void)munmap(map, (size_t)st.st_size);
    return (uint32_t)crc == expected;
}

/* Open a candidate and keep it when it is the debug file of a binary with this build id, or, when
 * there is none, with this checksum. */
static bool try_file(const char *path, const char *build_id, const uint32_t *crc,
                     struct slw_elf *ret_debug, char **ret_path)
{
    char found[SLW_BUILD_ID_HEX_BYTES];
    struct slw_elf e;

    if (slw_elf_open(path, &e) < 0)
        return false;
    slw_elf_build_id(&e, found);
    bool same =
        *build_id && *found ? strcmp(build_id, found) == 0 : crc && checksum_matches(&e, *crc);
    char *copy = same && ret_path ? strdup(path) : NULL;
    if (!same || (ret_path && !copy)) {
        slw_elf_close(&e);
        return false;
    }
    *ret_debug = e;
    if (ret_path)
        *ret_path = copy;
    return true;
}

/* False when there can be none: no build id, or a path too long. */
static bool build_id_path(const char *build_id, const char *debug_dir, char ret_path[PATH_MAX])
{
    if (strlen(build_id) < 4)
        return false;
    int n = snprintf(ret_path, PATH_MAX, "%s/.build-id/%.2s/%s.debug", debug_dir, build_id,
                     build_id + 2);
    return n > 0 && n < PATH_MAX;
}

static bool by_link(const struct slw_elf *e, const char *path, const char *build_id,
                    const char *debug_dir, struct slw_elf *ret_debug, char **ret_path)
{
    GElf_Word crc = 0;
    const char *link = dwelf_elf_gnu_debuglink(e->elf, &crc);
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) : 0;
    char candidates[3][PATH_MAX];
    const uint32_t expected = crc;

    if (!link || !*link || strchr(link, '/') || !slash)
        return false;
    (void)snprintf(candidates[0], PATH_MAX, "%.*s/%s", folder, path, link);
    (void)snprintf(candidates[1], PATH_MAX, "%.*s/.debug/%s", folder, path, link);
    (void)snprintf(candidates[2], PATH_MAX, "%s%.*s/%s", debug_dir, folder, path, link);
    for (size_t i = 0; i < 3; i++)
        if (strcmp(candidates[i], path) != 0 &&
            try_file(candidates[i], build_id, &expected, ret_debug, ret_path))
            return true;
    return false;
}

int slw_elf_open_debug(const struct slw_elf *e, const char *path, const char *debug_dir,
                       struct slw_elf *ret_debug, char **ret_path)
{
    char build_id[SLW_BUILD_ID_HEX_BYTES];
    char named[PATH_MAX];

    slw_elf_build_id(e, build_id);
    bool can = build_id_path(build_id, debug_dir, named);
    if (can && try_file(named, build_id, NULL, ret_debug, ret_path))
        return 0;
    if (by_link(e, path, build_id, debug_dir, ret_debug, ret_path))
        return 0;
    return can && access(named, F_OK) == 0 ? -SLW_E_PERM : -SLW_E_NOTFOUND;
}
