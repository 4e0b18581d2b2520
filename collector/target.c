/* SPDX-License-Identifier: MIT */
#include "collector/target.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "collector/procfs.h"
#include "collector/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a command ---- */

/* We are the child. Our parent's dispositions are not the command's business; SIGHUP stays, so that
 * nohup still works. */
static void reset_signals(void)
{
    static const int ours[] = {SIGINT,  SIGQUIT, SIGTERM, SIGPIPE, SIGCHLD,
                               SIGUSR1, SIGUSR2, SIGALRM, SIGXFSZ};
    sigset_t none;

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        (void)signal(ours[i], SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* output_fd: where the command prints; -1: where we do. */
static bool redirect(int output_fd)
{
    return output_fd < 0 ||
           (dup2(output_fd, STDOUT_FILENO) >= 0 && dup2(output_fd, STDERR_FILENO) >= 0);
}

static _Noreturn void run_child(const struct slw_session_options *opts, int go_fd, int error_fd,
                                int output_fd)
{
    char byte;
    int failed;

    long long n = slw_read_full(go_fd, &byte, 1);
    if (n != 1) { /* 0: the session was given up, and nobody listens any more */
        failed = (int)-n;
        if (n < 0)
            (void)slw_write_all(error_fd, &failed, sizeof(failed));
        _exit(127);
    }
    reset_signals();
    if (opts->envp) {
        char **own = NULL;
        memcpy(&own, &opts->envp, sizeof(own));
        environ = own; /* so that execvp searches the PATH of the command */
    }
    if (redirect(output_fd))
        (void)execvp(opts->argv[0], opts->argv);
    failed = errno;
    (void)slw_write_all(error_fd, &failed, sizeof(failed));
    _exit(127);
}

/* Never one of the three that the command is given: dup2 of one onto itself would keep O_CLOEXEC.
 */
static int open_output(const char *path, int *ret_fd, struct slw_error *err)
{
    int first = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666) : -1;
    int fd = first;
    int sys = errno;

    if (first >= 0 && first <= STDERR_FILENO) {
        fd = fcntl(first, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        sys = errno;
        (void)close(first);
    }
    if (path && fd < 0)
        return slw_fail_sys(err, SLW_E_IO, sys, "cannot write the command's output to '%s'", path);
    *ret_fd = fd;
    return 0;
}

static int open_command(const struct slw_session_options *opts, struct slw_live_target *t,
                        struct slw_error *err)
{
    int go[2], error[2];
    int SLW_AUTO(close) output = -1;
    int opened = open_output(opts->output_path, &output, err);

    if (opened < 0)
        return opened;
    if (pipe2(go, O_CLOEXEC) < 0)
        return slw_fail_sys(err, SLW_E_IO, errno, "cannot make a pipe to the command");
    if (pipe2(error, O_CLOEXEC) < 0) {
        int rc = slw_fail_sys(err, SLW_E_IO, errno, "cannot make a pipe to the command");
        (void)close(go[0]);
        (void)close(go[1]);
        return rc;
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(go[1]); /* else we would hold our own gate open */
        (void)close(error[0]);
        run_child(opts, go[0], error[1], output);
    }
    int failed = errno;
    (void)close(error[1]);
    t->go_fd = go[1];
    t->go_read_fd = go[0]; /* held, so that a child gone early costs no SIGPIPE */
    t->error_fd = error[0];
    if (pid < 0)
        return slw_fail_sys(err, SLW_E_EXEC, failed, "cannot start '%s'", opts->argv[0]);
    t->pid = pid;
    return 0;
}

static void reap(struct slw_live_target *t, int options)
{
    pid_t pid;

    do
        pid = wait4(t->pid, &t->wait_status, options, &t->usage);
    while (pid < 0 && errno == EINTR);
    t->reaped = pid == t->pid;
}

int slw_target_go(struct slw_live_target *t, struct slw_error *err)
{
    int failed = 0;

    if (t->kind != SLW_TARGET_COMMAND)
        return 0;
    (void)slw_write_all(t->go_fd, "g", 1);
    (void)close(t->go_fd);
    (void)close(t->go_read_fd);
    t->go_fd = t->go_read_fd = -1;
    /* The other end closes at exec, or tells why there was none. */
    long long n = slw_read_full(t->error_fd, &failed, sizeof(failed));
    (void)close(t->error_fd);
    t->error_fd = -1;
    if (n != (long long)sizeof(failed))
        return 0;
    reap(t, 0);
    return slw_fail_sys(err, SLW_E_EXEC, failed, "cannot start '%s'", t->program);
}

/* ---- a process ---- */

static int compare_ints(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

static int list_threads(struct slw_live_target *t, struct slw_error *err)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/task", t->pid);
    DIR *d = opendir(path);
    if (!d)
        return slw_fail(err, SLW_E_GONE, "there is no process %d", t->pid);
    t->tids = calloc(SLW_MAX_THREADS, sizeof(t->tids[0]));
    for (struct dirent *e = readdir(d); e && t->tids && t->tid_count < SLW_MAX_THREADS;
         e = readdir(d)) {
        int tid = slw_proc_parse_id(e->d_name);

        if (tid > 0)
            t->tids[t->tid_count++] = tid;
    }
    (void)closedir(d);
    if (!t->tids)
        return slw_fail(err, SLW_E_NOMEM, "no memory for threads");
    if (t->tid_count == 0)
        return slw_fail(err, SLW_E_GONE, "process %d is gone", t->pid);
    if (t->tid_count == SLW_MAX_THREADS)
        return slw_fail(err, SLW_E_LIMIT, "process %d has more than %d threads", t->pid,
                        SLW_MAX_THREADS - 1);
    qsort(t->tids, t->tid_count, sizeof(t->tids[0]), compare_ints);
    return 0;
}

size_t slw_target_new_threads(const struct slw_live_target *t)
{
    char path[64];
    size_t count = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/task", t->pid);
    DIR *d = t->kind == SLW_TARGET_PID ? opendir(path) : NULL;
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        int tid = slw_proc_parse_id(e->d_name);

        count += tid > 0 && !bsearch(&tid, t->tids, t->tid_count, sizeof(tid), compare_ints);
    }
    if (d)
        (void)closedir(d);
    return count;
}

/* ---- a cgroup ---- */

/* The hierarchy perf events look at: version 1 with perf_event, else version 2. */
static bool find_cgroup_mount(char *ret_path, size_t size)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    struct mntent entry;
    char text[PATH_MAX + 1024];
    bool found = false, decided = false;

    while (mounts && !decided && getmntent_r(mounts, &entry, text, sizeof(text))) {
        decided = strcmp(entry.mnt_type, "cgroup") == 0 && hasmntopt(&entry, "perf_event");
        if (decided || (!found && strcmp(entry.mnt_type, "cgroup2") == 0)) {
            (void)snprintf(ret_path, size, "%s", entry.mnt_dir);
            found = true;
        }
    }
    if (mounts)
        (void)endmntent(mounts);
    return found;
}

static int open_cgroup(const char *cgroup, struct slw_live_target *t, struct slw_error *err)
{
    char mount[PATH_MAX], path[PATH_MAX * 2];

    if (!find_cgroup_mount(mount, sizeof(mount)))
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "no cgroup hierarchy that perf events can use is mounted");
    (void)snprintf(path, sizeof(path), "%s/%s", mount, cgroup);
    t->cgroup_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t->cgroup_fd < 0)
        return slw_fail_sys(err, SLW_E_NOTFOUND, errno, "cannot open cgroup '%s'", path);
    return 0;
}

/* ---- all kinds ---- */

#define ONLINE "/sys/devices/system/cpu/online"

/* Of the machine that sysfs_root shows, as far as it shows that. */
static int list_cpus(struct slw_live_target *t, const char *root, struct slw_error *err)
{
    char *SLW_AUTO(free) text = NULL;
    char path[PATH_MAX];

    t->cpus = calloc(SLW_MAX_CPUS, sizeof(t->cpus[0]));
    if (!t->cpus)
        return slw_fail(err, SLW_E_NOMEM, "no memory for CPUs");
    (void)snprintf(path, sizeof(path), "%s" ONLINE, root);
    if (slw_file_read(path, 65536, &text, NULL, NULL) == 0 ||
        slw_file_read(ONLINE, 65536, &text, NULL, NULL) == 0)
        t->cpu_count = slw_proc_parse_cpu_list(text, t->cpus, SLW_MAX_CPUS);
    if (t->cpu_count > 0)
        return 0;
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    for (int cpu = 0; cpu < count && cpu < SLW_MAX_CPUS; cpu++)
        t->cpus[t->cpu_count++] = cpu;
    if (t->cpu_count == 0)
        return slw_fail(err, SLW_E_UNSUPPORTED, "cannot tell which CPUs are online");
    return 0;
}

/* Since Linux 5.3 a descriptor wakes us when the process ends; before that we look regularly. */
static void watch_end(struct slw_live_target *t)
{
#ifdef SYS_pidfd_open
    t->pid_fd = (int)syscall(SYS_pidfd_open, t->pid, 0);
#endif
    if (t->pid_fd >= 0)
        t->wake_fds[t->wake_count++] = t->pid_fd;
}

static int open_kind(const struct slw_session_options *opts, struct slw_live_target *t,
                     struct slw_error *err)
{
    int rc = 0;

    if (t->kind == SLW_TARGET_COMMAND)
        rc = open_command(opts, t, err);
    if (t->kind == SLW_TARGET_PID)
        rc = list_threads(t, err);
    if (t->kind == SLW_TARGET_CGROUP)
        rc = open_cgroup(opts->cgroup, t, err);
    if (rc == 0 && t->pid > 0)
        watch_end(t);
    return rc;
}

int slw_target_open(const struct slw_sys *sys, const struct slw_session_options *opts,
                    struct slw_live_target **ret_target, struct slw_error *err)
{
    struct slw_live_target *t = calloc(1, sizeof(*t));

    if (!t)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the target");
    *t = (struct slw_live_target){.sys = sys,
                                  .kind = opts->target,
                                  .program =
                                      opts->target == SLW_TARGET_COMMAND ? opts->argv[0] : NULL,
                                  .pid = opts->target == SLW_TARGET_PID ? opts->pid : -1,
                                  .gated = opts->delay_ms > 0 || opts->control_fifo,
                                  .cgroup_fd = -1,
                                  .go_fd = -1,
                                  .go_read_fd = -1,
                                  .error_fd = -1,
                                  .pid_fd = -1};
    t->enable_on_exec = t->kind == SLW_TARGET_COMMAND && !t->gated;
    int rc = list_cpus(t, opts->sysfs_root ? opts->sysfs_root : "", err);
    if (rc == 0)
        rc = open_kind(opts, t, err);
    if (rc < 0) {
        slw_target_close(t);
        return rc;
    }
    *ret_target = t;
    return 0;
}

bool slw_target_ended(struct slw_live_target *t)
{
    if (t->kind == SLW_TARGET_COMMAND) {
        if (!t->reaped)
            reap(t, WNOHANG);
        return t->reaped;
    }
    if (t->kind != SLW_TARGET_PID)
        return false;
    if (t->pid_fd >= 0) {
        struct pollfd p = {.fd = t->pid_fd, .events = POLLIN};
        return poll(&p, 1, 0) > 0;
    }
    return kill(t->pid, 0) < 0 && errno == ESRCH;
}

/* A terminal sends SIGINT to the whole foreground group, the command included. */
static bool terminal_told_child(const struct slw_live_target *t, int signal_number)
{
    int SLW_AUTO(close) tty = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);

    return signal_number == SIGINT && tty >= 0 && tcgetpgrp(tty) == getpgrp() &&
           getpgid(t->pid) == getpgrp();
}

void slw_target_wait(struct slw_live_target *t, int signal_number, int timeout_ms)
{
    if (t->kind != SLW_TARGET_COMMAND || t->go_fd >= 0)
        return;
    if (signal_number > 0 && !slw_target_ended(t) && !terminal_told_child(t, signal_number))
        (void)kill(t->pid, signal_number);
    for (uint64_t end_ns = t->sys->now_ns() + (uint64_t)timeout_ms * 1000000;
         !slw_target_ended(t);) {
        struct pollfd p = {.fd = t->pid_fd, .events = POLLIN};
        uint64_t now_ns = t->sys->now_ns();

        if (now_ns >= end_ns)
            break;
        int left_ms = (int)((end_ns - now_ns) / 1000000) + 1;
        (void)poll(&p, 1, t->pid_fd >= 0 ? left_ms : 10);
    }
}

void slw_target_exit(const struct slw_live_target *t, struct slw_command *command)
{
    if (t->kind != SLW_TARGET_COMMAND)
        return;
    command->exit = SLW_EXIT_STILL_RUNNING;
    if (t->reaped && WIFEXITED(t->wait_status)) {
        command->exit = SLW_EXIT_STATUS;
        command->exit_value = WEXITSTATUS(t->wait_status);
    } else if (t->reaped) {
        command->exit = SLW_EXIT_SIGNAL;
        command->exit_value = WTERMSIG(t->wait_status);
    }
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

void slw_target_close(struct slw_live_target *t)
{
    if (!t)
        return;
    close_fd(t->error_fd);
    close_fd(t->go_fd);
    close_fd(t->go_read_fd);
    if (t->kind == SLW_TARGET_COMMAND && t->go_fd >= 0 && t->pid > 0)
        reap(t, 0); /* it reads end of file from the gate and ends */
    close_fd(t->cgroup_fd);
    close_fd(t->pid_fd);
    free(t->tids);
    free(t->cpus);
    free(t);
}
