/* SPDX-License-Identifier: MIT */
/* Envelopes and the frames around them: bytes of one direction of one connection to messages, and
 * back. Pure: no I/O. Source: native_protocol_v5.spec, sections 2 to 2.4; native_protocol_v4.spec,
 * sections 2 and 5 (there a "frame" is what v5 calls an envelope). */
#ifndef SLW_WORKLOADS_CQL_FRAME_H
#define SLW_WORKLOADS_CQL_FRAME_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLW_CQL_ENVELOPE_HEADER 9u
#define SLW_CQL_FRAME_PAYLOAD   ((1u << 17) - 1) /* what 17 bits can say */
#define SLW_CQL_MAX_BODY        (256u << 20)     /* section 2.5: "limited to 256MB in length" */
#define SLW_CQL_RESPONSE        0x80u            /* in the version of what a server sends */

enum slw_cql_opcode {
    SLW_CQL_ERROR = 0x00,
    SLW_CQL_STARTUP = 0x01,
    SLW_CQL_READY = 0x02,
    SLW_CQL_AUTHENTICATE = 0x03,
    SLW_CQL_OPTIONS = 0x05,
    SLW_CQL_SUPPORTED = 0x06,
    SLW_CQL_QUERY = 0x07,
    SLW_CQL_RESULT = 0x08,
    SLW_CQL_PREPARE = 0x09,
    SLW_CQL_EXECUTE = 0x0a,
    SLW_CQL_REGISTER = 0x0b,
    SLW_CQL_EVENT = 0x0c,
    SLW_CQL_BATCH = 0x0d,
    SLW_CQL_AUTH_CHALLENGE = 0x0e,
    SLW_CQL_AUTH_RESPONSE = 0x0f,
    SLW_CQL_AUTH_SUCCESS = 0x10
};

enum slw_cql_flag {
    SLW_CQL_COMPRESSED = 0x01,
    SLW_CQL_TRACING = 0x02,
    SLW_CQL_PAYLOAD = 0x04,
    SLW_CQL_WARNING = 0x08
};

struct slw_cql_envelope {
    uint8_t version; /* with SLW_CQL_RESPONSE in what a server sends */
    uint8_t flags, opcode;
    int16_t stream;
    const uint8_t *body; /* unpacked; valid until the decoder is fed or asked again */
    size_t length;
};

/* How a connection travels. The last two are v5 after the answer to STARTUP. */
enum slw_cql_format {
    SLW_CQL_ENVELOPES,
    SLW_CQL_ENVELOPES_LZ4, /* v4: bodies may be packed */
    SLW_CQL_FRAMES,
    SLW_CQL_FRAMES_LZ4
};

/* Zero-initialise, set format, limit, response; format may change between two envelopes. */
struct slw_cql_decoder {
    enum slw_cql_format format;
    bool response; /* what a server sends */
    size_t limit;  /* of a body; 0: SLW_CQL_MAX_BODY */
    bool large;    /* within an envelope of several frames */
    struct slw_buf raw, payload, body;
    size_t raw_used, payload_used;
};
void slw_cql_decoder_release(struct slw_cql_decoder *d);

/* More bytes came. 0 or -SLW_E_NOMEM. */
int slw_cql_decoder_feed(struct slw_cql_decoder *d, const void *bytes, size_t length,
                         struct slw_error *err);

/* The next message: 1 and *ret, 0 when it is not whole yet, -SLW_E_FORMAT for what cannot be (the
 * connection is of no use then), -SLW_E_LIMIT for a body beyond the limit, -SLW_E_VERSION for a
 * version that is neither 3, 4 nor 5 (*ret has the head of the envelope), -SLW_E_NOMEM. */
int slw_cql_decoder_next(struct slw_cql_decoder *d, struct slw_cql_envelope *ret,
                         struct slw_error *err);

/* Zero-initialise, set format and version. `out` is what may be sent; take from its start. */
struct slw_cql_encoder {
    enum slw_cql_format format;
    uint8_t version;
    struct slw_buf out;
    struct slw_buf pending; /* envelopes that are not in a frame yet */
    size_t begin;           /* of the envelope that is open */
    struct slw_buf packed;
};
void slw_cql_encoder_release(struct slw_cql_encoder *e);

/* Write the body into the buffer that is returned, then end: what was pending goes out in one frame
 * when the next one no longer fits, or with flush. */
struct slw_buf *slw_cql_encoder_begin(struct slw_cql_encoder *e, int16_t stream, uint8_t opcode);
void slw_cql_encoder_end(struct slw_cql_encoder *e);
void slw_cql_encoder_flush(struct slw_cql_encoder *e);
/* Take back the envelope that is open. */
void slw_cql_encoder_drop(struct slw_cql_encoder *e);
bool slw_cql_encoder_failed(const struct slw_cql_encoder *e); /* out of memory */

#endif
