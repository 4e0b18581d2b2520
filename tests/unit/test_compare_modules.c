/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/modules.h"
#include "tests/unit/cmocka_int.h"

static struct slw_stacks *empty(void)
{
    const struct slw_column column = {"cpu-clock", "count", {0}};
    struct slw_stacks *s = NULL;

    assert_int_equal(slw_stacks_new(&column, 1, &s, NULL), 0);
    return s;
}

/* A file with a function for each letter. */
static void add(struct slw_stacks *s, const char *path, const char *letters)
{
    const struct slw_mapping mapping = {.path = path};
    uint32_t id, frame;

    assert_int_equal(slw_stacks_add_mapping(s, &mapping, &id), 0);
    for (; *letters; letters++) {
        const char name[] = {*letters, '\0'};
        const struct slw_frame f = {.function = name, .mapping = id};
        assert_int_equal(slw_stacks_add_frame(s, &f, &frame), 0);
    }
}

static void equal_paths_and_then_equal_names_are_one_file(void **state)
{
    (void)state;
    struct slw_stacks *a = empty(), *b = empty();
    const char *paths[8];

    add(a, "/old/client", "xy");
    add(a, "/lib/libc.so.6", "ab");
    add(a, "[vdso]", "t");
    add(b, "/lib/libc.so.6", "cd"); /* whatever its functions are */
    add(b, "/new/client", "pq");
    add(b, "[vdso]", "t");
    add(b, "[heap]", "");
    assert_int_equal(slw_modules_match(a, b, paths), 0);
    assert_string_equal(paths[0], "/lib/libc.so.6");
    assert_string_equal(paths[1], "/old/client");
    assert_string_equal(paths[2], "[vdso]");
    assert_string_equal(paths[3], "[heap]");
    slw_stacks_free(a);
    slw_stacks_free(b);
}

static void a_renamed_file_is_known_by_its_functions(void **state)
{
    (void)state;
    struct slw_stacks *a = empty(), *b = empty();
    const char *paths[8];

    add(a, "/bin/client-1", "abcdef");
    add(a, "/lib/libdb.so.1", "uvwx");
    add(b, "/lib/libdb.so.2", "uvwz");
    add(b, "/bin/client-2", "abcd");
    add(b, "/lib/new.so", "mnop");
    assert_int_equal(slw_modules_match(a, b, paths), 0);
    assert_string_equal(paths[0], "/lib/libdb.so.1");
    assert_string_equal(paths[1], "/bin/client-1");
    assert_string_equal(paths[2], "/lib/new.so");
    slw_stacks_free(a);
    slw_stacks_free(b);
}

static void a_few_common_names_make_no_file_the_same(void **state)
{
    (void)state;
    struct slw_stacks *a = empty(), *b = empty();
    const char *paths[2];

    add(a, "/bin/one", "mabcdef");
    add(b, "/bin/other", "mpqrstu");
    assert_int_equal(slw_modules_match(a, b, paths), 0);
    assert_string_equal(paths[0], "/bin/other");
    slw_stacks_free(a);
    slw_stacks_free(b);
}

static void each_file_is_given_once(void **state)
{
    (void)state;
    struct slw_stacks *a = empty(), *b = empty();
    const char *paths[2];

    add(a, "/bin/one", "abcd");
    add(b, "/bin/two", "abcd");
    add(b, "/bin/three", "abc");
    assert_int_equal(slw_modules_match(a, b, paths), 0);
    assert_string_equal(paths[0], "/bin/one");
    assert_string_equal(paths[1], "/bin/three");
    slw_stacks_free(a);
    slw_stacks_free(b);
}

static void add_thread(struct slw_stacks *s, const char *comm, int32_t tid)
{
    const struct slw_thread t = {comm, 1, tid};
    uint32_t id;

    assert_int_equal(slw_stacks_add_thread(s, &t, &id), 0);
}

static void threads_go_by_the_name_of_their_file(void **state)
{
    (void)state;
    struct slw_stacks *a = empty(), *b = empty();
    const char *paths[2], *names[4];

    add(a, "/bin/a-client-of-the-old-kind", "abc");
    add_thread(a, "a-client-of-the", 1); /* what the kernel keeps of it */
    add_thread(a, "worker", 2);
    add_thread(a, "other", 3);
    add(b, "/bin/b-client", "abc");
    add_thread(b, "worker", 1);
    add_thread(b, "b-client", 2);
    add_thread(b, "b-client", 3);
    add_thread(b, "new", 4);
    assert_int_equal(slw_modules_match(a, b, paths), 0);
    slw_threads_match(a, b, paths, names);
    assert_string_equal(names[0], "worker");
    assert_string_equal(names[1], "a-client-of-the");
    assert_string_equal(names[2], "a-client-of-the");
    assert_string_equal(names[3], "other"); /* the only ones left */
    slw_stacks_free(a);
    slw_stacks_free(b);
}

static void several_unknown_threads_stay_apart(void **state)
{
    (void)state;
    struct slw_stacks *a = empty(), *b = empty();
    const char *names[2];

    add_thread(a, "one", 1);
    add_thread(b, "two", 1);
    add_thread(b, "three", 2);
    slw_threads_match(a, b, NULL, names);
    assert_string_equal(names[0], "two");
    assert_string_equal(names[1], "three");
    slw_stacks_free(a);
    slw_stacks_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_paths_and_then_equal_names_are_one_file),
        cmocka_unit_test(a_renamed_file_is_known_by_its_functions),
        cmocka_unit_test(a_few_common_names_make_no_file_the_same),
        cmocka_unit_test(each_file_is_given_once),
        cmocka_unit_test(threads_go_by_the_name_of_their_file),
        cmocka_unit_test(several_unknown_threads_stay_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
