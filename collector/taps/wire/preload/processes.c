/* SPDX-License-Identifier: MIT */
#include "collector/taps/wire/preload/processes.h"

#include <stddef.h>
#include <sys/prctl.h>

static struct slw_wire_process *enter(struct slw_wire_map *map, int32_t pid)
{
    uint32_t i = atomic_fetch_add(&map->process_count, 1);

    if (i >= SLW_WIRE_PROCESSES)
        return NULL;
    (void)prctl(PR_GET_NAME, map->processes[i].comm, 0, 0, 0);
    __atomic_store_n(&map->processes[i].pid, pid, __ATOMIC_RELEASE);
    return &map->processes[i];
}

static struct slw_wire_process *find(struct slw_wire_map *map, int32_t pid)
{
    uint32_t used = atomic_load(&map->process_count);

    /* The youngest: numbers of processes are used again. */
    for (uint32_t i = used < SLW_WIRE_PROCESSES ? used : SLW_WIRE_PROCESSES; i > 0; i--)
        if (__atomic_load_n(&map->processes[i - 1].pid, __ATOMIC_ACQUIRE) == pid)
            return &map->processes[i - 1];
    return NULL;
}

void slw_process_loaded(struct slw_wire_map *map, int32_t pid)
{
    struct slw_wire_process *p = find(map, pid);

    if (p && p->execs - p->returned > p->arrived) {
        (void)atomic_fetch_add(&p->arrived, 1);
        (void)prctl(PR_GET_NAME, p->comm, 0, 0, 0);
        return;
    }
    p = enter(map, pid);
    if (p)
        atomic_store(&p->loaded, 1);
}

void slw_process_forked(struct slw_wire_map *map, int32_t pid)
{
    struct slw_wire_process *p = enter(map, pid);

    if (p)
        atomic_store(&p->loaded, 1);
}

void slw_process_execs(struct slw_wire_map *map, int32_t pid)
{
    struct slw_wire_process *p = find(map, pid);

    if (!p)
        p = enter(map, pid);
    if (p)
        (void)atomic_fetch_add(&p->execs, 1);
}

void slw_process_exec_failed(struct slw_wire_map *map, int32_t pid)
{
    struct slw_wire_process *p = find(map, pid);

    if (p)
        (void)atomic_fetch_add(&p->returned, 1);
}

void slw_process_spawned(struct slw_wire_map *map, int32_t pid)
{
    /* Found: it is quick, and the library in it already. */
    if (!find(map, pid))
        slw_process_execs(map, pid);
}
