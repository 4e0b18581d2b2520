/* SPDX-License-Identifier: MIT */
#include "collector/spool_build_ids.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/parse.h"
#include "record/perf_layout.h"
#include "record/stacks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_BYTES       20
#define NAME_ALIGN     64
#define MAX_NAME_BYTES 4096 /* PATH_MAX, as in the records of mappings */

/* struct perf_record_header_build_id; the path follows. Its type stays 0, as perf leaves it. */
struct entry {
    struct perf_event_header header;
    int32_t pid; /* -1: of the host */
    uint8_t id[ID_BYTES];
    uint8_t size_bytes, reserved[3];
};

/* False: no build id, or longer than any that the format holds. */
static bool parse_id(const char *hex, struct entry *e)
{
    const size_t length = strlen(hex);

    if (length == 0 || length % 2 != 0 || length > sizeof(e->id) * 2)
        return false;
    for (size_t i = 0; i < length; i += 2) {
        const int high = slw_hex_digit(hex[i]), low = slw_hex_digit(hex[i + 1]);

        if (high < 0 || low < 0)
            return false;
        e->id[i / 2] = (uint8_t)(high << 4 | low);
    }
    e->size_bytes = (uint8_t)(length / 2);
    return true;
}

static void put_entry(struct slw_buf *b, const struct slw_mapping *m)
{
    static const char zeros[NAME_ALIGN];
    struct entry e = {.header.misc = PERF_RECORD_MISC_USER | SLW_PERF_MISC_BUILD_ID_SIZE,
                      .pid = -1};
    const size_t length = strlen(m->path) + 1;
    const size_t padded = (length + NAME_ALIGN - 1) / NAME_ALIGN * NAME_ALIGN;

    if (length > MAX_NAME_BYTES || !parse_id(m->build_id, &e))
        return;
    e.header.size = (uint16_t)(sizeof(e) + padded);
    slw_buf_put(b, &e, sizeof(e));
    slw_buf_put(b, m->path, length);
    slw_buf_put(b, zeros, padded - length);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct slw_mapping *)a)->path, ((const struct slw_mapping *)b)->path);
}

static bool is_one_build(const struct slw_mapping *m, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(m[i].build_id, m[0].build_id) != 0)
            return false;
    return true;
}

static int collect(const struct slw_stacks *stacks, struct slw_buf *b)
{
    const size_t count = slw_stacks_mapping_count(stacks);
    struct slw_mapping *SLW_AUTO(free) all = calloc(count + 1, sizeof(*all));
    size_t same = 0;

    if (!all)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        all[i] = slw_stacks_mapping(stacks, (uint32_t)i);
    qsort(all, count, sizeof(*all), by_path);
    for (size_t i = 0; i < count; i += same) {
        for (same = 1; i + same < count && by_path(&all[i], &all[i + same]) == 0;)
            same++;
        if (is_one_build(&all[i], same))
            put_entry(b, &all[i]);
    }
    return slw_buf_failed(b) ? -SLW_E_NOMEM : 0;
}

/* The section was left empty: its contents go behind all others, then its place is told. */
static int fill_section(int fd, const struct slw_perf_header *h, const struct slw_buf *b)
{
    const uint64_t first_section_at = h->data.offset + h->data.size; /* that of the lowest bit */
    struct slw_perf_section section = {.size = b->length};
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    section.offset = (uint64_t)st.st_size;
    int rc = slw_write_all_at(fd, b->data, b->length, section.offset);
    if (rc == 0)
        rc = slw_write_all_at(fd, &section, sizeof(section), first_section_at);
    if (rc < 0)
        (void)!ftruncate(fd, st.st_size);
    return rc;
}

/* We ask the kernel for no build ids, so a mapping that is marked to have one was marked for
 * somebody else, has device and inode, and is what perf of Linux 6.1 dies of. */
static void forget_marks(uint8_t *at, const uint8_t *end)
{
    struct perf_event_header h;

    for (; (size_t)(end - at) >= sizeof(h); at += h.size) {
        memcpy(&h, at, sizeof(h));
        if (h.size < sizeof(h) || h.size > (size_t)(end - at))
            return;
        if (h.type != PERF_RECORD_MMAP2 || !(h.misc & SLW_PERF_MISC_MMAP_BUILD_ID))
            continue;
        h.misc &= (uint16_t)~SLW_PERF_MISC_MMAP_BUILD_ID;
        memcpy(at, &h, sizeof(h));
    }
}

static int forget_marks_of(int fd, const struct slw_perf_header *h)
{
    const uint64_t end = h->data.offset + h->data.size;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (h->data.offset > end || end > (uint64_t)st.st_size)
        return -EINVAL;
    uint8_t *bytes = mmap(NULL, (size_t)end, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    forget_marks(bytes + h->data.offset, bytes + end);
    return munmap(bytes, (size_t)end) < 0 ? -errno : 0;
}

static int add(int fd, const char *path, const struct slw_stacks *stacks, struct slw_error *err)
{
    struct slw_perf_header h;
    struct slw_buf b = {0};

    if (pread(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) || h.magic != SLW_PERF_MAGIC2)
        return slw_fail(err, SLW_E_FORMAT, "'%s' is not a perf.data of ours", path);
    if (!(h.features[0] >> SLW_PERF_BUILD_ID & 1))
        return 0;
    int rc = forget_marks_of(fd, &h);
    if (rc < 0)
        return slw_fail_sys(err, SLW_E_IO, -rc, "cannot look through '%s'", path);
    rc = collect(stacks, &b);
    if (rc < 0) {
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for build ids");
    } else if (b.length > 0) {
        rc = fill_section(fd, &h, &b);
        if (rc < 0)
            rc = slw_fail_sys(err, SLW_E_IO, -rc, "cannot write build ids into '%s'", path);
    }
    slw_buf_release(&b);
    return rc;
}

int slw_spool_add_build_ids(const char *path, const struct slw_stacks *stacks,
                            struct slw_error *err)
{
    const int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return slw_fail_sys(err, SLW_E_IO, errno, "cannot open '%s'", path);
    const int rc = add(fd, path, stacks, err);
    (void)close(fd);
    return rc;
}
