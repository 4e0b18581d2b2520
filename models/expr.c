/* SPDX-License-Identifier: MIT */
/* Recursive descent over the formula grammar. Names are kept as text; see expr.h. */
#include "models/expr.h"

#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct parser {
    const char *text;
    size_t at;
    int depth;
    int count;
    struct slw_arena *arena;
    struct slw_expr_node nodes[SLW_EXPR_MAX_NODES];
    size_t error_offset;
    struct slw_error *err;
};

static int parse_ternary(struct parser *p);

__attribute__((format(printf, 4, 5))) static int fail(struct parser *p, size_t offset,
                                                      enum slw_code code, const char *fmt, ...)
{
    va_list ap;

    p->error_offset = offset;
    va_start(ap, fmt);
    int rc = slw_vfail(p->err, code, fmt, ap);
    va_end(ap);
    return rc;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_char(char c)
{
    return is_name_start(c) || is_digit(c) || c == '.' || c == ':';
}

static void skip_space(struct parser *p)
{
    while (p->text[p->at] == ' ' || p->text[p->at] == '\t')
        p->at++;
}

static size_t name_length(const char *s)
{
    size_t n = 0;

    if (is_name_start(s[0]))
        while (is_name_char(s[n]))
            n++;
    return n;
}

static bool word_is(const char *s, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(s, word, length) == 0;
}

static bool take_char(struct parser *p, char c)
{
    skip_space(p);
    if (p->text[p->at] != c)
        return false;
    p->at++;
    return true;
}

static bool take_word(struct parser *p, const char *word)
{
    skip_space(p);
    if (!word_is(p->text + p->at, name_length(p->text + p->at), word))
        return false;
    p->at += strlen(word);
    return true;
}

/* Append a node; operands set later cover its start and end. */
static int node_new(struct parser *p, enum slw_expr_op op, size_t start)
{
    if (p->count == SLW_EXPR_MAX_NODES)
        return fail(p, start, SLW_E_LIMIT, "formula has more than %d terms", SLW_EXPR_MAX_NODES);
    p->nodes[p->count] =
        (struct slw_expr_node){.op = op, .a = -1, .b = -1, .c = -1, .start = (int)start};
    p->nodes[p->count].end = (int)p->at;
    return p->count++;
}

static int want_kind(struct parser *p, int index, bool condition)
{
    if (p->nodes[index].is_condition == condition)
        return 0;
    return fail(p, (size_t)p->nodes[index].start, SLW_E_FORMAT,
                condition ? "a condition is needed here, not a number"
                          : "a number is needed here, not a condition");
}

/* "division by zero: X is 0", X as written without its outermost parentheses. */
static const char *divisor_reason(const struct parser *p, const struct slw_expr_node *divisor)
{
    const char *s = p->text + divisor->start;
    int length = divisor->end - divisor->start;

    while (length > 1 && (*s == '(' || *s == ' ') && s[length - 1] != *s &&
           (s[length - 1] == ')' || s[length - 1] == ' '))
        s++, length -= 2;
    const bool cut = length > 100;
    return slw_arena_printf(p->arena, "division by zero: %.*s%s is 0", cut ? 100 : length, s,
                            cut ? "..." : "");
}

static int binary(struct parser *p, enum slw_expr_op op, int a, int b)
{
    const bool of_conditions = op == SLW_EXPR_AND || op == SLW_EXPR_OR;
    int rc = want_kind(p, a, of_conditions);

    if (rc >= 0)
        rc = want_kind(p, b, of_conditions);
    if (rc < 0)
        return rc;
    const int index = node_new(p, op, (size_t)p->nodes[a].start);
    if (index < 0)
        return index;
    struct slw_expr_node *n = &p->nodes[index];
    n->a = a;
    n->b = b;
    n->end = p->nodes[b].end;
    n->is_condition = op >= SLW_EXPR_LESS && op <= SLW_EXPR_OR;
    if (op == SLW_EXPR_DIVIDE && !(n->text = divisor_reason(p, &p->nodes[b])))
        return fail(p, 0, SLW_E_NOMEM, "out of memory");
    return index;
}

/* By hand, because strtod follows the locale. Exact: at most 15 digits over a power of ten. */
static int parse_number(struct parser *p)
{
    static const double tens[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const size_t start = p->at;
    uint64_t digits = 0;
    int count = 0, decimals = 0;
    bool point = false;

    for (; is_digit(p->text[p->at]) || (p->text[p->at] == '.' && !point); p->at++) {
        if (p->text[p->at] == '.') {
            point = true;
            continue;
        }
        digits = digits * 10 + (uint64_t)(p->text[p->at] - '0');
        decimals += point;
        if (++count > 15)
            return fail(p, start, SLW_E_LIMIT, "number has more than 15 digits");
    }
    if (is_name_char(p->text[p->at]) || (point && decimals == 0))
        return fail(p, start, SLW_E_FORMAT, "malformed number");
    const int index = node_new(p, SLW_EXPR_NUMBER, start);
    if (index >= 0)
        p->nodes[index].number = (double)digits / tens[decimals];
    return index;
}

static int parse_name(struct parser *p, size_t length)
{
    const size_t start = p->at;
    const char *s = p->text + start;

    if (length > SLW_EXPR_MAX_NAME)
        return fail(p, start, SLW_E_LIMIT, "name is longer than %d characters", SLW_EXPR_MAX_NAME);
    if (word_is(s, length, "if") || word_is(s, length, "else") || word_is(s, length, "and") ||
        word_is(s, length, "or"))
        return fail(p, start, SLW_E_FORMAT, "'%.*s' where a value is needed", (int)length, s);
    p->at += length;
    const int index = node_new(p, SLW_EXPR_NAME, start);
    if (index < 0)
        return index;
    struct slw_expr_node *n = &p->nodes[index];
    n->text = slw_arena_strndup(p->arena, s, length);
    if (!n->text)
        return fail(p, start, SLW_E_NOMEM, "out of memory");
    if (strcmp(n->text, "smt_on") == 0)
        n->ref = SLW_REF_SMT_ON;
    else if (strcmp(n->text, "single_task") == 0)
        n->ref = SLW_REF_SINGLE_TASK;
    n->is_condition = n->ref != SLW_REF_NONE;
    return index;
}

static int close_parenthesis(struct parser *p, size_t open)
{
    if (take_char(p, ')'))
        return 0;
    return fail(p, p->at, SLW_E_FORMAT, "')' expected for the '(' at character %zu of the formula",
                open + 1);
}

static int parse_parentheses(struct parser *p)
{
    const size_t open = p->at++;
    const int index = parse_ternary(p);

    if (index < 0)
        return index;
    const int rc = close_parenthesis(p, open);
    if (rc < 0)
        return rc;
    p->nodes[index].start = (int)open;
    p->nodes[index].end = (int)p->at;
    return index;
}

/* min(a, b, ...) is min(min(a, b), ...). */
static int parse_call(struct parser *p, enum slw_expr_op op)
{
    const size_t start = p->at;

    p->at += 3;
    skip_space(p);
    const size_t open = p->at;
    if (!take_char(p, '('))
        return fail(p, p->at, SLW_E_FORMAT, "'(' expected after min or max");
    int left = parse_ternary(p);
    int arguments = 1;
    while (left >= 0 && take_char(p, ',')) {
        const int right = parse_ternary(p);
        left = right < 0 ? right : binary(p, op, left, right);
        arguments++;
    }
    if (left < 0)
        return left;
    if (arguments < 2)
        return fail(p, p->at, SLW_E_FORMAT, "min and max take two or more values");
    const int rc = close_parenthesis(p, open);
    if (rc < 0)
        return rc;
    p->nodes[left].start = (int)start;
    p->nodes[left].end = (int)p->at;
    return left;
}

static int parse_primary(struct parser *p)
{
    skip_space(p);
    const char *s = p->text + p->at;
    const size_t length = name_length(s);

    if (*s == '(')
        return parse_parentheses(p);
    if (is_digit(*s))
        return parse_number(p);
    if (word_is(s, length, "min"))
        return parse_call(p, SLW_EXPR_MIN);
    if (word_is(s, length, "max"))
        return parse_call(p, SLW_EXPR_MAX);
    if (length > 0)
        return parse_name(p, length);
    if (*s == '\0')
        return fail(p, p->at, SLW_E_FORMAT, "formula ends where a value is needed");
    if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
        return fail(p, p->at, SLW_E_FORMAT, "byte 0x%02x where a value is needed",
                    (unsigned char)*s);
    return fail(p, p->at, SLW_E_FORMAT, "'%c' where a value is needed", *s);
}

/* The one place every recursion passes through, so the depth limit lives here. */
static int parse_unary(struct parser *p)
{
    int index;

    if (++p->depth > SLW_EXPR_MAX_DEPTH)
        return fail(p, p->at, SLW_E_LIMIT, "formula nests deeper than %d", SLW_EXPR_MAX_DEPTH);
    skip_space(p);
    const size_t start = p->at;
    if (take_char(p, '-')) {
        const int operand = parse_unary(p);
        int rc = operand < 0 ? operand : want_kind(p, operand, false);
        index = rc < 0 ? rc : node_new(p, SLW_EXPR_NEGATE, start);
        if (index >= 0)
            p->nodes[index].a = operand;
    } else {
        index = parse_primary(p);
    }
    p->depth--;
    return index;
}

static int parse_product(struct parser *p)
{
    int left = parse_unary(p);

    while (left >= 0) {
        const bool times = take_char(p, '*');
        if (!times && !take_char(p, '/'))
            break;
        const int right = parse_unary(p);
        left =
            right < 0 ? right : binary(p, times ? SLW_EXPR_MULTIPLY : SLW_EXPR_DIVIDE, left, right);
    }
    return left;
}

static int parse_sum(struct parser *p)
{
    int left = parse_product(p);

    while (left >= 0) {
        const bool plus = take_char(p, '+');
        if (!plus && !take_char(p, '-'))
            break;
        const int right = parse_product(p);
        left = right < 0 ? right : binary(p, plus ? SLW_EXPR_ADD : SLW_EXPR_SUBTRACT, left, right);
    }
    return left;
}

static int parse_comparison(struct parser *p)
{
    const int left = parse_sum(p);
    enum slw_expr_op op;

    if (left < 0)
        return left;
    if (take_char(p, '<'))
        op = p->text[p->at] == '=' ? SLW_EXPR_LESS_EQUAL : SLW_EXPR_LESS;
    else if (take_char(p, '>'))
        op = p->text[p->at] == '=' ? SLW_EXPR_GREATER_EQUAL : SLW_EXPR_GREATER;
    else
        return left;
    p->at += p->text[p->at] == '=';
    const int right = parse_sum(p);
    return right < 0 ? right : binary(p, op, left, right);
}

static int parse_and(struct parser *p)
{
    int left = parse_comparison(p);

    while (left >= 0 && take_word(p, "and")) {
        const int right = parse_comparison(p);
        left = right < 0 ? right : binary(p, SLW_EXPR_AND, left, right);
    }
    return left;
}

static int parse_or(struct parser *p)
{
    int left = parse_and(p);

    while (left >= 0 && take_word(p, "or")) {
        const int right = parse_and(p);
        left = right < 0 ? right : binary(p, SLW_EXPR_OR, left, right);
    }
    return left;
}

static int finish_if(struct parser *p, int yes, int condition, int no)
{
    int rc = want_kind(p, yes, false);

    if (rc >= 0)
        rc = want_kind(p, condition, true);
    if (rc >= 0)
        rc = want_kind(p, no, false);
    const int index = rc < 0 ? rc : node_new(p, SLW_EXPR_IF, (size_t)p->nodes[yes].start);
    if (index < 0)
        return index;
    p->nodes[index].a = yes;
    p->nodes[index].b = condition;
    p->nodes[index].c = no;
    p->nodes[index].end = p->nodes[no].end;
    return index;
}

static int parse_ternary(struct parser *p)
{
    const int yes = parse_or(p);

    if (yes < 0 || !take_word(p, "if"))
        return yes;
    const int condition = parse_or(p);
    if (condition < 0)
        return condition;
    if (!take_word(p, "else"))
        return fail(p, p->at, SLW_E_FORMAT, "'else' expected");
    /* "a if b else c if d else e" recurses without a parenthesis, so it counts as depth too. */
    if (++p->depth > SLW_EXPR_MAX_DEPTH)
        return fail(p, p->at, SLW_E_LIMIT, "formula nests deeper than %d", SLW_EXPR_MAX_DEPTH);
    const int no = parse_ternary(p);
    p->depth--;
    return no < 0 ? no : finish_if(p, yes, condition, no);
}

static int parse_whole(struct parser *p)
{
    const size_t length = strlen(p->text);

    if (length > SLW_EXPR_MAX_TEXT)
        return fail(p, 0, SLW_E_LIMIT, "formula is longer than %d characters", SLW_EXPR_MAX_TEXT);
    const int root = parse_ternary(p);
    if (root < 0)
        return root;
    skip_space(p);
    if (p->text[p->at] != '\0')
        return fail(p, p->at, SLW_E_FORMAT, "the formula should end here");
    assert(root == p->count - 1);
    return want_kind(p, root, false);
}

int slw_expr_parse(const char *text, struct slw_arena *arena, struct slw_expr **ret_expr,
                   size_t *error_offset, struct slw_error *err)
{
    struct parser p = {.text = text, .arena = arena, .err = err};

    assert(text && arena && ret_expr && error_offset);
    const int rc = parse_whole(&p);
    if (rc < 0) {
        *error_offset = p.error_offset;
        return rc;
    }
    struct slw_expr *e = slw_arena_alloc(arena, sizeof(*e));
    struct slw_expr_node *nodes = slw_arena_array(arena, (size_t)p.count, sizeof(*nodes));
    if (!e || !nodes)
        return slw_fail(err, SLW_E_NOMEM, "out of memory");
    memcpy(nodes, p.nodes, (size_t)p.count * sizeof(*nodes));
    e->nodes = nodes;
    e->count = p.count;
    *ret_expr = e;
    return 0;
}
