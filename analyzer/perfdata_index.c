/* SPDX-License-Identifier: MIT */
/* Walk the data section once: take in what describes the recording, unpack what is compressed,
 * and note the blocks of records that count. A record that cannot be a record ends the
 * walk; what was found before it stays. */
#include "analyzer/perfdata_int.h"
#include "record/perf_layout.h"

#include <stdio.h>
#include <stdlib.h>

#define HEADER_BYTES 8

void slw_perf_damaged(struct slw_perfdata *pd, uint64_t offset, uint64_t bytes, const char *reason)
{
    pd->damage.unreadable_bytes += bytes;
    if (pd->damage.reason[0])
        return;
    pd->damage.first_offset = offset;
    (void)snprintf(pd->damage.reason, sizeof(pd->damage.reason), "%s", reason);
}

uint64_t slw_perf_file_offset(const struct slw_perfdata *pd, uint64_t position)
{
    uint64_t unpacked = position & ~SLW_PERF_UNPACKED;
    size_t low = 0, high = pd->chunk_count;

    if (!(position & SLW_PERF_UNPACKED))
        return position;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (pd->chunks[middle].unpacked <= unpacked)
            low = middle;
        else
            high = middle;
    }
    return pd->chunk_count ? pd->chunks[low].offset : 0;
}

uint64_t slw_perf_payload(const struct slw_perf_raw *raw)
{
    struct slw_perf_cursor body = raw->body;

    if (raw->type == SLW_PERF_RECORD_HEADER_TRACING_DATA)
        return ((uint64_t)slw_perf_u32(&body) + 7) & ~UINT64_C(7);
    return raw->type == SLW_PERF_RECORD_AUXTRACE ? slw_perf_u64(&body) : 0;
}

/* The record goes on with the block before it, or starts one. */
static int put_in_block(struct slw_perfdata *pd, uint64_t time, uint64_t position)
{
    struct slw_perf_block *last = pd->block_count > 0 ? &pd->blocks[pd->block_count - 1] : NULL;

    if (last && !pd->block_ended && last->count < SLW_PERF_BLOCK_RECORDS &&
        ((last->position ^ position) & SLW_PERF_UNPACKED) == 0 &&
        position - last->position < SLW_PERF_BLOCK_BYTES) {
        last->count++;
        last->time = time < last->time ? time : last->time;
        last->ordered &= time >= last->last_time;
        last->last_time = time;
        return 0;
    }
    pd->block_ended = false;
    if (slw_perf_reserve((void **)&pd->blocks, pd->block_count, &pd->block_capacity,
                         sizeof(*pd->blocks)) < 0)
        return -SLW_E_NOMEM;
    if (pd->block_count == UINT32_MAX)
        return -SLW_E_LIMIT;
    pd->blocks[pd->block_count] = (struct slw_perf_block){.time = time,
                                                          .first_time = time,
                                                          .last_time = time,
                                                          .position = position,
                                                          .order = (uint32_t)pd->block_count,
                                                          .count = 1,
                                                          .ordered = true};
    pd->block_count++;
    return 0;
}

static int index_record(struct slw_perfdata *pd, const struct slw_perf_raw *raw, uint64_t position)
{
    uint64_t time = pd->last_time;
    const int32_t event = slw_perf_record_time(pd, raw, &time);

    if (event < 0) {
        pd->damage.unknown_events++;
        pd->block_ended = true; /* its event may become known later: no block may hold it */
        return 0;
    }
    if (raw->type == PERF_RECORD_SAMPLE) {
        pd->events[event].sample_count++;
        pd->sample_count++;
        pd->has_kernel |= (raw->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL;
    }
    const int rc = put_in_block(pd, time, position);
    pd->last_time = time;
    return rc;
}

/* Samples of the only event that go on with a block: as index_record would take them, one by one.
 * How many bytes they are. */
static uint64_t index_run(struct slw_perfdata *pd, const uint8_t *at, uint64_t left,
                          uint64_t position)
{
    struct slw_perf_block *b = pd->block_count > 0 ? &pd->blocks[pd->block_count - 1] : NULL;
    struct slw_perf_block run = b ? *b : (struct slw_perf_block){.count = 0};
    struct slw_perf_raw raw;
    uint64_t bytes = 0;

    if (!b || pd->event_count != 1 || pd->layouts[0].time == SLW_PERF_NOWHERE || pd->block_ended ||
        ((b->position ^ position) & SLW_PERF_UNPACKED) != 0)
        return 0;
    while (run.count < SLW_PERF_BLOCK_RECORDS && left > bytes &&
           position + bytes - run.position < SLW_PERF_BLOCK_BYTES &&
           slw_perf_raw_at(pd, at + bytes, left - bytes, &raw) && raw.type == PERF_RECORD_SAMPLE) {
        const uint64_t time = slw_perf_field_at(&raw, pd->layouts[0].time);

        run.count++;
        run.time = time < run.time ? time : run.time;
        run.ordered &= time >= run.last_time;
        run.last_time = time;
        pd->has_kernel |= (raw.misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL;
        bytes += raw.size;
    }
    pd->events[0].sample_count += (uint64_t)run.count - b->count;
    pd->sample_count += (uint64_t)run.count - b->count;
    pd->last_time = run.count > b->count ? run.last_time : pd->last_time;
    *b = run;
    return bytes;
}

/* perf_event_attr, then ids to the end of the record. */
static int header_attr(struct slw_perfdata *pd, struct slw_perf_cursor body)
{
    const uint32_t oldest_bytes = 64; /* PERF_ATTR_SIZE_VER0: what size 0 stands for */
    struct slw_perf_cursor peek = body, ids = body;

    (void)slw_perf_u32(&peek);
    uint32_t size = slw_perf_u32(&peek);
    if (size == 0)
        size = oldest_bytes;
    if (!slw_perf_skip(&ids, size))
        return 0;
    return slw_perf_add_attr(pd, body.at, size, ids);
}

static int walk(struct slw_perfdata *pd, const uint8_t *base, uint64_t start, uint64_t end,
                uint64_t tag, uint64_t *ret_stopped);

/* Unpack one record and walk the whole records that are complete by now. */
static int compressed(struct slw_perfdata *pd, const uint8_t *packed, size_t length,
                      uint64_t position)
{
    uint64_t stopped = 0;

    if (slw_perf_reserve((void **)&pd->chunks, pd->chunk_count, &pd->chunk_capacity,
                         sizeof(*pd->chunks)) < 0)
        return -SLW_E_NOMEM;
    pd->chunks[pd->chunk_count++] = (struct slw_perf_chunk){pd->unpacked_length, position};
    int rc = slw_perf_unpack(pd, packed, length);
    if (rc == -SLW_E_FORMAT) {
        slw_perf_damaged(pd, position, length, "compressed data that zstd cannot read");
        rc = 0;
    }
    if (rc < 0)
        return rc;
    rc = walk(pd, pd->unpacked, pd->unpacked_parsed, pd->unpacked_length, SLW_PERF_UNPACKED,
              &stopped);
    pd->unpacked_parsed = (size_t)stopped;
    return rc;
}

static int compressed_record(struct slw_perfdata *pd, const struct slw_perf_raw *raw,
                             uint64_t position)
{
    struct slw_perf_cursor body = raw->body;
    uint64_t length = slw_perf_left(&body);

    if (position & SLW_PERF_UNPACKED) {
        slw_perf_damaged(pd, slw_perf_file_offset(pd, position), raw->size,
                         "compressed data inside compressed data");
        return 0;
    }
    if (raw->type == SLW_PERF_RECORD_COMPRESSED2) {
        length = slw_perf_u64(&body); /* the record is padded behind this many bytes */
        if (length > slw_perf_left(&body)) {
            slw_perf_damaged(pd, position, raw->size, "compressed record longer than its header");
            return 0;
        }
    }
    return compressed(pd, body.at, (size_t)length, position);
}

/* Records of the recorder itself. */
static int user_record(struct slw_perfdata *pd, const struct slw_perf_raw *raw, uint64_t position)
{
    struct slw_perf_cursor body = raw->body;

    switch (raw->type) {
    case SLW_PERF_RECORD_HEADER_ATTR:
        return pd->pipe ? header_attr(pd, body) : 0;
    case SLW_PERF_RECORD_EVENT_UPDATE:
        return slw_perf_event_update(pd, body);
    case SLW_PERF_RECORD_HEADER_FEATURE: {
        uint64_t feature = slw_perf_u64(&body);
        return body.bad ? 0 : slw_perf_feature(pd, feature, body);
    }
    case SLW_PERF_RECORD_HEADER_BUILD_ID:
        return slw_perf_build_id_record(pd, raw);
    case SLW_PERF_RECORD_COMPRESSED:
    case SLW_PERF_RECORD_COMPRESSED2:
        return compressed_record(pd, raw, position);
    default:
        return 0;
    }
}

static const char *why_no_record(const struct slw_perfdata *pd, const uint8_t *at, size_t left)
{
    struct slw_perf_cursor c = {.at = at, .end = at + left, .swap = pd->swap};

    (void)slw_perf_u32(&c);
    (void)slw_perf_u16(&c);
    uint16_t size = slw_perf_u16(&c);
    if (c.bad)
        return "cut off within a record header";
    if (size < HEADER_BYTES)
        return size ? "record smaller than its own header" : "record of size 0";
    return "record larger than what is left of the file";
}

/* Walk [start, end) of base. *ret_stopped: where the last whole record ended. Positions get `tag`.
 * In unpacked data an incomplete record is no damage yet: its end may come with the next one. */
static int walk(struct slw_perfdata *pd, const uint8_t *base, uint64_t start, uint64_t end,
                uint64_t tag, uint64_t *ret_stopped)
{
    uint64_t at = start;
    int rc = 0;

    while (rc == 0 && at < end) {
        struct slw_perf_raw raw;
        const uint64_t run = index_run(pd, base + at, end - at, at | tag);
        at += run;
        if (tag == 0)
            slw_perf_looked_at(pd, run);
        if (!slw_perf_raw_at(pd, base + at, (size_t)(end - at), &raw))
            break;
        const bool indexed = slw_perf_is_indexed(raw.type);
        const uint64_t payload = indexed ? 0 : slw_perf_payload(&raw);
        if (indexed)
            rc = index_record(pd, &raw, at | tag);
        else if (raw.type >= SLW_PERF_RECORD_HEADER_ATTR)
            rc = user_record(pd, &raw, at | tag);
        at += raw.size;
        if (tag == 0)
            slw_perf_looked_at(pd, raw.size);
        if (indexed)
            continue;
        if (payload > end - at) {
            slw_perf_damaged(pd, slw_perf_file_offset(pd, (at - raw.size) | tag), end - at,
                             "trace data larger than what is left of the file");
            at = end;
        } else {
            at += payload;
            pd->damage.trace_bytes += raw.type == SLW_PERF_RECORD_AUXTRACE ? payload : 0;
        }
    }
    *ret_stopped = at;
    return rc;
}

static int index_failed(struct slw_error *err, int rc)
{
    if (rc == -SLW_E_LIMIT)
        return slw_fail(err, SLW_E_LIMIT,
                        "perf.data has more events or unpacked data than "
                        "slotwise reads");
    return slw_fail(err, SLW_E_NOMEM, "no memory for the records of perf.data");
}

int slw_perf_index(struct slw_perfdata *pd, struct slw_error *err)
{
    uint64_t stopped = pd->data_start;
    int rc = walk(pd, pd->bytes, pd->data_start, pd->data_end, 0, &stopped);

    if (rc < 0)
        return index_failed(err, rc);
    if (stopped < pd->data_end)
        slw_perf_damaged(pd, stopped, pd->data_end - stopped,
                         why_no_record(pd, pd->bytes + stopped, (size_t)(pd->data_end - stopped)));
    if (pd->unpacked_parsed < pd->unpacked_length)
        slw_perf_damaged(pd, slw_perf_file_offset(pd, pd->unpacked_parsed | SLW_PERF_UNPACKED),
                         pd->unpacked_length - pd->unpacked_parsed,
                         "compressed data ends within a record");
    if (pd->damage.reason[0] && pd->sample_count == 0) {
        (void)slw_fail(err, SLW_E_FORMAT, "damaged perf.data without a readable sample: %s",
                       pd->damage.reason);
        slw_error_at(err, "offset 0x%llx", (unsigned long long)pd->damage.first_offset);
        return -SLW_E_FORMAT;
    }
    slw_perf_order_blocks(pd);
    return 0;
}
