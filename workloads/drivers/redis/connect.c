/* SPDX-License-Identifier: MIT */
/* A connection to Redis, within ten seconds, or why there is none. */
#include "workloads/drivers/redis/redis_int.h"
#include "workloads/where.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int slw_redis_ask(struct slw_redis *c, const struct slw_redis_command *k, redisReply **ret_reply,
                  struct slw_error *err)
{
    const int rc = slw_redis_put(c, k, err);

    return rc < 0 ? rc : slw_redis_next(c, ret_reply, err);
}

static int refuse(const char *what, const redisReply *reply, struct slw_error *err)
{
    const bool loading = strncmp(reply->str, "LOADING", 7) == 0;

    slw_error_hint(err, loading ? "wait until it has loaded its data"
                                : "check --user, --password and --database");
    return slw_fail(err, loading ? SLW_E_GONE : SLW_E_PERM, "Redis refuses %s: %.200s", what,
                    reply->str);
}

/* A command of up to three words that has to succeed. */
static int must(struct slw_redis *c, const char *const *words, const char *what,
                struct slw_error *err)
{
    struct slw_redis_command k;
    redisReply *reply = NULL;

    if (slw_redis_command_init(&k, 3) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a connection");
    for (size_t i = 0; i < 3 && words[i]; i++)
        slw_redis_command_text(&k, words[i]);
    int rc = slw_redis_ask(c, &k, &reply, err);
    if (rc == 0 && slw_redis_is(reply, REDIS_REPLY_ERROR))
        rc = refuse(what, reply, err);
    slw_redis_drop(reply);
    slw_redis_command_release(&k);
    return rc;
}

static int log_in(struct slw_redis *c, const struct slw_choices *choices, struct slw_error *err)
{
    const char *user = slw_choices_text(choices, "user");
    const char *password = slw_choices_text(choices, "password");
    const char *database = slw_choices_text(choices, "database");
    const char *with_user[] = {"AUTH", user, password ? password : ""};
    const char *without_user[] = {"AUTH", password, NULL};
    const char *choose[] = {"SELECT", database, NULL};
    const char *ping[] = {"PING", NULL, NULL};
    int rc = 0;

    if (user)
        rc = must(c, with_user, "to let us in", err);
    else if (password)
        rc = must(c, without_user, "to let us in", err);
    if (rc == 0 && slw_choices_number(choices, "database") > 0)
        rc = must(c, choose, "that database", err);
    return rc < 0 ? rc : must(c, ping, "to answer", err);
}

int slw_redis_connect(struct slw_redis *c, const char *where, const struct slw_choices *choices,
                      struct slw_error *err)
{
    const struct timeval timeout = {.tv_sec = SLW_CONNECT_MS / 1000};
    char text[SLW_WHERE_BYTES + 16];
    struct slw_where w;
    int rc = slw_where_parse(where, 6379, &w, err);

    if (rc < 0)
        return rc;
    slw_where_text(&w, text, sizeof(text));
    c->redis = w.path[0] ? redisConnectUnixWithTimeout(w.path, timeout)
                         : redisConnectWithTimeout(w.host, w.port, timeout);
    if (!c->redis)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a connection");
    if (c->redis->err) {
        slw_error_hint(err, "start it, or name where it is with --connect");
        return slw_fail(err, SLW_E_GONE, "no connection to Redis at %s: %s", text,
                        c->redis->errstr);
    }
    c->redis->flags &= ~REDIS_BLOCK;
    const int flags = fcntl(c->redis->fd, F_GETFL);
    if (flags < 0 || fcntl(c->redis->fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return slw_fail_sys(err, SLW_E_IO, errno, "the connection to Redis");
    c->patience_ms = SLW_CONNECT_MS;
    rc = log_in(c, choices, err);
    c->patience_ms = SLW_SILENCE_MS;
    if (rc == -SLW_E_GONE)
        slw_error_hint(err, "is it a Redis that --connect names?");
    return rc;
}
