/* SPDX-License-Identifier: MIT */
/* Sending to PostgreSQL and waiting for it, through libpq in pipeline mode. */
#include "workloads/drivers/postgres/postgres_int.h"

#include "base/clock.h"

#include <assert.h>
#include <endian.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *sql; /* @: the table */
} statements[] = {
    [SLW_PG_INSERT] = {"slw_insert", "INSERT INTO @(id,payload) VALUES ($1,$2) RETURNING \"row\""},
    [SLW_PG_INSERT_AGAIN] = {"slw_insert_again", "INSERT INTO @(id,payload) VALUES ($1,$2)"
                                                 " ON CONFLICT (id) DO NOTHING RETURNING \"row\""},
    [SLW_PG_ROW] = {"slw_row", "SELECT \"row\" FROM @ WHERE id=$1"},
    [SLW_PG_UPDATE] = {"slw_update", "UPDATE @ SET payload=$2 WHERE id=$1"},
    [SLW_PG_READ] = {"slw_read", "SELECT payload FROM @ WHERE id=$1"},
    [SLW_PG_INSERT_MANY] = {"slw_insert_many",
                            "INSERT INTO @(id,payload) SELECT * FROM"
                            " unnest($1::bigint[],$2::bytea[]) RETURNING id,\"row\""},
    [SLW_PG_INSERT_MANY_AGAIN] = {"slw_insert_many_again",
                                  "INSERT INTO @(id,payload) SELECT * FROM"
                                  " unnest($1::bigint[],$2::bytea[])"
                                  " ON CONFLICT (id) DO NOTHING RETURNING id,\"row\""},
    [SLW_PG_ROW_MANY] = {"slw_row_many", "SELECT id,\"row\" FROM @ WHERE id=ANY($1::bigint[])"},
    [SLW_PG_UPDATE_MANY] = {"slw_update_many", "UPDATE @ t SET payload=g.payload FROM"
                                               " unnest($1::bigint[],$2::bytea[]) AS g(id,payload)"
                                               " WHERE t.id=g.id RETURNING t.id"},
    [SLW_PG_READ_MANY] = {"slw_read_many", "SELECT id,payload FROM @ WHERE id=ANY($1::bigint[])"},
};

int slw_pg_give_up(void *connection, const char *why, struct slw_error *err)
{
    struct slw_pg *c = connection;

    if (!c->gone) {
        (void)snprintf(c->why, sizeof(c->why), "%.*s", (int)strcspn(why, "\n"), why);
        c->broken = c->gone = true;
    }
    return slw_fail(err, SLW_E_GONE, "the connection to PostgreSQL is gone: %s", c->why);
}

static int give_up(struct slw_pg *c, struct slw_error *err)
{
    return slw_pg_give_up(c, PQerrorMessage(c->pg), err);
}

/* ---- sending ---- */

int slw_pg_push(struct slw_pg *c, struct slw_error *err)
{
    const int rc = PQflush(c->pg);

    if (rc < 0)
        return give_up(c, err);
    if (rc == 0)
        c->unsent = 0;
    return 0;
}

/* A server that does not read while we send must not make libpq hold all of it. It may be waiting
 * for us to read, which slw_pg_wait does. */
static int sent(struct slw_pg *c, int ok, size_t bytes, struct slw_error *err)
{
    int rc = 0;

    if (!ok)
        return give_up(c, err);
    c->unsent += bytes;
    if (c->unsent > SLW_PG_UNSENT)
        rc = slw_pg_push(c, err);
    while (rc == 0 && c->unsent > SLW_PG_UNSENT) {
        rc = slw_pg_wait(c, SLW_SILENCE_MS, err);
        if (rc == 0)
            return slw_pg_give_up(c, "it takes nothing any more", err);
        if (rc > 0)
            rc = slw_pg_push(c, err);
    }
    return rc;
}

int slw_pg_put_text(struct slw_pg *c, const char *sql, struct slw_error *err)
{
    return sent(c, PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 1), strlen(sql), err);
}

int slw_pg_put_statement(struct slw_pg *c, enum slw_pg_statement statement, int count,
                         const char *const *values, const int *lengths, struct slw_error *err)
{
    static const int binary[] = {1, 1};
    size_t bytes = 64;

    for (int i = 0; i < count; i++)
        bytes += (size_t)lengths[i];
    return sent(
        c,
        PQsendQueryPrepared(c->pg, statements[statement].name, count, values, lengths, binary, 1),
        bytes, err);
}

int slw_pg_put(struct slw_pg *c, const struct slw_request *request, struct slw_error *err)
{
    static const enum slw_pg_statement of[] = {
        [SLW_OP_INSERT] = SLW_PG_INSERT,
        [SLW_OP_UPDATE] = SLW_PG_UPDATE,
        [SLW_OP_READ] = SLW_PG_READ,
    };
    const bool again = request->op == SLW_OP_INSERT && request->again;
    const uint64_t id = htobe64(request->id);
    /* A NULL value would be an SQL NULL. */
    const char *values[] = {(const char *)&id, request->length ? request->payload : ""};
    const int lengths[] = {sizeof(id), (int)request->length};
    int rc = slw_pg_put_statement(c, again ? SLW_PG_INSERT_AGAIN : of[request->op],
                                  request->op == SLW_OP_READ ? 1 : 2, values, lengths, err);

    if (rc == 0 && again)
        rc = slw_pg_put_statement(c, SLW_PG_ROW, 1, values, lengths, err);
    return rc;
}

int slw_pg_end(struct slw_pg *c, struct slw_error *err)
{
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
    return sent(c, PQsendPipelineSync(c->pg), 5, err);
#else
    return sent(c, PQpipelineSync(c->pg), 5, err);
#endif
}

/* ---- receiving ---- */

int slw_pg_wait(struct slw_pg *c, int timeout_ms, struct slw_error *err)
{
    const int unsent = PQflush(c->pg);

    if (unsent < 0 || PQsocket(c->pg) < 0)
        return give_up(c, err);
    const int ready =
        slw_wait_for(PQsocket(c->pg), (short)(POLLIN | (unsent ? POLLOUT : 0)), timeout_ms);
    if (ready < 0)
        return slw_pg_give_up(c, strerror(-ready), err);
    if (ready == 0)
        return 0;
    if ((ready & ~POLLOUT) != 0 && !PQconsumeInput(c->pg))
        c->broken = true; /* there may be answers that came before */
    return 1;
}

int slw_pg_result(struct slw_pg *c, PGresult **ret_result, struct slw_error *err)
{
    if (c->gone)
        return slw_pg_give_up(c, c->why, err);
    if (!c->broken && PQisBusy(c->pg))
        return 0;
    PGresult *result = PQgetResult(c->pg); /* does not wait: not busy, or no socket to wait for */
    if (PQstatus(c->pg) == CONNECTION_BAD && PQresultStatus(result) == PGRES_FATAL_ERROR &&
        !PQresultErrorField(result, PG_DIAG_SQLSTATE)) {
        PQclear(result);
        return give_up(c, err);
    }
    *ret_result = result;
    return 1;
}

int slw_pg_next(struct slw_pg *c, PGresult **ret_result, struct slw_error *err)
{
    PGresult *result = NULL;
    int rc = 0;

    /* One NULL ends the results of a query; two have nothing between them. */
    for (int nulls = 0; rc >= 0 && nulls < 2;) {
        rc = slw_pg_result(c, &result, err);
        if (rc > 0 && result) {
            *ret_result = result;
            return 0;
        }
        nulls += rc > 0;
        if (rc == 0) {
            rc = slw_pg_wait(c, SLW_SILENCE_MS, err);
            if (rc == 0)
                return slw_pg_give_up(c, "it has been silent for too long", err);
        }
    }
    return rc < 0 ? rc : slw_pg_give_up(c, "libpq has no result where one is due", err);
}

/* ---- preparing ---- */

static int send_prepare(struct slw_pg *c, enum slw_pg_statement statement, struct slw_error *err)
{
    const char *text = statements[statement].sql, *at = strchr(text, '@');
    char sql[320];

    const int length =
        snprintf(sql, sizeof(sql), "%.*s%s%s", (int)(at - text), text, c->table, at + 1);
    assert(length > 0 && (size_t)length < sizeof(sql));
    const int rc =
        sent(c, PQsendPrepare(c->pg, statements[statement].name, sql, 0, NULL), sizeof(sql), err);
    return rc < 0 ? rc : slw_pg_end(c, err);
}

static int read_prepare(struct slw_pg *c, enum slw_pg_statement statement, struct slw_error *err)
{
    ExecStatusType status = PGRES_COMMAND_OK;
    int rc = 0;

    c->prepared[statement] = true;
    while (rc == 0 && status != PGRES_PIPELINE_SYNC) {
        PGresult *result;

        rc = slw_pg_next(c, &result, err);
        if (rc < 0)
            break;
        status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR) {
            struct slw_answer a;

            slw_pg_fail(c, result, &a);
            memcpy(c->not_prepared, a.why, sizeof(c->not_prepared));
            c->prepared[statement] = false;
        }
        PQclear(result);
    }
    return rc;
}

int slw_pg_prepare(struct slw_pg *c, enum slw_pg_statement from, enum slw_pg_statement to,
                   struct slw_error *err)
{
    bool asked[SLW_PG_STATEMENTS] = {false};
    int rc = 0;

    assert(c->open_count == 0);
    for (int s = (int)from; rc == 0 && s <= (int)to; s++) {
        asked[s] = !c->prepared[s];
        if (asked[s])
            rc = send_prepare(c, (enum slw_pg_statement)s, err);
    }
    for (int s = (int)from; rc == 0 && s <= (int)to; s++)
        if (asked[s])
            rc = read_prepare(c, (enum slw_pg_statement)s, err);
    return rc;
}
