/* SPDX-License-Identifier: MIT */
/* jit-PID.dump from anywhere. What is found at an address is one of the functions that were there,
 * and functions do not overlap. */
#include "analyzer/jit_history.h"
#include "analyzer/jitdump.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct slw_symtab *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct slw_symbol *s = &t->symbols[i];
        if (s->end <= s->start || (i > 0 && t->symbols[i - 1].end > s->start) ||
            slw_symtab_find(t, s->start) != s || strlen(s->name) > SLW_MAX_JIT_NAME)
            abort();
    }
}

/* At any time, what is found is there. */
static void check_history(const struct slw_symtab *t, const struct slw_jit_times *times)
{
    struct slw_jit_history *h = NULL;
    size_t found;

    if (!times->comparable || times->count != t->count || slw_jit_history_new(t, times->ns, &h) < 0)
        return;
    for (size_t i = 0; i < t->count && i < 1000; i++) {
        if (!slw_jit_history_find(h, t->symbols[i].start, times->ns[i], &found) ||
            t->symbols[found].start > t->symbols[i].start ||
            t->symbols[found].end <= t->symbols[i].start || times->ns[found] > times->ns[i])
            abort();
    }
    slw_jit_history_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_jit_times times = {0};
    struct slw_arena *arena = slw_arena_new();
    struct slw_symtab t = {0};
    char *copy = malloc(size + 1);
    FILE *f = NULL;

    if (copy && size > 0) {
        memcpy(copy, data, size);
        f = fmemopen(copy, size, "rb");
    }
    if (arena && f && slw_jitdump_read_timed(f, arena, &t, &times) == 0) {
        check_history(&t, &times);
        if (slw_symtab_finish_latest(&t) == 0)
            check(&t);
    }
    if (f)
        (void)fclose(f);
    slw_symtab_release(&t);
    slw_jit_times_release(&times);
    slw_arena_free(arena);
    free(copy);
    return 0;
}
