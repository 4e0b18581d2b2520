/* SPDX-License-Identifier: MIT */
/* Bytes to envelopes. */
#include "workloads/cql/compress.h"
#include "workloads/cql/crc.h"
#include "workloads/cql/frame.h"
#include "workloads/cql/wire.h"

#include <string.h>

#define CRC_BYTES   4u
#define PLAIN_HEAD  6u
#define PACKED_HEAD 8u
#define LENGTH_MASK ((1u << 17) - 1)

void slw_cql_decoder_release(struct slw_cql_decoder *d)
{
    slw_buf_release(&d->raw);
    slw_buf_release(&d->payload);
    slw_buf_release(&d->body);
}

/* Forget what was used; what is left moves to the front. */
static void drop_used(struct slw_buf *b, size_t *used)
{
    if (*used == 0)
        return;
    b->length -= *used;
    memmove(b->data, b->data + *used, b->length);
    *used = 0;
}

int slw_cql_decoder_feed(struct slw_cql_decoder *d, const void *bytes, size_t length,
                         struct slw_error *err)
{
    drop_used(&d->raw, &d->raw_used);
    slw_buf_put(&d->raw, bytes, length);
    if (slw_buf_failed(&d->raw))
        return slw_fail(err, SLW_E_NOMEM, "no memory for what came from the network");
    return 0;
}

static uint64_t little_endian(const uint8_t *p, size_t count)
{
    uint64_t value = 0;

    for (size_t i = count; i > 0; i--)
        value = value << 8 | p[i - 1];
    return value;
}

/* The head of a frame: how many bytes follow it before the CRC32, and how many they are unpacked.
 */
struct frame {
    size_t length, whole;
    bool packed, alone;
};

static bool read_head(const uint8_t *p, bool lz4, struct frame *ret)
{
    const size_t count = lz4 ? 5 : 3;
    const uint64_t bits = little_endian(p, count);

    ret->length = bits & LENGTH_MASK;
    ret->whole = lz4 ? (bits >> 17) & LENGTH_MASK : ret->length;
    ret->packed = lz4 && ret->whole != 0; /* section 2.2: 0 signals "as-is" */
    ret->alone = (bits >> (lz4 ? 34 : 17)) & 1;
    return little_endian(p + count, 3) == slw_cql_crc24(p, count);
}

static int take_payload(struct slw_cql_decoder *d, const struct frame *f, const uint8_t *bytes,
                        struct slw_error *err)
{
    drop_used(&d->payload, &d->payload_used);
    if (f->alone && d->payload.length > 0)
        return slw_fail(err, SLW_E_FORMAT, "a frame that is self contained within a large message");
    d->large = !f->alone;
    if (!f->packed)
        slw_buf_put(&d->payload, bytes, f->length);
    else if (!slw_cql_lz4_unpack(&d->payload, bytes, f->length, f->whole))
        return slw_fail(err, SLW_E_FORMAT, "the payload of a frame is not what LZ4 makes");
    if (slw_buf_failed(&d->payload))
        return slw_fail(err, SLW_E_NOMEM, "no memory for a frame");
    return 0;
}

/* One more frame to the payload: 1, or 0 when it is not whole. */
static int take_frame(struct slw_cql_decoder *d, struct slw_error *err)
{
    const bool lz4 = d->format == SLW_CQL_FRAMES_LZ4;
    const size_t head = lz4 ? PACKED_HEAD : PLAIN_HEAD;
    const size_t have = d->raw.length - d->raw_used;
    struct frame f;

    if (have < head)
        return 0;
    const uint8_t *at = (const uint8_t *)d->raw.data + d->raw_used;
    if (!read_head(at, lz4, &f))
        return slw_fail(err, SLW_E_FORMAT, "the CRC24 of a frame is wrong");
    if (have - head < f.length + CRC_BYTES)
        return 0;
    if (little_endian(at + head + f.length, CRC_BYTES) != slw_cql_crc32(at + head, f.length))
        return slw_fail(err, SLW_E_FORMAT, "the CRC32 of a frame is wrong");
    int rc = take_payload(d, &f, at + head, err);
    d->raw_used += head + f.length + CRC_BYTES;
    return rc < 0 ? rc : 1;
}

static int check_head(const struct slw_cql_decoder *d, const struct slw_cql_envelope *e,
                      struct slw_error *err)
{
    const unsigned version = e->version & 0x7fu;
    const size_t limit = d->limit ? d->limit : SLW_CQL_MAX_BODY;

    if (d->response != ((e->version & SLW_CQL_RESPONSE) != 0))
        return slw_fail(err, SLW_E_FORMAT, "this is not CQL: version byte 0x%02x", e->version);
    if (version < 3 || version > 5)
        return slw_fail(err, SLW_E_VERSION, "version %u of the protocol", version);
    if (e->length > limit)
        return slw_fail(err, SLW_E_LIMIT, "a message of %zu bytes, the limit is %zu", e->length,
                        limit);
    return 0;
}

/* Section 5 of v4: four bytes of length, then the block. */
static int unpack_body(struct slw_cql_decoder *d, struct slw_cql_envelope *e, struct slw_error *err)
{
    const size_t limit = d->limit ? d->limit : SLW_CQL_MAX_BODY;
    struct slw_cql_in in = slw_cql_in(e->body, e->length);

    if (d->format == SLW_CQL_FRAMES || d->format == SLW_CQL_FRAMES_LZ4 ||
        !(e->flags & SLW_CQL_COMPRESSED))
        return 0; /* section 2.4.1.2 of v5: "deprecated and ignored" */
    if (d->format != SLW_CQL_ENVELOPES_LZ4)
        return slw_fail(err, SLW_E_FORMAT, "a compressed message, which was not agreed on");
    const int32_t whole = slw_cql_get_int(&in);
    if (in.bad || whole < 0)
        return slw_fail(err, SLW_E_FORMAT, "a compressed message without its length");
    if ((size_t)whole > limit)
        return slw_fail(err, SLW_E_LIMIT, "a message of %d bytes, the limit is %zu", whole, limit);
    d->body.length = 0;
    if (whole > 0 && !slw_cql_lz4_unpack(&d->body, in.at, slw_cql_left(&in), (size_t)whole))
        return slw_fail(err, SLW_E_FORMAT, "a compressed message is not what LZ4 makes");
    e->body = (const uint8_t *)d->body.data;
    e->length = (size_t)whole;
    return 0;
}

/* The envelope at `at`: 1 and *ret_used, 0 when it is not whole. */
static int take_envelope(struct slw_cql_decoder *d, const char *at, size_t have,
                         struct slw_cql_envelope *ret, size_t *ret_used, struct slw_error *err)
{
    struct slw_cql_in in = slw_cql_in(at, have);

    if (have < SLW_CQL_ENVELOPE_HEADER)
        return 0;
    struct slw_cql_envelope e = {.version = slw_cql_get_byte(&in)};
    e.flags = slw_cql_get_byte(&in);
    e.stream = (int16_t)slw_cql_get_short(&in);
    e.opcode = slw_cql_get_byte(&in);
    e.length = (uint32_t)slw_cql_get_int(&in);
    *ret = e;
    int rc = check_head(d, &e, err);
    if (rc < 0 || slw_cql_left(&in) < e.length)
        return rc;
    e.body = in.at;
    *ret_used = SLW_CQL_ENVELOPE_HEADER + e.length;
    rc = unpack_body(d, &e, err);
    *ret = e;
    return rc < 0 ? rc : 1;
}

static int next_in_frames(struct slw_cql_decoder *d, struct slw_cql_envelope *ret,
                          struct slw_error *err)
{
    for (;;) {
        const size_t have = d->payload.length - d->payload_used;
        size_t used = 0;
        int rc = have == 0
                     ? 0
                     : take_envelope(d, d->payload.data + d->payload_used, have, ret, &used, err);

        if (rc > 0 && d->large && used != have)
            return slw_fail(err, SLW_E_FORMAT, "more than one message in frames that share one");
        d->payload_used += used;
        d->large = d->large && rc == 0;
        if (rc != 0)
            return rc;
        if (have > 0 && !d->large)
            return slw_fail(err, SLW_E_FORMAT, "a frame that is self contained ends in a message");
        rc = take_frame(d, err); /* uses bytes, so this ends */
        if (rc <= 0)
            return rc;
    }
}

int slw_cql_decoder_next(struct slw_cql_decoder *d, struct slw_cql_envelope *ret,
                         struct slw_error *err)
{
    size_t used = 0;

    if (d->format == SLW_CQL_FRAMES || d->format == SLW_CQL_FRAMES_LZ4)
        return next_in_frames(d, ret, err);
    if (d->raw.length == d->raw_used)
        return 0;
    int rc =
        take_envelope(d, d->raw.data + d->raw_used, d->raw.length - d->raw_used, ret, &used, err);
    d->raw_used += used;
    return rc;
}
