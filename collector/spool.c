/* SPDX-License-Identifier: MIT */
#include "collector/spool.h"

#include "base/file.h"
#include "collector/spool_features.h"
#include "collector/sys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct slw_spool {
    const struct slw_sys *sys;
    int fd;
    char *path;
    bool begun, full;
    struct slw_perf_header header;
    uint64_t data_bytes; /* of records written */
    uint64_t limit;      /* 0: the default */
    struct slw_spool_features features;
    struct slw_error failure;
};

static int fail_write(const struct slw_spool *s, int sys, struct slw_error *err)
{
    /* The file size limit is one more way to have no room. */
    if (sys == EFBIG)
        return slw_fail(err, SLW_E_FULL, "cannot write '%s': the file size limit is reached",
                        s->path);
    return slw_fail_sys(err, SLW_E_IO, sys, "cannot write '%s'", s->path);
}

int slw_spool_open(const struct slw_sys *sys, const char *path, struct slw_spool **ret_spool,
                   struct slw_error *err)
{
    struct slw_spool *s = calloc(1, sizeof(*s));

    if (s)
        s->path = strdup(path);
    if (!s || !s->path) {
        free(s);
        return slw_fail(err, SLW_E_NOMEM, "no memory for the spool");
    }
    s->sys = sys;
    s->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (s->fd < 0) {
        enum slw_code code = errno == ENOENT                                       ? SLW_E_NOTFOUND
                             : errno == EACCES || errno == EROFS || errno == EPERM ? SLW_E_PERM
                                                                                   : SLW_E_IO;
        int rc = slw_fail_sys(err, code, errno, "cannot create '%s'", path);
        free(s->path);
        free(s);
        return rc;
    }
    *ret_spool = s;
    return 0;
}

static uint64_t data_end(const struct slw_spool *s)
{
    return s->header.data.offset + s->data_bytes;
}

/* The order perf writes: header, all ids, one entry per event that points at its ids. */
static void put_attrs(struct slw_buf *b, struct slw_perf_header *h,
                      const struct slw_spool_event *events, size_t event_count)
{
    uint64_t ids_at = sizeof(*h);

    slw_buf_put(b, h, sizeof(*h));
    for (size_t i = 0; i < event_count; i++)
        slw_buf_put(b, events[i].ids, events[i].id_count * sizeof(uint64_t));
    h->attrs.offset = b->length;
    for (size_t i = 0; i < event_count; i++) {
        struct slw_perf_section ids = {ids_at, events[i].id_count * sizeof(uint64_t)};

        slw_buf_put(b, events[i].attr, sizeof(*events[i].attr));
        slw_buf_put(b, &ids, sizeof(ids));
        ids_at += ids.size;
    }
    h->attrs.size = b->length - h->attrs.offset;
    h->data.offset = b->length;
    if (!slw_buf_failed(b))
        memcpy(b->data, h, sizeof(*h));
}

int slw_spool_begin(struct slw_spool *s, const struct slw_spool_event *events, size_t event_count,
                    const struct slw_run *run, struct slw_error *err)
{
    struct slw_buf b = {0};

    assert(!s->begun);
    s->header = (struct slw_perf_header){.magic = SLW_PERF_MAGIC2,
                                         .header_bytes = sizeof(s->header),
                                         .attr_bytes = sizeof(struct perf_event_attr) +
                                                       sizeof(struct slw_perf_section)};
    put_attrs(&b, &s->header, events, event_count);
    int rc = slw_spool_features_build(&s->features, events, event_count, run, err);
    if (rc == 0 && slw_buf_failed(&b))
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for the header of perf.data");
    if (rc == 0) {
        rc = slw_write_all(s->fd, b.data, b.length);
        if (rc < 0)
            rc = fail_write(s, -rc, err);
    }
    slw_buf_release(&b);
    s->begun = rc == 0;
    return rc;
}

bool slw_spool_begun(const struct slw_spool *s)
{
    return s->begun;
}

/* Drop the first `bytes` of what is still to be written. */
static void advance(struct iovec **parts, size_t *part_count, size_t bytes)
{
    while (*part_count > 0 && bytes >= (*parts)->iov_len) {
        bytes -= (*parts)->iov_len;
        (*parts)++;
        (*part_count)--;
    }
    if (*part_count > 0) {
        (*parts)->iov_base = (char *)(*parts)->iov_base + bytes;
        (*parts)->iov_len -= bytes;
    }
}

int slw_spool_write(struct slw_spool *s, struct iovec *parts, size_t part_count,
                    uint64_t *ret_written)
{
    assert(s->begun && !s->full && part_count <= SLW_SPOOL_MAX_PARTS);
    *ret_written = 0;
    advance(&parts, &part_count, 0);
    while (part_count > 0) {
        ssize_t n = s->sys->writev(s->fd, parts, (int)part_count);

        if (n == -EINTR)
            continue;
        if (n <= 0)
            return fail_write(s, n < 0 ? (int)-n : EIO, &s->failure);
        s->data_bytes += (uint64_t)n;
        *ret_written += (uint64_t)n;
        advance(&parts, &part_count, (size_t)n);
    }
    return 0;
}

void slw_spool_cut(struct slw_spool *s, uint64_t bytes)
{
    assert(bytes <= s->data_bytes);
    s->data_bytes -= bytes;
    s->full = true;
    /* Should this fail, the final header still says where the records end. */
    (void)!ftruncate(s->fd, (off_t)data_end(s));
}

bool slw_spool_full(const struct slw_spool *s)
{
    return s->full;
}

const struct slw_error *slw_spool_failure(const struct slw_spool *s)
{
    return &s->failure;
}

uint64_t slw_spool_reserve_bytes(const struct slw_spool *s)
{
    return s->features.bytes.length + s->features.count * sizeof(struct slw_perf_section);
}

int slw_spool_checkpoint(struct slw_spool *s, struct slw_error *err)
{
    s->header.data.size = s->data_bytes;
    int rc = slw_write_all_at(s->fd, &s->header, sizeof(s->header), 0);
    return rc < 0 ? fail_write(s, -rc, err) : 0;
}

uint64_t slw_spool_bytes(const struct slw_spool *s)
{
    return data_end(s);
}

void slw_spool_limit(struct slw_spool *s, uint64_t bytes)
{
    s->limit = bytes;
}

unsigned slw_spool_thinning(const struct slw_spool *s)
{
    const uint64_t limit = s->limit ? s->limit : SLW_SPOOL_LIMIT_BYTES;
    const uint64_t left = s->data_bytes < limit ? limit - s->data_bytes : 0;
    unsigned level = 0;

    while (level < SLW_SPOOL_MAX_THINNING && left <= limit >> (level + 1))
        level++;
    return level;
}

/* The table of sections, then the sections; -errno. */
static int write_features(struct slw_spool *s)
{
    struct slw_perf_section table[SLW_SPOOL_MAX_FEATURES];
    struct slw_spool_features *f = &s->features;
    uint64_t table_bytes = f->count * sizeof(table[0]);

    for (size_t i = 0; i < f->count; i++) {
        table[i].offset = f->sections[i].offset + data_end(s) + table_bytes;
        table[i].size = f->sections[i].size;
    }
    int rc = slw_write_all_at(s->fd, table, (size_t)table_bytes, data_end(s));
    if (rc == 0)
        rc = slw_write_all_at(s->fd, f->bytes.data, f->bytes.length, data_end(s) + table_bytes);
    return rc;
}

int slw_spool_finish(struct slw_spool *s, uint64_t first_ns, uint64_t last_ns,
                     struct slw_error *err)
{
    uint64_t times[2] = {first_ns, last_ns};

    if (!s->begun)
        return 0;
    memcpy(s->features.bytes.data + s->features.time_offset, times, sizeof(times));
    int rc = write_features(s);
    if (rc < 0) {
        (void)!ftruncate(s->fd, (off_t)data_end(s));
        (void)slw_spool_checkpoint(s, NULL);
        return fail_write(s, -rc, err);
    }
    for (size_t i = 0; i < s->features.count; i++) {
        unsigned bit = (unsigned)s->features.bits[i];

        s->header.features[bit / 64] |= UINT64_C(1) << (bit % 64);
    }
    return slw_spool_checkpoint(s, err);
}

void slw_spool_discard(struct slw_spool *s)
{
    struct stat st;

    if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode))
        (void)unlink(s->path);
}

void slw_spool_close(struct slw_spool *s)
{
    if (!s)
        return;
    if (!s->begun)
        slw_spool_discard(s);
    (void)close(s->fd);
    slw_buf_release(&s->features.bytes);
    free(s->path);
    free(s);
}
