/* SPDX-License-Identifier: MIT */
/* Raw system calls: in a client, the wrappers of libc are the ones we watch. */
#include "collector/taps/wire/loadable.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MAX_SCRIPTS     4   /* Linux follows "#!" so often: fs/exec.c */
#define MAX_SCRIPT_HEAD 256 /* the kernel reads no more of a script: BINPRM_BUF_SIZE */
#define MAX_HEADERS     64  /* program headers looked at; programs have about 13 */

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#else
#define OUR_MACHINE EM_NONE
#endif

static bool read_at(int fd, void *to, size_t size, uint64_t offset)
{
    return syscall(SYS_pread64, fd, to, size, (long)offset) == (long)size;
}

static enum slw_loadable check_loader(int fd, const Elf64_Phdr *interp)
{
    char path[PATH_MAX];
    size_t length = interp->p_filesz < sizeof(path) ? (size_t)interp->p_filesz : sizeof(path);

    if (length == 0 || !read_at(fd, path, length, interp->p_offset))
        return SLW_LOADABLE_UNKNOWN;
    path[length - 1] = '\0';
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    return strncmp(name, "ld-linux", 8) == 0 ? SLW_LOADABLE_YES : SLW_LOADABLE_OTHER_LOADER;
}

static enum slw_loadable check_elf(int fd, const Elf64_Ehdr *e)
{
    if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_machine != OUR_MACHINE)
        return SLW_LOADABLE_OTHER_CLASS;
    for (unsigned i = 0; i < e->e_phnum && i < MAX_HEADERS; i++) {
        Elf64_Phdr p;

        if (!read_at(fd, &p, sizeof(p), e->e_phoff + (uint64_t)i * sizeof(p)))
            return SLW_LOADABLE_UNKNOWN;
        if (p.p_type == PT_INTERP)
            return check_loader(fd, &p);
    }
    return SLW_LOADABLE_STATIC;
}

/* The interpreter of "#! /bin/sh -e\n" in place; false when there is none. */
static bool find_interpreter(char *text, size_t length, char **ret_path)
{
    char *p = text + 2, *end = text + length;

    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    *ret_path = p;
    while (p < end && *p != ' ' && *p != '\t' && *p != '\n' && *p)
        p++;
    if (p == end || p == *ret_path)
        return false;
    *p = '\0';
    return true;
}

/* Root gains nothing from a program of root. */
static bool privileged(int fd, const char *path)
{
    struct stat st;
    uint8_t capabilities[64];

    if (fstat(fd, &st) < 0)
        return false;
    if (((st.st_mode & S_ISUID) && st.st_uid != getuid()) ||
        ((st.st_mode & S_ISGID) && st.st_gid != getgid()))
        return true;
    return getuid() != 0 &&
           getxattr(path, "security.capability", capabilities, sizeof(capabilities)) > 0;
}

/* One file; a script names the next one in `next`. */
static enum slw_loadable check_file(int fd, const char *path, char next[MAX_SCRIPT_HEAD])
{
    union {
        Elf64_Ehdr elf;
        char text[MAX_SCRIPT_HEAD];
    } head;
    char *interpreter;

    if (privileged(fd, path))
        return SLW_LOADABLE_PRIVILEGED;
    memset(&head, 0, sizeof(head));
    long n = syscall(SYS_pread64, fd, &head, sizeof(head), 0L);
    if (n >= (long)sizeof(head.elf) && memcmp(head.elf.e_ident, ELFMAG, SELFMAG) == 0)
        return check_elf(fd, &head.elf);
    if (n > 2 && memcmp(head.text, "#!", 2) == 0 &&
        find_interpreter(head.text, (size_t)n, &interpreter)) {
        memcpy(next, interpreter, strlen(interpreter) + 1);
        return SLW_LOADABLE_YES;
    }
    return SLW_LOADABLE_UNKNOWN;
}

enum slw_loadable slw_wire_loadable(const char *path)
{
    char next[MAX_SCRIPT_HEAD], name[MAX_SCRIPT_HEAD];

    for (int depth = 0; depth <= MAX_SCRIPTS; depth++) {
        long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);

        if (fd < 0)
            return SLW_LOADABLE_YES;
        next[0] = '\0';
        enum slw_loadable found = check_file((int)fd, path, next);
        (void)syscall(SYS_close, fd);
        if (found != SLW_LOADABLE_YES || next[0] == '\0')
            return found;
        memcpy(name, next, sizeof(name));
        path = name;
    }
    return SLW_LOADABLE_UNKNOWN;
}

const char *slw_wire_loadable_text(enum slw_loadable l)
{
    static const char *const texts[] = {
#define X(name, text) text,
        SLW_LOADABLES(X)
#undef X
    };

    return l < SLW_LOADABLE_COUNT ? texts[l] : "unknown";
}
