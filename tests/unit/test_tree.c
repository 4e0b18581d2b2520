/* SPDX-License-Identifier: MIT */
#include "flamegraph/layout.h"
#include "flamegraph/tree.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <string.h>

static struct slw_stacks *new_stacks(void)
{
    const struct slw_column columns[] = {{.event = "cpu-clock", .unit = "count"},
                                         {.event = "cpu-clock", .unit = "nanoseconds"}};
    struct slw_stacks *s = NULL;

    assert_int_equal(slw_stacks_new(columns, 2, &s, NULL), 0);
    return s;
}

static uint32_t add_frame(struct slw_stacks *s, struct slw_frame f)
{
    uint32_t id = 0;

    assert_int_equal(slw_stacks_add_frame(s, &f, &id), 0);
    return id;
}

static uint32_t frame(struct slw_stacks *s, const char *name)
{
    return add_frame(s, (struct slw_frame){.function = name, .mapping = SLW_NO_MAPPING});
}

static uint32_t thread(struct slw_stacks *s, const char *comm, int32_t tid)
{
    const struct slw_thread t = {comm, 1, tid};
    uint32_t id = 0;

    assert_int_equal(slw_stacks_add_thread(s, &t, &id), 0);
    return id;
}

/* frames: root first, as people write them */
static void add(struct slw_stacks *s, uint32_t thread_id, uint64_t samples, const char *frames)
{
    uint32_t ids[64];
    size_t depth = 0;
    char copy[256];
    char *save = NULL;

    (void)snprintf(copy, sizeof(copy), "%s", frames);
    for (char *name = strtok_r(copy, ";", &save); name; name = strtok_r(NULL, ";", &save))
        ids[depth++] = frame(s, name);
    for (size_t i = 0; i < depth / 2; i++) {
        const uint32_t swap = ids[i];
        ids[i] = ids[depth - 1 - i];
        ids[depth - 1 - i] = swap;
    }
    const uint64_t weights[] = {samples, samples * 1000};
    assert_int_equal(slw_stacks_add(s, ids, depth, thread_id, weights), 0);
}

static struct slw_tree *tree_of(const struct slw_stacks *s, size_t column,
                                struct slw_tree_options opts)
{
    struct slw_tree *t = NULL;

    assert_int_equal(slw_tree_new(s, column, &opts, &t, NULL), 0);
    return t;
}

static const char *label(const struct slw_tree *t, uint32_t node)
{
    return t->names[t->nodes[node].name].label;
}

static uint32_t child(const struct slw_tree *t, uint32_t node, const char *name)
{
    for (uint32_t c = t->nodes[node].first_child; c != SLW_NO_NODE; c = t->nodes[c].next_sibling)
        if (strcmp(label(t, c), name) == 0)
            return c;
    return SLW_NO_NODE;
}

static void every_node_is_its_own_weight_and_its_children(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();
    const uint32_t main_thread = thread(s, "client", 1);

    add(s, main_thread, 5, "main;send");
    add(s, main_thread, 3, "main;send;write");
    add(s, main_thread, 2, "main");
    add(s, main_thread, 7, "main;recv");
    struct slw_tree *t = tree_of(s, 1, (struct slw_tree_options){0});
    for (uint32_t i = 0; i < t->node_count; i++) {
        const struct slw_tree_node *n = &t->nodes[i];
        uint64_t weight = n->own;

        for (uint32_t c = n->first_child; c != SLW_NO_NODE; c = t->nodes[c].next_sibling)
            weight += t->nodes[c].weight;
        assert_int_equal(n->weight, weight);
        assert_int_equal(n->weight, n->samples * 1000);
    }
    assert_int_equal(t->nodes[SLW_ROOT_NODE].weight, slw_stacks_total(s, 1));
    const uint32_t comm = child(t, SLW_ROOT_NODE, "client");
    const uint32_t send = child(t, child(t, comm, "main"), "send");
    assert_int_equal(t->nodes[send].weight, 8000);
    assert_int_equal(t->nodes[send].own, 5000);
    assert_true(t->has_samples);
    assert_int_equal(t->depth, 4);
    slw_tree_free(t);
    slw_stacks_free(s);
}

static void children_come_in_alphabetical_order(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();
    static const char *const order[] = {"B", "a", "b", "c"};

    add(s, SLW_NO_THREAD, 1, "c");
    add(s, SLW_NO_THREAD, 1, "a");
    add(s, SLW_NO_THREAD, 9, "b");
    add(s, SLW_NO_THREAD, 1, "B");
    struct slw_tree *t = tree_of(s, 0, (struct slw_tree_options){0});
    uint32_t c = t->nodes[SLW_ROOT_NODE].first_child;
    for (size_t i = 0; i < 4; i++, c = t->nodes[c].next_sibling)
        assert_string_equal(label(t, c), order[i]);
    assert_int_equal(c, SLW_NO_NODE);
    assert_true(t->counts_samples);
    assert_false(t->has_samples);
    slw_tree_free(t);
    slw_stacks_free(s);
}

static void frames_that_differ_only_by_address_are_one_node(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();
    const uint64_t weights[] = {1, 1};

    for (uint64_t address = 0; address < 10; address++) {
        const uint32_t id = add_frame(s, (struct slw_frame){.function = "f",
                                                            .mapping = SLW_NO_MAPPING,
                                                            .line = (uint32_t)address,
                                                            .address = address});
        assert_int_equal(slw_stacks_add(s, &id, 1, SLW_NO_THREAD, weights), 0);
    }
    struct slw_tree *t = tree_of(s, 0, (struct slw_tree_options){0});
    assert_int_equal(t->node_count, 2);
    assert_int_equal(t->nodes[1].weight, 10);
    slw_tree_free(t);
    slw_stacks_free(s);
}

static void module_kind_and_inlining_keep_nodes_apart(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();
    const struct slw_mapping m = {.path = "/lib/a.so", .build_id = ""};
    const uint64_t weights[] = {1, 1};
    uint32_t mapping, ids[4];

    assert_int_equal(slw_stacks_add_mapping(s, &m, &mapping), 0);
    ids[0] = frame(s, "f");
    ids[1] = add_frame(s, (struct slw_frame){.function = "f", .mapping = mapping});
    ids[2] = add_frame(
        s, (struct slw_frame){.function = "f", .mapping = mapping, .kind = SLW_FRAME_KERNEL});
    ids[3] = add_frame(s, (struct slw_frame){.function = "f", .mapping = mapping, .inlined = true});
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(slw_stacks_add(s, &ids[i], 1, SLW_NO_THREAD, weights), 0);
    struct slw_tree *t = tree_of(s, 0, (struct slw_tree_options){0});
    assert_int_equal(t->node_count, 5);
    slw_tree_free(t);
    slw_stacks_free(s);
}

static void a_frame_without_symbol_is_shown_by_its_module(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();
    const struct slw_mapping lib = {.path = "/usr/lib/libpq.so.5"}, vdso = {.path = "[vdso]"};
    const uint64_t weights[] = {1, 1};
    uint32_t m[2];

    assert_int_equal(slw_stacks_add_mapping(s, &lib, &m[0]), 0);
    assert_int_equal(slw_stacks_add_mapping(s, &vdso, &m[1]), 0);
    for (size_t i = 0; i < 2; i++) {
        const uint32_t id = add_frame(s, (struct slw_frame){.mapping = m[i]});
        assert_int_equal(slw_stacks_add(s, &id, 1, SLW_NO_THREAD, weights), 0);
    }
    const uint32_t none = frame(s, "");
    assert_int_equal(slw_stacks_add(s, &none, 1, SLW_NO_THREAD, weights), 0);
    struct slw_tree *t = tree_of(s, 0, (struct slw_tree_options){0});
    assert_int_not_equal(child(t, SLW_ROOT_NODE, "[libpq.so.5]"), SLW_NO_NODE);
    assert_int_not_equal(child(t, SLW_ROOT_NODE, "[vdso]"), SLW_NO_NODE);
    assert_int_not_equal(child(t, SLW_ROOT_NODE, "[unknown]"), SLW_NO_NODE);
    slw_tree_free(t);
    slw_stacks_free(s);
}

static void threads_are_merged_by_name_unless_asked_apart(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();

    add(s, thread(s, "w", 10), 1, "main");
    add(s, thread(s, "w", 11), 2, "main");
    struct slw_tree *t = tree_of(s, 0, (struct slw_tree_options){0});
    assert_int_equal(t->nodes[child(t, SLW_ROOT_NODE, "w")].weight, 3);
    slw_tree_free(t);
    t = tree_of(s, 0, (struct slw_tree_options){.by_thread = true});
    assert_int_equal(t->nodes[child(t, SLW_ROOT_NODE, "w-1/11")].weight, 2);
    slw_tree_free(t);
    slw_stacks_free(s);
}

static void an_inverted_tree_starts_at_the_leaves(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();

    add(s, thread(s, "w", 10), 1, "main;f;write");
    add(s, thread(s, "w", 10), 2, "main;g;write");
    struct slw_tree *t = tree_of(s, 0, (struct slw_tree_options){.inverted = true});
    const uint32_t leaf = child(t, SLW_ROOT_NODE, "write");
    assert_int_equal(t->nodes[leaf].weight, 3);
    assert_int_equal(t->nodes[child(t, leaf, "g")].weight, 2);
    assert_string_equal(label(t, t->node_count - 1), "w");
    slw_tree_free(t);
    slw_stacks_free(s);
}

static void a_stack_without_frames_is_the_root_s_own_weight(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();

    add(s, SLW_NO_THREAD, 4, "");
    struct slw_tree *t = tree_of(s, 0, (struct slw_tree_options){0});
    assert_int_equal(t->nodes[SLW_ROOT_NODE].own, 4);
    assert_int_equal(t->depth, 0);
    slw_tree_free(t);
    slw_stacks_free(s);
}

static void weights_past_64_bits_are_refused(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();
    const uint64_t weights[] = {1, INT64_MAX};
    struct slw_error err = {0};
    struct slw_tree *t = NULL;

    for (int i = 0; i < 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "f%d", i);
        const uint32_t id = frame(s, name);
        assert_int_equal(slw_stacks_add(s, &id, 1, SLW_NO_THREAD, weights), 0);
    }
    assert_int_equal(slw_tree_new(s, 1, NULL, &t, &err), -SLW_E_RANGE);
    assert_null(t);
    slw_stacks_free(s);
}

/* ---- layout ---- */

static void check_boxes(const struct slw_layout *l, uint64_t total)
{
    uint64_t end_at[16] = {0};

    for (size_t i = 0; i < l->frame_count; i++) {
        const struct slw_layout_frame *f = &l->frames[i];

        assert_true(f->start >= end_at[f->depth]); /* siblings do not overlap */
        end_at[f->depth] = f->start + f->weight;
        assert_true(end_at[f->depth] <= total);
        if (f->depth > 0) /* a child is inside its parent */
            assert_true(end_at[f->depth] <= end_at[f->depth - 1]);
    }
}

static void boxes_are_as_wide_as_their_weight(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();
    struct slw_layout l;

    add(s, SLW_NO_THREAD, 30, "main;a");
    add(s, SLW_NO_THREAD, 60, "main;b;c");
    add(s, SLW_NO_THREAD, 10, "main");
    struct slw_tree *t = tree_of(s, 0, (struct slw_tree_options){0});
    assert_int_equal(slw_layout_init(&l, t, 1000, 0.1, NULL), 0);
    check_boxes(&l, 100);
    assert_int_equal(l.frame_count, 5);
    assert_int_equal(l.level_count, 4);
    assert_int_equal(l.culled_weight, 0);
    assert_int_equal(l.frames[3].start, 30); /* all, main, a, b, c */
    assert_int_equal(l.frames[3].weight, 60);
    assert_int_equal(l.frames[4].depth, 3);
    slw_layout_release(&l);
    slw_tree_free(t);
    slw_stacks_free(s);
}

static void culled_neighbours_stay_as_one_box(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();
    struct slw_layout l;
    char stack[32];

    for (int i = 0; i < 50; i++) {
        (void)snprintf(stack, sizeof(stack), "main;b%02d;deep", i);
        add(s, SLW_NO_THREAD, 1, stack);
    }
    add(s, SLW_NO_THREAD, 400, "main;a");
    add(s, SLW_NO_THREAD, 549, "main;c");
    add(s, SLW_NO_THREAD, 1, "main;d"); /* alone and too narrow: its place stays empty */
    struct slw_tree *t = tree_of(s, 0, (struct slw_tree_options){0});
    assert_int_equal(slw_layout_init(&l, t, 100, 1, NULL), 0);
    check_boxes(&l, 1000);
    assert_int_equal(l.frame_count, 5); /* all, main, a, the b's, c */
    assert_int_equal(l.frames[3].node, SLW_NO_NODE);
    assert_int_equal(l.frames[3].start, 400);
    assert_int_equal(l.frames[3].weight, 50);
    assert_int_equal(l.frames[3].narrow_count, 50);
    assert_int_equal(l.frames[4].start, 450);
    assert_int_equal(l.culled_weight, 51);
    assert_int_equal(l.culled_nodes, 51);
    slw_layout_release(&l);
    slw_tree_free(t);
    slw_stacks_free(s);
}

static void too_many_boxes_are_drawn_coarser(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();
    const uint64_t weights[] = {1, 1};
    struct slw_layout l;

    for (uint32_t i = 0; i < 2 * SLW_MAX_LAYOUT_FRAMES; i++) {
        const uint32_t id = add_frame(s, (struct slw_frame){.function = "f",
                                                            .mapping = SLW_NO_MAPPING,
                                                            .address = i,
                                                            .kind = SLW_FRAME_USER});
        char name[16];
        (void)snprintf(name, sizeof(name), "g%u", i);
        const uint32_t path[] = {frame(s, name), id};
        assert_int_equal(slw_stacks_add(s, path, 2, SLW_NO_THREAD, weights), 0);
    }
    struct slw_tree *t = tree_of(s, 0, (struct slw_tree_options){0});
    assert_int_equal(slw_layout_init(&l, t, 100000, 0.1, NULL), 0);
    assert_true(l.frame_count <= SLW_MAX_LAYOUT_FRAMES);
    assert_true(l.min_width_px > 0.1);
    uint64_t leaves = 0;
    for (size_t i = 0; i < l.frame_count; i++)
        if (l.frames[i].depth == 2)
            leaves += l.frames[i].weight;
    assert_int_equal(leaves, 2 * SLW_MAX_LAYOUT_FRAMES);
    slw_layout_release(&l);
    slw_tree_free(t);
    slw_stacks_free(s);
}

static void nothing_measured_is_nothing_to_draw(void **state)
{
    (void)state;
    struct slw_stacks *s = new_stacks();
    struct slw_layout l;
    struct slw_tree *t = tree_of(s, 0, (struct slw_tree_options){0});

    assert_int_equal(slw_layout_init(&l, t, 1000, 0.1, NULL), 0);
    assert_int_equal(l.frame_count, 0);
    slw_layout_release(&l);
    slw_tree_free(t);
    slw_stacks_free(s);
}

/* A recursion over the deepest stack there can be would need a stack of its own. */
static void the_deepest_stack_is_laid_out(void **state)
{
    (void)state;
    static uint32_t frames[SLW_MAX_STACK_DEPTH];
    struct slw_stacks *s = new_stacks();
    const uint64_t weights[] = {1, 1};
    struct slw_layout l;

    for (size_t i = 0; i < SLW_MAX_STACK_DEPTH; i++)
        frames[i] = frame(s, "f");
    assert_int_equal(slw_stacks_add(s, frames, SLW_MAX_STACK_DEPTH, thread(s, "t", 1), weights), 0);
    struct slw_tree *t = tree_of(s, 0, (struct slw_tree_options){0});
    assert_int_equal(slw_layout_init(&l, t, 1000, 0.1, NULL), 0);
    assert_int_equal(l.level_count, SLW_MAX_STACK_DEPTH + 2);
    slw_layout_release(&l);
    slw_tree_free(t);
    slw_stacks_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_is_its_own_weight_and_its_children),
        cmocka_unit_test(children_come_in_alphabetical_order),
        cmocka_unit_test(frames_that_differ_only_by_address_are_one_node),
        cmocka_unit_test(module_kind_and_inlining_keep_nodes_apart),
        cmocka_unit_test(a_frame_without_symbol_is_shown_by_its_module),
        cmocka_unit_test(threads_are_merged_by_name_unless_asked_apart),
        cmocka_unit_test(an_inverted_tree_starts_at_the_leaves),
        cmocka_unit_test(a_stack_without_frames_is_the_root_s_own_weight),
        cmocka_unit_test(weights_past_64_bits_are_refused),
        cmocka_unit_test(boxes_are_as_wide_as_their_weight),
        cmocka_unit_test(culled_neighbours_stay_as_one_box),
        cmocka_unit_test(too_many_boxes_are_drawn_coarser),
        cmocka_unit_test(nothing_measured_is_nothing_to_draw),
        cmocka_unit_test(the_deepest_stack_is_laid_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
