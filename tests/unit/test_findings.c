/* SPDX-License-Identifier: MIT */
#include "analyzer/families.h"
#include "tests/report_fixture.h"

#include <stdio.h>

/* Each example makes one rule fire; none of the others may fire on a quiet run. */
typedef void (*example)(struct fixture *f);

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

static void few_samples(struct fixture *f)
{
    fixture_add(f, 100, SLW_NO_THREAD, "u:/usr/bin/client:work");
    fixture_add(f, 100, SLW_NO_THREAD, "u:/usr/bin/client:other");
}

static void lost_samples(struct fixture *f)
{
    quiet(f);
    f->run->losses.lost_samples = 500;
}

static void throttled(struct fixture *f)
{
    quiet(f);
    f->run->losses.throttled = 3;
}

static void no_user_stacks(struct fixture *f)
{
    quiet(f);
    f->run->losses.no_user_stack = 2000;
}

static void no_symbols(struct fixture *f)
{
    quiet(f);
    fixture_add(f, 2000, SLW_NO_THREAD, "u:/usr/lib/libpq.so.5:");
}

static void mostly_waiting(struct fixture *f)
{
    fixture_count(f, "task-clock", "ns", 300000000);
}

static void switches_often(struct fixture *f)
{
    fixture_count(f, "task-clock", "ns", 1000000000);
    fixture_count(f, "context-switches", "events", 20000);
}

static void durable_commits(struct fixture *f)
{
    quiet(f);
    fixture_add(f, 1000, SLW_NO_THREAD,
                "k:[kernel.kallsyms]:ext4_sync_file k:[kernel.kallsyms]:__x64_sys_fsync "
                "u:/usr/lib/libc.so.6:fsync u:/usr/bin/client:commit");
}

static void socket_calls(struct fixture *f)
{
    quiet(f);
    fixture_add(f, 4000, SLW_NO_THREAD,
                "k:[kernel.kallsyms]:tcp_ack k:[kernel.kallsyms]:tcp_sendmsg "
                "k:[kernel.kallsyms]:__arm64_sys_sendto u:/usr/lib/libpq.so.5:pqsecure_raw_write");
}

static void polling(struct fixture *f)
{
    quiet(f);
    fixture_add(f, 1000, SLW_NO_THREAD, "k:[kernel.kallsyms]:__x64_sys_epoll_wait");
}

static void lock_contention(struct fixture *f)
{
    quiet(f);
    fixture_add(f, 1000, SLW_NO_THREAD,
                "k:[kernel.kallsyms]:futex_wait k:[kernel.kallsyms]:__x64_sys_futex");
}

static void major_faults(struct fixture *f)
{
    fixture_count(f, "task-clock", "ns", 1000000000);
    fixture_count(f, "major-faults", "events", 400);
}

static void allocator_heavy(struct fixture *f)
{
    quiet(f);
    fixture_add(f, 400, SLW_NO_THREAD, "u:/usr/lib/libc.so.6:_int_malloc");
    fixture_add(f, 400, SLW_NO_THREAD, "u:/usr/lib/libc.so.6:__libc_free");
}

static void copy_heavy(struct fixture *f)
{
    quiet(f);
    fixture_add(f, 800, SLW_NO_THREAD, "u:/usr/lib/libc.so.6:__memmove_avx_unaligned_erms");
}

static void crypto_heavy(struct fixture *f)
{
    quiet(f);
    fixture_add(f, 800, SLW_NO_THREAD, "u:/usr/lib/libcrypto.so.3:aesni_gcm_encrypt");
}

static void startup_heavy(struct fixture *f)
{
    quiet(f);
    fixture_add(f, 3000, SLW_NO_THREAD,
                "u:/usr/lib64/ld-linux-x86-64.so.2:do_lookup_x "
                "u:/usr/lib64/ld-linux-x86-64.so.2:_dl_relocate_object");
}

static const struct {
    const char *id;
    example example;
    const char *number; /* the evidence must cite it */
} examples[] = {{"few-samples", few_samples, "200 samples"},
                {"lost-samples", lost_samples, "500 samples lost of 4,500"},
                {"throttled", throttled, "3 times"},
                {"no-user-stacks", no_user_stacks, "2,000 samples of 4,000"},
                {"no-symbols", no_symbols, "33.3 %"},
                {"mostly-waiting", mostly_waiting, "300 ms of CPU time in 1.20 s: 0.25 CPUs busy"},
                {"switches-often", switches_often, "one every 50.0 us"},
                {"durable-commits", durable_commits, "20.0 % (18.9-21.1 %)"},
                {"socket-calls", socket_calls, "50.0 %"},
                {"polling", polling, "20.0 %"},
                {"lock-contention", lock_contention, "20.0 %"},
                {"major-faults", major_faults, "400 major faults in 1.00 s"},
                {"allocator-heavy", allocator_heavy, "16.7 %"},
                {"copy-heavy", copy_heavy, "16.7 %"},
                {"crypto-heavy", crypto_heavy, "16.7 %"},
                {"startup-heavy", startup_heavy, "42.9 %"}};
#define EXAMPLE_COUNT (sizeof(examples) / sizeof(examples[0]))

static const struct slw_finding *find(const struct slw_report *r, const char *id)
{
    for (size_t i = 0; i < r->finding_count; i++)
        if (strcmp(r->findings[i].id, id) == 0)
            return &r->findings[i];
    return NULL;
}

static void check_example(const struct slw_report *r, const char *id, const char *number)
{
    if (r->finding_count != 1)
        fail_msg("%s: %zu findings, the last is %s", id, r->finding_count,
                 r->finding_count ? r->findings[r->finding_count - 1].id : "none");
    assert_string_equal(r->findings[0].id, id);
    if (!strstr(r->findings[0].evidence, number))
        fail_msg("%s: \"%s\" does not cite %s", id, r->findings[0].evidence, number);
    assert_true(strlen(r->findings[0].advice) > 20);
}

static void each_rule_fires_on_its_example_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLE_COUNT; i++) {
        struct fixture f = fixture_new();
        examples[i].example(&f);
        check_example(fixture_report(&f), examples[i].id, examples[i].number);
        fixture_free(&f);
    }
}

static void every_rule_has_an_example(void **state)
{
    (void)state;
    static const char *const ids[] = {
#define SLW_FINDING(id, evidence, title, advice) id,
#include "analyzer/findings.def"
#undef SLW_FINDING
    };
    assert_int_equal(sizeof(ids) / sizeof(ids[0]), EXAMPLE_COUNT);
    for (size_t i = 0; i < EXAMPLE_COUNT; i++)
        assert_string_equal(ids[i], examples[i].id);
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
    assert_string_equal(slw_family_syscall("__arm64_sys_sendto"), "sendto");
    assert_null(slw_family_syscall("sendto"));
    assert_null(slw_family_syscall("__x64_sys_"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_fires_on_its_example_alone),
        cmocka_unit_test(every_rule_has_an_example),
        cmocka_unit_test(a_quiet_run_has_no_findings),
        cmocka_unit_test(nothing_measured_finds_nothing),
        cmocka_unit_test(three_samples_of_malloc_are_no_finding),
        cmocka_unit_test(user_mode_switches_are_not_taken_for_none),
        cmocka_unit_test(a_stack_counts_once_for_a_family),
        cmocka_unit_test(names_are_compared_without_decoration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
