/* SPDX-License-Identifier: MIT */
/* What was waited for by name: which lock, which servers, and which of them are no databases. */
#include "analyzer/waited_for.h"
#include "collector/taps/bpf/functions.h"
#include "tests/traffic_fixture.h"

#include <dlfcn.h>

#define MS UINT64_C(1000000)

static void wait_for(struct fixture *f, enum slw_wait state, const char *what, uint64_t ms)
{
    const struct slw_waited_for w = {
        .state = state, .what = what, .pid = -1, .ns = ms * MS, .waits = 9};

    assert_int_equal(slw_run_add_waited_for(f->run, &w, NULL), 0);
}

static void waiting(struct fixture *f)
{
    struct slw_waiting w = {.wall_ns = 1000 * MS};

    w.ns[SLW_WAIT_ANSWER] = 800 * MS;
    w.ns[SLW_WAIT_LOCK] = 200 * MS;
    fixture_threads(f, &w, 1);
}

static void check_text(const struct fixture *f, const char *expected)
{
    struct slw_buf out = {0};

    slw_waited_for_text(&out, f->run);
    assert_string_equal(out.data ? out.data : "", expected);
    slw_buf_release(&out);
}

static void what_is_no_database_is_told(void **state)
{
    (void)state;
    struct fixture f = fixture_new();

    waiting(&f);
    fixture_traffic(&f, &(struct slw_connection){.requests = 1000, .flushes = 1000});
    wait_for(&f, SLW_WAIT_ANSWER, "127.0.0.1:5432", 500);
    wait_for(&f, SLW_WAIT_ANSWER, "10.0.0.1:443", 200);
    wait_for(&f, SLW_WAIT_LOCK, "queue_lock (client)", 100);
    wait_for(&f, SLW_WAIT_SENDING, "unix", 50); /* the fourth: not told */
    check_text(&f, "waited for answers of 127.0.0.1:5432 50 % of the thread time; answers of "
                   "10.0.0.1:443, no database that was followed, 20 %; the lock queue_lock "
                   "(client) 10 %");
    assert_near(slw_waited_elsewhere(f.run), 250.0 / 800, 1e-9);
    fixture_free(&f);
}

static void where_nothing_was_followed_nothing_is_elsewhere(void **state)
{
    (void)state;
    struct fixture f = fixture_new();

    waiting(&f);
    wait_for(&f, SLW_WAIT_ANSWER, "10.0.0.1:443", 200);
    wait_for(&f, SLW_WAIT_ANSWER, "10.0.0.2:443", 9);
    check_text(&f, "waited for answers of 10.0.0.1:443 20 % of the thread time");
    assert_true(slw_waited_elsewhere(f.run) == 0);
    fixture_free(&f);
}

static void the_lock_waited_for_most(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    double share;

    waiting(&f);
    assert_null(slw_waited_lock(f.run, &share));
    wait_for(&f, SLW_WAIT_ANSWER, "127.0.0.1:5432", 500);
    wait_for(&f, SLW_WAIT_LOCK, "0x7f00", 60);
    wait_for(&f, SLW_WAIT_LOCK, "queue_lock (client)", 90);
    assert_string_equal(slw_waited_lock(f.run, &share)->what, "queue_lock (client)");
    assert_near(share, 0.6, 1e-9);
    fixture_free(&f);
}

/* ---- the name of a variable ---- */

int test_waited_for_a_variable[4];

static void a_variable_is_found_by_any_address_within_it(void **state)
{
    (void)state;
    Dl_info info;
    char name[64];

    assert_true(dladdr(test_waited_for_a_variable, &info) != 0);
    const uint64_t bias = (uintptr_t)info.dli_fbase;
    const uint64_t at = (uintptr_t)test_waited_for_a_variable;
    assert_true(slw_variable_find("/proc/self/exe", at, bias, name, sizeof(name)));
    assert_string_equal(name, "test_waited_for_a_variable");
    assert_true(slw_variable_find("/proc/self/exe", at + 15, bias, name, 5));
    assert_string_equal(name, "test");
    assert_false(slw_variable_find("/proc/self/exe", 1, 0, name, sizeof(name)));
    assert_false(slw_variable_find("/proc/self/maps", at, bias, name, sizeof(name)));
    assert_false(slw_variable_find("/nowhere", at, bias, name, sizeof(name)));
}

static void functions_are_found_by_name(void **state)
{
    (void)state;
    const char *const names[] = {"main", "no_such_function_anywhere"};
    uint64_t offsets[2];

    assert_int_equal(slw_functions_find("/proc/self/exe", names, 2, offsets), 1);
    assert_true(offsets[0] != 0);
    assert_true(offsets[1] == 0);
    assert_int_equal(slw_functions_find("/proc/self/maps", names, 2, offsets), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_database_is_told),
        cmocka_unit_test(where_nothing_was_followed_nothing_is_elsewhere),
        cmocka_unit_test(the_lock_waited_for_most),
        cmocka_unit_test(a_variable_is_found_by_any_address_within_it),
        cmocka_unit_test(functions_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
