/* SPDX-License-Identifier: MIT */
/* CQL, the binary protocol of Cassandra and ScyllaDB, versions 3 to 5. Answers carry the stream id
 * of their request. A request is QUERY, PREPARE, EXECUTE or BATCH; a BATCH of n holds n statements.
 * Source: native_protocol_v3.spec, _v4.spec and _v5.spec of Apache Cassandra. */
#include "collector/taps/proto.h"

#include <string.h>

#define HEADER   9u /* of an envelope */
#define BODY     8u /* bytes of a body kept: type and size of a BATCH */
#define FRAME    6u /* version 5: 17 bits of length and a flag, CRC24; then the payload and CRC32 */
#define CRC32    4u
#define MAX_BODY (256u << 20) /* native_transport_max_frame_size is 16 or 256 MiB */

#define FLAG_COMPRESSED 0x01u
#define FLAG_PAYLOAD    0x04u

enum opcode {
    OP_ERROR = 0x00,
    OP_STARTUP = 0x01,
    OP_READY = 0x02,
    OP_AUTHENTICATE = 0x03,
    OP_QUERY = 0x07,
    OP_RESULT = 0x08,
    OP_PREPARE = 0x09,
    OP_EXECUTE = 0x0a,
    OP_EVENT = 0x0c,
    OP_BATCH = 0x0d,
    OP_LAST = 0x10
};

struct side {
    /* the outer frame of version 5 */
    uint8_t frame[FRAME], frame_have;
    uint32_t payload_left, crc_left;
    /* the envelope */
    uint8_t head[HEADER], have;
    uint8_t body[BODY], body_have;
    uint32_t left;
};

struct cql {
    struct side client, server;
    bool framed;     /* version 5, after the answer to STARTUP */
    bool compressed; /* STARTUP asked for it */
    uint8_t matched; /* of "COMPRESSION" in STARTUP */
};
_Static_assert(sizeof(struct cql) <= SLW_PROTO_STATE_BYTES, "state fits");

static uint32_t stream_of(const struct side *s)
{
    return (uint32_t)s->head[2] << 8 | s->head[3];
}

static uint32_t length_of(const struct side *s)
{
    return (uint32_t)s->head[5] << 24 | (uint32_t)s->head[6] << 16 | (uint32_t)s->head[7] << 8 |
           s->head[8];
}

/* Statements of a BATCH: [byte type][short n]. Not readable when compressed or after a payload;
 * then it counts as one. */
static uint64_t statements_of(const struct side *s)
{
    bool readable = !(s->head[1] & (FLAG_COMPRESSED | FLAG_PAYLOAD)) && s->body_have >= 3;

    return s->head[4] == OP_BATCH && readable ? (uint64_t)s->body[1] << 8 | s->body[2] : 1;
}

static void client_message(struct slw_exchange *x, const struct side *s)
{
    uint8_t op = s->head[4];

    if (op != OP_QUERY && op != OP_PREPARE && op != OP_EXECUTE && op != OP_BATCH)
        return;
    slw_ask_stream(x, stream_of(s));
    x->counts->prepares += op == OP_PREPARE;
    if (op != OP_PREPARE)
        x->counts->statements += statements_of(s);
}

static enum slw_wire_reason server_message(struct cql *c, struct slw_exchange *x,
                                           const struct side *s)
{
    uint8_t op = s->head[4];

    if (op == OP_READY || op == OP_AUTHENTICATE) {
        c->framed = c->framed || (s->head[0] & 0x7f) == 5;
        return c->framed && c->compressed ? SLW_WIRE_COMPRESSED : SLW_WIRE_NONE;
    }
    x->counts->errors += op == OP_ERROR;
    x->counts->pushes += op == OP_EVENT;
    if (op == OP_RESULT || (op == OP_ERROR && slw_stream_asked(x, stream_of(s))))
        slw_answer_stream(x, stream_of(s));
    return SLW_WIRE_NONE;
}

static enum slw_wire_reason check_head(const struct side *s, bool client)
{
    uint8_t version = s->head[0] & 0x7f;
    bool right_way = client == !(s->head[0] & 0x80);

    if (!right_way || version < 3 || version > 5 || s->head[4] > OP_LAST || length_of(s) > MAX_BODY)
        return SLW_WIRE_MALFORMED;
    return SLW_WIRE_NONE;
}

static enum slw_wire_reason end_message(struct cql *c, struct slw_exchange *x, struct side *s)
{
    enum slw_wire_reason why = SLW_WIRE_NONE;

    if (s == &c->client)
        client_message(x, s);
    else
        why = server_message(c, x, s);
    s->have = s->body_have = 0;
    return why;
}

/* The names of STARTUP's options are words; that one of them is there is all we need. */
static void look_for_compression(struct cql *c, const uint8_t *p, size_t n)
{
    static const char word[] = "COMPRESSION";

    for (size_t i = 0; i < n && c->matched < sizeof(word) - 1; i++)
        c->matched = p[i] == (uint8_t)word[c->matched] ? (uint8_t)(c->matched + 1)
                     : p[i] == (uint8_t)word[0]        ? 1
                                                       : 0;
    c->compressed = c->matched == sizeof(word) - 1;
}

static size_t take_body(struct cql *c, struct side *s, const uint8_t *p, size_t n)
{
    size_t here = n < s->left ? n : s->left;
    size_t room = BODY - s->body_have;
    size_t keep = here < room ? here : room;

    memcpy(s->body + s->body_have, p, keep);
    s->body_have = (uint8_t)(s->body_have + keep);
    if (s == &c->client && s->head[4] == OP_STARTUP)
        look_for_compression(c, p, here);
    s->left -= (uint32_t)here;
    return here;
}

/* Envelopes; how many of the bytes were used: all, unless framing begins among them. */
static enum slw_wire_reason feed_envelopes(struct cql *c, struct slw_exchange *x, struct side *s,
                                           const uint8_t *p, size_t n, size_t *ret_used)
{
    enum slw_wire_reason why = SLW_WIRE_NONE;
    bool framed = c->framed;
    size_t used = 0;

    while (used < n && why == SLW_WIRE_NONE && c->framed == framed) {
        if (s->have < HEADER) {
            s->head[s->have++] = p[used++];
            if (s->have < HEADER)
                continue;
            s->left = length_of(s);
            why = check_head(s, s == &c->client);
        } else {
            used += take_body(c, s, p + used, n - used);
        }
        if (why == SLW_WIRE_NONE && s->left == 0)
            why = end_message(c, x, s);
    }
    *ret_used = used;
    return why;
}

static bool take_frame_byte(struct side *s, uint8_t byte)
{
    if (s->crc_left > 0) {
        s->crc_left--;
        return true;
    }
    if (s->payload_left > 0)
        return false;
    s->frame[s->frame_have++] = byte;
    if (s->frame_have == FRAME) {
        s->payload_left =
            s->frame[0] | (uint32_t)s->frame[1] << 8 | (uint32_t)(s->frame[2] & 1) << 16;
        s->frame_have = 0;
        s->crc_left = s->payload_left == 0 ? CRC32 : 0;
    }
    return true;
}

static enum slw_wire_reason feed_frames(struct cql *c, struct slw_exchange *x, struct side *s,
                                        const uint8_t *p, const uint8_t *end)
{
    enum slw_wire_reason why = SLW_WIRE_NONE;

    while (p < end && why == SLW_WIRE_NONE) {
        size_t used = 0, here = (size_t)(end - p);

        if (take_frame_byte(s, *p)) {
            p++;
            continue;
        }
        why = feed_envelopes(c, x, s, p, here < s->payload_left ? here : s->payload_left, &used);
        p += used;
        s->payload_left -= (uint32_t)used;
        if (s->payload_left == 0)
            s->crc_left = CRC32;
    }
    return why;
}

static enum slw_wire_reason feed(void *state, struct slw_exchange *x, enum slw_wire_direction d,
                                 const uint8_t *bytes, size_t count)
{
    struct cql *c = state;
    struct side *s = d == SLW_WIRE_SENT ? &c->client : &c->server;
    size_t used = 0;

    if (!c->framed) {
        enum slw_wire_reason why = feed_envelopes(c, x, s, bytes, count, &used);
        if (why != SLW_WIRE_NONE || used == count)
            return why;
    }
    return feed_frames(c, x, s, bytes + used, bytes + count);
}

static enum slw_recognised recognise(const struct slw_wire_first *f)
{
    const uint8_t *b = f->sent;

    if (f->sent_count == 0)
        return f->received_count == 0 ? SLW_NEED_MORE : SLW_NOT_THIS;
    if (b[0] < 3 || b[0] > 5)
        return SLW_NOT_THIS;
    if (f->sent_count < HEADER)
        return SLW_NEED_MORE;
    bool small = b[5] == 0 && b[6] == 0;
    return small && (b[4] == OP_STARTUP || b[4] == 0x05) ? SLW_THIS : SLW_NOT_THIS;
}

const struct slw_proto slw_proto_cql = {.name = "CQL",
                                        .state_bytes = sizeof(struct cql),
                                        .counts_statements = true,
                                        .streams = true,
                                        .recognise = recognise,
                                        .feed = feed};
