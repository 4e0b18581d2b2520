/* SPDX-License-Identifier: MIT */
#include "analyzer/annotate.h"

#include <stdlib.h>
#include <string.h>

/* A function of a mapping. */
struct candidate {
    const char *function;
    uint32_t mapping;
    uint64_t self;
};

static int by_name(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->mapping != y->mapping)
        return x->mapping < y->mapping ? -1 : 1;
    return strcmp(x->function, y->function);
}

static int by_self(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    return x->self != y->self ? (x->self < y->self) - (x->self > y->self) : by_name(a, b);
}

/* The leaf of a stack, or what it was inlined into; false: it has no code in a file. */
static bool leaf_of(const struct slw_stacks *s, const struct slw_stack *stack,
                    struct candidate *ret_leaf)
{
    struct slw_frame f = {.mapping = SLW_NO_MAPPING};

    for (size_t i = 0; i < stack->depth; i++) {
        f = slw_stacks_frame(s, stack->frames[i]);
        if (!f.inlined)
            break;
    }
    if (f.mapping == SLW_NO_MAPPING || f.inlined || f.kind == SLW_FRAME_KERNEL || !f.function[0] ||
        slw_stacks_mapping(s, f.mapping).path[0] != '/')
        return false;
    ret_leaf->function = f.function;
    ret_leaf->mapping = f.mapping;
    return true;
}

static size_t merge(struct candidate *c, size_t count)
{
    size_t out = 0;

    qsort(c, count, sizeof(*c), by_name);
    for (size_t i = 0; i < count; i++) {
        if (out > 0 && by_name(&c[out - 1], &c[i]) == 0)
            c[out - 1].self += c[i].self;
        else
            c[out++] = c[i];
    }
    qsort(c, out, sizeof(*c), by_self);
    return out;
}

static int annotate(const struct slw_stacks *s, size_t column, const struct candidate *c,
                    size_t count, struct slw_annotations *to)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc != -SLW_E_NOMEM; i++) {
        const struct slw_annotate_request request = {.function = c[i].function,
                                                     .module =
                                                         slw_stacks_mapping(s, c[i].mapping).path,
                                                     .column = column};
        rc = c[i].self > 0 ? slw_annotate(s, &request, &to->list[to->count], NULL) : -SLW_E_NODATA;
        to->count += rc == 0;
    }
    return rc == -SLW_E_NOMEM ? rc : 0;
}

int slw_annotate_hottest(const struct slw_stacks *s, size_t column, size_t most,
                         struct slw_annotations *ret_annotations, struct slw_error *err)
{
    struct slw_annotations a = {.list = calloc(most + 1, sizeof(struct slw_annotation *))};
    struct candidate *c = malloc((slw_stacks_count(s) + 1) * sizeof(*c));
    size_t count = 0;
    int rc = a.list && c ? 0 : -SLW_E_NOMEM;

    for (size_t i = 0; rc == 0 && i < slw_stacks_count(s); i++) {
        const struct slw_stack stack = slw_stacks_get(s, i);
        c[count].self = stack.weights[column];
        count += leaf_of(s, &stack, &c[count]);
    }
    if (rc == 0 && count > 0) {
        count = merge(c, count);
        rc = annotate(s, column, c, count < most ? count : most, &a);
    }
    free(c);
    *ret_annotations = a;
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for the code of functions") : 0;
}

void slw_annotations_release(struct slw_annotations *a)
{
    for (size_t i = 0; i < a->count; i++)
        slw_annotation_free(a->list[i]);
    free(a->list);
    *a = (struct slw_annotations){0};
}
