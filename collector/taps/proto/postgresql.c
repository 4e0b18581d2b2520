/* SPDX-License-Identifier: MIT */
/* PostgreSQL, protocol version 3: simple and extended query, pipelines, COPY, function calls. A
 * request is a Query, a FunctionCall or an Execute; Sync is waited for but is none. Source:
 * PostgreSQL documentation, "Frontend/Backend Protocol". */
#include "collector/taps/proto.h"

#define KIND_QUERY   1u /* Query, FunctionCall: answered by ReadyForQuery */
#define KIND_EXECUTE 2u
#define KIND_SYNC    (3u | SLW_ASK_SILENT)

#define CODE_SSL    80877103u
#define CODE_GSSENC 80877104u
#define CODE_CANCEL 80877102u
#define MAX_STARTUP 10000u /* the server's own limit */

#define MAX_JOINED   (1u << 24) /* of the first message of a connection that is joined */
#define MYSQL_PORT   3306u
#define MYSQL_X_PORT 33060u

struct side {
    uint8_t head[8];
    uint8_t have;
    uint64_t skip;
};

struct postgresql {
    struct side client, server;
    bool started;      /* the startup packet was sent */
    bool asked_secure; /* one byte of the server answers SSLRequest or GSSENCRequest */
};

static uint32_t big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Skip the rest of a message; what is left of the bytes. */
static const uint8_t *skip(struct side *s, const uint8_t *p, const uint8_t *end)
{
    uint64_t here = (uint64_t)(end - p);
    uint64_t n = here < s->skip ? here : s->skip;

    s->skip -= n;
    return p + n;
}

static enum slw_wire_reason startup(struct postgresql *s)
{
    uint32_t length = big_endian(s->client.head), code = big_endian(s->client.head + 4);

    if (length < 8 || length > MAX_STARTUP)
        return SLW_WIRE_MALFORMED;
    s->client.skip = length - 8;
    if (code == CODE_SSL || code == CODE_GSSENC) {
        s->asked_secure = true;
        return SLW_WIRE_NONE;
    }
    if (code == CODE_CANCEL)
        return SLW_WIRE_NONE;
    if (code >> 16 != 3)
        return SLW_WIRE_MALFORMED;
    s->started = true;
    return SLW_WIRE_NONE;
}

static enum slw_wire_reason client_message(struct slw_exchange *x, uint8_t type)
{
    switch (type) {
    case 'Q':
    case 'F':
        slw_ask(x, KIND_QUERY, 1);
        return SLW_WIRE_NONE;
    case 'E':
        slw_ask(x, KIND_EXECUTE, 1);
        return SLW_WIRE_NONE;
    case 'S':
        slw_ask(x, KIND_SYNC, 1);
        return SLW_WIRE_NONE;
    case 'P':
        x->counts->prepares++;
        return SLW_WIRE_NONE;
    default:
        return slw_one_of(type, "BDCHXdcfp") ? SLW_WIRE_NONE : SLW_WIRE_MALFORMED;
    }
}

static void answer_executes(struct slw_exchange *x)
{
    while (slw_ask_head(x) == KIND_EXECUTE)
        slw_answer(x, 1, true);
}

static void command_complete(struct slw_exchange *x)
{
    x->counts->statements++;
    if (slw_ask_head(x) == KIND_EXECUTE || x->unordered)
        slw_answer(x, 1, false);
}

/* After an error the server passes over everything up to the next Sync. */
static void ready_for_query(struct slw_exchange *x)
{
    uint32_t head;

    answer_executes(x);
    head = slw_ask_head(x);
    if (head == KIND_QUERY || head == KIND_SYNC)
        slw_answer(x, 1, false);
}

static enum slw_wire_reason server_message(struct slw_exchange *x, uint8_t type)
{
    switch (type) {
    case 'D':
        x->counts->rows++;
        break;
    case 'C':
    case 'I':
    case 's':
        command_complete(x);
        break;
    case 'E':
        x->counts->errors++;
        answer_executes(x);
        break;
    case 'Z':
        ready_for_query(x);
        break;
    case 'A':
        x->counts->pushes++;
        break;
    default:
        return slw_one_of(type, "RKSNTtn123VGHWdcv") ? SLW_WIRE_NONE : SLW_WIRE_MALFORMED;
    }
    return SLW_WIRE_NONE;
}

static enum slw_wire_reason message(struct slw_exchange *x, struct side *s,
                                    enum slw_wire_direction d)
{
    uint32_t length = big_endian(s->head + 1);

    if (length < 4)
        return SLW_WIRE_MALFORMED;
    s->skip = length - 4;
    return d == SLW_WIRE_SENT ? client_message(x, s->head[0]) : server_message(x, s->head[0]);
}

static enum slw_wire_reason feed_client(struct postgresql *s, struct slw_exchange *x,
                                        const uint8_t *p, const uint8_t *end)
{
    enum slw_wire_reason why = SLW_WIRE_NONE;

    while (p < end && why == SLW_WIRE_NONE) {
        if (s->client.skip > 0) {
            p = skip(&s->client, p, end);
            continue;
        }
        if (s->asked_secure) { /* its answer was not read, and yet it goes on */
            s->asked_secure = false;
            return *p == 0x16 ? SLW_WIRE_TLS : SLW_WIRE_MALFORMED;
        }
        s->client.head[s->client.have++] = *p++;
        if (s->client.have == 1 && !s->started && s->client.head[0] == 0x16) {
            s->client.have = 0;
            return SLW_WIRE_TLS;
        }
        if (s->client.have < (s->started ? 5 : 8))
            continue;
        s->client.have = 0;
        why = s->started ? message(x, &s->client, SLW_WIRE_SENT) : startup(s);
    }
    return why;
}

/* 'S' and 'G': what follows is encrypted. 'N': the client goes on in the clear, or leaves. 'E': an
 * error message of an old server. */
static enum slw_wire_reason secure_answer(struct postgresql *s, uint8_t answer)
{
    s->asked_secure = false;
    if (answer == 'S' || answer == 'G')
        return SLW_WIRE_TLS;
    return answer == 'N' ? SLW_WIRE_NONE : SLW_WIRE_MALFORMED;
}

static enum slw_wire_reason feed_server(struct postgresql *s, struct slw_exchange *x,
                                        const uint8_t *p, const uint8_t *end)
{
    enum slw_wire_reason why = SLW_WIRE_NONE;

    while (p < end && why == SLW_WIRE_NONE) {
        if (s->server.skip > 0) {
            p = skip(&s->server, p, end);
            continue;
        }
        if (s->asked_secure) {
            why = secure_answer(s, *p++);
            continue;
        }
        s->server.head[s->server.have++] = *p++;
        if (s->server.have < 5)
            continue;
        s->server.have = 0;
        why = message(x, &s->server, SLW_WIRE_RECEIVED);
    }
    return why;
}

static enum slw_wire_reason feed(void *state, struct slw_exchange *x, enum slw_wire_direction d,
                                 const uint8_t *bytes, size_t count)
{
    if (d == SLW_WIRE_SENT)
        return feed_client(state, x, bytes, bytes + count);
    return feed_server(state, x, bytes, bytes + count);
}

static enum slw_recognised recognise(const struct slw_wire_first *f)
{
    if (f->sent_count == 0)
        return f->received_count == 0 ? SLW_NEED_MORE : SLW_NOT_THIS; /* the client speaks first */
    if (f->sent[0] != 0)
        return SLW_NOT_THIS;
    if (f->sent_count < 8)
        return SLW_NEED_MORE;
    uint32_t length = big_endian(f->sent), code = big_endian(f->sent + 4);
    bool known = code >> 16 == 3 || code == CODE_SSL || code == CODE_GSSENC || code == CODE_CANCEL;
    return known && length >= 8 && length <= MAX_STARTUP ? SLW_THIS : SLW_NOT_THIS;
}

/* The type of a message that can be the first of a flush, and a length that fits it. MySQL's
 * servers are known by their port: some of its packets look like ours. */
static enum slw_recognised join(const struct slw_wire_first *f, void *state)
{
    struct postgresql *s = state;

    if (f->sent_count == 0 || f->port == MYSQL_PORT || f->port == MYSQL_X_PORT)
        return SLW_NOT_THIS;
    if (!slw_one_of(f->sent[0], "QFPBEDCSHX"))
        return SLW_NOT_THIS;
    if (f->sent_count < 5)
        return SLW_NEED_MORE;
    uint32_t length = big_endian(f->sent + 1);
    if (length < 4 || length > MAX_JOINED)
        return SLW_NOT_THIS;
    s->started = true;
    return SLW_THIS;
}

_Static_assert(sizeof(struct postgresql) <= SLW_PROTO_STATE_BYTES, "state fits");

const struct slw_proto slw_proto_postgresql = {.name = "PostgreSQL",
                                               .state_bytes = sizeof(struct postgresql),
                                               .counts_statements = true,
                                               .recognise = recognise,
                                               .join = join,
                                               .feed = feed};
