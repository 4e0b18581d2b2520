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

/* What the files of a directory will hold; an empty one is not written. */
struct files {
    struct slw_buf json, profile, moments;
};

/* run.json goes last: a directory that has one is complete. */
static int write_files(const char *path, const struct files *f, struct slw_error *err)
{
    int rc = f->profile.length ? write_into(path, SLW_RUN_PROFILE, &f->profile, err) : 0;

    if (rc == 0 && f->moments.length)
        rc = write_into(path, SLW_RUN_MOMENTS, &f->moments, err);
    return rc < 0 ? rc : write_into(path, SLW_RUN_JSON, &f->json, err);
}

int slw_run_dir_save_all(const char *path, const struct slw_run *run,
                         const struct slw_stacks *stacks, const struct slw_moments *moments,
                         struct slw_error *err)
{
    struct files f = {0};
    int rc = slw_run_to_json(run, &f.json, err);

    if (rc == 0 && stacks)
        rc = slw_stacks_to_pprof(stacks, run, &f.profile, err);
    if (rc == 0 && stacks && moments)
        rc = slw_moments_to_pprof(moments, &f.moments, err);
    if (rc == 0)
        rc = write_files(path, &f, err);
    slw_buf_release(&f.json);
    slw_buf_release(&f.profile);
    slw_buf_release(&f.moments);
    return rc;
}

int slw_run_dir_save(const char *path, const struct slw_run *run, const struct slw_stacks *stacks,
                     struct slw_error *err)
{
    return slw_run_dir_save_all(path, run, stacks, NULL, err);
}

static int load_json(const char *file, struct slw_run **ret_run, struct slw_error *err)
{
    char *SLW_AUTO(free) text = NULL;
    size_t length;
    int rc = slw_file_read(file, MAX_RUN_JSON_BYTES, &text, &length, err);

    return rc < 0 ? rc : slw_run_json_read(file, text, length, ret_run, err);
}

/* 1 and the bytes of path/name, heap; 0: there is no such file. */
static int read_from(const char *path, const char *name, char **ret_bytes, size_t *ret_length,
                     struct slw_error *err)
{
    char *SLW_AUTO(free) file = slw_run_dir_file(path, name);
    struct stat st;

    if (!file)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    if (lstat(file, &st) < 0 && errno == ENOENT)
        return 0;
    int rc = slw_file_read(file, MAX_PROFILE_BYTES, ret_bytes, ret_length, err);
    if (rc < 0)
        slw_error_at(err, "%s", file);
    return rc < 0 ? rc : 1;
}

static void say_where(const char *path, const char *name, struct slw_error *err)
{
    char *SLW_AUTO(free) file = slw_run_dir_file(path, name);

    slw_error_at(err, "%s", file ? file : name);
}

/* A missing profile is *ret_stacks = NULL; an unreadable one an error. */
static int load_profile(const char *path, struct slw_stacks **ret_stacks, struct slw_error *err)
{
    char *SLW_AUTO(free) bytes = NULL;
    size_t length = 0;
    int rc = read_from(path, SLW_RUN_PROFILE, &bytes, &length, err);

    *ret_stacks = NULL;
    if (rc <= 0)
        return rc;
    rc = slw_stacks_from_pprof(bytes, length, ret_stacks, err);
    if (rc < 0)
        say_where(path, SLW_RUN_PROFILE, err);
    return rc;
}

static int load_moments(const char *path, const struct slw_stacks *stacks,
                        struct slw_moments **ret_moments, struct slw_error *err)
{
    char *SLW_AUTO(free) bytes = NULL;
    size_t length = 0;
    int rc = stacks ? read_from(path, SLW_RUN_MOMENTS, &bytes, &length, err) : 0;

    *ret_moments = NULL;
    if (rc <= 0)
        return rc;
    rc = slw_moments_from_pprof(bytes, length, stacks, ret_moments, err);
    if (rc < 0)
        say_where(path, SLW_RUN_MOMENTS, err);
    return rc;
}

/* What is loaded so far. */
struct loading {
    struct slw_run *run;
    struct slw_stacks *stacks;
    struct slw_moments *moments;
};

static int load_dir(const char *path, bool with_moments, struct loading *l, struct slw_error *err)
{
    char *SLW_AUTO(free) json = slw_run_dir_file(path, SLW_RUN_JSON);
    struct stat st;

    if (!json)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    if (lstat(json, &st) < 0 && errno == ENOENT)
        return slw_fail(err, SLW_E_NOTFOUND,
                        "'%s' is not a run directory: it holds no " SLW_RUN_JSON, path);
    int rc = load_json(json, &l->run, err);
    if (rc == 0)
        rc = load_profile(path, &l->stacks, err);
    if (rc == 0 && with_moments)
        rc = load_moments(path, l->stacks, &l->moments, err);
    return rc;
}

static int load(const char *path, bool with_moments, struct loading *l, struct slw_error *err)
{
    struct stat st;
    int rc;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        rc = load_dir(path, with_moments, l, err);
    else
        rc = load_json(path, &l->run, err);
    if (rc < 0) {
        slw_moments_free(l->moments);
        slw_stacks_free(l->stacks);
        slw_run_free(l->run);
    }
    return rc;
}

int slw_run_dir_load_all(const char *path, struct slw_run **ret_run, struct slw_stacks **ret_stacks,
                         struct slw_moments **ret_moments, struct slw_error *err)
{
    struct loading l = {0};
    int rc = load(path, true, &l, err);

    if (rc < 0)
        return rc;
    *ret_run = l.run;
    *ret_stacks = l.stacks;
    *ret_moments = l.moments;
    return 0;
}

int slw_run_dir_load(const char *path, struct slw_run **ret_run, struct slw_stacks **ret_stacks,
                     struct slw_error *err)
{
    struct loading l = {0};
    int rc = load(path, false, &l, err);

    if (rc < 0)
        return rc;
    *ret_run = l.run;
    *ret_stacks = l.stacks;
    return 0;
}
