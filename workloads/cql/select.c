/* SPDX-License-Identifier: MIT */
/* SELECT. Rows come in the order in which their keys came first, or in that of IN. */
#include "workloads/cql/endpoint_int.h"

#include <stdlib.h>
#include <string.h>

#define STATE_BYTES 24u /* of a paging state: incarnation, where to go on, rows given so far */

/* ---- columns ---- */

int slw_cql_pick(const struct slw_cql_statement *s, const struct slw_cql_table *t,
                 struct slw_cql_picks *ret, struct slw_cql_refusal *r)
{
    ret->count = s->counts ? 0 : s->star ? t->column_count : s->column_count;
    for (size_t i = 0; i < ret->count; i++) {
        const int column = s->star ? (int)i : slw_cql_table_column(t, s->columns[i]);

        if (column < 0)
            return slw_cql_refuse(r, SLW_CQL_E_INVALID, "Undefined column name %.*s in table %s.%s",
                                  (int)s->columns[i].length, s->columns[i].bytes, t->keyspace,
                                  t->name);
        ret->columns[i] = (size_t)column;
    }
    return 0;
}

void slw_cql_put_columns(struct slw_buf *b, const struct slw_cql_statement *s,
                         const struct slw_cql_table *t, const struct slw_cql_picks *picks)
{
    slw_cql_put_string(b, slw_cql_text(t->keyspace));
    slw_cql_put_string(b, slw_cql_text(t->name));
    if (s->counts) {
        slw_cql_put_string(b, SLW_CQL_TEXT("count"));
        slw_cql_put_type(b, (struct slw_cql_type){.id = SLW_CQL_BIGINT});
    }
    for (size_t i = 0; i < picks->count; i++) {
        slw_cql_put_string(b, slw_cql_text(t->columns[picks->columns[i]].name));
        slw_cql_put_type(b, t->columns[picks->columns[i]].type);
    }
}

void slw_cql_metadata_id(const struct slw_cql_statement *s, const struct slw_cql_table *t,
                         const struct slw_cql_picks *picks, uint8_t ret_id[16])
{
    struct slw_buf columns = {0};

    slw_cql_put_columns(&columns, s, t, picks);
    for (uint64_t seed = 0; seed < 2; seed++)
        slw_cql_store_long(ret_id + 8 * seed, slw_hash_bytes(columns.data, columns.length, seed));
    slw_buf_release(&columns);
}

/* ---- conditions ---- */

/* One condition of a SELECT with its values. */
struct test {
    int column;
    size_t count;
    struct slw_cql_value values[SLW_CQL_MAX_TERMS];
    struct slw_cql_in list; /* IN ?: `count` values to take from it */
    bool is_list;
};

static int resolve(const struct slw_cql_request *q, const struct slw_cql_table *t,
                   const struct slw_cql_condition *c, struct slw_buf *scratch, struct test *ret,
                   struct slw_cql_refusal *r)
{
    const struct slw_cql_term *terms = q->statement->terms + c->first;

    ret->column = slw_cql_table_column(t, c->column);
    ret->count = c->count;
    ret->is_list = c->list;
    if (ret->column < 0)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "Undefined column name %.*s in table %s.%s",
                              (int)c->column.length, c->column.bytes, t->keyspace, t->name);
    const struct slw_cql_type type = t->columns[ret->column].type;
    if (!c->list) {
        for (size_t i = 0; i < c->count; i++)
            if (slw_cql_term_value(q, &terms[i], type, scratch, &ret->values[i], r) < 0)
                return -1;
        return 0;
    }
    if (terms->kind != SLW_CQL_BOUND || q->bound[terms->bound].length < 4)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "IN takes a list");
    /* Section 5 of v5, "list": [int] n and n [bytes]. */
    const struct slw_cql_value list = q->bound[terms->bound];
    ret->list = slw_cql_in(list.bytes, (size_t)list.length);
    const int32_t count = slw_cql_get_int(&ret->list);
    struct slw_cql_in walk = ret->list;
    for (int32_t i = 0; i < count && !walk.bad; i++)
        if (!slw_cql_value_fits(type, slw_cql_get_bytes(&walk)))
            walk.bad = true;
    if (walk.bad || count < 0)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "this is no list of %s",
                              slw_cql_type_name(type));
    ret->count = (size_t)count;
    return 0;
}

static struct slw_cql_value value_of(struct test *x, size_t i)
{
    return x->is_list ? slw_cql_get_bytes(&x->list) : x->values[i];
}

static bool same(struct slw_cql_value a, struct slw_cql_value b)
{
    return a.length >= 0 && a.length == b.length &&
           (a.length == 0 || memcmp(a.bytes, b.bytes, (size_t)a.length) == 0);
}

static bool passes(const struct test *x, const struct slw_cql_row *row)
{
    const struct slw_cql_value there = slw_cql_row_value(row, (size_t)x->column);
    struct slw_cql_in list = x->list;

    for (size_t i = 0; i < x->count; i++)
        if (same(there, x->is_list ? slw_cql_get_bytes(&list) : x->values[i]))
            return true;
    return false;
}

/* ---- rows ---- */

struct scan {
    const struct slw_cql_request *q;
    struct slw_cql_table *t;
    struct slw_cql_picks picks;
    size_t test_count;
    struct test *tests;
    struct test *key;   /* among the tests: look keys up instead of walking; or NULL */
    uint64_t at, given; /* position; rows given in pages before */
    uint64_t limit, page;
    uint64_t rows; /* in this page */
    bool more;
};

static bool row_passes(const struct scan *s, const struct slw_cql_row *row)
{
    for (size_t i = 0; i < s->test_count; i++)
        if (&s->tests[i] != s->key && !passes(&s->tests[i], row))
            return false;
    return true;
}

static uint64_t end_of(const struct scan *s)
{
    return s->key ? s->key->count : s->t->row_count;
}

/* The next row that passes, or NULL. */
static const struct slw_cql_row *next_row(struct scan *s)
{
    while (s->at < end_of(s)) {
        const uint64_t i = s->at++;
        const struct slw_cql_row *row =
            s->key ? slw_cql_table_find(s->t, value_of(s->key, i)) : &s->t->rows[i];

        if (row && row->cells && row_passes(s, row))
            return row;
    }
    return NULL;
}

static void put_row(const struct scan *s, const struct slw_cql_row *row, struct slw_buf *body)
{
    if (s->q->statement->star)
        slw_buf_put(body, row->cells, row->length);
    for (size_t i = 0; !s->q->statement->star && i < s->picks.count; i++)
        slw_cql_put_value(body, slw_cql_row_value(row, s->picks.columns[i]));
}

static void put_rows(struct scan *s, struct slw_buf *rows)
{
    const struct slw_cql_row *row;

    while (s->given + s->rows < s->limit && (row = next_row(s)) != NULL) {
        if (s->rows == s->page || rows->length > SLW_CQL_RESULT_BYTES) {
            s->more = true; /* there is one more than fits */
            s->at--;
            return;
        }
        if (!s->q->statement->counts)
            put_row(s, row, rows);
        s->rows++;
    }
}

/* ---- paging ---- */

static int begin_page(struct scan *s, struct slw_cql_refusal *r)
{
    const struct slw_cql_parameters *p = &s->q->parameters;
    const struct slw_cql_value state = p->paging_state;
    const bool pages = (p->flags & SLW_CQL_Q_PAGE_SIZE) && p->page_size > 0;

    s->page = pages && !s->q->statement->counts ? (uint64_t)p->page_size : UINT64_MAX;
    if (!(p->flags & SLW_CQL_Q_PAGING_STATE) || state.length < 0)
        return 0;
    if (state.length != (int32_t)STATE_BYTES || slw_cql_load_long(state.bytes) != s->t->incarnation)
        return slw_cql_refuse(r, SLW_CQL_E_PROTOCOL, "Invalid value for the paging state");
    const uint64_t at = slw_cql_load_long(state.bytes + 8);
    s->given = slw_cql_load_long(state.bytes + 16);
    if (at > end_of(s))
        return slw_cql_refuse(r, SLW_CQL_E_PROTOCOL, "Invalid value for the paging state");
    while (s->at < at) { /* a list is taken from its front */
        if (s->key && s->key->is_list)
            (void)value_of(s->key, s->at);
        s->at++;
    }
    return 0;
}

static void put_state(const struct scan *s, struct slw_buf *body)
{
    uint8_t state[STATE_BYTES];

    slw_cql_store_long(state, s->t->incarnation);
    slw_cql_store_long(state + 8, s->at);
    slw_cql_store_long(state + 16, s->given + s->rows);
    slw_cql_put_bytes(body, state, sizeof(state));
}

static void put_result(const struct scan *s, const struct slw_buf *rows, struct slw_buf *body)
{
    const struct slw_cql_request *q = s->q;
    const bool counts = q->statement->counts;
    const bool v5 = q->client->version >= 5 && q->prepared;
    bool skip = q->prepared && (q->parameters.flags & SLW_CQL_Q_SKIP_METADATA);
    uint8_t id[16];
    bool changed = false;

    slw_cql_metadata_id(q->statement, s->t, &s->picks, id);
    if (v5)
        changed = !slw_cql_equal(q->metadata_id, (struct slw_cql_text){(const char *)id, 16});
    skip = skip && !changed;
    slw_cql_put_int(body, SLW_CQL_ROWS);
    slw_cql_put_int(body, (s->more ? SLW_CQL_M_MORE : 0) | (changed ? SLW_CQL_M_CHANGED : 0) |
                              (skip ? SLW_CQL_M_NONE : SLW_CQL_M_GLOBAL));
    slw_cql_put_int(body, counts ? 1 : (int32_t)s->picks.count);
    if (s->more)
        put_state(s, body);
    if (changed)
        slw_cql_put_short_bytes(body, (struct slw_cql_text){(const char *)id, 16});
    if (!skip)
        slw_cql_put_columns(body, q->statement, s->t, &s->picks);
    slw_cql_put_int(body, counts ? 1 : (int32_t)s->rows);
    if (counts) {
        slw_cql_put_int(body, 8);
        slw_cql_put_long(body, (int64_t)s->rows);
    } else {
        slw_buf_put(body, rows->data, rows->length);
    }
}

/* ---- all of it ---- */

static int set_limit(struct scan *s, struct slw_cql_refusal *r)
{
    const struct slw_cql_statement *st = s->q->statement;
    const struct slw_cql_type type = {.id = SLW_CQL_INT};
    struct slw_buf scratch = {0};
    struct slw_cql_value v;

    s->limit = st->limit ? st->limit : UINT64_MAX;
    if (st->counts)
        s->limit = UINT64_MAX;
    if (!st->bound_limit)
        return 0;
    int rc = slw_cql_term_value(s->q, &st->terms[st->limit], type, &scratch, &v, r);
    if (rc == 0) {
        struct slw_cql_in in = slw_cql_in(v.bytes, v.length > 0 ? (size_t)v.length : 0);
        const int32_t limit = slw_cql_get_int(&in);

        s->limit = limit > 0 ? (uint64_t)limit : 0;
        if (limit <= 0)
            rc = slw_cql_refuse(r, SLW_CQL_E_INVALID, "LIMIT must be strictly positive");
    }
    slw_buf_release(&scratch);
    return rc;
}

static int resolve_all(struct scan *s, struct slw_buf scratch[], struct slw_cql_refusal *r)
{
    const struct slw_cql_statement *st = s->q->statement;

    for (size_t i = 0; i < st->condition_count; i++) {
        /* Room for all literals first: values point into it. */
        if (resolve(s->q, s->t, &st->conditions[i], &scratch[i], &s->tests[i], r) < 0)
            return -1;
        s->test_count++;
        if (s->tests[i].column == 0 && !s->key)
            s->key = &s->tests[i];
        else if (!st->filtering && !s->t->system)
            return slw_cql_refuse(r, SLW_CQL_E_INVALID,
                                  "Cannot execute this query as it might involve data filtering. "
                                  "If you want to execute it despite that, use ALLOW FILTERING");
    }
    return 0;
}

static int run(struct scan *s, struct slw_buf *body, struct slw_cql_refusal *r)
{
    struct slw_buf scratch[SLW_CQL_MAX_CONDITIONS] = {{0}}, rows = {0};
    int rc = slw_cql_pick(s->q->statement, s->t, &s->picks, r);

    if (rc == 0)
        rc = resolve_all(s, scratch, r);
    if (rc == 0)
        rc = set_limit(s, r);
    if (rc == 0)
        rc = begin_page(s, r);
    if (rc == 0) {
        put_rows(s, &rows);
        if (s->more && s->page == UINT64_MAX)
            rc = slw_cql_refuse(r, SLW_CQL_E_INVALID, "too much for one answer; ask for pages");
        else if (slw_buf_failed(&rows))
            rc = slw_cql_refuse(r, SLW_CQL_E_SERVER, "out of memory");
        else
            put_result(s, &rows, body);
    }
    for (size_t i = 0; i < SLW_CQL_MAX_CONDITIONS; i++)
        slw_buf_release(&scratch[i]);
    slw_buf_release(&rows);
    return rc;
}

int slw_cql_select(const struct slw_cql_request *q, struct slw_buf *body, struct slw_cql_refusal *r)
{
    struct slw_cql_table *made = NULL;
    struct scan s = {.q = q};

    if (slw_cql_request_table(q, &s.t, &made, r) < 0)
        return -1;
    s.tests = calloc(q->statement->condition_count + 1, sizeof(*s.tests));
    int rc = s.tests ? run(&s, body, r) : slw_cql_refuse(r, SLW_CQL_E_SERVER, "out of memory");
    free(s.tests);
    slw_cql_table_free(made);
    return rc;
}
