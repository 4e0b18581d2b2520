/* SPDX-License-Identifier: MIT */
/* Parts of the PostgreSQL driver. The connection stays in pipeline mode and non-blocking: what
 * waits is here, with a bound. */
#ifndef SLW_WORKLOADS_DRIVERS_POSTGRES_INT_H
#define SLW_WORKLOADS_DRIVERS_POSTGRES_INT_H

#include "base/buf.h"
#include "workloads/answer.h"
#include "workloads/driver.h"

#include <libpq-fe.h>

/* Statements the server keeps for this connection, prepared when they are first used. */
enum slw_pg_statement {
    SLW_PG_INSERT,
    SLW_PG_INSERT_AGAIN, /* nothing when the id is there: then SLW_PG_ROW tells */
    SLW_PG_ROW,
    SLW_PG_UPDATE,
    SLW_PG_READ,
    SLW_PG_INSERT_MANY, /* ids and payloads as two arrays */
    SLW_PG_INSERT_MANY_AGAIN,
    SLW_PG_ROW_MANY,
    SLW_PG_UPDATE_MANY,
    SLW_PG_READ_MANY,
    SLW_PG_STATEMENTS
};

#define SLW_PG_CAPACITY 4096      /* submitted and not yet answered */
#define SLW_PG_UNSENT   (4 << 20) /* bytes libpq may hold before a sender has to wait */

struct slw_pg_open {
    uint64_t token;
    enum slw_op op;
};

struct slw_pg {
    PGconn *pg;
    char table[64];
    bool broken; /* the socket is: what came before it broke may still be read */
    bool gone;   /* nothing more can be asked or read */
    char why[120];
    bool prepared[SLW_PG_STATEMENTS];
    char not_prepared[120];        /* what the server said to the last one it did not prepare */
    size_t unsent;                 /* bytes, at most: since libpq last said it had sent all */
    struct slw_pg_open *open;      /* a ring of SLW_PG_CAPACITY */
    size_t open_first, open_count; /* of the ring */
    struct slw_answer answer;      /* of the oldest, as far as it has come */
    bool answered;                 /* something of it has come */
    struct slw_keep keep;          /* PGresults that answers point into */
};

/* ---- postgres/wire.c: sending, waiting ---- */

/* Prepare from..to where not done yet. Waits, so only while nothing is open. What the server says
 * against it is in c->not_prepared, and in the answers of those who use it all the same. */
int slw_pg_prepare(struct slw_pg *c, enum slw_pg_statement from, enum slw_pg_statement to,
                   struct slw_error *err);
/* One request, without the end that makes the server commit. */
int slw_pg_put(struct slw_pg *c, const struct slw_request *request, struct slw_error *err);
int slw_pg_put_text(struct slw_pg *c, const char *sql, struct slw_error *err);
int slw_pg_put_statement(struct slw_pg *c, enum slw_pg_statement statement, int count,
                         const char *const *values, const int *lengths, struct slw_error *err);
/* A PGresult or NULL that is there without waiting; 0: one has to wait. */
int slw_pg_result(struct slw_pg *c, PGresult **ret_result, struct slw_error *err);
int slw_pg_end(struct slw_pg *c, struct slw_error *err);  /* ... and that end */
int slw_pg_push(struct slw_pg *c, struct slw_error *err); /* write what can be written */
/* Wait until something came, timeout_ms at most. 1, 0 for nothing, -SLW_E_GONE. */
int slw_pg_wait(struct slw_pg *c, int timeout_ms, struct slw_error *err);
/* The next result, waited for; never NULL when 0 is returned. PQclear it. */
int slw_pg_next(struct slw_pg *c, PGresult **ret_result, struct slw_error *err);
int slw_pg_give_up(void *connection, const char *why, struct slw_error *err);

/* ---- postgres/result.c ---- */

enum slw_outcome slw_pg_outcome(const char *sqlstate); /* "40001"; NULL: the connection broke */
void slw_pg_fail(struct slw_pg *c, const PGresult *result, struct slw_answer *a);
/* One result of a single request into its answer. Takes the result. */
void slw_pg_take(struct slw_pg *c, enum slw_op op, PGresult *result, struct slw_answer *a);
uint64_t slw_pg_number(const PGresult *result, int row, int column); /* a binary bigint */

/* ---- postgres/pipe.c ---- */

int slw_pg_submit(void *connection, const struct slw_request *request, uint64_t token,
                  struct slw_error *err);
int slw_pg_flush(void *connection, struct slw_error *err);
int slw_pg_poll(void *connection, int timeout_ms, struct slw_completion *completions, size_t count,
                struct slw_error *err);

/* ---- postgres/group.c: all or nothing ---- */

int slw_pg_statement(void *connection, const struct slw_request *requests, size_t count,
                     struct slw_answer *answers, struct slw_error *err);
int slw_pg_transaction(void *connection, const struct slw_request *requests, size_t count,
                       struct slw_answer *answers, struct slw_error *err);
/* Commands without an answer worth reading, in one transaction; for create(). */
int slw_pg_command(struct slw_pg *c, const char *const *sql, size_t count, const char *what,
                   struct slw_error *err);
/* One result of one query that gives rows; NULL parameter: none. Only while nothing is open. */
int slw_pg_query(struct slw_pg *c, const char *sql, const char *parameter, const char *what,
                 PGresult **ret_result, struct slw_error *err);

/* ---- postgres/connect.c ---- */

int slw_pg_connect(const char *where, const struct slw_choices *choices, PGconn **ret_pg,
                   struct slw_error *err);

#endif
