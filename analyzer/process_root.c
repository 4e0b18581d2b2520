/* SPDX-License-Identifier: MIT */
#include "analyzer/process_root.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROC_BYTES 65536
#define SECOND_NS      UINT64_C(1000000000)

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;

    return clock_gettime(clock, &t) == 0 ? (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec : 0;
}

/* Field 22 of stat, in clock ticks since boot; fields are counted behind the name, which may hold
 * anything. Source: proc(5). */
static uint64_t start_time(const char *stat)
{
    const char *at = strrchr(stat, ')');
    uint64_t now = now_ns(CLOCK_REALTIME), up = now_ns(CLOCK_BOOTTIME);
    long ticks = sysconf(_SC_CLK_TCK);

    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at || ticks <= 0)
        return 0;
    uint64_t started = strtoull(at + 1, NULL, 10) * (SECOND_NS / (uint64_t)ticks);
    return started < up && up - started < now ? now - (up - started) : 0;
}

static const char *field(const char *status, const char *name)
{
    const char *at = strstr(status, name);

    return at && (at == status || at[-1] == '\n') ? at + strlen(name) : NULL;
}

static int32_t last_number(const char *line)
{
    long number = 0;
    char *end;

    for (; *line != '\0' && *line != '\n'; line = end) {
        long next = strtol(line, &end, 10);
        if (end == line)
            break;
        number = next;
    }
    return number > 0 && number <= INT32_MAX ? (int32_t)number : 0;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool has_other_files(const struct slw_process_root *r)
{
    char mounts[64];

    (void)snprintf(mounts, sizeof(mounts), "/proc/%d/ns/mnt", r->pid);
    return !same_file(mounts, "/proc/self/ns/mnt") || !same_file(r->path, "/");
}

/* The second of "real effective saved file-system". */
static bool effective_user(const char *line, uid_t *ret_uid)
{
    char *end;

    (void)strtoul(line, &end, 10);
    const char *second = end;
    unsigned long uid = strtoul(second, &end, 10);
    if (end == second || uid > UINT32_MAX)
        return false;
    *ret_uid = (uid_t)uid;
    return true;
}

bool slw_process_root_of(int32_t pid, struct slw_process_root *ret_root)
{
    struct slw_process_root r = {.pid = pid};
    char *SLW_AUTO(free) status = NULL;
    char *SLW_AUTO(free) stat = NULL;
    char path[64];

    if (pid <= 0)
        return false;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
    if (slw_file_read(path, MAX_PROC_BYTES, &status, NULL, NULL) < 0)
        return false;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    if (slw_file_read(path, MAX_PROC_BYTES, &stat, NULL, NULL) < 0)
        return false;
    const char *uids = field(status, "Uid:"), *pids = field(status, "NSpid:");
    if (!uids || !effective_user(uids, &r.uid))
        return false;
    r.own_pid = pids ? last_number(pids) : pid;
    r.started_ns = start_time(stat);
    (void)snprintf(r.path, sizeof(r.path), "/proc/%d/root", pid);
    r.other_files = has_other_files(&r);
    *ret_root = r;
    return true;
}

bool slw_process_root_path(const struct slw_process_root *root, const char *path,
                           char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%s%s", root->path, path);

    return n > 0 && n < PATH_MAX;
}
