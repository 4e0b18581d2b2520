/* SPDX-License-Identifier: MIT */
/* Envelopes to bytes. */
#include "workloads/cql/compress.h"
#include "workloads/cql/crc.h"
#include "workloads/cql/frame.h"
#include "workloads/cql/wire.h"

#include <assert.h>

#define WORTH_PACKING 64u /* bytes of a body */

void slw_cql_encoder_release(struct slw_cql_encoder *e)
{
    slw_buf_release(&e->out);
    slw_buf_release(&e->pending);
    slw_buf_release(&e->packed);
}

bool slw_cql_encoder_failed(const struct slw_cql_encoder *e)
{
    return slw_buf_failed(&e->out) || slw_buf_failed(&e->pending) || slw_buf_failed(&e->packed);
}

static bool in_frames(const struct slw_cql_encoder *e)
{
    return e->format == SLW_CQL_FRAMES || e->format == SLW_CQL_FRAMES_LZ4;
}

static struct slw_buf *target(struct slw_cql_encoder *e)
{
    return in_frames(e) ? &e->pending : &e->out;
}

struct slw_buf *slw_cql_encoder_begin(struct slw_cql_encoder *e, int16_t stream, uint8_t opcode)
{
    struct slw_buf *b = target(e);

    e->begin = b->length;
    slw_cql_put_byte(b, e->version);
    slw_cql_put_byte(b, 0);
    slw_cql_put_short(b, (uint16_t)stream);
    slw_cql_put_byte(b, opcode);
    slw_cql_put_int(b, 0);
    return b;
}

static void put_little_endian(struct slw_buf *b, uint64_t value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        slw_cql_put_byte(b, (uint8_t)(value >> 8 * i));
}

static void put_frame(struct slw_cql_encoder *e, const char *bytes, size_t length, bool alone)
{
    const bool lz4 = e->format == SLW_CQL_FRAMES_LZ4;
    const size_t count = lz4 ? 5 : 3, head = e->out.length;
    uint64_t bits = length;

    assert(length <= SLW_CQL_FRAME_PAYLOAD);
    e->packed.length = 0;
    if (lz4 && slw_cql_lz4_pack(&e->packed, bytes, length)) {
        bits = e->packed.length | (uint64_t)length << 17;
        bytes = e->packed.data;
        length = e->packed.length;
    }
    bits |= (uint64_t)alone << (lz4 ? 34 : 17);
    put_little_endian(&e->out, bits, count);
    if (slw_buf_failed(&e->out))
        return;
    put_little_endian(&e->out, slw_cql_crc24((const uint8_t *)e->out.data + head, count), 3);
    slw_buf_put(&e->out, bytes, length);
    put_little_endian(&e->out, slw_cql_crc32((const uint8_t *)bytes, length), 4);
}

/* An envelope that does not fit one frame goes out by itself, in several. */
static void put_large(struct slw_cql_encoder *e, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t piece = length < SLW_CQL_FRAME_PAYLOAD ? length : SLW_CQL_FRAME_PAYLOAD;

        put_frame(e, bytes, piece, false);
        bytes += piece;
        length -= piece;
    }
}

static void end_in_frames(struct slw_cql_encoder *e)
{
    struct slw_buf *b = &e->pending;
    const size_t length = b->length - e->begin;

    if (b->length <= SLW_CQL_FRAME_PAYLOAD)
        return;
    if (e->begin > 0)
        put_frame(e, b->data, e->begin, true);
    if (length > SLW_CQL_FRAME_PAYLOAD) {
        put_large(e, b->data + e->begin, length);
        b->length = 0;
        return;
    }
    struct slw_buf rest = {0};
    slw_buf_put(&rest, b->data + e->begin, length);
    slw_buf_release(b);
    *b = rest;
}

/* Section 5 of v4: the flag, and the length before the block. */
static void pack_body(struct slw_cql_encoder *e)
{
    const size_t body = e->begin + SLW_CQL_ENVELOPE_HEADER, length = e->out.length - body;

    e->packed.length = 0;
    if (length < WORTH_PACKING || !slw_cql_lz4_pack(&e->packed, e->out.data + body, length) ||
        e->packed.length + 4 >= length)
        return;
    e->out.length = body;
    slw_cql_put_bytes(&e->out, e->packed.data, e->packed.length);
    slw_cql_store_int(e->out.data + body, (uint32_t)length);
    e->out.data[e->begin + 1] |= SLW_CQL_COMPRESSED;
}

void slw_cql_encoder_end(struct slw_cql_encoder *e)
{
    struct slw_buf *b = target(e);

    if (slw_buf_failed(b))
        return;
    if (e->format == SLW_CQL_ENVELOPES_LZ4)
        pack_body(e);
    const size_t length = b->length - e->begin - SLW_CQL_ENVELOPE_HEADER;
    assert(length <= UINT32_MAX);
    slw_cql_store_int(b->data + e->begin + 5, (uint32_t)length);
    if (in_frames(e))
        end_in_frames(e);
}

void slw_cql_encoder_flush(struct slw_cql_encoder *e)
{
    if (e->pending.length == 0 || slw_buf_failed(&e->pending))
        return;
    put_frame(e, e->pending.data, e->pending.length, true);
    e->pending.length = 0;
}

void slw_cql_encoder_drop(struct slw_cql_encoder *e)
{
    struct slw_buf *b = target(e);

    if (!slw_buf_failed(b))
        b->length = e->begin;
}
