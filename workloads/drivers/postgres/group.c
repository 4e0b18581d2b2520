/* SPDX-License-Identifier: MIT */
/* All or nothing: one statement over arrays, or a transaction around requests that are pipelined.
 */
#include "workloads/drivers/postgres/postgres_int.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#define INT8_OID  20
#define BYTEA_OID 17

/* ---- reading ---- */

/* What has been read of a group of queries that end together. */
struct group {
    struct slw_answer failure; /* the first; DONE: none */
};

/* The next result if it is no failure, else NULL and the group has failed: the server then skips
 * the rest. */
static int next_result(struct slw_pg *c, struct group *g, PGresult **ret_result,
                       struct slw_error *err)
{
    PGresult *result;
    const int rc = slw_pg_next(c, &result, err);

    if (rc < 0)
        return rc;
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_PIPELINE_SYNC) {
        *ret_result = result;
        return 0;
    }
    if (status == PGRES_FATAL_ERROR && g->failure.outcome == SLW_OUTCOME_DONE)
        slw_pg_fail(c, result, &g->failure);
    PQclear(result);
    *ret_result = NULL;
    return 0;
}

static int skip_results(struct slw_pg *c, struct group *g, int count, struct slw_error *err)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i < count; i++) {
        PGresult *result;
        rc = next_result(c, g, &result, err);
        if (rc == 0)
            PQclear(result);
    }
    return rc;
}

/* To the end of the group; what was begun and failed is rolled back. */
static int finish_group(struct slw_pg *c, struct group *g, struct slw_error *err)
{
    struct group rollback = {.failure.outcome = SLW_OUTCOME_DONE};
    bool end = false;
    int rc = 0;

    while (rc == 0 && !end) {
        PGresult *result;
        rc = next_result(c, g, &result, err);
        if (rc < 0)
            break;
        end = result && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        PQclear(result);
    }
    if (rc < 0 || PQtransactionStatus(c->pg) != PQTRANS_INERROR)
        return rc;
    rc = slw_pg_put_text(c, "ROLLBACK", err);
    if (rc == 0)
        rc = slw_pg_end(c, err);
    return rc < 0 ? rc : finish_group(c, &rollback, err);
}

/* ---- one statement ---- */

static void put_int(struct slw_buf *b, uint32_t value)
{
    const uint32_t be = htobe32(value);

    slw_buf_put(b, &be, sizeof(be));
}

/* Source: array_recv() of PostgreSQL: dimensions, flags, type of the elements, length and lower
 * bound, then each element with its size. */
static void put_array(struct slw_buf *b, uint32_t type, size_t count)
{
    const uint32_t head[] = {1, 0, type, (uint32_t)count, 1};

    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        put_int(b, head[i]);
}

enum which { ALL, FRESH, AGAIN };

static bool is_in(const struct slw_request *r, enum which which)
{
    return which == ALL || r->again == (which == AGAIN);
}

static size_t count_in(const struct slw_request *requests, size_t count, enum which which)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += is_in(&requests[i], which);
    return n;
}

/* The statement over those of the requests; `values`: with their payloads. */
static int put_many(struct slw_pg *c, enum slw_pg_statement statement, bool values,
                    const struct slw_request *requests, size_t count, enum which which,
                    struct slw_error *err)
{
    const size_t n = count_in(requests, count, which);
    struct slw_buf ids = {0}, payloads = {0};
    int rc;

    put_array(&ids, INT8_OID, n);
    put_array(&payloads, BYTEA_OID, n);
    for (size_t i = 0; i < count; i++) {
        const struct slw_request *r = &requests[i];
        const uint64_t id = htobe64(r->id);

        if (!is_in(r, which))
            continue;
        put_int(&ids, sizeof(id));
        slw_buf_put(&ids, &id, sizeof(id));
        if (!values)
            continue;
        put_int(&payloads, (uint32_t)r->length);
        slw_buf_put(&payloads, r->length ? r->payload : "", r->length);
    }
    if (slw_buf_failed(&ids) || slw_buf_failed(&payloads)) {
        rc = slw_pg_give_up(c, "no memory for a statement", err);
    } else {
        const char *parameters[] = {ids.data, payloads.data};
        const int lengths[] = {(int)ids.length, (int)payloads.length};
        rc = slw_pg_put_statement(c, statement, values ? 2 : 1, parameters, lengths, err);
    }
    slw_buf_release(&ids);
    slw_buf_release(&payloads);
    return rc;
}

/* Rows are (id), (id, row) or (id, payload). */
static void take_rows(enum slw_op op, const PGresult *result, struct slw_ids *ids,
                      const struct slw_request *requests, struct slw_answer *answers)
{
    for (int i = 0; i < PQntuples(result); i++) {
        const size_t at = slw_ids_find(ids, requests, slw_pg_number(result, i, 0));

        if (at == SIZE_MAX)
            continue; /* nobody asked */
        slw_answer_done(&answers[at], op != SLW_OP_READ, 0);
        if (op == SLW_OP_INSERT) {
            answers[at].row = slw_pg_number(result, i, 1);
        } else if (op == SLW_OP_READ) {
            answers[at].payload = PQgetvalue(result, i, 1);
            answers[at].length = (size_t)PQgetlength(result, i, 1);
        }
    }
}

/* Results of `count` statements that give rows, then the end. */
static int read_many(struct slw_pg *c, struct group *g, int statements, struct slw_ids *ids,
                     const struct slw_request *requests, struct slw_answer *answers,
                     struct slw_error *err)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i < statements; i++) {
        PGresult *result;
        rc = next_result(c, g, &result, err);
        if (rc < 0 || !result)
            continue;
        take_rows(requests[0].op, result, ids, requests, answers);
        const bool kept = requests[0].op == SLW_OP_READ && slw_keep_put(&c->keep, result) == 0;
        if (!kept)
            PQclear(result);
        if (requests[0].op == SLW_OP_READ && !kept)
            slw_answer_failed(&g->failure, SLW_OUTCOME_TRANSIENT, "no memory for the answer", 24);
    }
    return rc;
}

/* Some may have been stored by an earlier try, which no single statement can both wait for and
 * read: a transaction of at most three. */
static int insert_again(struct slw_pg *c, struct group *g, struct slw_ids *ids,
                        const struct slw_request *requests, size_t count,
                        struct slw_answer *answers, struct slw_error *err)
{
    const bool fresh = count_in(requests, count, FRESH) > 0;
    int rc = slw_pg_prepare(c, SLW_PG_INSERT_MANY, SLW_PG_ROW_MANY, err);

    if (rc == 0)
        rc = slw_pg_put_text(c, "BEGIN", err);
    if (rc == 0)
        rc = put_many(c, SLW_PG_INSERT_MANY_AGAIN, true, requests, count, AGAIN, err);
    if (rc == 0 && fresh)
        rc = put_many(c, SLW_PG_INSERT_MANY, true, requests, count, FRESH, err);
    if (rc == 0)
        rc = put_many(c, SLW_PG_ROW_MANY, false, requests, count, AGAIN, err);
    if (rc == 0)
        rc = slw_pg_put_text(c, "COMMIT", err);
    if (rc == 0)
        rc = slw_pg_end(c, err);
    if (rc == 0)
        rc = skip_results(c, g, 1, err);
    return rc < 0 ? rc : read_many(c, g, fresh ? 3 : 2, ids, requests, answers, err);
}

static int one_statement(struct slw_pg *c, struct group *g, struct slw_ids *ids,
                         const struct slw_request *requests, size_t count,
                         struct slw_answer *answers, struct slw_error *err)
{
    static const enum slw_pg_statement of[] = {
        [SLW_OP_INSERT] = SLW_PG_INSERT_MANY,
        [SLW_OP_UPDATE] = SLW_PG_UPDATE_MANY,
        [SLW_OP_READ] = SLW_PG_READ_MANY,
    };
    const enum slw_op op = requests[0].op;
    int rc = slw_pg_prepare(c, of[op], of[op], err);

    if (rc == 0)
        rc = put_many(c, of[op], op != SLW_OP_READ, requests, count, ALL, err);
    if (rc == 0)
        rc = slw_pg_end(c, err);
    return rc < 0 ? rc : read_many(c, g, 1, ids, requests, answers, err);
}

/* What stands for a request until its row comes: no row is an answer too. */
static void expect_nothing(struct slw_answer *answers, size_t count, enum slw_op op)
{
    for (size_t i = 0; i < count; i++) {
        if (op == SLW_OP_READ)
            answers[i] = (struct slw_answer){.outcome = SLW_OUTCOME_NOTHING};
        else if (op == SLW_OP_UPDATE)
            slw_answer_done(&answers[i], 0, 0);
    }
}

static int finish_answers(struct slw_pg *c, struct group *g, int rc, struct slw_answer *answers,
                          size_t count, struct slw_error *err)
{
    if (rc == 0)
        rc = finish_group(c, g, err);
    if (rc < 0)
        slw_answers_lost(answers, count, c->why);
    else if (g->failure.outcome != SLW_OUTCOME_DONE)
        slw_answers_same(answers, count, &g->failure);
    return rc;
}

int slw_pg_statement(void *connection, const struct slw_request *requests, size_t count,
                     struct slw_answer *answers, struct slw_error *err)
{
    struct slw_pg *c = connection;
    struct group g = {.failure.outcome = SLW_OUTCOME_DONE};
    struct slw_ids ids;
    int rc;

    slw_answers_lost(answers, count, "the server did not say what became of it");
    if (slw_requests_bytes(requests, count) > SLW_MAX_STATEMENT_BYTES) {
        slw_answer_failed(&g.failure, SLW_OUTCOME_REJECTED, "too much for one statement", 26);
        slw_answers_same(answers, count, &g.failure);
        return 0;
    }
    if (slw_ids_init(&ids, requests, count) < 0) {
        slw_answer_failed(&g.failure, SLW_OUTCOME_TRANSIENT, "no memory for a statement", 25);
        slw_answers_same(answers, count, &g.failure);
        return 0;
    }
    expect_nothing(answers, count, requests[0].op);
    if (requests[0].op == SLW_OP_INSERT && count_in(requests, count, AGAIN) > 0)
        rc = insert_again(c, &g, &ids, requests, count, answers, err);
    else
        rc = one_statement(c, &g, &ids, requests, count, answers, err);
    slw_ids_release(&ids);
    return finish_answers(c, &g, rc, answers, count, err);
}

/* ---- a transaction ---- */

static int put_transaction(struct slw_pg *c, const struct slw_request *requests, size_t count,
                           struct slw_error *err)
{
    int rc = slw_pg_prepare(c, SLW_PG_INSERT, SLW_PG_READ, err);

    if (rc == 0)
        rc = slw_pg_put_text(c, "BEGIN", err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = slw_pg_put(c, &requests[i], err);
    if (rc == 0)
        rc = slw_pg_put_text(c, "COMMIT", err);
    return rc < 0 ? rc : slw_pg_end(c, err);
}

int slw_pg_transaction(void *connection, const struct slw_request *requests, size_t count,
                       struct slw_answer *answers, struct slw_error *err)
{
    struct slw_pg *c = connection;
    struct group g = {.failure.outcome = SLW_OUTCOME_DONE};
    int rc;

    slw_answers_lost(answers, count, "the server did not say what became of it");
    rc = put_transaction(c, requests, count, err);
    if (rc == 0)
        rc = skip_results(c, &g, 1, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct slw_request *r = &requests[i];

        for (int left = r->op == SLW_OP_INSERT && r->again ? 2 : 1; rc == 0 && left > 0; left--) {
            PGresult *result;
            rc = next_result(c, &g, &result, err);
            if (rc == 0 && result)
                slw_pg_take(c, r->op, result, &answers[i]);
        }
    }
    return finish_answers(c, &g, rc, answers, count, err);
}

/* ---- commands ---- */

static int fail(const struct group *g, const char *what, struct slw_error *err)
{
    if (g->failure.outcome == SLW_OUTCOME_DONE)
        return 0;
    return slw_fail(err, strncmp(g->failure.why, "42501", 5) == 0 ? SLW_E_PERM : SLW_E_IO,
                    "PostgreSQL cannot %s: %s", what, g->failure.why);
}

int slw_pg_command(struct slw_pg *c, const char *const *sql, size_t count, const char *what,
                   struct slw_error *err)
{
    struct group g = {.failure.outcome = SLW_OUTCOME_DONE};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = slw_pg_put_text(c, sql[i], err);
    if (rc == 0)
        rc = slw_pg_end(c, err);
    if (rc == 0)
        rc = finish_group(c, &g, err);
    return rc < 0 ? rc : fail(&g, what, err);
}

int slw_pg_query(struct slw_pg *c, const char *sql, const char *parameter, const char *what,
                 PGresult **ret_result, struct slw_error *err)
{
    struct group g = {.failure.outcome = SLW_OUTCOME_DONE};
    PGresult *result = NULL;
    int rc = 0;

    if (!PQsendQueryParams(c->pg, sql, parameter ? 1 : 0, NULL, &parameter, NULL, NULL, 0))
        rc = slw_pg_give_up(c, PQerrorMessage(c->pg), err);
    if (rc == 0)
        rc = slw_pg_end(c, err);
    if (rc == 0)
        rc = next_result(c, &g, &result, err);
    if (rc == 0)
        rc = finish_group(c, &g, err);
    if (rc == 0)
        rc = fail(&g, what, err);
    if (rc < 0)
        PQclear(result);
    else
        *ret_result = result;
    return rc;
}
