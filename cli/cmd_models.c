/* SPDX-License-Identifier: MIT */
/* slotwise models: the CPU models and what they hold. */
#include "cli/command.h"
#include "cli/load.h"
#include "cli/model_text.h"

#include <stdio.h>
#include <string.h>

static const struct slw_option options[] = {
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise models list", "The models compiled in."},
    {"slotwise models show zen4", "Its events, formulas and sources."},
    {"slotwise models check mycpu.json", "Validate a model of your own before using it."},
    {NULL, NULL},
};

static int list_models(struct slw_buf *out, struct slw_error *err)
{
    slw_buf_printf(out, "%-16s %-8s %-6s %s\n", "NAME", "ARCH", "LEVELS", "CPU");
    for (size_t i = 0; i < slw_model_builtin_count(); i++) {
        struct slw_model *m = NULL;
        int rc = slw_model_builtin(slw_model_builtin_name(i), &m, err);

        if (rc < 0)
            return rc;
        slw_buf_printf(out, "%-16s %-8s %-6d %s\n", m->name, m->arch, m->max_level, m->title);
        slw_model_free(m);
    }
    return 0;
}

static void show_match(struct slw_buf *out, const struct slw_model_match *m)
{
    slw_buf_printf(out, "  %s", m->vendor ? m->vendor : "any vendor");
    if (m->family >= 0)
        slw_buf_printf(out, " family %d", m->family);
    if (m->model >= 0)
        slw_buf_printf(out, " model %d (0x%x)", m->model, (unsigned)m->model);
    if (m->stepping_low >= 0)
        slw_buf_printf(out, " stepping %d-%d", m->stepping_low, m->stepping_high);
    if (m->part >= 0)
        slw_buf_printf(out, " implementer 0x%02x part 0x%03x", (unsigned)m->implementer,
                       (unsigned)m->part);
    slw_buf_putc(out, '\n');
}

static void show_event(struct slw_buf *out, const struct slw_model_event *e)
{
    slw_buf_printf(out, "  %-44s ", e->name);
    slw_model_event_text(out, e);
    if (e->libpfm)
        slw_buf_printf(out, "; libpfm %s", e->libpfm);
    if (e->errata)
        slw_buf_printf(out, "; erratum: %s", e->errata);
    slw_buf_putc(out, '\n');
}

static void show_node(struct slw_buf *out, const struct slw_model *m,
                      const struct slw_model_node *n)
{
    int indent = 2 + (n->level > 1 ? 2 * (n->level - 1) : 0);

    slw_buf_printf(out, "%*s%s (%s)\n", indent, "", n->title, n->unit);
    slw_buf_printf(out, "%*s    = %s\n", indent, "", n->text);
    if (n->has_threshold) {
        slw_buf_printf(out, "%*s    flagged ", indent, "");
        slw_model_threshold_text(out, m, n);
        slw_buf_putc(out, '\n');
    }
}

static void show_nodes(struct slw_buf *out, const struct slw_model *m, bool tree)
{
    slw_buf_puts(out, tree ? "\nTop-down tree:\n" : "\nMetrics:\n");
    for (size_t i = 0; i < m->node_count; i++)
        if ((m->nodes[i].level > 0) == tree)
            show_node(out, m, &m->nodes[i]);
}

static void show_model(struct slw_buf *out, const struct slw_model *m)
{
    slw_buf_printf(out, "%s: %s\n", m->name, m->title);
    slw_buf_puts(out, "Source: ");
    slw_model_source_text(out, m);
    slw_buf_putc(out, '\n');
    slw_buf_printf(out, "PMU: %s, %d general and %d fixed counters", m->pmu ? m->pmu : "any",
                   m->general_counters, m->fixed_counters);
    if (m->slots_per_cycle > 0)
        slw_buf_printf(out, ", %d slots per cycle", m->slots_per_cycle);
    slw_buf_puts(out, "\n\nMatches:\n");
    for (size_t i = 0; i < m->match_count; i++)
        show_match(out, &m->matches[i]);
    if (m->match_source)
        slw_buf_printf(out, "  according to %s\n", m->match_source);
    slw_buf_puts(out, "\nEvents:\n");
    for (size_t i = 0; i < m->event_count; i++)
        show_event(out, &m->events[i]);
    if (m->let_count > 0)
        slw_buf_puts(out, "\nSub-expressions:\n");
    for (size_t i = 0; i < m->let_count; i++)
        slw_buf_printf(out, "  %s = %s\n", m->lets[i].name, m->lets[i].text);
    show_nodes(out, m, true);
    show_nodes(out, m, false);
}

static int show(const char *name, struct slw_buf *out, struct slw_error *err)
{
    struct slw_model *m = NULL;
    int rc = slw_load_model(name, &m, err);

    if (rc >= 0)
        show_model(out, m);
    slw_model_free(m);
    return rc;
}

/* A bare file name is a file here, whatever its ending. */
static int check(const char *path, struct slw_buf *out, struct slw_error *err)
{
    struct slw_buf with_slash = {0};
    struct slw_model *m = NULL;

    slw_buf_printf(&with_slash, "%s%s", strchr(path, '/') ? "" : "./", path);
    int rc = slw_buf_failed(&with_slash) ? slw_fail(err, SLW_E_NOMEM, "no memory for a path")
                                         : slw_load_model(with_slash.data, &m, err);
    if (rc >= 0)
        slw_buf_printf(out, "%s: ok: %zu events, %zu nodes, %zu checks hold\n", m->name,
                       m->event_count, m->node_count, m->check_count);
    slw_model_free(m);
    slw_buf_release(&with_slash);
    return rc;
}

static const char *verbs(size_t i)
{
    static const char *const all[] = {"list", "show", "check", NULL};

    return all[i];
}

static int act(const struct slw_args *args, struct slw_buf *out, struct slw_error *err)
{
    const char *verb = args->operand_count ? args->operands[0] : "list";
    int rc;

    if (strcmp(verb, "list") == 0) {
        rc = slw_args_operands(args, 0, 1, "", err);
        return rc < 0 ? rc : list_models(out, err);
    }
    if (strcmp(verb, "show") == 0) {
        rc = slw_args_operands(args, 2, 2, "the name of a model", err);
        return rc < 0 ? rc : show(args->operands[1], out, err);
    }
    if (strcmp(verb, "check") == 0) {
        rc = slw_args_operands(args, 2, 2, "the file of a model", err);
        return rc < 0 ? rc : check(args->operands[1], out, err);
    }
    return slw_fail(err, SLW_E_USAGE, "models does not know '%.60s' (it takes list, show, check)",
                    verb);
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_buf out = {0};
    int rc = act(args, &out, err);

    if (rc >= 0)
        rc = slw_terminal_write(&t->out, &out, err);
    slw_buf_release(&out);
    return rc;
}

const struct slw_command_entry slw_command_models = {
    .name = "models",
    .summary = "List, show or check the CPU models.",
    .usage = "list\nshow NAME|FILE\ncheck FILE",
    .about = "A model says which events a CPU counts and which formulas make top-down out of them, "
             "with the source of each. NAME is a model compiled in; FILE is JSON and needs a '/' "
             "or .json in its name.",
    .options = options,
    .examples = examples,
    .operand = SLW_OPERAND_WORD,
    .words = verbs,
    .run = run,
};
