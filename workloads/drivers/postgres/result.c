/* SPDX-License-Identifier: MIT */
/* What a result of PostgreSQL means for a request. */
#include "workloads/drivers/postgres/postgres_int.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

/* Source: PostgreSQL documentation, appendix A, "PostgreSQL Error Codes". A prefix stands for its
 * class; the first that fits counts. */
static const struct {
    const char *prefix;
    enum slw_outcome outcome;
} outcomes[] = {
    {"40003", SLW_OUTCOME_LOST},      /* statement completion unknown */
    {"40", SLW_OUTCOME_TRANSIENT},    /* rolled back: serialization, deadlock */
    {"55P03", SLW_OUTCOME_TRANSIENT}, /* lock not available */
    {"53", SLW_OUTCOME_TRANSIENT},    /* disk full, out of memory, too many connections */
    {"57014", SLW_OUTCOME_TRANSIENT}, /* canceled, as by statement_timeout */
    {"25006", SLW_OUTCOME_TRANSIENT}, /* read-only: a standby that may be promoted */
    {"57P", SLW_OUTCOME_LOST},        /* the server ends the connection */
    {"08", SLW_OUTCOME_LOST},         /* connection exceptions */
};

enum slw_outcome slw_pg_outcome(const char *sqlstate)
{
    if (!sqlstate)
        return SLW_OUTCOME_LOST;
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
        if (strncmp(sqlstate, outcomes[i].prefix, strlen(outcomes[i].prefix)) == 0)
            return outcomes[i].outcome;
    return SLW_OUTCOME_REJECTED;
}

void slw_pg_fail(struct slw_pg *c, const PGresult *result, struct slw_answer *a)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    char text[160];

    /* No such prepared statement: why there is none is worth more. */
    if (state && strcmp(state, "26000") == 0 && c->not_prepared[0])
        (void)snprintf(text, sizeof(text), "%s", c->not_prepared);
    else
        (void)snprintf(text, sizeof(text), "%s%s%s", state ? state : "", state ? " " : "",
                       message ? message : PQresultErrorMessage(result));
    slw_answer_failed(a, slw_pg_outcome(state), text, strlen(text));
}

uint64_t slw_pg_number(const PGresult *result, int row, int column)
{
    uint64_t be = 0;

    if (PQgetlength(result, row, column) == (int)sizeof(be))
        memcpy(&be, PQgetvalue(result, row, column), sizeof(be));
    return be64toh(be);
}

/* The row and what it says; the rows of INSERT and of who asks for a row are (row), of READ
 * (payload). */
static void take_row(enum slw_op op, const PGresult *result, struct slw_answer *a)
{
    if (op == SLW_OP_READ) {
        *a = (struct slw_answer){.outcome = SLW_OUTCOME_DONE,
                                 .payload = PQgetvalue(result, 0, 0),
                                 .length = (size_t)PQgetlength(result, 0, 0)};
        return;
    }
    slw_answer_done(a, 1, slw_pg_number(result, 0, 0));
}

void slw_pg_take(struct slw_pg *c, enum slw_op op, PGresult *result, struct slw_answer *a)
{
    const ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_FATAL_ERROR) {
        if (a->outcome != SLW_OUTCOME_REJECTED && a->outcome != SLW_OUTCOME_TRANSIENT)
            slw_pg_fail(c, result, a);
    } else if (status == PGRES_TUPLES_OK && PQntuples(result) > 0) {
        take_row(op, result, a);
        if (op == SLW_OP_READ && slw_keep_put(&c->keep, result) == 0)
            return;
        if (op == SLW_OP_READ)
            slw_answer_failed(a, SLW_OUTCOME_TRANSIENT, "no memory for the answer", 24);
    } else if (status == PGRES_TUPLES_OK && op == SLW_OP_READ) {
        *a = (struct slw_answer){.outcome = SLW_OUTCOME_NOTHING};
    } else if (status == PGRES_COMMAND_OK) { /* UPDATE */
        slw_answer_done(a, strcmp(PQcmdTuples(result), "1") == 0, 0);
    }
    PQclear(result);
}
