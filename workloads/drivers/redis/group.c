/* SPDX-License-Identifier: MIT */
/* All or nothing: one command of many keys, or MULTI and EXEC. EXEC has no way back, so what could
 * be refused is looked at before, and watched until EXEC. */
#include "workloads/drivers/redis/redis_int.h"

#include <string.h>

#define NO_MEMORY "no memory for a command"

static int fail_all(struct slw_answer *answers, size_t count, enum slw_outcome outcome,
                    const char *why)
{
    struct slw_answer a;

    slw_answer_failed(&a, outcome, why, strlen(why));
    slw_answers_same(answers, count, &a);
    return 0;
}

static bool some_again(const struct slw_request *requests, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (requests[i].op == SLW_OP_INSERT && requests[i].again)
            return true;
    return false;
}

/* ---- one command ---- */

static int put_keys(struct slw_redis *c, const char *name, bool values,
                    const struct slw_request *requests, size_t count, struct slw_error *err)
{
    struct slw_redis_command k;

    if (slw_redis_command_init(&k, 2 * count + 1) < 0)
        return slw_redis_give_up(c, NO_MEMORY, err);
    slw_redis_command_text(&k, name);
    for (size_t i = 0; i < count; i++) {
        slw_redis_command_key(&k, c, requests[i].id);
        if (values)
            slw_redis_command_word(&k, requests[i].payload, requests[i].length);
    }
    const int rc = slw_redis_put(c, &k, err);
    slw_redis_command_release(&k);
    return rc;
}

static int keep_answers(struct slw_redis *c, redisReply *reply, struct slw_answer *answers,
                        size_t count)
{
    if (slw_keep_put(&c->keep, reply) == 0)
        return 0;
    slw_redis_drop(reply);
    return fail_all(answers, count, SLW_OUTCOME_TRANSIENT, "no memory for the answer");
}

static int take_one(struct slw_redis *c, enum slw_op op, redisReply *reply,
                    struct slw_answer *answers, size_t count)
{
    struct slw_answer a;

    if (op == SLW_OP_READ && slw_redis_is(reply, REDIS_REPLY_ARRAY) && reply->elements == count) {
        for (size_t i = 0; i < count; i++)
            (void)slw_redis_take(op, false, reply->element[i], &answers[i]);
        return keep_answers(c, reply, answers, count);
    }
    if (op == SLW_OP_INSERT && slw_redis_is(reply, REDIS_REPLY_INTEGER) && reply->integer == 1)
        slw_answer_done(&a, 1, 0);
    else if (op == SLW_OP_INSERT && slw_redis_is(reply, REDIS_REPLY_INTEGER))
        (void)fail_all(&a, 1, SLW_OUTCOME_REJECTED, "there is a value for one of the ids already");
    else
        slw_redis_fail(reply, &a);
    slw_answers_same(answers, count, &a);
    slw_redis_drop(reply);
    return 0;
}

int slw_redis_statement(void *connection, const struct slw_request *requests, size_t count,
                        struct slw_answer *answers, struct slw_error *err)
{
    struct slw_redis *c = connection;
    const enum slw_op op = requests[0].op;
    redisReply *reply = NULL;

    if (op == SLW_OP_UPDATE || some_again(requests, count))
        return slw_redis_transaction(c, requests, count, answers, err);
    if (slw_requests_bytes(requests, count) > SLW_MAX_STATEMENT_BYTES)
        return fail_all(answers, count, SLW_OUTCOME_REJECTED, "too much for one command");
    slw_answers_lost(answers, count, "the server did not say what became of it");
    int rc =
        put_keys(c, op == SLW_OP_READ ? "MGET" : "MSETNX", op != SLW_OP_READ, requests, count, err);
    if (rc < 0)
        return rc;
    rc = slw_redis_next(c, &reply, err);
    return rc < 0 ? rc : take_one(c, op, reply, answers, count);
}

/* ---- a transaction ---- */

/* The first reply that is not `type` is why all fail. */
static int next_of(struct slw_redis *c, int type, struct slw_answer *failure,
                   redisReply **ret_reply, struct slw_error *err)
{
    redisReply *reply = NULL;
    const int rc = slw_redis_next(c, &reply, err);

    if (rc < 0)
        return rc;
    if (!slw_redis_is(reply, type) && failure->outcome == SLW_OUTCOME_DONE)
        slw_redis_fail(reply, failure);
    if (ret_reply)
        *ret_reply = reply;
    else
        slw_redis_drop(reply);
    return 0;
}

static int put_fresh(struct slw_redis *c, const char *name, const struct slw_request *requests,
                     size_t count, size_t *fresh, struct slw_error *err)
{
    struct slw_redis_command k;
    int rc = 0;

    if (slw_redis_command_init(&k, count + 1) < 0)
        return slw_redis_give_up(c, NO_MEMORY, err);
    slw_redis_command_text(&k, name);
    for (size_t i = 0; i < count; i++)
        if (!requests[i].again)
            slw_redis_command_key(&k, c, requests[i].id);
    *fresh = k.count - 1;
    if (*fresh > 0)
        rc = slw_redis_put(c, &k, err);
    slw_redis_command_release(&k);
    return rc;
}

/* Watch what must not be there, and look. */
static int watch(struct slw_redis *c, const struct slw_request *requests, size_t count,
                 struct slw_answer *failure, struct slw_error *err)
{
    redisReply *reply = NULL;
    size_t fresh = 0;
    int rc = put_fresh(c, "WATCH", requests, count, &fresh, err);

    if (rc == 0)
        rc = put_fresh(c, "EXISTS", requests, count, &fresh, err);
    if (rc < 0 || fresh == 0)
        return rc;
    rc = next_of(c, REDIS_REPLY_STATUS, failure, NULL, err);
    if (rc == 0)
        rc = next_of(c, REDIS_REPLY_INTEGER, failure, &reply, err);
    if (rc < 0)
        return rc;
    if (failure->outcome == SLW_OUTCOME_DONE && reply->integer > 0)
        (void)fail_all(failure, 1, SLW_OUTCOME_REJECTED,
                       "there is a value for one of the ids already");
    slw_redis_drop(reply);
    if (failure->outcome == SLW_OUTCOME_DONE)
        return 0;
    struct slw_answer ignored = *failure;
    rc = slw_redis_put_text(c, "UNWATCH", err);
    return rc < 0 ? rc : next_of(c, REDIS_REPLY_STATUS, &ignored, NULL, err);
}

static int execute(struct slw_redis *c, const struct slw_request *requests, size_t count,
                   struct slw_answer *failure, redisReply **ret_reply, struct slw_error *err)
{
    int rc = slw_redis_put_text(c, "MULTI", err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = slw_redis_put_request(c, &requests[i], err);
    if (rc == 0)
        rc = slw_redis_put_text(c, "EXEC", err);
    for (size_t i = 0; rc == 0 && i < count + 1; i++) /* OK, then QUEUED */
        rc = next_of(c, REDIS_REPLY_STATUS, failure, NULL, err);
    return rc < 0 ? rc : slw_redis_next(c, ret_reply, err);
}

static int take_all(struct slw_redis *c, const struct slw_request *requests, redisReply *reply,
                    struct slw_answer *answers, size_t count)
{
    bool keep = false;

    if (slw_redis_is(reply, REDIS_REPLY_NIL)) {
        slw_redis_drop(reply);
        return fail_all(answers, count, SLW_OUTCOME_TRANSIENT,
                        "another client stored one of the ids meanwhile");
    }
    if (!slw_redis_is(reply, REDIS_REPLY_ARRAY) || reply->elements != count) {
        struct slw_answer a;
        slw_redis_fail(reply, &a);
        slw_answers_same(answers, count, &a);
        slw_redis_drop(reply);
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        if (slw_redis_take(requests[i].op, requests[i].again, reply->element[i], &answers[i]))
            keep = true;
    if (keep)
        return keep_answers(c, reply, answers, count);
    slw_redis_drop(reply);
    return 0;
}

int slw_redis_transaction(void *connection, const struct slw_request *requests, size_t count,
                          struct slw_answer *answers, struct slw_error *err)
{
    struct slw_redis *c = connection;
    struct slw_answer failure = {.outcome = SLW_OUTCOME_DONE};
    redisReply *reply = NULL;
    int rc = 0;

    slw_answers_lost(answers, count, "the server did not say what became of it");
    if (requests[0].op == SLW_OP_INSERT)
        rc = watch(c, requests, count, &failure, err);
    if (rc < 0)
        return rc;
    if (failure.outcome == SLW_OUTCOME_DONE) {
        rc = execute(c, requests, count, &failure, &reply, err);
        if (rc < 0)
            return rc;
    }
    if (failure.outcome != SLW_OUTCOME_DONE || !reply) {
        slw_redis_drop(reply);
        slw_answers_same(answers, count, &failure);
        return 0;
    }
    return take_all(c, requests, reply, answers, count);
}
