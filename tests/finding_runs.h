/* SPDX-License-Identifier: MIT */
/* Runs that make the rules of findings.def fire, and runs that stop just short of it. To add a
 * rule: two functions and a row of finding_runs[]. A pair differs in the one number that the
 * threshold is about. */
#ifndef SLW_TESTS_FINDING_RUNS_H
#define SLW_TESTS_FINDING_RUNS_H

#include "tests/traffic_fixture.h"

#include <stdio.h>

/* 4,000 samples of code of no family. */
static inline void quiet(struct fixture *f)
{
    fixture_sampling(f, SLW_MODE_ALL);
    fixture_count(f, "task-clock", "ns", 1100000000);
    fixture_count(f, "context-switches", "events", 100);
    fixture_count(f, "major-faults", "events", 0);
    for (int i = 0; i < 40; i++) {
        char stack[64];
        (void)snprintf(stack, sizeof(stack), "u:/usr/bin/client:work%d", i);
        fixture_add(f, 100, SLW_NO_THREAD, stack);
    }
}

/* ---- the measurement ---- */

static inline void few_samples(struct fixture *f)
{
    fixture_add(f, 100, SLW_NO_THREAD, "u:/usr/bin/client:work");
    fixture_add(f, 100, SLW_NO_THREAD, "u:/usr/bin/client:other");
}

static inline void enough_samples(struct fixture *f)
{
    fixture_add(f, 600, SLW_NO_THREAD, "u:/usr/bin/client:work");
    fixture_add(f, 600, SLW_NO_THREAD, "u:/usr/bin/client:other");
}

static inline void lost_samples(struct fixture *f)
{
    quiet(f);
    f->run->losses.lost_samples = 500;
}

static inline void nearly_none_lost(struct fixture *f)
{
    quiet(f);
    f->run->losses.lost_samples = 40;
}

static inline void throttled(struct fixture *f)
{
    quiet(f);
    f->run->losses.throttled = 3;
}

static inline void no_user_stacks(struct fixture *f)
{
    quiet(f);
    f->run->losses.no_user_stack = 2000;
}

static inline void most_have_stacks(struct fixture *f)
{
    quiet(f);
    f->run->losses.no_user_stack = 799;
}

static inline void unwound(struct fixture *f, uint64_t complete, uint64_t truncated,
                           uint64_t no_cfi)
{
    struct slw_unwinding u = {.event = "cpu-clock", .copy_bytes = 8192};

    quiet(f);
    u.ends[SLW_UNWOUND_COMPLETE] = complete;
    u.ends[SLW_UNWOUND_TRUNCATED] = truncated;
    u.ends[SLW_UNWOUND_NO_CFI] = no_cfi;
    assert_int_equal(slw_run_add_unwinding(f->run, &u, NULL), 0);
}

static inline void truncated_stacks(struct fixture *f)
{
    unwound(f, 2970, 1000, 30);
}

static inline void few_truncated_stacks(struct fixture *f)
{
    unwound(f, 3961, 39, 0);
}

static inline void broken_stacks(struct fixture *f)
{
    unwound(f, 3870, 30, 100);
}

static inline void few_broken_stacks(struct fixture *f)
{
    unwound(f, 3961, 0, 39);
}

static inline void no_symbols(struct fixture *f)
{
    quiet(f);
    fixture_add(f, 2000, SLW_NO_THREAD, "u:/usr/lib/libpq.so.5:");
}

static inline void most_have_symbols(struct fixture *f)
{
    quiet(f);
    fixture_add(f, 990, SLW_NO_THREAD, "u:/usr/lib/libpq.so.5:");
}

/* ---- families of code: a tenth or three tenths of the samples, and a little less ---- */

#define TENTH           800
#define LESS_THAN_TENTH 440 /* of 4,440: 9.9 % */
#define THIRD           4000
#define LESS_THAN_THIRD 1700 /* of 5,700: 29.8 % */
#define FAMILY_PAIR(name, many, fewer, stack)                                                      \
    static inline void name(struct fixture *f)                                                     \
    {                                                                                              \
        quiet(f);                                                                                  \
        fixture_add(f, many, SLW_NO_THREAD, stack);                                                \
    }                                                                                              \
    static inline void little_##name(struct fixture *f)                                            \
    {                                                                                              \
        quiet(f);                                                                                  \
        fixture_add(f, fewer, SLW_NO_THREAD, stack);                                               \
    }

FAMILY_PAIR(durable_commits, 1000, LESS_THAN_TENTH,
            "k:[kernel.kallsyms]:ext4_sync_file k:[kernel.kallsyms]:__x64_sys_fsync "
            "u:/usr/lib/libc.so.6:fsync u:/usr/bin/client:commit")
FAMILY_PAIR(socket_calls, THIRD, LESS_THAN_THIRD,
            "k:[kernel.kallsyms]:tcp_ack k:[kernel.kallsyms]:tcp_sendmsg "
            "k:[kernel.kallsyms]:__arm64_sys_sendto u:/usr/lib/libpq.so.5:pqsecure_raw_write")
FAMILY_PAIR(polling, 1000, LESS_THAN_TENTH, "k:[kernel.kallsyms]:__x64_sys_epoll_wait")
FAMILY_PAIR(lock_contention, 1000, LESS_THAN_TENTH,
            "k:[kernel.kallsyms]:futex_wait k:[kernel.kallsyms]:__x64_sys_futex")
FAMILY_PAIR(allocator_heavy, TENTH, LESS_THAN_TENTH, "u:/usr/lib/libc.so.6:_int_malloc")
FAMILY_PAIR(copy_heavy, TENTH, LESS_THAN_TENTH, "u:/usr/lib/libc.so.6:__memmove_avx_unaligned_erms")
FAMILY_PAIR(crypto_heavy, TENTH, LESS_THAN_TENTH, "u:/usr/lib/libcrypto.so.3:aesni_gcm_encrypt")
FAMILY_PAIR(startup_heavy, 3000, LESS_THAN_THIRD,
            "u:/usr/lib64/ld-linux-x86-64.so.2:do_lookup_x "
            "u:/usr/lib64/ld-linux-x86-64.so.2:_dl_relocate_object")
FAMILY_PAIR(serialization_hot, TENTH, LESS_THAN_TENTH,
            "u:/usr/lib/libjansson.so.4:lex_scan u:/usr/bin/client:load")
FAMILY_PAIR(compression_hot, TENTH, LESS_THAN_TENTH,
            "u:/usr/bin/client:LZ4_decompress_safe u:/usr/bin/client:load")

/* ---- counts ---- */

static inline void mostly_waiting(struct fixture *f)
{
    fixture_count(f, "task-clock", "ns", 300000000);
}

static inline void half_waiting(struct fixture *f)
{
    fixture_count(f, "task-clock", "ns", 600000000);
}

static inline void switches_often(struct fixture *f)
{
    fixture_count(f, "task-clock", "ns", 1000000000);
    fixture_count(f, "context-switches", "events", 20000);
}

static inline void switches_less_often(struct fixture *f)
{
    fixture_count(f, "task-clock", "ns", 1000000000);
    fixture_count(f, "context-switches", "events", 4999);
}

static inline void major_faults(struct fixture *f)
{
    fixture_count(f, "task-clock", "ns", 1000000000);
    fixture_count(f, "major-faults", "events", 400);
}

static inline void some_major_faults(struct fixture *f)
{
    fixture_count(f, "task-clock", "ns", 1000000000);
    fixture_count(f, "major-faults", "events", 99);
}

/* ---- the wire ---- */

static inline void one_request_per_flush(struct fixture *f)
{
    fixture_traffic(f, &(struct slw_connection){.requests = 2000, .flushes = 2000});
}

static inline void some_batches(struct fixture *f)
{
    fixture_traffic(f, &(struct slw_connection){.requests = 2000, .flushes = 1900});
}

static const char *asked_for_16[] = {"taskset", "-c", "1", "/usr/bin/redis-benchmark", "-P", "16"};

static inline void pipeline_not_batched(struct fixture *f)
{
    f->run->command.argv = asked_for_16;
    f->run->command.argc = 6;
    fixture_traffic(f, &(struct slw_connection){.requests = 8000, .flushes = 1000});
}

static inline void pipeline_half_batched(struct fixture *f)
{
    f->run->command.argv = asked_for_16;
    f->run->command.argc = 6;
    fixture_traffic(f, &(struct slw_connection){.requests = 8001, .flushes = 1000});
}

static inline void one_row_reads(struct fixture *f)
{
    fixture_traffic(f, &(struct slw_connection){
                           .requests = 1000, .flushes = 100, .rows = 10000, .reads = 9000});
}

static inline void several_rows_reads(struct fixture *f)
{
    fixture_traffic(f, &(struct slw_connection){
                           .requests = 1000, .flushes = 100, .rows = 10000, .reads = 8999});
}

static inline void one_row_fetches(struct fixture *f)
{
    fixture_traffic(f, &(struct slw_connection){
                           .requests = 1000, .flushes = 1000, .rows = 1000, .sent_bytes = 40000});
}

static inline void one_row_lookups(struct fixture *f)
{
    fixture_traffic(f, &(struct slw_connection){
                           .requests = 1000, .flushes = 1000, .rows = 1000, .sent_bytes = 40001});
}

static inline void forty_ms(struct fixture *f, uint64_t inside, uint64_t around)
{
    const struct slw_latency latencies[] = {
        {SLW_LATENCY_REQUEST, 100000, 103000, 2000 - inside - around},
        {SLW_LATENCY_REQUEST, 30000000, 31000000, around},
        {SLW_LATENCY_REQUEST, 40000000, 41000000, inside}};

    fixture_traffic(f, &(struct slw_connection){.requests = 2000, .flushes = 1000});
    for (size_t i = 0; i < 3; i++)
        if (latencies[i].count > 0)
            assert_int_equal(slw_run_add_latency(f->run, &latencies[i], NULL), 0);
}

static inline void delayed_ack(struct fixture *f)
{
    forty_ms(f, 20, 5);
}

static inline void slow_around_40_ms(struct fixture *f)
{
    forty_ms(f, 20, 6);
}

static inline void batches_of(struct fixture *f, uint64_t requests, uint64_t request_p99)
{
    const struct slw_latency one = {SLW_LATENCY_REQUEST, request_p99, request_p99, requests};
    const struct slw_latency whole = {SLW_LATENCY_BATCH, 1000000, 1000000, 1000};

    fixture_traffic(f, &(struct slw_connection){.requests = requests,
                                                .flushes = 1000,
                                                .latency_count = requests,
                                                .latency_max_ns = 2000000,
                                                .batch_count = 1000,
                                                .batch_max_ns = 2000000});
    assert_int_equal(slw_run_add_latency(f->run, &one, NULL), 0);
    assert_int_equal(slw_run_add_latency(f->run, &whole, NULL), 0);
}

static inline void p99_of_batch(struct fixture *f)
{
    batches_of(f, 4000, 800000);
}

static inline void p99_of_request(struct fixture *f)
{
    batches_of(f, 4000, 799999);
}

/* ---- waiting: the window is 1.2 s ---- */

#define MS UINT64_C(1000000)

static inline void one_thread(struct fixture *f, uint64_t busy_ms, uint64_t answer_ms)
{
    struct slw_waiting w = {.wall_ns = 1200 * MS};

    w.ns[SLW_WAIT_ON_CPU] = busy_ms * MS;
    w.ns[SLW_WAIT_ANSWER] = answer_ms * MS;
    w.ns[SLW_WAIT_DISK] = (1200 - busy_ms - answer_ms) * MS;
    fixture_threads(f, &w, 1);
    fixture_traffic(f, &(struct slw_connection){.requests = 2000, .flushes = 1000});
}

static inline void client_saturated(struct fixture *f)
{
    one_thread(f, 1080, 0);
}

static inline void client_nearly_saturated(struct fixture *f)
{
    one_thread(f, 1079, 0);
}

static inline void waits_for_server(struct fixture *f)
{
    one_thread(f, 300, 600);
}

static inline void waits_less_for_server(struct fixture *f)
{
    one_thread(f, 300, 599);
}

static inline void two_threads(struct fixture *f, enum slw_wait state, uint64_t ms, uint64_t waits)
{
    struct slw_waiting w[2] = {{.wall_ns = 1200 * MS}, {.wall_ns = 1200 * MS}};

    for (int i = 0; i < 2; i++) {
        w[i].ns[SLW_WAIT_ON_CPU] = 600 * MS;
        w[i].ns[state] += ms * MS;
        w[i].ns[SLW_WAIT_ANSWER] = (600 - ms) * MS;
        w[i].waits[state] = waits;
    }
    fixture_threads(f, w, 2);
}

static inline void wait_for(struct fixture *f, enum slw_wait state, const char *what, uint64_t ms)
{
    const struct slw_waited_for w = {
        .state = state, .what = what, .pid = -1, .ns = ms * MS, .waits = 9};

    assert_int_equal(slw_run_add_waited_for(f->run, &w, NULL), 0);
}

static inline void lock_waiting(struct fixture *f)
{
    two_threads(f, SLW_WAIT_LOCK, 120, 120);
}

static inline void one_lock(struct fixture *f)
{
    lock_waiting(f);
    wait_for(f, SLW_WAIT_LOCK, "queue_lock (client)", 150);
    wait_for(f, SLW_WAIT_LOCK, "0x7f0010", 50);
    wait_for(f, SLW_WAIT_ANSWER, "127.0.0.1:5432", 500);
}

static inline void lock_rarely(struct fixture *f)
{
    two_threads(f, SLW_WAIT_LOCK, 120, 119);
}

static inline void no_free_cpu(struct fixture *f)
{
    two_threads(f, SLW_WAIT_RUNNABLE, 120, 10);
}

static inline void nearly_enough_cpu(struct fixture *f)
{
    two_threads(f, SLW_WAIT_RUNNABLE, 119, 10);
}

static inline void loop_and_workers(struct fixture *f, uint64_t busy_ms)
{
    struct slw_waiting w[3] = {
        {.wall_ns = 1200 * MS}, {.wall_ns = 1200 * MS}, {.wall_ns = 1200 * MS}};

    w[0].ns[SLW_WAIT_ON_CPU] = busy_ms * MS;
    w[0].ns[SLW_WAIT_EVENT_LOOP] = (1200 - busy_ms) * MS;
    w[0].waits[SLW_WAIT_EVENT_LOOP] = 10;
    w[1].ns[SLW_WAIT_LOCK] = w[2].ns[SLW_WAIT_LOCK] = 1200 * MS;
    w[1].waits[SLW_WAIT_LOCK] = w[2].waits[SLW_WAIT_LOCK] = 1;
    fixture_threads(f, w, 3);
}

static inline void event_loop_blocked(struct fixture *f)
{
    loop_and_workers(f, 1080);
}

static inline void event_loop_nearly_blocked(struct fixture *f)
{
    loop_and_workers(f, 1079);
}

/* ---- the pipeline: nodes are put into the report ---- */

static inline void pipeline_nodes(struct slw_report *r, double front_end, double mpki)
{
    static struct slw_report_node nodes[2];

    nodes[0] = (struct slw_report_node){.name = "frontend_bound",
                                        .level = 1,
                                        .parent = -1,
                                        .value = {.value = front_end, .unit = "slots"}};
    nodes[1] =
        (struct slw_report_node){.name = "icache_mpki", .parent = -1, .value = {.value = mpki}};
    r->nodes = nodes;
    r->node_count = 2;
}

static inline void front_end_bound(struct slw_report *r)
{
    pipeline_nodes(r, 0.20, 10);
}

static inline void front_end_less_bound(struct slw_report *r)
{
    pipeline_nodes(r, 0.20, 9.99);
}

static inline void unbatched(struct fixture *f)
{
    fixture_traffic(f, &(struct slw_connection){.requests = 2000, .flushes = 2000});
}

/* ---- the table ---- */

struct finding_run {
    const char *id;
    void (*fires)(struct fixture *f);
    void (*near)(struct fixture *f);
    const char *number; /* the evidence must cite it */
    void (*patch)(struct slw_report *r), (*near_patch)(struct slw_report *r);
};

static const struct finding_run finding_runs[] = {
    {"few-samples", few_samples, enough_samples, "200 samples", NULL, NULL},
    {"lost-samples", lost_samples, nearly_none_lost, "500 samples lost of 4,500", NULL, NULL},
    {"throttled", throttled, quiet, "3 times", NULL, NULL},
    {"no-user-stacks", no_user_stacks, most_have_stacks, "2,000 samples of 4,000", NULL, NULL},
    {"truncated-stacks", truncated_stacks, few_truncated_stacks,
     "1,000 of 4,000 stacks go on beyond the 8 KiB", NULL, NULL},
    {"broken-stacks", broken_stacks, few_broken_stacks,
     "100 of 4,000 stacks end early: 100 lead through code without", NULL, NULL},
    {"no-symbols", no_symbols, most_have_symbols, "33.3 %", NULL, NULL},
    {"mostly-waiting", mostly_waiting, half_waiting, "300 ms of CPU time in 1.20 s: 0.25 CPUs busy",
     NULL, NULL},
    {"switches-often", switches_often, switches_less_often, "one every 50.0 us", NULL, NULL},
    {"durable-commits", durable_commits, little_durable_commits, "20.0 % (18.9-21.1 %)", NULL,
     NULL},
    {"socket-calls", socket_calls, little_socket_calls, "50.0 %", NULL, NULL},
    {"polling", polling, little_polling, "20.0 %", NULL, NULL},
    {"lock-contention", lock_contention, little_lock_contention, "20.0 %", NULL, NULL},
    {"major-faults", major_faults, some_major_faults, "400 major faults in 1.00 s", NULL, NULL},
    {"allocator-heavy", allocator_heavy, little_allocator_heavy, "16.7 %", NULL, NULL},
    {"copy-heavy", copy_heavy, little_copy_heavy, "16.7 %", NULL, NULL},
    {"crypto-heavy", crypto_heavy, little_crypto_heavy, "16.7 %", NULL, NULL},
    {"startup-heavy", startup_heavy, little_startup_heavy, "42.9 %", NULL, NULL},
    {"serialization-hot", serialization_hot, little_serialization_hot, "16.7 %", NULL, NULL},
    {"compression-hot", compression_hot, little_compression_hot, "16.7 %", NULL, NULL},
    {"one-request-per-flush", one_request_per_flush, some_batches,
     "1.00 requests per flush in 2,000 flushes, 2.0 sends and reads per request", NULL, NULL},
    {"pipeline-not-batched", pipeline_not_batched, pipeline_half_batched,
     "a pipeline of 16 was asked for; 8.00 requests per flush", NULL, NULL},
    {"front-end-unbatched", unbatched, unbatched, "front-end bound 20 % of the slots, 10",
     front_end_bound, front_end_less_bound},
    {"client-saturated", client_saturated, client_nearly_saturated, "90 % of the time", NULL, NULL},
    {"waits-for-server", waits_for_server, waits_less_for_server, "50 % of the client's", NULL,
     NULL},
    {"lock-waiting", one_lock, lock_rarely,
     "2 threads waited for locks 10 % of their time, in waits of 1.00 ms on average; 75 % of the "
     "waiting for locks was for one, queue_lock (client)",
     NULL, NULL},
    {"no-free-cpu", no_free_cpu, nearly_enough_cpu, "10 % of the thread time", NULL, NULL},
    {"event-loop-blocked", event_loop_blocked, event_loop_nearly_blocked,
     "90 % of the time, the other 2", NULL, NULL},
    {"one-row-reads", one_row_reads, several_rows_reads, "10,000 rows came in 9,000 reads", NULL,
     NULL},
    {"one-row-fetches", one_row_fetches, one_row_lookups, "40 bytes brought 1.00 rows", NULL, NULL},
    {"delayed-ack", delayed_ack, slow_around_40_ms, "20 requests of 2,000", NULL, NULL},
    {"p99-of-batch", p99_of_batch, p99_of_request, "4.0 requests per flush", NULL, NULL},
};
#define FINDING_RUN_COUNT (sizeof(finding_runs) / sizeof(finding_runs[0]))

#endif
