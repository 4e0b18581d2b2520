/* SPDX-License-Identifier: MIT */
#include "analyzer/symtab.h"

#include "base/error.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096
/* How far back an enclosing symbol is looked for when the nearest one ends before the address. */
#define MAX_BACK 16

int slw_symtab_add(struct slw_symtab *t, const struct slw_symbol *symbol)
{
    if (t->count == t->capacity) {
        if (t->count >= SLW_MAX_SYMBOLS)
            return -SLW_E_LIMIT;
        size_t capacity = t->capacity ? t->capacity * 2 : 1024;
        struct slw_symbol *grown = realloc(t->symbols, capacity * sizeof(*grown));
        if (!grown)
            return -SLW_E_NOMEM;
        t->symbols = grown;
        t->capacity = capacity;
    }
    t->symbols[t->count++] = *symbol;
    return 0;
}

/* Stable, because of two names that tie perf keeps the one that came first. */
static void merge_sort(struct slw_symbol *a, struct slw_symbol *spare, size_t count)
{
    if (count < 2)
        return;
    size_t half = count / 2, i = 0, j = half, out = 0;
    merge_sort(a, spare, half);
    merge_sort(a + half, spare, count - half);
    if (a[half - 1].start <= a[half].start)
        return;
    memcpy(spare, a, half * sizeof(*a));
    while (i < half && j < count)
        a[out++] = a[j].start < spare[i].start ? a[j++] : spare[i++];
    memcpy(a + out, spare + i, (half - i) * sizeof(*a));
}

/* Source: symbols__fixup_end. */
static void give_ends(struct slw_symtab *t, uint64_t max_guess)
{
    for (size_t i = 0; i + 1 < t->count; i++) {
        struct slw_symbol *s = &t->symbols[i];
        uint64_t gap = t->symbols[i + 1].start - s->start;
        if (s->end == s->start)
            s->end = s->start + (gap < max_guess ? gap : max_guess);
    }
    if (t->count == 0)
        return;
    struct slw_symbol *last = &t->symbols[t->count - 1];
    if (last->end == last->start &&
        __builtin_add_overflow((last->start + PAGE - 1) & ~(uint64_t)(PAGE - 1), PAGE, &last->end))
        last->end = UINT64_MAX;
}

static int underscores(const char *s)
{
    int n = 0;

    while (s[n] == '_')
        n++;
    return n;
}

/* Positive: a is the better name, negative: b, 0: undecided. */
static int prefer(bool a, bool b)
{
    return (int)a - (int)b;
}

/* Source: choose_best_symbol. */
static bool first_is_better(const struct slw_symbol *a, const struct slw_symbol *b)
{
    int by = prefer(a->end > a->start, b->end > b->start);

    if (by == 0)
        by = prefer(a->type != STT_NOTYPE, b->type != STT_NOTYPE);
    if (by == 0)
        by = prefer(a->binding != STB_WEAK, b->binding != STB_WEAK);
    if (by == 0)
        by = prefer(a->binding == STB_GLOBAL, b->binding == STB_GLOBAL);
    if (by == 0)
        by = underscores(b->name) - underscores(a->name);
    if (by == 0) {
        size_t na = strlen(a->name), nb = strlen(b->name);
        by = prefer(na > nb, nb > na);
    }
    return by >= 0;
}

/* Source: symbols__fixup_duplicate. */
static void keep_best(struct slw_symtab *t)
{
    size_t out = 0;

    for (size_t i = 0; i < t->count; i++) {
        if (out > 0 && t->symbols[out - 1].start == t->symbols[i].start) {
            if (!first_is_better(&t->symbols[out - 1], &t->symbols[i]))
                t->symbols[out - 1] = t->symbols[i];
        } else {
            t->symbols[out++] = t->symbols[i];
        }
    }
    t->count = out;
}

static bool is_sorted(const struct slw_symtab *t)
{
    for (size_t i = 1; i < t->count; i++)
        if (t->symbols[i - 1].start > t->symbols[i].start)
            return false;
    return true;
}

int slw_symtab_finish(struct slw_symtab *t, uint64_t max_guess)
{
    if (!is_sorted(t)) {
        struct slw_symbol *spare = malloc((t->count / 2 + 1) * sizeof(*spare));
        if (!spare)
            return -SLW_E_NOMEM;
        merge_sort(t->symbols, spare, t->count);
        free(spare);
    }
    give_ends(t, max_guess);
    keep_best(t);
    return 0;
}

const struct slw_symbol *slw_symtab_find(const struct slw_symtab *t, uint64_t address)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->symbols[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t back = 0; back < MAX_BACK && back < low; back++)
        if (address < t->symbols[low - 1 - back].end)
            return &t->symbols[low - 1 - back];
    return NULL;
}

void slw_symtab_release(struct slw_symtab *t)
{
    free(t->symbols);
    *t = (struct slw_symtab){0};
}
