/* SPDX-License-Identifier: MIT */
/* A kernel that is played, under the session: what it refuses, how many counters its PMUs have and
 * on which CPUs they are, what its events count, and what its rings hold. And the sysfs beside it.
 * A test sets `kernel` after fake_reset and runs slw_session_run_on(&fake, ...). */
#ifndef SLW_TESTS_FAKE_PMU_INT_H
#define SLW_TESTS_FAKE_PMU_INT_H

#include "tests/unit/cmocka_int.h"

#include "collector/session_int.h"
#include "collector/sys.h"
#include "models/model.h"

#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAKE_FIRST_FD   1000
#define FAKE_MAX_FDS    8192
#define FAKE_MAX_GROUP  64
#define FAKE_MAX_PMUS   4
#define FAKE_NO_LIMIT   SIZE_MAX
#define FAKE_ANY_CONFIG UINT64_MAX
#define FAKE_MS         UINT64_C(1000000)

struct fake_pmu {
    uint32_t type;
    uint64_t cpus;   /* bit n: CPU n has it; 0: every CPU */
    size_t counters; /* of the group that runs, beside what is pinned */
};

struct fake_event {
    struct perf_event_attr attr;
    pid_t pid;
    int cpu;
    int leader; /* index */
    bool open, enabled;
    struct perf_event_mmap_page *ring;
    uint64_t ring_bytes;
};

/* What one event has counted. */
struct fake_reading {
    uint64_t value, enabled_ns, running_ns;
};

static struct fake_kernel {
    int hardware_errno, software_errno; /* of every event of the kind; 0: works */
    int kernel_errno;                   /* of events that do not exclude the kernel */
    uint64_t missing_config;            /* such hardware events are ENOENT; 0: none is */
    uint64_t missing_samples;           /* a sample_type with one of these bits is EOPNOTSUPP */
    int emfile_after;                   /* so many opens work; -1: all */
    bool emfile_once;
    size_t largest_map; /* 0: any */
    int eintr_count;    /* so many polls are interrupted */
    bool break_ring;    /* the head goes behind the tail */
    size_t pmu_count;   /* 0: one PMU that takes any type, with `counters` */
    struct fake_pmu pmus[FAKE_MAX_PMUS];
    bool generic_is_first; /* a generic name means pmus[0], whatever the CPU */
    size_t counters;
    /* What an event of a group that runs has counted; `place` is its place in the group. NULL: 1
     * million, 10 of 10 ms. */
    struct fake_reading (*count)(const struct fake_event *e, size_t place);
    void (*play)(void); /* at every poll: what the rings get now; NULL: nothing */
    uint64_t now_ns;

    struct fake_event events[FAKE_MAX_FDS];
    int next;
    int open_count, map_count;
    size_t largest_group; /* of what was measured, not tried */
} kernel;

/* ---- counters ---- */

static inline bool fake_is_hardware(const struct fake_event *e)
{
    return e->attr.type != PERF_TYPE_SOFTWARE;
}

/* Which PMU an event is of: the upper half of a generic name says, or it is the first one that is
 * on the event's CPU. */
static inline const struct fake_pmu *fake_pmu_of(const struct perf_event_attr *attr, int cpu)
{
    const bool generic = attr->type == PERF_TYPE_HARDWARE || attr->type == PERF_TYPE_HW_CACHE;
    const uint64_t wanted = generic ? attr->config >> 32 : attr->type;

    for (size_t i = 0; i < kernel.pmu_count; i++) {
        const struct fake_pmu *p = &kernel.pmus[i];
        const bool there = cpu < 0 || p->cpus == 0 || (cpu < 64 && (p->cpus >> cpu & 1));

        const bool any = generic && wanted == 0 && (i == 0 || !kernel.generic_is_first);

        if (there && (p->type == wanted || any))
            return p;
    }
    return NULL;
}

/* PERF_METRICS parts are beside the counters. */
static inline bool fake_takes_counter(const struct fake_event *e)
{
    return fake_is_hardware(e) && !(e->attr.config >= 0x8000 && e->attr.config <= 0x8700);
}

static inline size_t fake_group_size(int leader)
{
    size_t size = 0;

    for (int i = leader; i < kernel.next; i++)
        size += kernel.events[i].open && kernel.events[i].leader == leader &&
                fake_takes_counter(&kernel.events[i]);
    return size;
}

static inline size_t fake_counters_of(const struct fake_event *e)
{
    const struct fake_pmu *p = fake_pmu_of(&e->attr, e->cpu);

    return p ? p->counters : kernel.counters;
}

static inline size_t fake_pinned_before(int leader)
{
    const struct fake_event *own = &kernel.events[leader];
    size_t size = 0;

    for (int i = 0; i < leader; i++) {
        const struct fake_event *e = &kernel.events[i];

        if (e->open && e->leader == i && e->enabled && e->attr.pinned &&
            fake_pmu_of(&e->attr, e->cpu) == fake_pmu_of(&own->attr, own->cpu))
            size += fake_group_size(i);
    }
    return size;
}

static inline bool fake_runs(int leader)
{
    const struct fake_event *e = &kernel.events[leader];

    return !fake_is_hardware(e) ||
           fake_pinned_before(leader) + fake_group_size(leader) <= fake_counters_of(e);
}

/* ---- calls ---- */

static inline int fake_refusal(const struct perf_event_attr *attr, int cpu)
{
    const bool hardware = attr->type != PERF_TYPE_SOFTWARE;
    const int refused = hardware ? kernel.hardware_errno : kernel.software_errno;

    if (refused)
        return refused;
    if (kernel.kernel_errno && !attr->exclude_kernel)
        return kernel.kernel_errno;
    if (hardware && kernel.missing_config && attr->config == kernel.missing_config)
        return ENOENT;
    if (hardware && kernel.pmu_count > 0 && !fake_pmu_of(attr, cpu))
        return ENOENT;
    if (attr->sample_type & kernel.missing_samples)
        return EOPNOTSUPP;
    if (kernel.emfile_after >= 0 && kernel.open_count >= kernel.emfile_after) {
        kernel.emfile_after = kernel.emfile_once ? -1 : kernel.emfile_after;
        return EMFILE;
    }
    return 0;
}

static int fake_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                     unsigned long flags)
{
    const int refused = fake_refusal(attr, cpu);

    (void)flags;
    if (refused)
        return -refused;
    assert_true(kernel.next < FAKE_MAX_FDS);
    struct fake_event *e = &kernel.events[kernel.next];
    *e = (struct fake_event){.attr = *attr,
                             .pid = pid,
                             .cpu = cpu,
                             .leader = group_fd < 0 ? kernel.next : group_fd - FAKE_FIRST_FD,
                             .open = true,
                             .enabled = !attr->disabled};
    kernel.open_count++;
    kernel.next++;
    if (pid != 0 && fake_group_size(e->leader) > kernel.largest_group)
        kernel.largest_group = fake_group_size(e->leader);
    return FAKE_FIRST_FD + kernel.next - 1;
}

static inline struct fake_event *fake_event_of(int fd)
{
    assert_true(fd >= FAKE_FIRST_FD && fd < FAKE_FIRST_FD + kernel.next);
    return &kernel.events[fd - FAKE_FIRST_FD];
}

static int fake_ioctl(int fd, unsigned long request, void *argument)
{
    struct fake_event *e = fake_event_of(fd);

    if (request == PERF_EVENT_IOC_ID)
        *(uint64_t *)argument = (uint64_t)fd;
    if (request == PERF_EVENT_IOC_ENABLE) {
        e->enabled = true;
        if (kernel.break_ring && e->ring)
            e->ring->data_head = UINT64_MAX - 7;
    }
    if (request == PERF_EVENT_IOC_DISABLE)
        e->enabled = false;
    return 0;
}

static inline struct fake_reading fake_read_one(const struct fake_event *e, size_t place)
{
    const bool runs = fake_runs(e->leader);
    struct fake_reading r = {fake_is_hardware(e) ? 1000000 : 10 * FAKE_MS, 10 * FAKE_MS,
                             10 * FAKE_MS};

    if (kernel.count)
        r = kernel.count(e, place);
    if (!runs)
        r.value = r.running_ns = 0;
    return r;
}

/* As perf_event_open(2) lays it out for this read_format. */
static ssize_t fake_read(int fd, void *data, size_t length)
{
    const struct fake_event *own = fake_event_of(fd);
    const bool group = own->attr.read_format & PERF_FORMAT_GROUP;
    const bool ids = own->attr.read_format & PERF_FORMAT_ID;
    const struct fake_reading first = fake_read_one(own, 0);
    uint64_t words[3 + 2 * FAKE_MAX_GROUP] = {group ? 0 : first.value, first.enabled_ns,
                                              first.running_ns};
    const int leader = fd - FAKE_FIRST_FD;
    size_t n = 3;

    if (!fake_runs(own->leader) && own->attr.pinned)
        return 0; /* in its error state */
    for (int i = leader; group && i < kernel.next; i++) {
        const struct fake_event *e = &kernel.events[i];

        if (e->leader != leader || !e->open)
            continue;
        assert_true(words[0] < FAKE_MAX_GROUP);
        words[n++] = fake_read_one(e, (size_t)words[0]++).value;
        if (ids)
            words[n++] = (uint64_t)(FAKE_FIRST_FD + i);
    }
    assert_true(n * sizeof(words[0]) <= length);
    memcpy(data, words, n * sizeof(words[0]));
    return (ssize_t)(n * sizeof(words[0]));
}

static int fake_mmap(size_t length, int fd, void **ret_base)
{
    if (kernel.largest_map && length > kernel.largest_map)
        return -ENOMEM;
    void *base = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return -errno;
    kernel.map_count++;
    fake_event_of(fd)->ring = base;
    fake_event_of(fd)->ring_bytes = length - (size_t)sysconf(_SC_PAGESIZE);
    *ret_base = base;
    return 0;
}

static void fake_munmap(void *base, size_t length)
{
    kernel.map_count--;
    (void)munmap(base, length);
}

static ssize_t fake_writev(int fd, const struct iovec *parts, int part_count)
{
    return slw_sys_real.writev(fd, parts, part_count);
}

static int fake_poll(struct pollfd *fds, size_t count, int timeout_ms)
{
    int ready = 0;

    kernel.now_ns += (uint64_t)(timeout_ms > 0 ? timeout_ms : 1) * FAKE_MS;
    if (kernel.play)
        kernel.play();
    for (size_t i = 0; i < count; i++) {
        fds[i].revents = 0;
        if (fds[i].fd < FAKE_FIRST_FD || fds[i].fd >= FAKE_FIRST_FD + kernel.next)
            continue;
        const struct fake_event *e = fake_event_of(fds[i].fd);
        if (e->ring && e->ring->data_head - e->ring->data_tail > e->ring_bytes / 2)
            fds[i].revents = POLLIN;
        ready += fds[i].revents != 0;
    }
    return kernel.eintr_count-- > 0 ? -EINTR : ready;
}

static void fake_close(int fd)
{
    struct fake_event *e = fake_event_of(fd);

    assert_true(e->open);
    e->open = false;
    kernel.open_count--;
}

static uint64_t fake_now(void)
{
    return kernel.now_ns;
}

static const struct slw_sys fake = {.perf_event_open = fake_open,
                                    .ioctl = fake_ioctl,
                                    .mmap = fake_mmap,
                                    .munmap = fake_munmap,
                                    .read = fake_read,
                                    .writev = fake_writev,
                                    .poll = fake_poll,
                                    .close = fake_close,
                                    .now_ns = fake_now};

/* A kernel with any number of counters that refuses nothing. */
static inline void fake_reset(void)
{
    memset(&kernel, 0, sizeof(kernel));
    kernel.counters = FAKE_NO_LIMIT;
    kernel.emfile_after = -1;
    kernel.now_ns = 1000000000;
}

/* Nothing stays open or mapped, whatever happened. */
static inline void fake_assert_closed(void)
{
    assert_int_equal(kernel.open_count, 0);
    assert_int_equal(kernel.map_count, 0);
}

/* ---- rings ---- */

/* Was a ring mapped for this CPU? The index of the event whose descriptor it was mapped with; -1.
 */
static inline int fake_ring_of(int cpu)
{
    for (int i = 0; i < kernel.next; i++)
        if (kernel.events[i].open && kernel.events[i].ring && kernel.events[i].cpu == cpu)
            return i;
    return -1;
}

/* What the kernel does: bytes at head, then head moves. False, and nothing written, when the reader
 * has not made room. */
static inline bool fake_ring_put(int ring, const void *bytes, size_t length)
{
    const struct fake_event *e = &kernel.events[ring];
    uint8_t *data = (uint8_t *)e->ring + sysconf(_SC_PAGESIZE);
    const uint64_t head = e->ring->data_head;

    if (head + length - e->ring->data_tail > e->ring_bytes)
        return false;
    for (size_t i = 0; i < length; i++)
        data[(head + i) % e->ring_bytes] = ((const uint8_t *)bytes)[i];
    __atomic_store_n(&e->ring->data_head, head + length, __ATOMIC_RELEASE);
    return true;
}

/* ---- the machine ---- */

#define FAKE_ROOT "/tmp/slw-machine-XXXXXX"
static char fake_root[] = FAKE_ROOT;

static inline void fake_root_make(void)
{
    (void)snprintf(fake_root, sizeof(fake_root), "%s", FAKE_ROOT);
    assert_non_null(mkdtemp(fake_root));
}

static inline void fake_root_remove(void)
{
    char command[PATH_MAX + 16];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", fake_root);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own folder */
}

/* A file below fake_root. */
static inline void fake_file(const char *name, const char *text)
{
    char path[PATH_MAX];

    assert_true(snprintf(path, sizeof(path), "%s/%s", fake_root, name) < (int)sizeof(path));
    for (char *c = path + strlen(fake_root) + 1; *c; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        (void)mkdir(path, 0700);
        *c = '/';
    }
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* A file below the devices of the sysfs. */
static inline void fake_sysfs(const char *name, const char *text)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "sys/bus/event_source/devices/%s", name);
    fake_file(path, text);
}

/* ---- what came of it ---- */

static inline const char *fake_note(const struct slw_run *run, const char *code)
{
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, code) == 0)
            return run->notes[i].text;
    return NULL;
}

static inline const struct slw_count *fake_count(const struct slw_run *run, const char *event)
{
    const struct slw_count *c = slw_run_find_count(run, event);

    if (!c)
        fail_msg("no count of %s", event);
    return c;
}

/* The count of an event on cores of one kind. */
static inline const struct slw_count *fake_count_on(const struct slw_run *run, const char *pmu,
                                                    const char *event)
{
    static const struct slw_count none = {.absent = ""};

    for (size_t i = 0; i < run->count_count; i++)
        if (run->counts[i].pmu && strcmp(run->counts[i].pmu, pmu) == 0 &&
            strcmp(run->counts[i].event, event) == 0)
            return &run->counts[i];
    fail_msg("no count of %s on %s", event, pmu);
    return &none;
}

#endif
