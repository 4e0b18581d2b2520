/* SPDX-License-Identifier: MIT */
/* One statement for one or many requests, and whose answer each row it gives is. */
#include "workloads/drivers/sqlite/sqlite_int.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void put_rows(struct slw_buf *sql, const char *row, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        slw_buf_printf(sql, "%s%s", i ? "," : "", row);
}

static void put_sql(struct slw_buf *sql, const char *table, enum slw_sqlite_kind kind, size_t rows)
{
    switch (kind) {
    case SLW_SQLITE_INSERT:
    case SLW_SQLITE_INSERT_AGAIN:
        slw_buf_printf(sql, "INSERT INTO %s(id,payload) VALUES ", table);
        put_rows(sql, "(?,?)", rows);
        slw_buf_printf(sql, "%s RETURNING id,row",
                       kind == SLW_SQLITE_INSERT ? "" : " ON CONFLICT(id) DO NOTHING");
        break;
    case SLW_SQLITE_UPDATE:
        slw_buf_puts(sql, "WITH v(a,b) AS (VALUES ");
        put_rows(sql, "(?,?)", rows);
        slw_buf_printf(sql, ") UPDATE %s SET payload=v.b FROM v WHERE id=v.a RETURNING id,row",
                       table);
        break;
    case SLW_SQLITE_READ:
    case SLW_SQLITE_ROW_OF:
        slw_buf_printf(sql, "SELECT id,%s FROM %s WHERE id IN (",
                       kind == SLW_SQLITE_READ ? "payload" : "row", table);
        put_rows(sql, "?", rows);
        slw_buf_puts(sql, ")");
        break;
    case SLW_SQLITE_KINDS:
        break;
    }
}

sqlite3_stmt *slw_sqlite_prepare(struct slw_sqlite *c, enum slw_sqlite_kind kind, size_t rows)
{
    struct slw_buf sql = {0};

    for (size_t i = 0; i < SLW_SQLITE_PREPARED; i++)
        if (c->prepared[i].rows == rows && c->prepared[i].kind == kind)
            return c->prepared[i].statement;
    struct slw_sqlite_prepared *slot = &c->prepared[c->next_prepared];
    (void)sqlite3_finalize(slot->statement);
    *slot = (struct slw_sqlite_prepared){0};
    put_sql(&sql, c->table, kind, rows);
    if (!slw_buf_failed(&sql) &&
        sqlite3_prepare_v3(c->db, sql.data, (int)sql.length, SQLITE_PREPARE_PERSISTENT,
                           &slot->statement, NULL) == SQLITE_OK) {
        slot->kind = kind;
        slot->rows = rows;
        c->next_prepared = (c->next_prepared + 1) % SLW_SQLITE_PREPARED;
    }
    slw_buf_release(&sql);
    return slot->statement;
}

void slw_sqlite_forget(struct slw_sqlite *c)
{
    for (size_t i = 0; i < SLW_SQLITE_PREPARED; i++)
        (void)sqlite3_finalize(c->prepared[i].statement);
    memset(c->prepared, 0, sizeof(c->prepared));
}

/* Source: https://sqlite.org/rescode.html */
enum slw_outcome slw_sqlite_outcome(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return SLW_OUTCOME_DONE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
        return SLW_OUTCOME_TRANSIENT;
    default: /* a full disk too: the statement was rolled back */
        return SLW_OUTCOME_REJECTED;
    }
}

void slw_sqlite_fail(struct slw_sqlite *c, int code, struct slw_answer *answers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        answers[i] = (struct slw_answer){.outcome = slw_sqlite_outcome(code)};
        (void)snprintf(answers[i].why, sizeof(answers[i].why), "%.119s", sqlite3_errmsg(c->db));
    }
}

static int bind(sqlite3_stmt *s, const struct slw_request *requests, size_t count)
{
    int at = 1, code = SQLITE_OK;

    for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
        const struct slw_request *r = &requests[i];

        code = sqlite3_bind_int64(s, at++, (sqlite3_int64)r->id);
        if (code == SQLITE_OK && r->op != SLW_OP_READ)
            code = r->length == 0
                       ? sqlite3_bind_zeroblob(s, at++, 0)
                       : sqlite3_bind_blob64(s, at++, r->payload, r->length, SQLITE_STATIC);
    }
    return code;
}

/* Rows come in any order; requests of one statement have ids that differ. Callers mostly sort, so
 * the place after the last one found is tried first. */
static struct slw_answer *answer_of(const struct slw_request *requests, size_t count,
                                    struct slw_answer *answers, uint64_t id, size_t *hint)
{
    assert(count > 0);
    size_t i = *hint % count;

    for (size_t n = 0; requests[i].id != id; n++) {
        assert(n < count); /* a row that nobody asked for */
        i = (i + 1) % count;
    }
    *hint = i + 1;
    return &answers[i];
}

static void take_row(struct slw_sqlite *c, sqlite3_stmt *s, enum slw_sqlite_kind kind,
                     struct slw_answer *a)
{
    a->outcome = SLW_OUTCOME_DONE;
    if (kind == SLW_SQLITE_READ) {
        const void *bytes = sqlite3_column_blob(s, 1);

        a->length = (size_t)sqlite3_column_bytes(s, 1);
        a->row = c->payloads.length; /* for the moment: where the payload is */
        slw_buf_put(&c->payloads, a->length ? bytes : "", a->length);
        return;
    }
    a->affected = kind != SLW_SQLITE_ROW_OF;
    a->row = (uint64_t)sqlite3_column_int64(s, 1);
}

static int run_kind(struct slw_sqlite *c, enum slw_sqlite_kind kind,
                    const struct slw_request *requests, size_t count, struct slw_answer *answers)
{
    sqlite3_stmt *s = slw_sqlite_prepare(c, kind, count);
    size_t hint = 0;
    int code = s ? bind(s, requests, count) : sqlite3_errcode(c->db);

    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(s);
        if (code == SQLITE_ROW)
            take_row(
                c, s, kind,
                answer_of(requests, count, answers, (uint64_t)sqlite3_column_int64(s, 0), &hint));
    }
    if (code != SQLITE_DONE)
        slw_sqlite_fail(c, code, answers, count);
    if (s) {
        (void)sqlite3_reset(s); /* says once more what step said */
        (void)sqlite3_clear_bindings(s);
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* What an earlier try stored is not stored again, so INSERT gives no row for it. */
static int rows_of_earlier(struct slw_sqlite *c, const struct slw_request *requests, size_t count,
                           struct slw_answer *answers)
{
    int code = SQLITE_OK;

    for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
        struct slw_request read = requests[i];

        if (answers[i].row != 0)
            continue;
        read.op = SLW_OP_READ;
        code = run_kind(c, SLW_SQLITE_ROW_OF, &read, 1, &answers[i]);
        answers[i].affected = answers[i].row != 0;
    }
    return code;
}

int slw_sqlite_statement(struct slw_sqlite *c, const struct slw_request *requests, size_t count,
                         struct slw_answer *answers)
{
    static const enum slw_sqlite_kind kinds[] = {
        [SLW_OP_INSERT] = SLW_SQLITE_INSERT,
        [SLW_OP_UPDATE] = SLW_SQLITE_UPDATE,
        [SLW_OP_READ] = SLW_SQLITE_READ,
    };
    const bool again = requests[0].op == SLW_OP_INSERT && requests[0].again;
    const enum slw_sqlite_kind kind = again ? SLW_SQLITE_INSERT_AGAIN : kinds[requests[0].op];

    for (size_t i = 0; i < count; i++)
        answers[i] = (struct slw_answer){.outcome = kind == SLW_SQLITE_READ ? SLW_OUTCOME_NOTHING
                                                                            : SLW_OUTCOME_DONE};
    int code = run_kind(c, kind, requests, count, answers);
    if (code == SQLITE_OK && again)
        code = rows_of_earlier(c, requests, count, answers);
    return code;
}
