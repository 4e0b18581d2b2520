/* SPDX-License-Identifier: MIT */
/* A connection to MariaDB, within ten seconds, or why there is none. */
#include "base/clock.h"
#include "workloads/drivers/mariadb/mariadb_int.h"
#include "workloads/where.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* The library's own set-up is not for two threads at once. */
static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void init_library(void)
{
    (void)mysql_server_init(0, NULL, NULL);
}

static void set_options(MYSQL *my, const struct slw_where *w)
{
    const unsigned connect_s = SLW_CONNECT_MS / 1000, silence_s = SLW_SILENCE_MS / 1000, off = 0;
    const unsigned protocol = w->path[0] ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    const size_t most = 1U << 30; /* of a packet; the server has a limit of its own */

    (void)mysql_options(my, MYSQL_OPT_NONBLOCK, NULL); /* before all others */
    (void)mysql_options(my, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    (void)mysql_options(my, MYSQL_OPT_READ_TIMEOUT, &silence_s);
    (void)mysql_options(my, MYSQL_OPT_WRITE_TIMEOUT, &silence_s);
    (void)mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &off); /* no server reads our files */
    (void)mysql_options(my, MYSQL_OPT_PROTOCOL, &protocol);
    (void)mysql_options(my, MYSQL_OPT_MAX_ALLOWED_PACKET, &most);
    (void)mysql_options(my, MYSQL_SET_CHARSET_NAME, "binary");
}

static int refuse(MYSQL *my, const char *place, struct slw_error *err)
{
    const unsigned code = mysql_errno(my);

    if (code == ER_BAD_DB_ERROR || code == ER_DBACCESS_DENIED_ERROR)
        slw_error_hint(err, "create it, or choose another with --database");
    else if (code >= CR_MIN_ERROR && code <= CR_MYSQL_LAST_ERROR)
        slw_error_hint(err, "start it, or name where it is with --connect");
    else
        slw_error_hint(err, "check --user and --password");
    if (slw_maria_is_gone(code) || code == ER_CON_COUNT_ERROR)
        return slw_fail(err, SLW_E_GONE, "no connection to MariaDB at %s: %u %s", place, code,
                        mysql_error(my));
    return slw_fail(err, SLW_E_PERM, "MariaDB at %s refuses us: %u %s", place, code,
                    mysql_error(my));
}

static void take_limit(void *ctx, size_t statement, MYSQL_RES *rows)
{
    struct slw_maria *c = ctx;
    MYSQL_ROW row = rows ? mysql_fetch_row(rows) : NULL;

    (void)statement;
    if (row && row[0])
        c->most_bytes = strtoull(row[0], NULL, 10);
    mysql_free_result(rows);
}

/* What this driver's SQL relies on, whatever the server's configuration says. */
static int set_session(struct slw_maria *c, struct slw_error *err)
{
    struct slw_answer failure;

    c->most_bytes = 1U << 20; /* until the server has told */
    slw_maria_begin(c);
    slw_buf_puts(&c->script, "SET SESSION sql_mode='STRICT_ALL_TABLES',autocommit=1;"
                             "SELECT @@max_allowed_packet-64");
    const int rc = slw_maria_run_script(c, take_limit, c, &failure, err);
    if (rc < 0)
        return rc;
    c->returning = mariadb_connection(c->my) && mysql_get_server_version(c->my) >= 100500;
    return failure.outcome == SLW_OUTCOME_DONE
               ? 0
               : slw_fail(err, SLW_E_IO, "MariaDB does not take our settings: %s", failure.why);
}

/* The library bounds each step, this bounds all of them together. */
static bool connect_within(MYSQL *my, const struct slw_where *w, const struct slw_choices *choices)
{
    const uint64_t start_ns = slw_clock_monotonic_ns();
    MYSQL *connected = NULL;
    int waits_for = mysql_real_connect_start(
        &connected, my, w->path[0] ? NULL : w->host, slw_choices_text(choices, "user"),
        slw_choices_text(choices, "password"), slw_choices_text(choices, "database"), w->port,
        w->path[0] ? w->path : NULL, CLIENT_MULTI_STATEMENTS | CLIENT_FOUND_ROWS);

    while (waits_for != 0) {
        const int ready = slw_maria_ready(my, waits_for, slw_wait_left(start_ns, SLW_CONNECT_MS));
        waits_for = mysql_real_connect_cont(&connected, my, ready > 0 ? ready : MYSQL_WAIT_TIMEOUT);
    }
    return connected != NULL;
}

int slw_maria_connect(struct slw_maria *c, const char *where, const struct slw_choices *choices,
                      struct slw_error *err)
{
    char place[SLW_WHERE_BYTES + 16];
    struct slw_where w;
    const int rc = slw_where_parse(where, 3306, &w, err);

    if (rc < 0)
        return rc;
    (void)pthread_once(&library_once, init_library);
    c->my = mysql_init(NULL);
    if (!c->my)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a connection");
    set_options(c->my, &w);
    slw_where_text(&w, place, sizeof(place));
    if (!connect_within(c->my, &w, choices))
        return refuse(c->my, place, err);
    return set_session(c, err);
}
