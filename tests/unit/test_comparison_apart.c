/* SPDX-License-Identifier: MIT */
/* Runs that were measured apart or by other means: what is refused, what is downgraded, what is
 * said; and what requests are divided by. */
#include "tests/compare_asserts.h"

#define ROUNDS 20

/* ---- runs measured apart ---- */

static void apart_is_said(void **state)
{
    (void)state;
    struct versus v = versus_batching(ROUNDS);

    assert_true(versus_compare(&v)->interleaved);
    assert_null(find_note(v.comparison, "measured-apart"));
    versus_apart(&v);
    const struct slw_comparison *c = versus_compare(&v);
    assert_false(c->interleaved);
    assert_non_null(find_note(c, "measured-apart"));
    assert_non_null(strstr(c->verdict, "measured apart"));
    assert_word(c, "cpu_per_request", "improved");
    assert_int_equal(c->mismatch_count, 1); /* the commands, which is what was to be compared */
    assert_string_equal(c->mismatches[0].what, "command");
    versus_free(&v);
}

static void another_machine_is_inconclusive_without_force(void **state)
{
    (void)state;
    static const char *const what[] = {"host", "kernel", "microcode", "governor", "hypervisor"};
    struct versus v = versus_batching(ROUNDS);

    versus_apart(&v);
    const char **fields[] = {&v.b->host.hostname, &v.b->host.kernel, &v.b->host.cpu.microcode,
                             &v.b->host.governor, &v.b->host.hypervisor};
    v.a->host.cpu.microcode = v.b->host.cpu.microcode = "0x1";
    v.a->host.governor = v.b->host.governor = "performance";
    v.a->host.hypervisor = v.b->host.hypervisor = "KVM";
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const char *was = *fields[i];

        *fields[i] = "another";
        const struct slw_comparison *c = versus_compare(&v);
        assert_word(c, "cpu_per_request", "inconclusive");
        assert_int_equal(c->gate, SLW_GATE_INCONCLUSIVE);
        assert_string_equal(c->mismatches[0].what, what[i]);
        assert_true(c->mismatches[0].downgrades);
        assert_non_null(strstr(c->verdict, what[i]));
        v.in.force = true;
        c = versus_compare(&v);
        assert_word(c, "cpu_per_request", "improved");
        assert_non_null(find_note(c, "forced"));
        v.in.force = false;
        *fields[i] = was;
    }
    versus_free(&v);
}

static void another_cpu_is_refused_without_force(void **state)
{
    (void)state;
    struct versus v = versus_batching(ROUNDS);
    struct slw_error err;

    versus_apart(&v);
    v.b->host.cpu.name = "Another CPU";
    assert_int_equal(refused(&v, &err), -SLW_E_INVAL);
    assert_non_null(strstr(err.text, "CPU of A is 'A CPU', of B 'Another CPU'"));
    assert_non_null(strstr(err.hint, "--force"));
    v.in.force = true;
    assert_non_null(find_note(versus_compare(&v), "forced"));
    versus_free(&v);
}

static void another_tier_is_refused_even_in_one_experiment(void **state)
{
    (void)state;
    struct versus v = versus_batching(ROUNDS);
    struct slw_error err;

    v.b->observations[0].from.source = SLW_SOURCE_SIMULATED;
    assert_int_equal(refused(&v, &err), -SLW_E_INVAL);
    assert_non_null(strstr(err.text, "tier of A is 'software', of B 'simulated'"));
    versus_free(&v);
}

static void requests_counted_in_two_ways_are_refused(void **state)
{
    (void)state;
    struct versus v = versus_batching(ROUNDS);
    const struct slw_connection c = {.protocol = "Redis", .peer = "x", .connections = 1};
    struct slw_error err;

    assert_int_equal(slw_run_add_connection(v.a, &c, NULL), 0);
    assert_int_equal(refused(&v, &err), -SLW_E_INVAL);
    assert_non_null(strstr(err.text, "told by the client"));
    versus_free(&v);
}

/* ---- requests ---- */

static void denominators_that_disagree_are_told(void **state)
{
    (void)state;
    struct versus v = versus_batching(ROUNDS);

    versus_both(&v, "client_requests", 200000, 100000, ROUNDS);
    assert_non_null(find_note(versus_compare(&v), "denominators-disagree"));
    versus_free(&v);
    v = versus_batching(ROUNDS);
    versus_both(&v, "client_requests", 100000, 100000, ROUNDS);
    assert_non_null(find_note(versus_compare(&v), "denominators"));
    versus_free(&v);
    v = versus_batching(ROUNDS);
    versus_both(&v, "client_requests", 200000, 200000, ROUNDS);
    assert_null(find_note(versus_compare(&v), "denominators"));
    versus_free(&v);
}

static void without_requests_executions_are_compared_whole(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);

    versus_both(&v, "cpu_time", 1e9, 8e8, ROUNDS);
    versus_both(&v, "wall_time", 1e9, 8e8, ROUNDS);
    const struct slw_comparison *c = versus_compare(&v);
    assert_string_equal(c->rows[c->main_row].metric, "cpu_time");
    assert_non_null(find_note(c, "no-denominator"));
    versus_free(&v);
}

static void nothing_in_common_is_no_data(void **state)
{
    (void)state;
    struct versus v = versus_new(ROUNDS);
    struct slw_error err;

    assert_int_equal(refused(&v, &err), -SLW_E_NODATA);
    versus_near(v.a, "p99", 1, 0, ROUNDS);
    versus_near(v.b, "p50", 1, 0, ROUNDS);
    assert_int_equal(refused(&v, &err), -SLW_E_NODATA);
    assert_non_null(strstr(err.text, "no metric in common"));
    versus_free(&v);
}

static void units_must_agree(void **state)
{
    (void)state;
    struct versus v = versus_batching(ROUNDS);

    versus_both(&v, "score", 1, 2, ROUNDS);
    v.b->observations[v.b->observation_count - 1].unit = "ms";
    assert_string_equal(row_of(versus_compare(&v), "score")->absent, "the units differ");
    versus_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apart_is_said),
        cmocka_unit_test(another_machine_is_inconclusive_without_force),
        cmocka_unit_test(another_cpu_is_refused_without_force),
        cmocka_unit_test(another_tier_is_refused_even_in_one_experiment),
        cmocka_unit_test(requests_counted_in_two_ways_are_refused),
        cmocka_unit_test(denominators_that_disagree_are_told),
        cmocka_unit_test(without_requests_executions_are_compared_whole),
        cmocka_unit_test(nothing_in_common_is_no_data),
        cmocka_unit_test(units_must_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
