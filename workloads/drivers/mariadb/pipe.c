/* SPDX-License-Identifier: MIT */
/* Requests that are each committed by themselves, many in one packet. The protocol answers one
 * packet before it takes the next, and the server stops at a statement that fails: what came after
 * it in the packet has not been run, and goes into the next one. */
#include "base/clock.h"
#include "workloads/drivers/mariadb/mariadb_int.h"

#include <string.h>

int slw_maria_submit(void *connection, const struct slw_request *request, uint64_t token,
                     struct slw_error *err)
{
    struct slw_maria *c = connection;

    if (c->gone)
        return slw_maria_give_up(c, c->why, err);
    if (c->open_count == SLW_MARIA_CAPACITY)
        return slw_fail(err, SLW_E_LIMIT, "more than %d requests are open", SLW_MARIA_CAPACITY);
    c->open[(c->open_first + c->open_count++) % SLW_MARIA_CAPACITY] =
        (struct slw_maria_open){*request, token};
    return 0;
}

static void complete(struct slw_maria *c, struct slw_completion *completion)
{
    completion->token = c->open[c->open_first].token;
    c->open_first = (c->open_first + 1) % SLW_MARIA_CAPACITY;
    c->open_count--;
    if (c->flushed > 0)
        c->flushed--;
    if (c->in_script > 0)
        c->in_script--;
    c->parts_done = 0;
}

/* ---- a script ---- */

static void make_script(struct slw_maria *c)
{
    slw_maria_begin(c);
    c->in_script = 0;
    c->parts_done = 0;
    while (c->in_script < c->flushed && c->in_script < c->group) {
        const struct slw_request *r =
            &c->open[(c->open_first + c->in_script) % SLW_MARIA_CAPACITY].request;
        const size_t bytes = r->op == SLW_OP_READ ? 0 : 2 * r->length; /* all escaped */

        if (c->in_script > 0 && c->script.length + bytes + 256 > SLW_MARIA_SCRIPT)
            break;
        slw_maria_put_request(c, r);
        c->in_script++;
    }
}

/* Begin or go on with the step; true when it is done, with what the call returned in *ret. */
static bool go_on(struct slw_maria *c, int ready, int *ret, MYSQL_RES **rows)
{
    const bool begin = c->waits_for == 0;

    switch (c->step) {
    case SLW_MARIA_QUERY:
        c->waits_for = begin ? mysql_real_query_start(ret, c->my, c->script.data,
                                                      (unsigned long)c->script.length)
                             : mysql_real_query_cont(ret, c->my, ready);
        break;
    case SLW_MARIA_STORE:
        c->waits_for = begin ? mysql_store_result_start(rows, c->my)
                             : mysql_store_result_cont(rows, c->my, ready);
        *ret = *rows ? 0 : 1;
        break;
    case SLW_MARIA_NEXT:
        c->waits_for =
            begin ? mysql_next_result_start(ret, c->my) : mysql_next_result_cont(ret, c->my, ready);
        break;
    case SLW_MARIA_IDLE:
        return false;
    }
    return c->waits_for == 0;
}

/* The statement that failed is the oldest request's; the rest of the packet was not run. */
static bool fail_oldest(struct slw_maria *c, struct slw_answer *a)
{
    const unsigned code = mysql_errno(c->my);

    slw_maria_fail(code, mysql_error(c->my), a);
    c->step = SLW_MARIA_IDLE;
    c->group = c->group > 1 ? c->group / 2 : 1;
    if (slw_maria_is_gone(code))
        (void)slw_maria_give_up(c, a->why, NULL);
    return !c->gone; /* when gone, all that is open is LOST: not here */
}

/* A result is there. True: it completes the oldest request. */
static bool take_result(struct slw_maria *c, MYSQL_RES *rows, struct slw_answer *a)
{
    const struct slw_request *r = &c->open[c->open_first].request;

    (void)slw_maria_take(c, r, c->parts_done, rows, a);
    c->parts_done++;
    c->step = SLW_MARIA_NEXT;
    if (!mysql_more_results(c->my)) {
        c->step = SLW_MARIA_IDLE;
        if (c->group < SLW_MARIA_STATEMENTS)
            c->group *= 2;
    }
    return c->parts_done == slw_maria_parts(r);
}

/* The end of a step. True: *a is the answer to the oldest. */
static bool finish_step(struct slw_maria *c, int ret, MYSQL_RES *rows, struct slw_answer *a)
{
    if (ret != 0)
        return fail_oldest(c, a);
    if (c->step == SLW_MARIA_STORE || mysql_field_count(c->my) == 0)
        return take_result(c, rows, a);
    c->step = SLW_MARIA_STORE;
    return false;
}

static bool begin_script(struct slw_maria *c, struct slw_answer *a)
{
    make_script(c);
    c->step = SLW_MARIA_QUERY;
    if (slw_buf_failed(&c->script))
        slw_answer_failed(a, SLW_OUTCOME_TRANSIENT, "no memory for a statement", 25);
    else if (c->script.length >= c->most_bytes)
        slw_answer_failed(a, SLW_OUTCOME_REJECTED, "more than max_allowed_packet", 28);
    else
        return true;
    c->step = SLW_MARIA_IDLE;
    c->group = 1; /* the oldest alone is refused, whatever else there is */
    return false;
}

/* One answer, within timeout_ms. 1, or 0. */
static int next_answer(struct slw_maria *c, int timeout_ms, struct slw_completion *completion)
{
    const uint64_t start_ns = slw_clock_monotonic_ns();
    struct slw_answer *a = &completion->answer;

    while (!c->gone && c->flushed > 0) {
        MYSQL_RES *rows = NULL;
        int ready = 0, ret = 0;

        if (c->step == SLW_MARIA_IDLE && !begin_script(c, a)) {
            complete(c, completion);
            return 1;
        }
        if (c->waits_for != 0) {
            ready = slw_maria_ready(c->my, c->waits_for, slw_wait_left(start_ns, timeout_ms));
            if (ready < 0)
                (void)slw_maria_give_up(c, strerror(-ready), NULL);
            if (ready <= 0)
                break;
        }
        const bool over = c->over;
        ret = c->over_result;
        c->over = false;
        if ((over || go_on(c, ready, &ret, &rows)) && finish_step(c, ret, rows, a)) {
            complete(c, completion);
            return 1;
        }
    }
    if (!c->gone || c->open_count == 0)
        return 0;
    slw_answers_lost(a, 1, c->why);
    complete(c, completion);
    return 1;
}

int slw_maria_flush(void *connection, struct slw_error *err)
{
    struct slw_maria *c = connection;
    struct slw_answer unused;
    MYSQL_RES *rows = NULL;

    if (c->gone)
        return slw_maria_give_up(c, c->why, err);
    c->flushed = c->open_count;
    /* Written here when nothing is under way; what cannot be is left to poll(). */
    if (c->step == SLW_MARIA_IDLE && c->flushed > 0 && begin_script(c, &unused))
        c->over = go_on(c, 0, &c->over_result, &rows);
    return 0;
}

int slw_maria_poll(void *connection, int timeout_ms, struct slw_completion *completions,
                   size_t count, struct slw_error *err)
{
    struct slw_maria *c = connection;
    size_t n = 0;

    while (n < count && next_answer(c, n == 0 ? timeout_ms : 0, &completions[n]) > 0)
        n++;
    return n == 0 && c->gone ? slw_maria_give_up(c, c->why, err) : (int)n;
}
