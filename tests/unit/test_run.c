/* SPDX-License-Identifier: MIT */
#include "tests/unit/run_fixture_int.h"

#include <limits.h>

static struct slw_run *new_run(void)
{
    struct slw_run *run = NULL;
    assert_int_equal(slw_run_new(&run, NULL), 0);
    return run;
}

static void a_new_run_knows_nothing(void **state)
{
    (void)state;
    struct slw_run *run = new_run();

    assert_non_null(run->wall_ns.absent);
    assert_non_null(run->requests.absent);
    assert_non_null(run->self.user_ns.absent);
    assert_non_null(run->self.system_ns.absent);
    assert_non_null(run->model.absent);
    assert_null(run->model.name);
    assert_int_equal(run->host.perf_event_paranoid, INT_MIN);
    assert_int_equal(run->host.cpu.smt, -1);
    assert_int_equal(run->command.pid, -1);
    assert_int_equal(run->command.exit, SLW_EXIT_UNKNOWN);
    slw_run_free(run);
    slw_run_free(NULL);
}

static void appended_counts_keep_their_order_and_strings(void **state)
{
    (void)state;
    struct slw_run *run = new_run();

    for (int i = 0; i < 1025; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "event-%d", i);
        const struct slw_count c = {.event = name, .unit = "events", .cpu = i, .raw = (uint64_t)i};
        assert_int_equal(slw_run_add_count(run, &c, NULL), 0);
        memset(name, 'x', sizeof(name)); /* the run must own a copy */
    }
    assert_int_equal(run->count_count, 1025);
    for (int i = 0; i < 1025; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "event-%d", i);
        assert_string_equal(run->counts[i].event, name);
        assert_int_equal(run->counts[i].raw, i);
        assert_null(run->counts[i].pmu);
    }
    slw_run_free(run);
}

static void limits_are_refused_with_the_limit_named(void **state)
{
    (void)state;
    struct slw_run *run = new_run();
    const struct slw_sampling s = {.event = "e", .unit = "count"};
    struct slw_error err = {0};

    for (int i = 0; i < SLW_MAX_SAMPLINGS; i++)
        assert_int_equal(slw_run_add_sampling(run, &s, NULL), 0);
    assert_int_equal(slw_run_add_sampling(run, &s, &err), -SLW_E_LIMIT);
    assert_non_null(strstr(err.text, "64"));
    assert_int_equal(run->sampling_count, SLW_MAX_SAMPLINGS);
    for (int i = 0; i < SLW_MAX_LABELS; i++)
        assert_int_equal(slw_run_add_label(run, "k", "v", NULL), 0);
    assert_int_equal(slw_run_add_label(run, "k", "v", NULL), -SLW_E_LIMIT);
    for (int i = 0; i < SLW_MAX_NOTES; i++)
        assert_int_equal(slw_run_note(run, SLW_NOTE_INFO, "c", NULL, "%d", i), 0);
    assert_int_equal(slw_run_note(run, SLW_NOTE_INFO, "c", NULL, "more"), -SLW_E_LIMIT);
    assert_int_equal(slw_run_note(run, SLW_NOTE_INFO, "c", NULL, "%d", 7), 0); /* is there */
    slw_run_free(run);
}

static void a_note_is_told_once(void **state)
{
    (void)state;
    struct slw_run *run = new_run();

    assert_int_equal(slw_run_note(run, SLW_NOTE_INFO, "a", NULL, "text %d", 1), 0);
    assert_int_equal(slw_run_note(run, SLW_NOTE_WARNING, "a", "hint", "text %d", 1), 0);
    assert_int_equal(slw_run_note(run, SLW_NOTE_INFO, "b", NULL, "text 1"), 0);
    assert_int_equal(slw_run_note(run, SLW_NOTE_INFO, "a", NULL, "text 2"), 0);
    assert_int_equal(run->note_count, 3);
    assert_int_equal(run->notes[0].level, SLW_NOTE_INFO);
    assert_null(run->notes[0].hint);
    slw_run_free(run);
}

static void a_long_note_is_kept_whole(void **state)
{
    (void)state;
    struct slw_run *run = new_run();
    char name[4097];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';

    assert_int_equal(slw_run_note(run, SLW_NOTE_INFO, "symbol", NULL, "<%s>", name), 0);
    assert_int_equal(strlen(run->notes[0].text), 4098);
    slw_run_free(run);
}

static void only_whole_target_counts_are_found(void **state)
{
    (void)state;
    struct slw_run *run = new_run();
    struct slw_count c = {.event = "cycles", .pid = -1, .tid = -1, .cpu = 3, .raw = 1};
    assert_int_equal(slw_run_add_count(run, &c, NULL), 0);
    assert_null(slw_run_find_count(run, "cycles"));
    c.cpu = -1;
    c.tid = 9;
    assert_int_equal(slw_run_add_count(run, &c, NULL), 0);
    assert_null(slw_run_find_count(run, "cycles"));
    c.tid = -1;
    c.raw = 3;
    assert_int_equal(slw_run_add_count(run, &c, NULL), 0);
    assert_int_equal(slw_run_find_count(run, "cycles")->raw, 3);
    assert_null(slw_run_find_count(run, "cycle"));
    slw_run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_run_knows_nothing),
        cmocka_unit_test(appended_counts_keep_their_order_and_strings),
        cmocka_unit_test(limits_are_refused_with_the_limit_named),
        cmocka_unit_test(a_note_is_told_once),
        cmocka_unit_test(a_long_note_is_kept_whole),
        cmocka_unit_test(only_whole_target_counts_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
