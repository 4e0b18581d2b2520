/* SPDX-License-Identifier: MIT */
/* What the readers find in real outputs of clients (fuzz/corpus/client_output). */
#include "analyzer/client_output/client_output.h"

#include "base/file.h"
#include "tests/unit/cmocka_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_text(const char *client, const char *text, struct slw_client_readings *r)
{
    const char *const argv[] = {client, "workload", "run"};
    const bool own = strcmp(client, "slotwise") == 0;
    struct slw_error err = {0};

    if (slw_client_output_read(own ? 3 : 1, argv, text, strlen(text), NULL, 0, r, &err) < 0)
        fail_msg("%s: %s", client, err.text);
    assert_non_null(r->reader);
}

static struct slw_client_readings *read_sample(const char *client, const char *sample)
{
    static struct slw_client_readings r;
    char path[512];
    char *text = NULL;
    size_t length;

    (void)snprintf(path, sizeof(path), "%s/fuzz/corpus/client_output/%s", SLW_TEST_DIR, sample);
    assert_int_equal(slw_file_read(path, 1 << 20, &text, &length, NULL), 0);
    read_text(client, text, &r);
    free(text);
    return &r;
}

static const struct slw_client_reading *get(const struct slw_client_readings *r, const char *key)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->all[i].key, key) == 0)
            return &r->all[i];
    fail_msg("no %s among %zu", key, r->count);
    return &r->all[0];
}

static void assert_number(const struct slw_client_readings *r, const char *key, double value,
                          double step)
{
    const struct slw_client_reading *g = get(r, key);

    if (fabs(g->value - value) > 1e-12 * fabs(value) || fabs(g->step - step) > 1e-12 * step)
        fail_msg("%s is %.17g in steps of %.17g, not %.17g, %.17g", key, g->value, g->step, value,
                 step);
}

static void assert_none(const struct slw_client_readings *r, const char *key)
{
    double value;

    if (slw_client_readings_find(r, key, &value))
        fail_msg("%s is %g", key, value);
}

/* ---- pgbench ---- */

static void pgbench_tells_transactions_and_requests_of_its_own_script(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("pgbench", "pgbench_select");

    assert_number(r, "client_transactions", 1000, 0);
    assert_number(r, "requests", 1000, 0);
    assert_number(r, "client_transactions_per_second", 5222.204815, 1e-6);
    assert_number(r, "client_latency_mean", 191000, 1000);
    assert_number(r, "client_connection_time", 6489000, 1000);
    assert_number(r, "client_failed_transactions", 0, 0);
    assert_string_equal(get(r, "client_latency_mean")->unit, "ns");
    assert_int_equal(get(r, "client_transactions_per_second")->better, SLW_BETTER_HIGHER);
    r = read_sample("/usr/lib/postgresql/15/bin/pgbench", "pgbench_statements");
    assert_number(r, "requests", 700, 0);
    assert_number(r, "client_latency_mean", 6796000, 1000);
}

static void pgbench_progress_is_not_the_result(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("pgbench", "pgbench_progress");

    assert_number(r, "client_transactions_per_second", 9389.457063, 1e-6);
    assert_number(r, "client_latency_stddev", 375000, 1000);
    assert_number(r, "requests", 18719, 0);
}

static void pgbench_under_a_rate_tells_late_and_skipped(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("pgbench", "pgbench_rate");

    assert_number(r, "client_skipped_transactions", 57, 0);
    assert_number(r, "client_late_transactions", 23, 0);
    assert_number(r, "client_schedule_lag_mean", 232000, 1000);
    assert_number(r, "requests", 461, 0);
}

static void pgbench_transactions_of_other_scripts_are_not_requests(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("pgbench", "pgbench_scripts");

    assert_none(r, "requests");
    assert_number(r, "client_transactions", 100, 0);
    assert_number(r, "client_transactions_per_second", 4526.320554, 1e-6);
    assert_number(r, "client_latency_mean", 221000, 1000); /* of all, not of the last script */
}

static void pgbench_that_was_aborted_tells_no_requests(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("pgbench", "pgbench_aborted");

    assert_none(r, "requests");
    assert_number(r, "client_transactions", 50, 0);
    assert_number(r, "client_latency_mean", 200000, 1000);
}

static void pgbench_of_other_versions(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("pgbench", "pgbench_old");

    assert_number(r, "client_transactions_per_second", 85.296346, 1e-6);
    assert_number(r, "client_latency_mean", 11739000, 1000);
    assert_number(r, "requests", 70, 0);
    r = read_sample("pgbench", "pgbench_retries");
    assert_number(r, "client_retries", 0, 0);
    assert_number(r, "requests", 2800, 0);
    r = read_sample("pgbench", "pgbench_reconnect");
    assert_number(r, "client_connection_time", 7207000, 1000);
}

/* ---- redis-benchmark ---- */

static void redis_benchmark_of_one_test(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("redis-benchmark", "redis_long");

    assert_number(r, "requests", 20000, 0);
    assert_number(r, "client_requests_per_second", 85470.09, .01);
    assert_number(r, "client_latency_mean", 310000, 1000);
    assert_number(r, "client_latency_min", 88000, 1000);
    assert_number(r, "client_p50", 287000, 1000);
    assert_number(r, "client_p95", 439000, 1000);
    assert_number(r, "client_p99", 615000, 1000);
    assert_number(r, "client_latency_max", 3951000, 1000);
    assert_int_equal(r->count, 8);
    r = read_sample("redis-benchmark", "redis_pipeline");
    assert_number(r, "requests", 5008, 0);
}

static void redis_benchmark_of_two_tests_has_no_one_number(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("redis-benchmark", "redis_long_two");

    assert_number(r, "requests", 40000, 0);
    assert_none(r, "client_requests_per_second");
    assert_number(r, "client_set_requests_per_second", 85106.38, .01);
    assert_number(r, "client_get_requests_per_second", 69444.45, .01);
    assert_number(r, "client_set_p99", 551000, 1000);
    assert_string_equal(get(r, "client_set_p99")->title, "set: p99 latency, by redis-benchmark");
}

static void redis_benchmark_quiet_and_csv(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("redis-benchmark", "redis_quiet");

    assert_number(r, "client_set_requests_per_second", 54794.52, .01);
    assert_number(r, "client_get_p50", 359000, 1000);
    assert_none(r, "requests");
    assert_int_equal(r->count, 4);
    r = read_sample("valkey-benchmark", "redis_quiet_one");
    assert_number(r, "client_requests_per_second", 52083.33, .01);
    r = read_sample("redis-benchmark", "redis_mset");
    assert_number(r, "client_requests_per_second", 42016.80, .01);
    r = read_sample("redis-benchmark", "redis_csv");
    assert_number(r, "client_get_requests_per_second", 88888.89, .01);
    assert_number(r, "client_get_p99", 527000, 1000);
    assert_number(r, "client_set_latency_max", 1479000, 1000);
    assert_int_equal(r->count, 14);
}

static void redis_benchmark_before_version_6_2(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("redis-benchmark", "redis_old");

    assert_number(r, "requests", 100000, 0);
    assert_number(r, "client_requests_per_second", 76335.88, .01);
    r = read_sample("redis-benchmark", "redis_csv_old");
    assert_number(r, "client_set_requests_per_second", 76335.88, .01);
    assert_number(r, "client_get_requests_per_second", 81103, .01);
}

static void redis_benchmark_runs_all_its_tests(void **state)
{
    struct slw_client_readings r;
    char text[8192];
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 24; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "\"TEST%d\",\"1.00\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\"\n%s", i,
                              i ? ""
                                : "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\","
                                  "\"p50_latency_ms\",\"p95_latency_ms\",\"p99_latency_ms\","
                                  "\"max_latency_ms\"\n");
    read_text("redis-benchmark", text, &r);
    assert_int_equal(r.count, 1 + 23 * 7); /* the first came before the head: its rate alone */
    assert_number(&r, "client_test23_latency_max", 7e6, 1e6);
}

/* ---- mysqlslap ---- */

static void mysqlslap_tells_the_time_of_an_iteration_and_no_requests(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("mysqlslap", "mysqlslap_one");

    assert_number(r, "client_run_mean", 732e6, 1e6);
    assert_number(r, "client_run_min", 732e6, 1e6);
    assert_number(r, "client_clients", 1, 0);
    assert_number(r, "client_queries_per_client", 500, 0);
    assert_none(r, "requests");
    /* Not one query was run, and still it says so many: why these are no requests. */
    r = read_sample("mariadb-slap", "mysqlslap_no_database");
    assert_number(r, "client_queries_per_client", 1, 0);
}

static void mysqlslap_of_several_settings_tells_each(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("mysqlslap", "mysqlslap_clients");

    assert_number(r, "client_1_clients_run_mean", 1337e6, 1e6);
    assert_number(r, "client_4_clients_run_max", 396e6, 1e6);
    assert_none(r, "client_run_mean");
    r = read_sample("mysqlslap", "mysqlslap_engines");
    assert_number(r, "client_innodb_1_clients_run_mean", 204e6, 1e6);
    assert_number(r, "client_aria_1_clients_run_mean", 220e6, 1e6);
    r = read_sample("mysqlslap", "mysqlslap_csv");
    assert_number(r, "client_1_clients_run_mean", 353e6, 1e6);
    assert_number(r, "client_4_clients_run_mean", 191e6, 1e6);
}

/* ---- sysbench ---- */

static void sysbench_queries_are_requests(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("sysbench", "sysbench_read_write");

    assert_number(r, "requests", 1000, 0);
    assert_number(r, "client_transactions", 50, 0);
    assert_number(r, "client_transactions_per_second", 108.87, .01);
    assert_number(r, "client_requests_per_second", 2177.41, .01);
    assert_number(r, "client_latency_mean", 9010000, 10000);
    assert_number(r, "client_latency_max", 22390000, 10000);
    assert_number(r, "client_p95", 15830000, 10000);
    assert_number(r, "client_events", 50, 0);
    r = read_sample("sysbench", "sysbench_threads");
    assert_number(r, "client_p99", 110000, 10000);
    assert_number(r, "requests", 83992, 0);
    r = read_sample("sysbench", "sysbench_histogram");
    assert_number(r, "requests", 100, 0);
    assert_number(r, "client_latency_min", 40000, 10000);
}

static void sysbench_without_a_database_has_no_requests(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("sysbench", "sysbench_cpu");

    assert_none(r, "requests");
    assert_number(r, "client_events_per_second", 4095.65, .01);
    assert_number(r, "client_events", 4101, 0);
}

/* ---- the clients of Cassandra and ScyllaDB ---- */

static void cassandra_stress_groups_thousands(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("cassandra-stress", "cassandra_stress");

    assert_number(r, "client_operations_per_second", 49873, 1);
    assert_number(r, "client_operations", 1000000, 0);
    assert_number(r, "client_partitions", 1000000, 0);
    assert_number(r, "client_p50", 800000, 100000);
    assert_number(r, "client_p99", 4100000, 100000);
    assert_number(r, "client_p999", 20300000, 100000);
    assert_number(r, "client_errors", 0, 0);
    assert_none(r, "requests");
}

static void cassandra_stress_that_tries_numbers_of_threads_tells_each(void **state)
{
    (void)state;
    const struct slw_client_readings *r =
        read_sample("cassandra-stress", "cassandra_stress_threads");

    assert_number(r, "client_4_threads_operations_per_second", 10000, 1);
    assert_number(r, "client_4_threads_errors", 2, 0);
    assert_number(r, "client_8_threads_operations_per_second", 18000, 1);
    assert_number(r, "client_8_threads_p99", 1900000, 100000);
    assert_number(r, "client_8_threads_operations", 60000, 0);
    assert_none(r, "client_operations_per_second");
}

static void cassandra_stress_before_version_3(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("cassandra-stress", "cassandra_stress_old");

    assert_number(r, "client_operations_per_second", 19735, 1);
    assert_number(r, "client_p999", 70700000, 100000);
}

static void scylla_bench_prints_durations_of_go(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("scylla-bench", "scylla_bench");

    assert_number(r, "client_run_time", 60016e6, 1e6);
    assert_number(r, "client_operations", 1292400, 0);
    assert_number(r, "client_errors", 3, 0);
    assert_number(r, "client_operations_per_second", 21534.257531, 1e-6);
    assert_number(r, "client_p99", 2424831, 1);
    assert_number(r, "client_p50", 589823, 1);
    assert_number(r, "client_scheduled_latency_max", 1.5e9, 1e8);
    assert_number(r, "client_scheduled_p99", 2555903, 1);
}

static void latte_reads_its_summary(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("latte", "latte");

    assert_number(r, "client_measured_requests", 5941022, 0);
    assert_number(r, "client_operations", 5941022, 0);
    assert_number(r, "client_retries", 4, 0);
    assert_number(r, "client_requests_per_second", 99012, 1);
    assert_number(r, "client_latency_mean", 604000, 1000);
    assert_number(r, "client_p99", 2403000, 1000);
    assert_number(r, "client_p999", 5904000, 1000);
    assert_number(r, "client_latency_max", 40404000, 1000);
    assert_none(r, "requests");
}

/* ---- slotwise workload ---- */

static void workload_counts_its_warm_up_too(void **state)
{
    (void)state;
    const struct slw_client_readings *r = read_sample("slotwise", "workload_text");

    assert_number(r, "requests", 2200, 0);
    assert_number(r, "client_p50", get(r, "client_p50")->value, get(r, "client_p50")->value / 32);
    assert_true(get(r, "client_requests_per_second")->value > 1000);
    r = read_sample("slotwise", "workload_runs");
    assert_number(r, "requests", 6600, 0);
    assert_number(r, "client_requests_per_second", 463423, 1); /* the mean, not the best */
    r = read_sample("slotwise", "workload_json");
    assert_number(r, "requests", 4400, 0);
}

/* ---- whatever comes ---- */

static void numbers_of_other_notations_are_left_out(void **state)
{
    static const char *const clients[] = {"pgbench",          "redis-benchmark", "mysqlslap",
                                          "cassandra-stress", "sysbench",        "latte",
                                          "scylla-bench"};

    (void)state;
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
        assert_int_equal(read_sample(clients[i], "foreign_numbers")->count, 0);
}

static void an_error_message_is_no_reading(void **state)
{
    static struct slw_client_readings r;

    (void)state;
    read_text("pgbench", "pgbench: error: connection to server failed\n", &r);
    assert_int_equal(r.count, 0);
    read_text("redis-benchmark", "Could not connect to Redis at 127.0.0.1:1: refused\n", &r);
    assert_int_equal(r.count, 0);
    read_text("slotwise", "{\n\"runs\": [{}]", &r);
    assert_int_equal(r.count, 0);
    read_text("sysbench", "", &r);
    assert_int_equal(r.count, 0);
}

static void more_numbers_than_there_is_room_for_are_an_error(void **state)
{
    static struct slw_client_readings r;
    const char *const argv[] = {"mysqlslap"};
    struct slw_error err = {0};
    char *text = NULL;
    size_t length = 0;

    (void)state;
    FILE *f = open_memstream(&text, &length);
    assert_non_null(f);
    for (int i = 1; i < 200; i++)
        (void)fprintf(f, ",mixed,1.0,1.0,1.0,%d,1\n", i);
    (void)fclose(f);
    assert_int_equal(slw_client_output_read(1, argv, text, length, NULL, 0, &r, &err),
                     -SLW_E_LIMIT);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pgbench_tells_transactions_and_requests_of_its_own_script),
        cmocka_unit_test(pgbench_progress_is_not_the_result),
        cmocka_unit_test(pgbench_under_a_rate_tells_late_and_skipped),
        cmocka_unit_test(pgbench_transactions_of_other_scripts_are_not_requests),
        cmocka_unit_test(pgbench_that_was_aborted_tells_no_requests),
        cmocka_unit_test(pgbench_of_other_versions),
        cmocka_unit_test(redis_benchmark_of_one_test),
        cmocka_unit_test(redis_benchmark_of_two_tests_has_no_one_number),
        cmocka_unit_test(redis_benchmark_quiet_and_csv),
        cmocka_unit_test(redis_benchmark_before_version_6_2),
        cmocka_unit_test(redis_benchmark_runs_all_its_tests),
        cmocka_unit_test(mysqlslap_tells_the_time_of_an_iteration_and_no_requests),
        cmocka_unit_test(mysqlslap_of_several_settings_tells_each),
        cmocka_unit_test(sysbench_queries_are_requests),
        cmocka_unit_test(sysbench_without_a_database_has_no_requests),
        cmocka_unit_test(cassandra_stress_groups_thousands),
        cmocka_unit_test(cassandra_stress_that_tries_numbers_of_threads_tells_each),
        cmocka_unit_test(cassandra_stress_before_version_3),
        cmocka_unit_test(scylla_bench_prints_durations_of_go),
        cmocka_unit_test(latte_reads_its_summary),
        cmocka_unit_test(workload_counts_its_warm_up_too),
        cmocka_unit_test(numbers_of_other_notations_are_left_out),
        cmocka_unit_test(an_error_message_is_no_reading),
        cmocka_unit_test(more_numbers_than_there_is_room_for_are_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
