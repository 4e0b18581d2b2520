/* SPDX-License-Identifier: MIT */
/* The file that a module was mapped from, and what was split off it. A client in a container has
 * files of its own by the names that ours have: while it lives, they are looked for where it sees
 * them. */
#include "analyzer/process_root.h"
#include "analyzer/symbols_int.h"

#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Some file systems show another inode number than the kernel recorded: there it proves nothing. */
static bool inode_is_telling(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type != OVERLAYFS_SUPER_MAGIC &&
           fs.f_type != BTRFS_SUPER_MAGIC;
}

/* Is the file at the module's path the one that was mapped? */
static enum slw_symbols_problem identify(const struct slw_symbols_options *opts,
                                         const struct slw_module *m, const struct slw_elf *e)
{
    char build_id[SLW_BUILD_ID_HEX_BYTES];
    struct stat st;

    slw_elf_build_id(e, build_id);
    if (*m->build_id)
        return strcmp(build_id, m->build_id) == 0 ? SLW_SYMBOLS_FINE : SLW_SYMBOLS_REPLACED;
    bool known = m->inode != 0 && fstat(e->fd, &st) == 0;
    bool same = known && st.st_ino == m->inode;
    if (!opts->imported)
        return known && !same && inode_is_telling(e->fd) ? SLW_SYMBOLS_REPLACED : SLW_SYMBOLS_FINE;
    return same && major(st.st_dev) == m->major && minor(st.st_dev) == m->minor
               ? SLW_SYMBOLS_FINE
               : SLW_SYMBOLS_UNCHECKED;
}

static enum slw_symbols_problem open_at(const struct slw_symbols_options *opts,
                                        const struct slw_module *m, const char *path,
                                        struct slw_symbols_module *l)
{
    enum slw_symbols_problem problem = SLW_SYMBOLS_MISSING;

    if (path[0] == '/' && slw_elf_open(path, &l->elf) == 0) {
        problem = identify(opts, m, &l->elf);
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
