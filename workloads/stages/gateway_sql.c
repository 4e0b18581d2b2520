/* SPDX-License-Identifier: MIT */
/* The stages that read and update a row of a private SQLite database in memory. What an answer says
 * does not depend on updates, so that it is the same in whatever order stages of different requests
 * run. */
#include "workloads/load.h"
#include "workloads/stages/gateway_int.h"

#include <slotwise/stage.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char create[] = "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, payload TEXT, "
                             "score INTEGER, seen INTEGER, price REAL);"
                             "CREATE INDEX item_name ON item(name);"
                             "BEGIN";
static const char insert_sql[] = "INSERT INTO item VALUES(?1, ?2, ?3, ?4, 0, 0)";
static const char select_sql[] =
    "SELECT upper(name) || '-' || payload, score + length(name) * 2 FROM item "
    "WHERE id = ?1 AND name LIKE 'item%'";
static const char update_sql[] = "UPDATE item SET price = ?1, seen = seen + 1 WHERE id = ?2";

#define MAX_NAME 32

static int name_of(uint64_t key, char name[MAX_NAME])
{
    return snprintf(name, MAX_NAME, "item-%" PRIu64, key);
}

size_t slw_gateway_row(uint64_t seed, uint64_t key, size_t payload, char *text)
{
    char name[MAX_NAME];
    const int n = name_of(key, name);

    for (int i = 0; i < n; i++)
        text[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
    text[n] = '-';
    slw_payload_fill(seed, key, text + n + 1, payload);
    return (size_t)n + 1 + payload;
}

static int fail(struct slw_gateway *g, const char *what, struct slw_error *err)
{
    return slw_fail(err, g->db && sqlite3_errcode(g->db) != SQLITE_NOMEM ? SLW_E_IO : SLW_E_NOMEM,
                    "SQLite cannot %s: %s", what, g->db ? sqlite3_errmsg(g->db) : "no memory");
}

static int insert_row(struct slw_gateway *g, sqlite3_stmt *insert, uint64_t key, uint64_t seed,
                      char *payload)
{
    char name[MAX_NAME];
    const int n = name_of(key, name);

    slw_payload_fill(seed, key, payload, g->payload);
    if (sqlite3_bind_int64(insert, 1, (sqlite3_int64)key) != SQLITE_OK ||
        sqlite3_bind_text(insert, 2, name, n, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(insert, 3, payload, (int)g->payload, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(insert, 4, 3 * (sqlite3_int64)key) != SQLITE_OK ||
        sqlite3_step(insert) != SQLITE_DONE)
        return -1;
    return sqlite3_reset(insert) == SQLITE_OK ? 0 : -1;
}

static int fill(struct slw_gateway *g, uint64_t rows, uint64_t seed, struct slw_error *err)
{
    sqlite3_stmt *insert = NULL;
    char *payload = malloc(g->payload + 1);
    int r = payload ? sqlite3_prepare_v2(g->db, insert_sql, -1, &insert, NULL) : SQLITE_NOMEM;

    r = r == SQLITE_OK ? 0 : -1;
    for (uint64_t key = 1; key <= rows && r == 0; key++)
        r = insert_row(g, insert, key, seed, payload);
    if (r < 0)
        r = fail(g, "fill its table", err);
    (void)sqlite3_finalize(insert);
    free(payload);
    return r;
}

/* One transaction from beginning to end: a commit for each request would be what is measured. */
int slw_gateway_open_sql(struct slw_gateway *g, uint64_t rows, uint64_t seed, struct slw_error *err)
{
    if (sqlite3_open_v2(":memory:", &g->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(g->db, create, NULL, NULL, NULL) != SQLITE_OK)
        return fail(g, "make its table", err);
    const int r = fill(g, rows, seed, err);
    if (r < 0)
        return r;
    if (sqlite3_prepare_v3(g->db, select_sql, -1, SQLITE_PREPARE_PERSISTENT, &g->select, NULL) !=
            SQLITE_OK ||
        sqlite3_prepare_v3(g->db, update_sql, -1, SQLITE_PREPARE_PERSISTENT, &g->update, NULL) !=
            SQLITE_OK)
        return fail(g, "prepare its statements", err);
    return 0;
}

void slw_gateway_close_sql(struct slw_gateway *g)
{
    (void)sqlite3_finalize(g->select);
    (void)sqlite3_finalize(g->update);
    (void)sqlite3_close(g->db);
    g->select = NULL;
    g->update = NULL;
    g->db = NULL;
}

int slw_gateway_updates(struct slw_gateway *g, uint64_t *ret_updates, struct slw_error *err)
{
    sqlite3_stmt *sum = NULL;
    int r = sqlite3_prepare_v2(g->db, "SELECT sum(seen) FROM item", -1, &sum, NULL);

    if (r == SQLITE_OK && sqlite3_step(sum) == SQLITE_ROW)
        *ret_updates = (uint64_t)sqlite3_column_int64(sum, 0);
    else
        r = SQLITE_ERROR;
    const int status = r == SQLITE_OK ? 0 : fail(g, "count the updates", err);
    (void)sqlite3_finalize(sum);
    return status;
}

static void fail_call(struct slw_gateway *g, const char *what)
{
    g->failed = true;
    (void)fail(g, what, &g->error);
}

/* The row's text is copied, because the next call steps the same statement: into `answer`, which is
 * not needed before `compress`. */
static void select_row(struct slw_gateway *g, struct slw_gateway_call *c)
{
    const size_t room = slw_gateway_answer_capacity(g->payload);

    if (sqlite3_bind_int64(g->select, 1, (sqlite3_int64)c->key) != SQLITE_OK ||
        sqlite3_step(g->select) != SQLITE_ROW) {
        fail_call(g, "read the row of a request");
        return;
    }
    const unsigned char *text = sqlite3_column_text(g->select, 0);
    const size_t length = (size_t)sqlite3_column_bytes(g->select, 0);
    if (!text || length > room) {
        fail_call(g, "take a row");
        return;
    }
    memcpy(c->answer, text, length);
    c->row = (const char *)c->answer;
    c->row_length = length;
    c->score = sqlite3_column_int64(g->select, 1);
    (void)sqlite3_reset(g->select); /* tells what step told */
}

static void update_row(struct slw_gateway *g, struct slw_gateway_call *c)
{
    if (!c->updates)
        return;
    if (sqlite3_bind_double(g->update, 1, c->price) != SQLITE_OK ||
        sqlite3_bind_int64(g->update, 2, (sqlite3_int64)c->key) != SQLITE_OK ||
        sqlite3_step(g->update) != SQLITE_DONE || sqlite3_changes(g->db) != 1)
        fail_call(g, "update the row of a request");
    (void)sqlite3_reset(g->update);
}

SLW_GATEWAY_RUN(select, select_row)
SLW_GATEWAY_RUN(update, update_row)
