/* SPDX-License-Identifier: MIT */
/* The handful of numbers the verdict and the findings argue with, taken from a report once. */
#ifndef SLW_ANALYZER_FACTS_H
#define SLW_ANALYZER_FACTS_H

#include "analyzer/families.h"
#include "analyzer/report.h"

struct slw_facts {
    /* Over the whole target; absent with a reason. */
    struct slw_maybe_u64 wall_ns, cpu_ns, user_ns, system_ns;
    struct slw_maybe_u64 context_switches, major_faults;
    /* User and kernel share of CPU time. From samples when both were sampled, else from user_ns and
     * system_ns, which have no interval; split_absent says why there is none. */
    struct slw_share user, kernel;
    const char *split_absent;
    bool split_sampled;
    /* Shares of the main column; have is false without samples. */
    struct slw_share family[SLW_FAMILY_COUNT];
    struct slw_share unsymbolized; /* leaf has no function name */
    const char *syscall;           /* heaviest system call; NULL: none seen */
    struct slw_share syscall_share;
    uint64_t expected_samples; /* samples + those the kernel says it lost */
};

/* r->rows and everything slw_hot_fill writes are there. -SLW_E_NOMEM. */
int slw_facts_fill(struct slw_report *r, struct slw_error *err);

/* CPUs kept busy: cpu_ns / wall_ns. False when either is unknown or the window has no length. */
bool slw_facts_busy(const struct slw_facts *f, double *ret_cpus);

#endif
