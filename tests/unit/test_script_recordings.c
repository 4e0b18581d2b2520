/* SPDX-License-Identifier: MIT */
/* Text that other people's perf script printed, against goldens of stackcollapse-perf.pl and
 * against counts of an independent reader of the same recordings. Skipped when the folder is not
 * there. */
#include "base/file.h"
#include "collector/importer.h"
#include "flamegraph/exporter.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA    SLW_SHARED_DIR "/pmu-data/"
#define QUIPPER DATA "perf_data_converter/quipper/"

static struct slw_imported import(const char *path)
{
    struct slw_imported m = {0};
    struct slw_error err = {0};

    if (slw_import(path, NULL, &m, &err) < 0)
        fail_msg("%s: %s", err.where, err.text);
    assert_non_null(m.stacks);
    return m;
}

static void release(struct slw_imported *m)
{
    slw_stacks_free(m->stacks);
    slw_run_free(m->run);
}

static void the_folded_golden_comes_out(void **state)
{
    (void)state;
    const struct slw_export_options opts = {.event = "instructions", .unit = "count"};
    struct slw_imported m = import(DATA "flamegraph/perf-cycles-instructions-01.txt");
    struct slw_buf out = {0};
    char *golden = NULL;
    size_t length = 0;

    assert_int_equal(
        slw_file_read(DATA "flamegraph/results/perf-cycles-instructions-01-collapsed-all.txt",
                      1 << 20, &golden, &length, NULL),
        0);
    assert_int_equal(slw_exporter_find("folded")->export(m.run, m.stacks, &opts, &out, NULL), 0);
    assert_string_equal(out.data, golden);
    const int cycles = slw_stacks_find_column(m.stacks, "cycles", "count");
    assert_true(cycles >= 0 && slw_stacks_total(m.stacks, (size_t)cycles) == 111);
    free(golden);
    slw_buf_release(&out);
    release(&m);
}

static const struct {
    const char *path, *event;
    uint64_t samples, period; /* 0: the text has none */
} expected[] = {
    {QUIPPER "perf.data.group_desc-4.14.perf61-script.txt", "cache-references", 7, 165909},
    {QUIPPER "perf.data.group_desc-4.14.perf61-script.txt", "branch-misses", 6, 23813},
    {QUIPPER "perf.data.singleprocess-3.8.perf61-script.txt", "cycles", 13, 1010740},
    {QUIPPER "perf.data.branch-4.14.perf61-script.txt", "cycles:ppp", 13, 0},
};

static void counts_and_periods_are_those_of_the_recording(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        struct slw_imported m = import(expected[i].path);
        const int count = slw_stacks_find_column(m.stacks, expected[i].event, "count");
        const int period = slw_stacks_find_column(m.stacks, expected[i].event, "events");

        print_message("%s %s\n", expected[i].path, expected[i].event);
        assert_true(count >= 0);
        assert_int_equal(slw_stacks_total(m.stacks, (size_t)count), expected[i].samples);
        assert_int_equal(period >= 0, expected[i].period > 0);
        if (period >= 0)
            assert_int_equal(slw_stacks_total(m.stacks, (size_t)period), expected[i].period);
        release(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folded_golden_comes_out),
        cmocka_unit_test(counts_and_periods_are_those_of_the_recording),
    };

    if (access(DATA "README.md", R_OK) != 0) {
        print_message("skipped: no ../shared\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
