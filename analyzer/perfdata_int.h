/* SPDX-License-Identifier: MIT */
/* Shared by the perfdata*.c files: the opened file, and a bounded cursor over its bytes. */
#ifndef SLW_ANALYZER_PERFDATA_INT_H
#define SLW_ANALYZER_PERFDATA_INT_H

#include "analyzer/perfdata.h"
#include "base/hash.h"

#include <linux/perf_event.h>
#include <string.h>

struct slw_arena;

/* Reads within [at, end) only; a read past the end sets bad and yields zeros from then on. */
struct slw_perf_cursor {
    const uint8_t *at, *end;
    bool swap; /* the file has the other byte order */
    bool bad;
};

static inline size_t slw_perf_left(const struct slw_perf_cursor *c)
{
    return c->bad ? 0 : (size_t)(c->end - c->at);
}

static inline const uint8_t *slw_perf_skip(struct slw_perf_cursor *c, uint64_t bytes)
{
    const uint8_t *at = c->at;

    if (bytes > slw_perf_left(c)) {
        c->bad = true;
        return NULL;
    }
    c->at += bytes;
    return at;
}

static inline uint64_t slw_perf_u64(struct slw_perf_cursor *c)
{
    uint64_t v = 0;
    const uint8_t *at = slw_perf_skip(c, sizeof(v));

    if (at)
        memcpy(&v, at, sizeof(v));
    return c->swap ? __builtin_bswap64(v) : v;
}

static inline uint32_t slw_perf_u32(struct slw_perf_cursor *c)
{
    uint32_t v = 0;
    const uint8_t *at = slw_perf_skip(c, sizeof(v));

    if (at)
        memcpy(&v, at, sizeof(v));
    return c->swap ? __builtin_bswap32(v) : v;
}

static inline uint16_t slw_perf_u16(struct slw_perf_cursor *c)
{
    uint16_t v = 0;
    const uint8_t *at = slw_perf_skip(c, sizeof(v));

    if (at)
        memcpy(&v, at, sizeof(v));
    return c->swap ? __builtin_bswap16(v) : v;
}

/* A record's header: type, misc and size, and a cursor over what follows. */
struct slw_perf_raw {
    uint32_t type;
    uint16_t misc;
    uint32_t size;
    struct slw_perf_cursor body;
};

struct slw_perf_entry {
    uint64_t time;
    uint64_t position; /* in the file, or in the unpacked bytes with the top bit set */
};

/* Records that follow each other in the file. */
struct slw_perf_block {
    uint64_t time;       /* of the earliest */
    uint64_t first_time; /* of the first */
    uint64_t last_time;  /* of the last */
    uint64_t position;   /* of the first */
    uint32_t order;      /* of arrival: what decides between equal times */
    uint16_t count;
    bool ordered; /* none is earlier than the one before it */
};
#define SLW_PERF_BLOCK_RECORDS 1024 /* 16 KiB while it is read */
/* Large records are looked at again soon enough that their pages are still mapped. */
#define SLW_PERF_BLOCK_BYTES ((uint64_t)512 << 10)
#define SLW_PERF_UNPACKED    (UINT64_C(1) << 63)

struct slw_perf_id {
    uint64_t id;
    uint32_t event;
};

/* Where a compressed record's contents begin in the unpacked bytes: to name a place in the file. */
struct slw_perf_chunk {
    uint64_t unpacked, offset;
};

/* Where the fields of an event's samples stand, as far as all before them have a fixed size:
 * offsets from the end of a record's header; SLW_PERF_NOWHERE: there is no such field. Most events
 * have no more than these and, at `bytes`, a chain of callers: their samples are decoded without
 * asking for each field whether it is there. */
#define SLW_PERF_NOWHERE UINT8_MAX
struct slw_perf_layout {
    uint8_t ip, tid, time, id, cpu, period, bytes;
    bool chain, simple;
};

struct slw_perf_unpacker; /* perfdata_zstd.c */

struct slw_perfdata {
    struct slw_arena *arena;
    const uint8_t *bytes; /* the whole file; lent, mapped or heap */
    size_t length;
    void *map; /* NULL: not mapped */
    char *heap;
    uint64_t looked_at; /* bytes since pages were last given back */
    bool has_copies;    /* of stacks, in samples of some event */
    bool swap, pipe;
    uint64_t data_start, data_end;
    struct slw_perf_event *events;
    struct slw_perf_layout *layouts; /* by event */
    size_t event_count, event_capacity, layout_capacity;
    struct slw_perf_id *ids;
    size_t id_count, id_capacity;
    struct slw_index id_index;
    struct slw_perf_meta meta;
    struct slw_perf_build_id *build_ids;
    size_t build_id_count, build_id_capacity;
    struct slw_perf_block *blocks; /* by time, once the file is indexed */
    size_t block_count, block_capacity;
    uint64_t last_time; /* for records without a time field */
    bool block_ended;   /* the next record starts one */
    bool walked;        /* undecodable records are counted once */
    uint64_t sample_count;
    bool has_kernel;
    struct slw_perf_unpacker *unpacker;
    uint64_t unpacked_limit;
    uint8_t *unpacked;
    size_t unpacked_length, unpacked_capacity, unpacked_parsed;
    struct slw_perf_chunk *chunks;
    size_t chunk_count, chunk_capacity;
    struct slw_perf_damage damage;
};

/* Of the mapping; more buys no speed, unless copies of stacks are walked after they were read. */
#define SLW_PERF_RESIDENT_BYTES        ((uint64_t)4 << 20)
#define SLW_PERF_RESIDENT_COPIES_BYTES ((uint64_t)24 << 20)

void slw_perf_give_back(struct slw_perfdata *pd);

/* Called after `bytes` more were looked at: gives mapped pages back now and then, so that a large
 * recording does not have to fit into memory. They come back from the page cache when touched. */
static inline void slw_perf_looked_at(struct slw_perfdata *pd, uint64_t bytes)
{
    pd->looked_at += bytes;
    if (pd->looked_at >=
        (pd->has_copies ? SLW_PERF_RESIDENT_COPIES_BYTES : SLW_PERF_RESIDENT_BYTES))
        slw_perf_give_back(pd);
}

/* Make room for one more of `bytes`-sized elements in *array. 0 or -SLW_E_NOMEM. */
int slw_perf_reserve(void **array, size_t count, size_t *capacity, size_t bytes);

/* perfdata_attr.c: read an attr of any size, add it as an event; ids from `ids`. */
int slw_perf_add_attr(struct slw_perfdata *pd, const uint8_t *attr, size_t attr_bytes,
                      struct slw_perf_cursor ids);
int slw_perf_add_id(struct slw_perfdata *pd, uint64_t id, uint32_t event);
int slw_perf_event_update(struct slw_perfdata *pd, struct slw_perf_cursor body);
/* The recorded name, or one made of type and config. Never NULL unless out of memory. */
const char *slw_perf_default_name(struct slw_perfdata *pd, const struct slw_perf_attr *attr);

/* perfdata_features.c: contents of one feature section. Malformed ones are skipped: they describe
 * the recording, they are not it. 0 or -SLW_E_NOMEM. */
int slw_perf_feature(struct slw_perfdata *pd, uint64_t feature, struct slw_perf_cursor body);
int slw_perf_build_id_record(struct slw_perfdata *pd, const struct slw_perf_raw *raw);

/* perfdata_index.c: walk the data section. */
int slw_perf_index(struct slw_perfdata *pd, struct slw_error *err);
void slw_perf_damaged(struct slw_perfdata *pd, uint64_t offset, uint64_t bytes, const char *reason);
/* False: no record begins there that ends within `left` bytes. */
static inline bool slw_perf_raw_at(const struct slw_perfdata *pd, const uint8_t *at, size_t left,
                                   struct slw_perf_raw *ret_raw)
{
    struct {
        uint32_t type;
        uint16_t misc, size;
    } h;

    if (left < sizeof(h))
        return false;
    memcpy(&h, at, sizeof(h));
    if (pd->swap) {
        h.type = __builtin_bswap32(h.type);
        h.misc = __builtin_bswap16(h.misc);
        h.size = __builtin_bswap16(h.size);
    }
    *ret_raw = (struct slw_perf_raw){
        h.type, h.misc, h.size, {.at = at + sizeof(h), .end = at + h.size, .swap = pd->swap}};
    return h.size >= sizeof(h) && h.size <= left;
}
uint64_t slw_perf_file_offset(const struct slw_perfdata *pd, uint64_t position);

const uint8_t *slw_perf_bytes_at(const struct slw_perfdata *pd, uint64_t position,
                                 size_t *ret_left);
/* Is it a record of a block? Samples of no event are in none: they end one. */
static inline bool slw_perf_is_indexed(uint32_t type)
{
    const uint32_t indexed =
        1U << PERF_RECORD_SAMPLE | 1U << PERF_RECORD_MMAP | 1U << PERF_RECORD_MMAP2 |
        1U << PERF_RECORD_COMM | 1U << PERF_RECORD_FORK | 1U << PERF_RECORD_EXIT |
        1U << PERF_RECORD_LOST | 1U << PERF_RECORD_LOST_SAMPLES | 1U << PERF_RECORD_THROTTLE |
        1U << PERF_RECORD_UNTHROTTLE | 1U << PERF_RECORD_READ;

    return type < 32 && (indexed >> type & 1);
}

/* Bytes behind the record that belong to it. */
uint64_t slw_perf_payload(const struct slw_perf_raw *raw);

/* perfdata_sort.c: natural merge sort by (time, order of arrival). 0 or -SLW_E_NOMEM. */
int slw_perf_sort(struct slw_perf_entry *entries, size_t count);

/* perfdata_order.c: records by (time, order of arrival). */
struct slw_perf_open_block;
struct slw_perf_order { /* zero-initialise; release in any case */
    struct slw_perf_open_block *heap;
    size_t heap_count, heap_capacity, next_block;
    bool started;
    /* A block whose records are handed out as they stand. */
    const uint8_t *straight_at, *straight_end; /* the end is that of all bytes */
    uint64_t straight_position;
    uint32_t straight_left;
};
void slw_perf_order_blocks(struct slw_perfdata *pd);
/* The next record and its position. 1, 0 (there is none), or -SLW_E_NOMEM. */
int slw_perf_order_next(const struct slw_perfdata *pd, struct slw_perf_order *o,
                        struct slw_perf_raw *ret_raw, uint64_t *ret_position);

/* Of the block whose turn it is; what is no record of a block is passed over. False: ask
 * slw_perf_order_next. */
static inline bool slw_perf_order_straight(const struct slw_perfdata *pd, struct slw_perf_order *o,
                                           struct slw_perf_raw *ret_raw, uint64_t *ret_position)
{
    while (
        o->straight_left > 0 &&
        slw_perf_raw_at(pd, o->straight_at, (size_t)(o->straight_end - o->straight_at), ret_raw)) {
        const bool indexed = slw_perf_is_indexed(ret_raw->type);
        const uint64_t bytes = ret_raw->size + (indexed ? 0 : slw_perf_payload(ret_raw));

        *ret_position = o->straight_position;
        if (bytes > (size_t)(o->straight_end - o->straight_at))
            break;
        o->straight_at += bytes;
        o->straight_position += bytes;
        if (indexed) {
            o->straight_left--;
            return true;
        }
    }
    o->straight_left = 0;
    return false;
}
void slw_perf_order_release(struct slw_perf_order *o);

/* perfdata_zstd.c: append what `packed` unpacks to, to pd->unpacked. -SLW_E_FORMAT, -SLW_E_LIMIT,
 * -SLW_E_NOMEM. */
int slw_perf_unpack(struct slw_perfdata *pd, const uint8_t *packed, size_t length);
void slw_perf_unpacker_free(struct slw_perf_unpacker *u);

/* A field of 8 bytes at an offset of slw_perf_layout; 0 where the record is too short for it. */
static inline uint64_t slw_perf_field_at(const struct slw_perf_raw *raw, uint8_t offset)
{
    uint64_t value;

    if ((size_t)(raw->body.end - raw->body.at) < offset + sizeof(value))
        return 0;
    memcpy(&value, raw->body.at + offset, sizeof(value));
    return raw->body.swap ? __builtin_bswap64(value) : value;
}

/* perfdata_id.c: the event of a sample, negative: nobody knows. */
int32_t slw_perf_event_among(const struct slw_perfdata *pd, const struct slw_perf_raw *raw);
static inline int32_t slw_perf_sample_event(const struct slw_perfdata *pd,
                                            const struct slw_perf_raw *raw)
{
    return pd->event_count == 1 ? 0 : slw_perf_event_among(pd, raw);
}

/* The trailer of any other record. */
struct slw_perf_trailer {
    int32_t pid, tid, cpu, event;
    uint64_t time;
    bool has_time;
    size_t bytes;
};
void slw_perf_read_trailer(const struct slw_perfdata *pd, const struct slw_perf_raw *raw,
                           struct slw_perf_trailer *ret_trailer);

/* Its time; *time stays what it was when the record has none. The event of a sample, negative:
 * nobody's. Others: 0. */
static inline int32_t slw_perf_record_time(const struct slw_perfdata *pd,
                                           const struct slw_perf_raw *raw, uint64_t *time)
{
    struct slw_perf_trailer trailer;

    if (raw->type == PERF_RECORD_SAMPLE) {
        const int32_t event = slw_perf_sample_event(pd, raw);
        const size_t layout = event >= 0 ? (size_t)event : 0;
        if (layout < pd->event_count && pd->layouts[layout].time != SLW_PERF_NOWHERE)
            *time = slw_perf_field_at(raw, pd->layouts[layout].time);
        return event;
    }
    slw_perf_read_trailer(pd, raw, &trailer);
    if (trailer.has_time)
        *time = trailer.time;
    return 0;
}

/* perfdata_sample.c, perfdata_record.c: decode; false: malformed. Values are those of
 * PERF_SAMPLE_READ and of PERF_RECORD_READ. */
bool slw_perf_decode_sample(const struct slw_perfdata *pd, const struct slw_perf_raw *raw,
                            struct slw_perf_record *r);
void slw_perf_read_values(struct slw_perf_cursor *c, uint64_t format, struct slw_perf_sample *s);
bool slw_perf_decode(const struct slw_perfdata *pd, const struct slw_perf_raw *raw,
                     struct slw_perf_record *r);
/* Of an event whose layout is simple. `blank`: *r is that of another sample of such an event. */
bool slw_perf_decode_simple(const struct slw_perfdata *pd, const struct slw_perf_raw *raw,
                            int32_t event, bool blank, struct slw_perf_record *r);

#endif
