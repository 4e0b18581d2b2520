/* SPDX-License-Identifier: MIT */
/* NAME.compare/ and NAME.sweep/: saving and loading. */
#include "cli/experiment/experiment.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "record/run_dir.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 256 arms, 400 blocks of all of them in order, 4096 floors: less than 10 MiB. */
#define MAX_EXPERIMENT_BYTES ((size_t)32 << 20)

/* ---- saving ---- */

static int save_arm(const char *directory, const struct slw_experiment_arm *as,
                    const struct slw_arm *arm, struct slw_error *err)
{
    char *SLW_AUTO(free) path = slw_run_dir_file(directory, as->directory);

    if (!path)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    return slw_run_dir_save_all(path, arm->run, arm->stacks, arm->moments, err);
}

static int save_json(const char *directory, const struct slw_experiment *e, struct slw_error *err)
{
    char *SLW_AUTO(free) path = slw_run_dir_file(directory, SLW_EXPERIMENT_JSON);
    struct slw_buf json = {0};
    int rc = path ? slw_experiment_to_json(e, &json, err)
                  : slw_fail(err, SLW_E_NOMEM, "no memory for a path");

    if (rc == 0)
        rc = slw_file_write(path, json.data, json.length, err);
    slw_buf_release(&json);
    return rc;
}

int slw_experiment_save(const char *directory, const struct slw_experiment *experiment,
                        const struct slw_arm *arms, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < experiment->arm_count && rc == 0; i++)
        rc = save_arm(directory, &experiment->arms[i], &arms[i], err);
    return rc == 0 ? save_json(directory, experiment, err) : rc;
}

/* ---- loading ---- */

bool slw_is_experiment(const char *path)
{
    char *SLW_AUTO(free) json = slw_run_dir_file(path, SLW_EXPERIMENT_JSON);

    return json && access(json, F_OK) == 0;
}

void slw_loaded_experiment_release(struct slw_loaded_experiment *l)
{
    slw_arms_release(l->arms, l->arm_count);
    free(l->arms);
    slw_experiment_free(l->experiment);
    *l = (struct slw_loaded_experiment){0};
}

static int load_json(const char *path, struct slw_experiment **ret, struct slw_error *err)
{
    char *SLW_AUTO(free) file = slw_run_dir_file(path, SLW_EXPERIMENT_JSON);
    char *SLW_AUTO(free) text = NULL;
    size_t length = 0;

    if (!file)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    int rc = slw_file_read(file, MAX_EXPERIMENT_BYTES, &text, &length, err);
    return rc < 0 ? rc : slw_experiment_from_json(file, text, length, ret, err);
}

static int load_arm(const char *path, const struct slw_experiment *e, size_t index,
                    struct slw_arm *arm, struct slw_error *err)
{
    const struct slw_experiment_arm *as = &e->arms[index];
    char *SLW_AUTO(free) directory = slw_run_dir_file(path, as->directory);

    *arm = (struct slw_arm){.name = as->name,
                            .shown = as->command,
                            .parameters = as->parameters,
                            .parameter_count = as->parameter_count};
    if (!directory)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    int rc = slw_run_dir_load_all(directory, &arm->run, &arm->stacks, &arm->moments, err);
    if (rc < 0)
        return rc;
    if (!arm->run->experiment.id || strcmp(arm->run->experiment.id, e->id) != 0) {
        slw_error_hint(err, "the directory was put together from several experiments");
        return slw_fail(err, SLW_E_FORMAT, "'%s' is a run of another experiment", directory);
    }
    return slw_arm_report(arm, err);
}

int slw_experiment_load(const char *path, struct slw_loaded_experiment *ret_loaded,
                        struct slw_error *err)
{
    struct slw_loaded_experiment l = {0};
    int rc = load_json(path, &l.experiment, err);

    if (rc == 0) {
        l.arms = calloc(l.experiment->arm_count, sizeof(l.arms[0]));
        if (!l.arms)
            rc = slw_fail(err, SLW_E_NOMEM, "no memory for an experiment");
    }
    for (size_t i = 0; rc == 0 && i < l.experiment->arm_count; i++) {
        l.arm_count = i + 1;
        rc = load_arm(path, l.experiment, i, &l.arms[i], err);
    }
    if (rc < 0) {
        slw_loaded_experiment_release(&l);
        return rc;
    }
    *ret_loaded = l;
    return 0;
}
