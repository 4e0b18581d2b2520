/* SPDX-License-Identifier: MIT */
/* What is measured: a command we start, a process with its threads, a cgroup, or the machine.
 * Starting, waiting and reaping live here; opening events on it does not (perf_events.h). */
#ifndef SLW_COLLECTOR_TARGET_H
#define SLW_COLLECTOR_TARGET_H

#include "collector/session.h"

#include <sys/resource.h>

struct slw_sys;

#define SLW_MAX_CPUS    4096 /* NR_CPUS of the largest distribution kernels is 8192; machines 2048 */
#define SLW_MAX_THREADS 65536 /* of one process when we attach to it */
#define SLW_MAX_WAKE    3

struct slw_live_target {
    const struct slw_sys *sys;
    enum slw_target_kind kind;
    int pid;             /* command or process; -1 */
    bool enable_on_exec; /* the kernel starts the events at exec, not we */
    bool gated;          /* measuring may start late or pause: track mappings all the time */
    int *tids;           /* SLW_TARGET_PID: its threads when we looked */
    size_t tid_count;
    int *cpus; /* online */
    size_t cpu_count;
    int cgroup_fd;
    /* Descriptors that a backend polls along with its own, so that the session wakes up: the end
     * of the process, the control FIFO, a tap that is filling up. Taps add theirs after the backend
     * was opened. */
    int wake_fds[SLW_MAX_WAKE];
    size_t wake_count;
    /* SLW_TARGET_COMMAND */
    const char *program; /* lent from the options */
    int go_fd;           /* one byte lets the child exec */
    int go_read_fd;      /* its other end */
    int error_fd;        /* errno of a failed exec, or end of file */
    bool reaped;
    int wait_status;
    struct rusage usage; /* of the command and the children it waited for; valid when reaped */
    int pid_fd;
};

/* Prepare the target; a command is forked and held before exec. SLW_E_GONE: no such pid.
 * SLW_E_NOTFOUND: no such cgroup. Free with slw_target_close. */
int slw_target_open(const struct slw_sys *sys, const struct slw_session_options *opts,
                    struct slw_live_target **ret_target, struct slw_error *err);

/* Threads of the process that are there now and were not when the target was opened: started by a
 * thread we had not opened yet, they are missed; by one we had, they are inherited. Which of the
 * two cannot be told. */
size_t slw_target_new_threads(const struct slw_live_target *t);

/* Let the command run. -SLW_E_EXEC when it cannot. Nothing to do for other kinds. */
int slw_target_go(struct slw_live_target *t, struct slw_error *err);

/* Did the command or process end? Reaps a command. Never true for cgroups and the machine. */
bool slw_target_ended(struct slw_live_target *t);

/* End of the session: when the user interrupted us (signal_number > 0), pass the signal on to our
 * child unless the terminal did; then wait up to timeout_ms for a command. */
void slw_target_wait(struct slw_live_target *t, int signal_number, int timeout_ms);

/* Write exit kind and value into *command. */
void slw_target_exit(const struct slw_live_target *t, struct slw_command *command);

/* Closes descriptors; a command that was never let go is ended. Others keep running. NULL ok. */
void slw_target_close(struct slw_live_target *t);

#endif
