/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "collector/host.h"
#include "collector/host_int.h"
#include "tests/unit/cmocka_int.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void the_first_processor_is_read(void **state)
{
    (void)state;
    static const char text[] = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n"
                               "model\t\t: 85\nmodel name\t: Intel(R) Xeon(R)\nstepping\t: 7\n"
                               "microcode\t: 0x5003801\nflags\t\t: fpu hypervisor avx\n\n"
                               "processor\t: 1\nvendor_id\t: Other\ncpu family\t: 9\n";
    struct slw_cpuinfo info;
    slw_host_parse_cpuinfo(text, sizeof(text) - 1, &info);
    assert_string_equal(info.vendor, "GenuineIntel");
    assert_string_equal(info.name, "Intel(R) Xeon(R)");
    assert_string_equal(info.microcode, "0x5003801");
    assert_int_equal(info.family, 6);
    assert_int_equal(info.model, 85);
    assert_int_equal(info.stepping, 7);
    assert_int_equal(info.implementer, -1);
    assert_true(info.hypervisor);
}

static void arm_is_told_by_its_implementer(void **state)
{
    (void)state;
    static const char text[] = "processor\t: 0\nCPU implementer\t: 0x41\nCPU variant\t: 0x3\n"
                               "CPU part\t: 0xd0c\nCPU revision\t: 1\n";
    struct slw_cpuinfo info;
    slw_host_parse_cpuinfo(text, sizeof(text) - 1, &info);
    assert_int_equal(info.implementer, 0x41);
    assert_int_equal(info.part, 0xd0c);
    assert_int_equal(info.variant, 3);
    assert_int_equal(info.revision, 1);
    assert_int_equal(info.family, -1);
    assert_false(info.hypervisor);
}

static void nonsense_stays_unknown(void **state)
{
    (void)state;
    static const char text[] = "model\t: -5\ncpu family\t: 99999999999\nstepping: 1x\n"
                               "flags\t: hypervisors\nmodel name : a\001b\033[31mc\nno colon\n";
    struct slw_cpuinfo info;
    slw_host_parse_cpuinfo(text, sizeof(text) - 1, &info);
    assert_int_equal(info.model, -1);
    assert_int_equal(info.family, -1);
    assert_int_equal(info.stepping, -1);
    assert_false(info.hypervisor);
    assert_string_equal(info.name, "ab[31mc");
}

static void os_release_is_unquoted(void **state)
{
    (void)state;
    static const char text[] = "# comment\nNAME=Plain\nPRETTY_NAME=\"A \\\"quoted\\\" \\$name\"\n"
                               "ID='single \\n'\nEMPTY=\nXNAME=other\nHALF=\"open\n";
    char value[SLW_MAX_HOST_TEXT] = "untouched";
    size_t n = sizeof(text) - 1;
    assert_true(slw_host_parse_os_release(text, n, "PRETTY_NAME", value));
    assert_string_equal(value, "A \"quoted\" $name");
    assert_true(slw_host_parse_os_release(text, n, "NAME", value));
    assert_string_equal(value, "Plain");
    assert_true(slw_host_parse_os_release(text, n, "ID", value));
    assert_string_equal(value, "single \\n");
    assert_true(slw_host_parse_os_release(text, n, "HALF", value));
    assert_string_equal(value, "\"open");
    assert_false(slw_host_parse_os_release(text, n, "EMPTY", value));
    assert_false(slw_host_parse_os_release(text, n, "ABSENT", value));
    assert_string_equal(value, "\"open");
}

static void cpu_lists_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int count;
    } cases[] = {{"0", 1},         {"0-3", 4},         {"0-3,8,10-11", 7}, {"", -1},
                 {"3-1", -1},      {"0-", -1},         {"a", -1},          {"0,", -1},
                 {"0-999999", -1}, {"0-65535", 65536}, {"0-65535,1", -1},  {"1 2", -1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(slw_host_parse_cpu_list(cases[i].text), cases[i].count);
}

static void midr_is_split_into_its_fields(void **state)
{
    (void)state;
    struct slw_cpuinfo info = {0};
    assert_true(slw_host_parse_midr("0x00000000413fd0c1", &info));
    assert_int_equal(info.implementer, 0x41);
    assert_int_equal(info.variant, 3);
    assert_int_equal(info.part, 0xd0c);
    assert_int_equal(info.revision, 1);
    assert_false(slw_host_parse_midr("413fd0c1", &info));
    assert_false(slw_host_parse_midr("0x", &info));
    assert_false(slw_host_parse_midr("0x1ffffffff", &info));
    assert_false(slw_host_parse_midr("0x41 ", &info));
}

static void hypervisors_are_named_by_signature(void **state)
{
    (void)state;
    assert_string_equal(slw_host_hypervisor_name("KVMKVMKVM\0\0\0"), "KVM");
    assert_string_equal(slw_host_hypervisor_name("Microsoft Hv"), "Hyper-V");
    assert_string_equal(slw_host_hypervisor_name("VMwareVMware"), "VMware");
    assert_null(slw_host_hypervisor_name("GenuineIntel"));
}

static struct slw_run *read_fake(const char *machine)
{
    char root[PATH_MAX];
    struct slw_run *run = NULL;

    (void)snprintf(root, sizeof(root), "%s/golden/machines/%s", SLW_TEST_DIR, machine);
    assert_int_equal(access(root, R_OK), 0);
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_host_read(run, root, NULL), 0);
    return run;
}

static void a_virtual_x86_is_read_from_files(void **state)
{
    (void)state;
    struct slw_run *run = read_fake("epyc-guest");
    const struct slw_host *h = &run->host;
    assert_string_equal(h->hostname, "testhost");
    assert_string_equal(h->os, "Debian GNU/Linux 12 (bookworm)");
    assert_string_equal(h->kernel, "6.1.0-test");
    assert_string_equal(h->hypervisor, "KVM (QEMU)");
    assert_string_equal(h->cpu.arch, "x86_64");
    assert_string_equal(h->cpu.vendor, "AuthenticAMD");
    assert_int_equal(h->cpu.family, 25);
    assert_string_equal(h->cpu.microcode, "0xa101148");
    assert_int_equal(h->cpu.online_count, 8);
    assert_int_equal(h->cpu.smt, 1);
    assert_int_equal(h->perf_event_paranoid, 2);
    assert_int_equal(h->nmi_watchdog, 0);
    assert_null(h->governor);
    slw_run_free(run);
}

static void a_virtual_arm_is_read_from_files(void **state)
{
    (void)state;
    struct slw_run *run = read_fake("graviton2");
    struct slw_model_cpu cpu = slw_host_model_cpu(&run->host.cpu);
    assert_string_equal(run->host.cpu.arch, "aarch64");
    assert_string_equal(run->host.cpu.vendor, "ARM");
    assert_string_equal(run->host.hypervisor, "KVM (Amazon EC2)");
    assert_int_equal(run->host.cpu.part, 0xd0c);
    assert_int_equal(run->host.cpu.family, -1);
    assert_int_equal(cpu.stepping, 0x31);
    slw_run_free(run);
}

static void an_empty_tree_leaves_all_unknown(void **state)
{
    (void)state;
    struct slw_run *run = NULL;
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_host_read(run, "/nonexistent", NULL), 0);
    assert_null(run->host.hostname);
    assert_null(run->host.os);
    assert_null(run->host.hypervisor);
    assert_null(run->host.cpu.arch);
    assert_null(run->host.cpu.vendor);
    assert_int_equal(run->host.cpu.family, -1);
    assert_int_equal(run->host.cpu.smt, -1);
    assert_int_equal(run->host.cpu.online_count, 0);
    assert_int_equal(run->host.perf_event_paranoid, INT_MIN);
    assert_int_equal(run->host.kptr_restrict, -1);
    slw_run_free(run);
}

/* The machine at hand, told twice: by us and by the C library. */
static void this_machine_is_itself(void **state)
{
    (void)state;
    struct slw_run *run = NULL;
    struct utsname names;
    assert_int_equal(uname(&names), 0);
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_host_read(run, "", NULL), 0);
    assert_string_equal(run->host.kernel, names.release);
    assert_string_equal(run->host.hostname, names.nodename);
    assert_string_equal(run->host.cpu.arch, names.machine);
    assert_int_equal(run->host.cpu.online_count, sysconf(_SC_NPROCESSORS_ONLN));
    assert_true(run->host.cpu.family >= 0 || run->host.cpu.implementer >= 0);
    slw_run_free(run);
}

/* CPUID and /proc/cpuinfo are two ways to the same facts. */
static void cpuid_agrees_with_cpuinfo(void **state)
{
    (void)state;
    char text[8192];
    struct slw_cpuinfo info;
    struct slw_run *run = NULL;
    long long n = slw_host_text("", "/proc/cpuinfo", text, sizeof(text));
    assert_true(n > 0);
    slw_host_parse_cpuinfo(text, (size_t)n, &info);
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_host_read(run, "", NULL), 0);
    assert_int_equal(run->host.cpu.family, info.family);
    assert_int_equal(run->host.cpu.model, info.model);
    assert_int_equal(run->host.cpu.stepping, info.stepping);
    assert_int_equal(run->host.cpu.part, info.part);
    if (info.name[0])
        assert_string_equal(run->host.cpu.name, info.name);
    if (info.family >= 0)
        assert_int_equal(run->host.hypervisor != NULL, info.hypervisor);
    slw_run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_processor_is_read),
        cmocka_unit_test(arm_is_told_by_its_implementer),
        cmocka_unit_test(nonsense_stays_unknown),
        cmocka_unit_test(os_release_is_unquoted),
        cmocka_unit_test(cpu_lists_are_counted),
        cmocka_unit_test(midr_is_split_into_its_fields),
        cmocka_unit_test(hypervisors_are_named_by_signature),
        cmocka_unit_test(a_virtual_x86_is_read_from_files),
        cmocka_unit_test(a_virtual_arm_is_read_from_files),
        cmocka_unit_test(an_empty_tree_leaves_all_unknown),
        cmocka_unit_test(this_machine_is_itself),
        cmocka_unit_test(cpuid_agrees_with_cpuinfo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
