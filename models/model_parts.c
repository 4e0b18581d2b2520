/* SPDX-License-Identifier: MIT */
/* What a formula is made of, for those who explain it. Not for: which events it needs
 * (model_eval.c). */
#include "models/model_int.h"

#include <assert.h>

static void add_parts(const struct slw_expr *e, bool *lets, bool *nodes)
{
    for (int i = 0; i < e->count; i++) {
        const struct slw_expr_node *n = &e->nodes[i];

        if (n->op != SLW_EXPR_NAME)
            continue;
        if (n->ref == SLW_REF_LET)
            lets[n->ref_index] = true;
        else if (n->ref == SLW_REF_NODE)
            nodes[n->ref_index] = true;
    }
}

void slw_model_parts(const struct slw_model *m, size_t index, bool *lets, bool *nodes)
{
    const size_t count = slw_model_item_count(m);

    assert(index < m->node_count);
    add_parts(m->nodes[index].expr, lets, nodes);
    /* An item stands in `order` after those it uses: backwards, the users come first. */
    for (size_t i = count; i > 0; i--) {
        const size_t item = (size_t)m->own->order[i - 1];

        if (item < m->let_count && lets[item])
            add_parts(m->lets[item].expr, lets, nodes);
    }
}
