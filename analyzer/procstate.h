/* SPDX-License-Identifier: MIT */
/* Who ran what, and where it was mapped, at the moment up to which records were applied. Feed
 * records in time order. Knows nothing of symbols. */
#ifndef SLW_ANALYZER_PROCSTATE_H
#define SLW_ANALYZER_PROCSTATE_H

#include "analyzer/modules.h"
#include "analyzer/perfdata.h"
#include "base/strtab.h"

/* [start, end) of an address space shows a module from `offset` on. */
struct slw_map {
    uint64_t start, end, offset;
    uint32_t module;
};

struct slw_task {
    int32_t pid, tid;
    uint32_t comm;    /* id in slw_procstate_comm's table; 0: unknown */
    uint32_t process; /* position, internal */
    uint32_t tag;     /* the caller's; UINT32_MAX whenever the comm or the pid changed */
};

struct slw_procstate;
struct slw_mapset;

#define SLW_MAX_MAPS 262144 /* per process; four times the kernel's default vm.max_map_count */

/* Modules are interned into `modules` (lent). build ids found when the recording ended come from
 * `pd` (lent; NULL: none). NULL when out of memory. Free with slw_procstate_free (NULL allowed). */
struct slw_procstate *slw_procstate_new(struct slw_modules *modules, const struct slw_perfdata *pd);
void slw_procstate_free(struct slw_procstate *ps);

/* Apply MMAP, COMM, FORK, EXIT; other records do nothing. 0 or -SLW_E_NOMEM. */
int slw_procstate_apply(struct slw_procstate *ps, const struct slw_perf_record *record);

/* The task, made when unknown. NULL: out of memory. Valid until the next call or apply. */
struct slw_task *slw_procstate_task(struct slw_procstate *ps, int32_t pid, int32_t tid);
const char *slw_procstate_comm(const struct slw_procstate *ps, uint32_t comm);

/* The mapping of an address, or NULL. Valid until the next apply. */
const struct slw_map *slw_procstate_find(const struct slw_procstate *ps,
                                         const struct slw_task *task, uint64_t address);
/* All of them; NULL: none. Valid until the next apply. */
const struct slw_mapset *slw_procstate_maps(const struct slw_procstate *ps,
                                            const struct slw_task *task);
const struct slw_map *slw_procstate_find_kernel(const struct slw_procstate *ps, uint64_t address);

/* A number that grows whenever a mapping of the task's process or of the kernel changes: as long as
 * it is the same, so is what every address of the task means. */
uint64_t slw_procstate_generation(const struct slw_procstate *ps, const struct slw_task *task);

/* Mappings not remembered because a process had more than SLW_MAX_MAPS. */
uint64_t slw_procstate_dropped_maps(const struct slw_procstate *ps);

/* Where the recording says the kernel's text begins (the address of _text or _stext), which a boot
 * with address randomisation moves. False: it does not say. */
bool slw_procstate_kernel_text(const struct slw_procstate *ps, uint64_t *ret_address);

#endif
