/* SPDX-License-Identifier: MIT */
/* The distinct names of a profile, in the order a flame graph shows them. Frames differ by address
 * and line; a node of the call tree only by what this table tells apart. */
#ifndef SLW_FLAMEGRAPH_TREE_NAMES_H
#define SLW_FLAMEGRAPH_TREE_NAMES_H

#include "flamegraph/tree.h"

struct slw_tree_names {
    struct slw_tree_name *names; /* sorted; in the arena given; names[0] is the root's */
    uint32_t count;
    uint32_t *of_frame;  /* heap: frame id -> name */
    uint32_t *of_thread; /* heap: thread id -> name */
};

/* Name every frame and thread of the profile. 0 or -SLW_E_NOMEM. Release in any case. */
int slw_tree_names_init(struct slw_tree_names *n, const struct slw_stacks *s, bool by_thread,
                        struct slw_arena *arena);
void slw_tree_names_release(struct slw_tree_names *n);

/* The words a frame is shown by, in three parts: its function, else "[module]" by the module's base
 * name, else "[unknown]". Static, or lent by function and module. */
struct slw_tree_label {
    const char *open, *text, *close;
};
struct slw_tree_label slw_tree_frame_label(const char *function, const char *module);

#endif
