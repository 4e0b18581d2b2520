/* SPDX-License-Identifier: MIT */
/* The statements of CQL that a table of keys and values needs, parsed. Whatever else CQL has is a
 * syntax error that says where. Source of the grammar: "The Cassandra Query Language (CQL)" of
 * Apache Cassandra 4.1. Not for: whether tables and columns exist (execute.c). */
#ifndef SLW_WORKLOADS_CQL_STATEMENT_INT_H
#define SLW_WORKLOADS_CQL_STATEMENT_INT_H

#include "workloads/cql/message.h"

struct slw_arena;

/* Limits: a statement is foreign text. */
#define SLW_CQL_NAME_BYTES     49 /* 48 and a NUL; as Cassandra's limit for names */
#define SLW_CQL_TABLE_COLUMNS  64
#define SLW_CQL_MAX_TERMS      512
#define SLW_CQL_MAX_CONDITIONS 8
#define SLW_CQL_MAX_STATEMENT  (16u << 20)

/* Why a request is refused: an ERROR to be. */
struct slw_cql_refusal {
    int32_t code;
    char text[256];
    struct slw_cql_text keyspace, table; /* ALREADY_EXISTS */
    struct slw_cql_text id;              /* UNPREPARED */
};
__attribute__((format(printf, 3, 4))) void slw_cql_refuse_as(struct slw_cql_refusal *r,
                                                             int32_t code, const char *fmt, ...);
/* The same as an expression that is -1, for `return`. */
#define slw_cql_refuse(...) (slw_cql_refuse_as(__VA_ARGS__), -1)

enum slw_cql_token {
    SLW_CQL_T_END,
    SLW_CQL_T_NAME,   /* lower case unless it was quoted */
    SLW_CQL_T_QUOTED, /* the same, quoted: never a keyword */
    SLW_CQL_T_STRING,
    SLW_CQL_T_INTEGER,
    SLW_CQL_T_DECIMAL,
    SLW_CQL_T_BLOB, /* without 0x */
    SLW_CQL_T_UUID,
    SLW_CQL_T_SIGN /* one character */
};
struct slw_cql_lexer {
    const char *begin, *at, *end;
    struct slw_arena *arena; /* text of tokens that is not as it was written */
    enum slw_cql_token kind; /* the token we look at */
    struct slw_cql_text text;
    const char *token; /* where it begins */
};
/* The next token; -1 with a refusal for what is none. */
int slw_cql_lex(struct slw_cql_lexer *l, struct slw_cql_refusal *r);

enum slw_cql_statement_kind {
    SLW_CQL_CREATE_KEYSPACE,
    SLW_CQL_CREATE_TABLE,
    SLW_CQL_DROP_KEYSPACE,
    SLW_CQL_DROP_TABLE,
    SLW_CQL_TRUNCATE,
    SLW_CQL_USE,
    SLW_CQL_INSERT,
    SLW_CQL_UPDATE,
    SLW_CQL_DELETE,
    SLW_CQL_SELECT
};

enum slw_cql_term_kind {
    SLW_CQL_BOUND, /* ? or :name; `bound` says which */
    SLW_CQL_LITERAL_NULL,
    SLW_CQL_LITERAL_TRUE,
    SLW_CQL_LITERAL_FALSE,
    SLW_CQL_LITERAL_STRING,
    SLW_CQL_LITERAL_INTEGER,
    SLW_CQL_LITERAL_DECIMAL,
    SLW_CQL_LITERAL_BLOB,
    SLW_CQL_LITERAL_UUID
};
struct slw_cql_term {
    enum slw_cql_term_kind kind;
    struct slw_cql_text text; /* of a literal; the name of :name */
    uint16_t bound;
};

/* column = term, column IN (terms), column IN ? */
struct slw_cql_condition {
    struct slw_cql_text column;
    size_t first, count; /* of the terms */
    bool list;           /* IN ?: one term that is a list */
};

struct slw_cql_statement {
    enum slw_cql_statement_kind kind;
    struct slw_arena *arena; /* holds this and its text */
    struct slw_cql_text text;
    struct slw_cql_text keyspace, table;
    bool conditional;    /* IF EXISTS, IF NOT EXISTS */
    bool star, counts;   /* SELECT *, SELECT COUNT(*) */
    bool filtering;      /* ALLOW FILTERING */
    bool bound_limit;    /* LIMIT ?: `limit` is the term */
    uint64_t limit;      /* SELECT; 0: none */
    size_t column_count; /* named: CREATE TABLE, INSERT, UPDATE SET, SELECT */
    struct slw_cql_text columns[SLW_CQL_TABLE_COLUMNS];
    struct slw_cql_type types[SLW_CQL_TABLE_COLUMNS]; /* CREATE TABLE */
    struct slw_cql_text key;                          /* CREATE TABLE */
    unsigned replication;                             /* CREATE KEYSPACE */
    size_t condition_count;
    struct slw_cql_condition conditions[SLW_CQL_MAX_CONDITIONS];
    size_t term_count, bound_count; /* INSERT, UPDATE: the first terms go with the columns */
    struct slw_cql_term terms[SLW_CQL_MAX_TERMS];
};

/* Parse one statement; free with slw_cql_statement_free (NULL allowed). */
struct slw_cql_statement *slw_cql_parse(struct slw_cql_text text, struct slw_cql_refusal *r);
void slw_cql_statement_free(struct slw_cql_statement *s);

/* A type by its name: "bigint"; only what a table of ours may have. */
bool slw_cql_type_named(struct slw_cql_text name, struct slw_cql_type *ret);
const char *slw_cql_type_name(struct slw_cql_type type);

/* Does a value have the form of its type? Source: section 5 of the v5 specification. */
bool slw_cql_value_fits(struct slw_cql_type type, struct slw_cql_value v);

/* The bytes of a literal as a column of `type` has them, appended to `to`. */
int slw_cql_literal(const struct slw_cql_term *t, struct slw_cql_type type, struct slw_buf *to,
                    struct slw_cql_refusal *r);

#endif
