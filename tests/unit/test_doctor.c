/* SPDX-License-Identifier: MIT */
/* Every cause is told apart: by judging made-up facts, and by really taking permissions away from a
 * child process. */
#include "collector/doctor.h"
#include "collector/doctor_int.h"
#include "tests/unit/cmocka_int.h"

#include <errno.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A machine without faults, for an ordinary user. */
static struct slw_host host(int paranoid)
{
    return (struct slw_host){
        .perf_event_paranoid = paranoid,
        .kptr_restrict = 0,
        .nmi_watchdog = 0,
        .cpu = {.family = 6, .model = 94, .stepping = 3, .implementer = -1, .part = -1, .smt = 1},
    };
}

static struct slw_doctor_facts facts(const struct slw_host *h)
{
    return (struct slw_doctor_facts){
        .host = h,
        .pmus = "cpu",
        .pmu_count = 1,
        .event_sources = true,
        .mlock_kb = 516,
        .max_rate_hz = 100000,
        .tracefs = SLW_TRACEFS_READABLE,
        .btf = true,
        .cgroup_version = 2,
        .model = "Some CPU",
    };
}

static const struct slw_check_result *check(const struct slw_diagnosis *d, const char *name)
{
    for (size_t i = 0; i < d->check_count; i++)
        if (strcmp(d->checks[i].name, name) == 0)
            return &d->checks[i];
    fail_msg("no check %s", name);
    abort(); /* fail_msg does not return, but the compiler cannot know */
}

static void expect(const struct slw_diagnosis *d, const char *name, enum slw_check_status status,
                   const char *found, const char *fix)
{
    const struct slw_check_result *r = check(d, name);

    if (r->status != status || !strstr(r->found, found) || !strstr(r->fix, fix))
        fail_msg("%s: status %d, '%s', fix '%s'", name, (int)r->status, r->found, r->fix);
}

static void bpf_needs_its_capabilities_and_btf(void **state)
{
    (void)state;
    struct slw_host h = host(-1);
    struct slw_doctor_facts f = facts(&h);
    struct slw_diagnosis d;

    f.caps = UINT64_C(1) << 39; /* CAP_BPF alone loads, but may not trace */
    slw_doctor_judge(&f, &d);
    expect(&d, "offcpu", SLW_CHECK_LIMITED, "CAP_PERFMON", "setcap");
    expect(&d, "socket", SLW_CHECK_LIMITED, "CAP_PERFMON", "setcap");
    f.caps = UINT64_C(1) << 21; /* CAP_SYS_ADMIN */
    slw_doctor_judge(&f, &d);
    expect(&d, "offcpu", SLW_CHECK_OK, "--offcpu", "");
    expect(&d, "socket", SLW_CHECK_OK, "--wire bpf", "");
    f.btf = false;
    slw_doctor_judge(&f, &d);
    expect(&d, "offcpu", SLW_CHECK_LIMITED, "btf", "");
    expect(&d, "socket", SLW_CHECK_LIMITED, "btf", "");
}

static void a_good_machine_has_no_complaints(void **state)
{
    (void)state;
    struct slw_host h = host(-1);
    struct slw_doctor_facts f = facts(&h);
    struct slw_diagnosis d;
    f.caps = UINT64_C(3) << 38; /* CAP_PERFMON, CAP_BPF */
    slw_doctor_judge(&f, &d);
    for (size_t i = 0; i < d.check_count; i++) {
        if (d.checks[i].status != SLW_CHECK_OK)
            fail_msg("%s: %s", d.checks[i].name, d.checks[i].found);
        assert_string_equal(d.checks[i].impact, "");
        assert_string_equal(d.checks[i].fix, "");
    }
    assert_string_equal(d.tier, "hardware");
}

static void refusals_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        int paranoid, why, seccomp;
        uint64_t caps;
        enum slw_refusal refusal;
    } cases[] = {
        {2, 0, 0, 0, SLW_REFUSAL_NONE},
        {2, 0, 2, 0, SLW_REFUSAL_NONE},
        {3, 0, 0, 0, SLW_REFUSAL_NONE}, /* a kernel that does not know level 3 */
        {3, EACCES, 0, 0, SLW_REFUSAL_PARANOID},
        {3, EACCES, 2, 0, SLW_REFUSAL_PARANOID},
        {3, EPERM, 2, 0, SLW_REFUSAL_SECCOMP},
        {2, EPERM, 2, 0, SLW_REFUSAL_SECCOMP},
        {2, ENOSYS, 2, 0, SLW_REFUSAL_SECCOMP},
        {2, EACCES, 2, 0, SLW_REFUSAL_SECCOMP},
        {4, EACCES, 2, UINT64_C(1) << CAP_SYS_ADMIN, SLW_REFUSAL_SECCOMP},
        {INT_MIN, ENOSYS, 0, 0, SLW_REFUSAL_NO_KERNEL_SUPPORT},
        {2, EACCES, 0, 0, SLW_REFUSAL_SECURITY_MODULE},
        {-1, EPERM, 0, 0, SLW_REFUSAL_SECURITY_MODULE},
        {2, EMFILE, 0, 0, SLW_REFUSAL_OTHER},
        {3, SLW_NOT_TRIED, 0, 0, SLW_REFUSAL_PARANOID},
        {2, SLW_NOT_TRIED, 2, 0, SLW_REFUSAL_NONE},
        {INT_MIN, SLW_NOT_TRIED, 0, 0, SLW_REFUSAL_NO_KERNEL_SUPPORT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_host h = host(cases[i].paranoid);
        struct slw_doctor_facts f = facts(&h);
        f.open_user = cases[i].why;
        f.seccomp = cases[i].seccomp;
        f.caps = cases[i].caps;
        if (slw_doctor_refusal(&f) != cases[i].refusal)
            fail_msg("case %zu: %d", i, (int)slw_doctor_refusal(&f));
    }
}

static void a_missing_pmu_is_not_a_refused_one(void **state)
{
    (void)state;
    struct slw_host h = host(2);
    struct slw_doctor_facts f = facts(&h);
    struct slw_diagnosis d;
    h.hypervisor = "KVM";
    f.pmu_count = 0;
    f.pmus[0] = '\0';
    f.open_hardware = ENOENT;
    slw_doctor_judge(&f, &d);
    expect(&d, "pmu", SLW_CHECK_MISSING, "KVM guest", "pmu=on");
    assert_string_equal(d.tier, "software");
    assert_string_equal(d.reason, "no PMU: KVM guest");

    f = facts(&h);
    f.open_user = f.open_hardware = EPERM;
    f.seccomp = 2;
    slw_doctor_judge(&f, &d);
    expect(&d, "pmu", SLW_CHECK_LIMITED, "refused by a seccomp filter", "seccomp=unconfined");
    expect(&d, "seccomp", SLW_CHECK_MISSING, "EPERM", "seccomp=unconfined");
    assert_non_null(strstr(d.reason, "seccomp"));

    f = facts(&h);
    f.open_hardware = ENOENT; /* a PMU in name only */
    slw_doctor_judge(&f, &d);
    expect(&d, "pmu", SLW_CHECK_MISSING, "cannot count cycles: hidden by KVM", "pmu=on");
    assert_string_equal(d.tier, "software");
}

static void levels_bind_by_privilege(void **state)
{
    (void)state;
    struct slw_host h = host(2);
    struct slw_doctor_facts f = facts(&h);
    struct slw_diagnosis d;
    slw_doctor_judge(&f, &d);
    expect(&d, "paranoid", SLW_CHECK_LIMITED, "user space only", "perf_event_paranoid=1");
    expect(&d, "privilege", SLW_CHECK_LIMITED, "ordinary user", "cap_perfmon");
    expect(&d, "kernel_symbols", SLW_CHECK_LIMITED, "perf_event_paranoid 2", "paranoid=1");
    f.caps = UINT64_C(1) << 38; /* CAP_PERFMON */
    slw_doctor_judge(&f, &d);
    expect(&d, "paranoid", SLW_CHECK_OK, "does not bind", "");
    expect(&d, "privilege", SLW_CHECK_OK, "CAP_PERFMON", "");
    f.caps = ~UINT64_C(0);
    f.user_namespace = true;
    slw_doctor_judge(&f, &d);
    expect(&d, "paranoid", SLW_CHECK_LIMITED, "user space only", "perf_event_paranoid=1");
    expect(&d, "privilege", SLW_CHECK_LIMITED, "user namespace", "outside");
}

static void the_watchdog_matters_with_a_pmu_only(void **state)
{
    (void)state;
    struct slw_host h = host(-1);
    struct slw_doctor_facts f = facts(&h);
    struct slw_diagnosis d;
    h.nmi_watchdog = 1;
    slw_doctor_judge(&f, &d);
    expect(&d, "nmi_watchdog", SLW_CHECK_LIMITED, "one counter", "nmi_watchdog=0");
    f.pmu_count = 0;
    slw_doctor_judge(&f, &d);
    expect(&d, "nmi_watchdog", SLW_CHECK_OK, "no PMU", "");
}

static void an_unknown_cpu_is_offered_no_other(void **state)
{
    (void)state;
    struct slw_host h = host(-1);
    struct slw_doctor_facts f = facts(&h);
    struct slw_diagnosis d;
    f.model[0] = '\0';
    (void)snprintf(f.model_why, sizeof(f.model_why), "no model for it; closest: skylake");
    slw_doctor_judge(&f, &d);
    expect(&d, "model", SLW_CHECK_LIMITED, "closest: skylake", "models list");
    (void)snprintf(f.model_offer, sizeof(f.model_offer), "skylake");
    slw_doctor_judge(&f, &d);
    expect(&d, "model", SLW_CHECK_LIMITED, "closest: skylake", "profile --model skylake -- CMD");
    assert_non_null(strstr(check(&d, "model")->without, "generic events"));
}

static void debug_info_is_looked_for_when_asked(void **state)
{
    (void)state;
    struct slw_host h = host(-1);
    struct slw_doctor_facts f = facts(&h);
    struct slw_diagnosis d;
    slw_doctor_judge(&f, &d);
    for (size_t i = 0; i < d.check_count; i++)
        assert_string_not_equal(d.checks[i].name, "debug_info");
    f.program = "/usr/bin/psql";
    f.debug_info = SLW_DEBUG_INFO_NONE;
    (void)snprintf(f.os_id, sizeof(f.os_id), "debian");
    slw_doctor_judge(&f, &d);
    expect(&d, "debug_info", SLW_CHECK_LIMITED, "stripped", "find-dbgsym-packages /usr/bin/psql");
}

/* This very program has symbols; a text file is no program. */
static void real_files_are_classified(void **state)
{
    (void)state;
    enum slw_debug_info own = slw_doctor_debug_info("", "/proc/self/exe");
    assert_true(own == SLW_DEBUG_INFO_SYMBOLS || own == SLW_DEBUG_INFO_FULL ||
                own == SLW_DEBUG_INFO_SEPARATE);
    assert_int_equal(slw_doctor_debug_info("", "/etc/passwd"), SLW_DEBUG_INFO_NOT_ELF);
    assert_int_equal(slw_doctor_debug_info("", "/nonexistent"), SLW_DEBUG_INFO_UNREADABLE);
}

/* ---- the machine at hand, with permissions taken away ---- */

static void examine(struct slw_diagnosis *ret_diagnosis)
{
    const struct slw_doctor_options opts = {.root = ""};
    struct slw_run *run = NULL;

    if (slw_run_new(&run, NULL) < 0 || slw_doctor(&opts, run, ret_diagnosis, NULL) < 0)
        _exit(99);
    slw_run_free(run);
}

/* Run `lose` and then the doctor in a child; the diagnosis comes back through a pipe. False when
 * `lose` could not do it here. */
static bool examine_without(int (*lose)(void), struct slw_diagnosis *ret_diagnosis)
{
    int ends[2], status = 0;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct slw_diagnosis d;

        if (lose() != 0)
            _exit(77);
        examine(&d);
        _exit(write(ends[1], &d, sizeof(d)) == (ssize_t)sizeof(d) ? 0 : 98);
    }
    (void)close(ends[1]);
    size_t done = 0;
    ssize_t n;
    while (done < sizeof(*ret_diagnosis) &&
           (n = read(ends[0], (char *)ret_diagnosis + done, sizeof(*ret_diagnosis) - done)) > 0)
        done += (size_t)n;
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        return false;
    assert_int_equal(WEXITSTATUS(status), 0);
    /* The names are pointers into the same program, so they are good here too. */
    return done == sizeof(*ret_diagnosis);
}

static int filter_perf_event_open(unsigned answer)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int filter_with_eperm(void)
{
    return filter_perf_event_open(EPERM);
}

static int filter_with_enosys(void)
{
    return filter_perf_event_open(ENOSYS);
}

static void a_real_seccomp_filter_is_recognised(void **state)
{
    (void)state;
    int (*const filters[])(void) = {filter_with_eperm, filter_with_enosys};
    const char *const names[] = {"EPERM", "ENOSYS"};
    struct slw_diagnosis before;
    examine(&before);
    if (check(&before, "seccomp")->status == SLW_CHECK_MISSING ||
        check(&before, "paranoid")->status == SLW_CHECK_MISSING)
        skip(); /* refused already, by something else */
    for (size_t i = 0; i < 2; i++) {
        struct slw_diagnosis d;
        if (!examine_without(filters[i], &d))
            skip();
        expect(&d, "seccomp", SLW_CHECK_MISSING, names[i], "seccomp=unconfined");
        assert_string_equal(d.tier, "software");
        assert_non_null(strstr(d.reason, "seccomp"));
    }
}

static int become_nobody(void)
{
    return geteuid() != 0 || setgid(65534) || setuid(65534);
}

static void a_real_ordinary_user_is_recognised(void **state)
{
    (void)state;
    struct slw_diagnosis d;
    if (!examine_without(become_nobody, &d))
        skip(); /* not root, so nobody can be become */
    assert_non_null(strstr(check(&d, "privilege")->found, "ordinary user"));
    assert_null(strstr(check(&d, "paranoid")->found, "does not bind"));
}

/* Every limit names its effect, and what works all the same. */
static void this_machine_is_diagnosed_completely(void **state)
{
    (void)state;
    struct slw_diagnosis d;
    examine(&d);
    assert_true(d.check_count > 8);
    for (size_t i = 0; i < d.check_count; i++) {
        const struct slw_check_result *r = &d.checks[i];
        bool limited = r->status == SLW_CHECK_LIMITED || r->status == SLW_CHECK_MISSING;
        assert_string_not_equal(r->found, "");
        assert_int_equal(r->impact[0] != '\0', limited);
        assert_int_equal(r->without[0] != '\0', limited);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_machine_has_no_complaints),
        cmocka_unit_test(bpf_needs_its_capabilities_and_btf),
        cmocka_unit_test(refusals_are_told_apart),
        cmocka_unit_test(a_missing_pmu_is_not_a_refused_one),
        cmocka_unit_test(levels_bind_by_privilege),
        cmocka_unit_test(the_watchdog_matters_with_a_pmu_only),
        cmocka_unit_test(an_unknown_cpu_is_offered_no_other),
        cmocka_unit_test(debug_info_is_looked_for_when_asked),
        cmocka_unit_test(real_files_are_classified),
        cmocka_unit_test(a_real_seccomp_filter_is_recognised),
        cmocka_unit_test(a_real_ordinary_user_is_recognised),
        cmocka_unit_test(this_machine_is_diagnosed_completely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
