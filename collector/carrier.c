/* SPDX-License-Identifier: MIT */
#include "collector/carriers/carrier.h"

#include "base/arena.h"
#include "collector/sys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLW_CARRIER(name) extern const struct slw_carrier slw_carrier_##name;
#include "collector/carriers/carriers.def"
#undef SLW_CARRIER

#define SLW_CARRIER(name) &slw_carrier_##name,
const struct slw_carrier *const slw_carriers[] = {
#include "collector/carriers/carriers.def"
};
#undef SLW_CARRIER

const size_t slw_carrier_count = sizeof(slw_carriers) / sizeof(slw_carriers[0]);

const struct slw_carrier *slw_carrier_find(const char *name)
{
    for (size_t i = 0; i < slw_carrier_count; i++)
        if (strcmp(slw_carriers[i]->name, name) == 0)
            return slw_carriers[i];
    return NULL;
}

/* ---- words ---- */

int slw_carrier_words_begin(struct slw_carrier_words *w, struct slw_arena *arena,
                            struct slw_error *err)
{
    *w = (struct slw_carrier_words){
        .arena = arena,
        .words = slw_arena_array(arena, SLW_CARRIER_MAX_WORDS, sizeof(*w->words)),
    };
    return w->words ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a command line");
}

void slw_carrier_word(struct slw_carrier_words *w, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    assert(w->count < SLW_CARRIER_MAX_WORDS);
    va_start(ap, fmt);
    const int length = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    text = length >= 0 ? slw_arena_alloc(w->arena, (size_t)length + 1) : NULL;
    if (!text) {
        w->failed = true;
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(text, (size_t)length + 1, fmt, ap);
    va_end(ap);
    w->words[w->count++] = text;
}

static const char *start_word(enum slw_sim_start start)
{
    switch (start) {
    case SLW_SIM_START_AUTO:
        return "auto";
    case SLW_SIM_START_CONNECT:
        return "connect";
    case SLW_SIM_START_WHOLE:
        break;
    }
    return "whole";
}

void slw_carrier_job_words(struct slw_carrier_words *w, const struct slw_carrier_job *job,
                           const char *output)
{
    slw_carrier_word(w, "--core=%s", job->core_file);
    slw_carrier_word(w, "--core-name=%s", job->core_name);
    slw_carrier_word(w, "--out=%s.%%p", output);
    slw_carrier_word(w, "--period=%llu", (unsigned long long)job->period);
    slw_carrier_word(w, "--detail=%llu", (unsigned long long)job->detail);
    slw_carrier_word(w, "--start=%s", start_word(job->start));
    slw_carrier_word(w, "--det=%s", job->repeatable ? "yes" : "no");
    slw_carrier_word(w, "--");
}

int slw_carrier_words_end(const struct slw_carrier_words *w, const char ***ret_words,
                          size_t *ret_count, struct slw_error *err)
{
    if (w->failed)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a command line");
    *ret_words = w->words;
    *ret_count = w->count;
    return 0;
}

/* ---- asking the launcher ---- */

#define PATIENCE_NS (UINT64_C(10) * 1000000000) /* it asks one other program for its version */

/* What it says on standard error, until it ends or has been waited for long enough. */
static bool listen_to(int fd, char *text, size_t size)
{
    const uint64_t until_ns = slw_sys_real.now_ns() + PATIENCE_NS;
    size_t used = 0;

    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        const uint64_t now_ns = slw_sys_real.now_ns();
        char bytes[512];

        if (now_ns >= until_ns || poll(&ready, 1, (int)((until_ns - now_ns) / 1000000) + 1) == 0)
            return false;
        const ssize_t n = read(fd, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n && used + 1 < size; i++)
            text[used++] = bytes[i];
    }
    text[used] = '\0';
    return true;
}

static void refuse(struct slw_probe *p, const char *why, const char *fix)
{
    p->works = false;
    (void)snprintf(p->why_not, sizeof(p->why_not), "%s", why);
    (void)snprintf(p->fix, sizeof(p->fix), "%s", fix);
}

/* Two lines: why, and what to do; the name before the colon is nobody's concern. */
static void tell(struct slw_probe *p, char *text)
{
    char *fix = strchr(text, '\n');
    const char *colon = strstr(text, ": ");

    if (fix)
        *fix++ = '\0';
    if (fix)
        fix[strcspn(fix, "\n")] = '\0';
    refuse(p, colon ? colon + 2 : text[0] ? text : "it does not say why", fix ? fix : "");
}

static int start(const char *launcher, char *const *envp, int to, pid_t *ret_pid)
{
    char path[PATH_MAX], check[] = "--check";
    char *const argv[] = {path, check, NULL};
    posix_spawn_file_actions_t actions;

    (void)snprintf(path, sizeof(path), "%s", launcher);
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, to, STDERR_FILENO);
    if (!error)
        error = posix_spawn(ret_pid, launcher, &actions, NULL, argv, envp);
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

static void judge(pid_t pid, bool ended, char *text, struct slw_probe *p)
{
    int status = 0;

    if (!ended)
        (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!ended)
        refuse(p, "its program does not answer", "");
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        p->works = true;
    else
        tell(p, text);
}

void slw_carrier_probe(const char *launcher, char *const *envp, struct slw_probe *ret_probe)
{
    char text[512] = "", why[160];
    int ends[2];
    pid_t pid = -1;

    *ret_probe = (struct slw_probe){0};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        refuse(ret_probe, "no pipe could be made to ask its program", "");
        return;
    }
    const int error = start(launcher, envp, ends[1], &pid);

    (void)close(ends[1]);
    if (error) {
        (void)snprintf(why, sizeof(why), "its program cannot be started: %s", strerror(error));
        refuse(ret_probe, why, "build and install all of slotwise");
    } else {
        const bool ended = listen_to(ends[0], text, sizeof(text));

        judge(pid, ended, text, ret_probe);
    }
    (void)close(ends[0]);
}
