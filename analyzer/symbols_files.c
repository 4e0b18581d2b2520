/* SPDX-License-Identifier: MIT */
/* The file that a module was mapped from, and what was split off it. A client in a container has
 * files of its own by the names that ours have: while it lives, they are looked for where it sees
 * them. */
#include "analyzer/process_root.h"
#include "analyzer/symbols_int.h"
#include "base/clock.h"

#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Some file systems show another device than the kernel recorded, or another inode: there one that
 * differs proves nothing. */
static bool inode_is_telling(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type != OVERLAYFS_SUPER_MAGIC &&
           fs.f_type != BTRFS_SUPER_MAGIC;
}

/* Written to after it was mapped, also in place: a build or a copy over the old file leaves the
 * inode. A time that is still to come tells nothing. */
static bool was_changed(const struct slw_symbols_options *opts, const struct slw_module *m,
                        const struct stat *st)
{
    const uint64_t second_ns = 1000000000, now_ns = slw_clock_realtime_ns();
    const uint64_t since_ns = slw_clock_monotonic_ns() - m->mapped_ns;
    const uint64_t changed_ns =
        (uint64_t)st->st_mtim.tv_sec * second_ns + (uint64_t)st->st_mtim.tv_nsec;

    if (!opts->monotonic || m->mapped_ns == UINT64_MAX || changed_ns > now_ns)
        return false;
    if (m->mapped_ns == 0)
        return opts->started_realtime_ns != 0 && changed_ns > opts->started_realtime_ns;
    return changed_ns > now_ns - since_ns;
}

/* Is the open file the one that was mapped? Nothing recorded a build id. */
static enum slw_symbols_problem identify_inode(const struct slw_symbols_options *opts,
                                               const struct slw_module *m,
                                               struct slw_symbols_module *l)
{
    struct stat st;
    const bool known = m->inode != 0 && fstat(l->elf.fd, &st) == 0;

    if (!known)
        return opts->imported ? SLW_SYMBOLS_UNCHECKED : SLW_SYMBOLS_FINE;
    const bool telling = inode_is_telling(l->elf.fd), same = st.st_ino == m->inode;
    const bool same_device = major(st.st_dev) == m->major && minor(st.st_dev) == m->minor;
    if (opts->imported)
        return same && same_device ? SLW_SYMBOLS_FINE : SLW_SYMBOLS_UNCHECKED;
    if ((!same && telling) || was_changed(opts, m, &st))
        return SLW_SYMBOLS_REPLACED;
    l->proven = same && (same_device || !telling);
    return SLW_SYMBOLS_FINE;
}

static enum slw_symbols_problem identify(const struct slw_symbols_options *opts,
                                         const struct slw_module *m, struct slw_symbols_module *l)
{
    char build_id[SLW_BUILD_ID_HEX_BYTES];

    if (!*m->build_id)
        return identify_inode(opts, m, l);
    slw_elf_build_id(&l->elf, build_id);
    l->proven = strcmp(build_id, m->build_id) == 0;
    return l->proven ? SLW_SYMBOLS_FINE : SLW_SYMBOLS_REPLACED;
}

static enum slw_symbols_problem open_at(const struct slw_symbols_options *opts,
                                        const struct slw_module *m, const char *path,
                                        struct slw_symbols_module *l)
{
    enum slw_symbols_problem problem = SLW_SYMBOLS_MISSING;

    if (path[0] == '/' && slw_elf_open(path, &l->elf) == 0) {
        problem = identify(opts, m, l);
        if (problem != SLW_SYMBOLS_FINE)
            slw_elf_close(&l->elf);
    }
    return problem;
}

/* A process that lives still holds the program it runs, whatever became of its name. */
static bool open_running(const struct slw_symbols_options *opts, const struct slw_module *m,
                         struct slw_symbols_module *l)
{
    char path[64];

    if (opts->imported || m->mapper <= 0)
        return false;
    (void)snprintf(path, sizeof(path), "/proc/%d/exe", m->mapper);
    return (*m->build_id || m->inode != 0) && open_at(opts, m, path, l) == SLW_SYMBOLS_FINE;
}

static bool open_inside(const struct slw_symbols_options *opts, const struct slw_module *m,
                        struct slw_symbols_module *l)
{
    struct slw_process_root root;
    char path[PATH_MAX];

    if (opts->imported || m->path[0] != '/' || !slw_process_root_of(m->mapper, &root) ||
        !root.other_files || !slw_process_root_path(&root, m->path, path) ||
        open_at(opts, m, path, l) != SLW_SYMBOLS_FINE)
        return false;
    l->inside = m->mapper;
    return true;
}

static bool is_deleted(const char *path)
{
    static const char deleted[] = " (deleted)";
    size_t length = strlen(path), ending = sizeof(deleted) - 1;

    return length > ending && strcmp(path + length - ending, deleted) == 0;
}

enum slw_symbols_problem slw_symbols_open_file(const struct slw_symbols_options *opts,
                                               const struct slw_module *m,
                                               struct slw_symbols_module *l)
{
    enum slw_symbols_problem problem;

    if (strncmp(m->path, "/memfd:", 7) == 0) /* never had a name in the file system */
        problem = SLW_SYMBOLS_MISSING;
    else if (is_deleted(m->path))
        problem = SLW_SYMBOLS_REPLACED;
    else if (open_inside(opts, m, l))
        return SLW_SYMBOLS_FINE;
    else
        problem = open_at(opts, m, m->path, l);
    if (problem != SLW_SYMBOLS_FINE && open_running(opts, m, l))
        problem = SLW_SYMBOLS_FINE;
    return problem;
}

static int open_debug_inside(const struct slw_symbols_options *opts, const struct slw_module *m,
                             const struct slw_symbols_module *l, struct slw_elf *ret_debug,
                             char **ret_path)
{
    struct slw_process_root root;
    char path[PATH_MAX], folder[PATH_MAX];

    if (l->inside <= 0 || !slw_process_root_of(l->inside, &root) ||
        !slw_process_root_path(&root, m->path, path) ||
        !slw_process_root_path(&root, opts->debug_dir, folder))
        return -SLW_E_NOTFOUND;
    return slw_elf_open_debug(&l->elf, path, folder, ret_debug, ret_path);
}

int slw_symbols_open_debug(const struct slw_symbols_options *opts, const struct slw_module *m,
                           const struct slw_symbols_module *l, struct slw_elf *ret_debug,
                           char **ret_path)
{
    int rc = open_debug_inside(opts, m, l, ret_debug, ret_path);

    return rc == 0 ? 0 : slw_elf_open_debug(&l->elf, m->path, opts->debug_dir, ret_debug, ret_path);
}
