/* SPDX-License-Identifier: MIT */
#include "cli/history_files.h"

#include "analyzer/compare/observe.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "cli/render.h"
#include "cli/terminal.h"
#include "record/experiment.h"
#include "record/run_dir.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEPTH     8      /* folders below what was given: YEAR/MONTH/DAY/NAME.compare/ARM/ */
#define MAX_ENTRIES   200000 /* names in all folders */
#define MAX_RUN_BYTES (64u << 20)
#define MAX_NAMED     20 /* of the runs that cannot be read; more are counted */

struct folder {
    char *path;
    unsigned depth;
};

struct search {
    const char *metric;
    struct slw_history_files *files;
    size_t room; /* of files->runs */
    struct folder *folders;
    size_t folder_count, folder_room, folder_next, entries;
    struct identity { /* of the run.json files that were read: a run counts once */
        dev_t device;
        ino_t inode;
    } * seen;
    struct slw_error first; /* why the first of the unreadable is */
    struct slw_error *err;
};

static int nomem(const struct search *s)
{
    return slw_fail(s->err, SLW_E_NOMEM, "no memory for so many runs");
}

/* ---- a run, without what a history does not need ---- */

static int copy_host(struct slw_run *to, const struct slw_host *from)
{
    const char **const strings[] = {
        &to->host.hostname,   &to->host.os,       &to->host.kernel,
        &to->host.hypervisor, &to->host.governor, &to->host.cpu.arch,
        &to->host.cpu.vendor, &to->host.cpu.name, &to->host.cpu.microcode};

    to->host = *from;
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        const char *copy = slw_run_str(to, *strings[i]);
        if (*strings[i] && !copy)
            return -SLW_E_NOMEM;
        *strings[i] = copy;
    }
    return 0;
}

/* The metric; of a run that lacks it all, so that the nearest name can be told, and of every run
 * the one that is told where nobody has a value. */
static int copy_observations(struct slw_run *to, const struct slw_run *from, const char *metric,
                             struct slw_error *err)
{
    const struct slw_observation *o = slw_run_find_observation(from, metric);
    const struct slw_observation *every = slw_run_find_observation(from, SLW_HISTORY_OF_EVERY_RUN);
    int rc = 0;

    if (o)
        rc = slw_run_add_observation(to, o, err);
    if (o && rc >= 0 && every && every != o)
        rc = slw_run_add_observation(to, every, err);
    for (size_t i = 0; !o && i < from->observation_count && rc >= 0; i++)
        rc = slw_run_add_observation(to, &from->observations[i], err);
    return rc;
}

static int copy_run(const struct slw_run *from, const char *metric, struct slw_run **ret_run,
                    struct slw_error *err)
{
    struct slw_run *to = NULL;
    int rc = slw_run_new(&to, err);

    if (rc < 0)
        return rc;
    to->tool = slw_run_str(to, from->tool);
    to->started_realtime_ns = from->started_realtime_ns;
    to->experiment.arm = slw_run_str(to, from->experiment.arm);
    if ((from->tool && !to->tool) || (from->experiment.arm && !to->experiment.arm) ||
        copy_host(to, &from->host) < 0)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for a run");
    for (size_t i = 0; i < from->label_count && rc >= 0; i++)
        rc = slw_run_add_label(to, from->labels[i].key, from->labels[i].value, err);
    if (rc >= 0)
        rc = copy_observations(to, from, metric, err);
    if (rc < 0)
        slw_run_free(to);
    else
        *ret_run = to;
    return rc;
}

/* Runs of before there were observations, imports and single profiles get theirs now. */
static int observe(struct slw_run *run, struct slw_error *err)
{
    struct slw_models models = {0};
    struct slw_report *report = NULL;

    if (run->observation_count > 0)
        return 0;
    int rc = slw_models_load(run, &models);
    if (rc >= 0)
        rc = slw_models_report(run, NULL, &models, &report, err);
    if (rc >= 0)
        rc = slw_observe_run(run, report, err);
    slw_report_free(report);
    slw_models_release(&models);
    return rc;
}

/* ---- files ---- */

static bool keep_place(struct search *s)
{
    const size_t room = s->room ? s->room * 2 : 64;

    if (s->files->count < s->room)
        return true;
    struct slw_history_run *runs = realloc(s->files->runs, room * sizeof(*runs));
    if (runs)
        s->files->runs = runs;
    struct identity *seen = realloc(s->seen, room * sizeof(*seen));
    if (seen)
        s->seen = seen;
    if (runs && seen)
        s->room = room;
    return runs && seen;
}

static int keep(struct search *s, const char *path, const struct stat *st, struct slw_run *run)
{
    char *copy = strdup(path);

    if (!copy || !keep_place(s)) {
        free(copy);
        slw_run_free(run);
        return nomem(s);
    }
    s->seen[s->files->count] = (struct identity){st->st_dev, st->st_ino};
    s->files->runs[s->files->count++] = (struct slw_history_run){copy, run};
    return 0;
}

static bool was_seen(const struct search *s, const struct stat *st)
{
    for (size_t i = 0; i < s->files->count; i++)
        if (s->seen[i].device == st->st_dev && s->seen[i].inode == st->st_ino)
            return true;
    return false;
}

/* Some other program's JSON, which is whole: nothing is wrong with it. */
static bool is_foreign_json(const char *text, size_t length)
{
    json_t *document = json_loadb(text, length, 0, NULL);
    const bool foreign =
        document && !(json_object_get(document, "schema") && json_object_get(document, "host"));

    json_decref(document);
    return foreign;
}

/* Readers of bytes know a place in them, but not whose they are. */
static void name_unreadable(struct search *s, const char *path, struct slw_error *why)
{
    const size_t own = strlen(SLW_RUN_JSON);
    char inside[sizeof(why->where)];

    memcpy(inside, why->where, sizeof(inside));
    const char *place = strncmp(inside, SLW_RUN_JSON, own) == 0 ? inside + own : "";
    place += strspn(place, ": ");
    (void)snprintf(why->where, sizeof(why->where), "%.160s%s%.80s", path, *place ? ", " : "",
                   place);
    (void)snprintf(why->hint, sizeof(why->hint), "the history is drawn without it");
    if (s->files->unreadable++ == 0)
        s->first = *why;
    if (s->files->unreadable <= MAX_NAMED)
        slw_terminal_error("history", why);
}

/* One run.json. given: somebody named it, or it is called so: then it has to be one. */
static int read_file(struct search *s, const char *shown, const char *path, bool given)
{
    struct slw_run *run = NULL, *copy = NULL;
    char *SLW_AUTO(free) text = NULL;
    struct slw_error why = {0};
    struct stat st = {0};
    size_t length = 0;

    if (stat(path, &st) == 0 && was_seen(s, &st))
        return 0;
    if (s->files->count == SLW_MAX_HISTORY)
        return slw_fail(s->err, SLW_E_LIMIT, "more than %d runs: name a folder with fewer",
                        SLW_MAX_HISTORY);
    int rc = slw_file_read(path, MAX_RUN_BYTES, &text, &length, &why);
    if (rc >= 0)
        rc = slw_run_from_json(text, length, &run, &why);
    if (rc < 0 && rc != -SLW_E_NOMEM && !given && text && is_foreign_json(text, length))
        return 0;
    if (rc >= 0)
        rc = observe(run, &why);
    if (rc >= 0)
        rc = copy_run(run, s->metric, &copy, &why);
    slw_run_free(run);
    if (rc >= 0)
        return keep(s, shown, &st, copy);
    if (rc == -SLW_E_NOMEM)
        return nomem(s);
    name_unreadable(s, shown, &why);
    return 0;
}

/* ---- folders ---- */

static int push(struct search *s, char *path, unsigned depth)
{
    const size_t room = s->folder_room ? s->folder_room * 2 : 64;

    if (path && s->folder_count == s->folder_room) {
        struct folder *folders = realloc(s->folders, room * sizeof(*folders));
        if (!folders) {
            free(path);
            return nomem(s);
        }
        s->folders = folders;
        s->folder_room = room;
    }
    if (!path)
        return nomem(s);
    s->folders[s->folder_count++] = (struct folder){path, depth};
    return 0;
}

static bool ends_in_json(const char *name)
{
    const size_t length = strlen(name);

    return length > 5 && strcmp(name + length - 5, ".json") == 0 &&
           strcmp(name, SLW_EXPERIMENT_JSON) != 0;
}

/* A name in a folder. Links to folders are not followed: they may go round. */
static int look_at(struct search *s, const struct folder *in, const char *name)
{
    char *path = slw_run_dir_file(in->path, name);
    struct stat st;
    int rc = 0;

    if (!path)
        return nomem(s);
    const bool known = lstat(path, &st) == 0;
    if (known && S_ISDIR(st.st_mode))
        return in->depth < MAX_DEPTH ? push(s, path, in->depth + 1) : (free(path), 0);
    if (ends_in_json(name) && stat(path, &st) == 0 && S_ISREG(st.st_mode))
        rc = read_file(s, path, path, false);
    free(path);
    return rc;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static int list_folder(struct search *s, const struct folder *in)
{
    struct dirent **names = NULL;
    const int n = scandir(in->path, &names, visible, by_name);
    int rc = 0;

    if (n < 0) {
        struct slw_error why = {0};
        (void)slw_fail_sys(&why, errno == EACCES ? SLW_E_PERM : SLW_E_IO, errno,
                           "cannot look into a folder");
        name_unreadable(s, in->path, &why);
        return 0;
    }
    s->entries += (size_t)n;
    if (s->entries > MAX_ENTRIES)
        rc = slw_fail(s->err, SLW_E_LIMIT, "more than %d files: name a folder with fewer",
                      MAX_ENTRIES);
    for (int i = 0; i < n; i++) {
        if (rc >= 0)
            rc = look_at(s, in, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return rc;
}

/* A run directory is one run, whatever else lies in it. */
static int read_folder(struct search *s, const struct folder *in)
{
    char *SLW_AUTO(free) run = slw_run_dir_file(in->path, SLW_RUN_JSON);
    struct stat st;

    if (!run)
        return nomem(s);
    if (stat(run, &st) == 0 && S_ISREG(st.st_mode))
        return read_file(s, in->path, run, true);
    return list_folder(s, in);
}

static int read_given(struct search *s, const char *path)
{
    struct slw_error why = {0};
    struct stat st;
    int rc;

    if (stat(path, &st) < 0) {
        (void)slw_fail_sys(&why, errno == EACCES ? SLW_E_PERM : SLW_E_NOTFOUND, errno,
                           "cannot read a run");
        name_unreadable(s, path, &why);
        return 0;
    }
    if (!S_ISDIR(st.st_mode))
        return read_file(s, path, path, true);
    rc = push(s, strdup(path), 0);
    while (rc >= 0 && s->folder_next < s->folder_count) {
        const struct folder next = s->folders[s->folder_next++]; /* it may move */
        rc = read_folder(s, &next);
    }
    return rc;
}

static int nothing_found(const struct search *s, const char *path)
{
    if (s->first.code != SLW_E_OK && s->files->unreadable == 1) {
        *s->err = s->first;
        s->err->hint[0] = '\0';
        return -(int)s->first.code;
    }
    return slw_fail(s->err, SLW_E_NODATA, "no run%s at or below '%.200s'",
                    s->files->unreadable ? " that could be read" : "", path);
}

int slw_history_files_read(char *const *paths, size_t path_count, const char *metric,
                           struct slw_history_files *ret_files, struct slw_error *err)
{
    struct slw_history_files files = {0};
    struct search s = {.metric = metric, .files = &files, .err = err};
    int rc = 0;

    for (size_t i = 0; i < path_count && rc >= 0; i++)
        rc = read_given(&s, paths[i]);
    if (files.unreadable > MAX_NAMED)
        slw_terminal_say("history: %zu more runs cannot be read", files.unreadable - MAX_NAMED);
    if (rc >= 0 && files.count == 0)
        rc = nothing_found(&s, paths[0]);
    for (size_t i = 0; i < s.folder_count; i++)
        free(s.folders[i].path);
    free(s.folders);
    free(s.seen);
    if (rc < 0)
        slw_history_files_release(&files);
    else
        *ret_files = files;
    return rc;
}

void slw_history_files_release(struct slw_history_files *f)
{
    for (size_t i = 0; i < f->count; i++) {
        union { /* they are lent as const to the history, and owned here */
            const void *lent;
            void *owned;
        } path = {.lent = f->runs[i].path}, run = {.lent = f->runs[i].run};
        free(path.owned);
        slw_run_free(run.owned);
    }
    free(f->runs);
    *f = (struct slw_history_files){0};
}
