/* SPDX-License-Identifier: MIT */
#include "collector/host.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "collector/host_int.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

/* The first processor of /proc/cpuinfo fits; the rest repeats it, 1 KiB a CPU. */
#define CPUINFO_BYTES 8192

long long slw_host_text(const char *root, const char *path, char *text, size_t size)
{
    char full[PATH_MAX];

    if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
        return -1;
    int SLW_AUTO(close) fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    long long n = slw_read_full(fd, text, size - 1);
    if (n < 0)
        return -1;
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    text[n] = '\0';
    return n;
}

bool slw_host_number(const char *root, const char *path, int *ret_value)
{
    char text[32];
    char *end = NULL;

    if (slw_host_text(root, path, text, sizeof(text)) <= 0)
        return false;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (errno != 0 || *end != '\0' || v < INT_MIN || v > INT_MAX)
        return false;
    *ret_value = (int)v;
    return true;
}

/* Where facts are gathered from; live: this machine, whose CPU may be asked directly. */
struct reader {
    struct slw_run *run;
    const char *root;
    bool live;
    bool failed; /* out of memory */
};

static const char *keep(struct reader *r, const char *text)
{
    if (!text[0])
        return NULL;
    const char *copy = slw_run_str(r->run, text);
    r->failed = r->failed || !copy;
    return copy;
}

static const char *keep_file(struct reader *r, const char *path)
{
    char text[SLW_MAX_HOST_TEXT];

    return slw_host_text(r->root, path, text, sizeof(text)) > 0 ? keep(r, text) : NULL;
}

#if defined(__x86_64__) || defined(__i386__)
/* Source: Intel SDM 2A, CPUID; AMD APM 3, CPUID Fn0000_0001. Family and model with extensions. */
static void cpuid_identity(struct slw_cpuinfo *info)
{
    unsigned a = 0, b = 0, c = 0, d = 0;

    if (!__get_cpuid(0, &a, &b, &c, &d))
        return;
    memcpy(info->vendor, &b, 4);
    memcpy(info->vendor + 4, &d, 4);
    memcpy(info->vendor + 8, &c, 4);
    info->vendor[12] = '\0';
    if (!__get_cpuid(1, &a, &b, &c, &d))
        return;
    unsigned family = a >> 8 & 0xf, model = a >> 4 & 0xf;
    if (family == 6 || family == 15)
        model += (a >> 16 & 0xf) << 4;
    if (family == 15)
        family += a >> 20 & 0xff;
    info->family = (int)family;
    info->model = (int)model;
    info->stepping = (int)(a & 0xf);
    info->hypervisor = c >> 31 & 1;
}

static void cpuid_name(struct slw_cpuinfo *info)
{
    unsigned regs[12];
    char brand[sizeof(regs) + 1] = "";

    for (unsigned i = 0; i < 3; i++) {
        unsigned *r = regs + (size_t)i * 4;

        if (!__get_cpuid(0x80000002 + i, &r[0], &r[1], &r[2], &r[3]))
            return;
    }
    memcpy(brand, regs, sizeof(regs));
    const char *start = brand + strspn(brand, " "); /* some vendors pad on the left */
    size_t length = strlen(start);
    while (length > 0 && start[length - 1] == ' ')
        length--;
    memcpy(info->name, start, length);
    info->name[length] = '\0';
}

/* A hypervisor may show another's interface first (KVM shows Hyper-V's to Windows guests) and its
 * own 0x100 leaves later, so the last one known wins. */
static const char *cpuid_hypervisor(void)
{
    const char *name = NULL;

    for (unsigned leaf = 0x40000000; leaf < 0x40010000; leaf += 0x100) {
        unsigned a = 0, b = 0, c = 0, d = 0;
        char signature[12];

        __cpuid(leaf, a, b, c, d);
        memcpy(signature, &b, 4);
        memcpy(signature + 4, &c, 4);
        memcpy(signature + 8, &d, 4);
        const char *found = slw_host_hypervisor_name(signature);
        if (!found)
            break;
        name = found;
    }
    return name;
}

static bool ask_cpu(struct slw_cpuinfo *info)
{
    cpuid_identity(info);
    cpuid_name(info);
    return info->family >= 0;
}
#else
static const char *cpuid_hypervisor(void)
{
    return NULL;
}

static bool ask_cpu(struct slw_cpuinfo *info)
{
    (void)info;
    return false;
}
#endif

static void read_cpuinfo(const struct reader *r, struct slw_cpuinfo *info)
{
    char text[CPUINFO_BYTES];
    long long n = slw_host_text(r->root, "/proc/cpuinfo", text, sizeof(text));

    slw_host_parse_cpuinfo(text, n > 0 ? (size_t)n : 0, info);
}

/* /proc/cpuinfo is asked last: opening it makes some kernels wait for every CPU. */
static void read_identity(const struct reader *r, struct slw_cpuinfo *info)
{
    char midr[32];

    slw_host_parse_cpuinfo("", 0, info);
    if (r->live && ask_cpu(info))
        return;
    if (slw_host_text(r->root, "/sys/devices/system/cpu/cpu0/regs/identification/midr_el1", midr,
                      sizeof(midr)) > 0 &&
        slw_host_parse_midr(midr, info))
        return;
    read_cpuinfo(r, info);
}

static const char *read_microcode(struct reader *r)
{
    struct slw_cpuinfo info;
    const char *text = keep_file(r, "/sys/devices/system/cpu/cpu0/microcode/version");

    if (text || r->run->host.cpu.implementer >= 0)
        return text;
    read_cpuinfo(r, &info);
    return keep(r, info.microcode);
}

static const char *read_arch(struct reader *r, const struct slw_cpuinfo *info)
{
    struct utsname names;

    if (r->live && uname(&names) == 0)
        return keep(r, names.machine);
    if (info->implementer >= 0)
        return keep(r, "aarch64");
    return info->vendor[0] ? keep(r, "x86_64") : NULL;
}

static int read_smt(const struct reader *r)
{
    char siblings[64];
    int active;

    if (slw_host_number(r->root, "/sys/devices/system/cpu/smt/active", &active))
        return active != 0;
    if (slw_host_text(r->root, "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list",
                      siblings, sizeof(siblings)) <= 0)
        return -1;
    int threads = slw_host_parse_cpu_list(siblings);
    return threads < 1 ? -1 : threads > 1;
}

static int read_online(const struct reader *r)
{
    char list[4096];

    if (slw_host_text(r->root, "/sys/devices/system/cpu/online", list, sizeof(list)) > 0) {
        int count = slw_host_parse_cpu_list(list);
        if (count > 0)
            return count;
    }
    return r->live ? (int)sysconf(_SC_NPROCESSORS_ONLN) : 0;
}

static void read_cpu(struct reader *r, struct slw_cpuinfo *info)
{
    struct slw_cpu *cpu = &r->run->host.cpu;

    read_identity(r, info);
    cpu->arch = read_arch(r, info);
    cpu->vendor = info->implementer == 0x41 ? keep(r, "ARM") : keep(r, info->vendor);
    cpu->name = keep(r, info->name);
    cpu->family = info->family;
    cpu->model = info->model;
    cpu->stepping = info->stepping;
    cpu->implementer = info->implementer;
    cpu->part = info->part;
    cpu->variant = info->variant;
    cpu->revision = info->revision;
    cpu->microcode = read_microcode(r);
    cpu->smt = read_smt(r);
    cpu->online_count = read_online(r);
}

/* Who made the virtual machine, for names finer than "KVM". Firecracker has no DMI, but signs its
 * ACPI tables (OEM ID at offset 10; readable by root). */
static const char *machine_maker(const struct reader *r, char vendor[SLW_MAX_HOST_TEXT])
{
    static const char *const makers[][2] = {
        {"Amazon EC2", "Amazon EC2"},           {"Google", "Google Cloud"},
        {"DigitalOcean", "DigitalOcean"},       {"Hetzner", "Hetzner"},
        {"OpenStack Foundation", "OpenStack"},  {"Alibaba Cloud", "Alibaba Cloud"},
        {"Apple Inc.", "Apple Virtualization"}, {"QEMU", "QEMU"},
    };

    if (slw_host_text(r->root, "/sys/firmware/acpi/tables/DSDT", vendor, 17) >= 16 &&
        memcmp(vendor + 10, "FIRECK", 6) == 0)
        return "Firecracker";
    if (slw_host_text(r->root, "/sys/class/dmi/id/sys_vendor", vendor, SLW_MAX_HOST_TEXT) <= 0)
        return NULL;
    for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
        if (strcmp(vendor, makers[i][0]) == 0)
            return makers[i][1];
    return NULL;
}

/* What runs below us where the CPU itself cannot be asked (arm64, or a tree of files). */
static const char *hypervisor_by_files(const struct reader *r, bool flagged)
{
    static const char *const vendors[][2] = {
        {"VMware, Inc.", "VMware"},
        {"Microsoft Corporation", "Hyper-V"},
        {"innotek GmbH", "VirtualBox"},
        {"Xen", "Xen"},
        {"Parallels Software International Inc.", "Parallels"},
    };
    char text[SLW_MAX_HOST_TEXT];

    if (slw_host_text(r->root, "/sys/hypervisor/type", text, sizeof(text)) > 0)
        return strcmp(text, "xen") == 0 ? "Xen" : "unknown";
    if (slw_host_text(r->root, "/sys/class/dmi/id/product_name", text, sizeof(text)) > 0 &&
        strstr(text, ".metal"))
        return NULL; /* a rented machine, but all of it */
    if (slw_host_text(r->root, "/sys/class/dmi/id/sys_vendor", text, sizeof(text)) > 0)
        for (size_t i = 0; flagged && i < sizeof(vendors) / sizeof(vendors[0]); i++)
            if (strcmp(text, vendors[i][0]) == 0)
                return vendors[i][1];
    if (machine_maker(r, text))
        return "KVM";
    return flagged ? "unknown" : NULL;
}

static const char *read_hypervisor(struct reader *r, bool flagged)
{
    char vendor[SLW_MAX_HOST_TEXT], name[SLW_MAX_HOST_TEXT];
    const char *kind = NULL;

    if (r->live && flagged)
        kind = cpuid_hypervisor();
    if (!kind && (flagged || r->run->host.cpu.implementer >= 0))
        kind = hypervisor_by_files(r, flagged);
    if (!kind)
        return NULL;
    const char *maker = machine_maker(r, vendor);
    if (!maker || strcmp(kind, "KVM") != 0)
        return keep(r, kind);
    (void)snprintf(name, sizeof(name), "%s (%s)", kind, maker);
    return keep(r, name);
}

static const char *read_os(struct reader *r)
{
    char text[4096], name[SLW_MAX_HOST_TEXT];
    long long n = slw_host_text(r->root, "/etc/os-release", text, sizeof(text));

    if (n < 0)
        n = slw_host_text(r->root, "/usr/lib/os-release", text, sizeof(text));
    if (n < 0)
        return NULL;
    if (slw_host_parse_os_release(text, (size_t)n, "PRETTY_NAME", name) ||
        slw_host_parse_os_release(text, (size_t)n, "NAME", name))
        return keep(r, name);
    return NULL;
}

int slw_host_read(struct slw_run *run, const char *root, struct slw_error *err)
{
    struct reader r = {.run = run, .root = root, .live = root[0] == '\0'};
    struct slw_host *h = &run->host;
    struct slw_cpuinfo info;

    read_cpu(&r, &info);
    h->hostname = keep_file(&r, "/proc/sys/kernel/hostname");
    h->kernel = keep_file(&r, "/proc/sys/kernel/osrelease");
    h->os = read_os(&r);
    h->hypervisor = read_hypervisor(&r, info.hypervisor);
    h->governor = keep_file(&r, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    (void)slw_host_number(root, "/proc/sys/kernel/perf_event_paranoid", &h->perf_event_paranoid);
    (void)slw_host_number(root, "/proc/sys/kernel/kptr_restrict", &h->kptr_restrict);
    (void)slw_host_number(root, "/proc/sys/kernel/nmi_watchdog", &h->nmi_watchdog);
    if (r.failed)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the facts about this machine");
    return 0;
}

struct slw_model_cpu slw_host_model_cpu(const struct slw_cpu *cpu)
{
    bool arm = cpu->variant >= 0 && cpu->revision >= 0;

    return (struct slw_model_cpu){
        .arch = cpu->arch,
        .vendor = cpu->vendor,
        .family = cpu->family,
        .model = cpu->model,
        .stepping = arm ? cpu->variant * 16 + cpu->revision : cpu->stepping,
        .implementer = cpu->implementer,
        .part = cpu->part,
    };
}
