/* SPDX-License-Identifier: MIT */
#include "analyzer/perfdata.h"

#include "analyzer/perfdata_int.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "record/perf_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_HEADER_BYTES 16
#define OLD_HEADER_BYTES  72 /* before the feature bits were added */
/* A pipe is read to its end into memory, which bounds it by what machines have. */
#define MAX_PIPE_BYTES ((size_t)16 << 30)

void slw_perf_give_back(struct slw_perfdata *pd)
{
    pd->looked_at = 0;
    if (pd->map)
        (void)madvise(pd->map, pd->length, MADV_DONTNEED); /* clean pages of a file: none is lost */
}

static int not_perf_data(struct slw_error *err, uint64_t offset, const char *why)
{
    (void)slw_fail(err, SLW_E_FORMAT, "unknown format: %s", why);
    slw_error_at(err, "offset 0x%llx", (unsigned long long)offset);
    return -SLW_E_FORMAT;
}

static int read_magic(struct slw_perfdata *pd, struct slw_error *err)
{
    uint64_t magic;

    if (pd->length < PIPE_HEADER_BYTES)
        return not_perf_data(err, 0, "too short for a perf.data header");
    memcpy(&magic, pd->bytes, sizeof(magic));
    if (memcmp(pd->bytes, SLW_PERF_MAGIC1, sizeof(magic)) == 0)
        return not_perf_data(err, 0, "perf.data version 1, not supported (perf before 2.6.38)");
    if (magic != SLW_PERF_MAGIC2 && magic != __builtin_bswap64(SLW_PERF_MAGIC2))
        return not_perf_data(err, 0, "does not begin with perf.data's magic bytes");
    pd->swap = magic != SLW_PERF_MAGIC2;
    return 0;
}

static struct slw_perf_cursor whole(const struct slw_perfdata *pd)
{
    return (struct slw_perf_cursor){
        .at = pd->bytes, .end = pd->bytes + pd->length, .swap = pd->swap};
}

static struct slw_perf_section read_section(struct slw_perf_cursor *c)
{
    struct slw_perf_section s;

    s.offset = slw_perf_u64(c);
    s.size = slw_perf_u64(c);
    return s;
}

/* The bytes of a section; an empty, bad cursor when it lies outside the file. */
static struct slw_perf_cursor section(const struct slw_perfdata *pd, struct slw_perf_section s)
{
    struct slw_perf_cursor c = whole(pd);

    (void)slw_perf_skip(&c, s.offset);
    if (c.bad || s.size > slw_perf_left(&c))
        c.bad = true;
    else
        c.end = c.at + s.size;
    return c;
}

static int read_attrs(struct slw_perfdata *pd, const struct slw_perf_header *h,
                      struct slw_error *err)
{
    struct slw_perf_cursor c = section(pd, h->attrs);
    const uint64_t ids_bytes = sizeof(struct slw_perf_section);

    if (c.bad || h->attr_bytes <= ids_bytes || h->attr_bytes > 65536)
        return not_perf_data(err, h->attrs.offset, "the event attributes lie outside the file");
    while (slw_perf_left(&c) >= h->attr_bytes) {
        size_t size = (size_t)(h->attr_bytes - ids_bytes);
        const uint8_t *attr = slw_perf_skip(&c, size);
        int rc = slw_perf_add_attr(pd, attr, size, section(pd, read_section(&c)));
        if (rc == -SLW_E_LIMIT)
            return slw_fail(err, SLW_E_LIMIT, "more than %d events", SLW_MAX_PERF_EVENTS);
        if (rc < 0)
            return slw_fail(err, SLW_E_NOMEM, "no memory for the events of perf.data");
    }
    return 0;
}

/* A section header per set bit stands behind the data, in bit order. */
static int read_features(struct slw_perfdata *pd, const struct slw_perf_header *h,
                         struct slw_error *err)
{
    struct slw_perf_cursor c = whole(pd);

    (void)slw_perf_skip(&c, pd->data_end);
    for (unsigned bit = 0; bit < 256; bit++) {
        if (!(h->features[bit / 64] >> (bit % 64) & 1))
            continue;
        struct slw_perf_cursor body = section(pd, read_section(&c));
        if (c.bad || body.bad)
            slw_perf_damaged(pd, pd->length, 0, "the file is cut off behind its records");
        if (c.bad)
            break;
        if (!body.bad && slw_perf_feature(pd, bit, body) < 0)
            return slw_fail(err, SLW_E_NOMEM, "no memory for the features of perf.data");
    }
    return 0;
}

static struct slw_perf_header read_header(const struct slw_perfdata *pd)
{
    struct slw_perf_cursor c = whole(pd);
    struct slw_perf_header h = {0};

    h.magic = slw_perf_u64(&c);
    h.header_bytes = slw_perf_u64(&c);
    h.attr_bytes = slw_perf_u64(&c);
    h.attrs = read_section(&c);
    h.data = read_section(&c);
    h.event_types = read_section(&c);
    if (h.header_bytes >= sizeof(h))
        for (unsigned i = 0; i < 4; i++)
            h.features[i] = slw_perf_u64(&c);
    return h;
}

/* Where the records are. A header without a data size was never completed: the recorder was
 * killed, and records go on to the end of the file. */
static void find_data(struct slw_perfdata *pd, struct slw_perf_header *h)
{
    pd->data_start = h->data.offset;
    pd->data_end = pd->length;
    if (h->data.size == 0) {
        pd->damage.unfinished = pd->data_start < pd->length;
        memset(h->features, 0, sizeof(h->features));
    } else if (h->data.size <= pd->length - pd->data_start) {
        pd->data_end = h->data.offset + h->data.size;
    } else {
        slw_perf_damaged(pd, pd->length, 0, "the file is cut off: its header promises more");
        memset(h->features, 0, sizeof(h->features));
    }
}

static int read_file_mode(struct slw_perfdata *pd, struct slw_error *err)
{
    struct slw_perf_header h = read_header(pd);

    if (h.header_bytes < OLD_HEADER_BYTES || pd->length < h.header_bytes)
        return not_perf_data(err, 8, "perf.data header of an impossible size");
    if (h.data.offset > pd->length)
        return not_perf_data(err, 40, "the data section lies outside the file");
    int rc = read_attrs(pd, &h, err);
    if (rc < 0)
        return rc;
    find_data(pd, &h);
    return read_features(pd, &h, err);
}

static int parse(struct slw_perfdata *pd, struct slw_error *err)
{
    int rc = read_magic(pd, err);

    if (rc < 0)
        return rc;
    struct slw_perf_cursor c = whole(pd); /* only now is the byte order known */
    (void)slw_perf_u64(&c);
    if (slw_perf_u64(&c) == PIPE_HEADER_BYTES) {
        pd->pipe = true;
        pd->data_start = PIPE_HEADER_BYTES;
        pd->data_end = pd->length;
    } else {
        rc = read_file_mode(pd, err);
    }
    return rc < 0 ? rc : slw_perf_index(pd, err);
}

static struct slw_perfdata *perfdata_new(void)
{
    struct slw_perfdata *pd = calloc(1, sizeof(*pd));

    if (pd)
        pd->arena = slw_arena_new();
    if (pd && !pd->arena) {
        free(pd);
        pd = NULL;
    }
    return pd;
}

void slw_perfdata_close(struct slw_perfdata *pd)
{
    if (!pd)
        return;
    if (pd->map)
        (void)munmap(pd->map, pd->length);
    free(pd->heap);
    free(pd->events);
    free(pd->layouts);
    free(pd->ids);
    slw_index_release(&pd->id_index);
    free(pd->build_ids);
    free(pd->blocks);
    slw_perf_unpacker_free(pd->unpacker);
    free(pd->unpacked);
    free(pd->chunks);
    slw_arena_free(pd->arena);
    free(pd);
}

static int finish_open(struct slw_perfdata *pd, struct slw_perfdata **ret_pd, struct slw_error *err)
{
    int rc = parse(pd, err);

    if (rc < 0)
        slw_perfdata_close(pd);
    else
        *ret_pd = pd;
    return rc;
}

int slw_perfdata_open_bytes(const void *bytes, size_t length, uint64_t unpacked_limit,
                            struct slw_perfdata **ret_pd, struct slw_error *err)
{
    struct slw_perfdata *pd = perfdata_new();

    if (!pd)
        return slw_fail(err, SLW_E_NOMEM, "no memory to read perf.data");
    pd->bytes = bytes;
    pd->length = length;
    pd->unpacked_limit = unpacked_limit;
    return finish_open(pd, ret_pd, err);
}

/* Map a regular file; read anything else (a pipe, or an empty file, which cannot be mapped). */
static int load(struct slw_perfdata *pd, const char *path, struct slw_error *err)
{
    struct stat st = {0};
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map != MAP_FAILED) {
            (void)madvise(map, (size_t)st.st_size, MADV_SEQUENTIAL);
            pd->map = map;
            pd->bytes = map;
            pd->length = (size_t)st.st_size;
            return 0;
        }
    }
    char self[64]; /* a second open of a FIFO would find the first one's writer gone */
    (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    int rc = slw_file_read(S_ISFIFO(st.st_mode) ? self : path, MAX_PIPE_BYTES, &pd->heap,
                           &pd->length, err);
    pd->bytes = (const uint8_t *)pd->heap;
    return rc;
}

int slw_perfdata_open(const char *path, struct slw_perfdata **ret_pd, struct slw_error *err)
{
    struct slw_perfdata *pd = perfdata_new();

    if (!pd)
        return slw_fail(err, SLW_E_NOMEM, "no memory to read perf.data");
    pd->unpacked_limit = SLW_MAX_PERF_UNPACKED_BYTES;
    int rc = load(pd, path, err);
    if (rc < 0) {
        slw_perfdata_close(pd);
        return rc;
    }
    return finish_open(pd, ret_pd, err);
}

size_t slw_perfdata_event_count(const struct slw_perfdata *pd)
{
    return pd->event_count;
}

const struct slw_perf_event *slw_perfdata_event(const struct slw_perfdata *pd, size_t index)
{
    return &pd->events[index];
}

bool slw_perfdata_has_kernel(const struct slw_perfdata *pd)
{
    return pd->has_kernel;
}

const struct slw_perf_meta *slw_perfdata_meta(const struct slw_perfdata *pd)
{
    return &pd->meta;
}

size_t slw_perfdata_build_id_count(const struct slw_perfdata *pd)
{
    return pd->build_id_count;
}

const struct slw_perf_build_id *slw_perfdata_build_id(const struct slw_perfdata *pd, size_t index)
{
    return &pd->build_ids[index];
}

const struct slw_perf_damage *slw_perfdata_damage(const struct slw_perfdata *pd)
{
    return &pd->damage;
}

size_t slw_perfdata_id_count(const struct slw_perfdata *pd)
{
    return pd->id_count;
}

const uint8_t *slw_perf_bytes_at(const struct slw_perfdata *pd, uint64_t position, size_t *ret_left)
{
    uint64_t at = position & ~SLW_PERF_UNPACKED;

    if (position & SLW_PERF_UNPACKED) {
        *ret_left = pd->unpacked_length - (size_t)at;
        return pd->unpacked + at;
    }
    *ret_left = (size_t)(pd->data_end - at);
    return pd->bytes + at;
}

/* The record decoded last; most differ in little from the one before. */
struct decoded {
    struct slw_perf_record record;
    bool simple;
};

static bool decode(const struct slw_perfdata *pd, const struct slw_perf_raw *raw, struct decoded *d)
{
    if (raw->type == PERF_RECORD_SAMPLE) {
        const int32_t event = slw_perf_sample_event(pd, raw);
        if (event >= 0 && pd->layouts[event].simple) {
            const bool ok = slw_perf_decode_simple(pd, raw, event, d->simple, &d->record);
            d->simple |= ok;
            return ok;
        }
    }
    d->simple = false;
    return slw_perf_decode(pd, raw, &d->record);
}

int slw_perfdata_each(struct slw_perfdata *pd, slw_perf_record_fn fn, void *ctx)
{
    const bool count_damage = !pd->walked;
    struct slw_perf_order order = {0};
    struct slw_perf_raw raw;
    struct decoded d = {.simple = false};
    uint64_t position = 0;
    int rc = 0, more = 1;

    pd->walked = true;
    while (rc == 0 && (slw_perf_order_straight(pd, &order, &raw, &position) ||
                       (more = slw_perf_order_next(pd, &order, &raw, &position)) > 0)) {
        const bool ok = decode(pd, &raw, &d);
        d.record.offset =
            position & SLW_PERF_UNPACKED ? slw_perf_file_offset(pd, position) : position;
        if (ok)
            rc = fn(ctx, &d.record);
        else if (count_damage)
            slw_perf_damaged(pd, d.record.offset, raw.size, "record whose fields do not fit it");
        slw_perf_looked_at(pd, raw.size);
    }
    slw_perf_order_release(&order);
    slw_perf_give_back(pd);
    return rc == 0 && more < 0 ? more : rc;
}
