/* SPDX-License-Identifier: MIT */
/* The reader of a carrier's output, on the files the fuzz target starts from. */
#include "collector/sim_output.h"

#include "base/buf.h"
#include "base/file.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_text(const char *name, size_t *ret_length)
{
    char path[512], *text = NULL;

    (void)snprintf(path, sizeof(path), SLW_TEST_DIR "/fuzz/corpus/sim_output/%s", name);
    assert_int_equal(slw_file_read(path, 1 << 20, &text, ret_length, NULL), 0);
    return text;
}

static void a_whole_file_is_read(void **state)
{
    struct slw_sim_output *o = NULL;
    size_t length = 0;
    char *text = read_text("whole", &length);

    (void)state;
    assert_int_equal(slw_sim_output_read(text, length, "whole", &o, NULL), 0);
    assert_string_equal(o->carrier, "valgrind");
    assert_string_equal(o->core, "zen5");
    assert_int_equal(o->width, 8);
    assert_true(o->has_started && o->is_repeatable);
    assert_int_equal(o->ended, SLW_SIM_ENDED_EXIT);
    assert_int_equal(o->object_count, 1);
    assert_string_equal(o->objects[0].path, "/usr/bin/tr ue");
    assert_int_equal(o->objects[0].start, 0x109000);
    assert_int_equal(o->thread_count, 1);
    const struct slw_sim_thread *t = &o->threads[0];

    assert_int_equal(t->cycles, 10);
    assert_int_equal(t->events[SLW_SIM_INSTRUCTIONS], 30);
    assert_int_equal(t->slots[SLW_SIM_RETIRING], 30);
    assert_int_equal(t->context_count, 3);
    assert_int_equal(t->contexts[0].object, SLW_SIM_NO_OBJECT);
    assert_int_equal(t->contexts[2].parent, 1); /* an index, whatever the ids were */
    assert_int_equal(t->contexts[2].address, 0x109100);
    slw_sim_output_free(o);
    free(text);
}

static void refused(const char *name, const char *says, int code)
{
    struct slw_sim_output *o = NULL;
    struct slw_error err = {0};
    size_t length = 0;
    char *text = read_text(name, &length);

    assert_int_equal(slw_sim_output_read(text, length, name, &o, &err), -code);
    assert_null(o);
    if (!strstr(err.text, says))
        print_error("%s: %s: %s\n", name, err.where, err.text);
    assert_non_null(strstr(err.text, says));
    assert_int_equal(strncmp(err.where, name, strlen(name)), 0);
    free(text);
}

static void what_does_not_add_up_is_refused(void **state)
{
    (void)state;
    refused("newer", "newer", SLW_E_VERSION);
    refused("ended", "no way for a process to end", SLW_E_FORMAT);
    refused("sum", "do not sum", SLW_E_FORMAT);
    refused("orphan", "before its caller", SLW_E_FORMAT);
    refused("escape", "not spelled right", SLW_E_FORMAT);
    refused("zero", "not spelled right", SLW_E_FORMAT);
    refused("cut", "is missing", SLW_E_FORMAT);
    refused("after", "after the end", SLW_E_FORMAT);
    refused("timers_twice", "whether it set timers", SLW_E_FORMAT);
    refused("few_subsamples", "a subsample is missing", SLW_E_FORMAT);
    refused("empty_subsample", "not described right", SLW_E_FORMAT);
    refused("large_subsamples", "more than all that was timed", SLW_E_FORMAT);
    refused("many_subsamples", "how many subsamples", SLW_E_FORMAT);
    refused("many", "more calling contexts", SLW_E_FORMAT);
}

static void a_partial_file_says_so(void **state)
{
    struct slw_sim_output *o = NULL;
    size_t length = 0;
    char *text = read_text("killed", &length);

    (void)state;
    assert_int_equal(slw_sim_output_read(text, length, "killed", &o, NULL), 0);
    assert_int_equal(o->ended, SLW_SIM_ENDED_SIGNAL);
    assert_int_equal(o->thread_count, 1);
    slw_sim_output_free(o);
    free(text);
}

static struct slw_sim_output *must_read(const char *name)
{
    struct slw_sim_output *o = NULL;
    size_t length = 0;
    char *text = read_text(name, &length);

    assert_int_equal(slw_sim_output_read(text, length, name, &o, NULL), 0);
    free(text);
    return o;
}

static void subsamples_are_read(void **state)
{
    struct slw_sim_output *o = must_read("sampled");
    const struct slw_sim_thread *t = &o->threads[0];

    (void)state;
    assert_int_equal(t->subsample_count, 2);
    assert_int_equal(t->subsamples[0].windows, 3);
    assert_int_equal(t->subsamples[1].instructions, 15);
    assert_int_equal(t->subsamples[1].cycles, 5);
    assert_int_equal(t->subsamples[1].slots[SLW_SIM_FETCH_ICACHE], 25);
    assert_false(o->has_timers);
    slw_sim_output_free(o);
    o = must_read("timers");
    assert_true(o->has_timers);
    slw_sim_output_free(o);
    o = must_read("sampled_3"); /* which told errors instead */
    assert_int_equal(o->threads[0].subsample_count, 0);
    slw_sim_output_free(o);
}

static void every_prefix_is_refused(const char *name)
{
    size_t length = 0;
    char *text = read_text(name, &length);

    for (size_t i = 0; i < length; i++) {
        struct slw_sim_output *o = NULL;

        assert_int_equal(slw_sim_output_read(text, i, "prefix", &o, NULL), -SLW_E_FORMAT);
        assert_null(o);
    }
    free(text);
}

static void every_prefix_of_a_file_is_refused(void **state)
{
    (void)state;
    every_prefix_is_refused("whole");
    every_prefix_is_refused("stages");
}

static void stages_are_read_and_nonsense_in_them_is_not(void **state)
{
    static const char *const changes[][2] = {
        {"began connect\n", "began connect\nbegan whole\n"},
        {"beside 1500 2 300 40", "beside 1500 2 300"},
        {"beside 1500 2 300 40", "beside 1500 2 300 -1"},
        {"stage slotwise decode 2", "stage  decode 2"},
        {"stage slotwise decode 2 10 6 1 0 12 3", "stage slotwise decode 2 10 6 1 0 12 13"},
        {"stage slotwise_lib", "stage slotwise_lib 1"},
        {"stage slotwise_lib enc%20ode", "stage slotwise_lib enc%2ode"}};
    struct slw_sim_output *o = NULL;
    size_t length = 0;
    char *text = read_text("stages", &length);

    (void)state;
    assert_int_equal(slw_sim_output_read(text, length, "stages", &o, NULL), 0);
    assert_string_equal(o->began, "connect");
    assert_true(o->has_beside);
    assert_int_equal(o->bytes_out, 40);
    assert_int_equal(o->stage_count, 2);
    assert_string_equal(o->stages[1].name, "enc ode");
    slw_sim_output_free(o);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct slw_buf changed = {0};
        const char *at = strstr(text, changes[i][0]);

        assert_non_null(at);
        slw_buf_put(&changed, text, (size_t)(at - text));
        slw_buf_puts(&changed, changes[i][1]);
        slw_buf_puts(&changed, at + strlen(changes[i][0]));
        o = NULL;
        assert_int_equal(slw_sim_output_read(changed.data, changed.length, "changed", &o, NULL),
                         -SLW_E_FORMAT);
        slw_buf_release(&changed);
    }
    free(text);
}

static void contexts_with_less_or_more_than_their_thread_are_refused(void **state)
{
    static const char *const changes[][2] = {
        {"node 1 2 1 109100 10 1 10", "node 1 2 1 109100 9 1 10"},
        {"node 1 2 1 109100 10 1 10", "node 1 2 1 109100 11 1 10"},
        {"node 1 2 1 109100 10 1 10", "node 1 2 1 109100 10 1 11"},
        {"node 1 2 1 109100 10 1 10", "node 2 2 1 109100 10 1 10"},
        {"node 1 2 1 109100 10 1 10", "node 1 2 2 109100 10 1 10"},
        {"event loads 7", "event loads 72057594037927937"},
        {"event loads 7", "event loads -7"},
        {"event loads 7", "event loads 7 "},
        {"width 8", "width 0"},
        {"sample 0 0", "sample 1 2"}};
    size_t length = 0;
    char *text = read_text("whole", &length);

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct slw_sim_output *o = NULL;
        struct slw_buf changed = {0};
        const char *at = strstr(text, changes[i][0]);

        assert_non_null(at);
        slw_buf_put(&changed, text, (size_t)(at - text));
        slw_buf_puts(&changed, changes[i][1]);
        slw_buf_puts(&changed, at + strlen(changes[i][0]));
        assert_int_equal(slw_sim_output_read(changed.data, changed.length, "changed", &o, NULL),
                         -SLW_E_FORMAT);
        slw_buf_release(&changed);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_read),
        cmocka_unit_test(what_does_not_add_up_is_refused),
        cmocka_unit_test(a_partial_file_says_so),
        cmocka_unit_test(subsamples_are_read),
        cmocka_unit_test(every_prefix_of_a_file_is_refused),
        cmocka_unit_test(stages_are_read_and_nonsense_in_them_is_not),
        cmocka_unit_test(contexts_with_less_or_more_than_their_thread_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
