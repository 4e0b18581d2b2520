/* SPDX-License-Identifier: MIT */
/* Functions by the pages that they lie on, on each in the order of time. */
#include "analyzer/jit_history.h"

#include "base/error.h"

#include <stdlib.h>

#define PAGE_BITS 12
/* Functions that may be looked at in all: a few for each frame of any real recording. */
#define MAX_LOOKS ((uint64_t)1 << 28)

struct stay {
    uint64_t page, time_ns;
    size_t function;
};

struct slw_jit_history {
    const struct slw_symtab *functions;
    struct stay *stays; /* by page, time, function */
    size_t count;
    uint64_t low, high; /* all functions are in here: most addresses are not */
    uint64_t looks_left;
};

static int order(const void *a, const void *b)
{
    const struct stay *x = a, *y = b;

    if (x->page != y->page)
        return x->page < y->page ? -1 : 1;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return (x->function > y->function) - (x->function < y->function);
}

static uint64_t last_page(const struct slw_symbol *f)
{
    return (f->end - 1) >> PAGE_BITS;
}

static int count_stays(const struct slw_symtab *t, size_t *ret_count)
{
    uint64_t count = 0;

    for (size_t i = 0; i < t->count; i++) {
        const uint64_t pages = last_page(&t->symbols[i]) - (t->symbols[i].start >> PAGE_BITS) + 1;
        if (pages > SLW_MAX_JIT_PAGES - count)
            return -SLW_E_LIMIT;
        count += pages;
    }
    *ret_count = (size_t)count;
    return 0;
}

static void fill(struct slw_jit_history *h, const uint64_t *times)
{
    h->low = UINT64_MAX;
    for (size_t i = 0; i < h->functions->count; i++) {
        const struct slw_symbol *f = &h->functions->symbols[i];

        h->low = f->start < h->low ? f->start : h->low;
        h->high = f->end > h->high ? f->end : h->high;
        for (uint64_t page = f->start >> PAGE_BITS; page <= last_page(f); page++)
            h->stays[h->count++] = (struct stay){page, times[i], i};
    }
    qsort(h->stays, h->count, sizeof(*h->stays), order);
}

int slw_jit_history_new(const struct slw_symtab *functions, const uint64_t *times,
                        struct slw_jit_history **ret_history)
{
    size_t count;
    int rc = count_stays(functions, &count);

    if (rc < 0)
        return rc;
    struct slw_jit_history *h = calloc(1, sizeof(*h));
    if (!h)
        return -SLW_E_NOMEM;
    h->functions = functions;
    h->looks_left = MAX_LOOKS;
    h->stays = malloc((count + 1) * sizeof(*h->stays));
    if (!h->stays) {
        slw_jit_history_free(h);
        return -SLW_E_NOMEM;
    }
    fill(h, times);
    *ret_history = h;
    return 0;
}

void slw_jit_history_free(struct slw_jit_history *h)
{
    if (!h)
        return;
    free(h->stays);
    free(h);
}

/* The first stay that is later than any of this page up to the time. */
static size_t after(const struct slw_jit_history *h, uint64_t page, uint64_t time_ns)
{
    const struct stay key = {page, time_ns, SIZE_MAX};
    size_t low = 0, high = h->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order(&h->stays[middle], &key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Is this a stay on the page that covers the address? *ret_on: on the page at all. */
static bool covers(struct slw_jit_history *h, size_t stay, uint64_t address, bool *ret_on)
{
    const struct stay *s = &h->stays[stay];

    *ret_on = s->page == address >> PAGE_BITS && h->looks_left > 0;
    h->looks_left -= *ret_on;
    const struct slw_symbol *f = &h->functions->symbols[s->function];
    return *ret_on && address >= f->start && address < f->end;
}

bool slw_jit_history_find(struct slw_jit_history *h, uint64_t address, uint64_t time_ns,
                          size_t *ret_function)
{
    bool on = true, found = false;

    if (address < h->low || address >= h->high)
        return false;
    const size_t middle = after(h, address >> PAGE_BITS, time_ns);
    size_t at = middle;
    while (!found && on && at > 0)
        found = covers(h, --at, address, &on);
    if (!found) {
        on = true;
        for (at = middle; !found && on && at < h->count; at += !found)
            found = covers(h, at, address, &on);
    }
    if (found)
        *ret_function = h->stays[at].function;
    return found;
}
