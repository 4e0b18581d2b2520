/* SPDX-License-Identifier: MIT */
/* Parts of the MariaDB driver. A script is one packet of statements that the server runs one after
 * the other, until one fails. */
#ifndef SLW_WORKLOADS_DRIVERS_MARIADB_INT_H
#define SLW_WORKLOADS_DRIVERS_MARIADB_INT_H

#include "base/buf.h"
#include "workloads/answer.h"
#include "workloads/driver.h"

#include <mysql.h>

#define SLW_MARIA_CAPACITY   4096      /* submitted and not yet answered */
#define SLW_MARIA_SCRIPT     (1 << 20) /* bytes after which a script of many requests ends */
#define SLW_MARIA_STATEMENTS 256       /* the same, requests */

enum slw_maria_step {
    SLW_MARIA_IDLE,
    SLW_MARIA_QUERY, /* sending the script, until its first result begins */
    SLW_MARIA_STORE, /* reading the rows of a result */
    SLW_MARIA_NEXT   /* until the next result begins */
};

struct slw_maria_open {
    struct slw_request request;
    uint64_t token;
};

struct slw_maria {
    MYSQL *my;
    char table[64];      /* quoted */
    bool returning;      /* INSERT ... RETURNING is there */
    uint64_t most_bytes; /* of a packet: max_allowed_packet */
    bool gone;           /* nothing more can be asked */
    char why[120];
    struct slw_buf script;
    MYSQL_STMT *prepared[SLW_OP_COUNT];
    struct slw_keep results; /* MYSQL_RES that answers point into */
    struct slw_keep blobs;   /* the same, of prepared statements: free() */
    /* ---- without waiting ---- */
    struct slw_maria_open *open; /* a ring of SLW_MARIA_CAPACITY */
    size_t open_first, open_count;
    size_t flushed;    /* of open: may be sent */
    size_t in_script;  /* of these: in the script that is under way */
    size_t group;      /* how many the next script may have */
    size_t parts_done; /* statements of the oldest request that were answered */
    enum slw_maria_step step;
    int waits_for;   /* MYSQL_WAIT_*; 0: the step has not begun, or is over: */
    bool over;       /* flush() finished the step, nobody has looked at it yet */
    int over_result; /* what it returned */
};

/* ---- mariadb/script.c ---- */

int slw_maria_give_up(void *connection, const char *why, struct slw_error *err);
enum slw_outcome slw_maria_outcome(unsigned code);
/* Of the last call into the library. */
void slw_maria_fail(unsigned code, const char *text, struct slw_answer *a);
bool slw_maria_is_gone(unsigned code); /* no use trying again with this connection */

void slw_maria_put_request(struct slw_maria *c, const struct slw_request *r);
void slw_maria_put_text(struct slw_maria *c, const char *text); /* '@' stands for the table */
/* "(id,'payload'),..." or "id,..." of those which are `again`, or are not, or all. */
enum slw_maria_which { SLW_MARIA_ALL, SLW_MARIA_FRESH, SLW_MARIA_AGAIN };
size_t slw_maria_put_list(struct slw_maria *c, const struct slw_request *requests, size_t count,
                          enum slw_maria_which which, bool values);
size_t slw_maria_parts(const struct slw_request *r); /* statements of slw_maria_put_request */
/* The result of part `part` of a request. True: the answer points into it. */
bool slw_maria_take(struct slw_maria *c, const struct slw_request *r, size_t part, MYSQL_RES *rows,
                    struct slw_answer *a);
void slw_maria_drop(void *rows);
void slw_maria_begin(struct slw_maria *c); /* an empty script, and what the last call kept goes */

/* Run the script and wait. `take` gets each result (rows: NULL for a statement that gives none; it
 * has to free them). 0; *failure is DONE unless a statement failed, which ends the script.
 * -SLW_E_GONE. */
int slw_maria_run_script(struct slw_maria *c,
                         void (*take)(void *ctx, size_t statement, MYSQL_RES *rows), void *ctx,
                         struct slw_answer *failure, struct slw_error *err);

/* What is ready of what a step waits for (MYSQL_WAIT_*), within timeout_ms; 0: nothing; -errno. */
int slw_maria_ready(MYSQL *my, int waits_for, int timeout_ms);

/* ---- mariadb/prepared.c ---- */

int slw_maria_prepared(struct slw_maria *c, const struct slw_request *r, struct slw_answer *a,
                       struct slw_error *err);
void slw_maria_forget(struct slw_maria *c); /* all prepared statements */

/* ---- mariadb/pipe.c ---- */

int slw_maria_submit(void *connection, const struct slw_request *request, uint64_t token,
                     struct slw_error *err);
int slw_maria_flush(void *connection, struct slw_error *err);
int slw_maria_poll(void *connection, int timeout_ms, struct slw_completion *completions,
                   size_t count, struct slw_error *err);

/* ---- mariadb/group.c: all or nothing ---- */

int slw_maria_statement(void *connection, const struct slw_request *requests, size_t count,
                        struct slw_answer *answers, struct slw_error *err);
int slw_maria_transaction(void *connection, const struct slw_request *requests, size_t count,
                          struct slw_answer *answers, struct slw_error *err);

/* ---- mariadb/connect.c ---- */

int slw_maria_connect(struct slw_maria *c, const char *where, const struct slw_choices *choices,
                      struct slw_error *err);

#endif
