/* SPDX-License-Identifier: MIT */
/* CQL text to tokens. */
#include "base/arena.h"
#include "workloads/cql/statement_int.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void slw_cql_refuse_as(struct slw_cql_refusal *r, int32_t code, const char *fmt, ...)
{
    va_list ap;

    *r = (struct slw_cql_refusal){.code = code};
    va_start(ap, fmt);
    (void)vsnprintf(r->text, sizeof(r->text), fmt, ap);
    va_end(ap);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static int bad(struct slw_cql_lexer *l, const char *what, struct slw_cql_refusal *r)
{
    return slw_cql_refuse(r, SLW_CQL_E_SYNTAX, "line 1:%zu %s", (size_t)(l->token - l->begin),
                          what);
}

/* '...' or "...", in which the mark itself is written twice. */
static int lex_quoted(struct slw_cql_lexer *l, char mark, struct slw_cql_refusal *r)
{
    const char *p = l->at + 1;
    size_t length = 0;

    while (p < l->end && !(*p == mark && !(p + 1 < l->end && p[1] == mark))) {
        p += *p == mark ? 2 : 1;
        length++;
    }
    if (p >= l->end)
        return bad(l, "no closing quote", r);
    char *text = slw_arena_alloc(l->arena, length + 1);
    if (!text)
        return slw_cql_refuse(r, SLW_CQL_E_SERVER, "out of memory");
    const char *from = l->at + 1;
    for (size_t i = 0; i < length; i++) {
        text[i] = *from;
        from += *from == mark ? 2 : 1;
    }
    l->kind = mark == '"' ? SLW_CQL_T_QUOTED : SLW_CQL_T_STRING;
    l->text = (struct slw_cql_text){text, length};
    l->at = p + 1;
    return 0;
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool is_uuid(const char *p, const char *end)
{
    if (end - p < 36 || (end - p > 36 && is_word(p[36])))
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? p[i] != '-' : !isxdigit((unsigned char)p[i]))
            return false;
    }
    return true;
}

static int lex_blob(struct slw_cql_lexer *l, struct slw_cql_refusal *r)
{
    const char *p = l->at + 2;

    while (p < l->end && isxdigit((unsigned char)*p))
        p++;
    if ((p < l->end && is_word(*p)) || (p - l->at) % 2 != 0)
        return bad(l, "a blob is 0x and an even number of hexadecimal digits", r);
    l->kind = SLW_CQL_T_BLOB;
    l->text = (struct slw_cql_text){l->at + 2, (size_t)(p - l->at) - 2};
    l->at = p;
    return 0;
}

static int lex_number(struct slw_cql_lexer *l, struct slw_cql_refusal *r)
{
    const char *p = l->at;
    bool decimal = false;

    for (p += *p == '-'; p < l->end; p++) {
        bool exponent = (*p == '-' || *p == '+') && (p[-1] == 'e' || p[-1] == 'E');

        if (!isdigit((unsigned char)*p) && *p != '.' && *p != 'e' && *p != 'E' && !exponent)
            break;
        decimal = decimal || !isdigit((unsigned char)*p);
    }
    if ((p < l->end && is_word(*p)) || p == l->at + (*l->at == '-'))
        return bad(l, "this is no number", r);
    l->kind = decimal ? SLW_CQL_T_DECIMAL : SLW_CQL_T_INTEGER;
    l->text = (struct slw_cql_text){l->at, (size_t)(p - l->at)};
    l->at = p;
    return 0;
}

static int lex_name(struct slw_cql_lexer *l, struct slw_cql_refusal *r)
{
    const char *p = l->at;

    while (p < l->end && is_word(*p))
        p++;
    const size_t length = (size_t)(p - l->at);
    char *text = slw_arena_strndup(l->arena, l->at, length);
    if (!text)
        return slw_cql_refuse(r, SLW_CQL_E_SERVER, "out of memory");
    for (size_t i = 0; i < length; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
    l->kind = SLW_CQL_T_NAME;
    l->text = (struct slw_cql_text){text, length};
    l->at = p;
    return 0;
}

int slw_cql_lex(struct slw_cql_lexer *l, struct slw_cql_refusal *r)
{
    while (l->at < l->end && isspace((unsigned char)*l->at))
        l->at++;
    l->token = l->at;
    l->text = (struct slw_cql_text){l->at, 0};
    l->kind = SLW_CQL_T_END;
    if (l->at == l->end)
        return 0;
    if (*l->at == '\'' || *l->at == '"')
        return lex_quoted(l, *l->at, r);
    if (is_uuid(l->at, l->end)) {
        l->kind = SLW_CQL_T_UUID;
        l->text.length = 36;
        l->at += 36;
        return 0;
    }
    if (l->end - l->at >= 2 && l->at[0] == '0' && (l->at[1] == 'x' || l->at[1] == 'X'))
        return lex_blob(l, r);
    if (isdigit((unsigned char)*l->at) || *l->at == '-')
        return lex_number(l, r);
    if (is_word(*l->at))
        return lex_name(l, r);
    l->kind = SLW_CQL_T_SIGN;
    l->text.length = 1;
    l->at++;
    return 0;
}
