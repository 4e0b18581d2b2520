/* SPDX-License-Identifier: MIT */
/* Before the client starts: the mapping and the environment. */
#include "collector/taps/wire.h"

#include "base/cleanup.h"
#include "collector/taps/wire/loadable.h"
#include "collector/taps/wire/map.h"
#include "collector/taps/wire/wire_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MAX_VARIABLES 1000000 /* of an environment; ARG_MAX is 2 MiB */

/* Nobody can run out of memory in the middle: every page is there before the client starts. */
static int fill_file(int fd, struct slw_error *err)
{
    int rc = ftruncate(fd, (off_t)sizeof(struct slw_wire_map)) < 0 ? errno : 0;

    if (rc == 0)
        rc = posix_fallocate(fd, 0, (off_t)sizeof(struct slw_wire_map));
    return rc == 0 ? 0
                   : slw_fail_sys(err, SLW_E_UNSUPPORTED, rc,
                                  "no room for the %zu KiB it is counted in",
                                  sizeof(struct slw_wire_map) / 1024);
}

/* As long for every process number: it is in the client's environment, which lies above its stack,
 * and a simulated client counts by where that is. */
static void name_memory(int process, int fd, char *to, size_t size)
{
    enum { WIDTH = 31 };
    char number[16];
    const int digits = snprintf(number, sizeof(number), "%d", fd);
    const int used = snprintf(to, size, "/proc/%d/fd/", process);

    for (int i = used; i < WIDTH - digits; i++)
        to[i] = '/';
    (void)snprintf(to + WIDTH - digits, size - (size_t)(WIDTH - digits), "%s", number);
}

/* Memory that clients reach through /proc, which needs no file system and leaves nothing behind; a
 * slotwise with file capabilities may not be looked into like that, and takes a file in /dev/shm.
 */
static int open_file(struct slw_wire *w, struct slw_error *err)
{
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1) {
        w->fd = memfd_create("slotwise-wire", MFD_CLOEXEC);
        if (w->fd >= 0) {
            name_memory((int)getpid(), w->fd, w->path, sizeof(w->path));
            return fill_file(w->fd, err);
        }
    }
    (void)snprintf(w->path, sizeof(w->path), "/dev/shm/slotwise-wire.XXXXXX");
    w->fd = mkostemp(w->path, O_CLOEXEC);
    if (w->fd < 0)
        return slw_fail_sys(err, SLW_E_UNSUPPORTED, errno, "cannot make %s", w->path);
    w->unlink_path = true;
    return fill_file(w->fd, err);
}

static int open_map(struct slw_wire *w, struct slw_error *err)
{
    int rc = open_file(w, err);

    if (rc < 0)
        return rc;
    void *map = mmap(NULL, sizeof(*w->map), PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
    if (map == MAP_FAILED)
        return slw_fail_sys(err, SLW_E_UNSUPPORTED, errno, "cannot map what it is counted in");
    w->map = map;
    w->map->version = SLW_WIRE_VERSION;
    w->map->size_bytes = sizeof(*w->map);
    w->map->magic = SLW_WIRE_MAGIC;
    return 0;
}

static int check_client(const struct slw_wire_options *opts, struct slw_error *err)
{
    enum slw_loadable l = opts->program ? slw_wire_loadable(opts->program) : SLW_LOADABLE_YES;

    if (access(opts->library, R_OK) < 0)
        return slw_fail_sys(err, SLW_E_UNSUPPORTED, errno, "cannot read %s", opts->library);
    /* The loader takes both for the end of a name. */
    if (strpbrk(opts->library, ": "))
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "'%s' cannot be preloaded: there is a blank or a colon in its path",
                        opts->library);
    if (l != SLW_LOADABLE_YES)
        return slw_fail(err, SLW_E_UNSUPPORTED, "nothing can be preloaded into the client: %s",
                        slw_wire_loadable_text(l));
    return 0;
}

static bool is_variable(const char *text, const char *name)
{
    size_t n = strlen(name);

    return strncmp(text, name, n) == 0 && text[n] == '=';
}

static int make_environment(struct slw_wire *w, const struct slw_wire_options *opts,
                            struct slw_error *err)
{
    const char *preload = "";
    size_t count = 0, n = 0;

    while (count < MAX_VARIABLES && opts->envp && opts->envp[count])
        count++;
    w->envp = calloc(count + 3, sizeof(*w->envp));
    for (size_t i = 0; w->envp && i < count; i++) {
        if (is_variable(opts->envp[i], "LD_PRELOAD"))
            preload = opts->envp[i] + strlen("LD_PRELOAD=");
        else if (!is_variable(opts->envp[i], SLW_WIRE_VARIABLE))
            w->envp[n++] = opts->envp[i];
    }
    /* First: what others preload may stand on what we see. */
    if (!w->envp ||
        asprintf(&w->preload, "LD_PRELOAD=%s%s%s", opts->library, *preload ? ":" : "", preload) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the client's environment");
    w->envp[n++] = w->preload;
    (void)snprintf(w->variable, sizeof(w->variable), SLW_WIRE_VARIABLE "=%s", w->path);
    w->envp[n] = w->variable;
    return 0;
}

int slw_wire_open(const struct slw_wire_options *opts, struct slw_wire **ret_wire,
                  struct slw_error *err)
{
    int rc = check_client(opts, err);

    if (rc < 0)
        return rc;
    struct slw_wire *w = calloc(1, sizeof(*w));
    if (!w)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the wire tap");
    w->fd = -1;
    rc = open_map(w, err);
    if (rc == 0)
        rc = make_environment(w, opts, err);
    if (rc < 0) {
        slw_wire_close(w);
        return rc;
    }
    *ret_wire = w;
    return 0;
}

char *const *slw_wire_environment(const struct slw_wire *wire)
{
    return wire->envp;
}

void slw_wire_count(struct slw_wire *wire, bool on)
{
    if (wire)
        atomic_store(&wire->map->counting, on);
}

int slw_wire_finish(const struct slw_wire *wire, struct slw_run *run, struct slw_error *err)
{
    return slw_wire_read(wire->map, run, err);
}

void slw_wire_close(struct slw_wire *wire)
{
    if (!wire)
        return;
    if (wire->map)
        (void)munmap(wire->map, sizeof(*wire->map));
    if (wire->unlink_path)
        (void)unlink(wire->path);
    if (wire->fd >= 0)
        (void)close(wire->fd);
    free(wire->envp);
    free(wire->preload);
    free(wire);
}
