/* SPDX-License-Identifier: MIT */
#include "record/run_dir.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "record/run_json_int.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* The largest machine's counts (SLW_MAX_COUNTS at some 250 bytes) are as large as this. */
#define MAX_RUN_JSON_BYTES ((size_t)256 << 20)
/* A compressed profile larger than this would not fit in memory once unpacked. */
#define MAX_PROFILE_BYTES ((size_t)512 << 20)

char *slw_run_dir_file(const char *path, const char *name)
{
    struct slw_buf text = {0};
    size_t length = strlen(path);

    slw_buf_put(&text, path, length);
    if (length > 0 && path[length - 1] != '/')
        slw_buf_putc(&text, '/');
    slw_buf_puts(&text, name);
    if (slw_buf_failed(&text)) {
        slw_buf_release(&text);
        return NULL;
    }
    return slw_buf_take(&text);
}

int slw_run_dir_create(const char *path, struct slw_error *err)
{
    enum slw_code code = SLW_E_IO;

    if (mkdir(path, 0777) == 0)
        return 0;
    int sys = errno;
    if (sys == EEXIST)
        code = SLW_E_EXISTS;
    else if (sys == ENOENT || sys == ENOTDIR)
        code = SLW_E_NOTFOUND;
    else if (sys == EACCES || sys == EPERM || sys == EROFS)
        code = SLW_E_PERM;
    int rc = slw_fail_sys(err, code, sys, "cannot create the run directory '%s'", path);
    if (code == SLW_E_PERM)
        slw_error_hint(err, "write elsewhere with -o");
    return rc;
}

static int write_into(const char *path, const char *name, const struct slw_buf *bytes,
                      struct slw_error *err)
{
    char *SLW_AUTO(free) file = slw_run_dir_file(path, name);

    if (!file)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    return slw_file_write(file, bytes->data, bytes->length, err);
}

/* run.json goes last: a directory that has one is complete. */
static int write_both(const char *path, const struct slw_buf *json, const struct slw_buf *profile,
                      struct slw_error *err)
{
    int rc = profile->length ? write_into(path, SLW_RUN_PROFILE, profile, err) : 0;

    return rc < 0 ? rc : write_into(path, SLW_RUN_JSON, json, err);
}

int slw_run_dir_save(const char *path, const struct slw_run *run, const struct slw_stacks *stacks,
                     struct slw_error *err)
{
    struct slw_buf json = {0}, profile = {0};
    int rc = slw_run_to_json(run, &json, err);

    if (rc == 0 && stacks)
        rc = slw_stacks_to_pprof(stacks, run, &profile, err);
    if (rc == 0)
        rc = write_both(path, &json, &profile, err);
    slw_buf_release(&json);
    slw_buf_release(&profile);
    return rc;
}

static int load_json(const char *file, struct slw_run **ret_run, struct slw_error *err)
{
    char *SLW_AUTO(free) text = NULL;
    size_t length;
    int rc = slw_file_read(file, MAX_RUN_JSON_BYTES, &text, &length, err);

    return rc < 0 ? rc : slw_run_json_read(file, text, length, ret_run, err);
}

/* A missing profile is *ret_stacks = NULL; an unreadable one an error. */
static int load_profile(const char *file, struct slw_stacks **ret_stacks, struct slw_error *err)
{
    char *SLW_AUTO(free) bytes = NULL;
    size_t length;
    struct stat st;

    if (lstat(file, &st) < 0 && errno == ENOENT) {
        *ret_stacks = NULL;
        return 0;
    }
    int rc = slw_file_read(file, MAX_PROFILE_BYTES, &bytes, &length, err);
    if (rc == 0)
        rc = slw_stacks_from_pprof(bytes, length, ret_stacks, err);
    if (rc < 0)
        slw_error_at(err, "%s", file);
    return rc;
}

static int load_dir(const char *path, struct slw_run **ret_run, struct slw_stacks **ret_stacks,
                    struct slw_error *err)
{
    char *SLW_AUTO(free) json = slw_run_dir_file(path, SLW_RUN_JSON);
    char *SLW_AUTO(free) profile = slw_run_dir_file(path, SLW_RUN_PROFILE);
    struct slw_run *run = NULL;
    struct stat st;

    if (!json || !profile)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    if (lstat(json, &st) < 0 && errno == ENOENT)
        return slw_fail(err, SLW_E_NOTFOUND,
                        "'%s' is not a run directory: it holds no " SLW_RUN_JSON, path);
    int rc = load_json(json, &run, err);
    if (rc == 0)
        rc = load_profile(profile, ret_stacks, err);
    if (rc < 0) {
        slw_run_free(run);
        return rc;
    }
    *ret_run = run;
    return 0;
}

int slw_run_dir_load(const char *path, struct slw_run **ret_run, struct slw_stacks **ret_stacks,
                     struct slw_error *err)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return load_dir(path, ret_run, ret_stacks, err);
    int rc = load_json(path, ret_run, err);
    if (rc == 0)
        *ret_stacks = NULL;
    return rc;
}
