/* SPDX-License-Identifier: MIT */
/* Builds small perf.data images in memory, record by record, in either byte order. */
#ifndef SLW_TESTS_PERF_IMAGE_INT_H
#define SLW_TESTS_PERF_IMAGE_INT_H

#include "base/buf.h"
#include "record/perf_layout.h"

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <zstd.h>

struct image {
    struct slw_buf out;
    bool swap;
    size_t record; /* where the open record begins */
    size_t data;   /* where the data section begins; 0 in pipe mode */
};

static inline void put16(struct image *i, uint16_t v)
{
    if (i->swap)
        v = (uint16_t)((v >> 8) | (v << 8));
    slw_buf_put(&i->out, &v, sizeof(v));
}

static inline void put32(struct image *i, uint32_t v)
{
    if (i->swap)
        v = __builtin_bswap32(v);
    slw_buf_put(&i->out, &v, sizeof(v));
}

static inline void put64(struct image *i, uint64_t v)
{
    if (i->swap)
        v = __builtin_bswap64(v);
    slw_buf_put(&i->out, &v, sizeof(v));
}

static inline void put_zeros(struct image *i, size_t count)
{
    for (size_t k = 0; k < count; k++)
        slw_buf_putc(&i->out, '\0');
}

static inline void put_text(struct image *i, const char *text, size_t align)
{
    slw_buf_put(&i->out, text, strlen(text) + 1);
    while ((i->out.length - i->record) % align)
        slw_buf_putc(&i->out, '\0');
}

/* Bit fields of a big-endian machine: the first bit is the top bit of the first byte. */
static inline void put_flags(struct image *i, uint64_t flags)
{
    for (unsigned byte = 0; byte < 8; byte++) {
        unsigned value = (unsigned)(flags >> (8 * byte)) & 0xff, out = value;
        if (i->swap)
            for (unsigned bit = out = 0; bit < 8; bit++)
                out |= (value >> bit & 1) << (7 - bit);
        slw_buf_putc(&i->out, (char)out);
    }
}

struct image_attr {
    uint32_t type;
    uint64_t config, period, sample_type, read_format, flags, branch_sample_type, regs_user,
        regs_intr;
    uint32_t stack_user;
};

#define IMAGE_ID_ALL (UINT64_C(1) << 18)
#define IMAGE_FREQ   (UINT64_C(1) << 10)

/* An attr of `size` bytes (64: the oldest), the rest of what we know cut off or padded. */
static inline void put_attr(struct image *i, const struct image_attr *a, uint32_t size)
{
    size_t start = i->out.length;

    put32(i, a->type);
    put32(i, size);
    put64(i, a->config);
    put64(i, a->period);
    put64(i, a->sample_type);
    put64(i, a->read_format);
    put_flags(i, a->flags);
    put_zeros(i, 24); /* wakeup, bp_type, config1, config2 */
    put64(i, a->branch_sample_type);
    put64(i, a->regs_user);
    put32(i, a->stack_user);
    put32(i, 0);
    put64(i, a->regs_intr);
    if (i->out.length - start > size)
        i->out.length = start + size;
    put_zeros(i, size - (i->out.length - start));
}

static inline void begin_record(struct image *i, uint32_t type, uint16_t misc)
{
    i->record = i->out.length;
    put32(i, type);
    put16(i, misc);
    put16(i, 0);
}

static inline void patch16(struct image *i, size_t at, uint16_t v)
{
    if (i->swap)
        v = (uint16_t)((v >> 8) | (v << 8));
    memcpy(i->out.data + at, &v, sizeof(v));
}

static inline void patch64(struct image *i, size_t at, uint64_t v)
{
    if (i->swap)
        v = __builtin_bswap64(v);
    memcpy(i->out.data + at, &v, sizeof(v));
}

static inline void end_record(struct image *i)
{
    patch16(i, i->record + 6, (uint16_t)(i->out.length - i->record));
}

static inline void pipe_header(struct image *i)
{
    put64(i, SLW_PERF_MAGIC2);
    put64(i, 16);
}

static inline void pipe_attr(struct image *i, const struct image_attr *a, uint32_t size,
                             uint64_t id)
{
    begin_record(i, SLW_PERF_RECORD_HEADER_ATTR, 0);
    put_attr(i, a, size);
    put64(i, id);
    end_record(i);
}

/* A file header with `count` attrs of `size` bytes, event k having the one id first_id + k. */
static inline void file_header(struct image *i, const struct image_attr *attrs, size_t count,
                               uint32_t size, uint64_t first_id)
{
    const size_t header = 104;
    size_t entry = size + 16, ids = header + count * entry;

    put64(i, SLW_PERF_MAGIC2);
    put64(i, header);
    put64(i, entry);
    put64(i, header); /* attrs */
    put64(i, count * entry);
    i->data = ids + 8 * count;
    put64(i, i->data); /* data; size patched by file_end */
    put64(i, 0);
    put_zeros(i, 16 + 32); /* event types, features */
    for (size_t k = 0; k < count; k++) {
        put_attr(i, &attrs[k], size);
        put64(i, ids + 8 * k);
        put64(i, 8);
    }
    for (size_t k = 0; k < count; k++)
        put64(i, first_id + k);
}

static inline void file_end(struct image *i)
{
    patch64(i, 48, i->out.length - i->data);
}

/* TID|TIME trailer of sample_id_all. */
static inline void put_trailer(struct image *i, uint32_t pid, uint32_t tid, uint64_t time)
{
    put32(i, pid);
    put32(i, tid);
    put64(i, time);
}

static inline void put_comm(struct image *i, uint32_t pid, uint32_t tid, const char *name,
                            uint64_t time, bool exec)
{
    begin_record(i, PERF_RECORD_COMM, exec ? 1 << 13 : 0);
    put32(i, pid);
    put32(i, tid);
    put_text(i, name, 8);
    put_trailer(i, pid, tid, time);
    end_record(i);
}

static inline void put_mmap(struct image *i, uint16_t misc, uint32_t pid, uint64_t start,
                            uint64_t length, uint64_t offset, const char *path, uint64_t time)
{
    begin_record(i, PERF_RECORD_MMAP, misc);
    put32(i, pid);
    put32(i, pid);
    put64(i, start);
    put64(i, length);
    put64(i, offset);
    put_text(i, path, 8);
    put_trailer(i, pid, pid, time);
    end_record(i);
}

static inline void put_mmap2(struct image *i, uint32_t pid, uint64_t start, uint64_t length,
                             uint64_t offset, uint64_t inode, const char *path, uint64_t time)
{
    begin_record(i, PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER);
    put32(i, pid);
    put32(i, pid);
    put64(i, start);
    put64(i, length);
    put64(i, offset);
    put64(i, 0); /* major, minor */
    put64(i, inode);
    put64(i, 0); /* generation */
    put64(i, 5); /* PROT_READ | PROT_EXEC; flags */
    put_text(i, path, 8);
    put_trailer(i, pid, pid, time);
    end_record(i);
}

static inline void put_fork(struct image *i, uint32_t pid, uint32_t ppid, uint32_t tid,
                            uint32_t ptid, uint64_t time)
{
    begin_record(i, PERF_RECORD_FORK, 0);
    put32(i, pid);
    put32(i, ppid);
    put32(i, tid);
    put32(i, ptid);
    put64(i, time);
    put_trailer(i, pid, tid, time);
    end_record(i);
}

/* IP|TID|TIME|PERIOD|CALLCHAIN, the sample type most tests use. */
#define IMAGE_SAMPLE_TYPE                                                                          \
    (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_PERIOD |                    \
     PERF_SAMPLE_CALLCHAIN)

static inline void put_sample(struct image *i, uint16_t misc, uint32_t pid, uint32_t tid,
                              uint64_t time, uint64_t period, const uint64_t *chain, size_t depth,
                              uint64_t ip)
{
    begin_record(i, PERF_RECORD_SAMPLE, misc);
    put64(i, ip);
    put32(i, pid);
    put32(i, tid);
    put64(i, time);
    put64(i, period);
    put64(i, depth);
    for (size_t k = 0; k < depth; k++)
        put64(i, chain[k]);
    end_record(i);
}

/* `bytes` zstd-compressed as one COMPRESSED (or COMPRESSED2) record of the stream. */
static inline void put_compressed(struct image *i, ZSTD_CCtx *stream, const void *bytes,
                                  size_t length, bool second)
{
    char packed[4096];
    ZSTD_inBuffer in = {bytes, length, 0};
    ZSTD_outBuffer out = {packed, sizeof(packed), 0};

    (void)ZSTD_compressStream2(stream, &out, &in, ZSTD_e_flush);
    begin_record(i, second ? SLW_PERF_RECORD_COMPRESSED2 : SLW_PERF_RECORD_COMPRESSED, 0);
    if (second)
        put64(i, out.pos);
    slw_buf_put(&i->out, packed, out.pos);
    while (second && (i->out.length - i->record) % 8)
        slw_buf_putc(&i->out, '\0');
    end_record(i);
}

#endif
