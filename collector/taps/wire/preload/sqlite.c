/* SPDX-License-Identifier: MIT */
/* SQLite's C API. A request is an execution of a statement: from its first step to its end (done,
 * an error, reset or finalize); its latency is the time inside of sqlite3_step. What a statement
 * does by itself - triggers, full-text tables, reading the schema - belongs to it: calls from
 * within a call are passed on. A batch is a transaction. */
#include "collector/taps/wire/preload/library.h"
#include "collector/taps/wire/preload/objects.h"
#include "collector/taps/wire/preload/real.h"
#include "collector/taps/wire/preload/table.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* Result codes of sqlite3.h. */
#define SQLITE_ERROR 1
#define SQLITE_ROW   100
#define SQLITE_DONE  101

struct database {
    struct slw_watched *w;
    uint64_t transaction_ns; /* when its first statement began; 0: none is open */
};
struct statement { /* that is running and has given a row */
    uint64_t spent_ns;
    uint64_t rows; /* past the first; counted when it ends: there may be millions */
};

static struct slw_objects handles, running;
static struct database databases[SLW_OBJECTS];
static struct statement statements[SLW_OBJECTS];

/* Calls of ours that this thread is in. */
static _Thread_local unsigned depth __attribute__((tls_model("initial-exec")));
/* Statements seen since this thread called sqlite3_exec. */
static _Thread_local unsigned *inside_exec __attribute__((tls_model("initial-exec")));

/* The file, by its end where it is too long. */
static void name_database(const struct slw_library *l, void *db, struct slw_wire_slot *peer)
{
    const char *file = l->sqlite3_db_filename ? l->sqlite3_db_filename(db, "main") : NULL;
    size_t n = file ? strlen(file) : 0, room = sizeof(peer->path) - 1;

    memset(peer, 0, sizeof(*peer));
    if (n == 0)
        file = "in memory", n = strlen(file);
    memcpy(peer->path, n > room ? file + n - room : file, n > room ? room : n);
    if (n > room)
        memcpy(peer->path, "...", 3);
}

static struct database *database_of(const struct slw_library *l, void *db)
{
    size_t at = slw_object_find(&handles, db);
    struct slw_wire_slot peer;

    if (at == SLW_NO_OBJECT) {
        name_database(l, db, &peer);
        struct slw_watched *w = slw_table_take(&peer);
        if (!w)
            return NULL;
        at = slw_object_add(&handles, db);
        if (at == SLW_NO_OBJECT) {
            slw_table_release(w);
            return NULL;
        }
        databases[at] = (struct database){.w = w};
    }
    return &databases[at];
}

/* Not those of the library itself, but for what it does in sqlite3_exec. */
static bool wanted(const struct slw_library *l, void *object)
{
    return object && depth == 0 && slw_table_on() && (!l->itself || inside_exec);
}

/* ---- executions ---- */

static bool is_rollback(const struct slw_library *l, void *statement)
{
    const char *sql = l->sqlite3_sql ? l->sqlite3_sql(statement) : NULL;

    while (sql && isspace((unsigned char)*sql))
        sql++;
    return sql && strncasecmp(sql, "rollback", 8) == 0;
}

struct ended {
    bool failed, open; /* a transaction is */
    bool rolled_back;
    uint64_t spent_ns, now_ns;
    uint64_t rows;
};

static void end_execution(struct database *d, const struct ended *e)
{
    struct slw_exchange *x = &d->w->conn.exchange;

    x->counts->errors += e->failed;
    x->counts->rows += e->rows;
    if (!e->open) {
        slw_transaction_end(x, e->now_ns - d->transaction_ns, !e->failed && !e->rolled_back);
        d->transaction_ns = 0;
    }
    slw_execution_end(x, e->spent_ns);
}

/* The time the statement took so far; UINT64_MAX where it was not kept. */
static uint64_t spent_before(void *statement, size_t *ret_at)
{
    *ret_at = slw_object_find(&running, statement);
    return *ret_at == SLW_NO_OBJECT ? UINT64_MAX : statements[*ret_at].spent_ns;
}

/* Its rows. */
static uint64_t forget(size_t at)
{
    uint64_t rows = at == SLW_NO_OBJECT ? 0 : statements[at].rows;

    if (at != SLW_NO_OBJECT)
        slw_object_remove(&running, at);
    return rows;
}

struct step {
    void *statement;
    bool first, goes_on;
    int result;
    uint64_t begin_ns, end_ns;
};

/* One more row of a statement that goes on: nothing but this is to be done. */
static bool count_row(const struct step *s)
{
    size_t at = s->first || !s->goes_on ? SLW_NO_OBJECT : slw_object_find(&running, s->statement);

    if (at == SLW_NO_OBJECT || s->result != SQLITE_ROW)
        return false;
    statements[at].spent_ns += s->end_ns - s->begin_ns;
    statements[at].rows++;
    return true;
}

static void count_step(const struct slw_library *l, const struct step *s)
{
    void *db = l->sqlite3_db_handle(s->statement);
    struct database *d = db ? database_of(l, db) : NULL;
    size_t at = SLW_NO_OBJECT;
    uint64_t before = s->first ? 0 : spent_before(s->statement, &at);
    uint64_t spent = before == UINT64_MAX ? UINT64_MAX : before + s->end_ns - s->begin_ns;

    if (s->goes_on && s->first && (at = slw_object_add(&running, s->statement)) != SLW_NO_OBJECT)
        statements[at].rows = 0;
    if (s->goes_on && at != SLW_NO_OBJECT)
        statements[at].spent_ns = spent;
    uint64_t rows = s->goes_on ? 0 : forget(at);
    if (!d || !slw_table_enter(d->w, SLW_WIRE_SQLITE))
        return;
    d->w->conn.exchange.now_ns = s->end_ns;
    if (s->first)
        slw_execution_begin(&d->w->conn.exchange);
    if (d->transaction_ns == 0)
        d->transaction_ns = s->begin_ns;
    d->w->conn.exchange.counts->rows += s->result == SQLITE_ROW;
    if (!s->goes_on)
        end_execution(d, &(struct ended){.failed = s->result != SQLITE_DONE,
                                         .open = !l->sqlite3_get_autocommit(db),
                                         .rolled_back = is_rollback(l, s->statement),
                                         .spent_ns = spent,
                                         .now_ns = s->end_ns,
                                         .rows = rows});
    slw_table_leave(d->w);
}

/* Reset or finalized before it came to its end. */
static void count_end(const struct slw_library *l, void *statement)
{
    size_t at;
    uint64_t spent = spent_before(statement, &at), now_ns = slw_now_ns();
    void *db = l->sqlite3_db_handle(statement);
    struct database *d = db ? database_of(l, db) : NULL;

    uint64_t rows = forget(at);
    if (!d || !slw_table_enter(d->w, SLW_WIRE_SQLITE))
        return;
    d->w->conn.exchange.now_ns = now_ns;
    end_execution(d, &(struct ended){.open = !l->sqlite3_get_autocommit(db),
                                     .spent_ns = spent,
                                     .now_ns = now_ns,
                                     .rows = rows});
    slw_table_leave(d->w);
}

static void count_prepare(const struct slw_library *l, void *db, int result)
{
    struct database *d = database_of(l, db);

    if (inside_exec)
        (*inside_exec)++;
    if (!d || !slw_table_enter(d->w, SLW_WIRE_SQLITE))
        return;
    d->w->conn.exchange.counts->prepares++;
    d->w->conn.exchange.counts->errors += result != 0;
    slw_table_leave(d->w);
}

/* ---- the functions ---- */

#define LIBRARY                                                                                    \
    struct slw_library scratch;                                                                    \
    const struct slw_library *l =                                                                  \
        slw_library_of(__builtin_return_address(0), SLW_FAMILY_SQLITE, &scratch)

int sqlite3_step(void *statement);
int sqlite3_reset(void *statement);
int sqlite3_finalize(void *statement);
int sqlite3_exec(void *db, const char *sql, slw_sqlite_row *row, void *context, char **message);
int sqlite3_prepare(void *db, const char *sql, int size, void **ret, const char **tail);
int sqlite3_prepare_v2(void *db, const char *sql, int size, void **ret, const char **tail);
int sqlite3_prepare_v3(void *db, const char *sql, int size, unsigned flags, void **ret,
                       const char **tail);
int sqlite3_prepare16(void *db, const void *sql, int size, void **ret, const void **tail);
int sqlite3_prepare16_v2(void *db, const void *sql, int size, void **ret, const void **tail);
int sqlite3_prepare16_v3(void *db, const void *sql, int size, unsigned flags, void **ret,
                         const void **tail);
int sqlite3_close(void *db);
int sqlite3_close_v2(void *db);

SLW_EXPORT int sqlite3_step(void *statement)
{
    LIBRARY;
    if (!l->sqlite3_step)
        return SQLITE_ERROR;
    if (!wanted(l, statement) || !l->sqlite3_stmt_busy)
        return l->sqlite3_step(statement);
    struct step s = {.statement = statement,
                     .first = !l->sqlite3_stmt_busy(statement),
                     .begin_ns = slw_now_ns()};
    unsigned *exec = inside_exec;

    depth++;
    inside_exec = NULL;
    s.result = l->sqlite3_step(statement);
    int saved = errno;
    s.end_ns = slw_now_ns();
    s.goes_on = l->sqlite3_stmt_busy(statement) != 0;
    depth--;
    inside_exec = exec;
    if (!count_row(&s))
        count_step(l, &s);
    errno = saved;
    return s.result;
}

/* What is running ends with it; looked at before, for after it the object may be gone. */
#define ENDING(name)                                                                               \
    LIBRARY;                                                                                       \
    if (!l->name)                                                                                  \
        return SQLITE_ERROR;                                                                       \
    int saved = errno;                                                                             \
    if (wanted(l, statement) && l->sqlite3_stmt_busy && l->sqlite3_stmt_busy(statement))           \
        count_end(l, statement);                                                                   \
    errno = saved;                                                                                 \
    return l->name(statement)

SLW_EXPORT int sqlite3_reset(void *statement)
{
    ENDING(sqlite3_reset);
}

SLW_EXPORT int sqlite3_finalize(void *statement)
{
    ENDING(sqlite3_finalize);
}

#define PREPARING(name, ...)                                                                       \
    LIBRARY;                                                                                       \
    if (!l->name)                                                                                  \
        return SQLITE_ERROR;                                                                       \
    if (!wanted(l, db))                                                                            \
        return l->name(__VA_ARGS__);                                                               \
    unsigned *exec = inside_exec;                                                                  \
    depth++;                                                                                       \
    inside_exec = NULL;                                                                            \
    int result = l->name(__VA_ARGS__), saved = errno;                                              \
    depth--;                                                                                       \
    inside_exec = exec;                                                                            \
    count_prepare(l, db, result);                                                                  \
    errno = saved;                                                                                 \
    return result

SLW_EXPORT int sqlite3_prepare(void *db, const char *sql, int size, void **ret, const char **tail)
{
    PREPARING(sqlite3_prepare, db, sql, size, ret, tail);
}

SLW_EXPORT int sqlite3_prepare_v2(void *db, const char *sql, int size, void **ret,
                                  const char **tail)
{
    PREPARING(sqlite3_prepare_v2, db, sql, size, ret, tail);
}

SLW_EXPORT int sqlite3_prepare_v3(void *db, const char *sql, int size, unsigned flags, void **ret,
                                  const char **tail)
{
    PREPARING(sqlite3_prepare_v3, db, sql, size, flags, ret, tail);
}

SLW_EXPORT int sqlite3_prepare16(void *db, const void *sql, int size, void **ret, const void **tail)
{
    PREPARING(sqlite3_prepare16, db, sql, size, ret, tail);
}

SLW_EXPORT int sqlite3_prepare16_v2(void *db, const void *sql, int size, void **ret,
                                    const void **tail)
{
    PREPARING(sqlite3_prepare16_v2, db, sql, size, ret, tail);
}

SLW_EXPORT int sqlite3_prepare16_v3(void *db, const void *sql, int size, unsigned flags, void **ret,
                                    const void **tail)
{
    PREPARING(sqlite3_prepare16_v3, db, sql, size, flags, ret, tail);
}

/* A library that binds its own calls inside itself shows nothing of what sqlite3_exec does: then
 * the call is one execution. */
static void count_exec(const struct slw_library *l, void *db, int result, uint64_t begin_ns)
{
    struct database *d = database_of(l, db);
    uint64_t end_ns = slw_now_ns();

    if (!d || !slw_table_enter(d->w, SLW_WIRE_SQLITE))
        return;
    d->w->conn.exchange.now_ns = end_ns;
    slw_execution_begin(&d->w->conn.exchange);
    if (d->transaction_ns == 0)
        d->transaction_ns = begin_ns;
    end_execution(d, &(struct ended){.failed = result != 0,
                                     .open = !l->sqlite3_get_autocommit(db),
                                     .spent_ns = end_ns - begin_ns,
                                     .now_ns = end_ns});
    slw_table_leave(d->w);
}

SLW_EXPORT int sqlite3_exec(void *db, const char *sql, slw_sqlite_row *row, void *context,
                            char **message)
{
    LIBRARY;
    if (!l->sqlite3_exec)
        return SQLITE_ERROR;
    /* Also the library's own, for that is sqlite3_get_table. */
    if (!db || depth > 0 || !slw_table_on())
        return l->sqlite3_exec(db, sql, row, context, message);
    unsigned *outer = inside_exec, seen = 0;
    uint64_t begin_ns = slw_now_ns();

    inside_exec = &seen;
    int result = l->sqlite3_exec(db, sql, row, context, message), saved = errno;
    inside_exec = outer;
    if (outer)
        (*outer)++;
    if (seen == 0 && sql && *sql)
        count_exec(l, db, result, begin_ns);
    errno = saved;
    return result;
}

/* Before the real one: after it another handle may have the address. */
static void forget_database(void *db)
{
    size_t at = db && depth == 0 ? slw_object_find(&handles, db) : SLW_NO_OBJECT;

    if (at == SLW_NO_OBJECT)
        return;
    slw_table_release(databases[at].w);
    slw_object_remove(&handles, at);
}

SLW_EXPORT int sqlite3_close(void *db)
{
    LIBRARY;
    if (!l->sqlite3_close)
        return SQLITE_ERROR;
    forget_database(db);
    return l->sqlite3_close(db);
}

SLW_EXPORT int sqlite3_close_v2(void *db)
{
    LIBRARY;
    if (!l->sqlite3_close_v2)
        return SQLITE_ERROR;
    forget_database(db);
    return l->sqlite3_close_v2(db);
}
