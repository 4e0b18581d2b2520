/* SPDX-License-Identifier: MIT */
/* Any bytes as what a client sends to the CQL endpoint. The first byte: 0 and 1 are bytes as they
 * come, 2 and more are a connection that was begun (bit 0: v5, bit 2: packed), on which the rest is
 * sent as messages "opcode, [short] length, body"; opcode 0xff is a statement in words. */
#include "workloads/cql/endpoint_int.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* What is answered has to be messages. */
static void read_answers(const struct slw_cql_client *c, enum slw_cql_format format)
{
    struct slw_cql_decoder d = {.format = format, .response = true};
    struct slw_cql_envelope m;
    int rc;

    must(slw_cql_decoder_feed(&d, c->out.out.data, c->out.out.length, NULL) == 0);
    do
        rc = slw_cql_decoder_next(&d, &m, NULL);
    while (rc > 0);
    must(rc == 0 && d.raw.length == d.raw_used);
    slw_cql_decoder_release(&d);
}

static void say(struct slw_cql_endpoint *e, struct slw_cql_client *c, struct slw_cql_encoder *out)
{
    slw_cql_encoder_flush(out);
    must(!slw_cql_encoder_failed(out));
    must(slw_cql_decoder_feed(&c->in, out->out.data, out->out.length, NULL) == 0);
    out->out.length = 0;
    slw_cql_session(e, c);
    e->log.pending.length = 0;
}

static void say_words(struct slw_cql_endpoint *e, struct slw_cql_client *c,
                      struct slw_cql_encoder *out, struct slw_cql_text text)
{
    const struct slw_cql_parameters p = {.consistency = 1};
    struct slw_buf *b = slw_cql_encoder_begin(out, 1, SLW_CQL_QUERY);

    slw_cql_put_query(b, text);
    slw_cql_put_parameters(b, out->version, &p, NULL, 0);
    slw_cql_encoder_end(out);
    say(e, c, out);
}

static void begin(struct slw_cql_endpoint *e, struct slw_cql_client *c, struct slw_cql_encoder *out,
                  bool lz4)
{
    slw_cql_put_startup(slw_cql_encoder_begin(out, 0, SLW_CQL_STARTUP), lz4);
    slw_cql_encoder_end(out);
    say(e, c, out);
    must(c->started || lz4);
    out->format = c->in.format;
    if (!c->started)
        return;
    say_words(e, c, out, SLW_CQL_TEXT("CREATE KEYSPACE k WITH replication = {}"));
    say_words(e, c, out, SLW_CQL_TEXT("USE k"));
    say_words(e, c, out, SLW_CQL_TEXT("CREATE TABLE t (id bigint PRIMARY KEY, v text, b blob)"));
    say_words(e, c, out, SLW_CQL_TEXT("INSERT INTO t (id, v, b) VALUES (1, 'x', 0x00)"));
    slw_cql_put_prepare(slw_cql_encoder_begin(out, 0, SLW_CQL_PREPARE), out->version,
                        SLW_CQL_TEXT("INSERT INTO t (id, v) VALUES (?, ?)"));
    slw_cql_encoder_end(out);
    say(e, c, out);
}

static void say_all(struct slw_cql_endpoint *e, struct slw_cql_client *c,
                    struct slw_cql_encoder *out, struct slw_cql_in *in)
{
    while (slw_cql_left(in) >= 3 && !c->closing) {
        const uint8_t opcode = slw_cql_get_byte(in);
        const size_t said = slw_cql_get_short(in), left = slw_cql_left(in);
        const size_t length = said < left ? said : left;
        const uint8_t *body = slw_cql_get_raw(in, length);
        const struct slw_cql_text text = {(const char *)body, length};

        if (opcode == 0xff) {
            say_words(e, c, out, text);
        } else {
            slw_buf_put(slw_cql_encoder_begin(out, 2, opcode), body, length);
            slw_cql_encoder_end(out);
            say(e, c, out);
        }
        c->sent = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_cql_endpoint *e = calloc(1, sizeof(*e));
    struct slw_cql_client c = {.fd = -1, .in.limit = 1u << 20};
    struct slw_cql_encoder out = {.version = 4};

    must(e != NULL);
    e->log.fd = e->listener = e->wake = -1;
    if (size > 1 && data[0] >= 2) {
        struct slw_cql_in in = slw_cql_in(data + 1, size - 1);

        out.version = (uint8_t)(4 + (data[0] & 1));
        begin(e, &c, &out, (data[0] & 4) != 0);
        c.out.out.length = 0;
        say_all(e, &c, &out, &in);
        read_answers(&c, c.out.format);
    } else if (size > 1) {
        must(slw_cql_decoder_feed(&c.in, data + 1, size - 1, NULL) == 0);
        slw_cql_session(e, &c);
        if (c.out.format == SLW_CQL_ENVELOPES)
            read_answers(&c, c.out.format);
    }
    slw_cql_encoder_release(&out);
    slw_cql_decoder_release(&c.in);
    slw_cql_encoder_release(&c.out);
    slw_cql_endpoint_close(e);
    return 0;
}
