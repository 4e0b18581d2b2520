/* SPDX-License-Identifier: MIT */
#include "tests/report_fixture.h"

static struct slw_count part(int32_t tid, uint64_t raw, uint64_t enabled, uint64_t running)
{
    return (struct slw_count){.event = "instructions",
                              .unit = "events",
                              .group = -1,
                              .pid = 1,
                              .tid = tid,
                              .cpu = -1,
                              .raw = raw,
                              .enabled_ns = enabled,
                              .running_ns = running};
}

static void add(struct fixture *f, struct slw_count c)
{
    assert_int_equal(slw_run_add_count(f->run, &c, NULL), 0);
}

static void parts_are_scaled_then_added(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add(&f, part(1, 100, 10, 5));
    add(&f, part(2, 30, 10, 10));
    add(&f, part(3, 0, 0, 0)); /* a thread that never ran */
    const struct slw_report *r = fixture_report(&f);
    assert_int_equal(r->row_count, 1);
    assert_null(r->rows[0].total.absent);
    assert_int_equal(r->rows[0].events, 230);
    assert_near(r->rows[0].total.coverage, 0.5, 0);
    assert_int_equal(r->rows[0].part_count, 3);
    fixture_free(&f);
}

static void a_missing_part_makes_the_sum_absent(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add(&f, part(1, 100, 10, 10));
    struct slw_count gone = part(2, 0, 0, 0);
    gone.absent = "the thread was gone";
    add(&f, gone);
    const struct slw_report *r = fixture_report(&f);
    assert_string_equal(r->rows[0].total.absent, "the thread was gone");
    assert_string_equal(r->rows[0].per_request.absent, "the thread was gone");
    fixture_free(&f);
}

static void the_whole_is_not_added_to_its_parts(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_count whole = part(-1, 500, 10, 10);
    whole.pid = -1;
    add(&f, part(1, 100, 10, 10));
    add(&f, whole);
    add(&f, part(2, 100, 10, 10));
    const struct slw_report *r = fixture_report(&f);
    assert_int_equal(r->row_count, 1);
    assert_int_equal(r->rows[0].events, 500);
    assert_int_equal(r->rows[0].part_count, 1);
    fixture_free(&f);
}

static void modes_and_pmus_are_rows_of_their_own(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_count user = part(1, 1, 1, 1), atom = part(1, 2, 1, 1), core = part(1, 3, 1, 1);
    user.mode = SLW_MODE_USER;
    atom.pmu = "cpu_atom";
    core.pmu = "cpu_core";
    add(&f, user);
    add(&f, atom);
    add(&f, core);
    assert_int_equal(fixture_report(&f)->row_count, 3);
    fixture_free(&f);
}

static void a_counter_that_never_ran_has_no_number(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_count never = part(-1, 0, 10, 0);
    never.pid = -1;
    add(&f, never);
    const struct slw_report *r = fixture_report(&f);
    assert_string_equal(r->rows[0].total.absent, "event never got a hardware counter");
    fixture_free(&f);
}

static void per_request_divides_by_observed_requests(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_count(&f, "task-clock", "ns", 1000);
    const struct slw_report *r = fixture_report(&f);
    assert_string_equal(r->rows[0].per_request.absent, "no request counter was active");
    f.run->requests = (struct slw_maybe_u64){.value = 0};
    r = fixture_report(&f);
    assert_string_equal(r->rows[0].per_request.absent, "no request was observed");
    f.run->requests = (struct slw_maybe_u64){.value = 8};
    r = fixture_report(&f);
    assert_null(r->rows[0].per_request.absent);
    assert_near(r->rows[0].per_request.value, 125, 0);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_scaled_then_added),
        cmocka_unit_test(a_missing_part_makes_the_sum_absent),
        cmocka_unit_test(the_whole_is_not_added_to_its_parts),
        cmocka_unit_test(modes_and_pmus_are_rows_of_their_own),
        cmocka_unit_test(a_counter_that_never_ran_has_no_number),
        cmocka_unit_test(per_request_divides_by_observed_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
