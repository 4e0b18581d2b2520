/* SPDX-License-Identifier: MIT */
#include "cli/sweep_measure.h"

#include "base/arena.h"
#include "cli/load.h"
#include "cli/program.h"
#include "cli/run_name.h"
#include "record/run_dir.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- commands ---- */

/* The command as a shell would be given it. */
static int show(const struct slw_sweep_commands *all, const struct slw_sweep_command *c,
                const char **ret_shown, struct slw_error *err)
{
    struct slw_buf text = {0};

    slw_argv_quote(&text, (const char *const *)c->argv);
    if (!slw_buf_failed(&text))
        *ret_shown = slw_arena_strdup(all->arena, text.data ? text.data : "");
    slw_buf_release(&text);
    return *ret_shown ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a command");
}

static int show_all(const struct slw_sweep_request *r, struct slw_arm *arms, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < r->commands->count && rc == 0; i++)
        rc = show(r->commands, &r->commands->all[i], &arms[i].shown, err);
    return rc;
}

/* What is shown is what a person would type; what runs is the program of the workloads. */
static int lead_workload(const struct slw_sweep_request *r, struct slw_arm *arms,
                         struct slw_error *err)
{
    const char *typed[] = {"slotwise", "workload", "run", r->workload};
    char *program = NULL;
    struct slw_sweep_commands shown = *r->commands;
    int rc = 0;

    shown.all = slw_arena_array(shown.arena, shown.count, sizeof(*shown.all));
    if (!shown.all)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the commands of a sweep");
    memcpy(shown.all, r->commands->all, shown.count * sizeof(*shown.all));
    rc = slw_sweep_commands_lead(&shown, typed, 4, err);
    for (size_t i = 0; i < shown.count && rc == 0; i++)
        rc = show(&shown, &shown.all[i], &arms[i].shown, err);
    if (rc == 0)
        rc = slw_program_beside("slotwise-workload", &program, err);
    if (rc == 0) {
        const char *run[] = {program, "run", r->workload};

        rc = slw_sweep_commands_lead(r->commands, run, 3, err);
    }
    free(program);
    return rc;
}

static int make_arms(struct slw_sweep_request *r, struct slw_arm **ret_arms, struct slw_error *err)
{
    struct slw_arm *arms = calloc(r->commands->count, sizeof(*arms));

    if (!arms)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the arms of a sweep");
    int rc = r->workload ? lead_workload(r, arms, err) : show_all(r, arms, err);
    for (size_t i = 0; i < r->commands->count; i++) {
        const struct slw_sweep_command *c = &r->commands->all[i];

        arms[i].name = c->name;
        arms[i].argv = c->argv;
        arms[i].parameters = c->parameters;
        arms[i].parameter_count = c->parameter_count;
    }
    if (rc == 0)
        *ret_arms = arms;
    else
        free(arms);
    return rc;
}

/* ---- the directory ---- */

static int create_directory(const struct slw_sweep_request *r, const struct slw_arm *arms,
                            char **ret_directory, struct slw_error *err)
{
    char stem[SLW_MAX_STEM];

    slw_path_stem(r->workload ? r->workload : arms[0].argv[0], stem);
    return slw_name_create(r->output, stem, ".sweep", ret_directory, err);
}

/* What a measurement that came to nothing has left; what clients printed stays. */
static void discard(const char *directory, const struct slw_experiment *e)
{
    for (size_t i = 0; e->arms && i < e->arm_count; i++) {
        char *path = slw_run_dir_file(directory, e->arms[i].directory);

        if (path)
            (void)rmdir(path);
        free(path);
    }
    (void)rmdir(directory);
}

/* ---- measuring ---- */

int slw_sweep_measure(struct slw_sweep_request *r, struct slw_loaded_experiment *ret_loaded,
                      char **ret_directory, struct slw_error *err)
{
    struct slw_loaded_experiment l = {.arm_count = r->commands->count};
    char *directory = NULL;
    int rc = make_arms(r, &l.arms, err);

    if (rc >= 0)
        rc = slw_experiment_new(&l.experiment, err);
    if (rc >= 0)
        rc = create_directory(r, l.arms, &directory, err);
    if (rc >= 0) {
        l.experiment->kind = SLW_EXPERIMENT_SWEEP;
        r->plan->arms = l.arms;
        r->plan->arm_count = l.arm_count;
        r->plan->directory = directory;
        rc = slw_experiment_measure(r->plan, l.experiment, err);
        if (rc < 0)
            discard(directory, l.experiment);
    }
    if (rc >= 0)
        rc = slw_experiment_save(directory, l.experiment, l.arms, err);
    if (rc >= 0) {
        *ret_loaded = l;
        *ret_directory = directory;
        return 0;
    }
    slw_loaded_experiment_release(&l);
    free(directory);
    return rc;
}
