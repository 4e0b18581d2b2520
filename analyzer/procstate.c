/* SPDX-License-Identifier: MIT */
#include "analyzer/procstate.h"

#include "analyzer/jitdump.h"
#include "analyzer/mapset.h"
#include "base/arena.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL_NAME "[kernel.kallsyms]"
/* PERF_RECORD_MISC_FORK_EXEC: the recorder describes a process that ran already; its mappings
 * follow and are not its parent's. */
#define MISC_FORK_EXEC (1 << 13)

#define RECENT 64 /* a sample is mostly of one of the threads that run */

struct process {
    int32_t pid;
    struct slw_mapset *maps;
    uint64_t changed; /* value of the change counter when maps last changed */
};

struct slw_procstate {
    struct slw_arena *arena;
    struct slw_modules *modules;
    const struct slw_perfdata *pd;
    struct slw_strtab comms;
    struct process *processes;
    uint32_t process_count;
    size_t process_capacity;
    struct slw_index process_index;
    struct slw_task *tasks;
    uint32_t task_count;
    size_t task_capacity;
    struct slw_index task_index;
    uint32_t recent[RECENT]; /* position + 1 of the task seen last, by the low bits of its tid */
    struct slw_mapset *kernel;
    struct slw_index build_id_index;
    uint64_t changes, kernel_changed;
    uint64_t dropped_maps;
    uint64_t kernel_text;
    bool kernel_text_known;
};

static uint64_t string_hash(const char *s)
{
    return slw_hash_bytes(s, strlen(s), 0);
}

static bool build_id_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_procstate *ps = ctx;

    return strcmp(slw_perfdata_build_id(ps->pd, position)->path, key) == 0;
}

static int index_build_ids(struct slw_procstate *ps)
{
    for (size_t i = 0; ps->pd && i < slw_perfdata_build_id_count(ps->pd); i++) {
        const char *path = slw_perfdata_build_id(ps->pd, i)->path;
        uint32_t first;
        if (slw_index_find(&ps->build_id_index, string_hash(path), build_id_equal, ps, path,
                           &first))
            continue;
        if (slw_index_add(&ps->build_id_index, string_hash(path), (uint32_t)i) < 0)
            return -SLW_E_NOMEM;
    }
    return 0;
}

struct slw_procstate *slw_procstate_new(struct slw_modules *modules, const struct slw_perfdata *pd)
{
    struct slw_procstate *ps = calloc(1, sizeof(*ps));

    if (!ps)
        return NULL;
    ps->modules = modules;
    ps->pd = pd;
    ps->arena = slw_arena_new();
    if (!ps->arena || slw_strtab_init(&ps->comms, ps->arena) < 0 || index_build_ids(ps) < 0) {
        slw_procstate_free(ps);
        return NULL;
    }
    return ps;
}

void slw_procstate_free(struct slw_procstate *ps)
{
    if (!ps)
        return;
    for (uint32_t i = 0; i < ps->process_count; i++)
        slw_mapset_put(ps->processes[i].maps);
    slw_mapset_put(ps->kernel);
    free(ps->processes);
    free(ps->tasks);
    slw_index_release(&ps->process_index);
    slw_index_release(&ps->task_index);
    slw_index_release(&ps->build_id_index);
    slw_strtab_release(&ps->comms);
    slw_arena_free(ps->arena);
    free(ps);
}

static int reserve(void **array, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return 0;
    size_t bigger = *capacity ? *capacity * 2 : 64;
    void *grown = realloc(*array, bigger * bytes);
    if (!grown)
        return -SLW_E_NOMEM;
    *array = grown;
    *capacity = bigger;
    return 0;
}

static uint64_t number_hash(int32_t number)
{
    return slw_hash_key(&number, sizeof(number), 0);
}

static bool process_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_procstate *ps = ctx;

    return ps->processes[position].pid == *(const int32_t *)key;
}

static int find_process(struct slw_procstate *ps, int32_t pid, uint32_t *ret_position)
{
    uint64_t hash = number_hash(pid);

    if (slw_index_find(&ps->process_index, hash, process_equal, ps, &pid, ret_position))
        return 0;
    if (reserve((void **)&ps->processes, ps->process_count, &ps->process_capacity,
                sizeof(*ps->processes)) < 0 ||
        slw_index_add(&ps->process_index, hash, ps->process_count) < 0)
        return -SLW_E_NOMEM;
    ps->processes[ps->process_count] = (struct process){.pid = pid};
    *ret_position = ps->process_count++;
    return 0;
}

static bool task_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_procstate *ps = ctx;

    return ps->tasks[position].tid == *(const int32_t *)key;
}

/* The name of a process's first thread, as far as it is known; 0: it is not. */
static uint32_t comm_of_first_thread(const struct slw_procstate *ps, int32_t pid)
{
    uint32_t position;

    if (!slw_index_find(&ps->task_index, number_hash(pid), task_equal, ps, &pid, &position))
        return 0;
    return ps->tasks[position].comm;
}

/* The idle task has no COMM record: nobody ever started it. A thread on the last of its way out has
 * lost its number already (perf_event_pid_type in kernel/events/core.c: -1), and often not yet its
 * process's. */
static int first_comm(struct slw_procstate *ps, int32_t pid, int32_t tid, uint32_t *ret_comm)
{
    static const char idle[] = "swapper";

    *ret_comm = tid < 0 && pid > 0 ? comm_of_first_thread(ps, pid) : 0;
    return tid == 0 ? slw_strtab_intern(&ps->comms, idle, sizeof(idle) - 1, ret_comm) : 0;
}

static struct slw_task *new_task(struct slw_procstate *ps, int32_t pid, int32_t tid)
{
    struct slw_task t = {.pid = pid, .tid = tid, .tag = UINT32_MAX};

    if (reserve((void **)&ps->tasks, ps->task_count, &ps->task_capacity, sizeof(*ps->tasks)) < 0 ||
        find_process(ps, pid, &t.process) < 0 || first_comm(ps, pid, tid, &t.comm) < 0 ||
        slw_index_add(&ps->task_index, number_hash(tid), ps->task_count) < 0)
        return NULL;
    ps->tasks[ps->task_count] = t;
    return &ps->tasks[ps->task_count++];
}

/* A tid that turns up under another pid is a new task that got a used number. */
struct slw_task *slw_procstate_task(struct slw_procstate *ps, int32_t pid, int32_t tid)
{
    uint32_t *recent = &ps->recent[(uint32_t)tid % RECENT], position = *recent - 1;

    if (*recent == 0 || ps->tasks[position].tid != tid) {
        if (!slw_index_find(&ps->task_index, number_hash(tid), task_equal, ps, &tid, &position))
            return new_task(ps, pid, tid);
        *recent = position + 1;
    }
    struct slw_task *t = &ps->tasks[position];
    if (t->pid != pid) {
        t->pid = pid;
        t->tag = UINT32_MAX;
        if (find_process(ps, pid, &t->process) < 0 || first_comm(ps, pid, tid, &t->comm) < 0)
            return NULL;
    }
    return t;
}

const char *slw_procstate_comm(const struct slw_procstate *ps, uint32_t comm)
{
    return slw_strtab_get(&ps->comms, comm);
}

static bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Memory that is no file, by the names the kernel and perf give it. */
static bool is_anonymous(const char *path)
{
    return starts_with(path, "//anon") || starts_with(path, "/anon_hugepage") ||
           starts_with(path, "/dev/zero") || starts_with(path, "/SYSV") ||
           starts_with(path, "[heap]") || starts_with(path, "[stack") ||
           starts_with(path, "[anon") || starts_with(path, "[uprobes") || path[0] == '\0';
}

static enum slw_module_kind module_kind(const char *path, bool kernel)
{
    if (kernel)
        return starts_with(path, KERNEL_NAME) ? SLW_MODULE_KERNEL : SLW_MODULE_KERNEL_MODULE;
    if (strcmp(path, "[vdso]") == 0)
        return SLW_MODULE_VDSO;
    return is_anonymous(path) ? SLW_MODULE_ANONYMOUS : SLW_MODULE_FILE;
}

static const char *final_build_id(const struct slw_procstate *ps, const char *path)
{
    uint32_t position;

    if (!slw_index_find(&ps->build_id_index, string_hash(path), build_id_equal, ps, path,
                        &position))
        return "";
    return slw_perfdata_build_id(ps->pd, position)->build_id;
}

#define HEX_BYTES (2 * sizeof(((struct slw_perf_mmap *)NULL)->build_id) + 1)

static int intern_module(struct slw_procstate *ps, const struct slw_perf_record *r, bool kernel,
                         uint32_t *ret_module)
{
    const struct slw_perf_mmap *m = &r->mmap;
    char hex[HEX_BYTES] = "";
    struct slw_module module = {.kind = module_kind(m->path, kernel), .path = m->path, .pid = -1};

    if (module.kind == SLW_MODULE_KERNEL)
        module.path = KERNEL_NAME; /* without the reference symbol behind it */
    for (uint32_t i = 0; i < m->build_id_bytes; i++)
        (void)snprintf(hex + 2 * (size_t)i, 3, "%02x", m->build_id[i]);
    module.build_id = m->build_id_bytes ? hex : final_build_id(ps, module.path);
    if (module.kind == SLW_MODULE_FILE) {
        module.mapper = r->pid;
        module.major = m->major;
        module.minor = m->minor;
        module.inode = m->inode;
        module.mapped_ns = m->data ? UINT64_MAX : r->time;
    } else if (module.kind == SLW_MODULE_ANONYMOUS) {
        module.path = m->path[0] ? m->path : "//anon";
        module.pid = r->pid;
    }
    return slw_modules_intern(ps->modules, &module, ret_module);
}

static int apply_mmap(struct slw_procstate *ps, const struct slw_perf_record *r)
{
    const struct slw_perf_mmap *m = &r->mmap;
    unsigned mode = r->misc & PERF_RECORD_MISC_CPUMODE_MASK;
    bool kernel = mode == PERF_RECORD_MISC_KERNEL || r->pid == -1;
    struct slw_map map = {.start = m->start, .offset = m->offset};
    struct slw_mapset **set = &ps->kernel;
    uint32_t process = 0;

    if (mode == PERF_RECORD_MISC_GUEST_KERNEL || mode == PERF_RECORD_MISC_GUEST_USER)
        return 0; /* another machine's addresses */
    if (__builtin_add_overflow(m->start, m->length, &map.end))
        map.end = UINT64_MAX;
    if (kernel && starts_with(m->path, KERNEL_NAME) && m->path[strlen(KERNEL_NAME)] != '\0') {
        ps->kernel_text = m->offset;
        ps->kernel_text_known = m->offset != 0;
    }
    if (intern_module(ps, r, kernel, &map.module) < 0)
        return -SLW_E_NOMEM;
    if (slw_jitdump_is_name(m->path) && slw_modules_add_jitdump(ps->modules, r->pid, m->path) < 0)
        return -SLW_E_NOMEM;
    if (!kernel) {
        if (find_process(ps, r->pid, &process) < 0)
            return -SLW_E_NOMEM;
        set = &ps->processes[process].maps;
    }
    *(kernel ? &ps->kernel_changed : &ps->processes[process].changed) = ++ps->changes;
    int rc = slw_mapset_add(set, &map);
    if (rc == -SLW_E_LIMIT) {
        ps->dropped_maps++;
        rc = 0;
    }
    return rc;
}

static void set_maps(struct slw_procstate *ps, struct process *p, struct slw_mapset *maps)
{
    slw_mapset_put(p->maps);
    p->maps = maps;
    p->changed = ++ps->changes;
}

static int apply_comm(struct slw_procstate *ps, const struct slw_perf_record *r)
{
    struct slw_task *t = slw_procstate_task(ps, r->pid, r->tid);

    if (!t)
        return -SLW_E_NOMEM;
    t->tag = UINT32_MAX;
    if (r->comm.exec)
        set_maps(ps, &ps->processes[t->process], NULL);
    return slw_strtab_intern(&ps->comms, r->comm.name, strlen(r->comm.name), &t->comm);
}

/* A new thread takes its parent's name, a new process its mappings too. Whatever the numbers stood
 * for before is over. */
static int apply_fork(struct slw_procstate *ps, const struct slw_perf_record *r)
{
    const struct slw_task *parent = slw_procstate_task(ps, r->fork.ppid, r->fork.ptid);
    uint32_t comm = parent ? parent->comm : 0, from, to;
    struct slw_task *t = parent ? slw_procstate_task(ps, r->pid, r->tid) : NULL;

    if (!t || find_process(ps, r->fork.ppid, &from) < 0 || find_process(ps, r->pid, &to) < 0)
        return -SLW_E_NOMEM;
    t->comm = comm;
    t->tag = UINT32_MAX;
    if (from != to) {
        bool running = (r->misc & MISC_FORK_EXEC) != 0;
        struct slw_mapset *maps = running ? NULL : slw_mapset_share(ps->processes[from].maps);
        set_maps(ps, &ps->processes[to], maps);
    }
    return 0;
}

int slw_procstate_apply(struct slw_procstate *ps, const struct slw_perf_record *record)
{
    switch (record->kind) {
    case SLW_PERF_MMAP:
        return apply_mmap(ps, record);
    case SLW_PERF_COMM:
        return apply_comm(ps, record);
    case SLW_PERF_FORK:
        return apply_fork(ps, record);
    case SLW_PERF_EXIT: /* samples may still follow; the number's next owner arrives by FORK */
    case SLW_PERF_SAMPLE:
    case SLW_PERF_LOST:
    case SLW_PERF_LOST_SAMPLES:
    case SLW_PERF_THROTTLE:
    case SLW_PERF_UNTHROTTLE:
    case SLW_PERF_READ:
    default:
        return 0;
    }
}

const struct slw_map *slw_procstate_find(const struct slw_procstate *ps,
                                         const struct slw_task *task, uint64_t address)
{
    return slw_mapset_find(ps->processes[task->process].maps, address);
}

const struct slw_mapset *slw_procstate_maps(const struct slw_procstate *ps,
                                            const struct slw_task *task)
{
    return ps->processes[task->process].maps;
}

const struct slw_map *slw_procstate_find_kernel(const struct slw_procstate *ps, uint64_t address)
{
    return slw_mapset_find(ps->kernel, address);
}

uint64_t slw_procstate_generation(const struct slw_procstate *ps, const struct slw_task *task)
{
    uint64_t own = ps->processes[task->process].changed;

    return own > ps->kernel_changed ? own : ps->kernel_changed;
}

uint64_t slw_procstate_dropped_maps(const struct slw_procstate *ps)
{
    return ps->dropped_maps;
}

bool slw_procstate_kernel_text(const struct slw_procstate *ps, uint64_t *ret_address)
{
    if (ps->kernel_text_known)
        *ret_address = ps->kernel_text;
    return ps->kernel_text_known;
}
