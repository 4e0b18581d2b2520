/* SPDX-License-Identifier: MIT */
/* A built-in workload: a small database client whose batching can be switched on and off. To add
 * one: write NAME.c that defines `const struct slw_workload slw_workload_NAME`, add
 * SLW_WORKLOAD(NAME, PKG-CONFIG NAMES) to workloads.def. Its stages are marked with
 * slotwise/stage.h. Not for: printing (cli/workload), measuring the CPU (the collector). */
#ifndef SLW_WORKLOADS_WORKLOAD_H
#define SLW_WORKLOADS_WORKLOAD_H

#include "base/error.h"
#include "workloads/driver.h"
#include "workloads/setting.h"
#include "workloads/tally.h"

#include <stdatomic.h>

/* What is the same for every workload; see slw_common_settings. */
struct slw_workload_options {
    const struct slw_driver
        *driver;               /* usable (missing == NULL); NULL when the workload needs none */
    const char *where, *table; /* for driver->open */
    const struct slw_choices *choices; /* of the workload, the driver, and the common ones */
    uint64_t requests;                 /* measured ones, over all threads, in one run */
    uint64_t warm_up;                  /* requests before those, which are not counted */
    uint64_t first_id;                 /* new rows get first_id, first_id + 1, ... */
    uint64_t seed;
    double rate; /* requests/s that arrive (open loop); 0: closed loop */
    /* Called by any thread, in any order, for each request of a counted or warm-up run whose
     * storing was acknowledged, before anybody is told. NULL: nobody asks. Negative: stop. */
    int (*acknowledged)(void *ctx, uint64_t id);
    void *acknowledged_ctx;
    const atomic_bool *stop; /* set from a signal handler: end soon, tell what was done. Or NULL */
};

/* One number that only this workload has: "callback cost", 112.5, "ns". */
struct slw_extra {
    const char *name, *unit;
    double value;
};
#define SLW_MAX_EXTRAS 32

/* One run. Plain storage of some 30 KiB: not for the stack of a small thread. */
struct slw_workload_result {
    struct slw_tally tally;
    struct slw_extra extras[SLW_MAX_EXTRAS];
    size_t extra_count;
    char durability[160]; /* as slw_driver.durability; "": unknown, or nothing is stored */
};
void slw_workload_extra(struct slw_workload_result *r, const char *name, double value,
                        const char *unit);

struct slw_workload {
    const char *name;
    const char *summary;
    const char *missing;  /* as of a driver */
    const char *ancestor; /* what was published, with its figures; paragraphs */
    bool needs_driver;
    uint64_t requests;                  /* of a run, unless the user says: some seconds' worth */
    const struct slw_setting *settings; /* NULL-name terminated; or NULL */
    /* Settings that are made from others, or make no sense together: SLW_E_USAGE. May be NULL. */
    int (*check)(const struct slw_workload_options *options, struct slw_error *err);
    /* One run, warm-up included. When the run ends early because of *stop, 0 with what was done. */
    int (*run)(const struct slw_workload_options *options, struct slw_workload_result *ret_result,
               struct slw_error *err);
};

extern const struct slw_workload *const slw_workloads[];
extern const size_t slw_workload_count;
const struct slw_workload *slw_workload_find(const char *name); /* NULL: none */

#endif
