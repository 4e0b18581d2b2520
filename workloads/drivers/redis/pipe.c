/* SPDX-License-Identifier: MIT */
/* Requests that each stand for themselves, any number of them under way. */
#include "base/clock.h"
#include "workloads/drivers/redis/redis_int.h"

int slw_redis_submit(void *connection, const struct slw_request *request, uint64_t token,
                     struct slw_error *err)
{
    struct slw_redis *c = connection;

    if (c->gone)
        return slw_redis_give_up(c, c->why, err);
    if (c->open_count == SLW_REDIS_CAPACITY)
        return slw_fail(err, SLW_E_LIMIT, "more than %d requests are open", SLW_REDIS_CAPACITY);
    const int rc = slw_redis_put_request(c, request, err);
    if (rc == 0)
        c->open[(c->open_first + c->open_count++) % SLW_REDIS_CAPACITY] =
            (struct slw_redis_open){token, request->op, request->again};
    return rc;
}

int slw_redis_flush(void *connection, struct slw_error *err)
{
    struct slw_redis *c = connection;

    return c->gone ? slw_redis_give_up(c, c->why, err) : slw_redis_push(c, err);
}

static void answer(struct slw_redis *c, const struct slw_redis_open *o, redisReply *reply,
                   struct slw_answer *a)
{
    if (slw_redis_take(o->op, o->again, reply, a)) {
        if (slw_keep_put(&c->keep, reply) == 0)
            return;
        slw_answer_failed(a, SLW_OUTCOME_TRANSIENT, "no memory for the answer", 24);
    }
    slw_redis_drop(reply);
}

/* What is there without waiting. When the connection is gone, all that is open is LOST. */
static int take_ready(struct slw_redis *c, struct slw_completion *completions, size_t count)
{
    size_t n = 0;

    for (; n < count && c->open_count > 0; n++) {
        const struct slw_redis_open *o = &c->open[c->open_first];
        redisReply *reply = NULL;
        const int rc = slw_redis_reply(c, &reply, NULL);

        if (rc == 0)
            break;
        completions[n].token = o->token;
        if (rc > 0)
            answer(c, o, reply, &completions[n].answer);
        else
            slw_answers_lost(&completions[n].answer, 1, c->why);
        c->open_first = (c->open_first + 1) % SLW_REDIS_CAPACITY;
        c->open_count--;
    }
    return (int)n;
}

int slw_redis_poll(void *connection, int timeout_ms, struct slw_completion *completions,
                   size_t count, struct slw_error *err)
{
    const uint64_t start_ns = slw_clock_monotonic_ns();
    struct slw_redis *c = connection;

    for (;;) {
        const int n = take_ready(c, completions, count);

        if (n > 0)
            return n;
        if (c->gone)
            return slw_redis_give_up(c, c->why, err);
        if (c->open_count == 0 || slw_redis_wait(c, slw_wait_left(start_ns, timeout_ms), NULL) == 0)
            return 0;
    }
}
