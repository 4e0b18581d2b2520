/* SPDX-License-Identifier: MIT */
/* What every exporter of exporters.def must do. */
#include "flamegraph/exporter.h"
#include "tests/unit/cmocka_int.h"

#include <stdlib.h>
#include <string.h>

static struct slw_run *run;
static struct slw_stacks *stacks;

static int set_up(void **state)
{
    const struct slw_column columns[] = {{.event = "cpu-clock", .unit = "count"},
                                         {.event = "cpu-clock", .unit = "nanoseconds"}};
    const struct slw_frame f = {.function = "a;\"<\n\xff", .mapping = SLW_NO_MAPPING};
    const struct slw_thread t = {"client", 1, 2};
    const uint64_t weights[] = {3, 3000000};
    double values[] = {1.5, 2};
    const struct slw_observation o = {
        .metric = "cpu_per_request", .title = "CPU", .unit = "ns", .values = values, .length = 2};
    uint32_t frame, thread;

    (void)state;
    if (slw_run_new(&run, NULL) < 0 || slw_run_add_observation(run, &o, NULL) < 0 ||
        slw_stacks_new(columns, 2, &stacks, NULL) < 0 ||
        slw_stacks_add_frame(stacks, &f, &frame) < 0 ||
        slw_stacks_add_thread(stacks, &t, &thread) < 0)
        return -1;
    return slw_stacks_add(stacks, &frame, 1, thread, weights);
}

static int tear_down(void **state)
{
    (void)state;
    slw_stacks_free(stacks);
    slw_run_free(run);
    return 0;
}

static void every_exporter_introduces_itself(void **state)
{
    (void)state;
    assert_true(slw_exporter_count > 0);
    for (size_t i = 0; i < slw_exporter_count; i++) {
        const struct slw_exporter *e = slw_exporters[i];

        assert_true(e->name && e->name[0] && e->summary && e->summary[0]);
        assert_true(e->extension && e->extension[0] && e->extension[0] != '.');
        assert_ptr_equal(slw_exporter_find(e->name), e); /* names are unique */
    }
    assert_null(slw_exporter_find("no such exporter"));
}

static void every_exporter_appends_the_same_bytes_each_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < slw_exporter_count; i++) {
        const struct slw_exporter *e = slw_exporters[i];
        struct slw_buf first = {0}, second = {0};

        slw_buf_puts(&second, "before");
        assert_int_equal(e->export(run, stacks, NULL, &first, NULL), 0);
        assert_int_equal(e->export(run, stacks, NULL, &second, NULL), 0);
        assert_true(first.length > 0);
        assert_int_equal(second.length, first.length + 6);
        assert_memory_equal(second.data, "before", 6);
        assert_memory_equal(second.data + 6, first.data, first.length);
        slw_buf_release(&first);
        slw_buf_release(&second);
    }
}

static void an_empty_profile_is_no_crash(void **state)
{
    (void)state;
    const struct slw_column column = {.event = "cpu-clock", .unit = "count"};
    struct slw_stacks *empty = NULL;

    assert_int_equal(slw_stacks_new(&column, 1, &empty, NULL), 0);
    for (size_t i = 0; i < slw_exporter_count; i++) {
        struct slw_buf out = {0};
        struct slw_error err = {0};

        if (slw_exporters[i]->export(run, empty, NULL, &out, &err) < 0)
            assert_true(err.code != SLW_E_OK && err.text[0]);
        slw_buf_release(&out);
    }
    slw_stacks_free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_exporter_introduces_itself),
        cmocka_unit_test(every_exporter_appends_the_same_bytes_each_time),
        cmocka_unit_test(an_empty_profile_is_no_crash),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
