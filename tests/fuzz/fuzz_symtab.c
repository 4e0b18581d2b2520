/* SPDX-License-Identifier: MIT */
/* Symbol tables that are text: /proc/kallsyms and the maps of JIT compilers. */
#include "analyzer/symtab.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct slw_symtab *t, uint64_t max_guess)
{
    if (slw_symtab_finish(t, max_guess) < 0)
        return;
    for (size_t i = 0; i < t->count; i++) {
        const struct slw_symbol *s = &t->symbols[i];
        if (i > 0 && t->symbols[i - 1].start >= s->start)
            abort(); /* sorted, one name an address */
        if (s->end > s->start && slw_symtab_find(t, s->start) != s)
            abort(); /* what is there is found */
        if (strlen(s->name) == SIZE_MAX)
            abort();
    }
}

static void check_latest(struct slw_symtab *t)
{
    if (slw_symtab_finish_latest(t) < 0)
        return;
    for (size_t i = 0; i < t->count; i++)
        if ((i > 0 && t->symbols[i - 1].end > t->symbols[i].start) ||
            slw_symtab_find(t, t->symbols[i].start) != &t->symbols[i])
            abort(); /* one name an address */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_symtab kernel = {0}, jit = {0};
    char *text = malloc(size + 1), *again = malloc(size + 1);
    bool hidden = false;

    if (text && again) {
        memcpy(text, data, size);
        memcpy(again, data, size);
        text[size] = again[size] = '\0';
        if (slw_symtab_add_kallsyms(&kernel, text, &hidden) == 0)
            check(&kernel, (uint64_t)1 << 20);
        if (slw_symtab_add_perf_map(&jit, again) == 0)
            check_latest(&jit);
    }
    slw_symtab_release(&kernel);
    slw_symtab_release(&jit);
    free(text);
    free(again);
    return 0;
}
