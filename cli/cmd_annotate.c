/* SPDX-License-Identifier: MIT */
/* slotwise annotate RUN FUNCTION: where in a function the samples lie. */
#include "analyzer/annotate.h"
#include "analyzer/json_value.h"
#include "cli/command.h"
#include "cli/graph.h"
#include "cli/load.h"
#include "cli/render.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *formats(size_t i)
{
    static const char *const names[] = {"text", "json", NULL};

    return names[i];
}

static const struct slw_option options[] = {
    SLW_OPTION_EVENT("Weigh by this sampled event (default: the first)."),
    {.name = "module",
     .kind = SLW_OPTION_TEXT,
     .value = "FILE",
     .text =
         "The function of this program or library, by its path or the last part of it (default: "
         "where it weighs most)."},
    SLW_OPTION_FORMAT(formats, "text (default) or json."),
    SLW_OPTION_OUTPUT("Write to FILE; '-' is standard output (the default)."),
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise annotate pgbench.slotwise PQexecParams", "Its lines and instructions."},
    {"slotwise annotate run.slotwise db::Client::run --format json", "For programs."},
    {NULL, NULL},
};

static int put_json(const struct slw_annotation *a, struct slw_buf *out, struct slw_error *err)
{
    json_t *json = slw_annotation_json(a, 0);
    char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;

    json_decref(json);
    if (!text)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the annotation");
    slw_json_print(out, text);
    free(text);
    return 0;
}

static int annotate(const struct slw_args *args, const struct slw_loaded *l,
                    const struct slw_terminal *t, struct slw_buf *out, struct slw_error *err)
{
    struct slw_annotate_request request = {.function = args->operands[1],
                                           .module = slw_args_get(args, "module")};
    const char *format = slw_args_get(args, "format"), *output = slw_args_get(args, "output");
    const bool terminal = t->out.is_terminal && (!output || strcmp(output, "-") == 0);
    struct slw_annotation *a = NULL;
    int rc = slw_graph_column(l->stacks, slw_args_get(args, "event"), &request.column, err);

    if (rc >= 0)
        rc = slw_annotate(l->stacks, &request, &a, err);
    if (rc >= 0 && format && strcmp(format, "json") == 0)
        rc = put_json(a, out, err);
    else if (rc >= 0)
        slw_annotation_text(a, terminal ? t->out.width : 0, out);
    slw_annotation_free(a);
    return rc;
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_loaded loaded = {0};
    struct slw_buf out = {0};
    int rc = slw_args_operands(args, 2, 2, "a run and a function", err);

    if (rc >= 0)
        rc = slw_load(args->operands[0], NULL, &loaded, err);
    if (rc >= 0)
        rc = annotate(args, &loaded, t, &out, err);
    if (rc >= 0)
        rc = slw_output_write(slw_args_get(args, "output"), t, &out, err);
    slw_buf_release(&out);
    slw_loaded_release(&loaded);
    return rc;
}

const struct slw_command_entry slw_command_annotate = {
    .name = "annotate",
    .summary = "Show where in a function the samples lie: source lines and instructions.",
    .usage = "RUN FUNCTION [--module FILE] [--format text|json]",
    .about = "Reads the program and its source where they are now. A program that is not the one "
             "that ran is refused. Inlined functions are shown in what they were inlined into.",
    .options = options,
    .examples = examples,
    .operand = SLW_OPERAND_FILE,
    .run = run,
};
