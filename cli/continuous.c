/* SPDX-License-Identifier: MIT */
#include "cli/continuous.h"

#include "base/clock.h"
#include "cli/terminal.h"
#include "record/run_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIN_EVERY_MS 1000 /* more often is no sampling of time but measuring all the time */
#define MAX_EVERY_MS (UINT64_C(24) * 3600 * 1000)
#define MAX_IN_A_ROW 10
#define MAX_NAMES    3600 /* that are looked for a free one */
#define NS_PER_MS    UINT64_C(1000000)

/* ---- settings ---- */

static int check_beside(const struct slw_args *a, struct slw_error *err)
{
    static const char *const others[] = {"duration", "delay",    "rounds",   "no-multiplex",
                                         "control",  "simulate", "workload", "propagate"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        int rc = slw_args_exclude(a, "every", others[i], err);
        if (rc < 0)
            return rc;
    }
    if (slw_args_has(a, "pid") || slw_args_has(a, "all") || slw_args_has(a, "cgroup"))
        return 0;
    slw_error_hint(err, "start the command, then: slotwise profile --every 60s --for 10s -p PID");
    return slw_fail(err, SLW_E_USAGE, "--every watches what is running: -p, -a or --cgroup");
}

int slw_continuous_settings(const struct slw_args *a, struct slw_continuous *ret_continuous,
                            struct slw_error *err)
{
    struct slw_continuous c = {.keep = SLW_CONTINUOUS_KEEP};
    int rc;

    if (!slw_args_has(a, "every")) {
        if (slw_args_has(a, "for"))
            slw_error_hint(err, "to measure once for so long: --duration");
        if (slw_args_has(a, "for") || slw_args_has(a, "keep"))
            return slw_fail(err, SLW_E_USAGE, "--for and --keep belong to --every");
        *ret_continuous = c;
        return 0;
    }
    rc = check_beside(a, err);
    if (rc >= 0)
        rc = slw_args_duration_ms(a, "every", &c.every_ms, err);
    if (rc >= 0)
        rc = slw_args_duration_ms(a, "for", &c.for_ms, err);
    if (rc >= 0)
        rc = slw_args_u64(a, "keep", 0, SLW_CONTINUOUS_MAX_KEEP, &c.keep, err);
    if (rc < 0)
        return rc;
    if (c.every_ms < MIN_EVERY_MS || c.every_ms > MAX_EVERY_MS)
        return slw_fail(err, SLW_E_USAGE, "--every: from 1s to 24 hours");
    if (c.for_ms == 0 || c.for_ms > c.every_ms)
        return slw_fail(err, SLW_E_USAGE, "--every needs --for, longer than 0 and no longer");
    *ret_continuous = c;
    return 0;
}

/* ---- waiting ---- */

struct state {
    const struct slw_continuous *c;
    sigset_t open; /* signals while we wait: all that are blocked otherwise */
    int pid_fd;    /* of what is watched; -1: none, or an old kernel */
    char **kept;   /* ring of run directories */
    uint64_t windows, failed, missed;
    unsigned in_a_row;
};

static void on_child(int number)
{
    (void)number; /* only there to end a wait */
}

/* Signals arrive while we wait and at no other time, so that none is missed before a wait. */
static void hold_signals(struct state *s)
{
    const struct sigaction action = {.sa_handler = on_child};
    sigset_t held;

    (void)sigaction(SIGCHLD, &action, NULL);
    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGCHLD);
    (void)sigaddset(&held, SIGINT);
    (void)sigaddset(&held, SIGTERM);
    (void)sigaddset(&held, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &held, &s->open);
    (void)sigdelset(&s->open, SIGCHLD);
}

/* Up to `ms`, a signal, or, where `watch`, the end of the watched process. */
static void wait_some(const struct state *s, uint64_t ms, bool watch)
{
    struct pollfd target = {.fd = watch ? s->pid_fd : -1, .events = POLLIN};
    const struct timespec time = {.tv_sec = (time_t)(ms / 1000),
                                  .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)ppoll(&target, 1, &time, &s->open);
}

static bool target_gone(const struct state *s)
{
    struct pollfd target = {.fd = s->pid_fd, .events = POLLIN};

    if (s->c->pid <= 0)
        return false;
    if (s->pid_fd >= 0)
        return poll(&target, 1, 0) > 0;
    return kill(s->c->pid, 0) < 0 && errno == ESRCH;
}

static bool over(const struct state *s)
{
    return *s->c->stop != 0 || target_gone(s);
}

/* The next beat at or after `due_ns`; beats that a long window went past are missed. */
static uint64_t wait_for_beat(struct state *s, uint64_t due_ns)
{
    const uint64_t every_ns = s->c->every_ms * NS_PER_MS;
    uint64_t now = slw_clock_monotonic_ns();

    if (now > due_ns) {
        const uint64_t gone = (now - due_ns) / every_ns;
        s->missed += gone;
        due_ns += gone * every_ns;
    }
    while (now < due_ns && !over(s)) {
        wait_some(s, (due_ns - now) / NS_PER_MS + 1, true);
        now = slw_clock_monotonic_ns();
    }
    return due_ns + every_ns;
}

/* ---- windows ---- */

/* What a run directory may hold: files. */
static void remove_run(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *e;

    while (d && (e = readdir(d)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        (void)closedir(d);
    else if (fd >= 0)
        (void)close(fd);
    (void)rmdir(path);
}

/* Takes `path`. */
static void keep_run(struct state *s, char *path)
{
    if (s->c->keep == 0) {
        remove_run(path);
        free(path);
        return;
    }
    char **slot = &s->kept[s->windows % s->c->keep];
    if (*slot)
        remove_run(*slot);
    free(*slot);
    *slot = path;
}

static char *path_at(const struct slw_continuous *c, time_t when)
{
    struct tm utc;
    char name[64];

    (void)gmtime_r(&when, &utc);
    (void)strftime(name, sizeof(name), "%Y%m%dT%H%M%SZ.slotwise", &utc);
    return slw_run_dir_file(c->folder, name);
}

/* Two windows may begin in one second, or the clock was set back: the first name that is free. */
static char *window_path(const struct slw_continuous *c)
{
    const time_t now = time(NULL);
    char *path = path_at(c, now);

    for (time_t later = 1; path && later < MAX_NAMES && access(path, F_OK) == 0; later++) {
        free(path);
        path = path_at(c, now + later);
    }
    return path;
}

/* A group of its own: the terminal's Ctrl-C is for us, who pass it on. Without us it ends too. */
static void become_window(const struct state *s)
{
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &s->open, NULL);
}

static int wait_for(const struct state *s, pid_t child)
{
    bool told = false;
    int status;

    for (;;) {
        const pid_t done = waitpid(child, &status, WNOHANG);
        if (done == child)
            break;
        if (done < 0 && errno != EINTR)
            return -1;
        if (*s->c->stop && !told)
            (void)kill(child, SIGTERM);
        told = *s->c->stop != 0;
        wait_some(s, 1000, false);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Is there any point in a next one? *ret_status: of what is to be returned when not. */
static bool judge(struct state *s, int status, int *ret_status)
{
    const bool measured = status == 0 || status == slw_code_exit_status(SLW_E_IO);

    s->failed += status != 0;
    s->in_a_row = measured ? 0 : s->in_a_row + 1;
    if (status > 128 && !*s->c->stop)
        slw_terminal_say("a window was killed by signal %d", status - 128);
    if (measured || *s->c->stop || (s->windows > 1 && s->in_a_row < MAX_IN_A_ROW))
        return true;
    *ret_status = status;
    return false;
}

static void say_end(const struct state *s)
{
    if (!s->c->quiet)
        slw_terminal_say("%" PRIu64 " windows, %" PRIu64 " of them not wholly well, %" PRIu64
                         " missed because one took too long; the last are in %s",
                         s->windows, s->failed, s->missed, s->c->folder);
}

/* *ret_child: this is the process of a window, and what is returned is its result. */
static int windows(struct state *s, bool *ret_child, struct slw_error *err)
{
    uint64_t due_ns = slw_clock_monotonic_ns();
    int status = 0;

    for (;;) {
        due_ns = wait_for_beat(s, due_ns);
        if (over(s))
            return 0;
        char *path = window_path(s->c);
        const pid_t child = path ? fork() : -1;
        if (child == 0) {
            *ret_child = true;
            become_window(s);
            int rc = s->c->window(s->c->ctx, path, err);
            free(path);
            return rc;
        }
        if (child < 0) {
            free(path);
            return slw_fail_sys(err, SLW_E_NOMEM, errno, "cannot start a window");
        }
        status = wait_for(s, child);
        s->windows++;
        keep_run(s, path);
        if (!judge(s, status, &status))
            return status;
    }
}

int slw_continuous_run(const struct slw_continuous *c, struct slw_error *err)
{
    struct state s = {.c = c, .pid_fd = -1};
    bool child = false;

    s.kept = calloc(c->keep + 1, sizeof(*s.kept));
    if (!s.kept)
        return slw_fail(err, SLW_E_NOMEM, "no memory to go on measuring");
    if (c->pid > 0)
        s.pid_fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
    hold_signals(&s);
    int rc = target_gone(&s) ? slw_fail(err, SLW_E_GONE, "there is no process %" PRId32, c->pid)
                             : windows(&s, &child, err);
    if (!child && rc >= 0)
        say_end(&s);
    if (!child && (c->keep == 0 || s.windows == 0))
        (void)rmdir(c->folder);
    for (uint64_t i = 0; i < c->keep; i++)
        free(s.kept[i]);
    free(s.kept);
    if (s.pid_fd >= 0)
        (void)close(s.pid_fd);
    return rc;
}
