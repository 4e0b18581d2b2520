/* SPDX-License-Identifier: MIT */
/* Several executions as one run: means of what they cost, sums of what is a distribution. */
#include "tests/unit/cmocka_int.h"

#include "analyzer/costs.h"
#include "analyzer/report.h"
#include "analyzer/traffic.h"
#include "record/run_merge.h"

#include <stdio.h>
#include <string.h>

static struct slw_run *merged;
static struct slw_run_sums *sums;

static int set_up(void **state)
{
    (void)state;
    return slw_run_new(&merged, NULL) < 0 || slw_run_sums_new(&sums, NULL) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    slw_run_sums_free(sums);
    slw_run_free(merged);
    return 0;
}

/* One execution that made `requests` requests in as many microseconds, two a flush. */
static struct slw_run *execution(uint64_t requests)
{
    struct slw_run *run = NULL;
    const struct slw_connection c = {.protocol = "Redis",
                                     .peer = "127.0.0.1:6379",
                                     .pid = 7,
                                     .connections = 1,
                                     .requests = requests,
                                     .responses = requests,
                                     .flushes = requests / 2,
                                     .max_batch = requests == 1000 ? 2 : 3,
                                     .depth_sum = requests,
                                     .latency_count = requests,
                                     .latency_sum_ns = requests * 500,
                                     .latency_max_ns = 9000,
                                     .sends = requests / 2,
                                     .sent_bytes = requests * 10};
    const struct slw_latency l = {SLW_LATENCY_REQUEST, 400, 600, requests};
    struct slw_waiting all = {.pid = -1, .tid = -1, .by_cause = true, .thread_count = 1};
    struct slw_stage stage = {.name = "send", .calls = requests, .requests = requests};

    assert_int_equal(slw_run_new(&run, NULL), 0);
    run->wall_ns = (struct slw_maybe_u64){.value = requests * 1000};
    run->requests = (struct slw_maybe_u64){.value = requests};
    assert_int_equal(slw_run_add_connection(run, &c, NULL), 0);
    assert_int_equal(slw_run_add_latency(run, &l, NULL), 0);
    all.wall_ns = requests * 1000;
    all.ns[SLW_WAIT_ON_CPU] = requests * 700;
    all.ns[SLW_WAIT_ANSWER] = requests * 300;
    all.waits[SLW_WAIT_ANSWER] = requests / 2;
    all.syscalls.value = requests * 2;
    assert_int_equal(slw_run_add_waiting(run, &all, NULL), 0);
    all.comm = "client";
    all.pid = all.tid = (int32_t)requests;
    assert_int_equal(slw_run_add_waiting(run, &all, NULL), 0);
    stage.wall_ns = stage.self_ns = requests * 100;
    stage.cpu_ns.value = requests * 90;
    for (int i = 0; i < SLW_STAGE_EVENT_COUNT; i++)
        stage.events[i].absent = "no PMU";
    assert_int_equal(slw_run_add_stage(run, &stage, NULL), 0);
    return run;
}

static void add(struct slw_run *run)
{
    assert_int_equal(slw_run_sums_add(sums, run, NULL), 0);
    slw_run_free(run);
}

static void put(void)
{
    assert_int_equal(slw_run_sums_put(sums, merged, NULL), 0);
}

static bool has_note(const char *code)
{
    for (size_t i = 0; i < merged->note_count; i++)
        if (strcmp(merged->notes[i].code, code) == 0)
            return true;
    return false;
}

static void costs_are_means_and_histograms_sums(void **state)
{
    (void)state;
    add(execution(1000));
    add(execution(3000));
    put();
    assert_int_equal(merged->wall_ns.value, 2000000);
    assert_int_equal(merged->requests.value, 2000);
    assert_int_equal(merged->connection_count, 1);
    assert_int_equal(merged->connections[0].requests, 2000);
    assert_int_equal(merged->connections[0].connections, 1);
    assert_int_equal(merged->connections[0].max_batch, 3);
    assert_int_equal(merged->connections[0].pid, -1);
    assert_int_equal(merged->latency_count, 1);
    assert_int_equal(merged->latencies[0].count, 4000);
    assert_int_equal(merged->waiting_count, 2);
    assert_int_equal(merged->waiting[0].ns[SLW_WAIT_ON_CPU], 1400000);
    assert_int_equal(merged->waiting[0].syscalls.value, 4000);
    assert_int_equal(merged->waiting[1].tid, -1);
    assert_string_equal(merged->waiting[1].comm, "client");
    assert_int_equal(merged->stages[0].calls, 2000);
    assert_string_equal(merged->stages[0].events[0].absent, "no PMU");
}

/* In a round too short for any BPF program to run, nobody knows whether the kernel would tell. */
static void bpf_time_of_one_round_tells_that_it_is_told(void **state)
{
    const uint64_t rounds_ns[][3] = {{0, 700, 0}, {700, 0, 0}, {0, 0, 700}, {0, 0, 0}};

    (void)state;
    for (size_t c = 0; c < 4; c++) {
        struct slw_run *sum = NULL, *round = NULL;

        assert_int_equal(slw_run_new(&sum, NULL), 0);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(slw_run_new(&round, NULL), 0);
            round->self.bpf_ns = rounds_ns[c][i];
            round->self.bpf_absent = rounds_ns[c][i] ? NULL : "none ran";
            assert_int_equal(slw_run_merge_costs(sum, round, i == 0), 0);
            slw_run_free(round);
        }
        assert_int_equal(sum->self.bpf_ns, c < 3 ? 700 : 0);
        if (c < 3)
            assert_null(sum->self.bpf_absent);
        else
            assert_string_equal(sum->self.bpf_absent, "none ran");
        slw_run_free(sum);
    }
}

/* Whatever is divided by requests or by time is what each execution gives by itself. */
static void a_report_of_rounds_is_that_of_one(void **state)
{
    struct slw_report *one = NULL, *of_all = NULL;
    struct slw_run *single = execution(1000);

    (void)state;
    for (int i = 0; i < 7; i++)
        add(execution(1000));
    put();
    assert_int_equal(slw_report_new(single, NULL, NULL, &one, NULL), 0);
    assert_int_equal(slw_report_new(merged, NULL, NULL, &of_all, NULL), 0);
    assert_true(one->traffic->per_second.value == of_all->traffic->per_second.value);
    assert_true(one->traffic->batch_factor.value == of_all->traffic->batch_factor.value);
    assert_true(one->traffic->depth.value == of_all->traffic->depth.value);
    assert_true(one->traffic->request.p99.value == of_all->traffic->request.p99.value);
    assert_true(one->traffic->request.mean.value == of_all->traffic->request.mean.value);
    assert_true(one->costs->count > 5 && one->costs->count == of_all->costs->count);
    for (size_t i = 0; i < one->costs->count; i++) {
        const struct slw_cost *a = &one->costs->rows[i], *b = &of_all->costs->rows[i];

        assert_string_equal(a->key, b->key);
        assert_true(a->total.value == b->total.value);
        assert_true(a->per_request.value == b->per_request.value);
        assert_true(!a->per_request.absent == !b->per_request.absent);
    }
    slw_report_free(one);
    slw_report_free(of_all);
    slw_run_free(single);
}

static void what_happened_once_does_not_become_never(void **state)
{
    struct slw_run *with_error = execution(1000);

    (void)state;
    with_error->connections[0].errors = 1;
    add(with_error);
    for (int i = 0; i < 9; i++)
        add(execution(1000));
    put();
    assert_int_equal(merged->connections[0].errors, 1);
    assert_int_equal(merged->connections[0].lost, 0);
}

static void what_one_does_not_know_is_unknown_of_all(void **state)
{
    struct slw_run *run = execution(1000);

    (void)state;
    add(execution(1000));
    run->requests.absent = "bytes were not decoded";
    run->waiting[0].syscalls.absent = "not counted";
    run->stages[0].cpu_ns.absent = "no clock";
    add(run);
    put();
    assert_string_equal(merged->requests.absent, "bytes were not decoded");
    assert_string_equal(merged->waiting[0].syscalls.absent, "not counted");
    assert_string_equal(merged->stages[0].cpu_ns.absent, "no clock");
}

static void threads_of_other_names_are_told_together(void **state)
{
    struct slw_run *run = execution(1000);

    (void)state;
    add(execution(1000));
    run->waiting[1].comm = "another";
    add(run);
    put();
    assert_int_equal(merged->waiting_count, 1);
    assert_true(has_note("threads-differ"));
}

static void waiting_that_was_not_always_measured_is_left_out(void **state)
{
    struct slw_run *run = execution(1000);

    (void)state;
    add(execution(1000));
    run->waiting_count = 0;
    add(run);
    add(execution(1000));
    put();
    assert_int_equal(merged->waiting_count, 0);
    assert_true(has_note("waiting-missing"));
}

static void means_may_be_had_again_and_again(void **state)
{
    (void)state;
    add(execution(1000));
    put();
    assert_int_equal(merged->requests.value, 1000);
    add(execution(3000));
    put();
    put();
    assert_int_equal(merged->requests.value, 2000);
    assert_int_equal(merged->connection_count, 1);
    assert_int_equal(merged->latency_count, 1);
    assert_int_equal(merged->stage_count, 1);
}

static void many_peers_become_several(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        struct slw_run *run = execution(300);
        char peer[32];

        (void)snprintf(peer, sizeof(peer), "10.0.0.1:%d", i);
        run->connections[0].peer = slw_run_str(run, peer);
        add(run);
    }
    put();
    assert_int_equal(merged->connection_count, 257);
    assert_string_equal(merged->connections[256].peer, "several");
    uint64_t requests = 0;
    for (size_t i = 0; i < merged->connection_count; i++)
        requests += merged->connections[i].requests;
    assert_int_equal(requests, 300);
}

static void latencies_stay_in_order(void **state)
{
    static const struct slw_latency more[] = {{SLW_LATENCY_BATCH, 10, 20, 5},
                                              {SLW_LATENCY_REQUEST, 100, 200, 3},
                                              {SLW_LATENCY_REQUEST, 800, 900, 2}};
    struct slw_run *run = execution(1000);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(slw_run_add_latency(run, &more[i], NULL), 0);
    add(execution(1000));
    add(run);
    put();
    assert_int_equal(merged->latency_count, 4);
    for (size_t i = 1; i < 4; i++) {
        const struct slw_latency *a = &merged->latencies[i - 1], *b = &merged->latencies[i];

        assert_true(a->of < b->of || (a->of == b->of && a->low_ns < b->low_ns));
    }
    assert_int_equal(merged->latencies[1].count, 2000);
}

static void notes_with_numbers_are_said_once(void **state)
{
    struct slw_run *run = NULL;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(slw_run_new(&run, NULL), 0);
        (void)slw_run_note(run, SLW_NOTE_WARNING, "lost", NULL, "%d samples were lost", i);
        (void)slw_run_note(run, SLW_NOTE_WARNING, "lost", NULL, "%d more were", i + 10);
        assert_int_equal(slw_run_merge_notes(merged, run, true), 0);
        slw_run_free(run);
    }
    assert_int_equal(merged->note_count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(costs_are_means_and_histograms_sums),
        TEST(bpf_time_of_one_round_tells_that_it_is_told),
        TEST(a_report_of_rounds_is_that_of_one),
        TEST(what_happened_once_does_not_become_never),
        TEST(what_one_does_not_know_is_unknown_of_all),
        TEST(threads_of_other_names_are_told_together),
        TEST(waiting_that_was_not_always_measured_is_left_out),
        TEST(means_may_be_had_again_and_again),
        TEST(many_peers_become_several),
        TEST(latencies_stay_in_order),
        TEST(notes_with_numbers_are_said_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
