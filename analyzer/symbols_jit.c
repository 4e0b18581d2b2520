/* SPDX-License-Identifier: MIT */
/* Names of code that a JIT compiler made, from what it left: jitdump, when the process mapped one,
 * else /tmp/perf-PID.map. Both are looked for where the process sees them while it lives. */
#include "analyzer/jitdump.h"
#include "analyzer/process_root.h"
#include "analyzer/symbols_int.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PERF_MAP ((size_t)256 << 20) /* the text a JIT compiler writes in days */
#define SECOND_NS    UINT64_C(1000000000)

struct source {
    const struct slw_symbols *s;
    int32_t pid;
    bool alive;
    struct slw_process_root root;
};

/* Anybody may put a file by such a name into /tmp: it is believed when the process itself could
 * have written it (so perf, but for root's own processes), and not of one that had the number
 * before. */
static bool judge(const struct source *from, int fd, enum slw_symbols_problem *problem)
{
    struct stat st;
    uint64_t since = from->alive ? from->root.started_ns : from->s->opts.started_realtime_ns;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    if (st.st_uid != 0 && st.st_uid != geteuid() && !(from->alive && st.st_uid == from->root.uid)) {
        *problem = SLW_SYMBOLS_JIT_FOREIGN;
        return false;
    }
    /* Clocks of files are as coarse as a tick of the kernel. */
    if (((uint64_t)st.st_mtim.tv_sec + 1) * SECOND_NS < since) {
        *problem = SLW_SYMBOLS_JIT_STALE;
        return false;
    }
    return true;
}

static int open_judged(const struct source *from, const char *path,
                       enum slw_symbols_problem *problem)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);

    if (fd >= 0 && !judge(from, fd, problem)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* -1: there is none to be believed. */
static int open_map(const struct source *from, enum slw_symbols_problem *problem)
{
    char path[PATH_MAX];

    if (from->alive) {
        (void)snprintf(path, sizeof(path), "%s/tmp/perf-%d.map", from->root.path,
                       from->root.own_pid);
        int fd = open_judged(from, path, problem);
        if (fd >= 0)
            return fd;
    }
    (void)snprintf(path, sizeof(path), "/tmp/perf-%d.map", from->pid);
    return open_judged(from, path, problem);
}

static struct source source_of(const struct slw_symbols *s, int32_t pid)
{
    struct source from = {.s = s, .pid = pid};

    from.alive = slw_process_root_of(pid, &from.root);
    return from;
}

int slw_symbols_open_jitdump(const struct slw_symbols *s, int32_t pid, const char *named,
                             enum slw_symbols_problem *problem)
{
    const struct source from = source_of(s, pid);
    char path[PATH_MAX];
    int fd = -1;

    if (from.alive && slw_process_root_path(&from.root, named, path))
        fd = open_judged(&from, path, problem);
    return fd >= 0 ? fd : open_judged(&from, named, problem);
}

static int read_map(int fd, struct slw_symbols_module *l)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || st.st_size <= 0)
        return 0;
    size_t bytes = (uint64_t)st.st_size < MAX_PERF_MAP ? (size_t)st.st_size : MAX_PERF_MAP;
    l->text = malloc(bytes + 1);
    if (!l->text)
        return -SLW_E_NOMEM;
    long long length = slw_read_full(fd, l->text, bytes);
    if (length < 0)
        length = 0;
    l->text[length] = '\0';
    if ((uint64_t)st.st_size > MAX_PERF_MAP)
        l->problem = SLW_SYMBOLS_JIT_HUGE;
    int rc = slw_symtab_add_perf_map(&l->table, l->text);
    if (rc == -SLW_E_LIMIT) { /* what was read is true */
        l->problem = SLW_SYMBOLS_JIT_HUGE;
        rc = 0;
    }
    return rc;
}

static int read_dump(struct slw_symbols *s, int fd, struct slw_symbols_module *l)
{
    FILE *f = fdopen(fd, "rb");

    if (!f) {
        (void)close(fd);
        return -SLW_E_NOMEM;
    }
    int rc = slw_jitdump_read(f, s->arena, &l->table);
    (void)fclose(f);
    if (rc == -SLW_E_LIMIT)
        l->problem = SLW_SYMBOLS_JIT_HUGE;
    return rc == -SLW_E_NOMEM ? rc : 0;
}

int slw_symbols_load_jit(struct slw_symbols *s, const struct slw_module *m,
                         struct slw_symbols_module *l)
{
    const char *dump = slw_modules_jitdump(s->modules, m->pid);
    enum slw_symbols_problem problem = SLW_SYMBOLS_FINE;
    int rc = 0;

    if (s->opts.imported || m->pid <= 0)
        return 0;
    int fd = dump ? slw_symbols_open_jitdump(s, m->pid, dump, &problem) : -1;
    if (fd >= 0)
        rc = read_dump(s, fd, l);
    if (rc == 0 && l->table.count == 0) {
        const struct source from = source_of(s, m->pid);

        fd = open_map(&from, &problem);
        if (fd >= 0) {
            rc = read_map(fd, l);
            (void)close(fd);
        }
    }
    if (l->table.count == 0 && l->problem == SLW_SYMBOLS_FINE)
        l->problem = problem;
    return rc == 0 ? slw_symtab_finish_latest(&l->table) : rc;
}
