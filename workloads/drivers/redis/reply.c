/* SPDX-License-Identifier: MIT */
/* What a reply of Redis means for a request. */
#include "workloads/drivers/redis/redis_int.h"

#include <string.h>

/* Errors that pass: the first word of the reply. A full memory may be emptied, a replica that only
 * reads may be promoted. Everything else is refused for good.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/ and server.c, shared.* */
static const char *const passing[] = {
    "LOADING",  "BUSY",        "OOM",        "READONLY",   "MISCONF",
    "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "EXECABORT",
};

bool slw_redis_is(const redisReply *reply, int type)
{
    return reply->type == type;
}

void slw_redis_fail(const redisReply *reply, struct slw_answer *a)
{
    enum slw_outcome outcome = SLW_OUTCOME_REJECTED;

    if (reply->type != REDIS_REPLY_ERROR) {
        slw_answer_failed(a, SLW_OUTCOME_REJECTED, "a reply of another kind than asked for", 38);
        return;
    }
    const size_t word = strcspn(reply->str, " ");
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
        if (strlen(passing[i]) == word && strncmp(reply->str, passing[i], word) == 0)
            outcome = SLW_OUTCOME_TRANSIENT;
    slw_answer_failed(a, outcome, reply->str, reply->len);
}

/* SET ... NX or XX: a status, or nil where the condition does not hold. */
static void take_set(enum slw_op op, bool again, const redisReply *reply, struct slw_answer *a)
{
    static const char there[] = "there is a value for this id already";

    if (reply->type == REDIS_REPLY_STATUS)
        slw_answer_done(a, 1, 0);
    else if (reply->type != REDIS_REPLY_NIL)
        slw_redis_fail(reply, a);
    else if (op == SLW_OP_UPDATE)
        slw_answer_done(a, 0, 0);
    else if (again)
        slw_answer_done(a, 1, 0); /* an earlier try stored it */
    else
        slw_answer_failed(a, SLW_OUTCOME_REJECTED, there, sizeof(there) - 1);
}

bool slw_redis_take(enum slw_op op, bool again, const redisReply *reply, struct slw_answer *a)
{
    if (op != SLW_OP_READ) {
        take_set(op, again, reply, a);
        return false;
    }
    if (reply->type == REDIS_REPLY_NIL) {
        *a = (struct slw_answer){.outcome = SLW_OUTCOME_NOTHING};
        return false;
    }
    if (reply->type != REDIS_REPLY_STRING) {
        slw_redis_fail(reply, a);
        return false;
    }
    *a = (struct slw_answer){
        .outcome = SLW_OUTCOME_DONE, .payload = reply->str, .length = reply->len};
    return true;
}

void slw_redis_drop(void *reply)
{
    if (reply)
        freeReplyObject(reply);
}
