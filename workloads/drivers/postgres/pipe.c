/* SPDX-License-Identifier: MIT */
/* Requests that are each committed by themselves, any number of them under way. An answer counts
 * when the server has said that it is through with the request: what it says before that, it says
 * before it commits. */
#include "workloads/drivers/postgres/postgres_int.h"

#include "base/clock.h"

int slw_pg_submit(void *connection, const struct slw_request *request, uint64_t token,
                  struct slw_error *err)
{
    struct slw_pg *c = connection;
    int rc = 0;

    if (c->gone)
        return slw_pg_give_up(c, c->why, err);
    if (c->open_count == SLW_PG_CAPACITY)
        return slw_fail(err, SLW_E_LIMIT, "more than %d requests are open", SLW_PG_CAPACITY);
    if (c->open_count == 0)
        rc = slw_pg_prepare(c, SLW_PG_INSERT, SLW_PG_READ, err);
    if (rc == 0)
        rc = slw_pg_put(c, request, err);
    if (rc == 0)
        rc = slw_pg_end(c, err);
    if (rc == 0)
        c->open[(c->open_first + c->open_count++) % SLW_PG_CAPACITY] =
            (struct slw_pg_open){token, request->op};
    return rc;
}

int slw_pg_flush(void *connection, struct slw_error *err)
{
    struct slw_pg *c = connection;

    return c->gone ? slw_pg_give_up(c, c->why, err) : slw_pg_push(c, err);
}

static void complete(struct slw_pg *c, struct slw_completion *completion)
{
    completion->token = c->open[c->open_first].token;
    completion->answer = c->answer;
    c->open_first = (c->open_first + 1) % SLW_PG_CAPACITY;
    c->open_count--;
    c->answered = false;
}

/* Read on in the answer to the oldest. 1: it is complete. */
static int read_answer(struct slw_pg *c, struct slw_error *err)
{
    PGresult *result = NULL;
    int rc;

    if (!c->answered) {
        slw_answers_lost(&c->answer, 1, "no answer came");
        c->answered = true;
    }
    for (int nulls = 0; (rc = slw_pg_result(c, &result, err)) > 0;) {
        if (result && PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return 1;
        }
        nulls = result ? 0 : nulls + 1;
        if (nulls > 1)
            return slw_pg_give_up(c, "libpq has no result where one is due", err);
        if (result)
            slw_pg_take(c, c->open[c->open_first].op, result, &c->answer);
    }
    return rc;
}

/* What is there without waiting. When the connection is gone, all that is open is LOST. */
static int take_ready(struct slw_pg *c, struct slw_completion *completions, size_t count)
{
    size_t n = 0;
    int rc = 1;

    while (n < count && c->open_count > 0 && rc > 0) {
        rc = c->gone ? -1 : read_answer(c, NULL);
        if (rc < 0)
            break;
        if (rc > 0)
            complete(c, &completions[n++]);
    }
    while (c->gone && n < count && c->open_count > 0) {
        slw_answers_lost(&c->answer, 1, c->why);
        complete(c, &completions[n++]);
    }
    return (int)n;
}

int slw_pg_poll(void *connection, int timeout_ms, struct slw_completion *completions, size_t count,
                struct slw_error *err)
{
    const uint64_t start_ns = slw_clock_monotonic_ns();
    struct slw_pg *c = connection;

    for (int waited = 0; waited >= 0;) {
        const int n = take_ready(c, completions, count);

        if (n > 0)
            return n;
        if (c->gone)
            return slw_pg_give_up(c, c->why, err);
        const int left = slw_wait_left(start_ns, timeout_ms);
        if (c->open_count == 0 || (waited > 0 && left == 0))
            return 0;
        waited = slw_pg_wait(c, left, NULL);
        if (waited == 0)
            return 0;
        if (waited < 0)
            waited = 1; /* gone: the next turn says so, request by request */
    }
    return 0;
}
