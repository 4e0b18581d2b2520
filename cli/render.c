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

/* The model the run was measured with, as this slotwise has it. */
static int model_of_run(struct slw_run *run, struct slw_model **ret_model)
{
    struct slw_error why = {0};

    if (!run->model.name)
        return 0;
    if (slw_load_model(run->model.name, ret_model, &why) < 0)
        return slw_run_note(run, SLW_NOTE_WARNING, "model-missing", "give it with --model FILE",
                            "the CPU model '%s' of this run cannot be loaded (%s): no top-down "
                            "tree is shown",
                            run->model.name, why.text);
    if (differ(run->model.version, (*ret_model)->version))
        return slw_run_note(run, SLW_NOTE_INFO, "model-version", NULL,
                            "measured with version %s of the CPU model %s, interpreted with %s",
                            run->model.version, run->model.name, (*ret_model)->version);

    return 0;
}

static int render(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_model *model, const struct slw_render_request *request,
                  struct slw_buf *out, struct slw_error *err)
{
    const struct slw_renderer *renderer =
        request->format ? slw_renderer_find(request->format) : slw_renderers[0];
    const struct slw_render_options opts = {
        .color = request->color,
        .width = request->width,
        .function_max = (size_t)request->function_max,
        .verbose = request->verbose,
    };
    struct slw_report *report = NULL;
    int rc = slw_report_new(run, stacks, model, &report, err);

    if (rc >= 0)
        rc = renderer->render(report, &opts, out, err);
    slw_report_free(report);
    return rc;
}

int slw_render_run(struct slw_run *run, const struct slw_stacks *stacks,
                   const struct slw_model *model, const struct slw_render_request *request,
                   struct slw_buf *out, struct slw_error *err)
{
    struct slw_model *own = NULL;
    int rc = 0;

    if (!model && request->model)
        rc = slw_load_model(request->model, &own, err);
    else if (!model)
        rc = model_of_run(run, &own);
    if (rc >= 0)
        rc = render(run, stacks, model ? model : own, request, out, err);
    slw_model_free(own);
    return rc;
}
