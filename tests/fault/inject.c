/* SPDX-License-Identifier: MIT */
/* Loaded in front of libc by tests/fault/test_fault.py: the n-th call of one kind fails, or every
 * call from the n-th on. Only in slotwise's own programs, so that the client it measures is left
 * alone. Not part of anything that is installed.
 *
 * SLW_FAULT=KIND:N[:always]   which call; KIND is a row of the table below
 * SLW_FAULT_FIRED=PATH        created when a call was made to fail
 * SLW_FAULT_FROM=TEXT         calls count from the first one that opens a path with TEXT in it */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum call { CALL_NONE, CALL_ALLOC, CALL_OPEN, CALL_READ, CALL_WRITE, CALL_MMAP, CALL_PERF };

/* What the call does instead. `shorten`: transfers less than asked, which is no failure at all. */
static const struct fault {
    const char *name;
    enum call call;
    int sys;
    bool shorten;
} faults[] = {
    {"alloc", CALL_ALLOC, ENOMEM, false},        {"open-emfile", CALL_OPEN, EMFILE, false},
    {"open-eacces", CALL_OPEN, EACCES, false},   {"read-eio", CALL_READ, EIO, false},
    {"read-eintr", CALL_READ, EINTR, false},     {"read-short", CALL_READ, 0, true},
    {"write-enospc", CALL_WRITE, ENOSPC, false}, {"write-eintr", CALL_WRITE, EINTR, false},
    {"write-short", CALL_WRITE, 0, true},        {"mmap-enomem", CALL_MMAP, ENOMEM, false},
    {"mmap-eperm", CALL_MMAP, EPERM, false},     {"perf-emfile", CALL_PERF, EMFILE, false},
    {"perf-eacces", CALL_PERF, EACCES, false},   {"perf-enosys", CALL_PERF, ENOSYS, false},
};

static const struct fault *active;
static unsigned long fail_at;
static bool always;
static const char *fired_path, *from_text;
static atomic_ulong calls;
static atomic_bool counting;

/* glibc's own names of the functions that are replaced here. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static const struct fault *fault_named(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        if (strlen(faults[i].name) == length && memcmp(faults[i].name, name, length) == 0)
            return &faults[i];
    return NULL;
}

__attribute__((constructor)) static void read_settings(void)
{
    const char *text = getenv("SLW_FAULT");
    const char *colon = text ? strchr(text, ':') : NULL;

    if (!colon || (strcmp(program_invocation_short_name, "slotwise") != 0 &&
                   strcmp(program_invocation_short_name, "slotwise-workload") != 0))
        return;
    fail_at = strtoul(colon + 1, NULL, 10);
    always = strstr(colon, ":always") != NULL;
    fired_path = getenv("SLW_FAULT_FIRED");
    from_text = getenv("SLW_FAULT_FROM");
    counting = !from_text;
    active = fault_named(text, (size_t)(colon - text));
    if (!active)
        abort(); /* a misspelt kind would test nothing */
}

/* Raw system calls: this runs inside malloc and write. */
static void tell(void)
{
    if (fired_path) {
        long fd = syscall(SYS_openat, AT_FDCWD, fired_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd >= 0)
            (void)syscall(SYS_close, fd);
    }
}

/* Has this call to fail? EINTR and short transfers "always" means every other call: a caller that
 * repeats the call has to get on. */
static bool fails(enum call call)
{
    if (!active || !counting || active->call != call)
        return false;
    unsigned long number = atomic_fetch_add(&calls, 1) + 1;
    bool every =
        always && number > fail_at && (active->sys != EINTR || (number - fail_at) % 2 == 0);
    if (number != fail_at && !every)
        return false;
    tell();
    errno = active->sys;
    return true;
}

static void *next_symbol(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    if (!symbol)
        abort();
    return symbol;
}

/* What is built with the rest's hidden visibility could not stand in front of libc. */
#pragma GCC visibility push(default)

void *malloc(size_t size)
{
    return fails(CALL_ALLOC) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(CALL_ALLOC) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(CALL_ALLOC) ? NULL : __libc_realloc(old, size);
}

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
    if (from_text && strstr(path, from_text))
        counting = true;
    return fails(CALL_OPEN) ? -1 : (int)syscall(SYS_openat, dir, path, flags, mode);
}

static mode_t mode_of(int flags, va_list ap)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, mode_t) : 0;
}

#define DEFINE_OPEN(name)                                                                          \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        mode_t mode = mode_of(flags, ap);                                                          \
        va_end(ap);                                                                                \
        return open_at(AT_FDCWD, path, flags, mode);                                               \
    }
#define DEFINE_OPENAT(name)                                                                        \
    int name(int dir, const char *path, int flags, ...)                                            \
    {                                                                                              \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        mode_t mode = mode_of(flags, ap);                                                          \
        va_end(ap);                                                                                \
        return open_at(dir, path, flags, mode);                                                    \
    }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

static size_t shortened(size_t count)
{
    return count > 1 ? (count + 1) / 2 : count;
}

/* -1 with errno, or how many bytes to ask for. */
static ssize_t allowed(enum call call, size_t count)
{
    if (!fails(call))
        return (ssize_t)count;
    return active->shorten ? (ssize_t)shortened(count) : -1;
}

ssize_t read(int fd, void *data, size_t count)
{
    ssize_t n = allowed(CALL_READ, count);
    return n < 0 ? -1 : (ssize_t)syscall(SYS_read, fd, data, n);
}

ssize_t pread(int fd, void *data, size_t count, off_t offset)
{
    ssize_t n = allowed(CALL_READ, count);
    return n < 0 ? -1 : (ssize_t)syscall(SYS_pread64, fd, data, n, offset);
}

ssize_t pread64(int fd, void *data, size_t count, off64_t offset)
{
    return pread(fd, data, count, offset);
}

ssize_t write(int fd, const void *data, size_t count)
{
    ssize_t n = allowed(CALL_WRITE, count);
    return n < 0 ? -1 : (ssize_t)syscall(SYS_write, fd, data, n);
}

ssize_t pwrite(int fd, const void *data, size_t count, off_t offset)
{
    ssize_t n = allowed(CALL_WRITE, count);
    return n < 0 ? -1 : (ssize_t)syscall(SYS_pwrite64, fd, data, n, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t offset)
{
    return pwrite(fd, data, count, offset);
}

void *mmap(void *where, size_t length, int protection, int flags, int fd, off_t offset)
{
    if (fails(CALL_MMAP))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, where, length, protection, flags, fd, offset);
}

void *mmap64(void *where, size_t length, int protection, int flags, int fd, off64_t offset)
{
    return mmap(where, length, protection, flags, fd, offset);
}

/* perf_event_open has no wrapper in libc. glibc's own syscall() may not be reached by name from
 * here, hence dlsym, once, before the program's first thread. */
long syscall(long number, ...)
{
    static long (*real)(long, ...);
    long a[6];
    va_list ap;

    va_start(ap, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (!real)
        *(void **)&real = next_symbol("syscall");
    if (number == SYS_perf_event_open && fails(CALL_PERF))
        return -1;
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#pragma GCC visibility pop
