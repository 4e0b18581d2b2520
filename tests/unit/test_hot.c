/* SPDX-License-Identifier: MIT */
#include "tests/report_fixture.h"

static const struct slw_report_function *function(const struct slw_report *r, const char *name)
{
    for (size_t i = 0; i < r->function_count; i++)
        if (strcmp(r->functions[i].function, name) == 0)
            return &r->functions[i];
    fail_msg("no function %s", name);
    return NULL;
}

static void recursion_counts_once_per_stack(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_add(&f, 3, SLW_NO_THREAD, "u:/bin/x:f u:/bin/x:f u:/bin/x:g u:/bin/x:f u:/bin/x:main");
    fixture_add(&f, 2, SLW_NO_THREAD, "u:/bin/x:g u:/bin/x:f u:/bin/x:main");
    const struct slw_report *r = fixture_report(&f);
    assert_int_equal(function(r, "f")->self_samples, 3);
    assert_int_equal(function(r, "f")->total_samples, 5);
    assert_int_equal(function(r, "g")->self, 2 * FIXTURE_PERIOD_NS);
    assert_int_equal(function(r, "g")->total, 5 * FIXTURE_PERIOD_NS);
    assert_int_equal(function(r, "main")->self, 0);
    assert_int_equal(function(r, "main")->total_samples, 5);
    fixture_free(&f);
}

static void the_same_function_at_two_addresses_is_one_row(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_frame a = {.function = "f", .mapping = SLW_NO_MAPPING, .address = 0x10};
    const struct slw_frame b = {.function = "f", .mapping = SLW_NO_MAPPING, .address = 0x20};
    const uint64_t weights[] = {1, FIXTURE_PERIOD_NS};
    uint32_t ids[2];
    assert_int_equal(slw_stacks_add_frame(f.stacks, &a, &ids[0]), 0);
    assert_int_equal(slw_stacks_add_frame(f.stacks, &b, &ids[1]), 0);
    assert_int_equal(slw_stacks_add(f.stacks, &ids[0], 1, SLW_NO_THREAD, weights), 0);
    assert_int_equal(slw_stacks_add(f.stacks, &ids[1], 1, SLW_NO_THREAD, weights), 0);
    const struct slw_report *r = fixture_report(&f);
    assert_int_equal(r->function_count, 1);
    assert_int_equal(r->functions[0].self_samples, 2);
    fixture_free(&f);
}

/* Only hot addresses tell what was inlined: a row of its own would hold some of it. */
static void what_is_inlined_counts_for_its_function(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_frame inner = {
        .function = "inner", .mapping = SLW_NO_MAPPING, .address = 0x10, .inlined = true};
    const struct slw_frame outer = {.function = "outer", .mapping = SLW_NO_MAPPING, .address = 16};
    const struct slw_frame cold = {.function = "outer", .mapping = SLW_NO_MAPPING, .address = 32};
    const uint64_t weights[] = {1, FIXTURE_PERIOD_NS};
    uint32_t ids[2], other;
    assert_int_equal(slw_stacks_add_frame(f.stacks, &inner, &ids[0]), 0);
    assert_int_equal(slw_stacks_add_frame(f.stacks, &outer, &ids[1]), 0);
    assert_int_equal(slw_stacks_add_frame(f.stacks, &cold, &other), 0);
    assert_int_equal(slw_stacks_add(f.stacks, ids, 2, SLW_NO_THREAD, weights), 0);
    assert_int_equal(slw_stacks_add(f.stacks, &other, 1, SLW_NO_THREAD, weights), 0);
    assert_int_equal(slw_stacks_function(f.stacks, slw_stacks_leaf(f.stacks, 0)),
                     slw_stacks_path(f.stacks, slw_stacks_leaf(f.stacks, 0)).caller);
    const struct slw_report *r = fixture_report(&f);
    assert_int_equal(r->function_count, 1);
    assert_string_equal(r->functions[0].function, "outer");
    assert_int_equal(r->functions[0].self_samples, 2);
    assert_int_equal(r->functions[0].total_samples, 2);
    fixture_free(&f);
}

static void equal_names_in_two_modules_stay_apart(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_add(&f, 2, SLW_NO_THREAD, "u:/lib/a.so:init");
    fixture_add(&f, 1, SLW_NO_THREAD, "u:/lib/b.so:init");
    const struct slw_report *r = fixture_report(&f);
    assert_int_equal(r->function_count, 2);
    assert_string_equal(r->functions[0].module, "/lib/a.so");
    assert_string_equal(r->functions[0].module_name, "a.so");
    assert_int_equal(r->module_count, 2);
    fixture_free(&f);
}

static void a_frame_without_symbol_is_named_after_its_module(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_add(&f, 3, SLW_NO_THREAD, "u:/usr/lib/libpq.so.5:");
    fixture_add(&f, 2, SLW_NO_THREAD, "k:[kernel.kallsyms]:");
    fixture_add(&f, 1, SLW_NO_THREAD, "u:[unknown]:");
    uint32_t id = fixture_frame(&f, SLW_FRAME_USER, NULL, "");
    const uint64_t weights[] = {1, FIXTURE_PERIOD_NS};
    assert_int_equal(slw_stacks_add(f.stacks, &id, 1, SLW_NO_THREAD, weights), 0);
    const struct slw_report *r = fixture_report(&f);
    assert_int_equal(r->function_count, 3);
    assert_string_equal(r->functions[0].function, "[libpq.so.5]");
    assert_int_equal(function(r, "[kernel.kallsyms]")->self_samples, 2);
    assert_int_equal(function(r, "[unknown]")->self_samples, 2);
    fixture_free(&f);
}

static void a_stack_without_frames_keeps_its_weight(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_add(&f, 1, SLW_NO_THREAD, "u:/bin/x:main");
    fixture_add(&f, 4, SLW_NO_THREAD, "");
    const struct slw_report *r = fixture_report(&f);
    assert_string_equal(r->functions[0].function, "[no stack]");
    assert_int_equal(r->functions[0].self_samples, 4);
    assert_int_equal(r->functions[0].total_samples, 4);
    assert_int_equal(r->parts[SLW_FRAME_OTHER].samples, 4);
    fixture_free(&f);
}

static void threads_are_weighed_and_ordered(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_thread a = {"main", 10, 10}, b = {"worker", 10, 11};
    uint32_t ta, tb;
    assert_int_equal(slw_stacks_add_thread(f.stacks, &a, &ta), 0);
    assert_int_equal(slw_stacks_add_thread(f.stacks, &b, &tb), 0);
    fixture_add(&f, 1, ta, "u:/bin/x:main");
    fixture_add(&f, 5, tb, "u:/bin/x:work");
    fixture_add(&f, 2, SLW_NO_THREAD, "u:/bin/x:main");
    const struct slw_report *r = fixture_report(&f);
    assert_int_equal(r->thread_count, 3);
    assert_string_equal(r->threads[0].comm, "worker");
    assert_int_equal(r->threads[0].samples, 5);
    assert_int_equal(r->threads[1].tid, -1);
    assert_string_equal(r->threads[1].comm, "");
    fixture_free(&f);
}

static void periods_of_0_fall_back_to_samples(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const uint64_t weights[] = {7, 0};
    uint32_t id = fixture_frame(&f, SLW_FRAME_USER, "/bin/x", "f");
    assert_int_equal(slw_stacks_add(f.stacks, &id, 1, SLW_NO_THREAD, weights), 0);
    const struct slw_report *r = fixture_report(&f);
    assert_string_equal(r->column->unit, "count");
    assert_int_equal(r->weight, 7);
    fixture_free(&f);
}

static void cycles_are_preferred_to_what_was_sampled_first(void **state)
{
    (void)state;
    const struct slw_column columns[] = {{.event = "cache-misses", .unit = "count"},
                                         {.event = "cycles", .unit = "count"}};
    struct fixture f = fixture_new();
    const uint64_t weights[] = {5, 3};
    slw_stacks_free(f.stacks);
    assert_int_equal(slw_stacks_new(columns, 2, &f.stacks, NULL), 0);
    uint32_t id = fixture_frame(&f, SLW_FRAME_USER, "/bin/x", "f");
    assert_int_equal(slw_stacks_add(f.stacks, &id, 1, SLW_NO_THREAD, weights), 0);
    const struct slw_report *r = fixture_report(&f);
    assert_string_equal(r->column->event, "cycles");
    assert_int_equal(r->weight, 3);
    fixture_free(&f);
}

static void weights_past_64_bits_are_refused(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const uint64_t weights[] = {1, INT64_MAX};
    struct slw_error err = {0};
    for (int i = 0; i < 3; i++) {
        const char name[] = {(char)('a' + i), '\0'};
        uint32_t id = fixture_frame(&f, SLW_FRAME_USER, "/bin/x", name);
        assert_int_equal(slw_stacks_add(f.stacks, &id, 1, SLW_NO_THREAD, weights), 0);
    }
    assert_int_equal(slw_report_new(f.run, f.stacks, NULL, &f.report, &err), -SLW_E_RANGE);
    assert_null(f.report);
    fixture_free(&f);
}

static void no_profile_is_no_samples(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_report *r = fixture_report(&f);
    assert_int_equal(r->main_column, -1);
    assert_int_equal(r->function_count, 0);
    slw_stacks_free(f.stacks);
    f.stacks = NULL;
    r = fixture_report(&f);
    assert_int_equal(r->main_column, -1);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recursion_counts_once_per_stack),
        cmocka_unit_test(the_same_function_at_two_addresses_is_one_row),
        cmocka_unit_test(what_is_inlined_counts_for_its_function),
        cmocka_unit_test(equal_names_in_two_modules_stay_apart),
        cmocka_unit_test(a_frame_without_symbol_is_named_after_its_module),
        cmocka_unit_test(a_stack_without_frames_keeps_its_weight),
        cmocka_unit_test(threads_are_weighed_and_ordered),
        cmocka_unit_test(periods_of_0_fall_back_to_samples),
        cmocka_unit_test(cycles_are_preferred_to_what_was_sampled_first),
        cmocka_unit_test(weights_past_64_bits_are_refused),
        cmocka_unit_test(no_profile_is_no_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
