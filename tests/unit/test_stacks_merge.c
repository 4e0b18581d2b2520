/* SPDX-License-Identifier: MIT */
#include "record/stacks_merge.h"
#include "tests/unit/run_fixture_int.h"

/* A profile of one stack `names` (leaf first) that weighs `weight` in columns named so. */
static struct slw_stacks *profile(const char *event, const char *const *names, size_t depth,
                                  int32_t pid, uint64_t weight)
{
    const struct slw_column columns[] = {{event, "count", {0}}, {event, "nanoseconds", {0}}};
    const struct slw_thread thread = {"client", pid, pid};
    const struct slw_mapping map = {"/bin/client", "beef", 0, 0, 0};
    const uint64_t weights[] = {1, weight};
    struct slw_stacks *s = NULL;
    uint32_t frames[4], mapping, id;

    assert_true(depth <= 4);
    assert_int_equal(slw_stacks_new(columns, 2, &s, NULL), 0);
    assert_int_equal(slw_stacks_add_mapping(s, &map, &mapping), 0);
    for (size_t i = 0; i < depth; i++) {
        const struct slw_frame f = {.function = names[i], .mapping = mapping};
        assert_int_equal(slw_stacks_add_frame(s, &f, &frames[i]), 0);
    }
    assert_int_equal(slw_stacks_add_thread(s, &thread, &id), 0);
    assert_int_equal(slw_stacks_add(s, frames, depth, id, weights), 0);
    return s;
}

static void rounds_of_one_client_share_their_stacks(void **state)
{
    (void)state;
    const char *const ab[] = {"b", "a"}, *const ac[] = {"c", "a"};
    struct slw_stacks *one = profile("cpu-clock", ab, 2, 100, 10), *all = NULL,
                      *two = profile("cpu-clock", ab, 2, 200, 5),
                      *three = profile("cpu-clock", ac, 2, 300, 1);
    uint32_t map[64];

    assert_int_equal(slw_stacks_merge(&all, one, NULL, NULL), 0);
    assert_int_equal(slw_stacks_merge(&all, two, NULL, NULL), 0);
    assert_int_equal(slw_stacks_merge(&all, three, map, NULL), 0);
    assert_int_equal(slw_stacks_count(all), 2);
    assert_int_equal(slw_stacks_weights(all, 0)[0], 2);
    assert_int_equal(slw_stacks_weights(all, 0)[1], 15);
    assert_int_equal(slw_stacks_weights(all, 1)[1], 1);
    assert_int_equal(slw_stacks_thread_count(all), 1);
    assert_int_equal(slw_stacks_thread(all, 0).pid, -1);
    assert_string_equal(slw_stacks_thread(all, 0).comm, "client");
    assert_int_equal(map[slw_stacks_leaf(three, 0)], slw_stacks_leaf(all, 1));
    const struct slw_stack merged = slw_stacks_get(all, 1);
    assert_string_equal(slw_stacks_frame(all, merged.frames[0]).function, "c");
    slw_stacks_free(one);
    slw_stacks_free(two);
    slw_stacks_free(three);
    slw_stacks_free(all);
}

static void columns_of_both_are_kept(void **state)
{
    (void)state;
    const char *const names[] = {"f"};
    struct slw_stacks *all = profile("cpu-clock", names, 1, 1, 10),
                      *other = profile("offcpu-time", names, 1, 2, 7);

    assert_int_equal(slw_stacks_merge(&all, other, NULL, NULL), 0);
    assert_int_equal(slw_stacks_column_count(all), 4);
    assert_int_equal(slw_stacks_total(all, 1), 10);
    assert_int_equal(slw_stacks_total(all, 3), 7);
    assert_int_equal(slw_stacks_merge(&all, other, NULL, NULL), 0);
    assert_int_equal(slw_stacks_column_count(all), 4);
    assert_int_equal(slw_stacks_total(all, 3), 14);
    slw_stacks_free(all);
    slw_stacks_free(other);
}

static void other_sources_are_refused(void **state)
{
    (void)state;
    const struct slw_column simulated = {"cpu-clock", "count", {SLW_SOURCE_SIMULATED, false, NULL}};
    const char *const names[] = {"f"};
    struct slw_stacks *all = profile("cpu-clock", names, 1, 1, 10), *other = NULL;
    struct slw_error err = {0};

    assert_int_equal(slw_stacks_new(&simulated, 1, &other, NULL), 0);
    assert_int_equal(slw_stacks_merge(&all, other, NULL, &err), -SLW_E_INVAL);
    assert_non_null(strstr(err.text, "cpu-clock"));
    slw_stacks_free(all);
    slw_stacks_free(other);
}

static void a_rich_profile_is_merged_whole(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks(), *all = NULL;
    uint32_t map[64];

    assert_true(slw_stacks_path_count(s) <= 64);
    assert_int_equal(slw_stacks_merge(&all, s, map, NULL), 0);
    assert_int_equal(slw_stacks_count(all), slw_stacks_count(s));
    for (size_t i = 0; i < 4; i++)
        assert_true(slw_stacks_total(all, i) == slw_stacks_total(s, i));
    for (size_t i = 0; i < slw_stacks_count(s); i++) {
        const struct slw_stack a = slw_stacks_get(s, i), b = slw_stacks_get(all, i);
        assert_int_equal(map[slw_stacks_leaf(s, i)], slw_stacks_leaf(all, i));
        assert_int_equal(a.depth, b.depth);
        for (size_t k = 0; k < a.depth; k++)
            assert_string_equal(slw_stacks_frame(s, a.frames[k]).function,
                                slw_stacks_frame(all, b.frames[k]).function);
    }
    assert_int_equal(slw_stacks_merge(&all, s, NULL, NULL), -SLW_E_RANGE); /* one weighs 2^63 - 1 */
    slw_stacks_free(s);
    slw_stacks_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_of_one_client_share_their_stacks),
        cmocka_unit_test(columns_of_both_are_kept),
        cmocka_unit_test(other_sources_are_refused),
        cmocka_unit_test(a_rich_profile_is_merged_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
