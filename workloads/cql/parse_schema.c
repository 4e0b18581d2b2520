/* SPDX-License-Identifier: MIT */
/* Statements about keyspaces and tables. Options of a table are read and have no meaning here. */
#include "workloads/cql/parse_int.h"

static bool is_replication(struct slw_cql_text key)
{
    return slw_cql_same(key, "replication_factor");
}

/* '3' or 3; as many copies as can be asked for, of which the endpoint has one. */
static unsigned copies(struct slw_cql_parser *p)
{
    unsigned value = 0;

    for (size_t i = 0; i < p->lexer.text.length && value < 1000; i++) {
        char c = p->lexer.text.bytes[i];

        if (c < '0' || c > '9')
            slw_cql_p_fail(p, "a number of copies is expected");
        value = value * 10 + (unsigned)(c - '0');
    }
    return value;
}

static bool sees_literal(const struct slw_cql_parser *p)
{
    return p->lexer.kind != SLW_CQL_T_END && p->lexer.kind != SLW_CQL_T_SIGN;
}

/* { 'class': 'SimpleStrategy', 'replication_factor': 1 } */
static void map(struct slw_cql_parser *p)
{
    slw_cql_p_need_sign(p, '{');
    while (!p->refused && !slw_cql_p_sees_sign(p, '}')) {
        struct slw_cql_text key = p->lexer.text;

        if (p->lexer.kind != SLW_CQL_T_STRING)
            slw_cql_p_fail(p, "a string is expected");
        slw_cql_p_next(p);
        slw_cql_p_need_sign(p, ':');
        if (!sees_literal(p))
            slw_cql_p_fail(p, "a value is expected");
        else if (is_replication(key))
            p->s->replication = copies(p);
        slw_cql_p_next(p);
        if (!slw_cql_p_take_sign(p, ','))
            break;
    }
    slw_cql_p_need_sign(p, '}');
}

/* [WITH name = value [AND name = value]...] */
static void options(struct slw_cql_parser *p)
{
    if (!slw_cql_p_take(p, "with"))
        return;
    do {
        (void)slw_cql_p_name(p);
        slw_cql_p_need_sign(p, '=');
        if (slw_cql_p_sees_sign(p, '{'))
            map(p);
        else if (sees_literal(p))
            slw_cql_p_next(p);
        else
            slw_cql_p_fail(p, "a value is expected");
    } while (!p->refused && slw_cql_p_take(p, "and"));
}

static void set_key(struct slw_cql_parser *p, struct slw_cql_text key)
{
    if (p->s->key.bytes)
        slw_cql_p_fail(p, "there is a primary key already");
    p->s->key = key;
}

/* name type [PRIMARY KEY] */
static void column_definition(struct slw_cql_parser *p)
{
    const size_t index = p->s->column_count;

    slw_cql_p_column(p);
    if (p->refused)
        return;
    if (!slw_cql_type_named(p->lexer.text, &p->s->types[index])) {
        slw_cql_p_fail(p, "this endpoint does not have this type");
        return;
    }
    slw_cql_p_next(p);
    if (slw_cql_p_take(p, "primary")) {
        slw_cql_p_need(p, "key");
        set_key(p, p->s->columns[index]);
    }
}

/* PRIMARY KEY (name) or ((name)) */
static void key_definition(struct slw_cql_parser *p)
{
    slw_cql_p_need(p, "key");
    slw_cql_p_need_sign(p, '(');
    bool twice = slw_cql_p_take_sign(p, '(');
    set_key(p, slw_cql_p_name(p));
    if (slw_cql_p_sees_sign(p, ','))
        slw_cql_p_fail(p, "a primary key has one column in this endpoint");
    if (twice)
        slw_cql_p_need_sign(p, ')');
    if (slw_cql_p_sees_sign(p, ','))
        slw_cql_p_fail(p, "a primary key has one column in this endpoint");
    slw_cql_p_need_sign(p, ')');
}

static void create_table(struct slw_cql_parser *p)
{
    p->s->kind = SLW_CQL_CREATE_TABLE;
    slw_cql_p_if(p, true);
    slw_cql_p_table(p);
    slw_cql_p_need_sign(p, '(');
    do {
        if (slw_cql_p_take(p, "primary"))
            key_definition(p);
        else
            column_definition(p);
    } while (!p->refused && slw_cql_p_take_sign(p, ','));
    slw_cql_p_need_sign(p, ')');
    options(p);
    if (!p->s->key.bytes)
        slw_cql_p_fail(p, "no primary key");
}

static void create(struct slw_cql_parser *p)
{
    if (slw_cql_p_take(p, "keyspace")) {
        p->s->kind = SLW_CQL_CREATE_KEYSPACE;
        slw_cql_p_if(p, true);
        p->s->keyspace = slw_cql_p_name(p);
        p->s->replication = 1;
        if (!slw_cql_p_sees(p, "with"))
            slw_cql_p_fail(p, "with is expected");
        options(p);
    } else if (slw_cql_p_take(p, "table") || slw_cql_p_take(p, "columnfamily")) {
        create_table(p);
    } else {
        slw_cql_p_fail(p, "this endpoint creates keyspaces and tables only");
    }
}

static void drop(struct slw_cql_parser *p)
{
    if (slw_cql_p_take(p, "keyspace")) {
        p->s->kind = SLW_CQL_DROP_KEYSPACE;
        slw_cql_p_if(p, false);
        p->s->keyspace = slw_cql_p_name(p);
    } else if (slw_cql_p_take(p, "table") || slw_cql_p_take(p, "columnfamily")) {
        p->s->kind = SLW_CQL_DROP_TABLE;
        slw_cql_p_if(p, false);
        slw_cql_p_table(p);
    } else {
        slw_cql_p_fail(p, "this endpoint drops keyspaces and tables only");
    }
}

void slw_cql_p_schema(struct slw_cql_parser *p)
{
    if (slw_cql_p_take(p, "create")) {
        create(p);
    } else if (slw_cql_p_take(p, "drop")) {
        drop(p);
    } else if (slw_cql_p_take(p, "truncate")) {
        p->s->kind = SLW_CQL_TRUNCATE;
        (void)slw_cql_p_take(p, "table");
        slw_cql_p_table(p);
    } else if (slw_cql_p_take(p, "use")) {
        p->s->kind = SLW_CQL_USE;
        p->s->keyspace = slw_cql_p_name(p);
    } else {
        slw_cql_p_fail(p, "this endpoint does not have this statement");
    }
}
