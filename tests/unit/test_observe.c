/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/metrics.h"
#include "analyzer/compare/observe.h"
#include "tests/traffic_fixture.h"

#include <math.h>

/* A client of 8,000 requests in batches of 4, counted, waited for and staged. */
static struct fixture client_run(uint64_t requests)
{
    struct fixture f = fixture_new();
    struct slw_waiting w = {.wall_ns = 1190000000};
    const struct slw_stage stage = {.name = "decode",
                                    .from = fixture_software,
                                    .calls = 100,
                                    .requests = 400,
                                    .self_ns = 8000000,
                                    .cpu_ns = {.value = 4000000}};

    w.ns[SLW_WAIT_ON_CPU] = 300000000;
    w.ns[SLW_WAIT_ANSWER] = 830000000;
    w.ns[SLW_WAIT_RUNNABLE] = 60000000;
    fixture_threads(&f, &w, 1);
    fixture_traffic(&f, &(struct slw_connection){.requests = requests,
                                                 .flushes = requests / 4,
                                                 .prepares = requests / 2,
                                                 .rows = requests,
                                                 .latency_count = requests,
                                                 .latency_sum_ns = requests * 120000,
                                                 .latency_max_ns = 900000,
                                                 .batch_count = requests / 4,
                                                 .batch_sum_ns = requests * 30000,
                                                 .batch_max_ns = 900000});
    const struct slw_latency l = {SLW_LATENCY_REQUEST, 118000, 121000, requests};
    const struct slw_latency b = {SLW_LATENCY_BATCH, 118000, 121000, requests / 4};
    assert_int_equal(slw_run_add_latency(f.run, &l, NULL), 0);
    assert_int_equal(slw_run_add_latency(f.run, &b, NULL), 0);
    assert_int_equal(slw_run_add_stage(f.run, &stage, NULL), 0);
    fixture_count(&f, "task-clock", "ns", 300000000);
    fixture_count(&f, "user-time", "ns", 100000000);
    fixture_count(&f, "system-time", "ns", 200000000);
    fixture_count(&f, "context-switches", "events", 8040);
    fixture_count(&f, "voluntary-switches", "events", 8000);
    fixture_count(&f, "inst_retired.any", "events", 16000000);
    fixture_absent(&f, "cycles", "not supported");
    return f;
}

static const struct slw_observation *found(const struct slw_run *run, const char *metric)
{
    const struct slw_observation *o = slw_run_find_observation(run, metric);

    if (!o)
        fail_msg("no observation '%s'", metric);
    return o;
}

static void assert_value(const struct slw_run *run, const char *metric, double value)
{
    const struct slw_observation *o = found(run, metric);

    assert_int_equal(o->length, 1);
    if (!(fabs(o->values[0] - value) <= 1e-9 * fabs(value)))
        fail_msg("%s is %g, not %g (%s)", metric, o->values[0], value,
                 o->absent ? o->absent : "there");
    assert_null(o->absent);
}

static void assert_absent(const struct slw_run *run, const char *metric, const char *why)
{
    const struct slw_observation *o = found(run, metric);

    assert_true(isnan(o->values[o->length - 1]));
    assert_string_equal(o->absent, why);
}

static void a_report_becomes_a_value_for_each_metric(void **state)
{
    (void)state;
    struct fixture f = client_run(8000);

    assert_int_equal(slw_observe_run(f.run, fixture_report(&f), NULL), 0);
    assert_value(f.run, "cpu_per_request", 37500);
    assert_value(f.run, "user_per_request", 12500);
    assert_value(f.run, "system_per_request", 25000);
    assert_value(f.run, "cpu_time", 3e8);
    assert_value(f.run, "wall_time", 1.2e9);
    assert_value(f.run, "requests_per_second", 8000 / 1.2);
    assert_value(f.run, "requests", 8000);
    assert_value(f.run, "p50", 119500);
    assert_value(f.run, "p99", 119500);
    assert_value(f.run, "mean_latency", 120000);
    assert_value(f.run, "max_latency", 900000);
    assert_value(f.run, "batch_mean_latency", 120000);
    assert_value(f.run, "requests_per_flush", 4);
    assert_value(f.run, "flushes_per_request", .25);
    assert_value(f.run, "prepares_per_request", .5);
    assert_value(f.run, "errors_per_request", 0);
    assert_value(f.run, "context_switches_per_request", 1.005);
    assert_value(f.run, "voluntary_switches_per_request", 1);
    assert_value(f.run, "instructions_per_request", 2000);
    assert_value(f.run, "wait.answer", 103750);
    assert_value(f.run, "wait.disk", 0);
    assert_value(f.run, "thread_time_per_request", 1.19e9 / 8000);
    assert_value(f.run, "stage.decode.cpu_per_request", 500);
    assert_value(f.run, "stage.decode.cpu_per_call", 40000);
    assert_value(f.run, "stage.decode.time_per_request", 1000);
    assert_value(f.run, "stage.decode.requests_per_call", 4);
    assert_absent(f.run, "cycles_per_request", "not supported");
    assert_absent(f.run, "p999", "it takes 20000 requests in an execution, 8000 were seen");
    assert_absent(f.run, "batch_p999", "it takes 20000 batches in an execution, 2000 were seen");
    assert_null(slw_run_find_observation(f.run, "major_faults_per_request"));
    assert_null(slw_run_find_observation(f.run, "wait.on_cpu"));
    fixture_free(&f);
}

static void steps_are_those_of_clocks_and_buckets(void **state)
{
    (void)state;
    struct fixture f = client_run(8000);

    assert_int_equal(slw_observe_run(f.run, fixture_report(&f), NULL), 0);
    assert_true(found(f.run, "requests_per_flush")->step == 0);
    assert_true(found(f.run, "cpu_per_request")->step == 1.0 / 8000);
    assert_true(found(f.run, "user_per_request")->step == 10e6 / 8000); /* a tick */
    assert_true(fabs(found(f.run, "p99")->step - 3000) < 1e-9);
    assert_false(found(f.run, "max_latency")->gateable);
    assert_true(found(f.run, "p99")->gateable);
    assert_int_equal(found(f.run, "requests_per_flush")->better, SLW_BETTER_HIGHER);
    fixture_free(&f);
}

/* Buckets are wider where latencies are longer: one slow round must not blur the others. */
static void steps_of_buckets_stay_in_proportion(void **state)
{
    (void)state;
    struct slw_run *arm = NULL;
    struct fixture fast = client_run(8000), slow = client_run(8000);

    for (size_t i = 0; i < 2; i++) {
        slow.run->latencies[i].low_ns *= 100;
        slow.run->latencies[i].high_ns *= 100;
    }
    slow.run->connections[0].latency_max_ns = 1000000000;
    assert_int_equal(slw_run_new(&arm, NULL), 0);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(
            slw_observe_round(arm, i, fixture_report(i == 2 ? &slow : &fast), NULL, NULL), 0);
    assert_true(found(arm, "p99")->values[2] == 11950000);
    assert_true(fabs(found(arm, "p99")->step - 3000) < 1e-6);
    slw_run_free(arm);
    fixture_free(&fast);
    fixture_free(&slow);
}

static void without_requests_costs_are_absent(void **state)
{
    (void)state;
    struct fixture f = fixture_sqlite();

    assert_int_equal(slw_observe_run(f.run, fixture_report(&f), NULL), 0);
    assert_absent(f.run, "cpu_per_request", "no request counter was active");
    assert_absent(f.run, "requests_per_second", "no request counter was active");
    assert_value(f.run, "cpu_time", 4e8);
    assert_null(slw_run_find_observation(f.run, "p99"));
    fixture_free(&f);
}

static void zero_requests_divide_nothing(void **state)
{
    (void)state;
    struct fixture f = fixture_sqlite();

    f.run->requests = (struct slw_maybe_u64){.value = 0};
    assert_int_equal(slw_observe_run(f.run, fixture_report(&f), NULL), 0);
    assert_absent(f.run, "cpu_per_request", "no request was observed");
    assert_value(f.run, "requests", 0);
    fixture_free(&f);
}

/* ---- the pipeline ---- */

static const struct slw_cost *cost_of(const struct slw_report *r, const char *key)
{
    for (size_t i = 0; i < r->costs->count; i++)
        if (strcmp(r->costs->rows[i].key, key) == 0)
            return &r->costs->rows[i];
    fail_msg("no cost '%s'", key);
    return NULL;
}

static double node_of(const struct slw_report *r, const char *name)
{
    for (size_t i = 0; i < r->node_count; i++)
        if (strcmp(r->nodes[i].name, name) == 0)
            return r->nodes[i].value.value;
    fail_msg("no node '%s'", name);
    return 0;
}

static void a_tree_becomes_slots_and_shares(void **state)
{
    (void)state;
    static const struct {
        const char *event;
        uint64_t raw;
    } counts[] = {{"cpu_clk_unhalted.thread", 1000000000},
                  {"cpu_clk_unhalted.thread_any", 1000000000},
                  {"idq_uops_not_delivered.core", 400000000},
                  {"idq_uops_not_delivered.cycles_0_uops_deliv.core", 50000000},
                  {"uops_issued.any", 1300000000},
                  {"uops_retired.retire_slots", 1200000000},
                  {"int_misc.recovery_cycles_any", 10000000},
                  {"int_misc.recovery_cycles", 10000000},
                  {"inst_retired.any", 900000000},
                  {"icache_64b.iftag_miss", 9000000}};
    struct fixture f = fixture_new();
    struct slw_model *model = NULL;

    f.run->host.cpu.smt = 0;
    f.run->requests = (struct slw_maybe_u64){.value = 1000};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        fixture_count(&f, counts[i].event, "events", counts[i].raw);
    assert_int_equal(slw_model_builtin("skylake", &model, NULL), 0);
    assert_int_equal(slw_report_new(f.run, NULL, model, &f.report, NULL), 0);
    assert_int_equal(slw_observe_run(f.run, f.report, NULL), 0);
    const double slots = cost_of(f.report, "slots")->per_request.value;
    assert_value(f.run, "slots", slots);
    assert_value(f.run, "slots.frontend_bound",
                 cost_of(f.report, "slots.frontend_bound")->per_request.value);
    assert_value(f.run, "share.frontend_bound", node_of(f.report, "frontend_bound"));
    assert_value(f.run, "slots.fetch_latency", slots * node_of(f.report, "fetch_latency"));
    assert_value(f.run, "ipc", .9);
    assert_value(f.run, "icache_mpki", 10);
    assert_value(f.run, "icache_misses_per_request", 9000);
    assert_value(f.run, "instructions_per_request", 900000);
    assert_value(f.run, "cycles_per_request", 1000000);
    assert_string_equal(found(f.run, "share.frontend_bound")->unit, "share");
    assert_true(isnan(found(f.run, "slots.machine_clears")->values[0])); /* not counted */
    fixture_free(&f);
    slw_model_free(model);
}

/* ---- rounds of an arm ---- */

static void observe(struct slw_run *arm, size_t before, struct fixture *f,
                    const struct slw_client_readings *client)
{
    assert_int_equal(slw_observe_round(arm, before, fixture_report(f), client, NULL), 0);
}

static void rounds_are_appended(void **state)
{
    (void)state;
    struct slw_run *arm = NULL;
    struct fixture slow = client_run(1000), fast = client_run(8000);

    assert_int_equal(slw_run_new(&arm, NULL), 0);
    for (size_t i = 0; i < 70; i++)
        observe(arm, i, i % 2 ? &fast : &slow, NULL);
    for (size_t i = 0; i < arm->observation_count; i++)
        assert_int_equal(arm->observations[i].length, 70);
    const struct slw_observation *o = found(arm, "cpu_per_request");
    for (size_t i = 0; i < 70; i++)
        assert_true(o->values[i] == (i % 2 ? 37500 : 300000));
    /* Of the coarser round. */
    assert_true(o->step == 1.0 / 1000);
    /* 1,000 requests are too few for p99. */
    o = found(arm, "p99");
    assert_true(isnan(o->values[68]) && o->values[69] == 119500);
    assert_string_equal(o->absent, "it takes 2000 requests in an execution, 1000 were seen");
    slw_run_free(arm);
    fixture_free(&slow);
    fixture_free(&fast);
}

static void a_metric_that_comes_late_or_goes_is_nan_there(void **state)
{
    (void)state;
    struct slw_run *arm = NULL;
    struct fixture bare = fixture_sqlite(), full = client_run(8000);

    assert_int_equal(slw_run_new(&arm, NULL), 0);
    observe(arm, 0, &bare, NULL);
    observe(arm, 1, &full, NULL);
    observe(arm, 2, &bare, NULL);
    const struct slw_observation *o = found(arm, "requests_per_flush");
    assert_int_equal(o->length, 3);
    assert_true(isnan(o->values[0]) && o->values[1] == 4 && isnan(o->values[2]));
    assert_string_equal(o->absent, "a round does not have it");
    slw_run_free(arm);
    fixture_free(&bare);
    fixture_free(&full);
}

static void what_the_client_printed_keeps_its_name(void **state)
{
    (void)state;
    struct slw_run *arm = NULL;
    struct fixture f = client_run(8000);
    struct slw_client_readings readings = {.reader = "pgbench", .count = 3};

    readings.all[0] = (struct slw_client_reading){
        .key = "requests", .title = "transactions", .unit = "requests", .value = 1000};
    readings.all[1] = (struct slw_client_reading){.key = "client_requests_per_second",
                                                  .title = "tps as pgbench prints it",
                                                  .unit = "requests/s",
                                                  .better = SLW_BETTER_HIGHER,
                                                  .step = .1,
                                                  .value = 833.3};
    readings.all[2] = (struct slw_client_reading){.key = "score", .value = (double)NAN};
    assert_int_equal(slw_run_new(&arm, NULL), 0);
    observe(arm, 0, &f, &readings);
    assert_value(arm, "client_requests", 1000);
    assert_value(arm, "requests", 8000);
    assert_value(arm, "client_requests_per_second", 833.3);
    assert_absent(arm, "score", "not a number");
    const struct slw_observation *o = found(arm, "client_requests_per_second");
    assert_true(o->step == .1 && o->from.imported);
    assert_string_equal(o->from.detail, "pgbench");
    slw_run_free(arm);
    fixture_free(&f);
}

/* Values of two sources are not one series. */
static void another_source_is_no_value(void **state)
{
    (void)state;
    struct slw_run *arm = NULL;
    struct fixture one = fixture_new(), other = fixture_new();

    fixture_count(&one, "task-clock", "ns", 300000000);
    fixture_count(&other, "task-clock", "ns", 300000000);
    other.run->counts[0].from.source = SLW_SOURCE_SIMULATED;
    assert_int_equal(slw_run_new(&arm, NULL), 0);
    observe(arm, 0, &one, NULL);
    observe(arm, 1, &other, NULL);
    const struct slw_observation *o = found(arm, "cpu_time");
    assert_true(o->values[0] == 3e8 && isnan(o->values[1]));
    assert_string_equal(o->absent, "measured in another way than in the rounds before");
    slw_run_free(arm);
    fixture_free(&one);
    fixture_free(&other);
}

/* ---- runs saved without observations ---- */

static void add_round(struct fixture *f, int round, uint64_t cpu_ns, uint64_t requests)
{
    const struct slw_round r = {
        .round = round, .wall_ns = {.value = 1000000000}, .requests = {.value = requests}};
    struct slw_count c = {.event = "task-clock",
                          .unit = "ns",
                          .from = fixture_software,
                          .group = -1,
                          .round = round,
                          .pid = -1,
                          .tid = -1,
                          .cpu = -1,
                          .raw = cpu_ns,
                          .enabled_ns = 1000000000,
                          .running_ns = 1000000000};

    assert_int_equal(slw_run_add_round(f->run, &r, NULL), 0);
    assert_int_equal(slw_run_add_count(f->run, &c, NULL), 0);
}

static void rounds_of_a_profile_give_a_value_each(void **state)
{
    (void)state;
    struct fixture f = fixture_new();

    for (int round = 1; round <= 3; round++)
        add_round(&f, round, UINT64_C(100000000) * (unsigned)round, 1000);
    fixture_waiting(&f);
    f.run->requests = (struct slw_maybe_u64){.value = 1000};
    assert_int_equal(slw_observe_run(f.run, fixture_report(&f), NULL), 0);
    const struct slw_observation *o = found(f.run, "cpu_per_request");
    assert_int_equal(o->length, 3);
    for (int i = 0; i < 3; i++)
        assert_true(o->values[i] == 1e5 * (i + 1));
    o = found(f.run, "wait.disk");
    assert_true(isnan(o->values[0]) && isnan(o->values[1]) && isnan(o->values[2]));
    assert_string_equal(o->absent, "known of all rounds together only");
    fixture_free(&f);
}

static void rounds_of_unequal_passes_have_no_value_per_request(void **state)
{
    (void)state;
    struct fixture f = fixture_new();

    add_round(&f, 1, 100000000, 1000);
    add_round(&f, 1, 100000000, 1001);
    f.run->rounds[0].pass = f.run->counts[0].pass = 1;
    f.run->rounds[1].pass = f.run->counts[1].pass = 2;
    assert_int_equal(slw_observe_run(f.run, fixture_report(&f), NULL), 0);
    assert_absent(f.run, "cpu_per_request", "the executions of a round did not do the same work");
    fixture_free(&f);
}

static void observations_that_are_there_stay(void **state)
{
    (void)state;
    struct fixture f = client_run(8000);
    double values[] = {1, 2};
    const struct slw_observation o = {
        .metric = "mine", .title = "", .unit = "1", .values = values, .length = 2};

    assert_int_equal(slw_run_add_observation(f.run, &o, NULL), 0);
    assert_int_equal(slw_observe_run(f.run, fixture_report(&f), NULL), 0);
    assert_int_equal(f.run->observation_count, 1);
    fixture_free(&f);
}

static void too_many_rounds_are_refused(void **state)
{
    (void)state;
    struct fixture f = client_run(8000);
    struct slw_error err = {0};

    assert_int_equal(slw_observe_round(f.run, SLW_MAX_ROUNDS, fixture_report(&f), NULL, &err),
                     -SLW_E_LIMIT);
    fixture_free(&f);
}

static void every_metric_is_named_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < slw_metric_count; i++) {
        const struct slw_metric *m = &slw_metrics[i];

        assert_ptr_equal(slw_metric_find(m->key), m);
        assert_true(strlen(m->key) < 64 && m->title[0] && m->unit[0]);
        if (m->alias_of[0])
            assert_non_null(slw_metric_find(m->alias_of));
    }
    assert_null(slw_metric_find("nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_becomes_a_value_for_each_metric),
        cmocka_unit_test(steps_are_those_of_clocks_and_buckets),
        cmocka_unit_test(steps_of_buckets_stay_in_proportion),
        cmocka_unit_test(without_requests_costs_are_absent),
        cmocka_unit_test(zero_requests_divide_nothing),
        cmocka_unit_test(a_tree_becomes_slots_and_shares),
        cmocka_unit_test(rounds_are_appended),
        cmocka_unit_test(a_metric_that_comes_late_or_goes_is_nan_there),
        cmocka_unit_test(what_the_client_printed_keeps_its_name),
        cmocka_unit_test(another_source_is_no_value),
        cmocka_unit_test(rounds_of_a_profile_give_a_value_each),
        cmocka_unit_test(rounds_of_unequal_passes_have_no_value_per_request),
        cmocka_unit_test(observations_that_are_there_stay),
        cmocka_unit_test(too_many_rounds_are_refused),
        cmocka_unit_test(every_metric_is_named_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
