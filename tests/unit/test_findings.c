/* SPDX-License-Identifier: MIT */
#include "analyzer/families.h"
#include "tests/traffic_fixture.h"

#include <stdio.h>

static void quiet(struct fixture *f)
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

static const struct slw_finding *find(const struct slw_report *r, const char *id)
{
    for (size_t i = 0; i < r->finding_count; i++)
        if (strcmp(r->findings[i].id, id) == 0)
            return &r->findings[i];
    return NULL;
}

static void a_quiet_run_has_no_findings(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    quiet(&f);
    assert_int_equal(fixture_report(&f)->finding_count, 0);
    fixture_free(&f);
}

static void nothing_measured_finds_nothing(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    f.run->wall_ns.absent = "not measured";
    fixture_absent(&f, "task-clock", "refused");
    fixture_absent(&f, "context-switches", "refused");
    assert_int_equal(fixture_report(&f)->finding_count, 0);
    fixture_free(&f);
}

static void three_samples_of_malloc_are_no_finding(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_add(&f, 1, SLW_NO_THREAD, "u:/usr/lib/libc.so.6:malloc");
    fixture_add(&f, 8, SLW_NO_THREAD, "u:/usr/bin/client:work");
    assert_null(find(fixture_report(&f), "allocator-heavy"));
    fixture_free(&f);
}

static void user_mode_switches_are_not_taken_for_none(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_count(&f, "task-clock", "ns", 1000000000);
    fixture_count(&f, "context-switches", "events", 20000);
    f.run->counts[1].mode = SLW_MODE_USER;
    const struct slw_report *r = fixture_report(&f);
    assert_non_null(r->facts->context_switches.absent);
    assert_null(find(r, "switches-often"));
    fixture_free(&f);
}

static void a_stack_counts_once_for_a_family(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    fixture_add(&f, 10, SLW_NO_THREAD,
                "k:[kernel.kallsyms]:vfs_fsync_range k:[kernel.kallsyms]:do_fsync "
                "k:[kernel.kallsyms]:__x64_sys_fsync u:/usr/lib/libc.so.6:fsync");
    fixture_add(&f, 30, SLW_NO_THREAD, "u:/usr/bin/client:work");
    const struct slw_report *r = fixture_report(&f);
    assert_near(r->facts->family[SLW_FAMILY_COMMIT].value, 0.25, 1e-12);
    fixture_free(&f);
}

static void names_are_compared_without_decoration(void **state)
{
    (void)state;
    assert_true(slw_family_has(SLW_FAMILY_COMMIT, "__x64_sys_fdatasync", ""));
    assert_true(slw_family_has(SLW_FAMILY_ALLOCATOR, "__GI___libc_malloc", ""));
    assert_true(slw_family_has(SLW_FAMILY_ALLOCATOR, "malloc@@GLIBC_2.2.5", ""));
    assert_true(slw_family_has(SLW_FAMILY_ALLOCATOR, "operator new(unsigned long)", ""));
    assert_true(slw_family_has(SLW_FAMILY_ALLOCATOR, "arena_bin_malloc", "libjemalloc.so.2"));
    assert_false(slw_family_has(SLW_FAMILY_ALLOCATOR, "mallocator", ""));
    assert_false(slw_family_has(SLW_FAMILY_COMMIT, "fsync_parent_path", ""));
    assert_false(slw_family_has(SLW_FAMILY_CRYPTO, "", ""));
    assert_true(slw_family_has(SLW_FAMILY_SERIALIZATION, "lex_scan", "libjansson.so.4"));
    assert_true(slw_family_has(SLW_FAMILY_SERIALIZATION, "google::protobuf::Message::Parse(int)",
                               "client"));
    assert_false(slw_family_has(SLW_FAMILY_SERIALIZATION, "memcpy", "libc.so.6"));
    assert_true(slw_family_has(SLW_FAMILY_COMPRESSION, "ZSTD_compressBlock_fast", "client"));
    assert_true(slw_family_has(SLW_FAMILY_COMPRESSION, "longest_match", "libz.so.1.2.13"));
    assert_false(slw_family_has(SLW_FAMILY_COMPRESSION, "deflated_balloon", "client"));
    assert_string_equal(slw_family_syscall("__arm64_sys_sendto"), "sendto");
    assert_null(slw_family_syscall("sendto"));
    assert_null(slw_family_syscall("__x64_sys_"));
}

/* ---- what looks like a pattern and is none ---- */

/* 2,000 requests, 400 of them of 40 ms, over a connection to this peer with flushes of this size.
 */
static bool delayed_ack(const char *peer, uint64_t flushes)
{
    struct fixture f = fixture_new();
    const struct slw_latency slow = {SLW_LATENCY_REQUEST, 40000000, 41000000, 400};

    fixture_traffic(&f,
                    &(struct slw_connection){.requests = 2000, .flushes = flushes, .peer = peer});
    assert_int_equal(slw_run_add_latency(f.run, &slow, NULL), 0);
    const bool found = find(fixture_report(&f), "delayed-ack") != NULL;
    fixture_free(&f);
    return found;
}

static void only_tcp_with_small_writes_has_delayed_acks(void **state)
{
    (void)state;
    assert_true(delayed_ack("127.0.0.1:5432", 2000));
    assert_false(delayed_ack("unix:/run/x", 2000));
    assert_false(delayed_ack("127.0.0.1:5432", 50)); /* 2,400 bytes: more than a segment */
}

/* pgbench -S: one row for each request, by nature. */
static void lookups_of_one_row_are_no_cursor(void **state)
{
    (void)state;
    struct fixture f = fixture_new();

    fixture_traffic(&f, &(struct slw_connection){.requests = 9000, .flushes = 9000, .rows = 9000});
    const struct slw_report *r = fixture_report(&f);
    assert_null(find(r, "one-row-fetches"));
    assert_null(find(r, "one-row-reads"));
    fixture_free(&f);
}

/* Deep, but one by one: told from what was in flight where the client is not a known one. */
static void a_pipeline_that_flushes_one_by_one_is_found_by_its_depth(void **state)
{
    (void)state;
    for (uint64_t depth = 3; depth <= 4; depth++) {
        struct fixture f = fixture_new();

        fixture_traffic(&f, &(struct slw_connection){.requests = 3000,
                                                     .flushes = 2000,
                                                     .depth_sum = depth * 2000,
                                                     .max_depth = depth});
        assert_true((find(fixture_report(&f), "pipeline-not-batched") != NULL) == (depth == 4));
        fixture_free(&f);
    }
}

static void the_p99_of_single_requests_is_theirs(void **state)
{
    (void)state;
    struct fixture f = fixture_new();

    fixture_traffic(&f, &(struct slw_connection){.requests = 3999,
                                                 .flushes = 1000,
                                                 .latency_count = 3999,
                                                 .latency_max_ns = 1000000,
                                                 .batch_count = 1000,
                                                 .batch_max_ns = 1000000});
    for (int of = 0; of < 2; of++) {
        const struct slw_latency l = {(enum slw_latency_of)of, 900000, 1000000, 1000};
        assert_int_equal(slw_run_add_latency(f.run, &l, NULL), 0);
    }
    assert_null(find(fixture_report(&f), "p99-of-batch"));
    fixture_free(&f);
}

/* A commit is no round trip, and what no socket moved is not 0 bytes of something. */
static void sqlite_has_no_sends(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    const struct slw_connection c = {.protocol = "SQLite",
                                     .peer = "/tmp/a.db",
                                     .pid = 4711,
                                     .from = fixture_software,
                                     .connections = 1,
                                     .requests = 2000,
                                     .responses = 2000,
                                     .statements = 2000,
                                     .flushes = 2000,
                                     .max_batch = 1,
                                     .depth_sum = 2000,
                                     .max_depth = 1};

    quiet(&f);
    assert_int_equal(slw_run_add_connection(f.run, &c, NULL), 0);
    f.run->requests = (struct slw_maybe_u64){.value = 2000};
    const struct slw_report *r = fixture_report(&f);
    assert_null(find(r, "one-request-per-flush"));
    bool flushes = false;
    for (size_t i = 0; i < r->costs->count; i++) {
        assert_string_not_equal(r->costs->rows[i].key, "sends");
        assert_string_not_equal(r->costs->rows[i].key, "bytes_sent");
        flushes |= strcmp(r->costs->rows[i].key, "flushes") == 0;
    }
    assert_true(flushes);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_run_has_no_findings),
        cmocka_unit_test(nothing_measured_finds_nothing),
        cmocka_unit_test(three_samples_of_malloc_are_no_finding),
        cmocka_unit_test(user_mode_switches_are_not_taken_for_none),
        cmocka_unit_test(a_stack_counts_once_for_a_family),
        cmocka_unit_test(names_are_compared_without_decoration),
        cmocka_unit_test(only_tcp_with_small_writes_has_delayed_acks),
        cmocka_unit_test(lookups_of_one_row_are_no_cursor),
        cmocka_unit_test(a_pipeline_that_flushes_one_by_one_is_found_by_its_depth),
        cmocka_unit_test(the_p99_of_single_requests_is_theirs),
        cmocka_unit_test(sqlite_has_no_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
