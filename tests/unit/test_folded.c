/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "collector/importer.h"
#include "flamegraph/exporter.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct slw_importer slw_importer_folded;
extern const struct slw_exporter slw_exporter_folded;

static struct slw_imported read_text(const char *text, size_t length)
{
    struct slw_imported imported = {0};
    struct slw_error err = {0};

    if (slw_importer_folded.import("test", text, length, &imported, &err) < 0)
        fail_msg("%s: %s", err.where, err.text);
    return imported;
}

static void release(struct slw_imported *imported)
{
    slw_stacks_free(imported->stacks);
    slw_run_free(imported->run);
}

static char *write_text(const struct slw_stacks *stacks)
{
    struct slw_buf out = {0};

    assert_int_equal(slw_exporter_folded.export(NULL, stacks, NULL, &out, NULL), 0);
    return slw_buf_take(&out);
}

static void check_round_trip(const char *text, const char *expected)
{
    struct slw_imported imported = read_text(text, strlen(text));
    char *written = write_text(imported.stacks);

    assert_string_equal(written, expected);
    free(written);
    release(&imported);
}

static void check_refused(const char *text, int code, const char *where, const char *what)
{
    struct slw_imported imported = {0};
    struct slw_error err = {0};

    assert_int_equal(slw_importer_folded.import("f", text, strlen(text), &imported, &err), -code);
    assert_null(imported.run);
    assert_string_equal(err.where, where);
    if (!strstr(err.text, what))
        fail_msg("'%s' does not say '%s'", err.text, what);
}

static void lines_are_read_and_written_sorted(void **state)
{
    (void)state;
    check_round_trip("b;c 2\na 1\n", "a 1\nb;c 2\n");
    check_round_trip("a 1\na 2\n", "a 3\n"); /* equal stacks are one */
    check_round_trip("\xEF\xBB\xBF"
                     "a 1\r\n\r\n  \nb 2",
                     "a 1\nb 2\n");
}

static void names_may_hold_blanks(void **state)
{
    (void)state;
    check_round_trip("java thread;operator new(unsigned long);foo bar 12\n",
                     "java thread;operator new(unsigned long);foo bar 12\n");
    check_round_trip("a;b\t7  \n", "a;b 7\n");
    /* A name may end in a number, as long as not all do; written, it cannot be taken for a count */
    check_round_trip("worker 3 5\na;b 1\n", "a;b 1\nworker_3 5\n");
}

static void suffixes_become_kinds_and_come_back(void **state)
{
    (void)state;
    static const char text[] = "m;i_[i];j_[j];k_[k];x_[i]_[k] 3\n";
    struct slw_imported imported = read_text(text, strlen(text));
    const struct slw_stack stack = slw_stacks_get(imported.stacks, 0);
    const struct slw_frame leaf = slw_stacks_frame(imported.stacks, stack.frames[0]);
    const struct slw_frame kernel = slw_stacks_frame(imported.stacks, stack.frames[1]);
    const struct slw_frame other = slw_stacks_frame(imported.stacks, stack.frames[2]);
    const struct slw_frame inlined = slw_stacks_frame(imported.stacks, stack.frames[3]);

    assert_string_equal(leaf.function, "x");
    assert_true(leaf.inlined);
    assert_int_equal(leaf.kind, SLW_FRAME_KERNEL);
    assert_int_equal(kernel.kind, SLW_FRAME_KERNEL);
    assert_int_equal(other.kind, SLW_FRAME_OTHER);
    assert_true(inlined.inlined);
    assert_int_equal(inlined.kind, SLW_FRAME_USER);
    char *written = write_text(imported.stacks);
    assert_string_equal(written, text);
    free(written);
    release(&imported);
}

static void an_unknown_frame_has_no_function(void **state)
{
    (void)state;
    struct slw_imported imported = read_text("a;[unknown];;b 1\n", 17);
    const struct slw_stack stack = slw_stacks_get(imported.stacks, 0);

    assert_int_equal(stack.depth, 4);
    assert_string_equal(slw_stacks_frame(imported.stacks, stack.frames[1]).function, "");
    assert_string_equal(slw_stacks_frame(imported.stacks, stack.frames[2]).function, "");
    release(&imported);
}

static void everything_imported_says_so(void **state)
{
    (void)state;
    struct slw_imported imported = read_text("a 1\n", 4);

    assert_true(slw_stacks_column(imported.stacks, 0)->from.imported);
    assert_int_equal(imported.run->sampling_count, 1);
    assert_true(imported.run->samplings[0].from.imported);
    assert_int_equal(imported.run->command.kind, SLW_TARGET_IMPORT);
    assert_int_equal(imported.run->note_count, 1);
    assert_false(imported.raw_samples);
    release(&imported);
}

static void bad_counts_are_refused_with_their_line(void **state)
{
    (void)state;
    check_refused("a 1\nb -2\n", SLW_E_FORMAT, "f:2", "negative");
    check_refused("a 1\n\nb 2.5\n", SLW_E_FORMAT, "f:3", "fractional");
    check_refused("a;b\n", SLW_E_FORMAT, "f:1", "no count");
    check_refused("a;b c\n", SLW_E_FORMAT, "f:1", "no count");
    check_refused(" 12\n", SLW_E_FORMAT, "f:1", "no stack");
    check_refused("a 9223372036854775808\n", SLW_E_FORMAT, "f:1", "63 bits");
    check_refused("a 99999999999999999999999999\n", SLW_E_FORMAT, "f:1", "63 bits");
    check_refused("a 9223372036854775807\na 1\n", SLW_E_RANGE, "f:2", "63 bits");
    check_refused("a 0x10\n", SLW_E_FORMAT, "f:1", "not a number");
    check_refused("# captured on 2017\n", SLW_E_FORMAT, "f:1", "no comments");
    check_refused("\n\n", SLW_E_NODATA, "f:1", "no stacks");
}

static void differential_stacks_are_refused(void **state)
{
    (void)state;
    check_refused("a;b 1 2\na;c 3 4\n", SLW_E_FORMAT, "f:1", "differential");
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    struct slw_imported imported;
    struct slw_error err = {0};

    assert_int_equal(slw_importer_folded.import("f", "a\0b 1\n", 6, &imported, &err),
                     -SLW_E_FORMAT);
    assert_string_equal(err.where, "f:1");
}

static void a_stack_too_deep_loses_its_root_end_and_says_so(void **state)
{
    (void)state;
    struct slw_buf text = {0};

    slw_buf_puts(&text, "root");
    for (int i = 0; i < SLW_MAX_STACK_DEPTH; i++)
        slw_buf_printf(&text, ";f%d", i);
    slw_buf_puts(&text, " 3\n");
    struct slw_imported imported = read_text(text.data, text.length);
    const struct slw_stack stack = slw_stacks_get(imported.stacks, 0);
    assert_int_equal(stack.depth, SLW_MAX_STACK_DEPTH);
    assert_string_equal(slw_stacks_frame(imported.stacks, stack.frames[0]).function, "f2047");
    assert_int_equal(imported.run->note_count, 2);
    assert_int_equal(slw_stacks_total(imported.stacks, 0), 3);
    release(&imported);
    slw_buf_release(&text);
}

/* ---- writing what the format cannot hold ---- */

static struct slw_stacks *two_columns(void)
{
    const struct slw_column columns[] = {{.event = "cpu-clock", .unit = "count"},
                                         {.event = "cpu-clock", .unit = "nanoseconds"}};
    struct slw_stacks *s = NULL;

    assert_int_equal(slw_stacks_new(columns, 2, &s, NULL), 0);
    return s;
}

static void add_hostile(struct slw_stacks *s, const char *comm, const char *function)
{
    const struct slw_thread t = {comm, 1, 2};
    const struct slw_frame f = {.function = function, .mapping = SLW_NO_MAPPING};
    const uint64_t weights[] = {1, 1000};
    uint32_t thread, frame;

    assert_int_equal(slw_stacks_add_thread(s, &t, &thread), 0);
    assert_int_equal(slw_stacks_add_frame(s, &f, &frame), 0);
    assert_int_equal(slw_stacks_add(s, &frame, 1, thread, weights), 0);
}

static void what_the_format_cannot_hold_is_neutralised(void **state)
{
    (void)state;
    struct slw_stacks *s = two_columns();
    const uint64_t weights[] = {1, 1000};

    add_hostile(s, "a;b", "x\ny");
    add_hostile(s, "a:b", "x y"); /* the same line: weights are added */
    add_hostile(s, "", "");
    add_hostile(s, "# c", "f 7");
    assert_int_equal(slw_stacks_add(s, NULL, 0, SLW_NO_THREAD, weights), 0);
    char *text = write_text(s);
    assert_string_equal(text, "[unknown] 1000\n[unknown];[unknown] 1000\n_ c;f_7 1000\n"
                              "a:b;x y 2000\n");
    free(text);
    slw_stacks_free(s);
}

static void a_column_is_chosen_by_event_and_unit(void **state)
{
    (void)state;
    struct slw_stacks *s = two_columns();
    struct slw_export_options opts = {.event = "cpu-clock", .unit = "count"};
    struct slw_buf out = {0};

    add_hostile(s, "t", "f");
    assert_int_equal(slw_exporter_folded.export(NULL, s, &opts, &out, NULL), 0);
    assert_string_equal(out.data, "t;f 1\n");
    opts.event = "cycles";
    assert_int_equal(slw_exporter_folded.export(NULL, s, &opts, &out, NULL), -SLW_E_NODATA);
    slw_buf_release(&out);
    slw_stacks_free(s);
}

/* stackcollapse-perf's own output comes back byte for byte. */
static void published_results_survive(void **state)
{
    (void)state;
    static const char *const names[] = {"perf-cycles-instructions-01-collapsed-all.txt",
                                        "perf-cycles-instructions-01-collapsed-pid.txt"};

    for (size_t i = 0; i < 2; i++) {
        char path[512];
        char *data = NULL;
        size_t length = 0;

        (void)snprintf(path, sizeof(path), "%s/pmu-data/flamegraph/results/%s", SLW_SHARED_DIR,
                       names[i]);
        if (slw_file_read(path, 1 << 20, &data, &length, NULL) < 0) {
            print_message("skipped: no ../shared\n");
            skip();
        }
        struct slw_imported imported = read_text(data, length);
        assert_int_equal(slw_stacks_total(imported.stacks, 0), 333);
        char *written = write_text(imported.stacks);
        assert_string_equal(written, data);
        free(written);
        free(data);
        release(&imported);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_and_written_sorted),
        cmocka_unit_test(names_may_hold_blanks),
        cmocka_unit_test(suffixes_become_kinds_and_come_back),
        cmocka_unit_test(an_unknown_frame_has_no_function),
        cmocka_unit_test(everything_imported_says_so),
        cmocka_unit_test(bad_counts_are_refused_with_their_line),
        cmocka_unit_test(differential_stacks_are_refused),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(a_stack_too_deep_loses_its_root_end_and_says_so),
        cmocka_unit_test(what_the_format_cannot_hold_is_neutralised),
        cmocka_unit_test(a_column_is_chosen_by_event_and_unit),
        cmocka_unit_test(published_results_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
