/* SPDX-License-Identifier: MIT */
/* What the parts of the CQL driver share: connection.c moves bytes, handshake.c begins, requests.c
 * asks, answers.c makes answers of what comes. */
#ifndef SLW_WORKLOADS_DRIVERS_CQL_INT_H
#define SLW_WORKLOADS_DRIVERS_CQL_INT_H

#include "workloads/cql/message.h"
#include "workloads/driver.h"

#define SLW_CQL_CAPACITY   1024 /* requests in flight; Cassandra's own limit for a connection */
#define SLW_CQL_OPEN_MS    10000
#define SLW_CQL_SILENCE_MS 60000 /* a server answers, if only with a timeout of its own */
#define SLW_CQL_WRITE_MARK (64u << 10)

/* Ids in flight are counted in so many buckets; two that share one wait for each other in vain. */
#define SLW_CQL_BUCKETS 8192

/* Streams: 0 .. CAPACITY - 1 are requests, these are what is asked besides. */
#define SLW_CQL_STREAM_ASK     SLW_CQL_CAPACITY
#define SLW_CQL_STREAM_PREPARE (SLW_CQL_CAPACITY + 1) /* + enum slw_cql_text_id */

enum slw_cql_text_id {
    SLW_CQL_TEXT_INSERT,
    SLW_CQL_TEXT_UPDATE,
    SLW_CQL_TEXT_READ,
    SLW_CQL_TEXT_READ_MANY,
    SLW_CQL_TEXT_COUNT
};

/* A statement and what the server calls it. */
struct slw_cql_handle {
    char text[256];
    bool prepared, asked; /* asked: PREPARE is under way */
    struct slw_buf id, metadata_id;
};

/* A request in flight; its index is its stream. */
struct slw_cql_slot {
    bool open, answered;
    uint64_t token;
    struct slw_request request; /* its payload is borrowed until it is answered */
    struct slw_answer answer;
    struct slw_buf payload; /* of a READ; stays until the slot is used again */
};

struct slw_cql_connection {
    int fd;
    char *host;
    uint16_t port;
    char where[160]; /* for people */
    char keyspace[64], table[64];
    char *user, *password;
    uint8_t version;
    bool lz4, conditional, unlogged;
    unsigned replication;
    uint16_t consistency;
    bool broken;
    char why[120]; /* it broke */
    int32_t said;  /* code of the last ERROR that was answer to a question */
    struct slw_cql_decoder in;
    struct slw_cql_encoder out;
    size_t sent;
    uint64_t heard_ns; /* when the server last said something, or was first asked */
    int64_t timestamp; /* microseconds; grows with each write */
    struct slw_cql_handle handles[SLW_CQL_TEXT_COUNT];
    struct slw_cql_slot slots[SLW_CQL_CAPACITY];
    uint16_t order[SLW_CQL_CAPACITY];     /* streams in the order of submission, a ring */
    size_t first, open_count, sent_count; /* the first sent_count of the open ones were sent */
    uint16_t reading[SLW_CQL_BUCKETS], writing[SLW_CQL_BUCKETS]; /* in flight, by id */
    uint16_t free_streams[SLW_CQL_CAPACITY];
    size_t free_count;
    struct slw_buf payloads; /* of READ, for one call of run */
};

/* ---- connection.c ---- */

/* Bytes out, and in: waits for either for up to timeout_ms (0: what is possible now). */
void slw_cql_pump(struct slw_cql_connection *c, int timeout_ms);
/* Bytes out, what is possible now. Reads nothing, so that what is here has been looked at. */
void slw_cql_push(struct slw_cql_connection *c);
__attribute__((format(printf, 2, 3))) void slw_cql_break(struct slw_cql_connection *c,
                                                         const char *fmt, ...);
/* -SLW_E_GONE with why. */
int slw_cql_gone(const struct slw_cql_connection *c, struct slw_error *err);
int slw_cql_connect(struct slw_cql_connection *c, struct slw_error *err);
void slw_cql_disconnect(struct slw_cql_connection *c);
/* The next message that is here: 1, 0 none. Breaks the connection over what is no message. */
int slw_cql_take(struct slw_cql_connection *c, struct slw_cql_envelope *ret);

/* Begin a message on SLW_CQL_STREAM_ASK; write its body, then await the answer to it. Only while
 * no request is open. Negative: broken, or the server said ERROR (err has what). */
struct slw_buf *slw_cql_ask(struct slw_cql_connection *c, uint8_t opcode);
int slw_cql_await(struct slw_cql_connection *c, int timeout_ms, struct slw_cql_envelope *ret,
                  struct slw_error *err);
/* ERROR as an error. */
int slw_cql_said(struct slw_cql_connection *c, const struct slw_cql_failure *f,
                 struct slw_error *err);
/* One statement without values or answer. */
int slw_cql_do(struct slw_cql_connection *c, struct slw_error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- handshake.c ---- */
int slw_cql_handshake(struct slw_cql_connection *c, uint8_t newest, uint8_t oldest,
                      struct slw_error *err);

/* ---- requests.c ---- */

void slw_cql_set_texts(struct slw_cql_connection *c);
void slw_cql_forget(struct slw_cql_connection *c); /* nothing is prepared any more */
/* Have all statements prepared; while no request is open. */
int slw_cql_prepare_all(struct slw_cql_connection *c, struct slw_error *err);
void slw_cql_prepare_again(struct slw_cql_connection *c, enum slw_cql_text_id which);
void slw_cql_prepared_now(struct slw_cql_connection *c, enum slw_cql_text_id which,
                          const struct slw_cql_envelope *m);
/* Take a stream for the request; there has to be a free one. */
void slw_cql_add_request(struct slw_cql_connection *c, const struct slw_request *r, uint64_t token);
/* Write requests in the order of submission, up to one that has to wait for an answer: a server may
 * take what is in flight in any order, so what is about one id must not be. */
void slw_cql_write_requests(struct slw_cql_connection *c);
/* The request of this slot is answered. */
void slw_cql_landed(struct slw_cql_connection *c, const struct slw_cql_slot *s);
struct slw_cql_text slw_cql_bytes_of(const struct slw_buf *b);
/* Microseconds. Later writes win, as they do where a server sets the time. */
int64_t slw_cql_next_timestamp(struct slw_cql_connection *c);
/* The values of a request in the order of the markers; how many. */
size_t slw_cql_values_of(const struct slw_request *r, uint8_t id[8],
                         struct slw_cql_value values[2]);
const struct slw_cql_handle *slw_cql_handle_of(const struct slw_cql_connection *c, enum slw_op op);
/* The body of an EXECUTE. */
void slw_cql_put_values(struct slw_cql_connection *c, struct slw_buf *b,
                        const struct slw_cql_handle *h, struct slw_cql_parameters *p,
                        const struct slw_cql_value *values, size_t count);

/* ---- many.c ---- */
int slw_cql_run_many(struct slw_cql_connection *c, const struct slw_request *requests, size_t count,
                     struct slw_answer *answers, struct slw_error *err);

/* ---- answers.c ---- */

/* Read messages that are here until `most` requests at the front are answered; what breaks loses
 * all that is open. */
void slw_cql_read_answers(struct slw_cql_connection *c, size_t most);
/* The first request, when it is answered: its slot, which is free then. NULL: it is not. */
const struct slw_cql_slot *slw_cql_pop(struct slw_cql_connection *c);
__attribute__((format(printf, 3, 4))) void
slw_cql_answer_as(struct slw_answer *a, enum slw_outcome outcome, const char *fmt, ...);
/* What an ERROR means for a request of this kind. */
void slw_cql_answer_failure(struct slw_answer *a, enum slw_op op, const struct slw_cql_failure *f);

/* ---- table.c, run.c: of struct slw_driver ---- */

/* No requests may be in flight now: an error when they are, or when it is broken. */
int slw_cql_busy(const struct slw_cql_connection *c, struct slw_error *err);
int slw_cql_create(void *connection, struct slw_error *err);
int slw_cql_visit(void *connection, int (*visit_id)(void *ctx, uint64_t id), void *ctx,
                  struct slw_error *err);
int slw_cql_run(void *connection, enum slw_batching how, const struct slw_request *requests,
                size_t count, struct slw_answer *answers, struct slw_error *err);
int slw_cql_submit(void *connection, const struct slw_request *request, uint64_t token,
                   struct slw_error *err);
int slw_cql_flush(void *connection, struct slw_error *err);
int slw_cql_poll(void *connection, int timeout_ms, struct slw_completion *completions, size_t count,
                 struct slw_error *err);
int slw_cql_descriptor(void *connection);
int slw_cql_durability(void *connection, char *text, size_t size);

#endif
