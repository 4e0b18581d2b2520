/* SPDX-License-Identifier: MIT */
#include "workloads/cql/log_int.h"

#include "base/file.h"
#include "workloads/cql/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define HEAD 8u

static const char magic[] = "slotwise CQL log 1";

static void put_record(struct slw_buf *b, const void *bytes, size_t length)
{
    slw_cql_put_int(b, (int32_t)length);
    slw_cql_put_int(b, (int32_t)crc32_z(0, bytes, length));
    slw_buf_put(b, bytes, length);
}

void slw_cql_log_append(struct slw_cql_log *l, const void *bytes, size_t length)
{
    if (l->fd >= 0 && length > 0)
        put_record(&l->pending, bytes, length);
}

int slw_cql_log_sync(struct slw_cql_log *l, struct slw_error *err)
{
    if (slw_buf_failed(&l->pending))
        return slw_fail(err, SLW_E_NOMEM, "no memory for the log");
    if (l->pending.length == 0)
        return 0;
    int rc = slw_write_all(l->fd, l->pending.data, l->pending.length);
    if (rc < 0)
        return slw_fail_sys(err, SLW_E_IO, -rc, "cannot write the log");
    l->length += l->pending.length;
    l->pending.length = 0;
    if (fdatasync(l->fd) < 0)
        return slw_fail_sys(err, SLW_E_IO, errno, "cannot sync the log");
    return 0;
}

void slw_cql_log_release(struct slw_cql_log *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    slw_buf_release(&l->pending);
    l->fd = -1;
}

static int damaged(uint64_t at, struct slw_error *err)
{
    slw_error_at(err, "offset %llu", (unsigned long long)at);
    return slw_fail(err, SLW_E_FORMAT, "the log of the endpoint is damaged, or none");
}

/* One record: 1, 0 at the end of the file (or in a record that is cut). */
static int read_record(struct slw_cql_log *l, struct slw_buf *record, struct slw_error *err)
{
    uint8_t head[HEAD];
    long long got = slw_read_full(l->fd, head, HEAD);

    if (got < 0)
        return slw_fail_sys(err, SLW_E_IO, (int)-got, "cannot read the log");
    if (got < (long long)HEAD)
        return 0;
    struct slw_cql_in in = slw_cql_in(head, HEAD);
    const uint32_t length = (uint32_t)slw_cql_get_int(&in), crc = (uint32_t)slw_cql_get_int(&in);
    if (length == 0 || length > SLW_CQL_LOG_RECORD)
        return damaged(l->length, err);
    char *bytes = malloc(length);
    if (!bytes)
        return slw_fail(err, SLW_E_NOMEM, "no memory to read the log");
    got = slw_read_full(l->fd, bytes, length);
    record->length = 0;
    slw_buf_put(record, bytes, got > 0 ? (size_t)got : 0);
    free(bytes);
    if (got < 0)
        return slw_fail_sys(err, SLW_E_IO, (int)-got, "cannot read the log");
    if (got < (long long)length)
        return 0;
    if (crc32_z(0, (const uint8_t *)record->data, length) != crc)
        return damaged(l->length, err);
    l->length += HEAD + length;
    return 1;
}

/* A file of ours begins with the record that says so, or with as much of it as was written. */
static int check_first(struct slw_cql_log *l, struct slw_error *err)
{
    struct slw_buf first = {0};
    char there[HEAD + sizeof(magic)];
    const long long got = slw_read_full(l->fd, there, sizeof(there));

    put_record(&first, magic, sizeof(magic));
    if (slw_buf_failed(&first))
        return slw_fail(err, SLW_E_NOMEM, "no memory to read the log");
    const bool ours = got >= 0 && memcmp(there, first.data, (size_t)got) == 0;
    slw_buf_release(&first);
    if (got < 0)
        return slw_fail_sys(err, SLW_E_IO, (int)-got, "cannot read the log");
    if (!ours)
        return damaged(0, err);
    l->length = got == (long long)sizeof(there) ? sizeof(there) : 0;
    return 0;
}

static int replay_all(struct slw_cql_log *l, int (*replay)(void *, const void *, size_t), void *ctx,
                      struct slw_error *err)
{
    struct slw_buf record = {0};
    int rc = check_first(l, err);

    if (rc == 0)
        rc = 1;
    while (rc > 0) {
        rc = read_record(l, &record, err);
        if (rc > 0 && replay(ctx, record.data, record.length) < 0)
            rc = damaged(l->length, err);
    }
    slw_buf_release(&record);
    return rc;
}

/* What was cut goes, and a new file gets its first record. */
static int begin_appending(struct slw_cql_log *l, struct slw_error *err)
{
    if (ftruncate(l->fd, (off_t)l->length) < 0 || lseek(l->fd, 0, SEEK_END) < 0)
        return slw_fail_sys(err, SLW_E_IO, errno, "cannot write the log");
    if (l->length > 0)
        return 0;
    put_record(&l->pending, magic, sizeof(magic));
    return slw_cql_log_sync(l, err);
}

int slw_cql_log_open(const char *path, int (*replay)(void *ctx, const void *bytes, size_t length),
                     void *ctx, struct slw_cql_log *ret, struct slw_error *err)
{
    struct slw_cql_log l = {.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600)};

    if (l.fd < 0) {
        slw_error_at(err, "%s", path);
        return slw_fail_sys(err, errno == EACCES ? SLW_E_PERM : SLW_E_IO, errno,
                            "cannot open the log of the endpoint");
    }
    int rc = replay_all(&l, replay, ctx, err);
    if (rc == 0)
        rc = begin_appending(&l, err);
    if (rc < 0) {
        slw_error_at(err, "%s", path);
        slw_cql_log_release(&l);
        return rc;
    }
    *ret = l;
    return 0;
}
