/* SPDX-License-Identifier: MIT */
/* slotwise history: one metric over saved runs. Finding and reading them is history_files.c. */
#include "analyzer/history/history.h"
#include "cli/command.h"
#include "cli/history_files.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_METRIC "cpu_per_request"

static const char *formats(size_t i)
{
    return i < slw_history_renderer_count ? slw_history_renderers[i]->name : NULL;
}

static const struct slw_option options[] = {
    {.name = "metric",
     .letter = 'm',
     .kind = SLW_OPTION_TEXT,
     .value = "NAME",
     .text = "Which metric, as gates name it (default cpu_per_request)."},
    {.name = "label",
     .letter = 'l',
     .kind = SLW_OPTION_TEXT,
     .value = "KEY=VALUE",
     .repeated = true,
     .text =
         "Only runs that carry this label; arm=NAME chooses an arm of experiments. May be given "
         "several times: a run has to carry all."},
    SLW_OPTION_FORMAT(formats, "Format of the history (default term)."),
    SLW_OPTION_OUTPUT("Write to FILE instead of standard output."),
    {.name = "verbose", .letter = 'v', .text = "Show every run, and not the last 40 only."},
    SLW_OPTION_COLOR,
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise history runs/", "CPU time per request of all runs below runs/."},
    {"slotwise history runs/ --metric p99 --label branch=main", "The p99 latency on one branch."},
    {"slotwise history baselines/*.json -m requests_per_flush --format csv", "As a table."},
    {NULL, NULL},
};

static const struct slw_exit_note exits[] = {
    {"0", "the history was drawn, whatever it shows"},
    {"65", "no run has the metric; or a run could not be read: it is named, and the history is "
           "drawn without it"},
    {NULL, NULL},
};

/* KEY=VALUE, copied so that the key ends. */
static int read_labels(const struct slw_args *args, char **copies, struct slw_label *labels,
                       size_t *ret_count, struct slw_error *err)
{
    const char *text;
    size_t n = 0;

    for (; (text = slw_args_get_nth(args, "label", n)) != NULL; n++) {
        if (n == SLW_MAX_HISTORY_LABELS)
            return slw_fail(err, SLW_E_USAGE, "more than %d labels", SLW_MAX_HISTORY_LABELS);
        const char *equals = strchr(text, '=');
        if (!equals || equals == text)
            return slw_fail(err, SLW_E_USAGE, "--label is KEY=VALUE, not '%.100s'", text);
        copies[n] = strdup(text);
        *ret_count = n + (copies[n] != NULL);
        if (!copies[n])
            return slw_fail(err, SLW_E_NOMEM, "no memory for labels");
        copies[n][equals - text] = '\0';
        labels[n] = (struct slw_label){copies[n], copies[n] + (equals - text) + 1};
    }
    return 0;
}

static int render(const struct slw_history *h, const struct slw_args *args,
                  const struct slw_terminal *t, struct slw_error *err)
{
    const char *format = slw_args_get(args, "format"), *output = slw_args_get(args, "output");
    const struct slw_history_renderer *renderer =
        format ? slw_history_renderer_find(format) : slw_history_renderers[0];
    const struct slw_render_options opts = {
        .color = t->out.color && !output,
        .width = output ? 0 : t->out.width,
        .verbose = slw_args_has(args, "verbose"),
    };
    struct slw_buf out = {0};
    int rc = renderer->render(h, &opts, &out, err);

    if (rc >= 0)
        rc = slw_output_write(output, t, &out, err);
    slw_buf_release(&out);
    return rc;
}

static int draw(const struct slw_args *args, const struct slw_terminal *t, const char *metric,
                const struct slw_history_files *files, const struct slw_label *labels,
                size_t label_count, struct slw_error *err)
{
    struct slw_history *h = NULL;
    int rc = slw_history_new(files->runs, files->count, metric, labels, label_count, &h, err);

    if (rc >= 0)
        rc = render(h, args, t, err);
    slw_history_free(h);
    return rc;
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    const char *given = slw_args_get(args, "metric");
    const char *metric = given ? given : DEFAULT_METRIC;
    struct slw_label labels[SLW_MAX_HISTORY_LABELS];
    char *copies[SLW_MAX_HISTORY_LABELS] = {NULL};
    struct slw_history_files files = {0};
    size_t label_count = 0;
    int rc = slw_args_operands(args, 1, SLW_MAX_HISTORY, "a folder or run", err);

    if (rc >= 0)
        rc = read_labels(args, copies, labels, &label_count, err);
    if (rc >= 0)
        rc = slw_history_files_read(args->operands, args->operand_count, metric, &files, err);
    if (rc >= 0)
        rc = draw(args, t, metric, &files, labels, label_count, err);
    const bool incomplete = files.unreadable > 0;
    slw_history_files_release(&files);
    for (size_t i = 0; i < SLW_MAX_HISTORY_LABELS; i++)
        free(copies[i]);
    return rc < 0 ? rc : incomplete ? slw_code_exit_status(SLW_E_FORMAT) : 0;
}

const struct slw_command_entry slw_command_history = {
    .name = "history",
    .summary = "Draw one metric over many saved runs.",
    .usage = "DIR|RUN|FILE... [--metric NAME] [--label KEY=VALUE]...\n[--format FORMAT] [-o FILE]",
    .about =
        "Finds runs below folders (run directories, the arms of experiments, run.json files by any "
        "name that ends in .json) and draws them in the order in which they were measured, with "
        "the 95 % interval of each from its rounds.\n\n"
        "Marks where the level changes for good: noise that hangs together, outliers and the "
        "steps of a clock are not taken for changes, as far as that can be. Where the machine or "
        "the way of measuring is another one this is said, and levels are not compared across "
        "CPUs and kinds of measurement.",
    .options = options,
    .examples = examples,
    .exits = exits,
    .operand = SLW_OPERAND_FILE,
    .run = run,
};
