/* SPDX-License-Identifier: MIT */
/* Sending to Redis and waiting for it. */
#include "workloads/drivers/redis/redis_int.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int slw_redis_give_up(void *connection, const char *why, struct slw_error *err)
{
    struct slw_redis *c = connection;

    if (!c->gone)
        (void)snprintf(c->why, sizeof(c->why), "%.*s", (int)strcspn(why, "\n"), why);
    c->gone = true;
    return slw_fail(err, SLW_E_GONE, "the connection to Redis is gone: %s", c->why);
}

/* ---- commands ---- */

int slw_redis_command_init(struct slw_redis_command *k, size_t capacity)
{
    *k = (struct slw_redis_command){
        .words = calloc(capacity, sizeof(*k->words)),
        .lengths = calloc(capacity, sizeof(*k->lengths)),
        .keys = malloc(capacity * SLW_REDIS_KEY),
        .capacity = capacity,
    };
    if (k->words && k->lengths && k->keys)
        return 0;
    slw_redis_command_release(k);
    return -SLW_E_NOMEM;
}

void slw_redis_command_word(struct slw_redis_command *k, const void *word, size_t length)
{
    if (k->count == k->capacity)
        return; /* sized by whoever knows how many there are */
    k->words[k->count] = length ? word : "";
    k->lengths[k->count++] = length;
}

void slw_redis_command_text(struct slw_redis_command *k, const char *word)
{
    slw_redis_command_word(k, word, strlen(word));
}

static size_t write_key(char key[SLW_REDIS_KEY], const struct slw_redis *c, uint64_t id)
{
    return (size_t)snprintf(key, SLW_REDIS_KEY, "%s:%" PRIu64, c->table, id);
}

void slw_redis_command_key(struct slw_redis_command *k, const struct slw_redis *c, uint64_t id)
{
    char *key = k->keys + k->count * SLW_REDIS_KEY;

    slw_redis_command_word(k, key, write_key(key, c, id));
}

void slw_redis_command_release(struct slw_redis_command *k)
{
    free(k->words);
    free(k->lengths);
    free(k->keys);
    *k = (struct slw_redis_command){0};
}

/* ---- sending ---- */

/* As redisBufferWrite, but a connection that broke is no signal to the whole process. */
int slw_redis_push(struct slw_redis *c, struct slw_error *err)
{
    redisContext *r = c->redis;

    while (sdslen(r->obuf) > 0) {
        const ssize_t n = send(r->fd, r->obuf, sdslen(r->obuf), MSG_NOSIGNAL);

        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        if (n < 0 && errno != EINTR)
            return slw_redis_give_up(c, strerror(errno), err);
        if (n > 0 && (size_t)n == sdslen(r->obuf))
            sdsclear(r->obuf);
        else if (n > 0)
            sdsrange(r->obuf, (int)n, -1); /* sizes of hiredis are int */
    }
    return 0;
}

/* A server that does not read while we send must not make us hold all of it. */
static int sent(struct slw_redis *c, int made, struct slw_error *err)
{
    int rc = 0;

    if (made != REDIS_OK)
        return slw_redis_give_up(c, c->redis->errstr, err);
    if (sdslen(c->redis->obuf) > SLW_REDIS_UNSENT)
        rc = slw_redis_push(c, err);
    while (rc == 0 && sdslen(c->redis->obuf) > SLW_REDIS_UNSENT) {
        rc = slw_redis_wait(c, SLW_SILENCE_MS, err);
        if (rc == 0)
            return slw_redis_give_up(c, "it takes nothing any more", err);
        if (rc > 0)
            rc = slw_redis_push(c, err);
    }
    return rc;
}

int slw_redis_put(struct slw_redis *c, const struct slw_redis_command *k, struct slw_error *err)
{
    return sent(c, redisAppendCommandArgv(c->redis, (int)k->count, k->words, k->lengths), err);
}

int slw_redis_put_text(struct slw_redis *c, const char *word, struct slw_error *err)
{
    const size_t length = strlen(word);

    return sent(c, redisAppendCommandArgv(c->redis, 1, &word, &length), err);
}

int slw_redis_put_request(struct slw_redis *c, const struct slw_request *r, struct slw_error *err)
{
    char key[SLW_REDIS_KEY];
    const bool read = r->op == SLW_OP_READ;
    const char *words[] = {read ? "GET" : "SET", key, r->length ? r->payload : "",
                           r->op == SLW_OP_INSERT ? "NX" : "XX"};
    const size_t lengths[] = {3, write_key(key, c, r->id), r->length, 2};

    return sent(c, redisAppendCommandArgv(c->redis, read ? 2 : 4, words, lengths), err);
}

/* ---- receiving ---- */

int slw_redis_wait(struct slw_redis *c, int timeout_ms, struct slw_error *err)
{
    const short events = (short)(POLLIN | (sdslen(c->redis->obuf) > 0 ? POLLOUT : 0));
    const int ready = slw_wait_for(c->redis->fd, events, timeout_ms);
    int rc = 0;

    if (ready < 0)
        return slw_redis_give_up(c, strerror(-ready), err);
    if (ready == 0)
        return 0;
    if ((ready & ~POLLOUT) != 0 && redisBufferRead(c->redis) != REDIS_OK)
        return slw_redis_give_up(c, c->redis->errstr, err);
    if ((ready & POLLOUT) != 0)
        rc = slw_redis_push(c, err);
    return rc < 0 ? rc : 1;
}

int slw_redis_reply(struct slw_redis *c, redisReply **ret_reply, struct slw_error *err)
{
    void *reply = NULL;

    /* Also once the connection is gone: what came before that is an answer. */
    if (redisReaderGetReply(c->redis->reader, &reply) != REDIS_OK)
        return slw_redis_give_up(c, c->redis->reader->errstr, err);
    if (!reply)
        return c->gone ? slw_redis_give_up(c, c->why, err) : 0;
    *ret_reply = reply;
    return 1;
}

int slw_redis_next(struct slw_redis *c, redisReply **ret_reply, struct slw_error *err)
{
    int rc;

    while ((rc = slw_redis_reply(c, ret_reply, err)) == 0) {
        rc = slw_redis_push(c, err);
        if (rc == 0)
            rc = slw_redis_wait(c, c->patience_ms, err);
        if (rc == 0)
            return slw_redis_give_up(c, "it has been silent for too long", err);
        if (rc < 0)
            return rc;
    }
    return rc < 0 ? rc : 0;
}
