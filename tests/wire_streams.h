/* SPDX-License-Identifier: MIT */
/* Conversations of clients with servers, as sent: one or more for each wire protocol, with what has
 * to be counted. For the conformance, property and fuzz tests of the decoders. */
#ifndef SLW_TESTS_WIRE_STREAMS_H
#define SLW_TESTS_WIRE_STREAMS_H

#include "collector/taps/wire/conn.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TURNS 24

struct turn { /* what one side said; NULL ends a conversation */
    enum slw_wire_direction by;
    const char *bytes;
    size_t count;
};

struct conversation {
    const char *protocol, *what;
    struct turn turns[MAX_TURNS];
    struct slw_wire_counts expected; /* of those that do not depend on how the bytes are cut */
    enum slw_wire_reason reason;
};

#define C(text)                                                                                    \
    {                                                                                              \
        SLW_WIRE_SENT, text, sizeof(text) - 1                                                      \
    }
#define S(text)                                                                                    \
    {                                                                                              \
        SLW_WIRE_RECEIVED, text, sizeof(text) - 1                                                  \
    }

/* PostgreSQL: startup, and what a server says until it is ready. */
#define PG_START                                                                                   \
    C("\0\0\0\x16\0\3\0\0user\0me\0db\0d\0\0"),                                                    \
        S("R\0\0\0\x08\0\0\0\0S\0\0\0\x0fTimeZone\0U\0K\0\0\0\x0c\0\0\0\1\0\0\0\2Z\0\0\0\5I")
#define PG_DONE(tag_length, tag) "C\0\0\0" tag_length tag "\0"
#define PG_READY                 "Z\0\0\0\5I"
#define PG_EXECUTE               "E\0\0\0\x09\0\0\0\0\0"
#define PG_BIND                  "B\0\0\0\x0c\0\0\0\0\0\0\0\0"
#define PG_SYNC                  "S\0\0\0\4"
#define PG_ROW                                                                                     \
    "D\0\0\0\x0b\0\1\0\0\0\1"                                                                      \
    "1"
#define PG_ERROR "E\0\0\0\x0aSERR\0\0"

/* MariaDB 10.11 greeting with every capability but MySQL's own; a client that knows DEPRECATE_EOF.
 */
#define MY_GREETING                                                                                \
    S("\x43\0\0\0\x0a"                                                                             \
      "5.5.5-10.11\0"                                                                              \
      "\1\0\0\0"                                                                                   \
      "saltsalt\0"                                                                                 \
      "\xfe\xf7\x21\2\0\xff\x81\x15"                                                               \
      "\0\0\0\0\0\0"                                                                               \
      "\x1d\0\0\0"                                                                                 \
      "saltsaltsalt\0"                                                                             \
      "mysql_nat\0")
#define MY_LOGIN                                                                                   \
    C("\x25\0\0\1"                                                                                 \
      "\x84\xa2\x0a\1"                                                                             \
      "\0\0\0\1\x21"                                                                               \
      "0000000000000000000"                                                                        \
      "\0\0\0\0"                                                                                   \
      "me\0"                                                                                       \
      "\0\0")
#define MY_LOGIN_OLD                                                                               \
    C("\x25\0\0\1"                                                                                 \
      "\x85\xa2\x0a\0"                                                                             \
      "\0\0\0\1\x21"                                                                               \
      "0000000000000000000"                                                                        \
      "\0\0\0\0"                                                                                   \
      "me\0"                                                                                       \
      "\0\0")
#define MY_OK       "\7\0\0\2\0\0\0\2\0\0\0"
#define MY_COLUMN   "\x05\0\0\2\3def1"
#define MY_END      "\x07\0\0\4\xfe\0\0\2\0\0\0"
#define MY_END_MORE "\x07\0\0\4\xfe\0\0\x0a\0\0\0"
#define MY_EOF      "\5\0\0\3\xfe\0\0\2\0"

static const struct conversation conversations[] = {
    {"Redis",
     "pipelining, nesting, errors",
     {C("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"
        "*2\r\n$6\r\nLRANGE\r\n$120\r\n"
        "012345678901234567890123456789012345678901234567890123456789"
        "012345678901234567890123456789012345678901234567890123456789\r\n*1\r\n$4\r\nEXEC\r\n"),
      S("+OK\r\n$5\r\nvalue\r\n-ERR wrong\r\n*3\r\n*2\r\n:1\r\n$-1\r\n*0\r\n$3\r\na\r\n\r\n"),
      C("*0\r\n\r\nPING\r\n"), S("+PONG\r\n"), C("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"),
      S("%1\r\n+a\r\n~2\r\n,1.5\r\n#t\r\n>2\r\n+invalidate\r\n_\r\n"),
      C("*1\r\n$1\r\nX\r\n*1\r\n$1\r\nY\r\n"),
      S("|1\r\n+ttl\r\n:3\r\n=7\r\ntxt:abc\r\n!5\r\nSORRY\r\n")},
     {.requests = 8, .responses = 8, .errors = 2, .pushes = 1},
     SLW_WIRE_NONE},
    {"Redis",
     "a request after a reply of nothing",
     {C("*1\r\n$4\r\nLPOP\r\n"), S("$-1\r\n"), C("*2\r\n$3\r\nGET\r\n$1\r\na\r\n"), S("*-1\r\n"),
      C("*1\r\n$4\r\nPING\r\n"), S("+PONG\r\n")},
     {.requests = 3, .responses = 3},
     SLW_WIRE_NONE},
    {"Redis",
     "subscribing ends the order",
     {C("*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n"),
      S("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n")},
     {.requests = 1, .responses = 2},
     SLW_WIRE_NONE},
    {"Redis",
     "nonsense instead of a reply",
     {C("*1\r\n$4\r\nPING\r\n"), S("HTTP/1.1 400 Bad Request\r\n")},
     {.requests = 1},
     SLW_WIRE_MALFORMED},
    {"PostgreSQL",
     "simple queries, COPY, an error",
     {PG_START, C("Q\0\0\0\x17select 1; select 2\0"),
      S("T\0\0\0\6\0\0" PG_ROW PG_DONE("\x0d", "SELECT 1") PG_ROW PG_DONE("\x0d", "SELECT 1")
            PG_READY),
      C("Q\0\0\0\x0d"
        "copy in\0"
        "\0"),
      S("G\0\0\0\7\0\0\0"),
      C("d\0\0\0\6"
        "1\n"
        "d\0\0\0\6"
        "2\n"
        "c\0\0\0\4"),
      S(PG_DONE("\x0b", "COPY 2") PG_READY), C("Q\0\0\0\x07no\0"),
      S("N\0\0\0\5\0" PG_ERROR PG_READY "A\0\0\0\x0a\0\0\0\1a\0"), C("X\0\0\0\4")},
     {.requests = 3, .responses = 3, .statements = 3, .errors = 1, .rows = 2, .pushes = 1},
     SLW_WIRE_NONE},
    {"PostgreSQL",
     "a pipeline with an error in the middle",
     {C("\0\0\0\x08\x04\xd2\x16\x2f"), S("N"), PG_START,
      C("P\0\0\0\x0d\0query\0\0\0" PG_BIND PG_EXECUTE PG_BIND PG_EXECUTE PG_BIND PG_EXECUTE PG_SYNC
            PG_BIND PG_EXECUTE PG_SYNC),
      S("1\0\0\0\4"
        "2\0\0\0\4" PG_ROW PG_DONE("\x0d", "SELECT 1") PG_ERROR PG_READY "2\0\0\0\4"
                                                                         "s\0\0\0\4" PG_READY)},
     {.requests = 4, .responses = 4, .statements = 2, .errors = 1, .rows = 1, .prepares = 1},
     SLW_WIRE_NONE},
    {"PostgreSQL",
     "it becomes TLS",
     {C("\0\0\0\x08\x04\xd2\x16\x2f"), S("S"), C("\x16\3\1\0\5hello")},
     {0},
     SLW_WIRE_TLS},
    {"PostgreSQL", "a length below its own", {PG_START, C("Q\0\0\0\3")}, {0}, SLW_WIRE_MALFORMED},
    {"MySQL",
     "text results, several of them, prepared statements",
     {MY_GREETING, MY_LOGIN, S(MY_OK), C("\7\0\0\0\3select"),
      S("\1\0\0\1\1" MY_COLUMN "\2\0\0\3\1x"
        "\2\0\0\3\1y" MY_END_MORE "\1\0\0\1\1" MY_COLUMN MY_END),
      C("\7\0\0\0\x16select"),
      S("\x0c\0\0\1\0\1\0\0\0\1\0\2\0\0\0\0" MY_COLUMN MY_COLUMN MY_COLUMN),
      C("\5\0\0\0\x17\1\0\0\0"), S("\7\0\0\1\0\1\0\2\0\0\0"), C("\7\0\0\0\3wrong!"),
      S("\x09\0\0\1\xff\x7a\4#42S02"),
      C("\5\0\0\0\x19\1\0\0\0"
        "\1\0\0\0\x0e"),
      S("\7\0\0\1\0\0\0\2\0\0\0"), C("\1\0\0\0\1")},
     {.requests = 5, .responses = 5, .statements = 3, .errors = 1, .prepares = 1, .rows = 2},
     SLW_WIRE_NONE},
    {"MySQL",
     "an old client: EOF packets, a local file",
     {MY_GREETING, MY_LOGIN_OLD, S(MY_OK), C("\7\0\0\0\3select"),
      S("\1\0\0\1\1" MY_COLUMN MY_EOF "\2\0\0\4\1x" MY_EOF), C("\5\0\0\0\3load"),
      S("\2\0\0\1\xfbx"),
      C("\3\0\0\2abc"
        "\1\0\0\0\1"
        "\0\0\0\3"),
      S("\7\0\0\4\0\1\0\2\0\0\0")},
     {.requests = 2, .responses = 2, .statements = 2, .rows = 1},
     SLW_WIRE_NONE},
    {"memcached",
     "values, noreply, quiet meta commands",
     {C("set k 0 0 5\r\nhello\r\nget a b\r\n"), S("STORED\r\nVALUE a 0 5\r\nEND\r\n\r\nEND\r\n"),
      C("set k 0 0 1 noreply\r\nx\r\ndelete k\r\nincr k 1\r\n"), S("DELETED\r\n7\r\n"),
      C("mg a v q\r\nmg b v q\r\nmn\r\n"), S("VA 3\r\nabc\r\nMN\r\n"),
      C("stats\r\nnonsense\r\nquit\r\n"), S("STAT pid 1\r\nSTAT uptime 2\r\nEND\r\nERROR\r\n")},
     {.requests = 10, .responses = 9, .errors = 1, .rows = 2},
     SLW_WIRE_NONE},
    {"CQL",
     "version 4, answers out of order, a batch",
     {C("\4\0\0\0\1\0\0\0\x16"
        "\0\1\0\x0b"
        "CQL_VERSION\0\5"
        "3.0.0"),
      S("\x84\0\0\0\2\0\0\0\0"),
      C("\4\0\0\1\7\0\0\0\4abcd"
        "\4\0\0\2\x0d\0\0\0\6\0\0\3xyz"
        "\4\0\0\3\5\0\0\0\0"
        "\4\0\0\4\x09\0\0\0\1q"),
      S("\x84\0\0\2\x08\0\0\0\4\0\0\0\1"
        "\x84\0\0\3\6\0\0\0\0"
        "\x84\0\xff\xff\x0c\0\0\0\1e"
        "\x84\0\0\1\0\0\0\0\4\0\0\0\1"
        "\x84\0\0\4\x08\0\0\0\0")},
     {.requests = 3, .responses = 3, .statements = 4, .errors = 1, .pushes = 1, .prepares = 1},
     SLW_WIRE_NONE},
    {"CQL",
     "version 3, a batch that is refused, then a query",
     {C("\3\0\0\0\1\0\0\0\x16"
        "\0\1\0\x0b"
        "CQL_VERSION\0\5"
        "3.0.0"),
      S("\x83\0\0\0\2\0\0\0\0"),
      C("\3\0\0\1\x0d\0\0\0\6\1\0\2xyz"
        "\3\0\0\2\7\0\0\0\4abcd"),
      S("\x83\0\0\2\x08\0\0\0\4\0\0\0\1"
        "\x83\0\0\1\0\0\0\0\4\0\0\0\1")},
     {.requests = 2, .responses = 2, .statements = 3, .errors = 1},
     SLW_WIRE_NONE},
    {"CQL",
     "version 5, framed after the start",
     {C("\5\0\0\0\1\0\0\0\x16"
        "\0\1\0\x0b"
        "CQL_VERSION\0\5"
        "3.0.0"),
      S("\x85\0\0\0\2\0\0\0\0"),
      C("\x0d\0\2crc"
        "\5\0\0\1\7\0\0\0\4abcd"
        "CRC4"
        "\5\0\0crc"
        "\5\0\0\2\7"
        "CRC4"
        "\x04\0\0crc"
        "\0\0\0\0"
        "CRC4"),
      S("\x12\0\2crc"
        "\x85\0\0\2\x08\0\0\0\0"
        "\x85\0\0\1\x08\0\0\0\0"
        "CRC4")},
     {.requests = 2, .responses = 2, .statements = 2},
     SLW_WIRE_NONE},
};
#define CONVERSATIONS (sizeof(conversations) / sizeof(conversations[0]))

struct replay {
    struct slw_conn *conn;
    struct slw_wire_counts counts;
    struct slw_wire_histogram *histogram;
    uint64_t now_ns;
};

static inline void replay_start(struct replay *r)
{
    r->conn = malloc(sizeof(*r->conn));
    r->histogram = calloc(1, sizeof(*r->histogram));
    if (!r->conn || !r->histogram)
        abort();
    memset(&r->counts, 0, sizeof(r->counts));
    r->now_ns = 1;
    slw_conn_init(r->conn, 0, &r->counts, r->histogram);
}

static inline void replay_end(struct replay *r)
{
    free(r->conn);
    free(r->histogram);
}

/* Bytes in a buffer of exactly their size, so that a sanitizer sees who reads past them. */
static inline void replay_bytes(struct replay *r, enum slw_wire_direction by, const char *bytes,
                                size_t count)
{
    char *copy = malloc(count > 0 ? count : 1);

    if (!copy)
        abort();
    memcpy(copy, bytes, count);
    const struct iovec iov = {copy, count};
    r->now_ns += 1000;
    if (by == SLW_WIRE_SENT)
        slw_conn_sent(r->conn, &iov, 1, count, r->now_ns);
    else
        slw_conn_received(r->conn, &iov, 1, count, r->now_ns);
    free(copy);
}

#endif
