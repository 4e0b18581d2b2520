/* SPDX-License-Identifier: MIT */
/* One request by a prepared statement: what NONE does. */
#include "workloads/drivers/mariadb/mariadb_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(struct slw_maria *c, MYSQL_STMT *s, struct slw_answer *a, struct slw_error *err)
{
    const unsigned code = mysql_stmt_errno(s);

    slw_maria_fail(code, mysql_stmt_error(s), a);
    return slw_maria_is_gone(code) ? slw_maria_give_up(c, a->why, err) : 0;
}

void slw_maria_forget(struct slw_maria *c)
{
    for (size_t i = 0; i < SLW_OP_COUNT; i++) {
        if (c->prepared[i])
            (void)mysql_stmt_close(c->prepared[i]);
        c->prepared[i] = NULL;
    }
}

/* NULL: *a says why, or the connection is gone (*rc). */
static MYSQL_STMT *prepare(struct slw_maria *c, enum slw_op op, struct slw_answer *a, int *rc,
                           struct slw_error *err)
{
    static const char *const texts[][2] = {
        [SLW_OP_INSERT] = {"INSERT INTO ", "(id,payload) VALUES (?,?)"},
        [SLW_OP_UPDATE] = {"UPDATE ", " SET payload=? WHERE id=?"},
        [SLW_OP_READ] = {"SELECT payload FROM ", " WHERE id=?"},
    };
    char sql[160];

    if (c->prepared[op])
        return c->prepared[op];
    MYSQL_STMT *s = mysql_stmt_init(c->my);
    if (!s) {
        slw_answer_failed(a, SLW_OUTCOME_TRANSIENT, "no memory for a statement", 25);
        return NULL;
    }
    const int length = snprintf(sql, sizeof(sql), "%s%s%s", texts[op][0], c->table, texts[op][1]);
    if (mysql_stmt_prepare(s, sql, (unsigned long)length) != 0) {
        *rc = failed(c, s, a, err);
        (void)mysql_stmt_close(s);
        return NULL;
    }
    c->prepared[op] = s;
    return s;
}

/* The one row that may be there, without knowing its length before. */
static int take_payload(struct slw_maria *c, MYSQL_STMT *s, struct slw_answer *a,
                        struct slw_error *err)
{
    unsigned long length = 0;
    MYSQL_BIND out = {.buffer_type = MYSQL_TYPE_BLOB, .length = &length};

    *a = (struct slw_answer){.outcome = SLW_OUTCOME_NOTHING};
    if (mysql_stmt_bind_result(s, &out) != 0 || mysql_stmt_store_result(s) != 0)
        return failed(c, s, a, err);
    const int fetched = mysql_stmt_fetch(s);
    if (fetched == 1)
        return failed(c, s, a, err);
    if (fetched == MYSQL_NO_DATA)
        return 0;
    void *bytes = malloc(length + 1);
    if (!bytes || slw_keep_put(&c->blobs, bytes) < 0) {
        free(bytes);
        slw_answer_failed(a, SLW_OUTCOME_TRANSIENT, "no memory for the answer", 24);
        return 0;
    }
    out.buffer = bytes;
    out.buffer_length = length + 1;
    if (length > 0 && mysql_stmt_fetch_column(s, &out, 0, 0) != 0)
        return failed(c, s, a, err);
    *a = (struct slw_answer){.outcome = SLW_OUTCOME_DONE, .payload = bytes, .length = length};
    return 0;
}

static int execute(struct slw_maria *c, MYSQL_STMT *s, const struct slw_request *r,
                   struct slw_answer *a, struct slw_error *err)
{
    uint64_t id = r->id;
    unsigned long length = (unsigned long)r->length;
    char nothing = '\0';
    /* The library only reads; its struct is for both ways. */
    union {
        const void *in;
        void *out;
    } payload = {.in = r->length ? r->payload : &nothing};
    const MYSQL_BIND id_bind = {
        .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &id, .is_unsigned = 1};
    const MYSQL_BIND payload_bind = {.buffer_type = MYSQL_TYPE_LONG_BLOB,
                                     .buffer = payload.out,
                                     .buffer_length = length,
                                     .length = &length};
    MYSQL_BIND binds[2] = {id_bind, payload_bind};

    if (r->op == SLW_OP_UPDATE) {
        binds[0] = payload_bind;
        binds[1] = id_bind;
    }
    if (mysql_stmt_bind_param(s, binds) != 0 || mysql_stmt_execute(s) != 0)
        return failed(c, s, a, err);
    if (r->op == SLW_OP_READ) {
        const int rc = take_payload(c, s, a, err);
        (void)mysql_stmt_free_result(s);
        return rc;
    }
    slw_answer_done(a, mysql_stmt_affected_rows(s),
                    r->op == SLW_OP_INSERT ? mysql_stmt_insert_id(s) : 0);
    return 0;
}

struct one {
    struct slw_maria *c;
    const struct slw_request *request;
    struct slw_answer *answer;
};

static void take_part(void *ctx, size_t statement, MYSQL_RES *rows)
{
    const struct one *o = ctx;

    (void)slw_maria_take(o->c, o->request, statement, rows, o->answer);
}

/* Rare: two statements in a packet. */
static int insert_again(struct slw_maria *c, const struct slw_request *r, struct slw_answer *a,
                        struct slw_error *err)
{
    struct one o = {c, r, a};
    struct slw_answer failure;

    slw_maria_begin(c);
    slw_maria_put_request(c, r);
    const int rc = slw_maria_run_script(c, take_part, &o, &failure, err);
    if (failure.outcome != SLW_OUTCOME_DONE)
        *a = failure;
    return rc;
}

int slw_maria_prepared(struct slw_maria *c, const struct slw_request *r, struct slw_answer *a,
                       struct slw_error *err)
{
    int rc = 0;

    slw_answers_lost(a, 1, "no answer came");
    if (slw_maria_parts(r) > 1)
        return insert_again(c, r, a, err);
    if (r->op != SLW_OP_READ && r->length + 64 >= c->most_bytes) {
        slw_answer_failed(a, SLW_OUTCOME_REJECTED, "more than max_allowed_packet", 28);
        return 0;
    }
    MYSQL_STMT *s = prepare(c, r->op, a, &rc, err);
    return s ? execute(c, s, r, a, err) : rc;
}
