/* SPDX-License-Identifier: MIT */
/* A connection to PostgreSQL, within ten seconds, or why there is none. */
#include "base/clock.h"
#include "workloads/drivers/postgres/postgres_int.h"
#include "workloads/where.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

/* What libpq is told; `dbname` comes first so that what it expands to can be overruled. */
struct wishes {
    const char *keys[12], *values[12];
    size_t count;
    char port[8];
    struct slw_where where;
};

static void wish(struct wishes *w, const char *key, const char *value)
{
    if (!value)
        return;
    w->keys[w->count] = key;
    w->values[w->count++] = value;
}

static bool is_conninfo(const char *where)
{
    return strchr(where, '=') || strncmp(where, "postgresql://", 13) == 0 ||
           strncmp(where, "postgres://", 11) == 0;
}

/* libpq wants the folder and the port of a socket, people see /folder/.s.PGSQL.5432. */
static void split_socket(struct wishes *w)
{
    char *name = strstr(w->where.path, "/.s.PGSQL.");

    if (!name)
        return;
    (void)snprintf(w->port, sizeof(w->port), "%.5s", name + 10);
    *name = '\0';
}

static int make_wishes(const char *where, const struct slw_choices *choices, struct wishes *w,
                       struct slw_error *err)
{
    *w = (struct wishes){.count = 0};
    if (where && is_conninfo(where)) {
        wish(w, "dbname", where);
    } else {
        const int rc = slw_where_parse(where, 5432, &w->where, err);
        if (rc < 0)
            return rc;
        (void)snprintf(w->port, sizeof(w->port), "%u", (unsigned)w->where.port);
        if (w->where.path[0])
            split_socket(w);
        wish(w, "host", w->where.path[0] ? w->where.path : w->where.host);
        wish(w, "port", w->port);
    }
    wish(w, "user", slw_choices_text(choices, "user"));
    wish(w, "password", slw_choices_text(choices, "password"));
    wish(w, "dbname", slw_choices_text(choices, "database"));
    wish(w, "fallback_application_name", "slotwise");
    return 0;
}

static void say_nothing(void *ctx, const PGresult *notice)
{
    (void)ctx; /* libpq would print it */
    (void)notice;
}

/* Source: libpq, "PQconnectPoll". */
static PostgresPollingStatusType wait_connected(PGconn *pg)
{
    const uint64_t start_ns = slw_clock_monotonic_ns();
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    while (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING) {
        const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        const int left = slw_wait_left(start_ns, SLW_CONNECT_MS);

        if (left == 0 || PQsocket(pg) < 0 || slw_wait_for(PQsocket(pg), events, left) <= 0)
            return status;
        status = PQconnectPoll(pg);
    }
    return status;
}

/* The text of libpq begins with where it tried; the server's own words carry a code, "FATAL:
 * 28P01: ...", for which the verbosity was set. */
static bool find_sqlstate(const char *text, char state[6])
{
    for (const char *at = text; (at = strstr(at, ":  ")) != NULL; at += 3) {
        if (strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && at[8] == ':') {
            memcpy(state, at + 3, 5);
            state[5] = '\0';
            return true;
        }
    }
    return false;
}

static int refuse(PGconn *pg, PostgresPollingStatusType status, struct slw_error *err)
{
    const char *text = PQerrorMessage(pg);
    const int length = (int)strcspn(text, "\n");
    char state[6];

    if (status != PGRES_POLLING_FAILED) {
        slw_error_hint(err, "is it a PostgreSQL that --connect names?");
        return slw_fail(err, SLW_E_GONE, "PostgreSQL did not answer within %d s",
                        SLW_CONNECT_MS / 1000);
    }
    if (PQconnectionNeedsPassword(pg)) {
        slw_error_hint(err, "give --password, or a line for it in ~/.pgpass");
        return slw_fail(err, SLW_E_PERM, "PostgreSQL asks for a password: %.*s", length, text);
    }
    if (find_sqlstate(text, state) && strcmp(state, "57P03") != 0 && strncmp(state, "53", 2) != 0) {
        slw_error_hint(err, "check --user, --password and --database");
        return slw_fail(err, SLW_E_PERM, "PostgreSQL refuses us: %.*s", length, text);
    }
    slw_error_hint(err, "start it, or name where it is with --connect");
    return slw_fail(err, SLW_E_GONE, "no connection to PostgreSQL: %.*s", length, text);
}

int slw_pg_connect(const char *where, const struct slw_choices *choices, PGconn **ret_pg,
                   struct slw_error *err)
{
    struct wishes w;
    int rc = make_wishes(where, choices, &w, err);

    if (rc < 0)
        return rc;
    PGconn *pg = PQconnectStartParams(w.keys, w.values, 1);
    if (!pg)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a connection");
    (void)PQsetNoticeReceiver(pg, say_nothing, NULL);
    (void)PQsetErrorVerbosity(pg, PQERRORS_VERBOSE);
    if (PQstatus(pg) == CONNECTION_BAD && PQsocket(pg) < 0 && where && is_conninfo(where)) {
        slw_error_hint(err, "write it as in \"host=127.0.0.1 port=5432 dbname=test\"");
        rc = slw_fail(err, SLW_E_INVAL, "libpq: %.*s", (int)strcspn(PQerrorMessage(pg), "\n"),
                      PQerrorMessage(pg));
    } else {
        const PostgresPollingStatusType status =
            PQstatus(pg) == CONNECTION_BAD ? PGRES_POLLING_FAILED : wait_connected(pg);
        if (status != PGRES_POLLING_OK)
            rc = refuse(pg, status, err);
    }
    if (rc == 0 && (PQsetnonblocking(pg, 1) != 0 || !PQenterPipelineMode(pg)))
        rc = slw_fail(err, SLW_E_INTERNAL, "libpq: %s", PQerrorMessage(pg));
    (void)PQsetErrorVerbosity(pg, PQERRORS_DEFAULT);
    if (rc < 0)
        PQfinish(pg);
    else
        *ret_pg = pg;
    return rc;
}
