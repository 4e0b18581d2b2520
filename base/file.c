/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int slw_write_all(int fd, const void *data, size_t length)
{
    const char *p = data;

    while (length > 0) {
        ssize_t n = write(fd, p, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO;
        p += n;
        length -= (size_t)n;
    }
    return 0;
}

int slw_write_all_at(int fd, const void *data, size_t length, uint64_t offset)
{
    const char *p = data;

    while (length > 0) {
        ssize_t n = pwrite(fd, p, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        p += n;
        offset += (uint64_t)n;
        length -= (size_t)n;
    }
    return 0;
}

long long slw_read_full(int fd, void *data, size_t length)
{
    char *p = data;
    size_t done = 0;

    while (done < length) {
        ssize_t n = read(fd, p + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (long long)done;
}

static int fail_path(struct slw_error *err, int sys, const char *verb, const char *path)
{
    enum slw_code code = SLW_E_IO;

    if (sys == ENOENT || sys == ENOTDIR)
        code = SLW_E_NOTFOUND;
    else if (sys == EACCES || sys == EPERM || sys == EROFS)
        code = SLW_E_PERM;
    return slw_fail_sys(err, code, sys, "cannot %s '%s'", verb, path);
}

/* A first guess of the size, so that most files are read in one call and one allocation. */
static size_t first_capacity(int fd, size_t limit_bytes)
{
    struct stat st;
    size_t guess = 4096;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        guess = (size_t)st.st_size + 2;
    return guess < limit_bytes + 2 ? guess : limit_bytes + 2;
}

int slw_file_read(const char *path, size_t limit_bytes, char **ret_data, size_t *ret_length,
                  struct slw_error *err)
{
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC);
    char *SLW_AUTO(free) data = NULL;
    size_t length = 0;

    if (fd < 0)
        return fail_path(err, errno, "open", path);
    for (size_t capacity = first_capacity(fd, limit_bytes);; capacity *= 2) {
        char *bigger = realloc(data, capacity);
        if (!bigger)
            return slw_fail(err, SLW_E_NOMEM, "no memory to read '%s'", path);
        data = bigger;
        long long n = slw_read_full(fd, data + length, capacity - 1 - length);
        if (n < 0)
            return fail_path(err, (int)-n, "read", path);
        length += (size_t)n;
        if (length > limit_bytes)
            return slw_fail(err, SLW_E_LIMIT, "'%s' is larger than %zu bytes", path, limit_bytes);
        if (length < capacity - 1)
            break;
    }
    data[length] = '\0';
    *ret_data = data;
    if (ret_length)
        *ret_length = length;
    data = NULL;
    return 0;
}

static int write_and_rename(int fd, const char *temporary, const char *path, const void *data,
                            size_t length, mode_t mode, struct slw_error *err)
{
    int rc = slw_write_all(fd, data, length);

    if (rc < 0)
        return fail_path(err, -rc, "write", path);
    if (fchmod(fd, mode) < 0)
        return fail_path(err, errno, "set the mode of", path);
    if (rename(temporary, path) < 0)
        return fail_path(err, errno, "replace", path);
    return 0;
}

static int write_file(const char *path, const void *data, size_t length, mode_t mode,
                      struct slw_error *err)
{
    char temporary[PATH_MAX];
    int n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);

    if (n < 0 || (size_t)n >= sizeof(temporary))
        return slw_fail(err, SLW_E_INVAL, "path too long: '%.64s...'", path);
    int SLW_AUTO(close) fd = mkstemp(temporary);
    if (fd < 0)
        return fail_path(err, errno, "create", path);
    int rc = write_and_rename(fd, temporary, path, data, length, mode, err);
    if (rc < 0)
        (void)unlink(temporary);
    return rc;
}

int slw_file_write(const char *path, const void *data, size_t length, struct slw_error *err)
{
    return write_file(path, data, length, 0644, err);
}

int slw_file_write_private(const char *path, const void *data, size_t length, struct slw_error *err)
{
    return write_file(path, data, length, 0600, err);
}
