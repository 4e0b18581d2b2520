/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tool keeps of a translation goes when Valgrind discards it: a compiler that replaces its
 * code all day would fill the memory otherwise. The last block a thread ran is still looked at, so
 * it waits until it is not. */
#include "tool_int.h"

#include "pub_tool_hashtable.h"

/* The blocks whose translations have one name. Valgrind may hold two of a name (one with and one
 * without redirection): they go together, when the last translation has gone. */
struct translated {
    VgHashNode node; /* key: Valgrind's name of it, an address */
    struct block *blocks;
    UInt live;
};

static VgHashTable *translations;
static struct block *waiting;

void block_is_made(struct block *block, Addr name)
{
    if (!translations)
        translations = VG_(HT_construct)("sim.translations");
    struct translated *t = VG_(HT_lookup)(translations, name);

    if (!t) {
        t = VG_(calloc)("sim.translated", 1, sizeof(*t));
        t->node.key = name;
        VG_(HT_add_node)(translations, t);
    }
    block->next_of_name = t->blocks;
    t->blocks = block;
    t->live++;
}

/* Those that no thread looks at any more. */
static void free_waiting(void)
{
    struct block **link = &waiting;

    while (*link) {
        struct block *b = *link;

        if (is_looked_at(b)) {
            link = &b->next_of_name;
            continue;
        }
        *link = b->next_of_name;
        free_block(b);
    }
}

void translation_goes(Addr name, VexGuestExtents extents)
{
    struct translated *t = translations ? VG_(HT_lookup)(translations, name) : NULL;

    (void)extents;
    if (!t || --t->live > 0)
        return;
    while (t->blocks) {
        struct block *b = t->blocks;

        t->blocks = b->next_of_name;
        b->next_of_name = waiting;
        waiting = b;
    }
    VG_(HT_remove)(translations, name);
    VG_(free)(t);
    free_waiting();
}
