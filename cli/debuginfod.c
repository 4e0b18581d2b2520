/* SPDX-License-Identifier: MIT */
#include "cli/debuginfod.h"

#include "base/clock.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARY         "libdebuginfod.so.1"
#define MAX_BYTES       (UINT64_C(64) << 30)
#define DEFAULT_BYTES   (UINT64_C(512) << 20)
#define DEFAULT_TIME_MS 60000
#define MS_NS           UINT64_C(1000000)
#define SECOND_NS       UINT64_C(1000000000)

/* Source: elfutils/debuginfod.h, ABI of version 0.179 and later. Declared here, because the library
 * is not needed for building, and starting it takes longer than most of our commands. */
struct client;
typedef int (*find_fn)(struct client *c, const unsigned char *build_id, int length, char **path);
typedef int (*progress_fn)(struct client *c, long done, long all);

struct slw_debuginfod {
    struct slw_remote_files files;
    void *library;
    struct client *client;
    void (*end)(struct client *c);
    const char *(*url)(struct client *c);
    find_fn find[2];     /* by enum slw_remote_kind */
    uint64_t time_ns;    /* that may be spent in all */
    uint64_t bytes_left; /* that may still be fetched */
    uint64_t deadline_ns, spent_ns;
    bool stopped; /* what is under way was given up */
};

/* The callback is handed the client only. */
static struct slw_debuginfod *at_work;

/* Non-zero ends the transfer. Called about once a second, and when data come. */
static int on_progress(struct client *c, long done, long all)
{
    struct slw_debuginfod *d = at_work;

    (void)c;
    d->stopped = slw_clock_monotonic_ns() >= d->deadline_ns ||
                 (done > 0 && (uint64_t)done > d->bytes_left) ||
                 (all > 0 && (uint64_t)all > d->bytes_left);
    return d->stopped;
}

/* The library is told its limits by the environment alone. What the user set there stays when it is
 * the lower one. */
static int set_limit(const char *name, uint64_t value)
{
    const char *given = getenv(name);
    const uint64_t own = given ? strtoull(given, NULL, 10) : 0;
    char text[32];

    if (own > 0 && own < value)
        return 0;
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return setenv(name, text, 1);
}

static uint64_t seconds(uint64_t ns)
{
    return (ns + SECOND_NS - 1) / SECOND_NS;
}

/* A file that lay in the library's cache was not fetched. A small one may be there before the
 * library asks whether it is too large. */
static int account(struct slw_debuginfod *d, int fd)
{
    struct stat st;

    if (!d->url(d->client))
        return 0;
    const uint64_t size = fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
    const bool fits = size <= d->bytes_left;
    d->bytes_left -= fits ? size : d->bytes_left;
    return fits ? 0 : -SLW_E_LIMIT;
}

static int code_of(const struct slw_debuginfod *d, int rc)
{
    if (d->stopped || rc == -EFBIG || rc == -ETIME)
        return -SLW_E_LIMIT;
    if (rc == -ENOENT)
        return -SLW_E_NOTFOUND;
    return rc == -ENOMEM ? -SLW_E_NOMEM : -SLW_E_IO;
}

static int fetch(void *ctx, enum slw_remote_kind kind, const char *build_id, char **ret_path)
{
    struct slw_debuginfod *d = ctx;
    const uint64_t start = slw_clock_monotonic_ns();
    char *path = NULL;

    if (d->spent_ns >= d->time_ns || d->bytes_left == 0)
        return -SLW_E_LIMIT;
    d->deadline_ns = start + (d->time_ns - d->spent_ns);
    d->stopped = false;
    if (set_limit("DEBUGINFOD_MAXSIZE", d->bytes_left) < 0 ||
        set_limit("DEBUGINFOD_MAXTIME", seconds(d->time_ns - d->spent_ns)) < 0)
        return -SLW_E_NOMEM;
    at_work = d;
    const int fd = d->find[kind](d->client, (const unsigned char *)build_id, 0, &path);
    at_work = NULL;
    d->spent_ns += slw_clock_monotonic_ns() - start;
    if (fd < 0)
        return code_of(d, fd);
    const int rc = path ? account(d, fd) : -SLW_E_NOMEM;
    (void)close(fd);
    if (rc == 0)
        *ret_path = path;
    else
        free(path);
    return rc;
}

/* dlsym gives data pointers; POSIX wants them to be convertible. */
static bool symbol(void *library, const char *name, void *ret_function, size_t bytes)
{
    void *found = dlsym(library, name);

    memcpy(ret_function, &found, bytes);
    return found != NULL;
}

static bool load(struct slw_debuginfod *d)
{
    struct client *(*begin)(void);
    void (*set_progress)(struct client * c, progress_fn fn);

    d->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!d->library || !symbol(d->library, "debuginfod_begin", &begin, sizeof(begin)) ||
        !symbol(d->library, "debuginfod_end", &d->end, sizeof(d->end)) ||
        !symbol(d->library, "debuginfod_get_url", &d->url, sizeof(d->url)) ||
        !symbol(d->library, "debuginfod_set_progressfn", &set_progress, sizeof(set_progress)) ||
        !symbol(d->library, "debuginfod_find_debuginfo", &d->find[SLW_REMOTE_DEBUG],
                sizeof(d->find[0])) ||
        !symbol(d->library, "debuginfod_find_executable", &d->find[SLW_REMOTE_PROGRAM],
                sizeof(d->find[0])))
        return false;
    d->client = begin();
    if (d->client)
        set_progress(d->client, on_progress);
    return d->client != NULL;
}

static int read_options(const struct slw_args *args, uint64_t *ret_ms, uint64_t *ret_bytes,
                        struct slw_error *err)
{
    const char *urls = getenv("DEBUGINFOD_URLS");
    int rc = slw_args_duration_ms(args, "debuginfod-time", ret_ms, err);

    if (rc >= 0)
        rc = slw_args_bytes(args, "debuginfod-size", MAX_BYTES, ret_bytes, err);
    if (rc < 0)
        return rc;
    if (!slw_args_has(args, "debuginfod") &&
        (slw_args_has(args, "debuginfod-time") || slw_args_has(args, "debuginfod-size")))
        return slw_fail(err, SLW_E_USAGE,
                        "--debuginfod-time and --debuginfod-size say nothing without --debuginfod");
    if (slw_args_has(args, "debuginfod") && (!urls || !*urls)) {
        slw_error_hint(
            err,
            "export DEBUGINFOD_URLS=https://SERVER, one that has the debug files of your system");
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "--debuginfod: DEBUGINFOD_URLS names no server to ask");
    }
    return 0;
}

int slw_debuginfod_open(const struct slw_args *args, struct slw_debuginfod **ret_client,
                        struct slw_error *err)
{
    uint64_t ms = DEFAULT_TIME_MS, bytes = DEFAULT_BYTES;
    int rc = read_options(args, &ms, &bytes, err);

    if (rc < 0 || !slw_args_has(args, "debuginfod"))
        return rc;
    struct slw_debuginfod *d = calloc(1, sizeof(*d));
    if (!d)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the client of debuginfod servers");
    d->files = (struct slw_remote_files){fetch, d};
    d->time_ns = ms * MS_NS;
    d->bytes_left = bytes;
    if (!load(d)) {
        slw_debuginfod_close(d);
        slw_error_hint(err, "apt-get install libdebuginfod1");
        return slw_fail(err, SLW_E_UNSUPPORTED, "--debuginfod: cannot load %s", LIBRARY);
    }
    *ret_client = d;
    return 0;
}

void slw_debuginfod_close(struct slw_debuginfod *d)
{
    if (!d)
        return;
    if (d->client)
        d->end(d->client);
    /* Not unloaded: TLS libraries below it leave handlers for the end of the process. */
    free(d);
}

const struct slw_remote_files *slw_debuginfod_files(const struct slw_debuginfod *d)
{
    return d ? &d->files : NULL;
}
