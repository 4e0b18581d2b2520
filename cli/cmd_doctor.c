/* SPDX-License-Identifier: MIT */
/* slotwise doctor: what can be measured here, why not more, and what to do. */
#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/program.h"
#include "cli/simulate.h"
#include "collector/doctor.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const struct slw_option options[] = {
    {.name = "json", .text = "Print the diagnosis as JSON (docs/doctor.md lists the keys)."},
    {.name = "client",
     .kind = SLW_OPTION_PROGRAM,
     .value = "PROGRAM",
     .text = "Look also at the debug info of this client; searched in PATH."},
    {.name = "root",
     .kind = SLW_OPTION_DIRECTORY,
     .value = "DIR",
     .text = "Examine a tree of files instead of this machine.",
     .hidden = true},
    SLW_OPTION_COLOR,
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise doctor", "What can be measured on this machine."},
    {"slotwise doctor --client psql", "Also: will the functions of psql have names?"},
    {NULL, NULL},
};

static const struct slw_exit_note exits[] = {
    {"0", "Done, whatever was found: a limited machine is not an error."},
    {NULL, NULL},
};

struct look {
    const char *word, *color;
};

/* In the order of enum slw_check_status. */
static const struct look looks[] = {
    {"ok", "\033[32m"}, {"limited", "\033[33m"}, {"missing", "\033[31m"}, {"unknown", "\033[36m"}};

/* Column where what was found starts. */
#define FOUND_COLUMN 25

static void put_more(struct slw_buf *out, const char *label, const char *text, size_t width)
{
    size_t column = FOUND_COLUMN + strlen(label) + 2;

    if (!text[0])
        return;
    slw_buf_printf(out, "%*s%s: ", FOUND_COLUMN, "", label);
    slw_help_wrap(out, text, column, column, width);
    slw_buf_putc(out, '\n');
}

static void put_check(struct slw_buf *out, const struct slw_check_result *c,
                      const struct slw_stream *s)
{
    const struct look *l = &looks[c->status];
    size_t width = (size_t)s->width;

    slw_buf_printf(out, "%-15s %s%-8s%s ", c->name, s->color ? l->color : "", l->word,
                   s->color ? "\033[0m" : "");
    slw_help_wrap(out, c->found, FOUND_COLUMN, FOUND_COLUMN, width);
    slw_buf_putc(out, '\n');
    put_more(out, "impact", c->impact, width);
    put_more(out, "fix", c->fix, SIZE_MAX); /* to be copied: never broken */
    put_more(out, "still works", c->without, width);
}

static void put_text(struct slw_buf *out, const struct slw_host *h, const struct slw_diagnosis *d,
                     const struct slw_stream *s)
{
    slw_buf_printf(out, "%s, Linux %s, %s\n\n", h->os ? h->os : "unknown system",
                   h->kernel ? h->kernel : "unknown",
                   h->cpu.name ? h->cpu.name : (h->cpu.arch ? h->cpu.arch : "unknown CPU"));
    for (size_t i = 0; i < d->check_count; i++)
        put_check(out, &d->checks[i], s);
    slw_buf_printf(out, "\n%sbest tier here: %s%s (%s)\n", s->color ? "\033[1m" : "", d->tier,
                   s->color ? "\033[0m" : "", d->reason);
}

/* An empty text is null in JSON: there is nothing to say. */
static json_t *text_or_null(const char *s)
{
    return s && s[0] ? json_string(s) : json_null();
}

static json_t *check_json(const struct slw_check_result *c)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "name", c->name, "status",
                     looks[c->status].word, "found", text_or_null(c->found), "impact",
                     text_or_null(c->impact), "fix", text_or_null(c->fix), "without",
                     text_or_null(c->without));
}

static json_t *diagnosis_json(const struct slw_host *h, const struct slw_diagnosis *d)
{
    json_t *list = json_array();

    for (size_t i = 0; i < d->check_count; i++)
        (void)json_array_append_new(list, check_json(&d->checks[i]));
    return json_pack("{s:i, s:s, s:s, s:s, s:{s:o, s:o, s:o, s:o, s:o}, s:o}", "schema", 1, "tool",
                     "slotwise " SLW_VERSION, "tier", d->tier, "reason", d->reason, "host", "os",
                     text_or_null(h->os), "kernel", text_or_null(h->kernel), "arch",
                     text_or_null(h->cpu.arch), "cpu", text_or_null(h->cpu.name), "hypervisor",
                     text_or_null(h->hypervisor), "checks", list);
}

static int put_json(struct slw_buf *out, const struct slw_host *h, const struct slw_diagnosis *d,
                    struct slw_error *err)
{
    json_t *root = diagnosis_json(h, d);
    char *SLW_AUTO(free) text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

    json_decref(root);
    if (!text)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the diagnosis");
    slw_buf_printf(out, "%s\n", text);
    return 0;
}

static int diagnose(const struct slw_args *args, struct slw_run *run, struct slw_diagnosis *d,
                    struct slw_error *err)
{
    const char *root = slw_args_get(args, "root");
    const char *client = slw_args_get(args, "client");
    char *SLW_AUTO(free) program = NULL;

    if (client) {
        int rc = slw_program_find(client, &program, err);
        if (rc < 0)
            return rc;
    }
    struct slw_doctor_options opts = {.root = root ? root : "", .program = program};
    struct slw_doctor_carrier *SLW_AUTO(free) carriers =
        calloc(slw_carrier_count, sizeof(*carriers));
    if (!carriers)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the diagnosis");
    if (!root) { /* of a tree of files nobody can be asked */
        slw_simulate_ask(carriers);
        opts.carriers = carriers;
        opts.carrier_count = slw_carrier_count;
    }
    return slw_doctor(&opts, run, d, err);
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_run *run = NULL;
    struct slw_diagnosis d;
    struct slw_buf out = {0};
    int rc = slw_args_operands(args, 0, 0, "", err);

    if (rc >= 0)
        rc = slw_run_new(&run, err);
    if (rc >= 0)
        rc = diagnose(args, run, &d, err);
    if (rc >= 0 && slw_args_has(args, "json"))
        rc = put_json(&out, &run->host, &d, err);
    else if (rc >= 0)
        put_text(&out, &run->host, &d, &t->out);
    if (rc >= 0)
        rc = slw_terminal_write(&t->out, &out, err);
    slw_buf_release(&out);
    slw_run_free(run);
    return rc;
}

const struct slw_command_entry slw_command_doctor = {
    .name = "doctor",
    .summary = "Show what can be measured here, why not more, and the fix.",
    .usage = "[--json] [--client PROGRAM]",
    .about = "Examine this machine: the PMU, permissions, kernel settings, and the CPU model. For "
             "everything that limits measuring, one command that fixes it and what works without. "
             "Nothing is changed.",
    .options = options,
    .examples = examples,
    .exits = exits,
    .run = run,
};
