/* SPDX-License-Identifier: MIT */
/* Redis by hiredis. A row is a key "table:id"; there are no generated rows.
 *   NONE         SET key payload NX (INSERT) or XX (UPDATE), GET key, its answer
 *   PIPELINE     the same, written together
 *   STATEMENT    MSETNX, MGET. UPDATE, and rows that are sent again: as TRANSACTION, because there
 *                is no one command for them
 *   TRANSACTION  MULTI, the commands, EXEC. EXEC does not undo, so INSERT asks before (WATCH,
 *                EXISTS) whether an id is taken: one round trip more, and work in the server that
 *                grows with the square of the number of keys
 * On disk at the acknowledgement: what appendonly and appendfsync of the server say; a client has
 * no say in that. */
#include "workloads/drivers/redis/redis_int.h"
#include "workloads/where.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_KEYS "1000"       /* one SCAN looks at */
#define MAX_IDS   (1ULL << 27) /* 1 GiB of them */

static const struct slw_setting settings[] = {
    {.name = "user", .kind = SLW_SETTING_TEXT, .value = "NAME", .text = "Who to log in as."},
    {.name = "password",
     .kind = SLW_SETTING_TEXT,
     .value = "TEXT",
     .text = "Others may see it in the list of processes."},
    {.name = "database",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "0",
     .low = 0,
     .high = 65535,
     .text = "Which database."},
    {.name = NULL},
};

static void close_connection(void *connection)
{
    struct slw_redis *c = connection;

    if (!c)
        return;
    slw_keep_drop(&c->keep, slw_redis_drop);
    slw_keep_release(&c->keep);
    if (c->redis)
        redisFree(c->redis);
    free(c->open);
    free(c);
}

static int open_connection(const char *where, const char *table, const struct slw_choices *choices,
                           void **ret_connection, struct slw_error *err)
{
    int rc = slw_table_check(table, err);

    if (rc < 0)
        return rc;
    struct slw_redis *c = calloc(1, sizeof(*c));
    if (c)
        c->open = calloc(SLW_REDIS_CAPACITY, sizeof(*c->open));
    if (!c || !c->open)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for a connection");
    if (rc == 0) {
        (void)snprintf(c->table, sizeof(c->table), "%s", table);
        rc = slw_redis_connect(c, where, choices, err);
    }
    if (rc < 0)
        close_connection(c);
    else
        *ret_connection = c;
    return rc;
}

/* ---- all keys ---- */

typedef int (*page_visit)(struct slw_redis *c, const redisReply *keys, void *ctx,
                          struct slw_error *err);

static int ask_page(struct slw_redis *c, const char *cursor, redisReply **ret_reply,
                    struct slw_error *err)
{
    struct slw_redis_command k;
    char pattern[64];

    if (slw_redis_command_init(&k, 6) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a command");
    (void)snprintf(pattern, sizeof(pattern), "%s:*", c->table);
    slw_redis_command_text(&k, "SCAN");
    slw_redis_command_text(&k, cursor);
    slw_redis_command_text(&k, "MATCH");
    slw_redis_command_text(&k, pattern);
    slw_redis_command_text(&k, "COUNT");
    slw_redis_command_text(&k, PAGE_KEYS);
    const int rc = slw_redis_ask(c, &k, ret_reply, err);
    slw_redis_command_release(&k);
    return rc;
}

static bool is_page(const redisReply *r)
{
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 ||
        r->element[0]->type != REDIS_REPLY_STRING || r->element[1]->type != REDIS_REPLY_ARRAY)
        return false;
    for (size_t i = 0; i < r->element[1]->elements; i++)
        if (r->element[1]->element[i]->type != REDIS_REPLY_STRING)
            return false;
    return true;
}

static int each_page(struct slw_redis *c, page_visit visit_page, void *ctx, struct slw_error *err)
{
    char cursor[32] = "0";
    int rc;

    assert(c->open_count == 0);
    do {
        redisReply *reply = NULL;

        rc = ask_page(c, cursor, &reply, err);
        if (rc < 0)
            return rc;
        if (is_page(reply)) {
            (void)snprintf(cursor, sizeof(cursor), "%s", reply->element[0]->str);
            rc = visit_page(c, reply->element[1], ctx, err);
        } else {
            rc = slw_fail(err, SLW_E_IO, "Redis does not list its keys: %.200s",
                          reply->type == REDIS_REPLY_ERROR ? reply->str : "a strange reply");
        }
        slw_redis_drop(reply);
    } while (rc == 0 && strcmp(cursor, "0") != 0);
    return rc;
}

static int delete_page(struct slw_redis *c, const redisReply *keys, void *ctx,
                       struct slw_error *err)
{
    struct slw_redis_command k;
    redisReply *reply = NULL;
    int rc;

    (void)ctx;
    if (keys->elements == 0)
        return 0;
    if (slw_redis_command_init(&k, keys->elements + 1) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a command");
    slw_redis_command_text(&k, "DEL");
    for (size_t i = 0; i < keys->elements; i++)
        slw_redis_command_word(&k, keys->element[i]->str, keys->element[i]->len);
    rc = slw_redis_ask(c, &k, &reply, err);
    if (rc == 0 && slw_redis_is(reply, REDIS_REPLY_ERROR))
        rc = slw_fail(err, SLW_E_IO, "Redis does not delete: %.200s", reply->str);
    slw_redis_drop(reply);
    slw_redis_command_release(&k);
    return rc;
}

static int create(void *connection, struct slw_error *err)
{
    return each_page(connection, delete_page, NULL, err);
}

struct ids {
    uint64_t *ids;
    size_t count, capacity;
};

static int add_id(struct ids *all, uint64_t id, struct slw_error *err)
{
    if (all->count == all->capacity) {
        const size_t capacity = all->capacity ? all->capacity * 2 : 1024;
        uint64_t *ids = capacity > MAX_IDS ? NULL : realloc(all->ids, capacity * sizeof(*ids));

        if (!ids)
            return slw_fail(err, capacity > MAX_IDS ? SLW_E_LIMIT : SLW_E_NOMEM,
                            "too many keys to sort them");
        all->ids = ids;
        all->capacity = capacity;
    }
    all->ids[all->count++] = id;
    return 0;
}

static int collect_page(struct slw_redis *c, const redisReply *keys, void *ctx,
                        struct slw_error *err)
{
    const size_t prefix = strlen(c->table) + 1;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < keys->elements; i++) {
        char *end;
        const uint64_t id = strtoull(keys->element[i]->str + prefix, &end, 10);
        if (*end == '\0')
            rc = add_id(ctx, id, err);
    }
    return rc;
}

static int compare_ids(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* SCAN has no order, and may name a key twice. */
static int visit(void *connection, int (*visit_id)(void *ctx, uint64_t id), void *ctx,
                 struct slw_error *err)
{
    struct ids all = {0};
    int rc = each_page(connection, collect_page, &all, err);

    if (rc == 0 && all.count > 0)
        qsort(all.ids, all.count, sizeof(*all.ids), compare_ids);
    for (size_t i = 0; rc == 0 && i < all.count; i++)
        if (i == 0 || all.ids[i] != all.ids[i - 1])
            rc = visit_id(ctx, all.ids[i]);
    free(all.ids);
    return rc;
}

/* ---- requests ---- */

static int run(void *connection, enum slw_batching how, const struct slw_request *requests,
               size_t count, struct slw_answer *answers, struct slw_error *err)
{
    static const struct slw_ways ways = {
        .server = "Redis",
        .pipeline = {.window = SLW_REDIS_CAPACITY,
                     .submit = slw_redis_submit,
                     .flush = slw_redis_flush,
                     .poll = slw_redis_poll,
                     .give_up = slw_redis_give_up},
        .statement = slw_redis_statement,
        .transaction = slw_redis_transaction,
    };
    struct slw_redis *c = connection;

    assert(c->open_count == 0 && count <= SLW_MAX_REQUESTS);
    slw_keep_drop(&c->keep, slw_redis_drop);
    return slw_ways_run(&ways, c, c->gone ? c->why : NULL, how, requests, count, answers, err);
}

static int poll_answers(void *connection, int timeout_ms, struct slw_completion *completions,
                        size_t count, struct slw_error *err)
{
    struct slw_redis *c = connection;

    slw_keep_drop(&c->keep, slw_redis_drop);
    return slw_redis_poll(c, timeout_ms, completions, count, err);
}

static int descriptor(void *connection)
{
    const struct slw_redis *c = connection;

    return c->redis->fd;
}

/* ---- what is on disk ---- */

static int ask_config(struct slw_redis *c, const char *name, char *value, size_t size)
{
    struct slw_redis_command k;
    redisReply *reply = NULL;

    if (slw_redis_command_init(&k, 3) < 0)
        return -SLW_E_NOMEM;
    slw_redis_command_text(&k, "CONFIG");
    slw_redis_command_text(&k, "GET");
    slw_redis_command_text(&k, name);
    int rc = slw_redis_ask(c, &k, &reply, NULL);
    if (rc == 0 && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
                    reply->element[1]->type != REDIS_REPLY_STRING))
        rc = -SLW_E_PERM;
    if (rc == 0)
        (void)snprintf(value, size, "%s", reply->element[1]->str);
    slw_redis_drop(reply);
    slw_redis_command_release(&k);
    return rc;
}

static int durability(void *connection, char *text, size_t size)
{
    struct slw_redis *c = connection;
    char append[16], sync[16];

    assert(c->open_count == 0);
    int rc = ask_config(c, "appendonly", append, sizeof(append));
    if (rc == 0)
        rc = ask_config(c, "appendfsync", sync, sizeof(sync));
    if (rc < 0)
        return rc;
    if (strcmp(append, "yes") != 0)
        (void)snprintf(text, size, "nothing but what snapshots save (appendonly=%s)", append);
    else if (strcmp(sync, "always") == 0)
        (void)snprintf(text, size, "the log is synced to disk first (appendfsync=always)");
    else
        (void)snprintf(text, size, "%s may be lost when the machine fails (appendfsync=%s)",
                       strcmp(sync, "everysec") == 0 ? "about a second"
                                                     : "what the kernel has not written",
                       sync);
    return 0;
}

const struct slw_driver slw_driver_redis = {
    .name = "redis",
    .summary = "Redis (hiredis)",
    .batchings = 1U << SLW_BATCHING_NONE | 1U << SLW_BATCHING_PIPELINE |
                 1U << SLW_BATCHING_STATEMENT | 1U << SLW_BATCHING_TRANSACTION,
    .settings = settings,
    .open = open_connection,
    .close = close_connection,
    .create = create,
    .visit = visit,
    .run = run,
    .capacity = SLW_REDIS_CAPACITY,
    .submit = slw_redis_submit,
    .flush = slw_redis_flush,
    .poll = poll_answers,
    .descriptor = descriptor,
    .durability = durability,
};
