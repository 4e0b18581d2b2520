/* SPDX-License-Identifier: MIT */
/* Requests, waited for and not. */
#include "base/clock.h"
#include "workloads/drivers/cql/cql_int.h"

#include <stdio.h>

/* What PREPARE was refused with, refuses the requests too; nothing of them was done. */
static void answer_unprepared(const struct slw_cql_connection *c, const struct slw_request *r,
                              struct slw_answer *a, const struct slw_error *why)
{
    const struct slw_cql_failure f = {.code = c->said};

    slw_cql_answer_failure(a, r->op, &f);
    if (a->outcome == SLW_OUTCOME_LOST && !c->broken)
        a->outcome = SLW_OUTCOME_TRANSIENT;
    if (c->broken)
        a->outcome = SLW_OUTCOME_LOST;
    (void)snprintf(a->why, sizeof(a->why), "%.119s", why->text);
}

/* Hand on the first answer, with the payload where it stays until the next call. */
static bool take_answer(struct slw_cql_connection *c, struct slw_answer *answers)
{
    const struct slw_cql_slot *s = slw_cql_pop(c);

    if (!s)
        return false;
    struct slw_answer *a = &answers[s->token];
    *a = s->answer;
    if (a->length > 0) {
        a->payload = (const void *)(c->payloads.length + 1); /* an offset until all are here */
        slw_buf_put(&c->payloads, s->payload.data, a->length);
    } else {
        a->payload = NULL;
    }
    return true;
}

static int run_streams(struct slw_cql_connection *c, size_t in_flight,
                       const struct slw_request *requests, size_t count, struct slw_answer *answers)
{
    size_t sent = 0, done = 0;

    while (done < count) {
        while (sent < count && c->open_count < in_flight && !c->broken &&
               c->out.out.length - c->sent < SLW_CQL_WRITE_MARK) {
            slw_cql_add_request(c, &requests[sent], sent);
            slw_cql_write_requests(c);
            sent++;
        }
        if (c->broken && c->open_count == 0)
            break;
        slw_cql_encoder_flush(&c->out);
        slw_cql_pump(c, 1000);
        slw_cql_read_answers(c, SIZE_MAX);
        while (take_answer(c, answers))
            done++;
    }
    for (; done < count; done++)
        slw_cql_answer_as(&answers[done], SLW_OUTCOME_LOST, "%s", c->why);
    for (size_t i = 0; i < count; i++)
        if (answers[i].payload)
            answers[i].payload = c->payloads.data + ((uintptr_t)answers[i].payload - 1);
    return slw_buf_failed(&c->payloads) ? -1 : 0;
}

int slw_cql_run(void *connection, enum slw_batching how, const struct slw_request *requests,
                size_t count, struct slw_answer *answers, struct slw_error *err)
{
    struct slw_cql_connection *c = connection;
    struct slw_error why = {0};

    if (how == SLW_BATCHING_TRANSACTION || how >= SLW_BATCHING_COUNT)
        return slw_fail(err, SLW_E_UNSUPPORTED, "CQL has no transactions");
    if (count == 0)
        return 0;
    if (how == SLW_BATCHING_STATEMENT && c->conditional && requests[0].op != SLW_OP_READ)
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "a batch may not have conditions; leave out --conditional");
    c->payloads.length = 0;
    int rc = slw_cql_busy(c, &why);
    if (rc == 0)
        rc = slw_cql_prepare_all(c, &why);
    if (rc < 0) {
        for (size_t i = 0; i < count; i++)
            answer_unprepared(c, &requests[i], &answers[i], &why);
        return c->broken ? slw_cql_gone(c, err) : 0;
    }
    if (how == SLW_BATCHING_STATEMENT)
        rc = slw_cql_run_many(c, requests, count, answers, err);
    else
        rc = run_streams(c, how == SLW_BATCHING_NONE ? 1 : SLW_CQL_CAPACITY, requests, count,
                         answers);
    if (c->broken)
        return slw_cql_gone(c, err);
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for what was read") : 0;
}

/* ---- without waiting ---- */

int slw_cql_submit(void *connection, const struct slw_request *request, uint64_t token,
                   struct slw_error *err)
{
    struct slw_cql_connection *c = connection;

    if (c->broken)
        return slw_cql_gone(c, err);
    if (c->open_count == SLW_CQL_CAPACITY)
        return slw_fail(err, SLW_E_LIMIT, "%d requests are in flight", SLW_CQL_CAPACITY);
    if (c->open_count == 0) {
        int rc = slw_cql_prepare_all(c, err);

        if (rc < 0)
            return rc;
    }
    slw_cql_add_request(c, request, token);
    slw_cql_write_requests(c);
    if (c->out.out.length - c->sent >= SLW_CQL_WRITE_MARK)
        slw_cql_push(c);
    return 0;
}

int slw_cql_flush(void *connection, struct slw_error *err)
{
    struct slw_cql_connection *c = connection;

    slw_cql_encoder_flush(&c->out);
    slw_cql_push(c);
    return c->broken && c->open_count == 0 ? slw_cql_gone(c, err) : 0;
}

int slw_cql_poll(void *connection, int timeout_ms, struct slw_completion *completions, size_t count,
                 struct slw_error *err)
{
    struct slw_cql_connection *c = connection;
    const uint64_t deadline_ns =
        slw_clock_monotonic_ns() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms) * 1000000;
    size_t done = 0;

    if (c->broken && c->open_count == 0)
        return slw_cql_gone(c, err);
    for (bool last = false;;) {
        slw_cql_read_answers(c, count);
        for (const struct slw_cql_slot *s; done < count && (s = slw_cql_pop(c)) != NULL; done++)
            completions[done] = (struct slw_completion){s->token, s->answer};
        if (done > 0 || c->open_count == 0 || last)
            return (int)done;
        const uint64_t now = slw_clock_monotonic_ns();
        const int left_ms = timeout_ms < 0      ? 1000
                            : now < deadline_ns ? (int)((deadline_ns - now) / 1000000) + 1
                                                : 0;
        last = left_ms == 0; /* one more look */
        slw_cql_pump(c, left_ms);
    }
}

int slw_cql_descriptor(void *connection)
{
    const struct slw_cql_connection *c = connection;

    return c->fd;
}
