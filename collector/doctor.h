/* SPDX-License-Identifier: MIT */
/* What can be measured here, why not more, and the one command that fixes it. To add a check: write
 * the function in doctor.c, add SLW_CHECK(name) to doctor.def. */
#ifndef SLW_COLLECTOR_DOCTOR_H
#define SLW_COLLECTOR_DOCTOR_H

#include "record/run.h"

enum slw_check_status { SLW_CHECK_OK, SLW_CHECK_LIMITED, SLW_CHECK_MISSING, SLW_CHECK_UNKNOWN };

struct slw_check_result {
    const char *name; /* "pmu", "paranoid", ... static; the line of doctor.def */
    enum slw_check_status status;
    char found[256];   /* what is the case */
    char impact[256];  /* what cannot be measured because of it; empty when ok */
    char fix[256];     /* the one command; empty: nothing can be done or nothing to do */
    char without[256]; /* what works without it */
};

/* A carrier of the simulated tier, already asked (carriers/carrier.h). */
struct slw_doctor_carrier {
    const char *name;
    bool works;
    char why_not[256], fix[256];
};

struct slw_doctor_options {
    const char *root;                          /* "" or a fake tree with proc/ and sys/ */
    const char *program;                       /* a client to look at for debug info; NULL: none */
    const struct slw_doctor_carrier *carriers; /* in the order of preference */
    size_t carrier_count;                      /* 0: nobody asked */
};

#define SLW_MAX_CHECKS 64
struct slw_diagnosis {
    struct slw_check_result checks[SLW_MAX_CHECKS];
    size_t check_count;
    const char *tier; /* best tier available: "hardware" or "software" */
    char reason[160]; /* why not a better one, or what serves it: "no PMU: KVM guest" */
};

/* Never fails for what it finds; -SLW_E_NOMEM only. Under 20 ms. run->host is filled too. */
int slw_doctor(const struct slw_doctor_options *opts, struct slw_run *run,
               struct slw_diagnosis *ret_diagnosis, struct slw_error *err);

#endif
