/* SPDX-License-Identifier: MIT */
/* SQLite, in the client's own process. STATEMENT is one multi-row statement; TRANSACTION is BEGIN
 * IMMEDIATE, a statement for each request, COMMIT. There is no wire, hence no pipeline. `where` is
 * the file. What is on disk when a request is acknowledged: --durable. */
#include "workloads/drivers/sqlite/sqlite_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_MS 5000

/* Source: https://sqlite.org/pragma.html#pragma_synchronous */
static const char *const durable_choices[] = {"full", "normal", "off", NULL};
static const char *const durabilities[] = {
    "every commit is synced to disk (WAL, synchronous=FULL)",
    "commits survive a crash of the client, not of the machine (WAL, synchronous=NORMAL)",
    "commits survive a crash of the client; one of the machine may damage the file (WAL, OFF)",
};

static const struct slw_setting settings[] = {
    {.name = "durable",
     .kind = SLW_SETTING_CHOICE,
     .choices = durable_choices,
     .otherwise = "full",
     .text = "What is synced to disk before a commit is acknowledged: full is each commit."},
    {.name = NULL},
};

static int fail(struct slw_sqlite *c, const char *what, struct slw_error *err)
{
    const int code = sqlite3_errcode(c->db);

    if (code == SQLITE_NOMEM)
        return slw_fail(err, SLW_E_NOMEM, "no memory for SQLite");
    return slw_fail(err,
                    code == SQLITE_FULL                              ? SLW_E_FULL
                    : code == SQLITE_READONLY || code == SQLITE_PERM ? SLW_E_PERM
                                                                     : SLW_E_IO,
                    "SQLite cannot %s: %s", what, sqlite3_errmsg(c->db));
}

static int execute(struct slw_sqlite *c, const char *sql)
{
    return sqlite3_exec(c->db, sql, NULL, NULL, NULL);
}

static void close_connection(void *connection)
{
    struct slw_sqlite *c = connection;

    if (!c)
        return;
    slw_sqlite_forget(c);
    (void)sqlite3_close(c->db);
    sqlite3_free(c->table);
    slw_buf_release(&c->payloads);
    free(c->open);
    free(c);
}

/* Set up what does not change: waiting for other writers, the log, the syncing. */
static int prepare_file(struct slw_sqlite *c, struct slw_error *err)
{
    char pragma[64];

    (void)sqlite3_busy_timeout(c->db, BUSY_MS);
    (void)sqlite3_extended_result_codes(c->db, 1);
    (void)snprintf(pragma, sizeof(pragma), "PRAGMA synchronous=%s", durable_choices[c->durable]);
    if (execute(c, "PRAGMA journal_mode=WAL") != SQLITE_OK || execute(c, pragma) != SQLITE_OK)
        return fail(c, "open the file", err);
    return 0;
}

static int open_connection(const char *where, const char *table, const struct slw_choices *choices,
                           void **ret_connection, struct slw_error *err)
{
    struct slw_sqlite *c = calloc(1, sizeof(*c));
    int rc = 0;

    if (!where || !where[0]) {
        free(c);
        slw_error_hint(err, "name a file with --connect");
        return slw_fail(err, SLW_E_INVAL, "SQLite needs a file");
    }
    if (c) {
        c->durable = (int)slw_choices_choice(choices, "durable");
        c->open = calloc(SLW_SQLITE_CAPACITY, sizeof(*c->open));
        c->table = sqlite3_mprintf("\"%w\"", table);
    }
    if (!c || !c->open || !c->table) {
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for SQLite");
    } else if (sqlite3_open_v2(where, &c->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                               NULL) != SQLITE_OK) {
        slw_error_hint(err, "check the folder named by --connect, and that it can be written");
        slw_error_at(err, "%.200s", where);
        rc = c->db
                 ? slw_fail(err, SLW_E_IO, "SQLite cannot open the file: %s", sqlite3_errmsg(c->db))
                 : slw_fail(err, SLW_E_NOMEM, "no memory for SQLite");
    } else {
        rc = prepare_file(c, err);
    }
    if (rc < 0) {
        close_connection(c);
        return rc;
    }
    *ret_connection = c;
    return 0;
}

static int create(void *connection, struct slw_error *err)
{
    struct slw_sqlite *c = connection;
    char *sql = sqlite3_mprintf("DROP TABLE IF EXISTS %s;"
                                "CREATE TABLE %s(row INTEGER PRIMARY KEY AUTOINCREMENT,"
                                " id INTEGER NOT NULL UNIQUE, payload BLOB NOT NULL)",
                                c->table, c->table);

    if (!sql)
        return slw_fail(err, SLW_E_NOMEM, "no memory for SQLite");
    slw_sqlite_forget(c);
    const int code = execute(c, sql);
    sqlite3_free(sql);
    return code == SQLITE_OK ? 0 : fail(c, "create the table", err);
}

static int visit(void *connection, int (*visit_id)(void *ctx, uint64_t id), void *ctx,
                 struct slw_error *err)
{
    struct slw_sqlite *c = connection;
    char *sql = sqlite3_mprintf("SELECT id FROM %s ORDER BY id", c->table);
    sqlite3_stmt *s = NULL;
    int rc = 0, code = SQLITE_NOMEM;

    if (sql)
        code = sqlite3_prepare_v2(c->db, sql, -1, &s, NULL);
    sqlite3_free(sql);
    while (rc == 0 && (code == SQLITE_OK || code == SQLITE_ROW)) {
        code = sqlite3_step(s);
        if (code == SQLITE_ROW)
            rc = visit_id(ctx, (uint64_t)sqlite3_column_int64(s, 0));
    }
    if (rc == 0 && code != SQLITE_DONE)
        rc = fail(c, "list the rows", err);
    (void)sqlite3_finalize(s);
    return rc;
}

/* ---- many requests ---- */

/* In pieces a statement can hold. */
static int statements(struct slw_sqlite *c, const struct slw_request *requests, size_t count,
                      size_t most, struct slw_answer *answers)
{
    int code = SQLITE_OK;

    for (size_t at = 0; at < count && code == SQLITE_OK;) {
        size_t n = 1;
        while (n < most && at + n < count && requests[at + n].again == requests[at].again)
            n++;
        code = slw_sqlite_statement(c, requests + at, n, answers + at);
        at += n;
    }
    return code;
}

/* All or nothing, in `most` requests a statement. */
static int transaction(struct slw_sqlite *c, const struct slw_request *requests, size_t count,
                       size_t most, struct slw_answer *answers)
{
    int code = execute(c, "BEGIN IMMEDIATE");

    if (code == SQLITE_OK) {
        code = statements(c, requests, count, most, answers);
        if (code == SQLITE_OK)
            code = execute(c, "COMMIT");
        if (code == SQLITE_OK)
            return SQLITE_OK;
    }
    slw_sqlite_fail(c, code, answers, count); /* what was said before ROLLBACK */
    if (!sqlite3_get_autocommit(c->db))
        (void)execute(c, "ROLLBACK");
    return code;
}

static void one_by_one(struct slw_sqlite *c, const struct slw_request *requests, size_t count,
                       struct slw_answer *answers)
{
    for (size_t i = 0; i < count; i++)
        (void)slw_sqlite_statement(c, &requests[i], 1, &answers[i]);
}

static bool is_alike(const struct slw_request *requests, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (requests[i].again != requests[0].again)
            return false;
    return true;
}

static int finish_payloads(struct slw_sqlite *c, const struct slw_request *requests, size_t count,
                           struct slw_answer *answers, struct slw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct slw_answer *a = &answers[i];

        if (requests[i].op != SLW_OP_READ || a->outcome != SLW_OUTCOME_DONE)
            continue;
        a->payload = a->length ? c->payloads.data + a->row : "";
        a->row = 0;
    }
    return slw_buf_failed(&c->payloads) ? slw_fail(err, SLW_E_NOMEM, "no memory for the answers")
                                        : 0;
}

static void forget_payloads(struct slw_sqlite *c)
{
    if (slw_buf_failed(&c->payloads))
        slw_buf_release(&c->payloads);
    c->payloads.length = 0;
}

static int run(void *connection, enum slw_batching how, const struct slw_request *requests,
               size_t count, struct slw_answer *answers, struct slw_error *err)
{
    struct slw_sqlite *c = connection;

    forget_payloads(c);
    if (count == 0)
        return 0;
    switch (how) {
    case SLW_BATCHING_NONE:
        one_by_one(c, requests, count, answers);
        break;
    case SLW_BATCHING_STATEMENT:
        if (count <= SLW_SQLITE_ROWS && is_alike(requests, count) && !requests[0].again)
            (void)slw_sqlite_statement(c, requests, count, answers);
        else
            (void)transaction(c, requests, count, SLW_SQLITE_ROWS, answers);
        break;
    case SLW_BATCHING_TRANSACTION:
        (void)transaction(c, requests, count, 1, answers);
        break;
    case SLW_BATCHING_PIPELINE:
    case SLW_BATCHING_COUNT:
        return slw_fail(err, SLW_E_UNSUPPORTED, "SQLite has no pipeline: there is no wire");
    }
    return finish_payloads(c, requests, count, answers, err);
}

/* ---- without waiting ---- */

static int submit(void *connection, const struct slw_request *request, uint64_t token,
                  struct slw_error *err)
{
    struct slw_sqlite *c = connection;

    if (c->open_count == SLW_SQLITE_CAPACITY)
        return slw_fail(err, SLW_E_LIMIT, "more than %d requests are open", SLW_SQLITE_CAPACITY);
    c->open[(c->open_first + c->open_count++) % SLW_SQLITE_CAPACITY] =
        (struct slw_sqlite_open){*request, token};
    return 0;
}

static int flush(void *connection, struct slw_error *err)
{
    (void)connection; /* the work is done where the answers are asked for */
    (void)err;
    return 0;
}

static int poll_answers(void *connection, int timeout_ms, struct slw_completion *completions,
                        size_t count, struct slw_error *err)
{
    struct slw_sqlite *c = connection;
    size_t n = 0;
    int rc = 0;

    (void)timeout_ms;
    forget_payloads(c);
    for (; n < count && c->open_count > 0; n++) {
        const struct slw_sqlite_open o = c->open[c->open_first];

        c->open_first = (c->open_first + 1) % SLW_SQLITE_CAPACITY;
        c->open_count--;
        completions[n].token = o.token;
        (void)slw_sqlite_statement(c, &o.request, 1, &completions[n].answer);
        if (o.request.op != SLW_OP_READ)
            completions[n].answer.payload = "";
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        const struct slw_request read = {.op = SLW_OP_READ};
        if (!completions[i].answer.payload)
            rc = finish_payloads(c, &read, 1, &completions[i].answer, err);
    }
    return rc < 0 ? rc : (int)n;
}

static int descriptor(void *connection)
{
    (void)connection;
    return -1;
}

static int durability(void *connection, char *text, size_t size)
{
    const struct slw_sqlite *c = connection;

    (void)snprintf(text, size, "%s", durabilities[c->durable]);
    return 0;
}

const struct slw_driver slw_driver_sqlite = {
    .name = "sqlite",
    .summary = "SQLite, in the client's process",
    .embedded = true,
    .generates_rows = true,
    .batchings =
        1U << SLW_BATCHING_NONE | 1U << SLW_BATCHING_STATEMENT | 1U << SLW_BATCHING_TRANSACTION,
    .settings = settings,
    .open = open_connection,
    .close = close_connection,
    .create = create,
    .visit = visit,
    .run = run,
    .capacity = SLW_SQLITE_CAPACITY,
    .submit = submit,
    .flush = flush,
    .poll = poll_answers,
    .descriptor = descriptor,
    .durability = durability,
};
