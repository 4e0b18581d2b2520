/* SPDX-License-Identifier: MIT */
/* One measurement from start to stop: plan, target, backend, spool. The only entry point cli/
 * needs. Source: perf_event_open(2). */
#ifndef SLW_COLLECTOR_SESSION_H
#define SLW_COLLECTOR_SESSION_H

#include "record/run.h"

#include <signal.h>
#include <stdbool.h>

struct slw_model;
struct slw_wire;

/* One more kind of core of a hybrid CPU, to be counted in the same session. */
struct slw_session_core {
    const struct slw_model *model;
    const char *pmu; /* of this machine: cores.h */
};

/* The off-CPU tap: AUTO leaves a note where it cannot work, the others fail. Each does what those
 * before it do; SYSCALLS counts system calls, STACKS tells who waits. */
enum slw_offcpu {
    SLW_OFFCPU_NO,
    SLW_OFFCPU_AUTO,
    SLW_OFFCPU_YES,
    SLW_OFFCPU_SYSCALLS,
    SLW_OFFCPU_STACKS
};

/* Requests counted by BPF on socket calls: AUTO leaves a note where it cannot work, YES fails. */
enum slw_socket { SLW_SOCKET_NO, SLW_SOCKET_AUTO, SLW_SOCKET_YES };

/* How callers are found: by frame pointers in the kernel; not; by registers and a copy of the stack
 * that are unwound later (AUTO: where the kernel copies them, else a note and frame pointers); by
 * the CPU's branch records. */
enum slw_call_graph {
    SLW_CALL_GRAPH_FP,
    SLW_CALL_GRAPH_NONE,
    SLW_CALL_GRAPH_AUTO,
    SLW_CALL_GRAPH_DWARF,
    SLW_CALL_GRAPH_LBR
};

/* What takes samples of the CPU clock: timers that the kernel sets whenever it switches to a task
 * of the target; or one timer for each CPU, and a BPF program that keeps the target's samples
 * (AUTO: where that is possible; CPU: or an error). */
enum slw_timers { SLW_TIMERS_TASK, SLW_TIMERS_AUTO, SLW_TIMERS_CPU };

/* What is counted by itself, besides the whole target. */
enum slw_per { SLW_PER_WHOLE, SLW_PER_PROCESS, SLW_PER_THREAD };

#define SLW_MAX_STAGE_FILES 16

struct slw_session_options {
    enum slw_target_kind target;
    char *const *argv;             /* SLW_TARGET_COMMAND: NULL-terminated, searched in PATH */
    char *const *envp;             /* environment of the command */
    const char *output_path;       /* file for what the command prints, created or emptied; NULL:
                                      it prints where we do */
    int32_t pid;                   /* SLW_TARGET_PID */
    const char *cgroup;            /* SLW_TARGET_CGROUP: path below the cgroup mount */
    const char *backend;           /* "hwpmu", "swclock", "rusage"; NULL: the best that works */
    const struct slw_model *model; /* NULL: none; then only generic and software events */
    const struct slw_session_core *other_cores; /* besides the kind `model` is of; hwpmu only */
    size_t other_core_count;                    /* below SLW_MAX_CORE_KINDS */
    int level;                                  /* deepest top-down level to count, 0: none */
    int only_group;          /* 0: every group of hardware events; n: only the n-th, and retired
                                instructions beside it where a counter is left for them */
    size_t *ret_group_count; /* NULL, or where to put how many such groups there are */
    bool sample;             /* false: count only */
    enum slw_per per;        /* of a command or a process; else a note says why not */
    enum slw_mode mode;      /* of hardware events and of what is sampled */
    bool split_modes;        /* hardware events once in user and once in kernel mode */
    uint64_t interval_ms;    /* keep what came in every so many, 0: only totals */
    bool per_function;       /* read counters with every sample, where the kernel can */
    uint64_t frequency_hz;   /* 0: use period */
    uint64_t period;
    enum slw_timers timers; /* of samples of a clock */
    enum slw_call_graph call_graph;
    uint32_t stack_bytes; /* of copied stacks, a multiple of 8; 0: default */
    uint64_t spool_limit; /* bytes near which samples with copied stacks get fewer; 0: default */
    enum slw_offcpu offcpu;
    bool no_stages; /* marks of stages are not looked at: each costs the client about a microsecond
                     */
    const char *stage_files[SLW_MAX_STAGE_FILES]; /* more files with such marks, which the target
                                                     opens later; the first NULL ends */
    enum slw_socket socket;
    const char *not_preloaded; /* why requests are not counted by the wire tap; NULL: no matter */
    uint64_t ring_bytes;      /* per CPU, and of the socket tap; a power of two pages; 0: default */
    uint64_t delay_ms;        /* measure only after this */
    uint64_t duration_ms;     /* 0: until the target ends or *stop */
    const char *control_fifo; /* NULL, or a FIFO to read "start\n", "stop\n", "quit\n" from */
    bool start_stopped;       /* with control_fifo: wait for the first "start" */
    const char *spool_path;   /* perf.data to write; NULL only when !sample */
    const char *sysfs_root;   /* put before /sys, for tests of other machines; NULL: this one */
    struct slw_wire *wire;    /* counts while we measure; NULL: none (taps/wire.h) */
    const volatile sig_atomic_t *stop; /* set to a signal number by the caller's handler; NULL ok */
};

/* Measure. Fills counts, samplings, command (with exit), losses, self cost and notes of *run, whose
 * host was filled before, and writes opts->spool_path. Returns 0 also when the measured command
 * fails (that is run->command.exit) and when measuring was degraded (notes say how).
 * SLW_E_EXEC: the command could not be started. SLW_E_GONE: the pid vanished before anything was
 * measured. SLW_E_UNSUPPORTED / SLW_E_PERM: the asked-for backend cannot work here. SLW_E_FULL:
 * the spool hit a full disk; what was measured before is in the run and the spool stays readable.
 */
int slw_session_run(const struct slw_session_options *opts, struct slw_run *run,
                    struct slw_error *err);

#endif
