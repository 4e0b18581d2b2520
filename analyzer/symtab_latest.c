/* SPDX-License-Identifier: MIT */
/* Code of JIT compilers: memory is given out again, so that later functions lie over parts of
 * earlier ones. A sweep over the addresses at which any begins or ends; of those that are open the
 * one added last is on top of a heap. */
#include "analyzer/symtab.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

struct edge {
    uint64_t address;
    size_t symbol; /* position, which is the order in time */
};

struct sweep {
    const struct slw_symbol *from;
    struct edge *begins; /* by address */
    uint64_t *ends;      /* sorted */
    size_t *heap;        /* of positions, the largest first */
    size_t heap_count;
    struct slw_symtab to;
};

static int by_address(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;

    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return (x->symbol > y->symbol) - (x->symbol < y->symbol);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void swap(size_t *a, size_t *b)
{
    size_t t = *a;

    *a = *b;
    *b = t;
}

static void push(struct sweep *s, size_t symbol)
{
    size_t at = s->heap_count++;

    s->heap[at] = symbol;
    while (at > 0 && s->heap[(at - 1) / 2] < s->heap[at]) {
        swap(&s->heap[(at - 1) / 2], &s->heap[at]);
        at = (at - 1) / 2;
    }
}

static void pop(struct sweep *s)
{
    size_t at = 0;

    s->heap[0] = s->heap[--s->heap_count];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < s->heap_count && s->heap[child + 1] > s->heap[child])
            child++;
        if (child >= s->heap_count || s->heap[child] < s->heap[at])
            return;
        swap(&s->heap[at], &s->heap[child]);
        at = child;
    }
}

/* Another function than the one on top is, or was, open here too. Looks at its nearest in the heap:
 * what is reused is nearly always reused by a neighbour in time. */
static bool has_other(const struct sweep *s, uint64_t address)
{
    const char *top = s->from[s->heap[0]].name;

    for (size_t i = 1; i < 3 && i < s->heap_count; i++)
        if (s->from[s->heap[i]].end > address && strcmp(s->from[s->heap[i]].name, top) != 0)
            return true;
    return false;
}

/* What lies on [begin, end), where nothing begins or ends in between. */
static int emit(struct sweep *s, uint64_t begin, uint64_t end)
{
    while (s->heap_count > 0 && s->from[s->heap[0]].end <= begin)
        pop(s);
    if (s->heap_count == 0 || begin == end)
        return 0;
    struct slw_symbol piece = s->from[s->heap[0]];
    struct slw_symbol *last = s->to.count ? &s->to.symbols[s->to.count - 1] : NULL;
    if (has_other(s, begin))
        piece.type |= SLW_SYMBOL_REUSED;
    if (last && last->end == begin && last->name == piece.name && last->type == piece.type) {
        last->end = end;
        return 0;
    }
    piece.start = begin;
    piece.end = end;
    return slw_symtab_add(&s->to, &piece);
}

static int run(struct sweep *s, size_t count)
{
    uint64_t here = 0;
    size_t b = 0, e = 0;
    int rc = 0;

    while (rc == 0 && e < count) {
        bool begins = b < count && s->begins[b].address <= s->ends[e];
        uint64_t next = begins ? s->begins[b].address : s->ends[e];
        rc = emit(s, here, next);
        here = next;
        if (begins)
            push(s, s->begins[b++].symbol);
        else
            e++;
    }
    return rc;
}

int slw_symtab_finish_latest(struct slw_symtab *t)
{
    const size_t count = t->count;
    struct sweep s = {.from = t->symbols,
                      .begins = malloc((count + 1) * sizeof(*s.begins)),
                      .ends = malloc((count + 1) * sizeof(*s.ends)),
                      .heap = malloc((count + 1) * sizeof(*s.heap))};
    int rc = s.begins && s.ends && s.heap ? 0 : -SLW_E_NOMEM;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        s.begins[i] = (struct edge){t->symbols[i].start, i};
        s.ends[i] = t->symbols[i].end;
    }
    if (rc == 0) {
        qsort(s.begins, count, sizeof(*s.begins), by_address);
        qsort(s.ends, count, sizeof(*s.ends), by_value);
        rc = run(&s, count);
    }
    free(s.begins);
    free(s.ends);
    free(s.heap);
    if (rc < 0) {
        slw_symtab_release(&s.to);
        return rc;
    }
    free(t->symbols);
    *t = s.to;
    return 0;
}
