/* SPDX-License-Identifier: MIT */
#include "analyzer/jit_history.h"
#include "analyzer/jitdump.h"
#include "analyzer/process_root.h"
#include "base/arena.h"
#include "base/error.h"
#include "tests/unit/cmocka_int.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static void add(struct slw_symtab *t, uint64_t start, uint64_t end, const char *name)
{
    const struct slw_symbol s = {.start = start, .end = end, .name = name};

    assert_int_equal(slw_symtab_add(t, &s), 0);
}

static const char *name_at(const struct slw_symtab *t, uint64_t address)
{
    const struct slw_symbol *s = slw_symtab_find(t, address);

    return s ? s->name : "";
}

static bool reused_at(const struct slw_symtab *t, uint64_t address)
{
    const struct slw_symbol *s = slw_symtab_find(t, address);

    return s && (s->type & SLW_SYMBOL_REUSED);
}

static void the_last_function_at_an_address_is_found(void **state)
{
    struct slw_symtab t = {0};

    (void)state;
    add(&t, 100, 200, "first");
    add(&t, 150, 250, "second");
    add(&t, 160, 170, "third");
    add(&t, 300, 310, "alone");
    add(&t, 300, 310, "alone");
    assert_int_equal(slw_symtab_finish_latest(&t), 0);
    assert_string_equal(name_at(&t, 99), "");
    assert_string_equal(name_at(&t, 149), "first");
    assert_string_equal(name_at(&t, 150), "second");
    assert_string_equal(name_at(&t, 165), "third");
    assert_string_equal(name_at(&t, 170), "second");
    assert_string_equal(name_at(&t, 249), "second");
    assert_string_equal(name_at(&t, 250), "");
    assert_false(reused_at(&t, 149));
    assert_true(reused_at(&t, 150));
    assert_true(reused_at(&t, 165));
    assert_false(reused_at(&t, 220));
    assert_false(reused_at(&t, 305)); /* told twice, but the same */
    slw_symtab_release(&t);
}

static void an_empty_table_stays_empty(void **state)
{
    struct slw_symtab t = {0};

    (void)state;
    assert_int_equal(slw_symtab_finish_latest(&t), 0);
    assert_null(slw_symtab_find(&t, 0));
    slw_symtab_release(&t);
}

static int read_corpus(const char *name, struct slw_arena *arena, struct slw_symtab *t)
{
    char path[1024];

    (void)snprintf(path, sizeof(path), "%s/fuzz/corpus/jitdump/%s", SLW_TEST_DIR, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    int rc = slw_jitdump_read(f, arena, t);
    assert_int_equal(fclose(f), 0);
    return rc < 0 ? rc : slw_symtab_finish_latest(t);
}

static void loads_and_moves_are_read_in_either_byte_order(void **state)
{
    static const char *const names[] = {"little", "big"};
    struct slw_arena *arena = slw_arena_new();

    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < 2; i++) {
        struct slw_symtab t = {0};
        assert_int_equal(read_corpus(names[i], arena, &t), 0);
        assert_string_equal(name_at(&t, 0x1000), "first");
        assert_string_equal(name_at(&t, 0x1010), "third");
        assert_string_equal(name_at(&t, 0x1020), "second");
        assert_string_equal(name_at(&t, 0x3000), "first"); /* moved there */
        slw_symtab_release(&t);
    }
    slw_arena_free(arena);
}

static void at_each_time_the_function_that_was_there_is_found(void **state)
{
    const uint64_t times[] = {10, 20, 30, 15};
    struct slw_jit_history *h = NULL;
    struct slw_symtab t = {0};
    size_t found = SIZE_MAX;

    (void)state;
    add(&t, 0x1000, 0x3000, "wide");
    add(&t, 0x1f00, 0x2100, "later");
    add(&t, 0x1000, 0x1800, "last");
    add(&t, 0x9000, 0x9010, "alone");
    assert_int_equal(slw_jit_history_new(&t, times, &h), 0);
    assert_true(slw_jit_history_find(h, 0x1100, 29, &found) && found == 0);
    assert_true(slw_jit_history_find(h, 0x1100, 30, &found) && found == 2);
    assert_true(slw_jit_history_find(h, 0x1fff, 19, &found) && found == 0);
    assert_true(slw_jit_history_find(h, 0x1fff, 25, &found) && found == 1);
    assert_true(slw_jit_history_find(h, 0x2000, 25, &found) && found == 1);
    assert_true(slw_jit_history_find(h, 0x2100, 99, &found) && found == 0);
    /* Told a little late. */
    assert_true(slw_jit_history_find(h, 0x1100, 1, &found) && found == 0);
    assert_true(slw_jit_history_find(h, 0x9000, 1, &found) && found == 3);
    assert_false(slw_jit_history_find(h, 0x9010, 99, &found));
    assert_false(slw_jit_history_find(h, 0xfff, 99, &found));
    assert_false(slw_jit_history_find(h, 0x5000, 99, &found));
    slw_jit_history_free(h);
    slw_symtab_release(&t);
}

static void functions_of_half_the_address_space_are_no_history(void **state)
{
    const uint64_t times[] = {1, 2};
    struct slw_jit_history *h = NULL;
    struct slw_symtab t = {0};

    (void)state;
    add(&t, 0x1000, 0x2000, "small");
    add(&t, 1, UINT64_MAX, "everything");
    assert_int_equal(slw_jit_history_new(&t, times, &h), -SLW_E_LIMIT);
    assert_null(h);
    slw_symtab_release(&t);
}

static void times_are_read_with_the_functions(void **state)
{
    struct slw_arena *arena = slw_arena_new();
    struct slw_jit_times times = {0};
    struct slw_symtab t = {0};
    char path[1024];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/fuzz/corpus/jitdump/little", SLW_TEST_DIR);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(slw_jitdump_read_timed(f, arena, &t, &times), 0);
    assert_true(times.comparable);
    assert_int_equal(times.count, t.count);
    assert_int_equal(fclose(f), 0);
    slw_jit_times_release(&times);
    slw_symtab_release(&t);
    slw_arena_free(arena);
}

static void what_is_before_the_cut_is_kept(void **state)
{
    struct slw_arena *arena = slw_arena_new();
    struct slw_symtab t = {0};

    (void)state;
    assert_int_equal(read_corpus("cut", arena, &t), 0);
    assert_string_equal(name_at(&t, 2), "x");
    slw_symtab_release(&t);
    slw_arena_free(arena);
}

static void other_files_are_refused(void **state)
{
    char bytes[] = "7f0000 10 not a jitdump, but long enough to be one";
    struct slw_symtab t = {0};
    FILE *f = fmemopen(bytes, sizeof(bytes), "rb");

    (void)state;
    assert_int_equal(slw_jitdump_read(f, NULL, &t), -SLW_E_FORMAT);
    assert_int_equal(t.count, 0);
    assert_int_equal(fclose(f), 0);
}

static void names_of_jitdumps(void **state)
{
    (void)state;
    assert_true(slw_jitdump_is_name("/home/x/.debug/jit/jit-42.dump"));
    assert_true(slw_jitdump_is_name("jit-1.dump"));
    assert_false(slw_jitdump_is_name("/jit-1.dump/x"));
    assert_false(slw_jitdump_is_name("/x/jit-.dump"));
    assert_false(slw_jitdump_is_name("/x/jit-1.dump (deleted)"));
    assert_false(slw_jitdump_is_name("/x/jit-123456789012.dump"));
}

static void a_process_that_lives_is_described(void **state)
{
    struct slw_process_root r;
    char path[PATH_MAX];
    struct timespec now;

    (void)state;
    assert_true(slw_process_root_of(getpid(), &r));
    assert_int_equal(r.own_pid, getpid());
    assert_int_equal(r.uid, geteuid());
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    assert_in_range(r.started_ns, now_ns - UINT64_C(600) * 1000000000, now_ns);
    assert_true(slw_process_root_path(&r, "/proc/self/exe", path));
    assert_int_equal(access(path, R_OK), 0);
    assert_false(slw_process_root_of(0, &r));
    assert_false(slw_process_root_of(INT32_MAX, &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_function_at_an_address_is_found),
        cmocka_unit_test(an_empty_table_stays_empty),
        cmocka_unit_test(loads_and_moves_are_read_in_either_byte_order),
        cmocka_unit_test(at_each_time_the_function_that_was_there_is_found),
        cmocka_unit_test(functions_of_half_the_address_space_are_no_history),
        cmocka_unit_test(times_are_read_with_the_functions),
        cmocka_unit_test(what_is_before_the_cut_is_kept),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(names_of_jitdumps),
        cmocka_unit_test(a_process_that_lives_is_described),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
