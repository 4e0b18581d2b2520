/* SPDX-License-Identifier: MIT */
#include "analyzer/cache_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LANES      4       /* multiplications wait for each other in one of them only */
#define MAX_LISTED 1048576 /* files of a folder that are looked at */

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio */
    return sum ^ sum >> 32;
}

uint64_t slw_cache_checksum(const void *data, size_t length)
{
    const unsigned char *p = data;
    uint64_t sums[LANES] = {length, 1, 2, 3}, words[LANES];

    for (; length >= sizeof(words); p += sizeof(words), length -= sizeof(words)) {
        memcpy(words, p, sizeof(words));
        for (size_t i = 0; i < LANES; i++)
            sums[i] = mix(sums[i], words[i]);
    }
    for (; length > 0; p++, length--)
        sums[0] = mix(sums[0], *p);
    for (size_t i = 1; i < LANES; i++)
        sums[0] = mix(sums[0], sums[i]);
    return sums[0];
}

bool slw_cache_is_ours(int fd, size_t max_bytes, size_t *ret_length)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & (S_IRWXG | S_IRWXO)) != 0 || st.st_size <= 0 ||
        (uint64_t)st.st_size > max_bytes)
        return false;
    *ret_length = (size_t)st.st_size;
    return true;
}

int slw_cache_make_dir(const char *dir, struct slw_error *err)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(dir, '/');

    if (slash && slash != dir && (size_t)(slash - dir) < sizeof(parent)) {
        memcpy(parent, dir, (size_t)(slash - dir));
        parent[slash - dir] = '\0';
        (void)mkdir(parent, 0700);
    }
    return mkdir(dir, 0700) < 0 && errno != EEXIST
               ? slw_fail_sys(err, SLW_E_IO, errno, "cannot make '%s'", dir)
               : 0;
}

/* ---- trimming ---- */

struct kept {
    struct timespec written;
    uint64_t bytes;
    char name[NAME_MAX + 1];
};

struct listing {
    struct kept *files;
    size_t count, capacity;
    uint64_t bytes;
};

static bool reserve(struct listing *l)
{
    if (l->count < l->capacity)
        return true;
    size_t capacity = l->capacity ? 2 * l->capacity : 64;
    struct kept *grown = realloc(l->files, capacity * sizeof(*grown));
    if (!grown)
        return false;
    l->files = grown;
    l->capacity = capacity;
    return true;
}

static void list(DIR *dir, struct listing *l)
{
    const struct dirent *entry;
    struct stat st;

    while (l->count < MAX_LISTED && (entry = readdir(dir)) != NULL) {
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode) || st.st_size < 0)
            continue;
        if (!reserve(l))
            return;
        struct kept *k = &l->files[l->count++];
        *k = (struct kept){.written = st.st_mtim, .bytes = (uint64_t)st.st_size};
        memcpy(k->name, entry->d_name, strnlen(entry->d_name, NAME_MAX) + 1);
        l->bytes += k->bytes;
    }
}

static int oldest_first(const void *a, const void *b)
{
    const struct timespec *x = &((const struct kept *)a)->written;
    const struct timespec *y = &((const struct kept *)b)->written;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* Another process may be at the same: a file that is gone already is as good as removed. */
void slw_cache_trim(const char *dir, size_t max_files, uint64_t max_bytes)
{
    struct listing l = {0};
    DIR *d = opendir(dir);

    if (!d)
        return;
    list(d, &l);
    if (l.count > max_files || l.bytes > max_bytes) {
        size_t files = l.count;

        qsort(l.files, l.count, sizeof(*l.files), oldest_first);
        for (size_t i = 0; i < l.count && (files > max_files / 2 || l.bytes > max_bytes / 2); i++) {
            (void)unlinkat(dirfd(d), l.files[i].name, 0);
            l.bytes -= l.files[i].bytes;
            files--;
        }
    }
    free(l.files);
    (void)closedir(d);
}
