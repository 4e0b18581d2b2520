/* SPDX-License-Identifier: MIT */
/* Parts of the SQLite driver. */
#ifndef SLW_WORKLOADS_DRIVERS_SQLITE_INT_H
#define SLW_WORKLOADS_DRIVERS_SQLITE_INT_H

#include "base/buf.h"
#include "workloads/driver.h"

#include <sqlite3.h>

/* A statement for `rows` rows at once. */
enum slw_sqlite_kind {
    SLW_SQLITE_INSERT,
    SLW_SQLITE_INSERT_AGAIN,
    SLW_SQLITE_UPDATE,
    SLW_SQLITE_READ,
    SLW_SQLITE_ROW_OF, /* the row of an id that was stored before */
    SLW_SQLITE_KINDS
};

struct slw_sqlite_prepared {
    enum slw_sqlite_kind kind;
    size_t rows; /* 0: the slot is free */
    sqlite3_stmt *statement;
};

#define SLW_SQLITE_PREPARED 32   /* kept; the oldest goes first */
#define SLW_SQLITE_ROWS     8000 /* in one statement: below 32766 variables and 8 MB of text */
#define SLW_SQLITE_CAPACITY 1024 /* submitted and not yet answered */

struct slw_sqlite_open {
    struct slw_request request;
    uint64_t token;
};

struct slw_sqlite {
    sqlite3 *db;
    char *table; /* quoted */
    int durable; /* index into the choices of --durable */
    struct slw_sqlite_prepared prepared[SLW_SQLITE_PREPARED];
    size_t next_prepared;
    struct slw_buf payloads;      /* of the answers to READ of the last call */
    struct slw_sqlite_open *open; /* a ring of SLW_SQLITE_CAPACITY */
    size_t open_first, open_count;
};

/* The statement, ready to be bound; NULL when it cannot be prepared (sqlite3_errcode says why). */
sqlite3_stmt *slw_sqlite_prepare(struct slw_sqlite *c, enum slw_sqlite_kind kind, size_t rows);
void slw_sqlite_forget(struct slw_sqlite *c); /* all prepared statements */

/* What a result code means for a request. */
enum slw_outcome slw_sqlite_outcome(int code);

/* Do `count` requests of one op, and of one `again`, in one statement: all or nothing. Fills in all
 * answers; payloads are offsets into c->payloads until slw_sqlite_finish_payloads. Returns the
 * result code of SQLite. */
int slw_sqlite_statement(struct slw_sqlite *c, const struct slw_request *requests, size_t count,
                         struct slw_answer *answers);
void slw_sqlite_fail(struct slw_sqlite *c, int code, struct slw_answer *answers, size_t count);

#endif
