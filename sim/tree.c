/* SPDX-License-Identifier: MIT */
/* Calling contexts by a shadow stack. A frame is known by the stack address its return address was
 * pushed to, so that longjmp, exceptions and tail calls fall back into step: a return pops
 * everything at or below the address it reads. */
#include "sim/core_int.h"

/* The child of `parent` entered at `next`, moved to the front of the list; NULL: no room. */
static struct slw_sim_node *child_of(struct slw_sim_core *s, struct slw_sim_node *parent,
                                     const struct slw_sim_segment *next)
{
    struct slw_sim_node **link = &parent->child;

    for (struct slw_sim_node *n = *link; n; link = &n->sibling, n = *link) {
        if (n->function != next->address)
            continue;
        *link = n->sibling;
        n->sibling = parent->child;
        parent->child = n;
        return n;
    }
    if (s->tree.node_count >= SLW_SIM_MAX_NODES)
        return NULL;
    struct slw_sim_node *n = s->host.allocate(sizeof(*n));

    n->function = next->address;
    n->object = next->object;
    n->id = s->tree.node_count++;
    n->parent = parent;
    n->sibling = parent->child;
    parent->child = n;
    return n;
}

/* As child_of, where it is mostly the one that was entered from here last. */
static inline struct slw_sim_node *enter_child(struct slw_sim_core *s, struct slw_sim_node *parent,
                                               struct slw_sim_segment *from,
                                               const struct slw_sim_segment *next)
{
    struct slw_sim_node *const last = from->entered;

    if (last && last->parent == parent && last->function == next->address)
        return last;
    struct slw_sim_node *const child = child_of(s, parent, next);

    from->entered = child;
    return child;
}

static void called(struct slw_sim_core *s, struct slw_sim_segment *segment,
                   const struct slw_sim_segment *next, uint64_t slot)
{
    struct slw_sim_tree *t = &s->tree;
    struct slw_sim_node *n = NULL;

    if (t->depth < SLW_SIM_MAX_FRAMES)
        n = enter_child(s, t->current, segment, next);
    if (!n) {
        t->unfollowed++;
        return;
    }
    t->frames[t->depth++] = (struct slw_sim_frame){.caller = t->current, .slot = slot};
    t->current = n;
}

static void returned(struct slw_sim_core *s, uint64_t slot)
{
    struct slw_sim_tree *t = &s->tree;

    while (t->depth > 0 && t->frames[t->depth - 1].slot <= slot) {
        const struct slw_sim_frame *frame = &t->frames[--t->depth];

        t->current = frame->caller;
        if (frame->slot == slot)
            return;
    }
}

/* A jump out of the first segment of a function is a stub of the linkage table: what it jumps to is
 * what was called. */
static void jumped(struct slw_sim_core *s, struct slw_sim_segment *segment,
                   const struct slw_sim_segment *next)
{
    struct slw_sim_tree *t = &s->tree;
    const bool at_entry = segment->address == t->current->function ||
                          segment->address == t->current->function + 4; /* after endbr64 */
    struct slw_sim_node *n = NULL;

    if (at_entry && t->current->parent)
        n = enter_child(s, t->current->parent, segment, next);
    if (n)
        t->current = n;
}

static uint64_t last_access(const struct slw_sim_access *accesses, size_t count, bool store)
{
    for (size_t i = count; i > 0; i--)
        if (accesses[i - 1].is_store == store)
            return accesses[i - 1].address;
    return 0;
}

void slw_sim_follow(struct slw_sim_core *s, struct slw_sim_segment *segment,
                    const struct slw_sim_access *accesses, size_t access_count,
                    const struct slw_sim_segment *next)
{
    switch (segment->branch) {
    case SLW_SIM_CALL:
    case SLW_SIM_CALL_INDIRECT:
        called(s, segment, next, last_access(accesses, access_count, true));
        return;
    case SLW_SIM_RETURN:
        returned(s, last_access(accesses, access_count, false));
        return;
    case SLW_SIM_JUMP_INDIRECT:
        jumped(s, segment, next);
        return;
    default:
        return;
    }
}

uint64_t slw_sim_innermost_slot(const struct slw_sim_core *core)
{
    const struct slw_sim_tree *t = &core->tree;

    return t->depth > 0 && t->depth < SLW_SIM_MAX_FRAMES ? t->frames[t->depth - 1].slot : 0;
}

const struct slw_sim_node *slw_sim_root(const struct slw_sim_core *core)
{
    return core->tree.root;
}

struct slw_sim_node *slw_sim_node_after(struct slw_sim_node *node)
{
    if (node->child)
        return node->child;
    while (node && !node->sibling)
        node = node->parent;
    return node ? node->sibling : NULL;
}

const struct slw_sim_node *slw_sim_next_node(const struct slw_sim_node *node)
{
    /* Only looked at: it is const for who is outside. */
    return slw_sim_node_after((struct slw_sim_node *)(uintptr_t)node);
}
