/* SPDX-License-Identifier: MIT */
#include "record/stacks.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <string.h>

static struct slw_stacks *two_columns(void)
{
    const struct slw_column columns[] = {
        {.event = "cpu-clock", .unit = "count", .from = {.source = SLW_SOURCE_SOFTWARE}},
        {.event = "cpu-clock", .unit = "nanoseconds", .from = {.source = SLW_SOURCE_SOFTWARE}}};
    struct slw_stacks *s = NULL;
    assert_int_equal(slw_stacks_new(columns, 2, &s, NULL), 0);
    return s;
}

static uint32_t frame(struct slw_stacks *s, const char *name)
{
    const struct slw_frame f = {.function = name, .mapping = SLW_NO_MAPPING};
    uint32_t id = 0;
    assert_int_equal(slw_stacks_add_frame(s, &f, &id), 0);
    return id;
}

static void equal_stacks_are_one_sample(void **state)
{
    (void)state;
    struct slw_stacks *s = two_columns();
    const uint32_t frames[] = {frame(s, "leaf"), frame(s, "root")};
    const uint64_t weights[] = {1, 1000};
    for (int i = 0; i < 10; i++)
        assert_int_equal(slw_stacks_add(s, frames, 2, SLW_NO_THREAD, weights), 0);
    assert_int_equal(slw_stacks_add(s, frames, 1, SLW_NO_THREAD, weights), 0);
    assert_int_equal(slw_stacks_count(s), 2);
    assert_int_equal(slw_stacks_get(s, 0).weights[1], 10000);
    assert_int_equal(slw_stacks_total(s, 0), 11);
    assert_int_equal(slw_stacks_frame_count(s), 2);
    slw_stacks_free(s);
}

static void stacks_that_begin_alike_share_a_path(void **state)
{
    (void)state;
    struct slw_stacks *s = two_columns();
    const uint32_t leaf = frame(s, "leaf"), root = frame(s, "root");
    const uint32_t frames[] = {leaf, root};
    const uint64_t weights[] = {1, 1000}, most[] = {1, INT64_MAX}, beyond[] = {UINT64_MAX, 1};
    uint32_t thread, flat, deep, again;
    assert_int_equal(slw_stacks_root(s, SLW_NO_THREAD, &thread), 0);
    assert_int_equal(slw_stacks_step(s, thread, root, &flat), 0);
    assert_int_equal(slw_stacks_step(s, flat, leaf, &deep), 0);
    assert_int_equal(slw_stacks_step(s, flat, leaf, &again), 0);
    assert_int_equal(again, deep);
    assert_int_equal(slw_stacks_count(s), 0); /* none has a weight yet */
    assert_int_equal(slw_stacks_weigh(s, flat, beyond), -SLW_E_RANGE);
    assert_int_equal(slw_stacks_count(s), 0);
    assert_int_equal(slw_stacks_weigh(s, deep, weights), 0);
    assert_int_equal(slw_stacks_weigh(s, deep, most), -SLW_E_RANGE);
    assert_int_equal(slw_stacks_add(s, frames, 2, SLW_NO_THREAD, weights), 0);
    assert_int_equal(slw_stacks_count(s), 1);
    assert_int_equal(slw_stacks_leaf(s, 0), deep);
    assert_int_equal(slw_stacks_weights(s, 0)[1], 2000);
    assert_int_equal(slw_stacks_path_count(s), 3);
    assert_int_equal(slw_stacks_path(s, deep).caller, flat);
    assert_int_equal(slw_stacks_path(s, deep).id, leaf);
    assert_int_equal(slw_stacks_path(s, thread).caller, SLW_NO_PATH);
    const struct slw_stack stack = slw_stacks_get(s, 0);
    assert_int_equal(stack.depth, 2);
    assert_memory_equal(stack.frames, frames, sizeof(frames));
    assert_int_equal(stack.thread, SLW_NO_THREAD);
    slw_stacks_free(s);
}

static void threads_keep_stacks_apart(void **state)
{
    (void)state;
    struct slw_stacks *s = two_columns();
    const uint32_t frames[] = {frame(s, "f")};
    const uint64_t weights[] = {1, 1};
    const struct slw_thread a = {"a", 1, 1}, b = {"b", 1, 2};
    uint32_t ta, tb;
    assert_int_equal(slw_stacks_add_thread(s, &a, &ta), 0);
    assert_int_equal(slw_stacks_add_thread(s, &b, &tb), 0);
    assert_int_equal(slw_stacks_add(s, frames, 1, ta, weights), 0);
    assert_int_equal(slw_stacks_add(s, frames, 1, tb, weights), 0);
    assert_int_equal(slw_stacks_count(s), 2);
    assert_string_equal(slw_stacks_thread(s, tb).comm, "b");
    slw_stacks_free(s);
}

static void an_empty_stack_still_weighs(void **state)
{
    (void)state;
    struct slw_stacks *s = two_columns();
    const uint64_t weights[] = {1, 5};
    assert_int_equal(slw_stacks_add(s, NULL, 0, SLW_NO_THREAD, weights), 0);
    assert_int_equal(slw_stacks_get(s, 0).depth, 0);
    assert_int_equal(slw_stacks_total(s, 1), 5);
    slw_stacks_free(s);
}

static void an_overflowing_weight_is_refused_whole(void **state)
{
    (void)state;
    struct slw_stacks *s = two_columns();
    const uint32_t frames[] = {frame(s, "f")};
    const uint64_t big[] = {1, INT64_MAX}, one[] = {1, 1};
    assert_int_equal(slw_stacks_add(s, frames, 1, SLW_NO_THREAD, big), 0);
    assert_int_equal(slw_stacks_add(s, frames, 1, SLW_NO_THREAD, one), -SLW_E_RANGE);
    assert_int_equal(slw_stacks_total(s, 0), 1);
    slw_stacks_free(s);
}

static void a_refused_new_stack_is_not_there(void **state)
{
    (void)state;
    struct slw_stacks *s = two_columns();
    const uint32_t frames[] = {frame(s, "f")};
    const uint64_t weights[] = {1, UINT64_MAX};
    assert_int_equal(slw_stacks_add(s, frames, 1, SLW_NO_THREAD, weights), -SLW_E_RANGE);
    assert_int_equal(slw_stacks_count(s), 0);
    slw_stacks_free(s);
}

static void the_same_linkage_name_is_no_other_frame(void **state)
{
    (void)state;
    struct slw_stacks *s = two_columns();
    const struct slw_frame f = {.function = "f", .linkage = "f", .mapping = SLW_NO_MAPPING};
    uint32_t id;
    assert_int_equal(slw_stacks_add_frame(s, &f, &id), 0);
    assert_int_equal(id, frame(s, "f"));
    assert_string_equal(slw_stacks_frame(s, id).linkage, "");
    slw_stacks_free(s);
}

static void many_stacks_stay_apart(void **state)
{
    (void)state;
    struct slw_stacks *s = two_columns();
    uint32_t ids[64];
    const uint64_t weights[] = {1, 2};
    for (uint32_t i = 0; i < 64; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "f%u", i);
        ids[i] = frame(s, name);
    }
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 64 * 64 * 16; i++) {
            const uint32_t frames[] = {ids[i % 64], ids[i / 64 % 64], ids[i / 4096]};
            assert_int_equal(slw_stacks_add(s, frames, 3, SLW_NO_THREAD, weights), 0);
        }
    assert_int_equal(slw_stacks_count(s), 64 * 64 * 16);
    for (uint32_t i = 0; i < 64 * 64 * 16; i++)
        assert_int_equal(slw_stacks_get(s, i).weights[1], 4);
    slw_stacks_free(s);
}

static void columns_are_found_by_event_and_unit(void **state)
{
    (void)state;
    struct slw_stacks *s = two_columns();
    assert_int_equal(slw_stacks_find_column(s, NULL, NULL), 1);
    assert_int_equal(slw_stacks_find_column(s, "cpu-clock", "count"), 0);
    assert_int_equal(slw_stacks_find_column(s, "cycles", NULL), -1);
    slw_stacks_free(s);
}

static void too_deep_stacks_lose_their_root_end(void **state)
{
    (void)state;
    static uint32_t frames[SLW_MAX_STACK_DEPTH + 10];
    struct slw_stacks *s = two_columns();
    const uint64_t weights[] = {1, 1};
    uint32_t id = frame(s, "f");
    for (size_t i = 0; i < SLW_MAX_STACK_DEPTH + 10; i++)
        frames[i] = id;
    assert_int_equal(slw_stacks_add(s, frames, SLW_MAX_STACK_DEPTH + 10, SLW_NO_THREAD, weights),
                     0);
    assert_int_equal(slw_stacks_get(s, 0).depth, SLW_MAX_STACK_DEPTH);
    slw_stacks_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_stacks_are_one_sample),
        cmocka_unit_test(stacks_that_begin_alike_share_a_path),
        cmocka_unit_test(threads_keep_stacks_apart),
        cmocka_unit_test(an_empty_stack_still_weighs),
        cmocka_unit_test(an_overflowing_weight_is_refused_whole),
        cmocka_unit_test(a_refused_new_stack_is_not_there),
        cmocka_unit_test(the_same_linkage_name_is_no_other_frame),
        cmocka_unit_test(many_stacks_stay_apart),
        cmocka_unit_test(columns_are_found_by_event_and_unit),
        cmocka_unit_test(too_deep_stacks_lose_their_root_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
