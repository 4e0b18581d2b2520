/* SPDX-License-Identifier: MIT */
/* Many requests in one message: BATCH, and SELECT ... WHERE id IN. */
#include "base/clock.h"
#include "workloads/drivers/cql/cql_int.h"

#include <stdlib.h>

#define BATCH_BYTES (200u << 20) /* below what the protocol allows in one message */
#define READ_PAGE   100          /* rows of up to 1 MiB, so that a page fits in a message */

static void answer_all(struct slw_answer *answers, size_t count, const struct slw_answer *a)
{
    for (size_t i = 0; i < count; i++)
        answers[i] = *a;
}

/* Send what was begun on SLW_CQL_STREAM_ASK. 0: *ret is the answer; 1: there was an ERROR, and *a
 * is what it means; negative: broken, and *a is LOST. */
static int await_answer(struct slw_cql_connection *c, enum slw_op op, struct slw_cql_envelope *ret,
                        struct slw_answer *a, struct slw_error *err)
{
    const uint64_t begin = slw_clock_monotonic_ns();
    struct slw_cql_failure f;

    slw_cql_encoder_end(&c->out);
    slw_cql_encoder_flush(&c->out);
    for (;;) {
        while (slw_cql_take(c, ret)) {
            struct slw_cql_in in = slw_cql_in(ret->body, ret->length);

            if (ret->stream != SLW_CQL_STREAM_ASK)
                continue;
            if (ret->opcode != SLW_CQL_ERROR)
                return 0;
            if (slw_cql_skip_prefix(&in, ret->flags) && slw_cql_get_failure(&in, &f)) {
                slw_cql_answer_failure(a, op, &f);
                if (f.code == SLW_CQL_E_UNPREPARED)
                    slw_cql_forget(c); /* the next call prepares */
                return 1;
            }
            slw_cql_break(c, "an error message that is malformed");
        }
        if (slw_clock_monotonic_ns() - begin > SLW_CQL_SILENCE_MS * UINT64_C(1000000))
            slw_cql_break(c, "no answer within %d s", SLW_CQL_SILENCE_MS / 1000);
        if (c->broken) {
            slw_cql_answer_as(a, SLW_OUTCOME_LOST, "%s", c->why);
            return slw_cql_gone(c, err);
        }
        slw_cql_pump(c, 1000);
    }
}

static bool fits_one_message(const struct slw_request *requests, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += requests[i].length + 64;
    return count <= SLW_CQL_MAX_BATCH && bytes <= BATCH_BYTES;
}

static int write_many(struct slw_cql_connection *c, const struct slw_request *requests,
                      size_t count, struct slw_answer *answers, struct slw_error *err)
{
    const struct slw_cql_handle *h = slw_cql_handle_of(c, requests[0].op);
    const int64_t timestamp = slw_cql_next_timestamp(c);
    struct slw_cql_envelope m;
    struct slw_answer a = {.outcome = SLW_OUTCOME_DONE, .affected = 1};
    int rc = 0;

    if (!fits_one_message(requests, count)) {
        slw_cql_answer_as(&a, SLW_OUTCOME_REJECTED, "%zu requests do not fit one BATCH", count);
        answer_all(answers, count, &a);
        return 0;
    }
    struct slw_buf *b = slw_cql_ask(c, SLW_CQL_BATCH);
    slw_cql_put_batch(b, c->unlogged ? SLW_CQL_UNLOGGED : SLW_CQL_LOGGED, count);
    for (size_t i = 0; i < count; i++) {
        struct slw_cql_value values[2];
        uint8_t id[8];
        const size_t n = slw_cql_values_of(&requests[i], id, values);

        slw_cql_put_batch_prepared(b, slw_cql_bytes_of(&h->id), values, n);
    }
    slw_cql_put_batch_end(b, c->version, c->consistency, &timestamp);
    rc = await_answer(c, requests[0].op, &m, &a, err);
    answer_all(answers, count, &a);
    return rc < 0 ? rc : 0;
}

/* ---- many rows at once ---- */

struct wanted {
    uint64_t id;
    size_t index;
};

static int by_id(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* A payload is (offset + 1) until all of them are here. */
static void keep_payload(struct slw_cql_connection *c, struct slw_cql_value v, struct slw_answer *a)
{
    *a = (struct slw_answer){.outcome = SLW_OUTCOME_DONE,
                             .length = v.length > 0 ? (size_t)v.length : 0};
    a->payload = (const void *)(c->payloads.length + 1);
    slw_buf_put(&c->payloads, v.bytes, a->length);
}

static void settle(const struct slw_cql_connection *c, struct slw_answer *answers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (answers[i].payload)
            answers[i].payload =
                answers[i].length ? c->payloads.data + ((uintptr_t)answers[i].payload - 1) : NULL;
}

static bool take_rows(struct slw_cql_connection *c, const struct wanted *wanted, size_t count,
                      struct slw_answer *answers, struct slw_cql_rows *r)
{
    if (r->metadata.column_count != 2)
        return false;
    for (size_t i = 0; i < r->row_count; i++) {
        const struct slw_cql_value id = slw_cql_get_bytes(&r->content);
        const struct slw_cql_value v = slw_cql_get_bytes(&r->content);
        struct wanted key = {0};

        if (id.length != 8)
            return false;
        key.id = slw_cql_load_long(id.bytes);
        const struct wanted *w = bsearch(&key, wanted, count, sizeof(key), by_id);
        if (!w)
            return false;
        keep_payload(c, v, &answers[w->index]);
    }
    return true;
}

/* [list] of ids: [int] n, n [bytes]. */
static void put_list(struct slw_buf *list, const struct wanted *wanted, size_t count)
{
    slw_cql_put_int(list, (int32_t)count);
    for (size_t i = 0; i < count; i++) {
        slw_cql_put_int(list, 8);
        slw_cql_put_long(list, (int64_t)wanted[i].id);
    }
}

static int read_page(struct slw_cql_connection *c, const struct slw_buf *list,
                     struct slw_buf *state, struct slw_cql_rows *ret, struct slw_answer *a,
                     struct slw_error *err)
{
    const struct slw_cql_value value = {(const uint8_t *)list->data, (int32_t)list->length};
    struct slw_cql_parameters p = {.flags = SLW_CQL_Q_PAGE_SIZE, .page_size = READ_PAGE};
    struct slw_cql_envelope m;

    if (state->length) {
        p.flags |= SLW_CQL_Q_PAGING_STATE;
        p.paging_state =
            (struct slw_cql_value){(const uint8_t *)state->data, (int32_t)state->length};
    }
    slw_cql_put_values(c, slw_cql_ask(c, SLW_CQL_EXECUTE), &c->handles[SLW_CQL_TEXT_READ_MANY], &p,
                       &value, 1);
    int rc = await_answer(c, SLW_OP_READ, &m, a, err);
    if (rc != 0)
        return rc;
    struct slw_cql_in in = slw_cql_in(m.body, m.length);
    if (m.opcode == SLW_CQL_RESULT && slw_cql_skip_prefix(&in, m.flags) &&
        slw_cql_get_int(&in) == SLW_CQL_ROWS && slw_cql_get_rows(&in, ret))
        return 0;
    slw_cql_break(c, "an answer that is malformed, or to something else");
    slw_cql_answer_as(a, SLW_OUTCOME_LOST, "%s", c->why);
    return slw_cql_gone(c, err);
}

static int read_pages(struct slw_cql_connection *c, const struct wanted *wanted, size_t count,
                      struct slw_answer *answers, struct slw_error *err)
{
    struct slw_answer a = {.outcome = SLW_OUTCOME_NOTHING};
    struct slw_buf list = {0}, state = {0};
    struct slw_cql_rows r = {0};
    bool more = true;
    int rc = 0;

    put_list(&list, wanted, count);
    answer_all(answers, count, &a);
    for (size_t page = 0; rc == 0 && more && page <= count; page++) {
        rc = read_page(c, &list, &state, &r, &a, err);
        if (rc == 0 && !take_rows(c, wanted, count, answers, &r)) {
            slw_cql_break(c, "rows that were not asked for");
            slw_cql_answer_as(&a, SLW_OUTCOME_LOST, "%s", c->why);
            rc = slw_cql_gone(c, err);
        }
        more = rc == 0 && (r.metadata.flags & SLW_CQL_M_MORE) != 0;
        state.length = 0;
        if (more && r.metadata.paging_state.length > 0)
            slw_buf_put(&state, r.metadata.paging_state.bytes,
                        (size_t)r.metadata.paging_state.length);
    }
    if (rc != 0) /* all or nothing */
        answer_all(answers, count, &a);
    slw_buf_release(&list);
    slw_buf_release(&state);
    return rc < 0 ? rc : 0;
}

static int read_many(struct slw_cql_connection *c, const struct slw_request *requests, size_t count,
                     struct slw_answer *answers, struct slw_error *err)
{
    struct wanted *wanted = calloc(count, sizeof(*wanted));

    if (!wanted)
        return slw_fail(err, SLW_E_NOMEM, "no memory for %zu requests", count);
    for (size_t i = 0; i < count; i++)
        wanted[i] = (struct wanted){requests[i].id, i};
    qsort(wanted, count, sizeof(*wanted), by_id);
    int rc = read_pages(c, wanted, count, answers, err);
    settle(c, answers, count);
    free(wanted);
    return rc;
}

int slw_cql_run_many(struct slw_cql_connection *c, const struct slw_request *requests, size_t count,
                     struct slw_answer *answers, struct slw_error *err)
{
    return requests[0].op == SLW_OP_READ ? read_many(c, requests, count, answers, err)
                                         : write_many(c, requests, count, answers, err);
}
