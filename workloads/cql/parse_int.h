/* SPDX-License-Identifier: MIT */
/* What the two halves of the parser share. After the first refusal nothing is taken any more, so
 * that a rule may ask for all of its parts and look once. */
#ifndef SLW_WORKLOADS_CQL_PARSE_INT_H
#define SLW_WORKLOADS_CQL_PARSE_INT_H

#include "workloads/cql/statement_int.h"

struct slw_cql_parser {
    struct slw_cql_lexer lexer;
    struct slw_cql_statement *s;
    struct slw_cql_refusal *r;
    bool refused;
};

void slw_cql_p_fail(struct slw_cql_parser *p, const char *what);
void slw_cql_p_next(struct slw_cql_parser *p);
bool slw_cql_p_sees(const struct slw_cql_parser *p, const char *word);
bool slw_cql_p_sees_sign(const struct slw_cql_parser *p, char sign);
bool slw_cql_p_take(struct slw_cql_parser *p, const char *word); /* when it is there */
bool slw_cql_p_take_sign(struct slw_cql_parser *p, char sign);
void slw_cql_p_need(struct slw_cql_parser *p, const char *word);
void slw_cql_p_need_sign(struct slw_cql_parser *p, char sign);
struct slw_cql_text slw_cql_p_name(struct slw_cql_parser *p); /* of a table, a column ... */
void slw_cql_p_table(struct slw_cql_parser *p);               /* [keyspace.]table */
void slw_cql_p_column(struct slw_cql_parser *p);              /* one more of s->columns */
size_t slw_cql_p_term(struct slw_cql_parser *p);              /* one more of s->terms */
void slw_cql_p_if(struct slw_cql_parser *p, bool negated);    /* [IF [NOT] EXISTS] */

void slw_cql_p_schema(struct slw_cql_parser *p); /* CREATE, DROP, TRUNCATE, USE */

#endif
