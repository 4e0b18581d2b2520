/* SPDX-License-Identifier: MIT */
/* Formulas of CPU models: text to a tree, tree to a number or to the reason why there is none.
 * Grammar in docs/models.md. Private to models/. Not for: looking names up (model_link.c binds
 * them). Pure, no globals. */
#ifndef SLW_MODELS_EXPR_H
#define SLW_MODELS_EXPR_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct slw_arena;

/* The longest published level-3 formula has 63 tree nodes and nests 9 deep. */
#define SLW_EXPR_MAX_NODES 256
#define SLW_EXPR_MAX_DEPTH 48
#define SLW_EXPR_MAX_TEXT  4096
#define SLW_EXPR_MAX_NAME  96

enum slw_expr_op {
    SLW_EXPR_NUMBER,
    SLW_EXPR_NAME,
    SLW_EXPR_NEGATE,
    SLW_EXPR_ADD,
    SLW_EXPR_SUBTRACT,
    SLW_EXPR_MULTIPLY,
    SLW_EXPR_DIVIDE,
    SLW_EXPR_MIN,
    SLW_EXPR_MAX,
    SLW_EXPR_LESS,
    SLW_EXPR_LESS_EQUAL,
    SLW_EXPR_GREATER,
    SLW_EXPR_GREATER_EQUAL,
    SLW_EXPR_AND,
    SLW_EXPR_OR,
    SLW_EXPR_IF /* a if b else c */
};

/* What a name stands for, once bound. The conditions (smt_on, single_task) are by the parser. */
enum slw_expr_ref {
    SLW_REF_NONE,
    SLW_REF_SMT_ON,
    SLW_REF_SINGLE_TASK,
    SLW_REF_EVENT,
    SLW_REF_LET,
    SLW_REF_NODE
};

struct slw_expr_node {
    enum slw_expr_op op;
    bool is_condition; /* true or false, not a number */
    int a, b, c;       /* operands: indexes below this node's own; -1: none */
    double number;
    const char *text; /* name; for a division the reason when its divisor is 0 */
    enum slw_expr_ref ref;
    int ref_index;
    int start, end; /* bytes of the formula it covers, [start, end) */
};

/* Operands come before their operator, so one pass forward evaluates; the last node is the root. */
struct slw_expr {
    struct slw_expr_node *nodes;
    int count;
};

/* Parse into the arena. On failure *error_offset is the byte of the text that is wrong.
 * SLW_E_FORMAT, SLW_E_LIMIT, SLW_E_NOMEM. */
int slw_expr_parse(const char *text, struct slw_arena *arena, struct slw_expr **ret_expr,
                   size_t *error_offset, struct slw_error *err);

struct slw_expr_value {
    double value; /* finite; 0 or 1 for a condition */
    bool have;
    bool doubtful;       /* computed from something outside its plausible range */
    const char *missing; /* have == false: the input's name or the reason */
};

/* The value of a bound name. */
typedef struct slw_expr_value (*slw_expr_lookup)(void *ctx, const struct slw_expr_node *name);

/* Never NaN or infinite. What an untaken branch lacks does not matter. */
struct slw_expr_value slw_expr_evaluate(const struct slw_expr *e, slw_expr_lookup lookup,
                                        void *ctx);

/* What is known of the conditions: 0, 1, or -1: not known. */
struct slw_expr_known {
    int smt_on, single_task;
};

/* Mark in reached[count] the nodes that evaluation can touch; of `a if smt_on else b` and the same
 * with single_task, the branch that what is known rules out is not. */
void slw_expr_reach(const struct slw_expr *e, const struct slw_expr_known *known, bool *reached);

#endif
