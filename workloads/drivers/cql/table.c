/* SPDX-License-Identifier: MIT */
/* The table as a whole: making it, and what is in it. */
#include "workloads/drivers/cql/cql_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VISIT_PAGE 5000

int slw_cql_busy(const struct slw_cql_connection *c, struct slw_error *err)
{
    if (c->open_count > 0)
        return slw_fail(err, SLW_E_INVAL, "%zu requests are in flight", c->open_count);
    return c->broken ? slw_cql_gone(c, err) : 0;
}

int slw_cql_create(void *connection, struct slw_error *err)
{
    struct slw_cql_connection *c = connection;
    int rc = slw_cql_busy(c, err);

    if (rc == 0)
        rc = slw_cql_do(c, err,
                        "CREATE KEYSPACE IF NOT EXISTS %s WITH replication = "
                        "{'class': 'SimpleStrategy', 'replication_factor': %u}",
                        c->keyspace, c->replication);
    if (rc == 0)
        rc = slw_cql_do(c, err, "DROP TABLE IF EXISTS %s.%s", c->keyspace, c->table);
    if (rc == 0)
        rc = slw_cql_do(c, err, "CREATE TABLE %s.%s (id bigint PRIMARY KEY, payload blob)",
                        c->keyspace, c->table);
    slw_cql_forget(c); /* what was prepared was about the table before */
    return rc;
}

static int visit_page(struct slw_cql_connection *c, struct slw_buf *state, struct slw_buf *ids,
                      struct slw_error *err)
{
    struct slw_cql_parameters p = {
        .consistency = c->consistency, .flags = SLW_CQL_Q_PAGE_SIZE, .page_size = VISIT_PAGE};
    struct slw_cql_envelope m;
    struct slw_cql_rows r;
    char text[160];

    (void)snprintf(text, sizeof(text), "SELECT id FROM %s.%s", c->keyspace, c->table);
    if (state->length > 0) {
        p.flags |= SLW_CQL_Q_PAGING_STATE;
        p.paging_state =
            (struct slw_cql_value){(const uint8_t *)state->data, (int32_t)state->length};
    }
    struct slw_buf *b = slw_cql_ask(c, SLW_CQL_QUERY);
    slw_cql_put_query(b, slw_cql_text(text));
    slw_cql_put_parameters(b, c->version, &p, NULL, 0);
    int rc = slw_cql_await(c, SLW_CQL_SILENCE_MS, &m, err);
    if (rc < 0)
        return rc;
    struct slw_cql_in in = slw_cql_in(m.body, m.length);
    bool good = m.opcode == SLW_CQL_RESULT && slw_cql_skip_prefix(&in, m.flags) &&
                slw_cql_get_int(&in) == SLW_CQL_ROWS && slw_cql_get_rows(&in, &r) &&
                r.metadata.column_count == 1;
    for (size_t i = 0; good && i < r.row_count; i++) {
        const struct slw_cql_value id = slw_cql_get_bytes(&r.content);
        uint64_t value = 0;

        good = id.length == 8;
        if (good)
            value = slw_cql_load_long(id.bytes);
        slw_buf_put(ids, &value, sizeof(value));
    }
    if (!good) {
        slw_cql_break(c, "rows that are malformed");
        return slw_cql_gone(c, err);
    }
    state->length = 0;
    if (r.metadata.flags & SLW_CQL_M_MORE && r.metadata.paging_state.length > 0)
        slw_buf_put(state, r.metadata.paging_state.bytes, (size_t)r.metadata.paging_state.length);
    return slw_buf_failed(ids) || slw_buf_failed(state)
               ? slw_fail(err, SLW_E_NOMEM, "no memory for the ids")
               : 0;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Pages come in the order of tokens, so all ids are fetched before the first is shown. */
int slw_cql_visit(void *connection, int (*visit_id)(void *ctx, uint64_t id), void *ctx,
                  struct slw_error *err)
{
    struct slw_cql_connection *c = connection;
    struct slw_buf ids = {0}, state = {0};
    int rc = slw_cql_busy(c, err);

    do
        rc = rc < 0 ? rc : visit_page(c, &state, &ids, err);
    while (rc == 0 && state.length > 0);
    uint64_t *sorted = ids.length ? malloc(ids.length) : NULL;
    const size_t count = ids.length / sizeof(*sorted);
    if (rc == 0 && count > 0 && !sorted)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for the ids");
    if (rc == 0 && count > 0) {
        memcpy(sorted, ids.data, ids.length);
        qsort(sorted, count, sizeof(*sorted), by_value);
        for (size_t i = 0; rc == 0 && i < count; i++)
            rc = visit_id(ctx, sorted[i]);
    }
    free(sorted);
    slw_buf_release(&ids);
    slw_buf_release(&state);
    return rc;
}
