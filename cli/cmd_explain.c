/* SPDX-License-Identifier: MIT */
/* slotwise explain: what a node of the top-down tree, a metric or a word of the reports means on
 * this CPU, how it is computed, and what to do about it. */
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/load.h"
#include "collector/host.h"

#include <stdio.h>

#define MAX_WORDS 8 /* "Length-Changing Prefixes" has two */

static const char *model_names(size_t i)
{
    return i < slw_model_builtin_count() ? slw_model_builtin_name(i) : NULL;
}

static const struct slw_option options[] = {
    {.name = "model",
     .kind = SLW_OPTION_TEXT,
     .value = "NAME|FILE",
     .choices = model_names,
     .text = "Explain with this CPU model, not with the one of this machine's CPU."},
    {.name = "json", .text = "Print the explanation as JSON (docs/models.md lists the keys)."},
    {.name = "root",
     .kind = SLW_OPTION_DIRECTORY,
     .value = "DIR",
     .text = "Read the CPU from a tree of files instead of this machine.",
     .hidden = true},
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise explain icache_misses", "What it means, its formula and events, what to try."},
    {"slotwise explain icache MPKI --model zen4", "A metric on another CPU."},
    {"slotwise explain", "Everything that can be explained, one line each."},
    {NULL, NULL},
};

/* Several operands are the words of one name: `slotwise explain back-end bound`. */
static int join(const struct slw_args *args, char *name, size_t size, struct slw_error *err)
{
    size_t used = 0;
    int rc = slw_args_operands(args, 0, MAX_WORDS, "the name of a node or metric", err);

    for (size_t i = 0; rc >= 0 && i < args->operand_count; i++) {
        const int n = snprintf(name + used, size - used, "%s%s", i ? " " : "", args->operands[i]);
        if (n < 0 || (size_t)n >= size - used)
            return slw_fail(err, SLW_E_USAGE, "no name is that long");
        used += (size_t)n;
    }
    return rc;
}

struct subject {
    struct slw_run *run; /* for its host */
    struct slw_model *model;
    struct slw_error why; /* why no model */
    struct slw_explain_scope scope;
};

static void release(struct subject *s)
{
    slw_model_free(s->model);
    slw_run_free(s->run);
}

static int choose(const struct slw_args *args, struct subject *s, struct slw_error *err)
{
    const char *name = slw_args_get(args, "model");
    const char *root = slw_args_get(args, "root");
    int rc = 0;

    s->scope.chosen = name != NULL;
    if (name) {
        rc = slw_load_model(name, &s->model, err);
    } else {
        rc = slw_run_new(&s->run, err);
        if (rc >= 0)
            rc = slw_host_read(s->run, root ? root : "", err);
        if (rc < 0)
            return rc;
        const struct slw_model_cpu cpu = slw_host_model_cpu(&s->run->host.cpu);
        if (slw_model_select(&cpu, NULL, &s->model, &s->why) < 0 && s->why.code != SLW_E_NOTFOUND)
            return slw_fail(err, s->why.code, "%s", s->why.text);
        s->scope.offer = s->model ? NULL : slw_model_offer(&cpu, NULL);
    }
    s->scope.model = s->model;
    s->scope.why_none = s->why.text;
    s->scope.hint = s->why.hint;
    return rc;
}

static int explain(const struct slw_args *args, const struct slw_explain_scope *scope,
                   const char *name, size_t width, struct slw_buf *out, struct slw_error *err)
{
    const bool json = slw_args_has(args, "json");
    struct slw_explained e;

    if (!name[0])
        return json ? slw_explain_json(scope, NULL, out, err)
                    : slw_explain_list(scope, width, out, err);
    int rc = slw_explain_find(scope, name, &e, err);
    if (rc < 0)
        return rc;
    if (json)
        rc = slw_explain_json(scope, &e, out, err);
    else
        slw_explain_text(&e, width, out);
    slw_explained_release(&e);
    return rc;
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    struct subject s = {0};
    struct slw_buf out = {0};
    char name[256] = "";
    int rc = join(args, name, sizeof(name), err);

    if (rc >= 0)
        rc = choose(args, &s, err);
    if (rc >= 0)
        rc = explain(args, &s.scope, name, (size_t)t->out.width, &out, err);
    if (rc >= 0)
        rc = slw_terminal_write(&t->out, &out, err);
    slw_buf_release(&out);
    release(&s);
    return rc;
}

const struct slw_command_entry slw_command_explain = {
    .name = "explain",
    .summary = "Explain a node, a metric or a word of the reports.",
    .usage = "[NODE|METRIC|EVENT|WORD] [--model NAME|FILE] [--json]",
    .about =
        "What it means, the usual causes in a database client and what to try, its place in "
        "the top-down tree, formula, threshold and events on this CPU, and the source of each. "
        "A CPU without a model gets the explanation of another one that has the name, and is "
        "told so. Without a name, list what can be explained.",
    .options = options,
    .examples = examples,
    .operand = SLW_OPERAND_WORD,
    .words = slw_explain_name,
    .run = run,
};
