/* SPDX-License-Identifier: MIT */
/* A/A tests in the cache: aa/KEY/TIME.json, each an experiment.json whose floors are one test's.
 * KEY stands for everything that has to be the same. */
#include "cli/experiment/aa_int.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "cli/cache.h"
#include "collector/host.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_AGE_NS    (UINT64_C(24) * 3600 * 1000000000)
#define MAX_FILES     256 /* looked at; older ones are removed as they are found */
#define MAX_AA_BYTES  ((size_t)4 << 20)
#define FORMAT_OF_KEY "1"

static void put_word(struct slw_buf *key, const char *word)
{
    slw_buf_puts(key, word ? word : "");
    slw_buf_putc(key, '\n');
}

static void put_option(struct slw_buf *key, const struct slw_args *args, const char *name)
{
    const char *value;

    for (size_t i = 0; (value = slw_args_get_nth(args, name, i)) != NULL; i++)
        put_word(key, value);
    slw_buf_printf(key, "%s %d\n", name, slw_args_has(args, name));
}

static bool put_machine(struct slw_buf *key)
{
    struct slw_run *run = NULL;

    if (slw_run_new(&run, NULL) < 0)
        return false;
    const bool known = slw_host_read(run, "", NULL) >= 0;
    put_word(key, run->host.hostname);
    put_word(key, run->host.kernel);
    put_word(key, run->host.cpu.name);
    put_word(key, run->host.governor);
    slw_buf_printf(key, "%d\n", run->host.cpu.online_count);
    slw_run_free(run);
    return known;
}

/* All folders of a path that are not there. */
static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    (void)mkdir(path, 0700);
}

/* Where this comparison's tests are kept, created where it is not there; false: nowhere. */
static bool folder_of(const struct slw_aa_request *r, char ret_path[PATH_MAX])
{
    static const char *const options[] = {
        "metric",       "ops",    "no-sampling", "frequency",  "call-graph", "offcpu",
        "per-function", "wire",   "no-wire",     "stages",     "level",      "model",
        "backend",      "warmup", "ring-size",   "stack-size", "spool-size"};
    char cache[PATH_MAX], cwd[PATH_MAX];
    struct slw_buf key = {0};
    bool known = put_machine(&key) && slw_cache_dir(cache) && getcwd(cwd, sizeof(cwd));

    put_word(&key, FORMAT_OF_KEY);
    put_word(&key, "slotwise " SLW_VERSION);
    put_word(&key, r->plan->arms[0].shown);
    put_word(&key, known ? cwd : NULL);
    put_word(&key, r->plan->setup);
    put_word(&key, r->plan->prepare);
    put_word(&key, r->judging->gates);
    slw_buf_printf(&key, "%zu\n", r->plan->blocks);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        put_option(&key, r->plan->args, options[i]);
    known = known && !slw_buf_failed(&key);
    if (known) {
        const int n = snprintf(ret_path, PATH_MAX, "%s/aa/%016llx", cache,
                               (unsigned long long)slw_hash_bytes(key.data, key.length, 0));
        known = n > 0 && n < PATH_MAX;
    }
    if (known)
        make_folders(ret_path);
    slw_buf_release(&key);
    return known;
}

/* TIME.json -> TIME. */
static bool time_of(const char *name, uint64_t *ret_ns)
{
    char *end;

    if (name[0] < '0' || name[0] > '9')
        return false;
    *ret_ns = strtoull(name, &end, 10);
    return strcmp(end, ".json") == 0;
}

static int by_time(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static size_t list_times(const char *folder, uint64_t times[MAX_FILES])
{
    const uint64_t now_ns = slw_clock_realtime_ns();
    DIR *d = opendir(folder);
    size_t count = 0;

    for (struct dirent *e = d ? readdir(d) : NULL; e && count < MAX_FILES; e = readdir(d)) {
        uint64_t ns;

        if (!time_of(e->d_name, &ns))
            continue;
        if (ns <= now_ns && now_ns - ns <= MAX_AGE_NS)
            times[count++] = ns;
        else
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d)
        (void)closedir(d);
    qsort(times, count, sizeof(times[0]), by_time);
    return count;
}

static struct slw_experiment *read_one(const char *folder, uint64_t ns)
{
    char path[PATH_MAX + 64];
    char *SLW_AUTO(free) text = NULL;
    struct slw_experiment *e = NULL;
    size_t length = 0;

    (void)snprintf(path, sizeof(path), "%s/%llu.json", folder, (unsigned long long)ns);
    if (slw_file_read(path, MAX_AA_BYTES, &text, &length, NULL) < 0 ||
        slw_experiment_from_json(path, text, length, &e, NULL) < 0)
        return NULL;
    return e;
}

void slw_aa_recall(const struct slw_aa_request *request, struct slw_aa_tests *tests)
{
    char folder[PATH_MAX];
    uint64_t times[MAX_FILES];
    const size_t count = folder_of(request, folder) ? list_times(folder, times) : 0;
    const size_t first = count > SLW_MAX_AA_TESTS ? count - SLW_MAX_AA_TESTS : 0;

    for (size_t i = first; i < count; i++) {
        struct slw_experiment *e = read_one(folder, times[i]);

        /* Two commands may have one key, if hardly ever. */
        if (e && e->floor_count > 0 &&
            strcmp(e->arms[0].command, request->plan->arms[0].shown) == 0)
            tests->all[tests->count++] =
                (struct slw_aa_test){.experiment = e, .differs = slw_aa_excludes_zero(e)};
        else
            slw_experiment_free(e);
    }
}

void slw_aa_store(const struct slw_aa_request *request, const struct slw_experiment *aa)
{
    char folder[PATH_MAX], path[PATH_MAX + 64];
    struct slw_buf json = {0};

    if (aa->floor_count == 0 || aa->stopped != SLW_STOPPED_ROUNDS || !folder_of(request, folder))
        return;
    (void)snprintf(path, sizeof(path), "%s/%llu.json", folder,
                   (unsigned long long)aa->started_realtime_ns);
    if (slw_experiment_to_json(aa, &json, NULL) == 0)
        (void)slw_file_write_private(path, json.data, json.length, NULL);
    slw_buf_release(&json);
}
