/* SPDX-License-Identifier: MIT */
/* Parts of the Redis driver. hiredis makes the commands and reads the replies; the socket does not
 * block, what waits is here, with a bound. */
#ifndef SLW_WORKLOADS_DRIVERS_REDIS_INT_H
#define SLW_WORKLOADS_DRIVERS_REDIS_INT_H

#include "workloads/answer.h"
#include "workloads/driver.h"

#include <hiredis/hiredis.h>

#define SLW_REDIS_CAPACITY 4096      /* submitted and not yet answered */
#define SLW_REDIS_UNSENT   (1 << 20) /* bytes held before a sender has to wait */
#define SLW_REDIS_KEY      72        /* "table:id" */

struct slw_redis_open {
    uint64_t token;
    enum slw_op op;
    bool again;
};

struct slw_redis {
    redisContext *redis;
    char table[56];
    int patience_ms; /* how long an answer is waited for */
    bool gone;       /* nothing more can be asked */
    char why[120];
    struct slw_redis_open *open; /* a ring of SLW_REDIS_CAPACITY */
    size_t open_first, open_count;
    struct slw_keep keep; /* replies that answers point into */
};

/* A command of any number of words; the words are borrowed. */
struct slw_redis_command {
    const char **words;
    size_t *lengths;
    size_t count, capacity;
    char *keys; /* room for `capacity` keys */
};
int slw_redis_command_init(struct slw_redis_command *k, size_t capacity);
void slw_redis_command_word(struct slw_redis_command *k, const void *word, size_t length);
void slw_redis_command_text(struct slw_redis_command *k, const char *word);
void slw_redis_command_key(struct slw_redis_command *k, const struct slw_redis *c, uint64_t id);
void slw_redis_command_release(struct slw_redis_command *k);

/* ---- redis/wire.c ---- */

int slw_redis_give_up(void *connection, const char *why, struct slw_error *err);
int slw_redis_put(struct slw_redis *c, const struct slw_redis_command *k, struct slw_error *err);
int slw_redis_put_text(struct slw_redis *c, const char *word, struct slw_error *err);
int slw_redis_put_request(struct slw_redis *c, const struct slw_request *r, struct slw_error *err);
int slw_redis_push(struct slw_redis *c, struct slw_error *err); /* write what can be written */
/* Until something came, timeout_ms at most: 1, 0 for nothing, -SLW_E_GONE. */
int slw_redis_wait(struct slw_redis *c, int timeout_ms, struct slw_error *err);
/* A reply that is there without waiting: 1; 0: none. freeReplyObject it. */
int slw_redis_reply(struct slw_redis *c, redisReply **ret_reply, struct slw_error *err);
/* The next one, waited for. */
int slw_redis_next(struct slw_redis *c, redisReply **ret_reply, struct slw_error *err);

/* ---- redis/reply.c ---- */

bool slw_redis_is(const redisReply *reply, int type);
void slw_redis_fail(const redisReply *reply, struct slw_answer *a); /* of any type */
/* One reply to one request. True: the answer points into it, so keep it. */
bool slw_redis_take(enum slw_op op, bool again, const redisReply *reply, struct slw_answer *a);
void slw_redis_drop(void *reply);

/* ---- redis/pipe.c ---- */

int slw_redis_submit(void *connection, const struct slw_request *request, uint64_t token,
                     struct slw_error *err);
int slw_redis_flush(void *connection, struct slw_error *err);
int slw_redis_poll(void *connection, int timeout_ms, struct slw_completion *completions,
                   size_t count, struct slw_error *err);

/* ---- redis/group.c: all or nothing ---- */

int slw_redis_statement(void *connection, const struct slw_request *requests, size_t count,
                        struct slw_answer *answers, struct slw_error *err);
int slw_redis_transaction(void *connection, const struct slw_request *requests, size_t count,
                          struct slw_answer *answers, struct slw_error *err);

/* ---- redis/connect.c ---- */

int slw_redis_connect(struct slw_redis *c, const char *where, const struct slw_choices *choices,
                      struct slw_error *err);
/* One command and its reply; only while nothing is open. */
int slw_redis_ask(struct slw_redis *c, const struct slw_redis_command *k, redisReply **ret_reply,
                  struct slw_error *err);

#endif
