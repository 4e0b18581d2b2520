/* SPDX-License-Identifier: MIT */
#include "cli/render.h"

#include "cli/load.h"

#include <string.h>

const char *slw_render_formats(size_t i)
{
    return i < slw_renderer_count ? slw_renderers[i]->name : NULL;
}

const char *slw_model_builtin_name_or_null(size_t i)
{
    return i < slw_model_builtin_count() ? slw_model_builtin_name(i) : NULL;
}

static bool differ(const char *a, const char *b)
{
    return a && b && strcmp(a, b) != 0;
}

/* A model the run was measured with, as this slotwise has it; *ret_model stays NULL where it has
 * none. */
static int load_ref(struct slw_run *run, const struct slw_model_ref *ref,
                    struct slw_model **ret_model)
{
    struct slw_error why = {0};

    if (!ref->name)
        return 0;
    if (slw_load_model(ref->name, ret_model, &why) < 0)
        return slw_run_note(run, SLW_NOTE_WARNING, "model-missing", "give it with --model FILE",
                            "the CPU model '%s' of this run cannot be loaded (%s): no top-down "
                            "tree is shown",
                            ref->name, why.text);
    if (differ(ref->version, (*ret_model)->version))
        return slw_run_note(run, SLW_NOTE_INFO, "model-version", NULL,
                            "measured with version %s of the CPU model %s, interpreted with %s",
                            ref->version, ref->name, (*ret_model)->version);
    return 0;
}

int slw_models_load(struct slw_run *run, struct slw_models *m)
{
    int rc = load_ref(run, &run->model, &m->own);

    m->hybrid = run->other_model_count > 0;
    for (size_t i = 0; i < run->other_model_count && rc >= 0; i++)
        rc = load_ref(run, &run->other_models[i], &m->others[i]);
    return rc;
}

void slw_models_release(struct slw_models *m)
{
    slw_model_free(m->own);
    for (size_t i = 0; i < SLW_MAX_CORE_KINDS; i++)
        slw_model_free(m->others[i]);
}

static int new_report(const struct slw_run *run, const struct slw_stacks *stacks,
                      const struct slw_model *model, const struct slw_models *m,
                      struct slw_report **ret_report, struct slw_error *err)
{
    const struct slw_model *others[SLW_MAX_CORE_KINDS];

    if (!m->hybrid)
        return slw_report_new(run, stacks, model, ret_report, err);
    for (size_t i = 0; i < SLW_MAX_CORE_KINDS; i++)
        others[i] = m->others[i];
    return slw_report_new_hybrid(run, stacks, model, others, ret_report, err);
}

int slw_models_report(const struct slw_run *run, const struct slw_stacks *stacks,
                      const struct slw_models *m, struct slw_report **ret_report,
                      struct slw_error *err)
{
    return new_report(run, stacks, m->own, m, ret_report, err);
}

static int render(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_model *model, const struct slw_models *models,
                  const struct slw_render_request *request, struct slw_buf *out,
                  struct slw_error *err)
{
    const struct slw_renderer *renderer =
        request->format ? slw_renderer_find(request->format) : slw_renderers[0];
    const struct slw_render_options opts = {
        .color = request->color,
        .width = request->width,
        .function_max = (size_t)request->function_max,
        .verbose = request->verbose,
        .code = request->code,
    };
    struct slw_report *report = NULL;
    int rc = new_report(run, stacks, model, models, &report, err);

    if (rc >= 0) {
        report->moments = request->moments;
        rc = renderer->render(report, &opts, out, err);
    }
    slw_report_free(report);
    return rc;
}

int slw_render_run(struct slw_run *run, const struct slw_stacks *stacks,
                   const struct slw_model *model, const struct slw_render_request *request,
                   struct slw_buf *out, struct slw_error *err)
{
    struct slw_models m = {0};
    int rc = 0;

    if (!model && request->model)
        rc = slw_load_model(request->model, &m.own, err);
    else if (!model)
        rc = slw_models_load(run, &m);
    if (rc >= 0)
        rc = render(run, stacks, model ? model : m.own, &m, request, out, err);
    slw_models_release(&m);
    return rc;
}
