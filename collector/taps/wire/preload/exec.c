/* SPDX-License-Identifier: MIT */
/* Starting other programs. Those that would not start with our library preloaded (another loader,
 * another architecture) get an environment without it; all others are left alone. May run in a
 * vfork child: nothing but the stack is used. */
#include "collector/taps/wire/loadable.h"
#include "collector/taps/wire/preload/processes.h"
#include "collector/taps/wire/preload/real.h"
#include "collector/taps/wire/preload/table.h"

#include <alloca.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_VARIABLES 65536 /* of an environment copied; larger ones are passed on as they are */
#define MAX_PRELOAD   4096  /* bytes of LD_PRELOAD */
#define LIBRARY       "libslotwise-wire.so"

static bool is_ours(const char *path, size_t length)
{
    size_t name = strlen(LIBRARY);

    return length >= name && memcmp(path + length - name, LIBRARY, name) == 0;
}

/* "LD_PRELOAD=..." without our library; false when nothing is left of it. */
static bool strip(const char *variable, char ret_text[MAX_PRELOAD])
{
    const char *p = strchr(variable, '=') + 1;
    size_t used = (size_t)(p - variable);
    bool any = false;

    memcpy(ret_text, variable, used);
    while (*p) {
        size_t n = strcspn(p, ": ");

        if (n > 0 && !is_ours(p, n) && used + n + 2 < MAX_PRELOAD) {
            if (any)
                ret_text[used++] = ':';
            memcpy(ret_text + used, p, n);
            used += n;
            any = true;
        }
        p += n + (p[n] != '\0');
    }
    ret_text[used] = '\0';
    return any;
}

static size_t count_of(char *const *list)
{
    size_t n = 0;

    while (list && n < MAX_VARIABLES && list[n])
        n++;
    return n;
}

/* A copy of the environment without us into `copy`, which has room for all of it. */
static void without_us(char *const *env, char **copy, char preload[MAX_PRELOAD])
{
    size_t n = 0;

    for (; *env; env++) {
        if (strncmp(*env, "SLOTWISE_WIRE=", 14) == 0)
            continue;
        if (strncmp(*env, "LD_PRELOAD=", 11) != 0 || strlen(*env) >= MAX_PRELOAD)
            copy[n++] = *env;
        else if (strip(*env, preload))
            copy[n++] = preload;
    }
    copy[n] = NULL;
}

/* The first file of that name in PATH that could be executed. */
static bool find_in_path(const char *name, char ret_path[PATH_MAX])
{
    const char *path = getenv("PATH");

    for (const char *dir = path ? path : "/bin:/usr/bin"; *dir;) {
        size_t n = strcspn(dir, ":"), length = strlen(name);

        if (n + length + 2 < PATH_MAX) {
            memcpy(ret_path, n ? dir : ".", n ? n : 1);
            ret_path[n ? n : 1] = '/';
            memcpy(ret_path + (n ? n : 1) + 1, name, length + 1);
            if (access(ret_path, X_OK) == 0)
                return true;
        }
        dir += n + (dir[n] == ':');
    }
    return false;
}

static bool breaks(const char *file, bool search)
{
    char path[PATH_MAX];

    if (!slw_table_on() || !file)
        return false;
    if (search && !strchr(file, '/'))
        return find_in_path(file, path) && slw_wire_breaks(slw_wire_loadable(path));
    return slw_wire_breaks(slw_wire_loadable(file));
}

/* `env` as the program should get it; the copy lives as long as the caller's frame. */
#define CHOOSE_ENVIRONMENT(file, search, env)                                                      \
    int saved = errno;                                                                             \
    char preload[MAX_PRELOAD];                                                                     \
    size_t count = count_of(env);                                                                  \
    if (count > 0 && count < MAX_VARIABLES && breaks(file, search)) {                              \
        char **copy = alloca((count + 1) * sizeof(*copy));                                         \
        without_us(env, copy, preload);                                                            \
        (env) = copy;                                                                              \
    }                                                                                              \
    errno = saved

static void begin_exec(void)
{
    if (slw_table_on())
        slw_process_execs(slw_table_map(), getpid());
}

/* It is back: there is no such program. */
static int end_exec(int result)
{
    int saved = errno;

    if (slw_table_on())
        slw_process_exec_failed(slw_table_map(), getpid());
    errno = saved;
    return result;
}

static int end_spawn(int result, const pid_t *pid)
{
    int saved = errno;

    if (result == 0 && pid && slw_table_on())
        slw_process_spawned(slw_table_map(), *pid);
    errno = saved;
    return result;
}

SLW_EXPORT int execve(const char *path, char *const argv[], char *const env[])
{
    CHOOSE_ENVIRONMENT(path, false, env);
    begin_exec();
    if (!slw_real.execve)
        return end_exec((int)syscall(SYS_execve, path, argv, env));
    return end_exec(slw_real.execve(path, argv, env));
}

SLW_EXPORT int execvpe(const char *file, char *const argv[], char *const env[])
{
    CHOOSE_ENVIRONMENT(file, true, env);
    if (!slw_real.execvpe) {
        errno = ENOSYS;
        return -1;
    }
    begin_exec();
    return end_exec(slw_real.execvpe(file, argv, env));
}

SLW_EXPORT int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

SLW_EXPORT int execvp(const char *file, char *const argv[])
{
    return execvpe(file, argv, environ);
}

/* The arguments of an execl-like call as a list on the caller's stack. */
#define COLLECT(first, list)                                                                       \
    va_list ap;                                                                                    \
    size_t n = 1;                                                                                  \
    va_start(ap, first);                                                                           \
    while (va_arg(ap, char *))                                                                     \
        n++;                                                                                       \
    va_end(ap);                                                                                    \
    char **list = alloca((n + 1) * sizeof(*list));                                                 \
    memcpy(&(list)[0], &(first), sizeof((list)[0]));                                               \
    va_start(ap, first);                                                                           \
    for (size_t i = 1; i <= n; i++)                                                                \
    (list)[i] = va_arg(ap, char *)

SLW_EXPORT int execl(const char *path, const char *argument, ...)
{
    COLLECT(argument, list);
    va_end(ap);
    return execve(path, list, environ);
}

SLW_EXPORT int execlp(const char *file, const char *argument, ...)
{
    COLLECT(argument, list);
    va_end(ap);
    return execvpe(file, list, environ);
}

SLW_EXPORT int execle(const char *path, const char *argument, ...)
{
    COLLECT(argument, list);
    char **env = va_arg(ap, char **);
    va_end(ap);
    return execve(path, list, env);
}

SLW_EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes, char *const argv[],
                           char *const env[])
{
    if (!slw_real.posix_spawn)
        return ENOSYS;
    CHOOSE_ENVIRONMENT(path, false, env);
    pid_t own = 0, *started = pid ? pid : &own;
    return end_spawn(slw_real.posix_spawn(started, path, actions, attributes, argv, env), started);
}

SLW_EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                            const posix_spawnattr_t *attributes, char *const argv[],
                            char *const env[])
{
    if (!slw_real.posix_spawnp)
        return ENOSYS;
    CHOOSE_ENVIRONMENT(file, true, env);
    pid_t own = 0, *started = pid ? pid : &own;
    return end_spawn(slw_real.posix_spawnp(started, file, actions, attributes, argv, env), started);
}
