/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "tests/traffic_fixture.h"

#define MS UINT64_C(1000000)

static const struct slw_bar_part *part(const struct slw_bar *bar, const char *key)
{
    static const struct slw_bar_part none = {.ns = UINT64_MAX};

    for (size_t i = 0; i < bar->part_count; i++)
        if (strcmp(bar->parts[i].key, key) == 0)
            return &bar->parts[i];
    return &none;
}

static void one_thread(struct fixture *f)
{
    struct slw_waiting w = {.wall_ns = 1200 * MS};

    w.ns[SLW_WAIT_ON_CPU] = 300 * MS;
    w.ns[SLW_WAIT_ANSWER] = 890 * MS;
    w.ns[SLW_WAIT_RUNNABLE] = 10 * MS;
    fixture_threads(f, &w, 1);
}

static void without_samples_and_counters_time_on_a_cpu_is_one_part(void **state)
{
    (void)state;
    struct fixture f = fixture_new();

    one_thread(&f);
    const struct slw_bar *bar = fixture_report(&f)->bar;
    assert_int_equal(bar->split, SLW_BAR_WHOLE);
    assert_int_equal(bar->part_count, 3);
    assert_true(part(bar, "on_cpu")->ns == 300 * MS);
    assert_true(part(bar, "answer")->ns == 890 * MS);
    assert_non_null(bar->per_request.absent);
    assert_non_null(bar->split_absent);
    fixture_free(&f);
}

static void user_and_kernel_divide_time_on_a_cpu(void **state)
{
    (void)state;
    struct fixture f = fixture_new();

    one_thread(&f);
    fixture_count(&f, "user-time", "ns", 100 * MS);
    fixture_count(&f, "system-time", "ns", 200 * MS);
    fixture_traffic(&f, &(struct slw_connection){.requests = 1000, .flushes = 1000});
    const struct slw_bar *bar = fixture_report(&f)->bar;
    assert_int_equal(bar->split, SLW_BAR_MODES);
    assert_true(part(bar, "user")->ns == 100 * MS);
    assert_true(part(bar, "kernel")->ns == 200 * MS);
    assert_near(part(bar, "kernel")->per_request_ns, 200e3, 1e-6);
    assert_near(bar->per_request.value, 1.2e6, 1e-6);
    fixture_free(&f);
}

/* ---- the pipeline ---- */

static void with_nodes(struct fixture *f, struct slw_report_node nodes[4])
{
    static const char *const names[] = {"frontend_bound", "bad_speculation", "backend_bound",
                                        "retiring"};
    static const double values[] = {0.4, 0.1, 0.3, 0.2};

    for (int i = 0; i < 4; i++)
        nodes[i] = (struct slw_report_node){.name = names[i],
                                            .level = 1,
                                            .parent = -1,
                                            .value = {.value = values[i], .unit = "slots"}};
    (void)fixture_report(f);
    f->report->nodes = nodes;
    f->report->node_count = 4;
    f->report->topdown.have_sum = true;
    f->report->topdown.level1_sum = 1;
}

static const struct slw_bar *again(struct fixture *f)
{
    assert_int_equal(slw_bar_fill(f->report, NULL), 0);
    return f->report->bar;
}

static void the_tree_divides_time_on_a_cpu(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_report_node nodes[4];

    one_thread(&f);
    with_nodes(&f, nodes);
    const struct slw_bar *bar = again(&f);
    assert_int_equal(bar->split, SLW_BAR_TOPDOWN);
    assert_null(bar->split_absent);
    assert_true(part(bar, "frontend_bound")->ns == 120 * MS);
    assert_true(part(bar, "retiring")->ns == 60 * MS);
    fixture_free(&f);
}

static void a_tree_of_user_mode_divides_the_users_part_only(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_report_node nodes[4];

    one_thread(&f);
    fixture_count(&f, "user-time", "ns", 100 * MS);
    fixture_count(&f, "system-time", "ns", 200 * MS);
    with_nodes(&f, nodes);
    for (int i = 0; i < 4; i++)
        nodes[i].mode = SLW_MODE_USER;
    const struct slw_bar *bar = again(&f);
    assert_int_equal(bar->split, SLW_BAR_USER_TOPDOWN);
    assert_true(part(bar, "kernel")->ns == 200 * MS);
    assert_true(part(bar, "frontend_bound")->ns == 40 * MS);
    fixture_free(&f);
}

static void a_tree_that_cannot_be_relied_on_divides_nothing(void **state)
{
    (void)state;
    for (int spoil = 0; spoil < 7; spoil++) {
        struct fixture f = fixture_new();
        struct slw_report_node nodes[4];

        one_thread(&f);
        with_nodes(&f, nodes);
        nodes[1].value.absent = spoil == 0 ? "not counted" : NULL;
        nodes[1].mismeasured = spoil == 1;
        nodes[1].thin = spoil == 2;
        nodes[1].value.from.source = spoil == 3 ? SLW_SOURCE_SIMULATED : SLW_SOURCE_HARDWARE;
        f.report->topdown.level1_sum = spoil == 4 ? 1.03 : 1;
        nodes[1].mode = spoil == 5 ? SLW_MODE_USER : SLW_MODE_ALL;
        for (int i = 0; i < 4 && spoil == 6; i++)
            nodes[i].mode = SLW_MODE_USER; /* and nothing tells user from kernel */
        const struct slw_bar *bar = again(&f);
        assert_int_equal(bar->split, SLW_BAR_WHOLE);
        assert_non_null(bar->split_absent);
        fixture_free(&f);
    }
}

/* ---- per request ---- */

static const struct slw_cost *cost(const struct slw_report *r, const char *key)
{
    static const struct slw_cost none = {.total = {.value = -1, .absent = "no such row"},
                                         .per_request = {.value = -1, .absent = "no such row"}};

    for (size_t i = 0; i < r->costs->count; i++)
        if (strcmp(r->costs->rows[i].key, key) == 0)
            return &r->costs->rows[i];
    return &none;
}

static void what_the_taps_saw_is_divided_by_requests(void **state)
{
    (void)state;
    struct fixture f = fixture_new();

    one_thread(&f);
    fixture_traffic(
        &f, &(struct slw_connection){.requests = 1000, .flushes = 250, .sent_bytes = 60000});
    const struct slw_report *r = fixture_report(&f);
    assert_null(r->costs->per_request_absent);
    assert_near(cost(r, "wall_time")->per_request.value, 1.2e6, 1e-6);
    assert_near(cost(r, "bytes_sent")->per_request.value, 60, 1e-9);
    assert_near(cost(r, "flushes")->per_request.value, 0.25, 1e-9);
    assert_string_equal(cost(r, "system_calls")->per_request.absent, "not counted");
    fixture_free(&f);
}

static void a_lower_bound_divides_nothing(void **state)
{
    (void)state;
    struct fixture f = fixture_new();

    one_thread(&f);
    fixture_count(&f, "task-clock", "ns", 300 * MS);
    fixture_traffic(&f, &(struct slw_connection){.requests = 1000, .flushes = 250});
    f.run->requests = (struct slw_maybe_u64){.absent = "1 connection could not be followed"};
    const struct slw_report *r = fixture_report(&f);
    assert_string_equal(r->bar->per_request.absent, f.run->requests.absent);
    assert_string_equal(r->rows[0].per_request.absent, f.run->requests.absent);
    for (size_t i = 0; i < r->costs->count; i++)
        assert_non_null(r->costs->rows[i].per_request.absent);
    fixture_free(&f);
}

static void slots_are_told_per_request_by_category(void **state)
{
    (void)state;
    static const struct {
        const char *event;
        uint64_t raw;
    } counts[] = {{"cpu_clk_unhalted.thread", 1000000000},
                  {"idq_uops_not_delivered.core", 400000000},
                  {"uops_issued.any", 1300000000},
                  {"uops_retired.retire_slots", 1200000000},
                  {"int_misc.recovery_cycles", 10000000}};
    struct fixture f = fixture_new();
    struct slw_model *m = NULL;

    for (size_t i = 0; i < 5; i++) {
        fixture_count(&f, counts[i].event, "events", counts[i].raw);
        f.run->counts[i].group = 0;
        f.run->counts[i].from.source = SLW_SOURCE_HARDWARE;
    }
    fixture_traffic(&f, &(struct slw_connection){.requests = 1000, .flushes = 1000});
    assert_int_equal(slw_model_builtin("skylake", &m, NULL), 0);
    assert_int_equal(slw_report_new(f.run, f.stacks, m, &f.report, NULL), 0);
    assert_near(cost(f.report, "slots")->total.value, 4e9, 1);
    assert_near(cost(f.report, "slots.frontend_bound")->per_request.value, 4e5, 1e-3);
    assert_near(cost(f.report, "slots.retiring")->per_request.value, 1.2e6, 1e-3);
    fixture_free(&f);
    slw_model_free(m);
}

static void an_interval_is_divided_with_its_value(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_figure total = {.value = 500,
                                     .interval = {true, 400, 600, SLW_INTERVAL_ROUNDS}};

    f.run->requests = (struct slw_maybe_u64){.value = 100};
    const struct slw_figure each = slw_cost_per_request(&total, f.run);
    assert_true(each.interval.have);
    assert_near(each.interval.low, 4, 1e-12);
    assert_near(each.interval.high, 6, 1e-12);
    fixture_free(&f);
}

static void rounds_of_unequal_work_leave_no_interval(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_figure total = {.value = 500,
                                     .interval = {true, 400, 600, SLW_INTERVAL_ROUNDS}};

    f.run->requests = (struct slw_maybe_u64){.value = 100};
    for (int i = 1; i <= 2; i++) {
        const struct slw_round round = {.round = i, .requests = {.value = 100}};
        assert_int_equal(slw_run_add_round(f.run, &round, NULL), 0);
    }
    assert_true(slw_cost_per_request(&total, f.run).interval.have);
    f.run->rounds[1].requests.value = 101;
    assert_false(slw_cost_per_request(&total, f.run).interval.have);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_samples_and_counters_time_on_a_cpu_is_one_part),
        cmocka_unit_test(user_and_kernel_divide_time_on_a_cpu),
        cmocka_unit_test(the_tree_divides_time_on_a_cpu),
        cmocka_unit_test(a_tree_of_user_mode_divides_the_users_part_only),
        cmocka_unit_test(a_tree_that_cannot_be_relied_on_divides_nothing),
        cmocka_unit_test(what_the_taps_saw_is_divided_by_requests),
        cmocka_unit_test(a_lower_bound_divides_nothing),
        cmocka_unit_test(slots_are_told_per_request_by_category),
        cmocka_unit_test(an_interval_is_divided_with_its_value),
        cmocka_unit_test(rounds_of_unequal_work_leave_no_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
