/* SPDX-License-Identifier: MIT */
/* Requests as messages. */
#include "base/clock.h"
#include "base/hash.h"
#include "workloads/drivers/cql/cql_int.h"

#include <assert.h>
#include <stdio.h>

#define KEEP_SLOT_BUFFER 65536u

/* ---- statements ---- */

static void set_text(struct slw_cql_connection *c, enum slw_cql_text_id which, const char *before,
                     const char *after)
{
    (void)snprintf(c->handles[which].text, sizeof(c->handles[which].text), "%s %s.%s %s", before,
                   c->keyspace, c->table, after);
}

void slw_cql_set_texts(struct slw_cql_connection *c)
{
    set_text(c, SLW_CQL_TEXT_INSERT, "INSERT INTO",
             c->conditional ? "(id, payload) VALUES (?, ?) IF NOT EXISTS"
                            : "(id, payload) VALUES (?, ?)");
    set_text(c, SLW_CQL_TEXT_UPDATE, "UPDATE",
             c->conditional ? "SET payload = ? WHERE id = ? IF EXISTS"
                            : "SET payload = ? WHERE id = ?");
    set_text(c, SLW_CQL_TEXT_READ, "SELECT payload FROM", "WHERE id = ?");
    set_text(c, SLW_CQL_TEXT_READ_MANY, "SELECT id, payload FROM", "WHERE id IN ?");
}

void slw_cql_forget(struct slw_cql_connection *c)
{
    for (size_t i = 0; i < SLW_CQL_TEXT_COUNT; i++) {
        struct slw_cql_handle *h = &c->handles[i];

        h->prepared = h->asked = false;
        slw_buf_release(&h->id);
        slw_buf_release(&h->metadata_id);
    }
}

static bool keep_handle(struct slw_cql_connection *c, struct slw_cql_handle *h,
                        const struct slw_cql_envelope *m)
{
    struct slw_cql_in in = slw_cql_in(m->body, m->length);
    struct slw_cql_prepared p;

    if (m->opcode != SLW_CQL_RESULT || !slw_cql_skip_prefix(&in, m->flags) ||
        slw_cql_get_int(&in) != SLW_CQL_PREPARED || !slw_cql_get_prepared(&in, c->version, &p))
        return false;
    h->id.length = h->metadata_id.length = 0;
    slw_buf_put(&h->id, p.id.bytes, p.id.length);
    slw_buf_put(&h->metadata_id, p.metadata_id.bytes, p.metadata_id.length);
    h->prepared = !slw_buf_failed(&h->id) && !slw_buf_failed(&h->metadata_id);
    return h->prepared;
}

int slw_cql_prepare_all(struct slw_cql_connection *c, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < SLW_CQL_TEXT_COUNT; i++) {
        struct slw_cql_handle *h = &c->handles[i];
        struct slw_cql_envelope m;

        if (h->prepared || h->asked)
            continue;
        slw_cql_put_prepare(slw_cql_ask(c, SLW_CQL_PREPARE), c->version, slw_cql_text(h->text));
        rc = slw_cql_await(c, SLW_CQL_SILENCE_MS, &m, err);
        if (rc == 0 && !keep_handle(c, h, &m)) {
            slw_cql_break(c, "an answer to PREPARE that is malformed");
            rc = slw_cql_gone(c, err);
        }
    }
    return rc;
}

void slw_cql_prepare_again(struct slw_cql_connection *c, enum slw_cql_text_id which)
{
    struct slw_cql_handle *h = &c->handles[which];

    if (h->asked)
        return;
    h->asked = true;
    slw_cql_put_prepare(
        slw_cql_encoder_begin(&c->out, (int16_t)(SLW_CQL_STREAM_PREPARE + which), SLW_CQL_PREPARE),
        c->version, slw_cql_text(h->text));
    slw_cql_encoder_end(&c->out);
    slw_cql_encoder_flush(&c->out);
}

void slw_cql_prepared_now(struct slw_cql_connection *c, enum slw_cql_text_id which,
                          const struct slw_cql_envelope *m)
{
    c->handles[which].asked = false;
    if (m->opcode == SLW_CQL_ERROR)
        c->handles[which].prepared = false; /* preparing it once more will say why */
    else if (!keep_handle(c, &c->handles[which], m))
        slw_cql_break(c, "an answer to PREPARE that is malformed");
}

/* ---- one request ---- */

struct slw_cql_text slw_cql_bytes_of(const struct slw_buf *b)
{
    return (struct slw_cql_text){b->data, b->length};
}

static struct slw_cql_value payload_of(const struct slw_request *r)
{
    assert(r->length <= SLW_MAX_PAYLOAD);
    return (struct slw_cql_value){r->payload, (int32_t)r->length};
}

int64_t slw_cql_next_timestamp(struct slw_cql_connection *c)
{
    const int64_t now = (int64_t)(slw_clock_realtime_ns() / 1000);

    c->timestamp = now > c->timestamp ? now : c->timestamp + 1;
    return c->timestamp;
}

size_t slw_cql_values_of(const struct slw_request *r, uint8_t id[8], struct slw_cql_value values[2])
{
    const size_t key = r->op == SLW_OP_UPDATE;

    slw_cql_store_long(id, r->id);
    values[key] = (struct slw_cql_value){id, 8};
    if (r->op == SLW_OP_READ)
        return 1;
    values[!key] = payload_of(r);
    return 2;
}

const struct slw_cql_handle *slw_cql_handle_of(const struct slw_cql_connection *c, enum slw_op op)
{
    return &c->handles[op == SLW_OP_INSERT   ? SLW_CQL_TEXT_INSERT
                       : op == SLW_OP_UPDATE ? SLW_CQL_TEXT_UPDATE
                                             : SLW_CQL_TEXT_READ];
}

void slw_cql_put_values(struct slw_cql_connection *c, struct slw_buf *b,
                        const struct slw_cql_handle *h, struct slw_cql_parameters *p,
                        const struct slw_cql_value *values, size_t count)
{
    p->consistency = c->consistency;
    p->flags |= SLW_CQL_Q_VALUES;
    slw_cql_put_execute(b, c->version, slw_cql_bytes_of(&h->id), slw_cql_bytes_of(&h->metadata_id));
    slw_cql_put_parameters(b, c->version, p, values, count);
}

void slw_cql_add_request(struct slw_cql_connection *c, const struct slw_request *r, uint64_t token)
{
    assert(c->free_count > 0);
    const uint16_t stream = c->free_streams[--c->free_count];
    struct slw_cql_slot *s = &c->slots[stream];

    if (c->open_count == 0)
        c->heard_ns = slw_clock_monotonic_ns();
    c->order[(c->first + c->open_count++) % SLW_CQL_CAPACITY] = stream;
    if (s->payload.capacity > KEEP_SLOT_BUFFER)
        slw_buf_release(&s->payload);
    *s = (struct slw_cql_slot){.open = true, .token = token, .request = *r, .payload = s->payload};
}

static size_t bucket_of(const struct slw_request *r)
{
    return slw_hash_key(&r->id, sizeof(r->id), 0) % SLW_CQL_BUCKETS;
}

static bool has_to_wait(const struct slw_cql_connection *c, const struct slw_request *r)
{
    const size_t bucket = bucket_of(r);

    return c->writing[bucket] > 0 || (r->op != SLW_OP_READ && c->reading[bucket] > 0);
}

void slw_cql_landed(struct slw_cql_connection *c, const struct slw_cql_slot *s)
{
    if (s->request.op == SLW_OP_READ)
        c->reading[bucket_of(&s->request)]--;
    else
        c->writing[bucket_of(&s->request)]--;
}

static void write_request(struct slw_cql_connection *c, uint16_t stream)
{
    const struct slw_request *r = &c->slots[stream].request;
    struct slw_cql_parameters p = {0};
    struct slw_cql_value values[2];
    uint8_t id[8];
    const size_t count = slw_cql_values_of(r, id, values);

    if (r->op == SLW_OP_READ) {
        p.flags = SLW_CQL_Q_SKIP_METADATA;
        c->reading[bucket_of(r)]++;
    } else {
        c->writing[bucket_of(r)]++;
        if (!c->conditional) { /* a condition makes its own time */
            p.flags = SLW_CQL_Q_TIMESTAMP;
            p.timestamp = slw_cql_next_timestamp(c);
        }
    }
    struct slw_buf *b = slw_cql_encoder_begin(&c->out, (int16_t)stream, SLW_CQL_EXECUTE);
    slw_cql_put_values(c, b, slw_cql_handle_of(c, r->op), &p, values, count);
    slw_cql_encoder_end(&c->out);
}

void slw_cql_write_requests(struct slw_cql_connection *c)
{
    while (c->sent_count < c->open_count) {
        const uint16_t stream = c->order[(c->first + c->sent_count) % SLW_CQL_CAPACITY];

        if (has_to_wait(c, &c->slots[stream].request))
            return;
        write_request(c, stream);
        c->sent_count++;
    }
}
