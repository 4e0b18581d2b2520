/* SPDX-License-Identifier: MIT */
/* Statements about rows, and what all statements are made of. */
#include "base/arena.h"
#include "workloads/cql/parse_int.h"

#include <stdio.h>
#include <string.h>

/* ---- parts ---- */

void slw_cql_p_fail(struct slw_cql_parser *p, const char *what)
{
    const struct slw_cql_lexer *l = &p->lexer;

    if (p->refused)
        return;
    p->refused = true;
    slw_cql_refuse_as(p->r, SLW_CQL_E_SYNTAX, "line 1:%zu at '%.*s': %s",
                      (size_t)(l->token - l->begin),
                      (int)(l->text.length < 40 ? l->text.length : 40), l->text.bytes, what);
}

void slw_cql_p_next(struct slw_cql_parser *p)
{
    if (!p->refused && slw_cql_lex(&p->lexer, p->r) < 0)
        p->refused = true;
}

bool slw_cql_p_sees(const struct slw_cql_parser *p, const char *word)
{
    return !p->refused && p->lexer.kind == SLW_CQL_T_NAME && slw_cql_same(p->lexer.text, word);
}

bool slw_cql_p_sees_sign(const struct slw_cql_parser *p, char sign)
{
    return !p->refused && p->lexer.kind == SLW_CQL_T_SIGN && p->lexer.text.bytes[0] == sign;
}

bool slw_cql_p_take(struct slw_cql_parser *p, const char *word)
{
    bool seen = slw_cql_p_sees(p, word);

    if (seen)
        slw_cql_p_next(p);
    return seen;
}

bool slw_cql_p_take_sign(struct slw_cql_parser *p, char sign)
{
    bool seen = slw_cql_p_sees_sign(p, sign);

    if (seen)
        slw_cql_p_next(p);
    return seen;
}

void slw_cql_p_need(struct slw_cql_parser *p, const char *word)
{
    char what[64];

    (void)snprintf(what, sizeof(what), "%s is expected", word);
    if (!slw_cql_p_take(p, word))
        slw_cql_p_fail(p, what);
}

void slw_cql_p_need_sign(struct slw_cql_parser *p, char sign)
{
    char what[64];

    (void)snprintf(what, sizeof(what), "'%c' is expected", sign);
    if (!slw_cql_p_take_sign(p, sign))
        slw_cql_p_fail(p, what);
}

struct slw_cql_text slw_cql_p_name(struct slw_cql_parser *p)
{
    struct slw_cql_text name = p->lexer.text;

    if (p->lexer.kind != SLW_CQL_T_NAME && p->lexer.kind != SLW_CQL_T_QUOTED)
        slw_cql_p_fail(p, "a name is expected");
    else if (name.length == 0 || name.length >= SLW_CQL_NAME_BYTES)
        slw_cql_p_fail(p, "a name has 1 to 48 characters");
    else if (memchr(name.bytes, '\0', name.length))
        slw_cql_p_fail(p, "a name has no NUL in it");
    slw_cql_p_next(p);
    return p->refused ? SLW_CQL_TEXT("") : name;
}

void slw_cql_p_table(struct slw_cql_parser *p)
{
    p->s->table = slw_cql_p_name(p);
    if (slw_cql_p_take_sign(p, '.')) {
        p->s->keyspace = p->s->table;
        p->s->table = slw_cql_p_name(p);
    }
}

void slw_cql_p_column(struct slw_cql_parser *p)
{
    if (p->s->column_count == SLW_CQL_TABLE_COLUMNS)
        slw_cql_p_fail(p, "more columns than this endpoint allows");
    else
        p->s->columns[p->s->column_count++] = slw_cql_p_name(p);
}

void slw_cql_p_if(struct slw_cql_parser *p, bool negated)
{
    if (!slw_cql_p_take(p, "if"))
        return;
    if (negated)
        slw_cql_p_need(p, "not");
    slw_cql_p_need(p, "exists");
    p->s->conditional = true;
}

static bool word_term(struct slw_cql_parser *p, struct slw_cql_term *t)
{
    if (slw_cql_p_sees(p, "null"))
        t->kind = SLW_CQL_LITERAL_NULL;
    else if (slw_cql_p_sees(p, "true"))
        t->kind = SLW_CQL_LITERAL_TRUE;
    else if (slw_cql_p_sees(p, "false"))
        t->kind = SLW_CQL_LITERAL_FALSE;
    else
        return false;
    return true;
}

/* ? or :name */
static bool bound_term(struct slw_cql_parser *p, struct slw_cql_term *t)
{
    if (!slw_cql_p_sees_sign(p, '?') && !slw_cql_p_sees_sign(p, ':'))
        return false;
    t->kind = SLW_CQL_BOUND;
    t->bound = (uint16_t)p->s->bound_count++;
    t->text.length = 0;
    if (slw_cql_p_sees_sign(p, ':')) {
        slw_cql_p_next(p);
        t->text = p->lexer.text;
        if (p->lexer.kind != SLW_CQL_T_NAME)
            slw_cql_p_fail(p, "a name is expected");
    }
    return true;
}

static bool literal_term(const struct slw_cql_parser *p, struct slw_cql_term *t)
{
    switch (p->lexer.kind) {
    case SLW_CQL_T_STRING:
        t->kind = SLW_CQL_LITERAL_STRING;
        return true;
    case SLW_CQL_T_INTEGER:
        t->kind = SLW_CQL_LITERAL_INTEGER;
        return true;
    case SLW_CQL_T_DECIMAL:
        t->kind = SLW_CQL_LITERAL_DECIMAL;
        return true;
    case SLW_CQL_T_BLOB:
        t->kind = SLW_CQL_LITERAL_BLOB;
        return true;
    case SLW_CQL_T_UUID:
        t->kind = SLW_CQL_LITERAL_UUID;
        return true;
    case SLW_CQL_T_END:
    case SLW_CQL_T_NAME:
    case SLW_CQL_T_QUOTED:
    case SLW_CQL_T_SIGN:
        break;
    }
    return false;
}

size_t slw_cql_p_term(struct slw_cql_parser *p)
{
    struct slw_cql_term t = {.text = p->lexer.text};

    if (p->s->term_count == SLW_CQL_MAX_TERMS)
        slw_cql_p_fail(p, "more values than this endpoint allows");
    else if (!bound_term(p, &t) && !word_term(p, &t) && !literal_term(p, &t))
        slw_cql_p_fail(p, "a value is expected");
    if (p->refused)
        return 0;
    slw_cql_p_next(p);
    p->s->terms[p->s->term_count] = t;
    return p->s->term_count++;
}

/* ---- rows ---- */

static void condition(struct slw_cql_parser *p)
{
    struct slw_cql_condition c = {.column = slw_cql_p_name(p), .count = 1};

    if (p->s->condition_count == SLW_CQL_MAX_CONDITIONS)
        slw_cql_p_fail(p, "more conditions than this endpoint allows");
    if (slw_cql_p_take(p, "in") && !p->refused) {
        if (slw_cql_p_take_sign(p, '(')) {
            c.first = slw_cql_p_term(p);
            for (; slw_cql_p_take_sign(p, ','); c.count++)
                (void)slw_cql_p_term(p);
            slw_cql_p_need_sign(p, ')');
        } else {
            c.list = true;
            c.first = slw_cql_p_term(p);
        }
    } else {
        slw_cql_p_need_sign(p, '=');
        c.first = slw_cql_p_term(p);
    }
    if (!p->refused)
        p->s->conditions[p->s->condition_count++] = c;
}

static void conditions(struct slw_cql_parser *p)
{
    do
        condition(p);
    while (!p->refused && slw_cql_p_take(p, "and"));
}

static void insert(struct slw_cql_parser *p)
{
    p->s->kind = SLW_CQL_INSERT;
    slw_cql_p_need(p, "into");
    slw_cql_p_table(p);
    slw_cql_p_need_sign(p, '(');
    do
        slw_cql_p_column(p);
    while (slw_cql_p_take_sign(p, ','));
    slw_cql_p_need_sign(p, ')');
    slw_cql_p_need(p, "values");
    slw_cql_p_need_sign(p, '(');
    do
        (void)slw_cql_p_term(p);
    while (slw_cql_p_take_sign(p, ','));
    slw_cql_p_need_sign(p, ')');
    slw_cql_p_if(p, true);
    if (!p->refused && p->s->term_count != p->s->column_count) {
        p->refused = true;
        slw_cql_refuse_as(p->r, SLW_CQL_E_INVALID, "%zu columns and %zu values", p->s->column_count,
                          p->s->term_count);
    }
}

static void update(struct slw_cql_parser *p)
{
    p->s->kind = SLW_CQL_UPDATE;
    slw_cql_p_table(p);
    slw_cql_p_need(p, "set");
    do {
        slw_cql_p_column(p);
        slw_cql_p_need_sign(p, '=');
        (void)slw_cql_p_term(p);
    } while (slw_cql_p_take_sign(p, ','));
    slw_cql_p_need(p, "where");
    conditions(p);
    slw_cql_p_if(p, false);
}

static void delete (struct slw_cql_parser *p)
{
    p->s->kind = SLW_CQL_DELETE;
    slw_cql_p_need(p, "from");
    slw_cql_p_table(p);
    slw_cql_p_need(p, "where");
    conditions(p);
    slw_cql_p_if(p, false);
}

static void selection(struct slw_cql_parser *p)
{
    p->s->star = slw_cql_p_take_sign(p, '*');
    if (p->s->star)
        return;
    do {
        slw_cql_p_column(p);
        if (p->s->column_count == 1 && slw_cql_same(p->s->columns[0], "count") &&
            slw_cql_p_take_sign(p, '(')) {
            slw_cql_p_need_sign(p, '*');
            slw_cql_p_need_sign(p, ')');
            p->s->counts = true;
            return;
        }
    } while (slw_cql_p_take_sign(p, ','));
}

static void limit(struct slw_cql_parser *p)
{
    const struct slw_cql_lexer *l = &p->lexer;

    if (slw_cql_p_sees_sign(p, '?') || slw_cql_p_sees_sign(p, ':')) {
        p->s->bound_limit = true;
        p->s->limit = slw_cql_p_term(p);
        return;
    }
    for (size_t i = 0; l->kind == SLW_CQL_T_INTEGER && i < l->text.length; i++)
        if (l->text.bytes[i] >= '0' && l->text.bytes[i] <= '9' && p->s->limit < UINT32_MAX)
            p->s->limit = p->s->limit * 10 + (uint64_t)(l->text.bytes[i] - '0');
    if (p->s->limit == 0 || p->s->limit > INT32_MAX)
        slw_cql_p_fail(p, "a limit is 1 to 2147483647");
    slw_cql_p_next(p);
}

static void select(struct slw_cql_parser *p)
{
    p->s->kind = SLW_CQL_SELECT;
    selection(p);
    slw_cql_p_need(p, "from");
    slw_cql_p_table(p);
    if (slw_cql_p_take(p, "where"))
        conditions(p);
    if (slw_cql_p_take(p, "limit"))
        limit(p);
    if (slw_cql_p_take(p, "allow")) {
        slw_cql_p_need(p, "filtering");
        p->s->filtering = true;
    }
}

static void statement(struct slw_cql_parser *p)
{
    slw_cql_p_next(p);
    if (slw_cql_p_take(p, "insert"))
        insert(p);
    else if (slw_cql_p_take(p, "update"))
        update(p);
    else if (slw_cql_p_take(p, "delete"))
        delete (p);
    else if (slw_cql_p_take(p, "select"))
        select(p);
    else
        slw_cql_p_schema(p);
    (void)slw_cql_p_take_sign(p, ';');
    if (p->lexer.kind != SLW_CQL_T_END)
        slw_cql_p_fail(p, "the statement should end here");
}

struct slw_cql_statement *slw_cql_parse(struct slw_cql_text text, struct slw_cql_refusal *r)
{
    struct slw_arena *arena = slw_arena_new();
    struct slw_cql_parser p = {.r = r};

    if (text.length > SLW_CQL_MAX_STATEMENT) {
        slw_cql_refuse_as(r, SLW_CQL_E_INVALID, "a statement of %zu bytes", text.length);
        p.refused = true;
    }
    const char *copy =
        arena && !p.refused ? slw_arena_strndup(arena, text.bytes, text.length) : NULL;
    p.s = copy ? slw_arena_alloc(arena, sizeof(*p.s)) : NULL;
    if (p.s) {
        p.s->arena = arena;
        p.s->text = (struct slw_cql_text){copy, text.length};
        p.lexer = (struct slw_cql_lexer){
            .begin = copy, .at = copy, .end = copy + text.length, .token = copy, .arena = arena};
        statement(&p);
    } else if (!p.refused) {
        slw_cql_refuse_as(r, SLW_CQL_E_SERVER, "out of memory");
        p.refused = true;
    }
    if (!p.refused)
        return p.s;
    slw_arena_free(arena);
    return NULL;
}

void slw_cql_statement_free(struct slw_cql_statement *s)
{
    if (s)
        slw_arena_free(s->arena);
}
