/* SPDX-License-Identifier: MIT */
/* All or nothing: one statement of many rows, or a transaction. */
#include "workloads/drivers/mariadb/mariadb_int.h"

#include <stdlib.h>
#include <string.h>

struct group {
    struct slw_maria *c;
    const struct slw_request *requests;
    size_t count;
    struct slw_answer *answers;
    struct slw_ids ids;
    size_t before; /* statements of the script that are no request's */
    size_t at, part;
};

/* ---- what comes back ---- */

/* Rows are (id, row) or (id, payload); statements without rows have nothing to say. */
static void take_many(void *ctx, size_t statement, MYSQL_RES *rows)
{
    struct group *g = ctx;
    const enum slw_op op = g->requests[0].op;
    MYSQL_ROW row;

    (void)statement;
    if (!rows)
        return;
    while ((row = mysql_fetch_row(rows)) != NULL) {
        const size_t at = slw_ids_find(&g->ids, g->requests, strtoull(row[0], NULL, 10));

        if (at == SIZE_MAX || !row[1])
            continue;
        slw_answer_done(&g->answers[at], op != SLW_OP_READ, 0);
        if (op == SLW_OP_INSERT) {
            g->answers[at].row = strtoull(row[1], NULL, 10);
        } else {
            g->answers[at].payload = row[1];
            g->answers[at].length = mysql_fetch_lengths(rows)[1];
        }
    }
    if (op == SLW_OP_READ && slw_keep_put(&g->c->results, rows) == 0)
        return;
    for (size_t i = 0; op == SLW_OP_READ && i < g->count; i++)
        slw_answer_failed(&g->answers[i], SLW_OUTCOME_TRANSIENT, "no memory for the answer", 24);
    mysql_free_result(rows);
}

/* The statements of a transaction are those of its requests, in their order. */
static void take_next(void *ctx, size_t statement, MYSQL_RES *rows)
{
    struct group *g = ctx;

    if (statement < g->before || g->at == g->count) { /* START TRANSACTION, COMMIT */
        if (rows)
            mysql_free_result(rows);
        return;
    }
    (void)slw_maria_take(g->c, &g->requests[g->at], g->part, rows, &g->answers[g->at]);
    if (++g->part == slw_maria_parts(&g->requests[g->at])) {
        g->part = 0;
        g->at++;
    }
}

static void take_nothing(void *ctx, size_t statement, MYSQL_RES *rows)
{
    (void)ctx;
    (void)statement;
    if (rows)
        mysql_free_result(rows);
}

static int roll_back(struct slw_maria *c, struct slw_error *err)
{
    struct slw_answer ignored;

    slw_maria_begin(c);
    slw_maria_put_text(c, "ROLLBACK");
    return slw_maria_run_script(c, take_nothing, NULL, &ignored, err);
}

/* All get the answer of the one that failed. */
static int finish(struct group *g, const struct slw_answer *failure, bool transaction, int rc,
                  struct slw_error *err)
{
    if (rc == 0 && failure->outcome != SLW_OUTCOME_DONE) {
        slw_answers_same(g->answers, g->count, failure);
        return transaction ? roll_back(g->c, err) : 0;
    }
    if (rc < 0)
        slw_answers_lost(g->answers, g->count, g->c->why);
    return rc;
}

/* ---- one statement ---- */

/* The rows that are there afterwards are asked for, in a transaction: where some may be there
 * before, or where INSERT cannot return what it stored. */
static void put_insert_and_ask(struct slw_maria *c, const struct slw_request *requests,
                               size_t count)
{
    static const char insert[] = "INSERT INTO @(id,payload) VALUES ";
    size_t length;

    slw_maria_put_text(c, "START TRANSACTION;");
    length = c->script.length;
    slw_maria_put_text(c, insert);
    if (slw_maria_put_list(c, requests, count, SLW_MARIA_AGAIN, true) > 0)
        slw_maria_put_text(c, " ON DUPLICATE KEY UPDATE id=id;");
    else
        c->script.length = length;
    length = c->script.length;
    slw_maria_put_text(c, insert);
    if (slw_maria_put_list(c, requests, count, SLW_MARIA_FRESH, true) > 0)
        slw_maria_put_text(c, ";");
    else
        c->script.length = length;
    slw_maria_put_text(c, "SELECT id,`row` FROM @ WHERE id IN (");
    (void)slw_maria_put_list(c, requests, count, SLW_MARIA_ALL, false);
    slw_maria_put_text(c, ");");
    slw_maria_put_text(c, "COMMIT;");
}

/* True: it is a transaction. */
static bool put_many(struct slw_maria *c, const struct slw_request *requests, size_t count)
{
    bool again = false;

    slw_maria_begin(c);
    if (requests[0].op == SLW_OP_READ) {
        slw_maria_put_text(c, "SELECT id,payload FROM @ WHERE id IN (");
        (void)slw_maria_put_list(c, requests, count, SLW_MARIA_ALL, false);
        slw_maria_put_text(c, ")");
        return false;
    }
    for (size_t i = 0; i < count; i++)
        again = again || requests[i].again;
    if (again || !c->returning) {
        put_insert_and_ask(c, requests, count);
        return true;
    }
    slw_maria_put_text(c, "INSERT INTO @(id,payload) VALUES ");
    (void)slw_maria_put_list(c, requests, count, SLW_MARIA_ALL, true);
    slw_maria_put_text(c, " RETURNING id,`row`");
    return false;
}

int slw_maria_statement(void *connection, const struct slw_request *requests, size_t count,
                        struct slw_answer *answers, struct slw_error *err)
{
    struct slw_maria *c = connection;
    struct group g = {.c = c, .requests = requests, .count = count, .answers = answers};
    struct slw_answer failure = {.outcome = SLW_OUTCOME_DONE};
    int rc = 0;

    if (requests[0].op == SLW_OP_UPDATE)
        return slw_maria_transaction(c, requests, count, answers, err);
    slw_answers_lost(answers, count, "the server did not say what became of it");
    for (size_t i = 0; requests[0].op == SLW_OP_READ && i < count; i++)
        answers[i] = (struct slw_answer){.outcome = SLW_OUTCOME_NOTHING};
    if (slw_requests_bytes(requests, count) >= c->most_bytes) {
        slw_answer_failed(&failure, SLW_OUTCOME_REJECTED, "more than max_allowed_packet", 28);
        return finish(&g, &failure, false, 0, err);
    }
    if (slw_ids_init(&g.ids, requests, count) < 0) {
        slw_answer_failed(&failure, SLW_OUTCOME_TRANSIENT, "no memory for a statement", 25);
        return finish(&g, &failure, false, 0, err);
    }
    const bool transaction = put_many(c, requests, count);
    rc = slw_maria_run_script(c, take_many, &g, &failure, err);
    slw_ids_release(&g.ids);
    return finish(&g, &failure, transaction, rc, err);
}

/* ---- a transaction ---- */

/* In as many packets as their size asks for. */
int slw_maria_transaction(void *connection, const struct slw_request *requests, size_t count,
                          struct slw_answer *answers, struct slw_error *err)
{
    struct slw_maria *c = connection;
    struct group g = {.c = c, .requests = requests, .count = count, .answers = answers};
    struct slw_answer failure = {.outcome = SLW_OUTCOME_DONE};
    size_t put = 0;
    int rc = 0;

    slw_answers_lost(answers, count, "the server did not say what became of it");
    while (rc == 0 && failure.outcome == SLW_OUTCOME_DONE && g.at < count) {
        slw_maria_begin(c);
        g.before = put == 0;
        if (put == 0)
            slw_maria_put_text(c, "START TRANSACTION;");
        for (size_t n = 0;
             put < count && n < SLW_MARIA_STATEMENTS &&
             c->script.length + (requests[put].op == SLW_OP_READ ? 0 : requests[put].length) <
                 SLW_MARIA_SCRIPT + 128;
             n++)
            slw_maria_put_request(c, &requests[put++]);
        if (put == count)
            slw_maria_put_text(c, "COMMIT;");
        rc = slw_maria_run_script(c, take_next, &g, &failure, err);
    }
    return finish(&g, &failure, true, rc, err);
}
