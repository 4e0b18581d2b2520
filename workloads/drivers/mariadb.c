/* SPDX-License-Identifier: MIT */
/* MariaDB by libmariadb; payloads are LONGBLOB, `row` is an AUTO_INCREMENT column, InnoDB.
 *   NONE         a prepared statement, its answer
 *   PIPELINE     statements as text, up to 256 in one packet (multi-statement): the server runs and
 *                commits one after the other. Its protocol has no other way to write requests
 *                together: it answers a packet before it takes the next
 *   STATEMENT    INSERT ... VALUES (..),(..) RETURNING, SELECT ... WHERE id IN (..). Without
 *                RETURNING, or with rows that are sent again: a transaction in one packet. UPDATE
 *                as TRANSACTION, because no one statement gives each row a value of its own and
 *                tells which were there. Array binding (COM_STMT_BULK_EXECUTE) does not tell the
 *                rows
 *   TRANSACTION  START TRANSACTION, statements as text, COMMIT, in as few packets as they fit in
 * Without waiting, the library's non-blocking calls do the same as PIPELINE. On disk at the
 * acknowledgement: what innodb_flush_log_at_trx_commit of the server says; a client has no say in
 * that. */
#include "workloads/drivers/mariadb/mariadb_int.h"
#include "workloads/where.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_IDS 20000 /* of visit() */

static const struct slw_setting settings[] = {
    {.name = "user", .kind = SLW_SETTING_TEXT, .value = "NAME", .text = "Who to log in as."},
    {.name = "password",
     .kind = SLW_SETTING_TEXT,
     .value = "TEXT",
     .text = "Others may see it in the list of processes."},
    {.name = "database",
     .kind = SLW_SETTING_TEXT,
     .value = "NAME",
     .otherwise = "test",
     .text = "Which database."},
    {.name = NULL},
};

static void drop_payloads(struct slw_maria *c)
{
    slw_keep_drop(&c->results, slw_maria_drop);
    slw_keep_drop(&c->blobs, free);
}

static void close_connection(void *connection)
{
    struct slw_maria *c = connection;

    if (!c)
        return;
    drop_payloads(c);
    slw_keep_release(&c->results);
    slw_keep_release(&c->blobs);
    slw_maria_forget(c);
    if (c->my)
        mysql_close(c->my);
    slw_buf_release(&c->script);
    free(c->open);
    free(c);
}

static int open_connection(const char *where, const char *table, const struct slw_choices *choices,
                           void **ret_connection, struct slw_error *err)
{
    int rc = slw_table_check(table, err);

    if (rc < 0)
        return rc;
    struct slw_maria *c = calloc(1, sizeof(*c));
    if (c)
        c->open = calloc(SLW_MARIA_CAPACITY, sizeof(*c->open));
    if (!c || !c->open)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for a connection");
    if (rc == 0) {
        (void)snprintf(c->table, sizeof(c->table), "`%s`", table);
        c->group = SLW_MARIA_STATEMENTS;
        rc = slw_maria_connect(c, where, choices, err);
    }
    if (rc < 0)
        close_connection(c);
    else
        *ret_connection = c;
    return rc;
}

/* ---- commands ---- */

struct page {
    int (*visit)(void *ctx, uint64_t id);
    void *ctx;
    int rc;
    uint64_t last;
    size_t count;
};

static void take_page(void *ctx, size_t statement, MYSQL_RES *rows)
{
    struct page *p = ctx;
    MYSQL_ROW row;

    (void)statement;
    while (rows && p->rc == 0 && (row = mysql_fetch_row(rows)) != NULL) {
        p->last = strtoull(row[0], NULL, 10);
        p->count++;
        p->rc = p->visit(p->ctx, p->last);
    }
    mysql_free_result(rows);
}

static int command(struct slw_maria *c, const char *what,
                   void (*take)(void *ctx, size_t statement, MYSQL_RES *rows), void *ctx,
                   struct slw_error *err)
{
    struct slw_answer failure;
    int rc;

    if (c->gone)
        return slw_maria_give_up(c, c->why, err);
    rc = slw_maria_run_script(c, take, ctx, &failure, err);
    if (rc == 0 && failure.outcome != SLW_OUTCOME_DONE)
        rc = slw_fail(err, SLW_E_IO, "MariaDB cannot %s: %s", what, failure.why);
    return rc;
}

static int create(void *connection, struct slw_error *err)
{
    struct slw_maria *c = connection;
    struct page nothing = {.rc = 1};

    assert(c->open_count == 0);
    slw_maria_begin(c);
    slw_maria_put_text(c, "DROP TABLE IF EXISTS @;");
    slw_maria_put_text(c, "CREATE TABLE @(`row` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT UNIQUE,"
                          " id BIGINT NOT NULL PRIMARY KEY, payload LONGBLOB NOT NULL)"
                          " ENGINE=InnoDB");
    return command(c, "make the table", take_page, &nothing, err);
}

static int visit(void *connection, int (*visit_id)(void *ctx, uint64_t id), void *ctx,
                 struct slw_error *err)
{
    struct slw_maria *c = connection;
    struct page p = {.visit = visit_id, .ctx = ctx, .count = PAGE_IDS};
    int rc = 0;

    assert(c->open_count == 0);
    while (rc == 0 && p.rc == 0 && p.count == PAGE_IDS) {
        p.count = 0;
        slw_maria_begin(c);
        slw_maria_put_text(c, "SELECT id FROM @ WHERE id>");
        slw_buf_printf(&c->script, "%" PRIu64 " ORDER BY id LIMIT %d", p.last, PAGE_IDS);
        rc = command(c, "list the rows", take_page, &p, err);
    }
    return rc < 0 ? rc : p.rc;
}

/* ---- requests ---- */

static int one_by_one(void *connection, const struct slw_request *requests, size_t count,
                      struct slw_answer *answers, struct slw_error *err)
{
    struct slw_maria *c = connection;
    int rc = 0;

    slw_answers_lost(answers, count, "the connection broke before");
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = slw_maria_prepared(c, &requests[i], &answers[i], err);
    return rc;
}

static int run(void *connection, enum slw_batching how, const struct slw_request *requests,
               size_t count, struct slw_answer *answers, struct slw_error *err)
{
    static const struct slw_ways ways = {
        .server = "MariaDB",
        .pipeline = {.window = SLW_MARIA_CAPACITY,
                     .submit = slw_maria_submit,
                     .flush = slw_maria_flush,
                     .poll = slw_maria_poll,
                     .give_up = slw_maria_give_up},
        .one_by_one = one_by_one,
        .statement = slw_maria_statement,
        .transaction = slw_maria_transaction,
    };
    struct slw_maria *c = connection;

    assert(c->open_count == 0 && count <= SLW_MAX_REQUESTS);
    drop_payloads(c);
    return slw_ways_run(&ways, c, c->gone ? c->why : NULL, how, requests, count, answers, err);
}

static int poll_answers(void *connection, int timeout_ms, struct slw_completion *completions,
                        size_t count, struct slw_error *err)
{
    struct slw_maria *c = connection;

    drop_payloads(c);
    return slw_maria_poll(c, timeout_ms, completions, count, err);
}

static int descriptor(void *connection)
{
    const struct slw_maria *c = connection;

    return (int)mysql_get_socket(c->my);
}

/* ---- what is on disk ---- */

static void take_setting(void *ctx, size_t statement, MYSQL_RES *rows)
{
    MYSQL_ROW row = rows ? mysql_fetch_row(rows) : NULL;
    int *setting = ctx;

    (void)statement;
    if (row && row[0])
        *setting = (int)strtol(row[0], NULL, 10);
    mysql_free_result(rows);
}

/* Source: https://mariadb.com/kb/en/innodb-system-variables/#innodb_flush_log_at_trx_commit */
static int durability(void *connection, char *text, size_t size)
{
    static const char *const says[] = {
        "about a second may be lost when the server fails",
        "the log of every commit is synced to disk",
        "about a second may be lost when the machine fails",
        "the log of every group of commits is synced to disk",
    };
    struct slw_maria *c = connection;
    int setting = -1;

    assert(c->open_count == 0);
    slw_maria_begin(c);
    slw_buf_puts(&c->script, "SELECT @@innodb_flush_log_at_trx_commit");
    const int rc = command(c, "tell its settings", take_setting, &setting, NULL);
    if (rc < 0)
        return rc;
    if (setting < 0 || setting > 3)
        return -SLW_E_NODATA;
    (void)snprintf(text, size, "%s (innodb_flush_log_at_trx_commit=%d)", says[setting], setting);
    return 0;
}

const struct slw_driver slw_driver_mariadb = {
    .name = "mariadb",
    .summary = "MariaDB (libmariadb)",
    .generates_rows = true,
    .batchings = 1U << SLW_BATCHING_NONE | 1U << SLW_BATCHING_PIPELINE |
                 1U << SLW_BATCHING_STATEMENT | 1U << SLW_BATCHING_TRANSACTION,
    .settings = settings,
    .open = open_connection,
    .close = close_connection,
    .create = create,
    .visit = visit,
    .run = run,
    .capacity = SLW_MARIA_CAPACITY,
    .submit = slw_maria_submit,
    .flush = slw_maria_flush,
    .poll = poll_answers,
    .descriptor = descriptor,
    .durability = durability,
};
