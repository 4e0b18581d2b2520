/* SPDX-License-Identifier: MIT */
#include "push/spool.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING    ".push"
#define UNNAMED   ".new-" /* being written; a crash leaves it */
#define MAX_LOOKS 100000  /* names in a folder that somebody filled */
#define STALE_NS  (UINT64_C(3600) * 1000000000)

/* ---- the folder ---- */

/* Every missing part of the path. */
static int make_folder(const char *path, struct slw_error *err)
{
    char part[PATH_MAX];

    if (strlen(path) >= sizeof(part))
        return slw_fail(err, SLW_E_INVAL, "path too long: '%.64s...'", path);
    for (size_t n = 1; path[n - 1]; n++) {
        if (path[n] != '/' && path[n] != '\0')
            continue;
        memcpy(part, path, n);
        part[n] = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST && errno != EISDIR)
            return slw_fail_sys(err, errno == EACCES || errno == EROFS ? SLW_E_PERM : SLW_E_IO,
                                errno, "cannot create '%s'", part);
    }
    return 0;
}

static int open_folder(const struct slw_push_spool *s)
{
    const int fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static int by_age(const void *left, const void *right)
{
    const struct slw_push_file *a = left, *b = right;

    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return strcmp(a->name, b->name);
}

static bool ends_so(const char *name)
{
    const size_t length = strlen(name), end = strlen(ENDING);

    return length > end && strcmp(name + length - end, ENDING) == 0;
}

/* What a crash left goes when nobody can be writing it any more. */
static void look_at(int folder, const char *name, struct slw_push_file *file, bool *ret_ours)
{
    const bool unnamed = strncmp(name, UNNAMED, strlen(UNNAMED)) == 0;
    struct stat st;

    *ret_ours = false;
    if (strlen(name) >= sizeof(file->name) || (!unnamed && !ends_so(name)) ||
        fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return;
    (void)snprintf(file->name, sizeof(file->name), "%s", name);
    file->bytes = (uint64_t)st.st_size;
    file->time_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
    *ret_ours = !unnamed;
    if (unnamed && file->time_ns + STALE_NS < slw_clock_realtime_ns())
        (void)unlinkat(folder, name, 0);
}

static int add_file(struct slw_push_files *files, size_t *capacity,
                    const struct slw_push_file *file)
{
    if (files->count == *capacity) {
        const size_t more = *capacity ? *capacity * 2 : 64;
        struct slw_push_file *bigger = realloc(files->files, more * sizeof(*bigger));
        if (!bigger)
            return -SLW_E_NOMEM;
        files->files = bigger;
        *capacity = more;
    }
    files->files[files->count++] = *file;
    files->bytes += file->bytes;
    return 0;
}

static int read_folder(DIR *folder, struct slw_push_files *files)
{
    size_t capacity = 0;
    const struct dirent *d;
    int rc = 0;

    for (size_t looks = 0; rc == 0 && looks < MAX_LOOKS && (d = readdir(folder)); looks++) {
        struct slw_push_file file;
        bool ours;

        look_at(dirfd(folder), d->d_name, &file, &ours);
        if (ours)
            rc = add_file(files, &capacity, &file);
    }
    return rc;
}

int slw_spool_list(const struct slw_push_spool *spool, struct slw_push_files *ret_files,
                   struct slw_error *err)
{
    struct slw_push_files files = {0};
    DIR *folder = opendir(spool->folder);

    if (!folder && errno != ENOENT)
        return slw_fail_sys(err, errno == EACCES ? SLW_E_PERM : SLW_E_IO, errno,
                            "cannot look into '%s'", spool->folder);
    int rc = folder ? read_folder(folder, &files) : 0;
    if (folder)
        (void)closedir(folder);
    if (rc < 0) {
        free(files.files);
        return slw_fail(err, SLW_E_NOMEM, "no memory for a list of files");
    }
    if (files.count > 1)
        qsort(files.files, files.count, sizeof(*files.files), by_age);
    *ret_files = files;
    return 0;
}

/* ---- taking and giving back ---- */

void slw_spool_leave(struct slw_push_slot *slot)
{
    if (slot->fd >= 0)
        (void)close(slot->fd);
    slot->fd = -1;
}

/* Is this the file that has the name? Somebody may have put a newer one there. */
static bool is_same(int folder, const struct slw_push_slot *slot)
{
    struct stat have, named;

    return fstat(slot->fd, &have) == 0 &&
           fstatat(folder, slot->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           have.st_ino == named.st_ino && have.st_dev == named.st_dev;
}

void slw_spool_remove(const struct slw_push_spool *spool, struct slw_push_slot *slot)
{
    const int SLW_AUTO(close) folder = slot->fd >= 0 ? open_folder(spool) : -1;

    if (folder >= 0 && is_same(folder, slot))
        (void)unlinkat(folder, slot->name, 0);
    slw_spool_leave(slot);
}

/* The file of that name, locked; -1: it is gone, or somebody else's. */
static int lock_file(int folder, const char *name)
{
    struct slw_push_slot slot;

    (void)snprintf(slot.name, sizeof(slot.name), "%s", name);
    slot.fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (slot.fd < 0)
        return -1;
    if (flock(slot.fd, LOCK_EX | LOCK_NB) == 0 && is_same(folder, &slot))
        return slot.fd;
    (void)close(slot.fd);
    return -1;
}

/* Everything from here on: no file in the folder is larger than the limit of whoever wrote it, but
 * who knows who that was. */
static int read_file(int fd, uint64_t limit, char **ret_bytes, size_t *ret_length,
                     struct slw_error *err)
{
    struct stat st;
    char *bytes = NULL;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return slw_fail(err, SLW_E_FORMAT, "a request that was kept is no file");
    if ((uint64_t)st.st_size > limit)
        return slw_fail(err, SLW_E_FORMAT, "a request that was kept is larger than the limit");
    bytes = malloc((size_t)st.st_size + 1);
    if (!bytes)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a request that was kept");
    const long long n = slw_read_full(fd, bytes, (size_t)st.st_size);
    if (n < 0) {
        free(bytes);
        return slw_fail_sys(err, SLW_E_IO, (int)-n, "a request that was kept is unreadable");
    }
    *ret_bytes = bytes;
    *ret_length = (size_t)n;
    return 0;
}

int slw_spool_take(const struct slw_push_spool *spool, const char *name,
                   struct slw_push_slot *ret_slot, char **ret_bytes,
                   struct slw_push_entry *ret_entry, struct slw_error *err)
{
    const int SLW_AUTO(close) folder = open_folder(spool);
    const int fd = folder < 0 ? -1 : lock_file(folder, name);
    char *bytes = NULL;
    size_t length = 0;

    if (fd < 0)
        return slw_fail(err, SLW_E_NOTFOUND, "'%.60s' is gone or taken", name);
    ret_slot->fd = fd;
    (void)snprintf(ret_slot->name, sizeof(ret_slot->name), "%s", name);
    int rc = read_file(fd, spool->limit_bytes, &bytes, &length, err);
    if (rc >= 0)
        rc = slw_push_entry_read(bytes, length, ret_entry, err);
    if (rc < 0)
        free(bytes);
    else
        *ret_bytes = bytes;
    return rc;
}

/* ---- keeping ---- */

static size_t make_room(const struct slw_push_spool *spool, int folder,
                        const struct slw_push_files *files, uint64_t bytes)
{
    uint64_t left_bytes = files->bytes;
    size_t left = files->count, dropped = 0;

    for (size_t i = 0; i < files->count; i++) {
        if (left_bytes + bytes <= spool->limit_bytes && left < SLW_PUSH_MAX_FILES)
            break;
        struct slw_push_slot slot = {.fd = lock_file(folder, files->files[i].name)};
        if (slot.fd < 0)
            continue; /* somebody is sending it right now */
        (void)unlinkat(folder, files->files[i].name, 0);
        slw_spool_leave(&slot);
        left_bytes -= files->files[i].bytes;
        left--;
        dropped++;
    }
    return dropped;
}

/* A request that makes older ones to its URL void has a name by the URL, so that it replaces them;
 * others have a name of their own. */
static void name_entry(const struct slw_push_entry *e, char name[64])
{
    uint64_t dice = 0;

    if (e->kind->replace) {
        uint64_t hash = slw_hash_bytes(e->url, strlen(e->url), 0);
        hash = slw_hash_bytes(e->suffix, strlen(e->suffix), hash);
        (void)snprintf(name, 64, "last-%016" PRIx64 ENDING, hash);
        return;
    }
    if (getrandom(&dice, sizeof(dice), GRND_NONBLOCK) != (ssize_t)sizeof(dice))
        dice = (uint64_t)getpid();
    (void)snprintf(name, 64, "%020" PRIu64 "-%016" PRIx64 ENDING, slw_clock_realtime_ns(), dice);
}

/* Written without its name, locked, then named. */
static int write_entry(int folder, const struct slw_buf *bytes, struct slw_push_slot *slot,
                       struct slw_error *err)
{
    char unnamed[80];
    int rc;

    (void)snprintf(unnamed, sizeof(unnamed), UNNAMED "%s", slot->name);
    slot->fd = openat(folder, unnamed, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (slot->fd < 0)
        return slw_fail_sys(err, errno == EACCES || errno == EROFS ? SLW_E_PERM : SLW_E_IO, errno,
                            "cannot create a file");
    rc = flock(slot->fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
    if (rc == 0)
        rc = slw_write_all(slot->fd, bytes->data, bytes->length);
    if (rc == 0 && renameat(folder, unnamed, folder, slot->name) < 0)
        rc = -errno;
    if (rc == 0)
        return 0;
    (void)unlinkat(folder, unnamed, 0);
    slw_spool_leave(slot);
    return slw_fail_sys(err, SLW_E_IO, -rc, "cannot write a file");
}

static int store_bytes(const struct slw_push_spool *spool, const struct slw_buf *bytes,
                       struct slw_push_slot *slot, size_t *ret_dropped, struct slw_error *err)
{
    struct slw_push_files files;
    int rc = make_folder(spool->folder, err);

    if (rc >= 0)
        rc = slw_spool_list(spool, &files, err);
    if (rc < 0)
        return rc;
    const int SLW_AUTO(close) folder = open_folder(spool);
    if (folder < 0)
        rc = slw_fail_sys(err, SLW_E_IO, -folder, "cannot open '%s'", spool->folder);
    if (rc >= 0) {
        *ret_dropped = make_room(spool, folder, &files, bytes->length);
        rc = write_entry(folder, bytes, slot, err);
    }
    free(files.files);
    return rc;
}

int slw_spool_store(const struct slw_push_spool *spool, const struct slw_push_entry *entry,
                    struct slw_push_slot *ret_slot, size_t *ret_dropped, struct slw_error *err)
{
    struct slw_push_slot slot = {.fd = -1};
    struct slw_buf bytes = {0};
    int rc = slw_push_entry_write(entry, &bytes, err);

    *ret_dropped = 0;
    if (rc >= 0 && bytes.length > spool->limit_bytes)
        rc =
            slw_fail(err, SLW_E_LIMIT, "it is larger than all that may be kept (%" PRIu64 " bytes)",
                     spool->limit_bytes);
    name_entry(entry, slot.name);
    if (rc >= 0)
        rc = store_bytes(spool, &bytes, &slot, ret_dropped, err);
    slw_buf_release(&bytes);
    if (rc >= 0)
        *ret_slot = slot;
    return rc;
}
