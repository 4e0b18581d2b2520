/* SPDX-License-Identifier: MIT */
/* CQL: Cassandra, ScyllaDB, or the endpoint of workloads/cql; native protocol v5, or v4 where that
 * is what the server speaks. One server is talked to, whatever others there are: no topology, no
 * token-aware routing, no TLS. `where` is HOST[:PORT].
 *
 * INSERT replaces the row of an id that is there and UPDATE makes one that is not (`upserts`):
 * that is CQL, and looking first would cost a round of Paxos. With --conditional it is paid: IF NOT
 * EXISTS and IF EXISTS, and then ids that are there are rejected as everywhere else; a BATCH may
 * not have conditions on several partitions, so there is no STATEMENT then.
 *
 * STATEMENT is a LOGGED BATCH: once it is acknowledged all of it is stored or will be, but others
 * may see some of it before the rest. With --unlogged it is an UNLOGGED one: each partition by
 * itself, so when the answer is lost some rows may be stored and others not. (Neither is a
 * transaction, so there is no TRANSACTION.) Servers refuse large batches: Cassandra's
 * batch_size_fail_threshold is 50 KiB unless told otherwise.
 *
 * PIPELINE uses stream ids. A server may work on what is in flight in any order, so a request whose
 * id is being written (or, to write, read) waits for that answer; answers are handed on in the
 * order of submission. Writes carry growing timestamps, so that the last one wins. */
#include "workloads/drivers/cql/cql_int.h"

#include "base/file.h"
#include "base/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_HOST "127.0.0.1"
#define DEFAULT_PORT 9042
#define MAX_NAME     48
#define MAX_PASSWORD 4096

static const char *const consistencies[] = SLW_CQL_CONSISTENCIES;
static const char *const protocols[] = {"auto", "4", "5", NULL};

static const struct slw_setting settings[] = {
    {.name = "consistency",
     .kind = SLW_SETTING_CHOICE,
     .value = "LEVEL",
     .choices = consistencies,
     .otherwise = "local_one",
     .text = "How many replicas have to answer."},
    {.name = "keyspace",
     .kind = SLW_SETTING_TEXT,
     .value = "NAME",
     .otherwise = "slotwise",
     .text = "The keyspace of the table; made when it is not there."},
    {.name = "replication",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "1",
     .low = 1,
     .high = 100,
     .text = "Copies of each row in a keyspace that is made."},
    {.name = "lz4", .kind = SLW_SETTING_FLAG, .text = "Compress what travels."},
    {.name = "protocol",
     .kind = SLW_SETTING_CHOICE,
     .value = "VERSION",
     .choices = protocols,
     .otherwise = "auto",
     .text = "Version of the native protocol; auto is 5, or 4 where the server does not know 5."},
    {.name = "conditional",
     .kind = SLW_SETTING_FLAG,
     .text = "INSERT only what is not there, UPDATE only what is: each costs a round of Paxos."},
    {.name = "unlogged",
     .kind = SLW_SETTING_FLAG,
     .text = "Batches without the batch log: not all or nothing when a server fails."},
    {.name = "user", .kind = SLW_SETTING_TEXT, .value = "NAME", .text = "Who we are."},
    {.name = "password-file",
     .kind = SLW_SETTING_TEXT,
     .value = "FILE",
     .text = "A file whose first line is the password."},
    {.name = NULL},
};

/* ---- open ---- */

static void close_connection(void *connection)
{
    struct slw_cql_connection *c = connection;

    if (!c)
        return;
    slw_cql_disconnect(c);
    slw_cql_decoder_release(&c->in);
    slw_cql_encoder_release(&c->out);
    for (size_t i = 0; i < SLW_CQL_CAPACITY; i++)
        slw_buf_release(&c->slots[i].payload);
    slw_buf_release(&c->payloads);
    free(c->host);
    free(c->user);
    free(c->password);
    free(c);
}

/* HOST, HOST:PORT, [HOST]:PORT with a host that has colons in it. */
static int parse_where(struct slw_cql_connection *c, const char *where, struct slw_error *err)
{
    const char *host = where && where[0] ? where : DEFAULT_HOST;
    const char *end = host + strlen(host), *colon = strrchr(host, ':');
    uint64_t port = DEFAULT_PORT;
    int rc = 0;

    if (host[0] == '[') {
        end = strchr(host, ']');
        colon = end && end[1] == ':' ? end + 1 : NULL;
        host++;
    } else if (colon && strchr(host, ':') == colon) {
        end = colon;
    } else {
        colon = NULL;
    }
    if (!end || end == host || end - host > 100)
        rc = slw_fail(err, SLW_E_INVAL, "'%.100s' is no HOST:PORT", where);
    if (rc == 0 && colon)
        rc = slw_parse_u64(colon + 1, "the port", 1, 65535, &port, err);
    if (rc < 0) {
        slw_error_hint(err, "name the server with --connect HOST:PORT");
        return rc;
    }
    c->port = (uint16_t)port;
    c->host = strndup(host, (size_t)(end - host));
    (void)snprintf(c->where, sizeof(c->where), "%.100s:%u", c->host ? c->host : "", c->port);
    return c->host ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a connection");
}

/* Names go into statements as they are. */
static int set_name(char to[64], const char *name, const char *what, struct slw_error *err)
{
    const size_t length = strlen(name);
    const size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

    if (length == 0 || length > MAX_NAME || good != length || name[0] == '_' ||
        (name[0] >= '0' && name[0] <= '9')) {
        slw_error_hint(err,
                       "a name has up to %d small letters, digits and underscores, a letter first",
                       MAX_NAME);
        return slw_fail(err, SLW_E_INVAL, "'%.60s' cannot be the name of a %s", name, what);
    }
    memcpy(to, name, length + 1);
    return 0;
}

static int read_password(struct slw_cql_connection *c, const char *path, struct slw_error *err)
{
    size_t length = 0;

    if (!path)
        return 0;
    int rc = slw_file_read(path, MAX_PASSWORD, &c->password, &length, err);
    if (rc == 0)
        c->password[strcspn(c->password, "\r\n")] = '\0';
    return rc;
}

static int configure(struct slw_cql_connection *c, const char *where, const char *table,
                     const struct slw_choices *choices, struct slw_error *err)
{
    const char *user = slw_choices_text(choices, "user");

    c->consistency = (uint16_t)slw_choices_choice(choices, "consistency");
    c->replication = (unsigned)slw_choices_number(choices, "replication");
    c->lz4 = slw_choices_flag(choices, "lz4");
    c->conditional = slw_choices_flag(choices, "conditional");
    c->unlogged = slw_choices_flag(choices, "unlogged");
    int rc = parse_where(c, where, err);
    if (rc == 0)
        rc = set_name(c->table, table, "table", err);
    if (rc == 0)
        rc = set_name(c->keyspace, slw_choices_text(choices, "keyspace"), "keyspace", err);
    if (rc == 0 && user && !(c->user = strdup(user)))
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for a connection");
    if (rc == 0)
        rc = read_password(c, slw_choices_text(choices, "password-file"), err);
    return rc;
}

static int open_connection(const char *where, const char *table, const struct slw_choices *choices,
                           void **ret_connection, struct slw_error *err)
{
    struct slw_cql_connection *c = calloc(1, sizeof(*c));

    if (!c)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a connection");
    c->fd = -1;
    while (c->free_count < SLW_CQL_CAPACITY) {
        c->free_streams[c->free_count] = (uint16_t)(SLW_CQL_CAPACITY - 1 - c->free_count);
        c->free_count++;
    }
    int rc = configure(c, where, table, choices, err);
    if (rc == 0) {
        const size_t protocol = slw_choices_choice(choices, "protocol");

        slw_cql_set_texts(c);
        rc = slw_cql_handshake(c, protocol == 1 ? 4 : 5, protocol == 2 ? 5 : 4, err);
    }
    if (rc < 0) {
        close_connection(c);
        return rc;
    }
    *ret_connection = c;
    return 0;
}

const struct slw_driver slw_driver_cql = {
    .name = "cql",
    .summary = "Cassandra, ScyllaDB (CQL native protocol)",
    .batchings =
        1U << SLW_BATCHING_NONE | 1U << SLW_BATCHING_PIPELINE | 1U << SLW_BATCHING_STATEMENT,
    .upserts = true,
    .settings = settings,
    .open = open_connection,
    .close = close_connection,
    .create = slw_cql_create,
    .visit = slw_cql_visit,
    .run = slw_cql_run,
    .capacity = SLW_CQL_CAPACITY,
    .submit = slw_cql_submit,
    .flush = slw_cql_flush,
    .poll = slw_cql_poll,
    .descriptor = slw_cql_descriptor,
    .durability = slw_cql_durability,
};
