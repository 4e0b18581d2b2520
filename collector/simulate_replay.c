/* SPDX-License-Identifier: MIT */
#include "collector/simulate_replay.h"

#include "base/arena.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_REASONS      8 /* notes; more connections may have gone wrong */
#define MAX_REASON_BYTES 4096

static size_t count_files(const char *folder, const char *prefix)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    size_t count = 0;

    while (dir && (entry = readdir(dir)) != NULL)
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
                 strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (dir)
        (void)closedir(dir);
    return count;
}

/* What is there already would be answered from as well. */
static int make_folder(const char *path, struct slw_error *err)
{
    if (mkdir(path, 0700) == 0)
        return 0;
    if (errno != EEXIST)
        return slw_fail_sys(err, SLW_E_IO, errno, "cannot create %s", path);
    if (count_files(path, "") > 0)
        return slw_fail(err, SLW_E_USAGE, "%s is not empty: record in a new folder", path);
    return 0;
}

static int check_folder(const char *path, struct slw_error *err)
{
    if (count_files(path, "conn.") > 0)
        return 0;
    slw_error_hint(err, "record one with --simulate --record-server");
    return slw_fail(err, SLW_E_NOTFOUND, "no recorded server in %s", path);
}

static char *preload(const struct slw_simulation *sim, const char *before, struct slw_arena *arena)
{
    return slw_arena_printf(arena, "LD_PRELOAD=%s%s%s", before, *before ? ":" : "",
                            sim->replay_library);
}

/* What is in the environment lies above the client's stack: paths of other lengths, here those of
 * our own files, would be other counts. A path may have any number of slashes in front. */
static char *setting(const struct slw_simulation *sim, const char *folder, struct slw_arena *arena)
{
    enum { STEP = 512 };
    const size_t length = strlen(sim->directory) + strlen(folder);
    char slashes[STEP + 1] = "";

    memset(slashes, '/', STEP - length % STEP);
    return slw_arena_printf(arena, "SLOTWISE_REPLAY=%s:%s%s:%s", sim->replay ? "replay" : "record",
                            slashes, sim->directory, folder);
}

static int build(const struct slw_simulation *sim, char *const *envp, const char *folder,
                 struct slw_arena *arena, char ***ret_envp, struct slw_error *err)
{
    const char *before = "";
    size_t count = 0, used = 0;

    while (envp[count])
        count++;
    char **env = slw_arena_array(arena, count + 3, sizeof(*env));
    bool failed = !env;

    for (size_t i = 0; !failed && i < count; i++) {
        if (strncmp(envp[i], "LD_PRELOAD=", 11) == 0)
            before = envp[i] + 11;
        else
            env[used++] = envp[i];
    }
    if (!failed) {
        env[used] = preload(sim, before, arena);
        env[used + 1] = setting(sim, folder, arena);
        env[used + 2] = NULL;
        failed = !env[used] || !env[used + 1];
    }
    if (failed)
        return slw_fail(err, SLW_E_NOMEM, "no memory for an environment");
    *ret_envp = env;
    return 0;
}

int slw_replay_environment(const struct slw_simulation *sim, char *const *envp,
                           struct slw_arena *arena, char ***ret_envp, struct slw_error *err)
{
    const char *path = sim->replay ? sim->replay : sim->record_server;
    char folder[PATH_MAX]; /* the client may go to another one */
    int rc = 0;

    if (!path) {
        *ret_envp = (char **)(uintptr_t)envp; /* not changed: exec wants it like that */
        return 0;
    }
    rc = sim->replay ? check_folder(path, err) : make_folder(path, err);
    if (rc >= 0 && !realpath(path, folder))
        rc = slw_fail_sys(err, SLW_E_IO, errno, "%s", path);
    if (rc >= 0 && strchr(sim->directory, ':'))
        rc = slw_fail(err, SLW_E_UNSUPPORTED, "%s: has a colon in it", sim->directory);
    return rc < 0 ? rc : build(sim, envp, folder, arena, ret_envp, err);
}

/* ---- afterwards ---- */

static void note_lost(const struct slw_simulation *sim, const char *name, struct slw_run *run)
{
    char path[PATH_MAX], *text = NULL;
    size_t length = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", sim->directory, name);
    if (slw_file_read(path, MAX_REASON_BYTES, &text, &length, NULL) < 0)
        return;
    text[strcspn(text, "\n")] = '\0';
    (void)slw_run_note(run, SLW_NOTE_WARNING, "simulated-replay",
                       "record again with the same command; a client that sends times, process "
                       "numbers or new keys cannot be replayed",
                       "the recorded server could not answer to the end: %s", text);
    free(text);
}

static void note_replay(const struct slw_simulation *sim, struct slw_run *run)
{
    const size_t recorded = count_files(sim->replay, "conn.");
    const size_t taken = count_files(sim->directory, "taken.");

    for (int i = 0; i < MAX_REASONS; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "lost.%d", i);
        note_lost(sim, name, run);
    }
    (void)slw_run_note(run, taken < recorded ? SLW_NOTE_WARNING : SLW_NOTE_INFO, "simulated-replay",
                       NULL, "no server answered: %zu of %zu recorded connections were replayed",
                       taken, recorded);
}

void slw_replay_notes(const struct slw_simulation *sim, struct slw_run *run)
{
    if (sim->replay)
        note_replay(sim, run);
    else if (sim->record_server)
        (void)slw_run_note(run, SLW_NOTE_INFO, "simulated-record", NULL,
                           "%zu connections were recorded in %s",
                           count_files(sim->record_server, "conn."), sim->record_server);
}
