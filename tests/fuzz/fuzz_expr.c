/* SPDX-License-Identifier: MIT */
/* Any text either parses or is refused inside itself; what parses evaluates to a finite number. */
#include "models/expr.h"

#include "base/arena.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct slw_expr_value lookup(void *ctx, const struct slw_expr_node *n)
{
    static const double values[] = {0, 1, -1, 0.5, 1e300, 3};
    (void)ctx;
    if (n->text[0] == 'z')
        return (struct slw_expr_value){.missing = n->text};
    return (struct slw_expr_value){.have = true, .value = values[(uint8_t)n->text[0] % 6]};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_arena *arena = slw_arena_new();
    char *text = malloc(size + 1);
    struct slw_expr *e = NULL;
    struct slw_error err = {0};
    bool reached[SLW_EXPR_MAX_NODES];
    size_t offset = 0;

    if (!arena || !text)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (slw_expr_parse(text, arena, &e, &offset, &err) < 0) {
        if (e || offset > strlen(text) || !*err.text)
            abort();
    } else {
        const struct slw_expr_value v = slw_expr_evaluate(e, lookup, NULL);
        if (v.have ? !isfinite(v.value) : !v.missing)
            abort();
        slw_expr_reach(e, &(struct slw_expr_known){.smt_on = 1, .single_task = 0}, reached);
    }
    free(text);
    slw_arena_free(arena);
    return 0;
}
