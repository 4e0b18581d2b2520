/* SPDX-License-Identifier: MIT */
/* The doctor in two halves: facts are gathered (doctor_facts.c), then judged (doctor.c). Apart, so
 * that every judgement can be tested without the machine it is about. */
#ifndef SLW_COLLECTOR_DOCTOR_INT_H
#define SLW_COLLECTOR_DOCTOR_INT_H

#include "collector/doctor.h"

#include <stdint.h>

#define SLW_NOT_TRIED (-1) /* a fake machine has no system calls */

enum slw_privilege { SLW_PRIVILEGE_NONE, SLW_PRIVILEGE_PERFMON, SLW_PRIVILEGE_ADMIN };
enum slw_debug_info {
    SLW_DEBUG_INFO_UNKNOWN, /* no program was given */
    SLW_DEBUG_INFO_UNREADABLE,
    SLW_DEBUG_INFO_NOT_ELF,
    SLW_DEBUG_INFO_NONE,    /* dynamic symbols at most */
    SLW_DEBUG_INFO_SYMBOLS, /* .symtab: names, no lines */
    SLW_DEBUG_INFO_FULL,
    SLW_DEBUG_INFO_SEPARATE /* in a file of its own that is installed */
};
enum slw_tracefs { SLW_TRACEFS_ABSENT, SLW_TRACEFS_UNREADABLE, SLW_TRACEFS_READABLE };

struct slw_doctor_facts {
    const struct slw_host *host;
    const char *program; /* NULL: none */
    char os_id[32];      /* ID of os-release(5): "debian" */
    /* errno of perf_event_open, 0: it worked, or SLW_NOT_TRIED */
    int open_user;     /* cpu-clock of our own user space: the least anybody asks for */
    int open_kernel;   /* the same with kernel space */
    int open_hardware; /* cycles of our own user space */
    char pmus[128];    /* CPU PMUs in sysfs: "cpu_core cpu_atom"; "" none */
    int pmu_count;
    bool event_sources; /* /sys/bus/event_source is there at all */
    bool root_user;
    bool user_namespace; /* capabilities of ours count for nothing in the kernel's eyes */
    uint64_t caps;       /* CapEff */
    int seccomp;         /* 0 none, 1 strict, 2 filter, -1 unknown */
    int mlock_kb;        /* perf_event_mlock_kb, -1 unknown */
    int max_rate_hz;     /* perf_event_max_sample_rate, -1 unknown */
    enum slw_tracefs tracefs;
    bool btf;
    int cgroup_version;   /* hierarchy that perf events can use: 1, 2, or 0: none is mounted */
    char model[128];      /* title of the model that fits, "" none */
    char model_why[256];  /* why none fits, and the closest */
    char model_offer[64]; /* name of the closest; "" none is close */
    enum slw_debug_info debug_info;
    const struct slw_doctor_carrier *carriers; /* lent from the options */
    size_t carrier_count;
};

/* Gather everything; what cannot be found out stays unknown. */
void slw_doctor_gather(const struct slw_doctor_options *opts, const struct slw_host *host,
                       struct slw_doctor_facts *ret_facts);

/* What an ELF file says about its own debug info; looks for a separate file under
 * root/usr/lib/debug by build id. */
enum slw_debug_info slw_doctor_debug_info(const char *root, const char *program);

/* Run every check over the facts. Pure. */
void slw_doctor_judge(const struct slw_doctor_facts *facts, struct slw_diagnosis *ret_diagnosis);

/* Why even the least perf_event_open is refused. */
enum slw_refusal {
    SLW_REFUSAL_NONE,
    SLW_REFUSAL_PARANOID,
    SLW_REFUSAL_SECCOMP,
    SLW_REFUSAL_NO_KERNEL_SUPPORT,
    SLW_REFUSAL_SECURITY_MODULE,
    SLW_REFUSAL_OTHER
};
enum slw_refusal slw_doctor_refusal(const struct slw_doctor_facts *facts);

/* What the kernel will let us do beyond an ordinary user. */
enum slw_privilege slw_doctor_privilege(const struct slw_doctor_facts *facts);

#endif
