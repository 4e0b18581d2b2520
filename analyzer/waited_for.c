/* SPDX-License-Identifier: MIT */
#include "analyzer/waited_for.h"

#include "analyzer/format.h"

#include <string.h>

#define MOST     3    /* told in a line */
#define SMALLEST 0.01 /* of the thread time */

static bool is_socket(const struct slw_waited_for *w)
{
    return w->state == SLW_WAIT_ANSWER || w->state == SLW_WAIT_SENDING;
}

/* Unix sockets are told without their path: one that may be to a database counts as that. */
static bool same_peer(const char *what, const char *peer)
{
    return strcmp(what, "unix") == 0 ? strncmp(peer, "unix:", 5) == 0 : strcmp(what, peer) == 0;
}

/* A connection that could not be followed may be to one. */
static bool may_be_database(const struct slw_run *run, const struct slw_waited_for *w)
{
    for (size_t i = 0; i < run->connection_count; i++) {
        const struct slw_connection *c = &run->connections[i];

        if ((c->protocol || c->lost > 0) && same_peer(w->what, c->peer))
            return true;
    }
    return false;
}

static bool any_followed(const struct slw_run *run)
{
    for (size_t i = 0; i < run->connection_count; i++)
        if (run->connections[i].protocol && strcmp(run->connections[i].protocol, "SQLite") != 0)
            return true;
    return false;
}

double slw_waited_elsewhere(const struct slw_run *run)
{
    double elsewhere = 0, all = 0;

    if (run->waiting_count == 0 || !any_followed(run))
        return 0;
    all =
        (double)run->waiting[0].ns[SLW_WAIT_ANSWER] + (double)run->waiting[0].ns[SLW_WAIT_SENDING];
    for (size_t i = 0; i < run->waited_for_count; i++)
        if (is_socket(&run->waited_for[i]) && !may_be_database(run, &run->waited_for[i]))
            elsewhere += (double)run->waited_for[i].ns;
    return all > 0 && elsewhere < all ? elsewhere / all : all > 0 ? 1 : 0;
}

const struct slw_waited_for *slw_waited_lock(const struct slw_run *run, double *ret_share)
{
    const struct slw_waited_for *most = NULL;
    double all = 0;

    for (size_t i = 0; i < run->waited_for_count; i++) {
        const struct slw_waited_for *w = &run->waited_for[i];

        if (w->state != SLW_WAIT_LOCK)
            continue;
        all += (double)w->ns;
        most = most && most->ns >= w->ns ? most : w;
    }
    if (!most || !(all > 0)) {
        *ret_share = 0;
        return NULL;
    }
    *ret_share = (double)most->ns / all;
    return most;
}

static void put_what(struct slw_buf *out, const struct slw_run *run, const struct slw_waited_for *w)
{
    slw_buf_puts(out, w->state == SLW_WAIT_LOCK     ? "the lock "
                      : w->state == SLW_WAIT_ANSWER ? "answers of "
                                                    : "sending to ");
    slw_buf_puts(out, strcmp(w->what, "unix") == 0 ? "a unix socket" : w->what);
    if (is_socket(w) && any_followed(run) && !may_be_database(run, w))
        slw_buf_puts(out, ", no database that was followed,");
}

void slw_waited_for_text(struct slw_buf *out, const struct slw_run *run)
{
    const double whole = run->waiting_count > 0 ? (double)run->waiting[0].wall_ns : 0;
    size_t told = 0;

    for (size_t i = 0; i < run->waited_for_count && told < MOST; i++) {
        const struct slw_waited_for *w = &run->waited_for[i];

        if (!(whole > 0) || (double)w->ns < SMALLEST * whole)
            continue;
        slw_buf_puts(out, told++ > 0 ? "; " : "waited for ");
        put_what(out, run, w);
        slw_buf_putc(out, ' ');
        slw_format_percent(out, (double)w->ns / whole);
        slw_buf_puts(out, told == 1 ? " of the thread time" : "");
    }
}
