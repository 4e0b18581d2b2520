/* SPDX-License-Identifier: MIT */
/* The messages of one client. */
#include "workloads/cql/compress.h"
#include "workloads/cql/endpoint_int.h"

#include <string.h>

#define OLDEST 4

static uint8_t newest(const struct slw_cql_endpoint *e)
{
    return e->options.newest == 4 ? 4 : 5;
}

/* ---- answers ---- */

static void put_details(struct slw_buf *b, const struct slw_cql_refusal *r)
{
    if (r->code == SLW_CQL_E_ALREADY_EXISTS) {
        slw_cql_put_string(b, r->keyspace);
        slw_cql_put_string(b, r->table);
    }
    if (r->code == SLW_CQL_E_UNPREPARED)
        slw_cql_put_short_bytes(b, r->id);
    if (r->code == SLW_CQL_E_WRITE_TIMEOUT) {
        slw_cql_put_short(b, SLW_CQL_ONE);
        slw_cql_put_int(b, 0);
        slw_cql_put_int(b, 1);
        slw_cql_put_string(b, SLW_CQL_TEXT("SIMPLE"));
    }
}

static void answer_refusal(struct slw_cql_client *c, int16_t stream,
                           const struct slw_cql_refusal *r)
{
    struct slw_buf *b = slw_cql_encoder_begin(&c->out, stream, SLW_CQL_ERROR);

    slw_cql_put_failure(b, r->code, slw_cql_text(r->text));
    put_details(b, r);
    slw_cql_encoder_end(&c->out);
}

static void answer_protocol(struct slw_cql_client *c, int16_t stream, const char *text)
{
    struct slw_cql_refusal r;

    slw_cql_refuse_as(&r, SLW_CQL_E_PROTOCOL, "%s", text);
    answer_refusal(c, stream, &r);
    c->closing = true;
}

static void answer_empty(struct slw_cql_client *c, int16_t stream, uint8_t opcode)
{
    (void)slw_cql_encoder_begin(&c->out, stream, opcode);
    slw_cql_encoder_end(&c->out);
}

/* ---- the beginning of a connection ---- */

/* "the server will respond with its current version": clients look for these words. */
static void refuse_version(const struct slw_cql_endpoint *e, struct slw_cql_client *c,
                           const struct slw_cql_envelope *m)
{
    struct slw_cql_refusal r;

    c->out.version = (uint8_t)(newest(e) | SLW_CQL_RESPONSE);
    slw_cql_refuse_as(&r, SLW_CQL_E_PROTOCOL,
                      "Invalid or unsupported protocol version (%u); supported versions are "
                      "(4/v4%s)",
                      m->version & 0x7fu, newest(e) == 5 ? ", 5/v5" : "");
    answer_refusal(c, m->stream, &r);
    c->closing = true;
}

static void put_list(struct slw_buf *b, const char *key, const char *first, const char *second)
{
    slw_cql_put_string(b, slw_cql_text(key));
    slw_cql_put_short(b, (size_t)(first != NULL) + (second != NULL));
    if (first)
        slw_cql_put_string(b, slw_cql_text(first));
    if (second)
        slw_cql_put_string(b, slw_cql_text(second));
}

static void options(const struct slw_cql_endpoint *e, struct slw_cql_client *c, int16_t stream)
{
    struct slw_buf *b = slw_cql_encoder_begin(&c->out, stream, SLW_CQL_SUPPORTED);

    slw_cql_put_short(b, 3);
    put_list(b, "CQL_VERSION", "3.4.5", NULL);
    put_list(b, "COMPRESSION", slw_cql_lz4_available() ? "lz4" : NULL, NULL);
    put_list(b, "PROTOCOL_VERSIONS", "4/v4", newest(e) == 5 ? "5/v5" : NULL);
    slw_cql_encoder_end(&c->out);
}

/* READY travels as before; what comes after it in the way that was agreed on. */
static void startup(struct slw_cql_client *c, const struct slw_cql_envelope *m)
{
    struct slw_cql_in in = slw_cql_in(m->body, m->length);
    struct slw_cql_startup s;

    if (c->started || !slw_cql_get_startup(&in, &s) || !s.cql_version) {
        answer_protocol(c, m->stream, "STARTUP comes once, and says CQL_VERSION");
        return;
    }
    if (s.other_compression || (s.lz4 && !slw_cql_lz4_available())) {
        answer_protocol(c, m->stream, "Unknown compression algorithm");
        return;
    }
    answer_empty(c, m->stream, SLW_CQL_READY);
    c->started = true;
    if (c->version >= 5)
        c->in.format = s.lz4 ? SLW_CQL_FRAMES_LZ4 : SLW_CQL_FRAMES;
    else
        c->in.format = s.lz4 ? SLW_CQL_ENVELOPES_LZ4 : SLW_CQL_ENVELOPES;
    c->out.format = c->in.format;
}

/* ---- statements ---- */

static int malformed(struct slw_cql_refusal *r)
{
    return slw_cql_refuse(r, SLW_CQL_E_PROTOCOL, "the message is cut or has a wrong length in it");
}

static void set_keyspace(struct slw_cql_request *q, const struct slw_cql_statement *s)
{
    q->statement = s;
    q->keyspace = s->keyspace.length              ? s->keyspace
                  : q->parameters.keyspace.length ? q->parameters.keyspace
                                                  : slw_cql_text(q->client->keyspace);
}

static int run(struct slw_cql_request *q, const struct slw_cql_statement *s, struct slw_buf *body,
               struct slw_cql_refusal *r)
{
    set_keyspace(q, s);
    if (slw_cql_bind(q, q->parameters.values, r) < 0)
        return -1;
    return slw_cql_execute(q, body, r);
}

static int query(struct slw_cql_request *q, struct slw_cql_in *in, struct slw_buf *body,
                 struct slw_cql_refusal *r)
{
    const struct slw_cql_text text = slw_cql_get_long_string(in);

    if (!slw_cql_get_parameters(in, q->client->version, &q->parameters))
        return malformed(r);
    struct slw_cql_statement *s = slw_cql_parse(text, r);
    int rc = s ? run(q, s, body, r) : -1;
    slw_cql_statement_free(s);
    return rc;
}

static int execute(struct slw_cql_request *q, struct slw_cql_in *in, struct slw_buf *body,
                   struct slw_cql_refusal *r)
{
    const struct slw_cql_text id = slw_cql_get_short_bytes(in);

    if (q->client->version >= 5)
        q->metadata_id = slw_cql_get_short_bytes(in);
    if (!slw_cql_get_parameters(in, q->client->version, &q->parameters))
        return malformed(r);
    q->prepared = true;
    const struct slw_cql_statement *s = slw_cql_prepared_find(q->endpoint, id, r);
    return s ? run(q, s, body, r) : -1;
}

static int prepare(struct slw_cql_request *q, struct slw_cql_in *in, struct slw_buf *body,
                   struct slw_cql_refusal *r)
{
    const struct slw_cql_text text = slw_cql_get_long_string(in);
    const bool named = q->client->version >= 5 && ((uint32_t)slw_cql_get_int(in) & 1) != 0;

    q->keyspace = named ? slw_cql_get_string(in) : slw_cql_text(q->client->keyspace);
    return in->bad ? malformed(r) : slw_cql_prepare(q, text, body, r);
}

/* ---- BATCH ---- */

static int batch_statement(struct slw_cql_request *q, const struct slw_cql_batch_statement *b,
                           struct slw_buf *changes, struct slw_cql_refusal *r)
{
    struct slw_cql_statement *parsed = b->prepared ? NULL : slw_cql_parse(b->text, r);
    const struct slw_cql_statement *s =
        b->prepared ? slw_cql_prepared_find(q->endpoint, b->text, r) : parsed;
    const struct slw_cql_table *t = NULL;
    const struct slw_cql_row *row = NULL;
    bool applied = false;
    int rc = s ? 0 : -1;

    if (rc == 0 && s->kind != SLW_CQL_INSERT && s->kind != SLW_CQL_UPDATE &&
        s->kind != SLW_CQL_DELETE)
        rc = slw_cql_refuse(r, SLW_CQL_E_INVALID,
                            "Invalid statement in batch: only UPDATE, INSERT and DELETE "
                            "statements are allowed.");
    else if (rc == 0 && s->conditional)
        rc = slw_cql_refuse(r, SLW_CQL_E_INVALID, "this endpoint has no conditions in a batch");
    if (rc == 0) {
        set_keyspace(q, s);
        rc = slw_cql_bind(q, b->values, r);
    }
    if (rc == 0)
        rc = slw_cql_change(q, changes, &t, &row, &applied, r);
    slw_cql_statement_free(parsed);
    return rc;
}

/* All changes are made before the first is applied: all or nothing. */
static int batch(struct slw_cql_request *q, struct slw_cql_in *in, struct slw_buf *body,
                 struct slw_cql_refusal *r)
{
    struct slw_cql_batch_statement b;
    struct slw_cql_parameters p;
    struct slw_buf changes = {0};
    uint8_t type = 0;
    uint16_t count = 0;

    if (!slw_cql_get_batch(in, &type, &count))
        return malformed(r);
    if (type == SLW_CQL_COUNTER)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "this endpoint has no counters");
    slw_cql_put_byte(&changes, 'c');
    int rc = 0;
    for (uint16_t i = 0; rc == 0 && i < count; i++)
        rc = slw_cql_get_batch_statement(in, &b) ? batch_statement(q, &b, &changes, r)
                                                 : malformed(r);
    if (rc == 0 && !slw_cql_get_batch_end(in, q->client->version, &p))
        rc = malformed(r);
    if (rc == 0)
        rc = slw_cql_commit(q->endpoint, &changes, r);
    if (rc == 0)
        slw_cql_put_int(body, SLW_CQL_VOID);
    slw_buf_release(&changes);
    return rc;
}

/* ---- dispatch ---- */

static int mishap_before(struct slw_cql_endpoint *e, bool writes, struct slw_cql_refusal *r)
{
    const uint32_t every = e->options.overloaded_every;

    if (!writes)
        return 0;
    e->write_count++;
    if (every && e->write_count % every == 0)
        return slw_cql_refuse(r, SLW_CQL_E_OVERLOADED, "overloaded, as was asked for");
    return 0;
}

static int mishap_after(struct slw_cql_endpoint *e, bool writes, struct slw_cql_refusal *r)
{
    const uint32_t every = e->options.timeout_every;

    if (writes && every && e->write_count % every == 0)
        return slw_cql_refuse(r, SLW_CQL_E_WRITE_TIMEOUT, "timed out, as was asked for");
    return 0;
}

/* Does it change rows? A prepared SELECT does not, nor does one that is text. */
static bool changes_rows(struct slw_cql_endpoint *e, const struct slw_cql_envelope *m,
                         struct slw_cql_in in)
{
    struct slw_cql_refusal unused;
    const struct slw_cql_statement *s = NULL;

    if (m->opcode == SLW_CQL_EXECUTE)
        s = slw_cql_prepared_find(e, slw_cql_get_short_bytes(&in), &unused);
    return m->opcode == SLW_CQL_BATCH || (s && s->kind != SLW_CQL_SELECT);
}

static int dispatch(struct slw_cql_request *q, const struct slw_cql_envelope *m,
                    struct slw_buf *body, struct slw_cql_refusal *r)
{
    struct slw_cql_in in = slw_cql_in(m->body, m->length);

    if (!slw_cql_skip_prefix(&in, m->flags & SLW_CQL_PAYLOAD))
        return malformed(r);
    const bool writes = changes_rows(q->endpoint, m, in);
    int rc = mishap_before(q->endpoint, writes, r);
    if (rc < 0)
        return rc;
    if (m->opcode == SLW_CQL_QUERY)
        rc = query(q, &in, body, r);
    else if (m->opcode == SLW_CQL_PREPARE)
        rc = prepare(q, &in, body, r);
    else if (m->opcode == SLW_CQL_EXECUTE)
        rc = execute(q, &in, body, r);
    else
        rc = batch(q, &in, body, r);
    return rc < 0 ? rc : mishap_after(q->endpoint, writes, r);
}

static void statement(struct slw_cql_endpoint *e, struct slw_cql_client *c,
                      const struct slw_cql_envelope *m)
{
    struct slw_cql_request q = {.endpoint = e, .client = c};
    struct slw_cql_refusal r;

    if (!c->started) {
        answer_protocol(c, m->stream, "Unexpected message, STARTUP should come first");
        return;
    }
    struct slw_buf *body = slw_cql_encoder_begin(&c->out, m->stream, SLW_CQL_RESULT);
    if (dispatch(&q, m, body, &r) == 0) {
        slw_cql_encoder_end(&c->out);
        return;
    }
    slw_cql_encoder_drop(&c->out);
    answer_refusal(c, m->stream, &r);
}

static void message(struct slw_cql_endpoint *e, struct slw_cql_client *c,
                    const struct slw_cql_envelope *m)
{
    if (m->version < OLDEST || m->version > newest(e) || (c->version && m->version != c->version)) {
        refuse_version(e, c, m);
        return;
    }
    c->version = m->version;
    c->out.version = (uint8_t)(m->version | SLW_CQL_RESPONSE);
    switch (m->opcode) {
    case SLW_CQL_OPTIONS:
        options(e, c, m->stream);
        break;
    case SLW_CQL_STARTUP:
        startup(c, m);
        break;
    case SLW_CQL_REGISTER:
        answer_empty(c, m->stream, SLW_CQL_READY);
        break;
    case SLW_CQL_QUERY:
    case SLW_CQL_PREPARE:
    case SLW_CQL_EXECUTE:
    case SLW_CQL_BATCH:
        statement(e, c, m);
        break;
    default:
        answer_protocol(c, m->stream, "Unknown opcode");
        break;
    }
}

void slw_cql_session(struct slw_cql_endpoint *e, struct slw_cql_client *c)
{
    struct slw_cql_envelope m = {0};
    struct slw_error err = {0};
    int rc = 0;

    if (!c->out.version) /* whatever is wrong is said in a version */
        c->out.version = (uint8_t)(newest(e) | SLW_CQL_RESPONSE);
    c->stalled = false;
    while (!c->closing && !c->stalled && (rc = slw_cql_decoder_next(&c->in, &m, &err)) > 0) {
        message(e, c, &m);
        c->stalled = slw_cql_waiting(c) >= SLW_CQL_OUT_MARK;
    }
    if (rc == -SLW_E_VERSION)
        refuse_version(e, c, &m);
    else if (rc < 0)
        answer_protocol(c, 0, err.text);
    slw_cql_encoder_flush(&c->out);
    c->closing = c->closing || slw_cql_encoder_failed(&c->out);
}
