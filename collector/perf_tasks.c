/* SPDX-License-Identifier: MIT */
/* Collecting the records of single threads: opening, reading rings. perf_tasks_sum.c adds them up.
 *
 * One ring per counter, since the kernel has ended threads of all CPUs write to it, one at a time
 * only per counter: it holds the parent event's child_mutex then (perf_event_exit_event(), since
 * Linux 5.13). An inherited event on all CPUs may not have a ring of its own, but may write into
 * that of a dummy event of the same task. */
#include "collector/perf_tasks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define RING_BYTES ((uint64_t)64 << 10) /* the ends of a thousand threads between two looks */
#define SLOTS      ((size_t)2 * SLW_MAX_TASK_ROWS)
/* A ring this near to being full may have dropped records; no LOST record follows the last ones. */
#define CROWDED_BYTES 1024

static bool kernel_serialises(const char *release)
{
    char *rest = NULL;
    unsigned long major = release ? strtoul(release, &rest, 10) : 0;
    unsigned long minor = rest && *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;

    return major > 5 || (major == 5 && minor >= 13);
}

static void note_not_told(const struct slw_perf_env *env, const char *why, const char *hint)
{
    (void)slw_run_note(env->run, SLW_NOTE_WARNING, "tasks-not-counted", hint,
                       "threads and processes were not counted one by one: %s", why);
}

bool slw_tasks_records(const struct slw_perf_env *env)
{
    if (env->opts->per == SLW_PER_WHOLE)
        return false;
    if (env->kind_count > 0) {
        note_not_told(env,
                      "this CPU has cores of several kinds, and how long each thread was on which "
                      "is not known",
                      "samples tell threads apart; see the table by thread");
        return false;
    }
    if (env->target->kind == SLW_TARGET_PID)
        return false;
    if (env->target->kind != SLW_TARGET_COMMAND) {
        note_not_told(env, "only a command or a process has threads to follow",
                      "samples tell threads apart; see the table by thread");
        return false;
    }
    if (kernel_serialises(env->run->host.kernel))
        return true;
    note_not_told(env, "the kernel is older than Linux 5.13",
                  "attach with -p, or see the samples by thread");
    return false;
}

/* ---- rows ---- */

/* The row of a thread, a new one when it is new; -1: there is no room. */
static ptrdiff_t row_of(struct slw_tasks *t, int32_t pid, int32_t tid)
{
    const uint32_t hash = (uint32_t)tid * UINT32_C(2654435769); /* Fibonacci hashing */
    size_t slot = hash % SLOTS;

    for (; t->slots[slot]; slot = (slot + 1) % SLOTS)
        if (t->rows[t->slots[slot] - 1].tid == tid && t->rows[t->slots[slot] - 1].pid == pid)
            return (ptrdiff_t)t->slots[slot] - 1;
    if (t->row_count == SLW_MAX_TASK_ROWS)
        return -1;
    t->rows[t->row_count] =
        (struct slw_task_row){.pid = pid, .tid = tid, .parent_tid = -1, .task_count = 1};
    t->slots[slot] = (uint32_t)++t->row_count;
    return (ptrdiff_t)t->row_count - 1;
}

static ptrdiff_t find_tid(const struct slw_tasks *t, int32_t tid)
{
    for (size_t i = 0; i < t->row_count; i++)
        if (t->rows[i].tid == tid)
            return (ptrdiff_t)i;
    return -1;
}

/* ---- records ---- */

/* PERF_RECORD_READ with PERF_FORMAT_GROUP and ids. Which others of the group are still in it when
 * an event ends differs between kernels; its own value is always there. */
static void take_read(struct slw_tasks *t, size_t counter, const struct perf_event_header *h)
{
    uint64_t words[3 + 2 * SLW_MAX_GROUP_EVENTS];
    int32_t ids[2];
    size_t length = h->size - sizeof(*h);
    const uint8_t *body = (const uint8_t *)(h + 1);

    if (length < sizeof(ids) + 3 * sizeof(words[0]) || length > sizeof(ids) + sizeof(words))
        return;
    memcpy(ids, body, sizeof(ids));
    memcpy(words, body + sizeof(ids), length - sizeof(ids));
    if (words[0] > (length - sizeof(ids)) / sizeof(words[0]) / 2 - 1)
        return;
    for (uint64_t i = 0; i < words[0]; i++) {
        if (words[3 + 2 * i + 1] != t->ids[counter])
            continue;
        ptrdiff_t row = row_of(t, ids[0], ids[1]);
        if (row < 0) {
            t->untold++;
            return;
        }
        t->reads++;
        struct slw_counted *cell = &t->cells[(size_t)row * t->counter_count + counter];
        cell->raw += words[3 + 2 * i];
        cell->enabled_ns += words[1];
        cell->running_ns += words[2];
        t->told[(size_t)row * t->counter_count + counter] = true;
        return;
    }
}

static void take_fork(struct slw_tasks *t, const struct perf_event_header *h)
{
    int32_t ids[4]; /* pid, parent's pid, tid, parent's tid */

    if (h->size < sizeof(*h) + sizeof(ids))
        return;
    memcpy(ids, h + 1, sizeof(ids));
    ptrdiff_t row = row_of(t, ids[0], ids[2]);
    t->untold += row < 0;
    if (row < 0)
        return;
    t->rows[row].parent_tid = ids[3];
    const ptrdiff_t parent = find_tid(t, ids[3]);
    if (parent >= 0 && !t->rows[row].comm[0])
        memcpy(t->rows[row].comm, t->rows[parent].comm, SLW_MAX_COMM);
}

static void take_exit(struct slw_tasks *t, const struct perf_event_header *h)
{
    int32_t ids[4];

    if (h->size < sizeof(*h) + sizeof(ids))
        return;
    memcpy(ids, h + 1, sizeof(ids));
    ptrdiff_t row = row_of(t, ids[0], ids[2]);
    if (row < 0 || t->rows[row].ended)
        return;
    t->rows[row].ended = true;
    t->ended++;
}

static void take_comm(struct slw_tasks *t, const struct perf_event_header *h)
{
    int32_t ids[2];

    if (h->size < sizeof(*h) + sizeof(ids) + 1)
        return;
    memcpy(ids, h + 1, sizeof(ids));
    ptrdiff_t row = row_of(t, ids[0], ids[1]);
    size_t length = h->size - sizeof(*h) - sizeof(ids);
    if (row < 0)
        return;
    memset(t->rows[row].comm, 0, SLW_MAX_COMM);
    memcpy(t->rows[row].comm, (const char *)(h + 1) + sizeof(ids),
           length < SLW_MAX_COMM ? length : SLW_MAX_COMM - 1);
    t->rows[row].comm[SLW_MAX_COMM - 1] = '\0';
}

static void take_lost(struct slw_tasks *t, const struct perf_event_header *h)
{
    uint64_t words[2] = {0}; /* id, how many */

    if (h->size >= sizeof(*h) + sizeof(words))
        memcpy(words, h + 1, sizeof(words));
    t->untold += words[1];
}

static void take(struct slw_tasks *t, size_t ring, const struct perf_event_header *h)
{
    switch (h->type) {
    case PERF_RECORD_READ:
        if (ring < t->counter_count)
            take_read(t, ring, h);
        return;
    case PERF_RECORD_FORK:
        take_fork(t, h);
        return;
    case PERF_RECORD_EXIT:
        take_exit(t, h);
        return;
    case PERF_RECORD_COMM:
        take_comm(t, h);
        return;
    case PERF_RECORD_LOST:
        take_lost(t, h);
        return;
    default:
        return;
    }
}

static void drain_ring(struct slw_tasks *t, size_t index)
{
    struct slw_ring *ring = &t->rings[index];
    const struct perf_event_header *h;
    struct slw_ring_span span;
    int rc = slw_ring_peek(ring, &span, NULL);
    uint64_t position = ring->tail;

    if (rc < 0)
        return;
    t->untold += span.head - position > ring->size_bytes - CROWDED_BYTES;
    while ((rc = slw_ring_next(ring, span.head, &position, t->bounce, &h, NULL)) > 0)
        take(t, index, h);
    t->untold += rc < 0;
    slw_ring_release(ring, span.head);
}

void slw_tasks_drain(const struct slw_perf_env *env, struct slw_tasks *t)
{
    (void)env;
    /* Names first: what ended is then known already. */
    for (size_t i = t->ring_count; i > 0; i--)
        if (t->rings[i - 1].page)
            drain_ring(t, i - 1);
}

/* ---- opening ---- */

/* A dummy event with a ring; the largest the kernel grants. 0 or -errno. */
static int open_ring(const struct slw_perf_env *env, struct slw_tasks *t, size_t index,
                     struct perf_event_attr *attr, const struct slw_spot *spot)
{
    const uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t size = RING_BYTES > page_bytes ? RING_BYTES : page_bytes;
    int fd = slw_perf_try_open(env, attr, spot, -1);
    int rc = -SLW_E_PERM;

    if (fd < 0)
        return fd;
    t->fds[index] = fd;
    for (; size >= page_bytes && (rc == -SLW_E_PERM || rc == -SLW_E_NOMEM); size /= 2)
        rc = slw_ring_open(env->sys, fd, size, &t->rings[index], NULL);
    env->run->self.ring_bytes += rc == 0 ? t->rings[index].size_bytes : 0;
    return rc == 0 ? 0 : -ENOMEM;
}

static struct perf_event_attr dummy_attr(const struct slw_perf_env *env)
{
    struct perf_event_attr attr = slw_perf_attr(env, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY, 0);

    attr.exclude_kernel = 1; /* it counts nothing; this way nobody is refused it */
    attr.exclude_hv = 1;
    attr.inherit = 0;
    return attr;
}

static int open_records(const struct slw_perf_env *env, const struct slw_counting *c,
                        struct slw_tasks *t)
{
    const struct slw_spot spot = {env->target->pid, -1, 0};

    for (size_t i = 0; i < c->counter_count; i++) {
        struct perf_event_attr attr = dummy_attr(env);

        if (c->fds[i] < 0)
            continue;
        int rc = open_ring(env, t, i, &attr, &spot);
        /* The kernel takes the descriptor itself for a pointer. */
        void *into = (void *)(uintptr_t)t->fds[i]; // NOLINT(performance-no-int-to-ptr)
        if (rc == 0)
            rc = env->sys->ioctl(c->fds[i], PERF_EVENT_IOC_SET_OUTPUT, into);
        if (rc >= 0)
            rc = env->sys->ioctl(c->fds[i], PERF_EVENT_IOC_ID, &t->ids[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Which threads there were, and their names. These are written on the CPU they happen on. */
static int open_tracking(const struct slw_perf_env *env, struct slw_tasks *t)
{
    const struct slw_live_target *target = env->target;

    for (size_t i = 0; i < target->cpu_count; i++) {
        const struct slw_spot spot = {target->pid, target->cpus[i], 0};
        struct perf_event_attr attr = dummy_attr(env);

        attr.inherit = 1;
        attr.disabled = 0;
        attr.comm = 1;
        attr.task = 1;
        int rc = open_ring(env, t, t->counter_count + i, &attr, &spot);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int allocate(const struct slw_perf_env *env, const struct slw_counting *c,
                    struct slw_tasks *t)
{
    const size_t n = c->counter_count;
    const size_t rings = env->records ? n + env->target->cpu_count : 0;

    t->counter_count = n;
    t->ring_count = rings;
    t->rows = calloc(SLW_MAX_TASK_ROWS, sizeof(t->rows[0]));
    t->slots = calloc(SLOTS, sizeof(t->slots[0]));
    t->cells = calloc(SLW_MAX_TASK_ROWS, (n + 1) * sizeof(t->cells[0]));
    t->told = calloc(SLW_MAX_TASK_ROWS, (n + 1) * sizeof(t->told[0]));
    t->ids = calloc(n + 1, sizeof(t->ids[0]));
    t->fds = malloc((rings + 1) * sizeof(t->fds[0]));
    t->rings = calloc(rings + 1, sizeof(t->rings[0]));
    t->bounce = malloc(SLW_RING_RECORD_BYTES);
    if (t->fds)
        memset(t->fds, 0xff, (rings + 1) * sizeof(t->fds[0]));
    return t->rows && t->slots && t->cells && t->told && t->ids && t->fds && t->rings && t->bounce
               ? 0
               : -SLW_E_NOMEM;
}

static void read_comm(struct slw_task_row *row)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", row->pid, row->tid);
    FILE *f = fopen(path, "re");
    if (!f)
        return;
    if (fgets(row->comm, sizeof(row->comm), f))
        row->comm[strcspn(row->comm, "\n")] = '\0';
    (void)fclose(f);
}

/* The threads we know from the start. */
static void add_known(const struct slw_perf_env *env, struct slw_tasks *t)
{
    const struct slw_live_target *target = env->target;

    if (target->kind == SLW_TARGET_COMMAND)
        (void)row_of(t, target->pid, target->pid);
    for (size_t i = 0; i < target->tid_count; i++) {
        ptrdiff_t row = row_of(t, target->pid, target->tids[i]);
        t->untold += row < 0;
        if (row >= 0)
            read_comm(&t->rows[row]);
    }
}

int slw_tasks_open(const struct slw_perf_env *env, const struct slw_counting *c,
                   struct slw_tasks *ret_tasks, struct slw_error *err)
{
    struct slw_tasks t = {0};
    int rc = 0;

    if (env->opts->per == SLW_PER_WHOLE || env->kind_count > 0 ||
        (!env->records && env->target->kind != SLW_TARGET_PID))
        return 0;
    if (allocate(env, c, &t) < 0) {
        slw_tasks_close(env, &t);
        return slw_fail(err, SLW_E_NOMEM, "no memory for the counts of threads");
    }
    add_known(env, &t);
    if (env->records)
        rc = open_records(env, c, &t);
    if (env->records && rc >= 0)
        rc = open_tracking(env, &t);
    if (rc < 0) {
        note_not_told(env, slw_perf_reason(env, -rc), "see the samples by thread");
        slw_tasks_close(env, &t);
        return 0;
    }
    *ret_tasks = t;
    return 0;
}

void slw_tasks_close(const struct slw_perf_env *env, struct slw_tasks *t)
{
    for (size_t i = 0; t->rings && i < t->ring_count; i++)
        slw_ring_close(&t->rings[i]);
    for (size_t i = 0; t->fds && i < t->ring_count; i++)
        if (t->fds[i] >= 0)
            env->sys->close(t->fds[i]);
    free(t->rows);
    free(t->slots);
    free(t->cells);
    free(t->told);
    free(t->ids);
    free(t->fds);
    free(t->rings);
    free(t->bounce);
    *t = (struct slw_tasks){0};
}
