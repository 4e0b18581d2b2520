/* SPDX-License-Identifier: MIT */
/* PostgreSQL by libpq, with prepared statements and binary parameters; payloads are bytea, `row` is
 * an identity column.
 *   NONE         a prepared statement, its end (Sync), its answer
 *   PIPELINE     libpq's pipeline mode: each request with an end of its own, so that each is
 *                committed by itself. Before libpq 17 each end is also a write of its own: requests
 *                do not wait for answers, but are not written together either
 *   STATEMENT    INSERT ... SELECT FROM unnest(ids, payloads) RETURNING, UPDATE ... FROM unnest,
 *                SELECT ... WHERE id = ANY(ids): one statement whatever the number of rows. With
 *                rows that are sent again: a transaction of up to three
 *   TRANSACTION  BEGIN, the prepared statements, COMMIT, and one end, written together
 * On disk at the acknowledgement: what synchronous_commit and fsync say; --durable sets the former
 * for this connection. libpq itself reads PGPASSWORD, ~/.pgpass and the other PG variables. */
#include "workloads/drivers/postgres/postgres_int.h"
#include "workloads/where.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_IDS 20000 /* of visit() */

static const char *const durable_choices[] = {"server", "on", "off", NULL};

static const struct slw_setting settings[] = {
    {.name = "user", .kind = SLW_SETTING_TEXT, .value = "NAME", .text = "Who to log in as."},
    {.name = "password",
     .kind = SLW_SETTING_TEXT,
     .value = "TEXT",
     .text = "Others may see it in the list of processes; PGPASSWORD and ~/.pgpass work too."},
    {.name = "database", .kind = SLW_SETTING_TEXT, .value = "NAME", .text = "Which database."},
    {.name = "durable",
     .kind = SLW_SETTING_CHOICE,
     .choices = durable_choices,
     .otherwise = "server",
     .text = "Sets synchronous_commit for this connection; server leaves it as it is there."},
    {.name = NULL},
};

static void drop_result(void *result)
{
    PQclear(result);
}

static void close_connection(void *connection)
{
    struct slw_pg *c = connection;

    if (!c)
        return;
    slw_keep_drop(&c->keep, drop_result);
    slw_keep_release(&c->keep);
    PQfinish(c->pg);
    free(c->open);
    free(c);
}

static int set_durable(struct slw_pg *c, const struct slw_choices *choices, struct slw_error *err)
{
    const size_t choice = slw_choices_choice(choices, "durable");
    const char *sql[] = {choice == 1 ? "SET synchronous_commit=on" : "SET synchronous_commit=off"};

    return choice == 0 ? 0 : slw_pg_command(c, sql, 1, "set synchronous_commit", err);
}

static int open_connection(const char *where, const char *table, const struct slw_choices *choices,
                           void **ret_connection, struct slw_error *err)
{
    int rc = slw_table_check(table, err);

    if (rc < 0)
        return rc;
    struct slw_pg *c = calloc(1, sizeof(*c));
    if (c)
        c->open = calloc(SLW_PG_CAPACITY, sizeof(*c->open));
    if (!c || !c->open)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for a connection");
    if (rc == 0) {
        (void)snprintf(c->table, sizeof(c->table), "\"%s\"", table);
        rc = slw_pg_connect(where, choices, &c->pg, err);
    }
    if (rc == 0)
        rc = set_durable(c, choices, err);
    if (rc < 0)
        close_connection(c);
    else
        *ret_connection = c;
    return rc;
}

static int create(void *connection, struct slw_error *err)
{
    struct slw_pg *c = connection;
    char drop[128], make[256];
    const char *sql[] = {drop, make};

    assert(c->open_count == 0);
    (void)snprintf(drop, sizeof(drop), "DROP TABLE IF EXISTS %s", c->table);
    (void)snprintf(make, sizeof(make),
                   "CREATE TABLE %s(\"row\" bigint GENERATED ALWAYS AS IDENTITY,"
                   " id bigint PRIMARY KEY, payload bytea NOT NULL)",
                   c->table);
    return slw_pg_command(c, sql, 2, "make the table", err);
}

/* Page by page, so that a table that is larger than memory can be listed. */
static int visit(void *connection, int (*visit_id)(void *ctx, uint64_t id), void *ctx,
                 struct slw_error *err)
{
    struct slw_pg *c = connection;
    int rc = 0, rows = PAGE_IDS;
    char sql[192], last[24] = "0";

    assert(c->open_count == 0);
    (void)snprintf(sql, sizeof(sql), "SELECT id FROM %s WHERE id>$1::bigint ORDER BY id LIMIT %d",
                   c->table, PAGE_IDS);
    while (rc == 0 && rows == PAGE_IDS) {
        PGresult *result;

        rc = slw_pg_query(c, sql, last, "list the rows", &result, err);
        if (rc < 0)
            return rc;
        rows = PQntuples(result);
        for (int i = 0; rc == 0 && i < rows; i++) {
            (void)snprintf(last, sizeof(last), "%s", PQgetvalue(result, i, 0));
            rc = visit_id(ctx, strtoull(last, NULL, 10));
        }
        PQclear(result);
    }
    return rc;
}

static int run(void *connection, enum slw_batching how, const struct slw_request *requests,
               size_t count, struct slw_answer *answers, struct slw_error *err)
{
    static const struct slw_ways ways = {
        .server = "PostgreSQL",
        .pipeline = {.window = SLW_PG_CAPACITY,
                     .submit = slw_pg_submit,
                     .flush = slw_pg_flush,
                     .poll = slw_pg_poll,
                     .give_up = slw_pg_give_up},
        .statement = slw_pg_statement,
        .transaction = slw_pg_transaction,
    };
    struct slw_pg *c = connection;

    assert(c->open_count == 0 && count <= SLW_MAX_REQUESTS);
    slw_keep_drop(&c->keep, drop_result);
    return slw_ways_run(&ways, c, c->gone ? c->why : NULL, how, requests, count, answers, err);
}

static int poll_answers(void *connection, int timeout_ms, struct slw_completion *completions,
                        size_t count, struct slw_error *err)
{
    struct slw_pg *c = connection;

    slw_keep_drop(&c->keep, drop_result);
    return slw_pg_poll(c, timeout_ms, completions, count, err);
}

static int descriptor(void *connection)
{
    const struct slw_pg *c = connection;

    return PQsocket(c->pg);
}

static int durability(void *connection, char *text, size_t size)
{
    struct slw_pg *c = connection;
    PGresult *result;

    assert(c->open_count == 0);
    const int rc =
        slw_pg_query(c, "SELECT current_setting('fsync'), current_setting('synchronous_commit')",
                     NULL, "tell its settings", &result, NULL);
    if (rc < 0)
        return rc;
    const char *fsync_set = PQgetvalue(result, 0, 0), *commit = PQgetvalue(result, 0, 1);
    if (strcmp(fsync_set, "on") != 0)
        (void)snprintf(text, size, "nothing is synced to disk (fsync=%s)", fsync_set);
    else if (strcmp(commit, "off") == 0)
        (void)snprintf(text, size,
                       "the last moments before a crash may be lost (synchronous_commit=off)");
    else
        (void)snprintf(text, size,
                       "the log of every commit is synced to disk (fsync=on, "
                       "synchronous_commit=%s)",
                       commit);
    PQclear(result);
    return 0;
}

const struct slw_driver slw_driver_postgres = {
    .name = "postgres",
    .summary = "PostgreSQL (libpq)",
    .generates_rows = true,
    .batchings = 1U << SLW_BATCHING_NONE | 1U << SLW_BATCHING_PIPELINE |
                 1U << SLW_BATCHING_STATEMENT | 1U << SLW_BATCHING_TRANSACTION,
    .settings = settings,
    .open = open_connection,
    .close = close_connection,
    .create = create,
    .visit = visit,
    .run = run,
    .capacity = SLW_PG_CAPACITY,
    .submit = slw_pg_submit,
    .flush = slw_pg_flush,
    .poll = poll_answers,
    .descriptor = descriptor,
    .durability = durability,
};
