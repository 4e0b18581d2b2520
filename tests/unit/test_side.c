/* SPDX-License-Identifier: MIT */
#include "tests/traffic_fixture.h"

#define MS     UINT64_C(1000000)
#define WINDOW (1200 * MS)

/* ---- the rule at its thresholds ---- */

static void the_rule_turns_at_its_thresholds(void **state)
{
    (void)state;
    static const struct {
        struct slw_side_shares shares;
        enum slw_side_kind kind;
    } cases[] = {
        {{.busiest = 0.90}, SLW_SIDE_CLIENT},
        {{.busiest = 0.8999, .server = 0.1}, SLW_SIDE_UNKNOWN},
        {{.busiest = 0.95, .starved = 0.2499}, SLW_SIDE_CLIENT},
        {{.busiest = 0.95, .starved = 0.25}, SLW_SIDE_UNKNOWN},
        {{.busiest = 0.60, .starved = 0.25, .server = 0.5}, SLW_SIDE_UNKNOWN},
        {{.busiest = 0.95, .starved = 0.5, .cpus = 0.95}, SLW_SIDE_CLIENT},
        {{.cpus = 0.90, .busiest = 0.5}, SLW_SIDE_CLIENT},
        {{.cpus = 0.8999, .busiest = 0.5, .server = 0.4}, SLW_SIDE_UNKNOWN},
        {{.server = 0.50, .busiest = 0.6999}, SLW_SIDE_SERVER},
        {{.server = 0.50, .busiest = 0.70}, SLW_SIDE_UNKNOWN},
        {{.server = 0.4999, .busiest = 0.3}, SLW_SIDE_UNKNOWN},
        {{.server = 0.50, .paced = 0.50}, SLW_SIDE_UNKNOWN},
        {{.server = 0.50, .paced = 0.50, .loop = 0.50}, SLW_SIDE_UNKNOWN},
        {{.server = 0.51, .paced = 0.49}, SLW_SIDE_SERVER},
        {{.lock = 0.50, .server = 0.5}, SLW_SIDE_UNKNOWN},
        {{.other = 0.9}, SLW_SIDE_UNKNOWN},
        {{.busiest = 0}, SLW_SIDE_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *why = NULL;
        const enum slw_side_kind kind = slw_side_decide(&cases[i].shares, &why);

        if (kind != cases[i].kind)
            fail_msg("case %zu: %d", i, (int)kind);
        assert_true((kind == SLW_SIDE_UNKNOWN) == (why != NULL));
    }
}

/* ---- from a run to the shares ---- */

static struct slw_waiting thread(uint64_t busy_ms, enum slw_wait state)
{
    struct slw_waiting w = {.wall_ns = WINDOW};

    w.ns[SLW_WAIT_ON_CPU] = busy_ms * MS;
    w.ns[state] += WINDOW - busy_ms * MS;
    return w;
}

static void traffic(struct fixture *f)
{
    fixture_traffic(f, &(struct slw_connection){.requests = 1000, .flushes = 1000});
}

static void a_client_that_only_waits_for_answers_is_limited_by_the_server(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_waiting w = thread(300, SLW_WAIT_ANSWER);

    traffic(&f);
    fixture_threads(&f, &w, 1);
    const struct slw_side *side = fixture_report(&f)->side;
    assert_int_equal(side->kind, SLW_SIDE_SERVER);
    assert_near(side->shares.server, 0.75, 1e-9);
    assert_near(side->shares.busiest, 0.25, 1e-9);
    assert_non_null(strcasestr(f.report->verdict, "the server limits throughput"));
    fixture_free(&f);
}

/* Half of the waiting was for another server, of which no connection to a database is known. */
static void answers_of_others_are_not_those_of_the_server(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_waiting w = thread(300, SLW_WAIT_ANSWER);
    struct slw_waited_for peers[] = {
        {.state = SLW_WAIT_ANSWER, .what = "10.0.0.1:443", .pid = -1, .ns = 450 * MS, .waits = 1},
        {.state = SLW_WAIT_ANSWER,
         .what = "127.0.0.1:5432",
         .pid = -1,
         .ns = 450 * MS,
         .waits = 1}};

    traffic(&f);
    fixture_threads(&f, &w, 1);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(slw_run_add_waited_for(f.run, &peers[i], NULL), 0);
    const struct slw_side *side = fixture_report(&f)->side;
    assert_int_equal(side->kind, SLW_SIDE_UNKNOWN);
    assert_near(side->shares.server, 0.375, 1e-9);
    assert_near(side->shares.other, 0.375, 1e-9);
    fixture_free(&f);
}

static enum slw_side_kind of_wanting_a_cpu(uint64_t runnable_ms)
{
    struct fixture f = fixture_new();
    struct slw_waiting w = thread(1200 - runnable_ms, SLW_WAIT_RUNNABLE);

    traffic(&f);
    fixture_threads(&f, &w, 1);
    const enum slw_side_kind kind = fixture_report(&f)->side->kind;
    fixture_free(&f);
    return kind;
}

/* On a machine that is too small, whoever has the CPUs is the limit. */
static void wanting_a_cpu_is_needing_one_unless_cpus_are_scarce(void **state)
{
    (void)state;
    assert_int_equal(of_wanting_a_cpu(200), SLW_SIDE_CLIENT);
    assert_int_equal(of_wanting_a_cpu(299), SLW_SIDE_CLIENT);
    assert_int_equal(of_wanting_a_cpu(300), SLW_SIDE_UNKNOWN);
    assert_int_equal(of_wanting_a_cpu(1000), SLW_SIDE_UNKNOWN);
}

static void the_verdict_names_the_client(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_waiting w = thread(1200, SLW_WAIT_ANSWER);

    traffic(&f);
    fixture_threads(&f, &w, 1);
    assert_int_equal(fixture_report(&f)->side->kind, SLW_SIDE_CLIENT);
    assert_non_null(strcasestr(f.report->verdict, "the client, not the server, limits throughput"));
    fixture_free(&f);
}

static void idle_threads_of_a_pool_hide_nothing(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_waiting w[3] = {thread(1100, SLW_WAIT_ANSWER), thread(0, SLW_WAIT_LOCK),
                                     thread(0, SLW_WAIT_LOCK)};

    traffic(&f);
    fixture_threads(&f, w, 3);
    assert_int_equal(fixture_report(&f)->side->kind, SLW_SIDE_CLIENT);
    fixture_free(&f);
}

static void programs_that_ran_one_after_the_other_count_together(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct slw_waiting w[10];

    for (int i = 0; i < 10; i++) { /* each had a tenth of the window, and was busy all of it */
        w[i] = (struct slw_waiting){.wall_ns = WINDOW / 10};
        w[i].ns[SLW_WAIT_ON_CPU] = WINDOW / 10;
    }
    traffic(&f);
    fixture_threads(&f, w, 10);
    assert_int_equal(fixture_report(&f)->side->kind, SLW_SIDE_CLIENT);
    fixture_free(&f);
}

/* An event loop of one connection: it waits for answers as far as one was on its way. */
static enum slw_side_kind of_event_loop(uint64_t mean_latency_us)
{
    struct fixture f = fixture_new();
    const struct slw_waiting w = thread(300, SLW_WAIT_EVENT_LOOP);

    fixture_traffic(&f, &(struct slw_connection){.requests = 1000,
                                                 .flushes = 1000,
                                                 .latency_count = 1000,
                                                 .latency_sum_ns = 1000000 * mean_latency_us,
                                                 .latency_max_ns = 1000000});
    fixture_threads(&f, &w, 1);
    const enum slw_side_kind kind = fixture_report(&f)->side->kind;
    fixture_free(&f);
    return kind;
}

static void an_event_loop_waits_for_answers_while_something_is_in_flight(void **state)
{
    (void)state;
    assert_int_equal(of_event_loop(1140), SLW_SIDE_SERVER); /* in flight 95 %: idle 5 % at most */
    assert_int_equal(of_event_loop(600), SLW_SIDE_UNKNOWN); /* 50 %: idle perhaps half */
    assert_int_equal(of_event_loop(100), SLW_SIDE_UNKNOWN);
}

/* One deep pipeline at the start must not hide that later requests filled the window. */
static void batches_tell_what_one_deep_pipeline_hides(void **state)
{
    (void)state;
    static const struct {
        uint64_t depth_sum;
        enum slw_side_kind kind;
    } cases[] = {{1002, SLW_SIDE_SERVER}, {1900, SLW_SIDE_UNKNOWN}};
    for (size_t i = 0; i < 2; i++) {
        struct fixture f = fixture_new();
        const struct slw_waiting w = thread(300, SLW_WAIT_EVENT_LOOP);

        fixture_traffic(&f, &(struct slw_connection){.requests = 1000,
                                                     .flushes = 1000,
                                                     .depth_sum = cases[i].depth_sum,
                                                     .max_depth = 3,
                                                     .latency_count = 1000,
                                                     .latency_sum_ns = 1140 * MS,
                                                     .latency_max_ns = 2 * MS,
                                                     .batch_count = 1000,
                                                     .batch_sum_ns = 1140 * MS,
                                                     .batch_max_ns = 2 * MS});
        fixture_threads(&f, &w, 1);
        assert_int_equal(fixture_report(&f)->side->kind, cases[i].kind);
        fixture_free(&f);
    }
}

static void a_client_that_sleeps_sets_the_pace_itself(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_waiting w = thread(100, SLW_WAIT_SLEEP);

    traffic(&f);
    fixture_threads(&f, &w, 1);
    const struct slw_side *side = fixture_report(&f)->side;
    assert_int_equal(side->kind, SLW_SIDE_UNKNOWN);
    assert_non_null(strstr(side->text, "sets the pace itself"));
    fixture_free(&f);
}

/* ---- what must be known ---- */

typedef void (*spoil)(struct fixture *f);

static void no_causes(struct fixture *f)
{
    f->run->waiting[0].by_cause = false;
}
static void lost_threads(struct fixture *f)
{
    f->run->waiting[0].lost_threads = 1;
}
static void whole_machine(struct fixture *f)
{
    f->run->command.kind = SLW_TARGET_ALL;
}
static void imported(struct fixture *f)
{
    f->run->command.kind = SLW_TARGET_IMPORT;
}
static void no_wall(struct fixture *f)
{
    f->run->wall_ns.absent = "not measured";
}
static void no_waiting(struct fixture *f)
{
    f->run->waiting_count = 0;
}
static void no_wire(struct fixture *f)
{
    f->run->connection_count = 0;
}
static void threads_unlisted(struct fixture *f)
{
    f->run->waiting[0].wall_ns *= 2;
}
static void short_window(struct fixture *f)
{
    f->run->wall_ns.value = SLW_SIDE_MIN_WALL_NS - 1;
}
static void few_requests(struct fixture *f)
{
    f->run->connections[0].requests = SLW_SIDE_MIN_REQUESTS - 1;
}

static void without_what_it_rests_on_it_cannot_tell(void **state)
{
    (void)state;
    static const struct {
        spoil spoil;
        const char *why;
    } cases[] = {{no_causes, "without its causes"},
                 {lost_threads, "could not be followed"},
                 {whole_machine, "of a client only"},
                 {imported, "of a client only"},
                 {no_wall, "length of the window"},
                 {no_waiting, "was not measured"},
                 {no_wire, "no connection to a database"},
                 {threads_unlisted, "not every thread"},
                 {short_window, "too little"},
                 {few_requests, "too little"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f = fixture_new();
        const struct slw_waiting w = thread(1200, SLW_WAIT_ANSWER);

        traffic(&f);
        fixture_threads(&f, &w, 1);
        assert_int_equal(fixture_report(&f)->side->kind, SLW_SIDE_CLIENT);
        cases[i].spoil(&f);
        const struct slw_side *side = fixture_report(&f)->side;
        assert_int_equal(side->kind, SLW_SIDE_UNKNOWN);
        assert_false(side->have);
        if (!strstr(side->text, cases[i].why))
            fail_msg("%s", side->text);
        assert_null(strstr(f.report->verdict, "limits throughput"));
        fixture_free(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule_turns_at_its_thresholds),
        cmocka_unit_test(a_client_that_only_waits_for_answers_is_limited_by_the_server),
        cmocka_unit_test(answers_of_others_are_not_those_of_the_server),
        cmocka_unit_test(wanting_a_cpu_is_needing_one_unless_cpus_are_scarce),
        cmocka_unit_test(the_verdict_names_the_client),
        cmocka_unit_test(idle_threads_of_a_pool_hide_nothing),
        cmocka_unit_test(programs_that_ran_one_after_the_other_count_together),
        cmocka_unit_test(an_event_loop_waits_for_answers_while_something_is_in_flight),
        cmocka_unit_test(batches_tell_what_one_deep_pipeline_hides),
        cmocka_unit_test(a_client_that_sleeps_sets_the_pace_itself),
        cmocka_unit_test(without_what_it_rests_on_it_cannot_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
