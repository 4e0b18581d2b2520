/* SPDX-License-Identifier: MIT */
/* Before measuring: which CPU model, which directory. */
#include "cli/profile_int.h"

#include "base/file.h"
#include "cli/load.h"
#include "cli/run_name.h"
#include "collector/host.h"
#include "record/run_dir.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The other kinds of core of a hybrid CPU: each with the model that names it, or, where the CPU is
 * unknown, with the events every core has. */
static int choose_others(struct slw_profile *p, struct slw_error *err)
{
    const size_t count = slw_core_kinds("", p->kinds);
    const struct slw_core_kind *own = slw_core_kind_of(p->model, p->kinds, count);
    int rc = 0;

    p->session.other_cores = p->cores;
    for (size_t i = 0; i < count && rc != -SLW_E_NOMEM; i++) {
        struct slw_model_cpu cpu = slw_core_kind_cpu(&p->kinds[i], "", &p->run->host.cpu);
        struct slw_model **model = &p->other_models[p->session.other_core_count];

        if (&p->kinds[i] == own)
            continue;
        rc = p->model_why[0] ? slw_model_builtin("generic", model, NULL)
                             : slw_core_kind_model(&p->kinds[i], &cpu, model);
        if (rc == 0)
            p->cores[p->session.other_core_count++] =
                (struct slw_session_core){*model, p->kinds[i].pmu};
    }
    return rc == -SLW_E_NOMEM ? slw_fail(err, SLW_E_NOMEM, "no memory for the CPU model") : 0;
}

int slw_profile_add_labels(struct slw_profile *p, struct slw_error *err)
{
    const char *label;

    for (size_t i = 0; (label = slw_args_get_nth(p->args, "label", i)) != NULL; i++) {
        const char *equals = strchr(label, '=');
        char key[128];
        size_t length = equals ? (size_t)(equals - label) : 0;

        if (length == 0 || length >= sizeof(key))
            return slw_fail(err, SLW_E_USAGE, "--label: '%.60s' is not KEY=VALUE", label);
        memcpy(key, label, length);
        key[length] = '\0';
        int rc = slw_run_add_label(p->run, key, equals + 1, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int slw_profile_choose_model(struct slw_profile *p, struct slw_error *err)
{
    const char *name = slw_args_get(p->args, "model");
    struct slw_model_cpu cpu = slw_host_model_cpu(&p->run->host.cpu);
    struct slw_error why = {0};

    if (name) {
        int rc = slw_load_model(name, &p->model, err);
        p->session.model = p->model;
        return rc;
    }
    int rc = slw_model_select(&cpu, NULL, &p->model, &why);
    if (rc < 0) {
        (void)snprintf(p->model_why, sizeof(p->model_why), "%s", why.text);
        (void)snprintf(p->model_hint, sizeof(p->model_hint), "%s", why.hint);
        /* Events every CPU has; a relative's events are never taken for ours. */
        if (slw_model_builtin("generic", &p->model, NULL) < 0)
            p->model = NULL;
    }
    p->session.model = p->model;
    if (rc == -SLW_E_NOMEM)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the CPU model");
    return choose_others(p, err);
}

/* The name of a process, with what a file name should not hold replaced. */
static void process_stem(int32_t pid, char ret_stem[SLW_MAX_STEM])
{
    char path[64];
    char *comm = NULL;

    (void)snprintf(path, sizeof(path), "/proc/%" PRId32 "/comm", pid);
    (void)snprintf(ret_stem, SLW_MAX_STEM, "pid-%" PRId32, pid);
    if (slw_file_read(path, 64, &comm, NULL, NULL) < 0)
        return;
    for (char *c = comm; *c; c++)
        *c = isalnum((unsigned char)*c) || strchr("-_+", *c) ? *c : *c == '\n' ? '\0' : '_';
    if (comm[0])
        (void)snprintf(ret_stem, SLW_MAX_STEM, "%.64s", comm);
    free(comm);
}

void slw_profile_stem(const struct slw_profile *p, char ret_stem[SLW_MAX_STEM])
{
    const struct slw_session_options *s = &p->session;

    switch (s->target) {
    case SLW_TARGET_COMMAND:
        slw_path_stem(p->workload ? p->workload[2] : s->argv[0], ret_stem);
        return;
    case SLW_TARGET_PID:
        process_stem(s->pid, ret_stem);
        return;
    case SLW_TARGET_CGROUP:
        slw_path_stem(s->cgroup, ret_stem);
        return;
    case SLW_TARGET_ALL:
    case SLW_TARGET_IMPORT:
        break;
    }
    (void)snprintf(ret_stem, SLW_MAX_STEM, "system");
}

int slw_profile_create_dir(struct slw_profile *p, struct slw_error *err)
{
    char stem[SLW_MAX_STEM];

    slw_profile_stem(p, stem);
    int rc = slw_run_name_create(p->window ? p->window : slw_args_get(p->args, "output"), stem,
                                 &p->dir, err);
    if (rc < 0) {
        slw_error_hint(err, "name a directory to write with -o");
        return rc;
    }
    p->perf_data = slw_run_dir_file(p->dir, SLW_RUN_PERF_DATA);
    if (!p->perf_data)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    p->session.spool_path = p->session.sample ? p->perf_data : NULL;
    return 0;
}
