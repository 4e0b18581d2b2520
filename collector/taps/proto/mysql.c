/* SPDX-License-Identifier: MIT */
/* MySQL and MariaDB: text and prepared statements, several statements or results to a request, bulk
 * execution, cursors, LOAD DATA LOCAL. A request is a command that is answered. Sources: MySQL
 * internals manual "Client/Server Protocol"; MariaDB knowledge base "Clients & Servers". */
#include "collector/taps/proto.h"

#include <string.h>

/* Capabilities; those from bit 32 on are MariaDB's. */
#define CAP_MYSQL         (UINT64_C(1) << 0) /* not set by a client that knows MariaDB's */
#define CAP_COMPRESS      (UINT64_C(1) << 5)
#define CAP_PROTOCOL_41   (UINT64_C(1) << 9)
#define CAP_SSL           (UINT64_C(1) << 11)
#define CAP_DEPRECATE_EOF (UINT64_C(1) << 24)
#define CAP_ZSTD          (UINT64_C(1) << 26)
#define CAP_PROGRESS      (UINT64_C(1) << 32)
#define CAP_CACHE_META    (UINT64_C(1) << 36)

#define STATUS_MORE_RESULTS 0x0008u
#define STATUS_CURSOR       0x0040u

#define COM_QUIT           0x01u
#define COM_QUERY          0x03u
#define COM_FIELD_LIST     0x04u
#define COM_STATISTICS     0x09u
#define COM_PROCESS_INFO   0x0au
#define COM_CHANGE_USER    0x11u
#define COM_BINLOG_DUMP    0x12u
#define COM_STMT_PREPARE   0x16u
#define COM_STMT_EXECUTE   0x17u
#define COM_STMT_LONG_DATA 0x18u
#define COM_STMT_CLOSE     0x19u
#define COM_STMT_FETCH     0x1cu
#define COM_BINLOG_GTID    0x1eu
#define COM_BULK_EXECUTE   0xfau

#define MAX_PAYLOAD 0xffffffu /* a packet of this length goes on in the next one */
#define HEAD        96u       /* bytes kept of a packet: the greeting up to its capabilities */

enum phase { PHASE_GREETING, PHASE_LOGIN, PHASE_COMMANDS };
enum answer { ANSWER_FIRST, ANSWER_COLUMNS, ANSWER_COLUMNS_END, ANSWER_ROWS, ANSWER_PREPARED };

struct side {
    uint8_t header[4], have; /* length and sequence number */
    uint8_t kept;            /* bytes in head */
    bool goes_on;            /* this packet is the rest of the last one */
    uint32_t left, length;
    uint8_t head[HEAD];
};

struct mysql {
    struct side client, server;
    uint8_t phase, answer;
    bool file;                             /* the client is sending the file of LOAD DATA LOCAL */
    uint32_t definitions, definition_ends; /* of columns still to come, and EOFs after them */
    uint64_t server_caps, caps;
};
_Static_assert(sizeof(struct mysql) <= SLW_PROTO_STATE_BYTES, "state fits");

static uint32_t little(const uint8_t *b, size_t bytes)
{
    uint32_t value = 0;

    for (size_t i = bytes; i > 0; i--)
        value = value << 8 | b[i - 1];
    return value;
}

/* A length-encoded integer at *at; 0 past the bytes that were kept. */
static uint64_t lenenc(const struct side *s, size_t *at)
{
    static const uint8_t sizes[] = {2, 3, 8};
    uint8_t first = *at < s->kept ? s->head[(*at)++] : 0;
    uint64_t value = 0;

    if (first < 0xfb)
        return first;
    size_t bytes = first >= 0xfc && first <= 0xfe ? sizes[first - 0xfc] : 0;
    for (size_t i = 0; i < bytes; i++)
        if (*at + i < s->kept)
            value |= (uint64_t)s->head[*at + i] << (8 * i);
    *at += bytes;
    return value;
}

/* ---- login ---- */

static enum slw_wire_reason greeting(struct mysql *m)
{
    const struct side *s = &m->server;
    const uint8_t *nul;

    if (s->head[0] == 0xff) /* too many connections, host blocked */
        return SLW_WIRE_NONE;
    if (s->head[0] != 10 || !(nul = memchr(s->head + 1, 0, s->kept - 1u)))
        return SLW_WIRE_MALFORMED;
    const uint8_t *p = nul + 1 + 4 + 8 + 1; /* connection id, salt, filler */
    if (p + 2 + 1 + 2 + 2 + 1 + 6 + 4 > s->head + s->kept)
        return SLW_WIRE_UNSUPPORTED;
    m->server_caps = little(p, 2) | (uint64_t)little(p + 5, 2) << 16;
    if (!(m->server_caps & CAP_MYSQL)) /* a MariaDB server: more of them in the filler */
        m->server_caps |= (uint64_t)little(p + 2 + 1 + 2 + 2 + 1 + 6, 4) << 32;
    m->phase = PHASE_LOGIN;
    return SLW_WIRE_NONE;
}

static enum slw_wire_reason login(struct mysql *m)
{
    const struct side *s = &m->client;

    if (s->kept < 32)
        return s->kept < 4 ? SLW_WIRE_MALFORMED : SLW_WIRE_UNSUPPORTED;
    uint64_t caps = little(s->head, 4);
    if (!(caps & CAP_PROTOCOL_41))
        return SLW_WIRE_UNSUPPORTED;
    if (!(caps & CAP_MYSQL))
        caps |= (uint64_t)little(s->head + 28, 4) << 32;
    if (caps & CAP_SSL && s->length == 32) /* the login itself comes inside of TLS */
        return SLW_WIRE_TLS;
    m->caps = caps & (m->server_caps | CAP_MYSQL);
    return SLW_WIRE_NONE;
}

/* OK ends the login; errors end the connection; the rest is about passwords. */
static enum slw_wire_reason login_answer(struct mysql *m, struct slw_exchange *x)
{
    uint8_t first = m->server.head[0];

    if (first == 0xff) {
        x->counts->errors++;
    } else if (first == 0) {
        m->phase = PHASE_COMMANDS;
        if (m->caps & (CAP_COMPRESS | CAP_ZSTD))
            return SLW_WIRE_COMPRESSED;
    }
    if (first == 0 || first == 0xff)
        if (slw_ask_head(x) == COM_CHANGE_USER) {
            slw_answer(x, 1, false);
            m->phase = PHASE_COMMANDS;
        }
    return SLW_WIRE_NONE;
}

/* ---- commands ---- */

static enum slw_wire_reason command(struct mysql *m, struct slw_exchange *x)
{
    uint8_t c = m->client.head[0];

    switch (c) {
    case COM_QUIT:
    case COM_STMT_LONG_DATA:
    case COM_STMT_CLOSE:
        return SLW_WIRE_NONE;
    case COM_BINLOG_DUMP:
    case COM_BINLOG_GTID:
        return SLW_WIRE_UNSUPPORTED;
    case COM_STMT_PREPARE:
        x->counts->prepares++;
        break;
    default:
        if (c > 0x20 && c < 0xf0)
            return SLW_WIRE_MALFORMED;
        break;
    }
    slw_ask(x, c, 1);
    return SLW_WIRE_NONE;
}

static enum slw_wire_reason client_packet(struct mysql *m, struct slw_exchange *x)
{
    if (m->phase == PHASE_LOGIN && m->caps == 0)
        return login(m);
    if (m->file) { /* packet numbers wrap around, so they do not tell; an empty packet ends it */
        m->file = m->client.length > 0;
        return SLW_WIRE_NONE;
    }
    /* Numbers other than 0: passwords. */
    if (m->client.header[3] != 0 || m->client.length == 0)
        return SLW_WIRE_NONE;
    return m->phase == PHASE_COMMANDS ? command(m, x) : SLW_WIRE_MALFORMED;
}

/* ---- answers ---- */

static bool eof_packet(const struct mysql *m)
{
    uint32_t longest = m->caps & CAP_DEPRECATE_EOF ? MAX_PAYLOAD : 9;

    return m->server.head[0] == 0xfe && m->server.length < longest;
}

/* Status flags of an OK packet (also in place of EOF) or of an EOF packet. */
static uint32_t status_flags(const struct mysql *m)
{
    const struct side *s = &m->server;
    size_t at = 1;

    if (s->head[0] == 0xfe && !(m->caps & CAP_DEPRECATE_EOF))
        return s->kept >= 5 ? little(s->head + 3, 2) : 0;
    (void)lenenc(s, &at);
    (void)lenenc(s, &at);
    return at + 2 <= s->kept ? little(s->head + at, 2) : 0;
}

static void request_done(struct mysql *m, struct slw_exchange *x)
{
    m->answer = ANSWER_FIRST;
    slw_answer(x, 1, false);
}

static void result_done(struct mysql *m, struct slw_exchange *x)
{
    bool more = (status_flags(m) & STATUS_MORE_RESULTS) != 0;

    x->counts->statements++;
    m->answer = ANSWER_FIRST;
    if (!more)
        request_done(m, x);
}

static void prepared(struct mysql *m, struct slw_exchange *x)
{
    const struct side *s = &m->server;
    uint32_t columns = s->kept >= 9 ? little(s->head + 5, 2) : 0;
    uint32_t parameters = s->kept >= 9 ? little(s->head + 7, 2) : 0;
    uint32_t ends = m->caps & CAP_DEPRECATE_EOF ? 0 : (columns > 0) + (uint32_t)(parameters > 0);

    m->definitions = columns + parameters + ends;
    m->answer = ANSWER_PREPARED;
    if (m->definitions == 0)
        request_done(m, x);
}

/* The first packet of a result set: how many columns, and whether their definitions follow. */
static void result_head(struct mysql *m)
{
    size_t at = 0;
    uint64_t columns = lenenc(&m->server, &at);
    bool known = m->caps & CAP_CACHE_META && at < m->server.kept && m->server.head[at] == 0;

    m->definitions = known ? 0 : (uint32_t)columns;
    m->answer = known ? ANSWER_COLUMNS_END : ANSWER_COLUMNS;
    if (m->answer == ANSWER_COLUMNS_END && m->caps & CAP_DEPRECATE_EOF)
        m->answer = ANSWER_ROWS;
}

/* Commands whose answer is one packet, whatever it says. */
static bool has_results(uint32_t command)
{
    return command == COM_QUERY || command == COM_PROCESS_INFO || command == COM_STMT_EXECUTE ||
           command == COM_BULK_EXECUTE || command == COM_STMT_FETCH || command == COM_FIELD_LIST;
}

static void first_packet(struct mysql *m, struct slw_exchange *x, uint32_t command)
{
    uint8_t first = m->server.head[0];

    if (command == COM_STATISTICS || !has_results(command)) {
        if (command == COM_STMT_PREPARE && first == 0)
            prepared(m, x);
        else
            request_done(m, x);
        return;
    }
    if (command == COM_STMT_FETCH || command == COM_FIELD_LIST) {
        m->answer = ANSWER_ROWS;
        if (eof_packet(m))
            result_done(m, x);
        else
            x->counts->rows += command == COM_STMT_FETCH;
        return;
    }
    m->file = first == 0xfb; /* then OK or an error follows */
    if (first == 0)
        result_done(m, x);
    else if (!m->file)
        result_head(m);
}

static void columns_end(struct mysql *m, struct slw_exchange *x)
{
    m->answer = ANSWER_ROWS;
    if (status_flags(m) & STATUS_CURSOR) /* rows are fetched by requests of their own */
        result_done(m, x);
}

static void column(struct mysql *m)
{
    if (m->definitions > 0)
        m->definitions--;
    if (m->definitions == 0)
        m->answer = m->caps & CAP_DEPRECATE_EOF ? ANSWER_ROWS : ANSWER_COLUMNS_END;
}

/* An error ends the answer wherever it stands, but for MariaDB's reports of progress. */
static bool error_packet(struct mysql *m, struct slw_exchange *x, uint32_t command)
{
    const struct side *s = &m->server;
    bool progress = m->caps & CAP_PROGRESS && s->kept >= 3 && little(s->head + 1, 2) == 0xffff;

    if (s->head[0] != 0xff || command == COM_STATISTICS)
        return false;
    if (progress)
        return true;
    x->counts->errors++;
    request_done(m, x);
    return true;
}

static void answer_packet(struct mysql *m, struct slw_exchange *x, uint32_t command)
{
    if (error_packet(m, x, command))
        return;
    switch ((enum answer)m->answer) {
    case ANSWER_FIRST:
        first_packet(m, x, command);
        break;
    case ANSWER_COLUMNS:
        column(m);
        break;
    case ANSWER_COLUMNS_END:
        columns_end(m, x);
        break;
    case ANSWER_ROWS:
        if (eof_packet(m))
            result_done(m, x);
        else
            x->counts->rows += command != COM_FIELD_LIST;
        break;
    case ANSWER_PREPARED:
        if (--m->definitions == 0)
            request_done(m, x);
        break;
    }
}

static enum slw_wire_reason server_packet(struct mysql *m, struct slw_exchange *x)
{
    uint32_t command = slw_ask_head(x);

    if (m->server.length == 0 && m->answer != ANSWER_ROWS)
        return m->phase == PHASE_COMMANDS ? SLW_WIRE_MALFORMED : SLW_WIRE_NONE;
    if (m->phase == PHASE_GREETING)
        return greeting(m);
    if (m->phase == PHASE_LOGIN || command == COM_CHANGE_USER)
        return login_answer(m, x);
    if (command != SLW_ASK_NONE) {
        answer_packet(m, x, command);
        return SLW_WIRE_NONE;
    }
    if (x->unordered)
        return SLW_WIRE_UNSUPPORTED;
    /* Unasked: the server says why it closes the connection. */
    x->counts->errors += m->server.head[0] == 0xff;
    return m->server.head[0] == 0xff ? SLW_WIRE_NONE : SLW_WIRE_MALFORMED;
}

/* ---- packets ---- */

static bool take_header(struct side *s, uint8_t byte)
{
    s->header[s->have++] = byte;
    if (s->have < 4)
        return false;
    if (!s->goes_on) {
        s->kept = 0;
        s->length = little(s->header, 3);
    }
    s->left = little(s->header, 3);
    return true;
}

static const uint8_t *take_payload(struct side *s, const uint8_t *p, const uint8_t *end)
{
    size_t here = (size_t)(end - p);
    uint32_t n = here < s->left ? (uint32_t)here : s->left;
    size_t room = s->goes_on ? 0 : HEAD - s->kept;
    size_t keep = n < room ? n : room;

    memcpy(s->head + s->kept, p, keep);
    s->kept = (uint8_t)(s->kept + keep);
    s->left -= n;
    return p + n;
}

/* Decide on a packet when it is complete: its end is the last byte of an answer. */
static enum slw_wire_reason end_packet(struct mysql *m, struct slw_exchange *x, struct side *s)
{
    bool rest = s->goes_on;

    s->have = 0;
    s->goes_on = little(s->header, 3) == MAX_PAYLOAD;
    if (rest)
        return SLW_WIRE_NONE;
    if (s->kept == 0)
        s->head[0] = 0;
    return s == &m->client ? client_packet(m, x) : server_packet(m, x);
}

static enum slw_wire_reason feed(void *state, struct slw_exchange *x, enum slw_wire_direction d,
                                 const uint8_t *bytes, size_t count)
{
    struct mysql *m = state;
    struct side *s = d == SLW_WIRE_SENT ? &m->client : &m->server;
    const uint8_t *p = bytes, *end = bytes + count;
    enum slw_wire_reason why = SLW_WIRE_NONE;

    while (p < end && why == SLW_WIRE_NONE) {
        if (s->have < 4) {
            if (!take_header(s, *p++) || s->left > 0)
                continue;
        } else {
            p = take_payload(s, p, end);
        }
        if (s->left == 0)
            why = end_packet(m, x, s);
    }
    return why;
}

/* The server speaks first: packet 0, protocol version 10, or an error instead of a greeting. */
static enum slw_recognised recognise(const struct slw_wire_first *f)
{
    const uint8_t *b = f->received;

    if (f->received_count == 0)
        return f->sent_count == 0 ? SLW_NEED_MORE : SLW_NOT_THIS;
    if (f->sent_count > 0)
        return SLW_NOT_THIS;
    if (f->received_count < 6)
        return SLW_NEED_MORE;
    bool greeting_of_10 = b[4] == 10 && b[5] >= '0' && b[5] <= '9';
    return b[2] == 0 && b[3] == 0 && greeting_of_10 ? SLW_THIS : SLW_NOT_THIS;
}

const struct slw_proto slw_proto_mysql = {.name = "MySQL",
                                          .state_bytes = sizeof(struct mysql),
                                          .counts_statements = true,
                                          .recognise = recognise,
                                          .feed = feed};
