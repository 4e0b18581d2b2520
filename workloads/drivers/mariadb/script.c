/* SPDX-License-Identifier: MIT */
/* Statements as text, several in a packet, and what their results mean for a request. */
#include "workloads/drivers/mariadb/mariadb_int.h"

#include <errmsg.h>
#include <inttypes.h>
#include <mysqld_error.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what failed ---- */

int slw_maria_give_up(void *connection, const char *why, struct slw_error *err)
{
    struct slw_maria *c = connection;

    if (!c->gone)
        (void)snprintf(c->why, sizeof(c->why), "%s", why);
    c->gone = true;
    return slw_fail(err, SLW_E_GONE, "the connection to MariaDB is gone: %s", c->why);
}

bool slw_maria_is_gone(unsigned code)
{
    return (code >= CR_MIN_ERROR && code <= CR_MYSQL_LAST_ERROR) || /* the library's own */
           code == CR_SERVER_LOST_EXTENDED || code == ER_SERVER_SHUTDOWN ||
           code == ER_CONNECTION_KILLED;
}

/* Source: https://mariadb.com/kb/en/mariadb-error-code-reference/ */
enum slw_outcome slw_maria_outcome(unsigned code)
{
    if (slw_maria_is_gone(code))
        return SLW_OUTCOME_LOST;
    switch (code) {
    case ER_LOCK_DEADLOCK:
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_CON_COUNT_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
    case ER_DISK_FULL:
    case ER_RECORD_FILE_FULL:
    case ER_OUTOFMEMORY:
    case ER_OUT_OF_RESOURCES:
    case ER_QUERY_INTERRUPTED:
    case ER_STATEMENT_TIMEOUT:
    case ER_OPTION_PREVENTS_STATEMENT: /* --read-only: a replica that may be promoted */
    case ER_NEED_REPREPARE:
    case ER_CHECKREAD: /* the row changed since it was read */
        return SLW_OUTCOME_TRANSIENT;
    default:
        return SLW_OUTCOME_REJECTED;
    }
}

void slw_maria_fail(unsigned code, const char *text, struct slw_answer *a)
{
    char why[160];
    const int length = snprintf(why, sizeof(why), "%u %.150s", code, text);

    slw_answer_failed(a, slw_maria_outcome(code), why, (size_t)length);
}

/* ---- making a script ---- */

void slw_maria_drop(void *rows)
{
    mysql_free_result(rows);
}

void slw_maria_begin(struct slw_maria *c)
{
    if (slw_buf_failed(&c->script))
        slw_buf_release(&c->script);
    c->script.length = 0;
}

void slw_maria_put_text(struct slw_maria *c, const char *text)
{
    const size_t length = strcspn(text, "@");

    slw_buf_put(&c->script, text, length);
    if (text[length] == '@') {
        slw_buf_puts(&c->script, c->table);
        slw_buf_puts(&c->script, text + length + 1);
    }
}

static void put_payload(struct slw_maria *c, const struct slw_request *r)
{
    const char *bytes = r->payload;
    char piece[4097];

    slw_buf_puts(&c->script, "_binary'");
    for (size_t at = 0; at < r->length;) {
        const size_t n = r->length - at < 2048 ? r->length - at : 2048;
        const unsigned long length =
            mysql_real_escape_string(c->my, piece, bytes + at, (unsigned long)n);
        slw_buf_put(&c->script, piece, length);
        at += n;
    }
    slw_buf_putc(&c->script, '\'');
}

size_t slw_maria_put_list(struct slw_maria *c, const struct slw_request *requests, size_t count,
                          enum slw_maria_which which, bool values)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        const struct slw_request *r = &requests[i];

        if (which != SLW_MARIA_ALL && r->again != (which == SLW_MARIA_AGAIN))
            continue;
        slw_buf_printf(&c->script, "%s%s%" PRIu64, n ? "," : "", values ? "(" : "", r->id);
        if (values) {
            slw_buf_putc(&c->script, ',');
            put_payload(c, r);
            slw_buf_putc(&c->script, ')');
        }
        n++;
    }
    return n;
}

size_t slw_maria_parts(const struct slw_request *r)
{
    return r->op == SLW_OP_INSERT && r->again ? 2 : 1;
}

void slw_maria_put_request(struct slw_maria *c, const struct slw_request *r)
{
    switch (r->op) {
    case SLW_OP_INSERT:
        slw_maria_put_text(c, "INSERT INTO @(id,payload) VALUES ");
        (void)slw_maria_put_list(c, r, 1, SLW_MARIA_ALL, true);
        if (!r->again)
            break;
        slw_maria_put_text(c, " ON DUPLICATE KEY UPDATE id=id;");
        slw_maria_put_text(c, "SELECT `row` FROM @ WHERE id=");
        slw_buf_printf(&c->script, "%" PRIu64, r->id);
        break;
    case SLW_OP_UPDATE:
        slw_maria_put_text(c, "UPDATE @ SET payload=");
        put_payload(c, r);
        slw_buf_printf(&c->script, " WHERE id=%" PRIu64, r->id);
        break;
    case SLW_OP_READ:
        slw_maria_put_text(c, "SELECT payload FROM @ WHERE id=");
        slw_buf_printf(&c->script, "%" PRIu64, r->id);
        break;
    case SLW_OP_COUNT:
        break;
    }
    slw_buf_putc(&c->script, ';');
}

/* ---- results ---- */

/* (payload) or (row). */
static bool take_rows(const struct slw_request *r, MYSQL_RES *rows, struct slw_answer *a)
{
    MYSQL_ROW row = mysql_fetch_row(rows);

    if (r->op == SLW_OP_READ)
        *a = (struct slw_answer){.outcome = SLW_OUTCOME_NOTHING};
    if (!row || !row[0])
        return false;
    if (r->op != SLW_OP_READ) {
        slw_answer_done(a, 1, strtoull(row[0], NULL, 10));
        return false;
    }
    *a = (struct slw_answer){
        .outcome = SLW_OUTCOME_DONE, .payload = row[0], .length = mysql_fetch_lengths(rows)[0]};
    return true;
}

bool slw_maria_take(struct slw_maria *c, const struct slw_request *r, size_t part, MYSQL_RES *rows,
                    struct slw_answer *a)
{
    bool keep = false;

    if (rows)
        keep = take_rows(r, rows, a);
    else if (r->op == SLW_OP_INSERT && part + 1 < slw_maria_parts(r))
        slw_answers_lost(a, 1, "the row that is there was not told");
    else
        slw_answer_done(a, mysql_affected_rows(c->my),
                        r->op == SLW_OP_INSERT ? mysql_insert_id(c->my) : 0);
    if (keep && slw_keep_put(&c->results, rows) == 0)
        return true;
    if (keep)
        slw_answer_failed(a, SLW_OUTCOME_TRANSIENT, "no memory for the answer", 24);
    if (rows)
        mysql_free_result(rows);
    return false;
}

static int failed(struct slw_maria *c, struct slw_answer *failure, struct slw_error *err)
{
    const unsigned code = mysql_errno(c->my);

    slw_maria_fail(code, mysql_error(c->my), failure);
    return slw_maria_is_gone(code) ? slw_maria_give_up(c, failure->why, err) : 0;
}

int slw_maria_ready(MYSQL *my, int waits_for, int timeout_ms)
{
    const short events = (short)((waits_for & MYSQL_WAIT_READ ? POLLIN : 0) |
                                 (waits_for & MYSQL_WAIT_WRITE ? POLLOUT : 0) |
                                 (waits_for & MYSQL_WAIT_EXCEPT ? POLLPRI : 0));
    const int got = slw_wait_for((int)mysql_get_socket(my), events, timeout_ms);

    if (got <= 0)
        return got;
    return (got & ~(POLLOUT | POLLPRI) ? waits_for & MYSQL_WAIT_READ : 0) |
           (got & (POLLOUT | POLLERR | POLLHUP) ? waits_for & MYSQL_WAIT_WRITE : 0) |
           (got & POLLPRI ? MYSQL_WAIT_EXCEPT : 0);
}

int slw_maria_run_script(struct slw_maria *c,
                         void (*take)(void *ctx, size_t statement, MYSQL_RES *rows), void *ctx,
                         struct slw_answer *failure, struct slw_error *err)
{
    size_t statement = 0;
    int rc;

    *failure = (struct slw_answer){.outcome = SLW_OUTCOME_DONE};
    if (slw_buf_failed(&c->script)) {
        slw_answer_failed(failure, SLW_OUTCOME_TRANSIENT, "no memory for a statement", 25);
        return 0;
    }
    if (c->script.length >= c->most_bytes) {
        slw_answer_failed(failure, SLW_OUTCOME_REJECTED, "more than max_allowed_packet", 28);
        return 0;
    }
    rc = mysql_real_query(c->my, c->script.data, (unsigned long)c->script.length);
    while (rc == 0) {
        MYSQL_RES *rows = NULL;

        if (mysql_field_count(c->my) > 0 && !(rows = mysql_store_result(c->my)))
            return failed(c, failure, err);
        take(ctx, statement++, rows);
        rc = mysql_next_result(c->my); /* -1: there is none */
    }
    return rc > 0 ? failed(c, failure, err) : 0;
}
