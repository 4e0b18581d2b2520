/* SPDX-License-Identifier: MIT */
/* What the doctor looks at: files under a root, and a few test events on the live machine. */
#include "collector/doctor_int.h"
#include "collector/host.h"
#include "collector/host_int.h"
#include "models/model.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_MOUNTS        100000 /* the kernel's own default limit, fs.mount-max */
#define MAX_EVENT_SOURCES 4096   /* a server has some hundred uncore PMUs */

/* Open an event on ourselves and close it again. 0 or errno. */
static int try_event(uint32_t type, uint64_t config, bool user_only)
{
    struct perf_event_attr attr = {
        .size = sizeof(attr),
        .type = type,
        .config = config,
        .disabled = 1,
        .exclude_kernel = user_only,
        .exclude_hv = 1,
    };
    long fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

    if (fd < 0)
        return errno;
    (void)close((int)fd);
    return 0;
}

static void try_events(struct slw_doctor_facts *f)
{
    f->open_user = try_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, true);
    f->open_kernel = try_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, false);
    f->open_hardware = try_event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, true);
}

/* CPU PMUs only: a machine lists many others (uncore, SPE, CMN, ...). Source: Linux,
 * drivers/perf/arm_pmuv3.c, arch/x86/events/core.c. */
static bool is_cpu_pmu(const char *name)
{
    static const char *const exact[] = {"cpu", "cpu_core", "cpu_atom", "cpu_lowpower"};
    static const char *const prefixes[] = {"armv7", "armv8_", "armv9_", "apple_"};

    for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
        if (strcmp(name, exact[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static void add_pmu(struct slw_doctor_facts *f, const char *name)
{
    size_t used = strlen(f->pmus);

    f->pmu_count++;
    if (used + strlen(name) + 2 < sizeof(f->pmus))
        (void)snprintf(f->pmus + used, sizeof(f->pmus) - used, "%s%s", used ? " " : "", name);
}

static void read_pmus(const char *root, struct slw_doctor_facts *f)
{
    char path[PATH_MAX];
    struct dirent *e;

    (void)snprintf(path, sizeof(path), "%s/sys/bus/event_source/devices", root);
    DIR *d = opendir(path);
    f->event_sources = d != NULL;
    for (int i = 0; d && i < MAX_EVENT_SOURCES && (e = readdir(d)) != NULL; i++)
        if (is_cpu_pmu(e->d_name))
            add_pmu(f, e->d_name);
    if (d)
        (void)closedir(d);
}

/* The value after "Key:" at the start of a line of /proc/self/status; NULL when absent. */
static const char *status_value(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0)
            return line + length + strspn(line + length, " \t");
    }
    return NULL;
}

/* The initial namespace maps all of the numbers onto themselves: "0 0 4294967295". */
static bool in_user_namespace(const char *root)
{
    char map[128];

    if (slw_host_text(root, "/proc/self/uid_map", map, sizeof(map)) <= 0)
        return false; /* a kernel without them */
    char *rest = map;
    unsigned long long first = strtoull(rest, &rest, 10);
    unsigned long long outside = strtoull(rest, &rest, 10);
    unsigned long long length = strtoull(rest, &rest, 10);
    return first != 0 || outside != 0 || length < UINT32_MAX;
}

static void read_status(const char *root, struct slw_doctor_facts *f)
{
    char text[8192];

    f->seccomp = -1;
    if (slw_host_text(root, "/proc/self/status", text, sizeof(text)) > 0) {
        const char *uid = status_value(text, "Uid:");
        const char *caps = status_value(text, "CapEff:");
        const char *seccomp = status_value(text, "Seccomp:");
        const char *effective = uid ? strpbrk(uid, "\t ") : NULL;

        f->root_user = effective && strtoul(effective, NULL, 10) == 0;
        f->caps = caps ? strtoull(caps, NULL, 16) : 0;
        f->seccomp = seccomp ? (int)(strtoul(seccomp, NULL, 10) & 3) : -1;
    }
    f->user_namespace = in_user_namespace(root);
}

static bool readable(const char *root, const char *path)
{
    char full[PATH_MAX];

    (void)snprintf(full, sizeof(full), "%s%s", root, path);
    return access(full, R_OK) == 0;
}

/* An event's id is what perf_event_open needs of a tracepoint. A directory that may not be searched
 * hides it, so the mount table tells unreadable from absent. */
static bool tracepoints_readable(const char *root)
{
    return readable(root, "/sys/kernel/tracing/events/sched/sched_switch/id") ||
           readable(root, "/sys/kernel/debug/tracing/events/sched/sched_switch/id");
}

/* Perf uses the version 1 hierarchy of its controller when there is one, else version 2. */
static void take_mount(const struct mntent *entry, struct slw_doctor_facts *f)
{
    if (strcmp(entry->mnt_type, "tracefs") == 0)
        f->tracefs = SLW_TRACEFS_UNREADABLE;
    else if (strcmp(entry->mnt_type, "cgroup") == 0 && hasmntopt(entry, "perf_event"))
        f->cgroup_version = 1;
    else if (strcmp(entry->mnt_type, "cgroup2") == 0 && f->cgroup_version == 0)
        f->cgroup_version = 2;
}

static void read_mounts(const char *root, struct slw_doctor_facts *f)
{
    char path[PATH_MAX], text[4096];
    struct mntent entry;

    (void)snprintf(path, sizeof(path), "%s/proc/self/mounts", root);
    FILE *file = setmntent(path, "re");
    for (int i = 0; file && i < MAX_MOUNTS && getmntent_r(file, &entry, text, sizeof(text)); i++)
        take_mount(&entry, f);
    if (file)
        (void)endmntent(file);
    if (tracepoints_readable(root))
        f->tracefs = SLW_TRACEFS_READABLE;
}

static void read_model(const struct slw_cpu *cpu, struct slw_doctor_facts *f)
{
    struct slw_model_cpu id = slw_host_model_cpu(cpu);
    struct slw_model *model = NULL;
    struct slw_error why = {0};

    if (cpu->family < 0 && cpu->implementer < 0)
        return;
    if (slw_model_select(&id, NULL, &model, &why) < 0) {
        const char *offer = slw_model_offer(&id, NULL);
        (void)snprintf(f->model_why, sizeof(f->model_why), "%.250s", why.text);
        (void)snprintf(f->model_offer, sizeof(f->model_offer), "%.60s", offer ? offer : "");
        return;
    }
    (void)snprintf(f->model, sizeof(f->model), "%s", model->title ? model->title : model->name);
    slw_model_free(model);
}

static void read_os_id(const char *root, struct slw_doctor_facts *f)
{
    char text[4096], id[SLW_MAX_HOST_TEXT];
    long long n = slw_host_text(root, "/etc/os-release", text, sizeof(text));

    if (n > 0 && slw_host_parse_os_release(text, (size_t)n, "ID", id))
        (void)snprintf(f->os_id, sizeof(f->os_id), "%.31s", id);
}

static int number_or_unknown(const char *root, const char *path)
{
    int value = -1;

    (void)slw_host_number(root, path, &value);
    return value;
}

void slw_doctor_gather(const struct slw_doctor_options *opts, const struct slw_host *host,
                       struct slw_doctor_facts *ret_facts)
{
    struct slw_doctor_facts f = {
        .host = host,
        .program = opts->program,
        .carriers = opts->carriers,
        .carrier_count = opts->carrier_count,
        .open_user = SLW_NOT_TRIED,
        .open_kernel = SLW_NOT_TRIED,
        .open_hardware = SLW_NOT_TRIED,
    };

    if (opts->root[0] == '\0')
        try_events(&f);
    read_pmus(opts->root, &f);
    read_status(opts->root, &f);
    read_os_id(opts->root, &f);
    f.mlock_kb = number_or_unknown(opts->root, "/proc/sys/kernel/perf_event_mlock_kb");
    f.max_rate_hz = number_or_unknown(opts->root, "/proc/sys/kernel/perf_event_max_sample_rate");
    read_mounts(opts->root, &f);
    f.btf = readable(opts->root, "/sys/kernel/btf/vmlinux");
    read_model(&host->cpu, &f);
    if (opts->program)
        f.debug_info = slw_doctor_debug_info(opts->root, opts->program);
    *ret_facts = f;
}
