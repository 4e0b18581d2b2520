/* SPDX-License-Identifier: MIT */
/* --setup, --prepare and --cleanup. */
#include "cli/experiment/experiment_int.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARM_VARIABLE "SLOTWISE_ARM"

/* The environment with the arm's name in it; free the array. `room` holds the variable. */
static char **environment_of(const char *arm, struct slw_buf *room)
{
    size_t count = 0, kept = 0;

    while (environ[count])
        count++;
    char **env = calloc(count + 2, sizeof(*env));
    slw_buf_printf(room, ARM_VARIABLE "=%s", arm ? arm : "");
    if (!env || slw_buf_failed(room)) {
        free(env);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], ARM_VARIABLE "=", sizeof(ARM_VARIABLE)) != 0)
            env[kept++] = environ[i];
    if (arm)
        env[kept] = room->data;
    return env;
}

/* We are the child. Standard output is the report's, standard input the client's. */
static _Noreturn void run_shell(const char *command, char **env)
{
    static const int ours[] = {SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGCHLD};
    const int nothing = open("/dev/null", O_RDONLY);
    char shell[] = "/bin/sh", flag[] = "-c";
    char *text = strdup(command);
    char *argv[] = {shell, flag, text, NULL};

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        (void)signal(ours[i], SIG_DFL);
    if (text && nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
        dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
        (void)execve(shell, argv, env);
    _exit(127);
}

static int wait_for(pid_t pid, const volatile sig_atomic_t *stop)
{
    bool told = false;
    int status = 0;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
        if (stop && *stop && !told)
            (void)kill(pid, SIGTERM);
        told = told || (stop && *stop);
    }
    return status;
}

static void put_failure(int status, char ret_failure[96])
{
    if (status < 0)
        (void)snprintf(ret_failure, 96, "could not be waited for");
    else if (WIFSIGNALED(status))
        (void)snprintf(ret_failure, 96, "was killed by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        (void)snprintf(ret_failure, 96, "failed with exit status %d", WEXITSTATUS(status));
}

int slw_hook_run(const char *command, const char *arm, const volatile sig_atomic_t *stop,
                 char ret_failure[96], struct slw_error *err)
{
    struct slw_buf variable = {0};

    ret_failure[0] = '\0';
    if (!command)
        return 0;
    char **env = environment_of(arm, &variable);
    if (!env) {
        slw_buf_release(&variable);
        return slw_fail(err, SLW_E_NOMEM, "no memory for an environment");
    }
    (void)fflush(NULL);
    const pid_t pid = fork();
    const int failed = errno;
    if (pid == 0)
        run_shell(command, env);
    free(env);
    slw_buf_release(&variable);
    if (pid < 0)
        return slw_fail_sys(err, SLW_E_EXEC, failed, "cannot start '%.100s'", command);
    put_failure(wait_for(pid, stop), ret_failure);
    return 0;
}
