/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the client executes is simulated too: in its place the launcher is executed, which starts
 * QEMU for it. A plugin cannot change a system call, but it can make another one before it. */
#include "sim/qemu/plugin_int.h"
#include "sim/qemu/program.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More arguments, or variables, than these are not followed. */
enum { MOST_WORDS = 1 << 17, OWN_WORDS = 16, PIECE = 64 };

/* A text of the client; false: it is not there, or longer than the room. */
static bool peek_text(uint64_t address, char *to, size_t size)
{
    size_t used = 0;

    while (used < size) { /* in pieces that cross no page */
        const size_t left = PIECE - (address + used) % PIECE;
        const size_t part = left < size - used ? left : size - used;

        if (!peek(to + used, address + used, part))
            return false;
        if (memchr(to + used, '\0', part))
            return true;
        used += part;
    }
    return false;
}

/* How many pointers there are before a null one; -1: too many, or they are not there. */
static long count_pointers(uint64_t array)
{
    uint64_t pointer = 0;

    for (long i = 0; array && i < MOST_WORDS; i++) {
        if (!peek(&pointer, array + (uint64_t)i * sizeof(pointer), sizeof(pointer)))
            return -1;
        if (pointer == 0)
            return i;
    }
    return array ? -1 : 0;
}

/* As the host has them: what they point to is looked at by the kernel only, which says so where it
 * is not there. */
static bool copy_pointers(uint64_t array, long count, char **to)
{
    for (long i = 0; i < count; i++) {
        uint64_t pointer = 0;

        if (!peek(&pointer, array + (uint64_t)i * sizeof(pointer), sizeof(pointer)))
            return false;
        to[i] = at_host(pointer);
    }
    to[count] = NULL;
    return true;
}

/* Where it is not, the client's own call is made: it fails, or gets what QEMU cannot give. */
static bool is_followed(const char *path)
{
    struct slw_qemu_program program;
    struct stat file;

    if (stat(path, &file) != 0 || !S_ISREG(file.st_mode) || access(path, X_OK) != 0 ||
        (file.st_mode & (S_ISUID | S_ISGID)))
        return false;
    slw_qemu_look_at_program(path, &program);
    return program.kind == SLW_QEMU_ELF || program.kind == SLW_QEMU_SCRIPT;
}

/* What `file` is, if it can still be opened by that name: the launcher may not have it open. */
static bool path_of_open(int file, char *path, size_t size)
{
    struct stat is, named;
    char link[64];

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    const ssize_t length = readlink(link, path, size);

    if (length <= 0 || (size_t)length >= size || path[0] != '/')
        return false;
    path[length] = '\0';
    return fstat(file, &is) == 0 && stat(path, &named) == 0 && is.st_dev == named.st_dev &&
           is.st_ino == named.st_ino;
}

/* In front of a relative path, the folder it is relative to. */
static bool put_folder(int folder, char *path, size_t size)
{
    char relative[PATH_MAX];
    const size_t length = strlen(path);

    if (folder == AT_FDCWD || path[0] == '/')
        return true;
    memcpy(relative, path, length + 1);
    if (!path_of_open(folder, path, size))
        return false;
    const size_t used = strlen(path);

    return (size_t)snprintf(path + used, size - used, "/%s", relative) < size - used;
}

/* The path of the program, at most PATH_MAX with its end; false: it has none. That of this one is
 * not QEMU's. */
static bool path_of(const struct executed *e, char *path, size_t size)
{
    char own[64];
    struct stat file;

    if ((e->flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) || !peek_text(e->path, path, size))
        return false;
    if (path[0] == '\0')
        return (e->flags & AT_EMPTY_PATH) && path_of_open(e->folder, path, size);
    (void)snprintf(own, sizeof(own), "/proc/%d/exe", getpid());
    if (strcmp(path, "/proc/self/exe") != 0 && strcmp(path, own) != 0)
        return put_folder(e->folder, path, size) &&
               (!(e->flags & AT_SYMLINK_NOFOLLOW) ||
                (lstat(path, &file) == 0 && !S_ISLNK(file.st_mode)));
    const char *program = program_path();

    return program && (size_t)snprintf(path, size, "%s", program) < size;
}

struct words {
    char *words[OWN_WORDS + 1];
    size_t count;
    bool failed;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *w, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (w->count == OWN_WORDS || vasprintf(&w->words[w->count], format, arguments) < 0)
        w->failed = true;
    else
        w->count++;
    va_end(arguments);
}

/* The command line of the launcher, up to the client's own arguments. */
static void add_own(struct words *w, const char *path, const char *name)
{
    char qemu[PATH_MAX] = "", output[PATH_MAX] = "";

    w->failed |= readlink("/proc/self/exe", qemu, sizeof(qemu) - 1) <= 0 ||
                 !output_of_program(output, sizeof(output));
    add(w, "%s", options.launcher);
    add(w, "--core=%s", options.core_file);
    add(w, "--core-name=%s", options.core_name);
    add(w, "--out=%s", output);
    add(w, "--period=%llu", (unsigned long long)options.period);
    add(w, "--detail=%llu", (unsigned long long)options.detail);
    add(w, "--start=%s", slw_sim_start_names[options.start]);
    add(w, "--det=%s", options.is_repeatable ? "yes" : "no");
    add(w, "--qemu=%s", qemu);
    add(w, "--qemu-version=%s", options.qemu_version);
    if (name)
        add(w, "--as=%s", name);
    add(w, "--");
    add(w, "%s%s", strchr(path, '/') ? "" : "./", path);
}

static void start_launcher(const struct words *w, char **arguments, char **environment)
{
    long count = 0;

    while (arguments[count])
        count++;
    const long given = count > 0 ? count - 1 : 0; /* the first is its name: --as */
    char **all = calloc(w->count + (size_t)given + 1, sizeof(*all));

    if (!all)
        return;
    memcpy(all, w->words, w->count * sizeof(*all));
    if (given > 0)
        memcpy(all + w->count, arguments + 1, (size_t)given * sizeof(*all));
    (void)execve(options.launcher, all, environment);
    free(all);
}

void execute(const struct executed *e)
{
    struct words w = {.count = 0};
    char program[PATH_MAX], name[PATH_MAX];
    const long argument_count = count_pointers(e->arguments);
    const long variable_count = count_pointers(e->environment);
    uint64_t first = 0;

    if (!options.launcher || argument_count < 0 || variable_count < 0 ||
        !path_of(e, program, sizeof(program)) || !is_followed(program))
        return;
    const bool has_name = argument_count > 0 && peek(&first, e->arguments, sizeof(first)) &&
                          peek_text(first, name, sizeof(name));
    char **both = calloc((size_t)(argument_count + variable_count) + 2, sizeof(*both));

    add_own(&w, program, has_name ? name : NULL);
    if (both && !w.failed && copy_pointers(e->arguments, argument_count, both) &&
        copy_pointers(e->environment, variable_count, both + argument_count + 1))
        start_launcher(&w, both, both + argument_count + 1);
    for (size_t i = 0; i < w.count; i++)
        free(w.words[i]);
    free(both);
}
