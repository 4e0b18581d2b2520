/* SPDX-License-Identifier: MIT */
/* The judgement: facts in, causes and remedies out. */
#include "collector/doctor.h"

#include "collector/doctor_int.h"
#include "collector/host.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifndef CAP_PERFMON
#define CAP_PERFMON 38 /* Linux 5.8 */
#endif
#ifndef CAP_BPF
#define CAP_BPF 39 /* Linux 5.8 */
#endif

/* Ring of one CPU that ordinary users get without asking: perf's own default of 128 pages, with its
 * control page. Source: perf_event_open(2), perf_event_mlock_kb. */
#define USUAL_MLOCK_KB 516

#define DEFAULT_FREQUENCY_HZ 997 /* what `profile` samples at unless told otherwise */

static const char software_tier[] =
    "the software tier: CPU time, cpu-clock stacks, context switches, faults, latency";

__attribute__((format(printf, 3, 4))) static void
found(struct slw_check_result *r, enum slw_check_status status, const char *fmt, ...)
{
    va_list ap;

    r->status = status;
    va_start(ap, fmt);
    (void)vsnprintf(r->found, sizeof(r->found), fmt, ap);
    va_end(ap);
}

static void advise(struct slw_check_result *r, const char *impact, const char *fix,
                   const char *without)
{
    (void)snprintf(r->impact, sizeof(r->impact), "%s", impact);
    (void)snprintf(r->fix, sizeof(r->fix), "%s", fix);
    (void)snprintf(r->without, sizeof(r->without), "%s", without);
}

static bool has_cap(const struct slw_doctor_facts *f, unsigned cap)
{
    return !f->user_namespace && (f->caps >> cap & 1);
}

enum slw_privilege slw_doctor_privilege(const struct slw_doctor_facts *facts)
{
    if (has_cap(facts, CAP_SYS_ADMIN))
        return SLW_PRIVILEGE_ADMIN;
    return has_cap(facts, CAP_PERFMON) ? SLW_PRIVILEGE_PERFMON : SLW_PRIVILEGE_NONE;
}

static bool paranoid_forbids_all(const struct slw_doctor_facts *f)
{
    return f->host->perf_event_paranoid > 2 && f->host->perf_event_paranoid != INT_MIN &&
           slw_doctor_privilege(f) == SLW_PRIVILEGE_NONE;
}

/* The kernel says EACCES for perf_event_paranoid; filters say EPERM or ENOSYS by habit, but may say
 * anything. Levels above 2 exist in the kernels of some distributions only, so the open decides. */
enum slw_refusal slw_doctor_refusal(const struct slw_doctor_facts *facts)
{
    int why = facts->open_user;

    if (why == 0)
        return SLW_REFUSAL_NONE;
    if (why == SLW_NOT_TRIED) {
        if (facts->host->perf_event_paranoid == INT_MIN)
            return SLW_REFUSAL_NO_KERNEL_SUPPORT;
        return paranoid_forbids_all(facts) ? SLW_REFUSAL_PARANOID : SLW_REFUSAL_NONE;
    }
    if (why == EACCES && paranoid_forbids_all(facts))
        return SLW_REFUSAL_PARANOID;
    if (facts->seccomp > 0 && (why == EPERM || why == EACCES || why == ENOSYS))
        return SLW_REFUSAL_SECCOMP;
    if (why == ENOSYS)
        return SLW_REFUSAL_NO_KERNEL_SUPPORT;
    return why == EPERM || why == EACCES ? SLW_REFUSAL_SECURITY_MODULE : SLW_REFUSAL_OTHER;
}

/* In the order of enum slw_refusal. */
static const struct {
    const char *by, *fix;
} refusals[] = {
    {"nobody", ""},
    {"perf_event_paranoid", "sudo sysctl kernel.perf_event_paranoid=1"},
    {"a seccomp filter", "docker run --security-opt seccomp=unconfined --cap-add PERFMON ..."},
    {"a kernel without perf events", ""},
    {"a security module", "sudo dmesg | grep -iE 'avc|lockdown|apparmor'"},
    {"the kernel", ""},
};

/* ---- pmu ---- */

/* What the owner of the host does, by hypervisor. Nothing can be done inside the guest. */
static const char *pmu_fix(const char *hypervisor)
{
    static const struct {
        const char *prefix, *fix;
    } fixes[] = {
        {"KVM (Firecracker)", ""},
        {"KVM (Amazon EC2)",
         "aws ec2 modify-instance-attribute --instance-type c7i.metal-24xl ..."},
        {"KVM (Google Cloud)", "gcloud compute instances create NAME "
                               "--performance-monitoring-unit=standard ..."},
        {"KVM",
         "on the host: qemu-system-x86_64 -cpu host,pmu=on ... (libvirt: <pmu state='on'/>)"},
        {"VMware", "on the host, in the .vmx file: vpmc.enable = \"TRUE\""},
        {"Hyper-V", "on the host: Set-VMProcessor NAME -Perfmon @(\"pmu\")"},
        {"Xen", "on the host, on Xen's command line: vpmu=on"},
    };

    for (size_t i = 0; i < sizeof(fixes) / sizeof(fixes[0]); i++)
        if (strncmp(hypervisor, fixes[i].prefix, strlen(fixes[i].prefix)) == 0)
            return fixes[i].fix;
    return "";
}

static void no_pmu(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    const char *hypervisor = f->host->hypervisor;

    if (hypervisor)
        found(r, SLW_CHECK_MISSING, "none: this is a %s guest and it is not given a PMU",
              hypervisor);
    else if (!f->event_sources)
        found(r, SLW_CHECK_MISSING, "none: the kernel has no perf events at all");
    else
        found(r, SLW_CHECK_MISSING, "none, though no hypervisor is seen");
    advise(r, "no hardware counters: no top-down slots, IPC or cache misses",
           hypervisor ? pmu_fix(hypervisor) : "sudo dmesg | grep -i 'performance events'",
           software_tier);
}

static void refused_pmu(const struct slw_doctor_facts *f, int why, struct slw_check_result *r)
{
    enum slw_refusal refusal = slw_doctor_refusal(f);

    if (refusal == SLW_REFUSAL_NONE && (why == ENOENT || why == EOPNOTSUPP || why == ENODEV)) {
        found(r, SLW_CHECK_MISSING, "%s is listed, but it cannot count cycles%s%s (%s)", f->pmus,
              f->host->hypervisor ? ": hidden by " : "",
              f->host->hypervisor ? f->host->hypervisor : "", strerrorname_np(why));
        advise(r, "no hardware counters: no top-down slots, IPC or cache misses",
               f->host->hypervisor ? pmu_fix(f->host->hypervisor) : "", software_tier);
        return;
    }
    found(r, SLW_CHECK_LIMITED, "%s is there, but perf_event_open is refused by %s%s%s", f->pmus,
          refusals[refusal].by, why > 0 ? ": " : "", why > 0 ? strerrorname_np(why) : "");
    advise(r, "no hardware counters until that is changed", refusals[refusal].fix, software_tier);
}

static void check_pmu(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    if (f->pmu_count == 0) {
        no_pmu(f, r);
        return;
    }
    if (f->open_hardware > 0 || slw_doctor_refusal(f) != SLW_REFUSAL_NONE) {
        refused_pmu(f, f->open_hardware, r);
        return;
    }
    found(r, SLW_CHECK_OK, "%s%s%s%s", f->pmus, f->pmu_count > 1 ? " (hybrid)" : "",
          f->host->hypervisor ? ", virtual: " : "", f->host->hypervisor ? f->host->hypervisor : "");
}

/* ---- permissions ---- */

static void check_paranoid(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    const char *to_1 = refusals[SLW_REFUSAL_PARANOID].fix;
    int level = f->host->perf_event_paranoid;

    if (level == INT_MIN) {
        found(r, SLW_CHECK_MISSING, "not there: this kernel has no perf events");
        advise(r, "nothing can be sampled", "", "resource usage and /proc counts of the client");
    } else if (slw_doctor_privilege(f) != SLW_PRIVILEGE_NONE) {
        found(r, SLW_CHECK_OK, "%d, which does not bind you", level);
    } else if (level <= 0) {
        found(r, SLW_CHECK_OK, "%d", level);
    } else if (level == 1) {
        found(r, SLW_CHECK_LIMITED, "1: own processes only");
        advise(r, "-a and --cgroup are refused", "sudo sysctl kernel.perf_event_paranoid=0",
               "own processes, user and kernel space");
    } else if (slw_doctor_refusal(f) != SLW_REFUSAL_PARANOID) {
        found(r, SLW_CHECK_LIMITED, "%d: own processes, user space only", level);
        advise(r, "no kernel functions in the graphs; -a and --cgroup are refused", to_1,
               "everything about user space of own processes");
    } else {
        found(r, SLW_CHECK_MISSING, "%d: perf_event_open is refused to ordinary users", level);
        advise(r, "no events and no samples at all", to_1,
               "resource usage and /proc counts of the client");
    }
}

static void check_privilege(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    if (f->user_namespace && (f->caps >> CAP_SYS_ADMIN & 1)) {
        found(r, SLW_CHECK_LIMITED, "capabilities of a user namespace, which the PMU ignores");
        advise(r, "treated as an ordinary user", "run slotwise outside of the container",
               "what perf_event_paranoid leaves");
        return;
    }
    switch (slw_doctor_privilege(f)) {
    case SLW_PRIVILEGE_ADMIN:
        found(r, SLW_CHECK_OK, "%s", f->root_user ? "root" : "CAP_SYS_ADMIN");
        return;
    case SLW_PRIVILEGE_PERFMON:
        found(r, SLW_CHECK_OK, "CAP_PERFMON");
        return;
    case SLW_PRIVILEGE_NONE:
        break;
    }
    if (f->root_user)
        found(r, SLW_CHECK_LIMITED, "root without CAP_PERFMON or CAP_SYS_ADMIN");
    else
        found(r, f->host->perf_event_paranoid <= 0 ? SLW_CHECK_OK : SLW_CHECK_LIMITED,
              "an ordinary user without CAP_PERFMON");
    if (r->status == SLW_CHECK_LIMITED)
        advise(r, "bound by perf_event_paranoid",
               f->root_user ? "docker run --cap-add PERFMON --cap-add SYSLOG ..."
                            : "sudo setcap cap_perfmon,cap_syslog,cap_ipc_lock+ep "
                              "\"$(command -v slotwise)\"",
               "what perf_event_paranoid leaves");
}

static void check_seccomp(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    enum slw_refusal refusal = slw_doctor_refusal(f);

    if (refusal == SLW_REFUSAL_SECCOMP) {
        found(r, SLW_CHECK_MISSING, "a filter refuses perf_event_open (%s)",
              strerrorname_np(f->open_user));
        advise(r, "no events and no samples at all", refusals[refusal].fix,
               "resource usage and /proc counts of the client");
    } else if (refusal == SLW_REFUSAL_SECURITY_MODULE) {
        found(r, SLW_CHECK_MISSING, "no filter, but a security module refuses perf_event_open (%s)",
              strerrorname_np(f->open_user));
        advise(r, "no events and no samples at all", refusals[refusal].fix,
               "resource usage and /proc counts of the client");
    } else if (f->seccomp < 0) {
        found(r, SLW_CHECK_UNKNOWN, "this kernel does not say");
    } else if (f->seccomp == 0) {
        found(r, SLW_CHECK_OK, "no filter");
    } else if (f->open_user == SLW_NOT_TRIED) {
        found(r, SLW_CHECK_UNKNOWN, "a filter is active; perf_event_open was not tried");
    } else if (f->open_user != 0) {
        found(r, SLW_CHECK_UNKNOWN, "a filter is active; perf_event_open is refused before it");
    } else {
        found(r, SLW_CHECK_OK, "a filter is active, but lets perf_event_open pass");
    }
}

/* ---- quality of what is measured ---- */

static void check_nmi_watchdog(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    if (f->host->nmi_watchdog <= 0) {
        found(r, SLW_CHECK_OK, "%s", f->host->nmi_watchdog == 0 ? "off" : "not in this kernel");
    } else if (f->pmu_count == 0) {
        found(r, SLW_CHECK_OK, "on, but there is no PMU it could hold");
    } else {
        found(r, SLW_CHECK_LIMITED, "on: it holds one counter of every CPU");
        advise(r, "one counter fewer: more multiplexing, top-down groups may not fit",
               "sudo sysctl kernel.nmi_watchdog=0", "all events, with more multiplexing");
    }
}

static void cpu_id(const struct slw_cpu *cpu, char *out, size_t size)
{
    if (cpu->implementer >= 0)
        (void)snprintf(out, size, "implementer 0x%02x, part 0x%03x", (unsigned)cpu->implementer,
                       (unsigned)cpu->part);
    else if (cpu->family >= 0)
        (void)snprintf(out, size, "%s family %d, model %d, stepping %d",
                       cpu->vendor ? cpu->vendor : "x86", cpu->family, cpu->model, cpu->stepping);
    else
        (void)snprintf(out, size, "this CPU does not say what it is");
}

static void check_model(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    char id[96];

    cpu_id(&f->host->cpu, id, sizeof(id));
    if (f->model[0]) {
        found(r, SLW_CHECK_OK, "%s (%s)", f->model, id);
        return;
    }
    found(r, SLW_CHECK_LIMITED, "%.240s", f->model_why[0] ? f->model_why : id);
    advise(r, "no top-down tree for this CPU", "slotwise models list",
           "generic events: cycles, instructions, branches, cache misses");
    if (f->model_offer[0]) /* for whoever knows better; its events may count something else here */
        (void)snprintf(r->fix, sizeof(r->fix), "slotwise profile --model %s -- CMD",
                       f->model_offer);
}

static void check_sample_rate(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    if (f->max_rate_hz < 0) {
        found(r, SLW_CHECK_UNKNOWN, "perf_event_max_sample_rate cannot be read");
    } else if (f->max_rate_hz >= DEFAULT_FREQUENCY_HZ) {
        found(r, SLW_CHECK_OK, "up to %d Hz", f->max_rate_hz);
    } else {
        found(r, SLW_CHECK_LIMITED, "at most %d Hz: the kernel lowered it", f->max_rate_hz);
        advise(r, "fewer samples than the default 997 Hz",
               "sudo sysctl kernel.perf_event_max_sample_rate=100000", "longer runs");
    }
}

static void check_mlock(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    if (f->mlock_kb < 0) {
        found(r, SLW_CHECK_UNKNOWN, "perf_event_mlock_kb cannot be read");
    } else if (has_cap(f, CAP_IPC_LOCK) || f->host->perf_event_paranoid == -1) {
        found(r, SLW_CHECK_OK, "%d KiB a CPU, which does not bind you", f->mlock_kb);
    } else if (f->mlock_kb >= USUAL_MLOCK_KB) {
        found(r, SLW_CHECK_OK, "%d KiB a CPU", f->mlock_kb);
    } else {
        found(r, SLW_CHECK_LIMITED, "only %d KiB a CPU", f->mlock_kb);
        advise(r, "smaller ring buffers: samples may be lost under load",
               "sudo sysctl kernel.perf_event_mlock_kb=516", "sampling with smaller rings");
    }
}

/* Source: Linux kernel/ksyms_common.c, kallsyms_show_value(). */
static bool kernel_symbols_hidden(const struct slw_doctor_facts *f)
{
    bool syslog = has_cap(f, CAP_SYSLOG);

    if (f->host->kptr_restrict == 0)
        return !syslog && f->host->perf_event_paranoid > 1;
    return f->host->kptr_restrict > 1 || !syslog;
}

static void check_kernel_symbols(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    int level = f->host->kptr_restrict;

    if (level < 0) {
        found(r, SLW_CHECK_UNKNOWN, "kptr_restrict cannot be read");
    } else if (!kernel_symbols_hidden(f)) {
        found(r, SLW_CHECK_OK, "kptr_restrict %d, which does not bind you", level);
    } else if (level == 0) {
        found(r, SLW_CHECK_LIMITED, "hidden by perf_event_paranoid %d without CAP_SYSLOG",
              f->host->perf_event_paranoid);
        advise(r, "kernel functions have no names", "sudo sysctl kernel.perf_event_paranoid=1",
               "kernel time as a whole");
    } else {
        found(r, SLW_CHECK_LIMITED, "hidden by kptr_restrict %d", level);
        advise(r, "kernel functions have no names", "sudo sysctl kernel.kptr_restrict=0",
               "kernel time as a whole");
    }
}

static void check_tracepoints(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    static const char impact[] = "no tracepoints: system calls and switches have no details";
    static const char without[] = "counts of context switches and faults";

    switch (f->tracefs) {
    case SLW_TRACEFS_READABLE:
        found(r, SLW_CHECK_OK, "tracefs is readable");
        return;
    case SLW_TRACEFS_UNREADABLE:
        found(r, SLW_CHECK_LIMITED, "tracefs is mounted, but not readable by you");
        advise(r, impact, "sudo mount -o remount,mode=0755 /sys/kernel/tracing", without);
        return;
    case SLW_TRACEFS_ABSENT:
        break;
    }
    found(r, SLW_CHECK_LIMITED, "tracefs is not mounted");
    advise(r, impact, "sudo mount -t tracefs nodev /sys/kernel/tracing", without);
}

static void check_btf(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    if (f->btf) {
        found(r, SLW_CHECK_OK, "/sys/kernel/btf/vmlinux is readable");
        return;
    }
    found(r, SLW_CHECK_LIMITED,
          "no /sys/kernel/btf/vmlinux: a kernel without "
          "CONFIG_DEBUG_INFO_BTF");
    advise(r, "BPF programs cannot be loaded", "", "everything that does not need BPF");
}

/* What our BPF programs need: both taps. Source: capabilities(7), CAP_BPF. */
static void judge_bpf(const struct slw_doctor_facts *f, const char *can, const char *impact,
                      const char *without, struct slw_check_result *r)
{
    bool permitted = has_cap(f, CAP_SYS_ADMIN) || (has_cap(f, CAP_BPF) && has_cap(f, CAP_PERFMON));

    if (f->btf && permitted) {
        found(r, SLW_CHECK_OK, "%s", can);
        return;
    }
    if (f->btf)
        found(r, SLW_CHECK_LIMITED, "BPF needs CAP_BPF and CAP_PERFMON, or root");
    else
        found(r, SLW_CHECK_LIMITED, "BPF programs need btf");
    advise(r, impact, f->btf ? "sudo setcap cap_bpf,cap_perfmon+ep $(command -v slotwise)" : "",
           without);
}

static void check_offcpu(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    judge_bpf(f, "what threads wait for can be told (--offcpu)",
              "what threads wait for stays unknown", "time on and off the CPU, without causes", r);
}

static void check_socket(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    judge_bpf(f, "requests of attached and static clients can be counted (--wire bpf)",
              "no requests of running processes, static and setuid clients",
              "requests of commands that take a preloaded library", r);
}

static void check_cgroup(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    if (f->cgroup_version > 0) {
        found(r, SLW_CHECK_OK, "version %d", f->cgroup_version);
        return;
    }
    found(r, SLW_CHECK_LIMITED, "no hierarchy that perf events can use is mounted");
    advise(r, "--cgroup does not work", "sudo mount -t cgroup2 none /sys/fs/cgroup",
           "commands, processes and -a");
}

static void check_smt(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    int smt = f->host->cpu.smt;

    if (smt < 0)
        found(r, SLW_CHECK_UNKNOWN, "the kernel does not say");
    else
        found(r, SLW_CHECK_OK, "%s, %d CPUs online",
              smt ? "on: two threads share a core's slots" : "off", f->host->cpu.online_count);
}

/* What --simulate would take. */
static void check_simulation(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    const struct slw_doctor_carrier *first = f->carriers;
    const char *arch = f->host->cpu.arch;
    size_t i = 0;

    if (f->carrier_count == 0)
        return;
    if (arch && strcmp(arch, "x86_64") != 0) {
        found(r, SLW_CHECK_LIMITED, "only x86-64 programs are simulated, not yet those of %.32s",
              arch);
        advise(r, "no --simulate", "", "everything that is measured");
        return;
    }
    while (i < f->carrier_count && !f->carriers[i].works)
        i++;
    if (i == 0) {
        found(r, SLW_CHECK_OK, "commands can be run on a described core (--simulate), by %.32s",
              first->name);
        return;
    }
    found(r, SLW_CHECK_LIMITED, "%.32s: %.200s", first->name, first->why_not);
    advise(r,
           i < f->carrier_count ? "--simulate takes the next best carrier"
                                : "no --simulate: no top-down tree where there is no PMU",
           first->fix, "everything that is measured");
}

static void no_debug_info(const struct slw_doctor_facts *f, const char *what, const char *impact,
                          struct slw_check_result *r)
{
    bool debian = strcmp(f->os_id, "debian") == 0 || strcmp(f->os_id, "ubuntu") == 0;
    char fix[200];

    found(r, SLW_CHECK_LIMITED, "%.150s: %s", f->program, what);
    if (debian)
        (void)snprintf(fix, sizeof(fix), "find-dbgsym-packages %.150s", f->program);
    else
        (void)snprintf(fix, sizeof(fix), "rebuild it with -g, or install its debug package");
    advise(r, impact, fix, "functions the program exports to others have names");
}

static void check_debug_info(const struct slw_doctor_facts *f, struct slw_check_result *r)
{
    switch (f->debug_info) {
    case SLW_DEBUG_INFO_UNKNOWN:
        return;
    case SLW_DEBUG_INFO_UNREADABLE:
        found(r, SLW_CHECK_UNKNOWN, "%.200s cannot be read", f->program);
        return;
    case SLW_DEBUG_INFO_NOT_ELF:
        found(r, SLW_CHECK_UNKNOWN,
              "%.150s is not an ELF program (a script?): give its interpreter", f->program);
        return;
    case SLW_DEBUG_INFO_FULL:
        found(r, SLW_CHECK_OK, "%.200s has debug info", f->program);
        return;
    case SLW_DEBUG_INFO_SEPARATE:
        found(r, SLW_CHECK_OK, "%.180s has debug info in a file of its own", f->program);
        return;
    case SLW_DEBUG_INFO_SYMBOLS:
        no_debug_info(f, "symbols, but no debug info", "no source lines and inlined functions", r);
        return;
    case SLW_DEBUG_INFO_NONE:
        break;
    }
    no_debug_info(f, "stripped", "functions have no names", r);
}

/* ---- the whole ---- */

static const struct {
    const char *name;
    void (*check)(const struct slw_doctor_facts *f, struct slw_check_result *r);
} checks[] = {
#define SLW_CHECK(name) {#name, check_##name},
#include "collector/doctor.def"
#undef SLW_CHECK
};

static void conclude(const struct slw_doctor_facts *f, struct slw_diagnosis *d)
{
    enum slw_refusal refusal = slw_doctor_refusal(f);
    const char *hypervisor = f->host->hypervisor;
    bool hardware = f->pmu_count > 0 && f->open_hardware <= 0 && refusal == SLW_REFUSAL_NONE;

    d->tier = hardware ? "hardware" : "software";
    if (hardware)
        (void)snprintf(d->reason, sizeof(d->reason), "PMU: %s", f->pmus);
    else if (refusal != SLW_REFUSAL_NONE)
        (void)snprintf(d->reason, sizeof(d->reason), "perf_event_open is refused by %s",
                       refusals[refusal].by);
    else if (hypervisor)
        (void)snprintf(d->reason, sizeof(d->reason), "no PMU: %s guest", hypervisor);
    else
        (void)snprintf(d->reason, sizeof(d->reason), "no usable PMU");
}

void slw_doctor_judge(const struct slw_doctor_facts *facts, struct slw_diagnosis *ret_diagnosis)
{
    struct slw_diagnosis *d = ret_diagnosis;

    static_assert(sizeof(checks) / sizeof(checks[0]) <= SLW_MAX_CHECKS, "too many checks");
    *d = (struct slw_diagnosis){0};
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        struct slw_check_result *r = &d->checks[d->check_count];

        r->name = checks[i].name;
        checks[i].check(facts, r);
        if (r->found[0]) /* else there was nothing to look at */
            d->check_count++;
    }
    conclude(facts, d);
}

int slw_doctor(const struct slw_doctor_options *opts, struct slw_run *run,
               struct slw_diagnosis *ret_diagnosis, struct slw_error *err)
{
    struct slw_doctor_facts facts;
    int rc = slw_host_read(run, opts->root, err);

    if (rc < 0)
        return rc;
    slw_doctor_gather(opts, &run->host, &facts);
    slw_doctor_judge(&facts, ret_diagnosis);
    return 0;
}
