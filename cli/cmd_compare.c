/* SPDX-License-Identifier: MIT */
/* slotwise compare: two runs, or two commands measured in turn, side by side. */
#include "analyzer/compare/renderer.h"
#include "analyzer/statistics/looks.h"
#include "cli/command.h"
#include "cli/experiment/compare.h"
#include "cli/load.h"
#include "cli/profile_int.h"
#include "cli/program.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_ROUNDS 20
#define EXACT_ROUNDS   2    /* of what repeats: the second shows that it does */
#define MAX_MARGIN     10.0 /* ten times as much is no margin any more */
#define MAX_AA         32

static const char *formats(size_t i)
{
    return i < slw_comparison_renderer_count ? slw_comparison_renderers[i]->name : NULL;
}

static const char *levels(size_t i)
{
    static const char *const names[] = {"95", "90", NULL};

    return names[i];
}

static const char *outcomes(size_t i)
{
    static const char *const names[] = {"fail", "pass", NULL};

    return names[i];
}

static const struct slw_option options[] = {
    {.name = "a",
     .kind = SLW_OPTION_TEXT,
     .value = "CMD",
     .text = "The base: a command line, split as a shell would; 'slotwise workload run NAME ...' "
             "works too."},
    {.name = "b", .kind = SLW_OPTION_TEXT, .value = "CMD", .text = "The candidate."},
    {.name = "fail-on",
     .kind = SLW_OPTION_TEXT,
     .value = "GATES",
     .text = "Which changes fail: 'cpu_per_request>+3%,p99>+5%,requests_per_flush<-10%'. Judged on "
             "the interval (default: cpu_per_request, beyond the margin)."},
    {.name = "margin",
     .kind = SLW_OPTION_TEXT,
     .value = "PERCENT",
     .text = "Changes smaller than this are none (default 2)."},
    {.name = "equivalence",
     .kind = SLW_OPTION_CHOICE,
     .choices = levels,
     .text = "Confidence of 'no change': 95 (default) or 90."},
    {.name = "inconclusive",
     .kind = SLW_OPTION_CHOICE,
     .choices = outcomes,
     .text = "Exit status when nothing regressed and something is not settled: fail (11, default) "
             "or pass (0)."},
    {.name = "force",
     .text = "Compare although host, CPU, kernel, client or tier differ; the report says so."},
    {.name = "rounds",
     .kind = SLW_OPTION_TEXT,
     .value = "N|auto",
     .text = "Rounds of each command (default 20; 2 with --simulate). auto stops when every gated "
             "metric is settled, "
             "at the latest after 40."},
    {.name = "aa",
     .kind = SLW_OPTION_TEXT,
     .value = "auto|no|N",
     .text = "Measure A against itself first, for the noise floor of each metric: auto (default) "
             "takes tests of the last day where there are some, N makes N new ones."},
    SLW_EXPERIMENT_OPTIONS,
    SLW_OPTION_SAMPLED,
    SLW_OPTION_OUTPUT_DIRECTORY(
        "Directory to write; must not exist (default: the name of A's command with .compare, "
        "or the next free of -2, -3, ...)."),
    SLW_OPTION_FORMAT(formats, "Format of the report on standard output (default term)."),
    SLW_OPTION_COLOR,
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise compare base.slotwise new.slotwise", "Two saved runs."},
    {"slotwise compare --a './old -n 1000' --b './new -n 1000'", "Run both in turn, 20 times."},
    {"slotwise compare --rounds auto --budget 10m --fail-on 'cpu_per_request>+3%' --a ./old "
     "--b ./new",
     "As few rounds as settle a gate."},
    {"slotwise compare old.compare --format md", "A saved comparison again, for a review."},
    {NULL, NULL},
};

static const struct slw_exit_note exits[] = {
    {"0", "No gated metric regressed, and each is settled."},
    {"10", "A gated metric regressed."},
    {"11", "None regressed, but at least one is not settled (see --inconclusive)."},
    {NULL, NULL},
};

/* ---- settings ---- */

static int read_margin(const struct slw_args *args, double *ret_margin, struct slw_error *err)
{
    const char *text = slw_args_get(args, "margin");
    char *end = NULL;

    if (!text)
        return 0;
    const double percent = isdigit((unsigned char)text[0]) ? strtod(text, &end) : -1;
    if (end && *end == '%')
        end++;
    if (!end || *end || !(percent > 0 && percent <= MAX_MARGIN * 100))
        return slw_fail(err, SLW_E_USAGE, "--margin: '%.40s' is not a percentage such as 2 or 0.5",
                        text);
    *ret_margin = percent / 100;
    return 0;
}

static int read_judging(const struct slw_args *args, struct slw_judging *ret, struct slw_error *err)
{
    const char *level = slw_args_get(args, "equivalence");
    struct slw_gates gates;
    int rc = read_margin(args, &ret->margin, err);

    if (rc >= 0 && slw_args_has(args, "fail-on"))
        rc = slw_gates_parse(slw_args_get(args, "fail-on"), &gates, err);
    if (slw_args_has(args, "fail-on"))
        ret->gates = slw_args_get(args, "fail-on");
    if (level)
        ret->equivalence_90 = strcmp(level, "90") == 0;
    ret->force = slw_args_has(args, "force");
    return rc;
}

static int read_rounds(struct slw_compare_request *r, struct slw_error *err)
{
    const char *text = slw_args_get(r->plan->args, "rounds");
    uint64_t rounds = slw_args_has(r->plan->args, "simulate") ? EXACT_ROUNDS : DEFAULT_ROUNDS;

    r->automatic = text && strcmp(text, "auto") == 0;
    r->plan->blocks = SLW_LOOK_LAST;
    if (r->automatic)
        return 0;
    int rc = slw_args_u64(r->plan->args, "rounds", 1, SLW_MAX_BLOCKS, &rounds, err);
    r->plan->blocks = (size_t)rounds;
    return rc;
}

static int read_aa(struct slw_compare_request *r, struct slw_error *err)
{
    const char *text = slw_args_get(r->plan->args, "aa");
    uint64_t count = 0;

    const bool needless = !text && slw_args_has(r->plan->args, "simulate");

    r->aa = needless || (text && strcmp(text, "no") == 0) ? SLW_AA_NO : SLW_AA_AUTO;
    if (!text || r->aa == SLW_AA_NO || strcmp(text, "auto") == 0)
        return 0;
    int rc = slw_args_u64(r->plan->args, "aa", 1, MAX_AA, &count, err);
    r->aa = SLW_AA_COUNT;
    r->aa_count = (size_t)count;
    return rc;
}

/* ---- what is reported ---- */

static int report(const struct slw_args *args, const struct slw_terminal *t,
                  const struct slw_comparison *c, struct slw_error *err)
{
    const struct slw_render_options opts = {.color = t->out.color, .width = t->out.width};
    const char *outcome = slw_args_get(args, "inconclusive");
    struct slw_buf out = {0};
    int rc = slw_comparison_put(c, slw_args_get(args, "format"), &opts, &out, err);

    if (rc >= 0)
        rc = slw_output_write(NULL, t, &out, err);
    slw_buf_release(&out);
    return rc < 0 ? rc : slw_compare_status(c, outcome && strcmp(outcome, "pass") == 0);
}

static int judge(const struct slw_args *args, const struct slw_terminal *t,
                 const struct slw_arm *arms, const struct slw_experiment *experiment,
                 const struct slw_judging *how, struct slw_error *err)
{
    struct slw_judged_arms judged;
    int rc = slw_judge_arms(&arms[0], &arms[1], experiment, how, &judged, err);

    if (rc >= 0)
        rc = report(args, t, judged.comparison, err);
    slw_judged_release(&judged);
    return rc;
}

/* ---- three ways to be called ---- */

static void free_commands(struct slw_arm *arms)
{
    for (size_t i = 0; i < 2; i++) {
        char **argv;

        memcpy(&argv, &arms[i].argv, sizeof(argv));
        slw_argv_free(argv);
    }
}

static int read_command(const struct slw_args *args, const char *option, const char *name,
                        struct slw_arm *arm, bool *ret_shell, struct slw_error *err)
{
    const char *text = slw_args_get(args, option);
    char **argv = NULL;
    struct slw_error why = {0};
    int rc = slw_argv_split(text, &argv, ret_shell, &why);

    *arm = (struct slw_arm){.name = name, .argv = argv, .shown = text};
    if (rc == -SLW_E_USAGE)
        return slw_fail(err, SLW_E_USAGE, "--%s: %s", option, why.text);
    if (rc < 0 && err)
        *err = why;
    return rc;
}

/* Before minutes are spent on the other one. What --setup builds may come later. */
static int check_commands(const struct slw_measure_plan *plan, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < 2 && rc >= 0 && !plan->setup; i++) {
        char *path = NULL;
        const char *name = plan->arms[i].argv[0];

        rc = slw_program_find(name, &path, NULL);
        const bool missing = rc == -SLW_E_NOTFOUND || (path && access(path, X_OK) < 0);
        free(path);
        if (missing)
            return slw_fail(err, SLW_E_EXEC, "there is no program '%.200s'", name);
    }
    return rc < 0 ? slw_fail(err, (enum slw_code) - rc, "cannot look for the commands") : 0;
}

static int run_both(struct slw_compare_request *r, struct slw_error *err)
{
    const struct slw_args *args = r->plan->args;
    struct slw_experiment *experiment = NULL;
    char *directory = NULL;
    int rc = slw_compare_measure(r, slw_args_get(args, "output"), &directory, &experiment, err);

    slw_signals_analysing();
    if (rc >= 0) {
        rc = judge(args, r->plan->terminal, r->plan->arms, experiment, &r->judging, err);
        if (!r->plan->quiet)
            slw_terminal_say("the comparison is in %s", directory);
    }
    slw_experiment_free(experiment);
    free(directory);
    return rc;
}

static int compare_commands(const struct slw_args *args, const struct slw_terminal *t,
                            struct slw_error *err)
{
    struct slw_arm arms[2] = {{0}};
    struct slw_measure_plan plan = {.args = args, .terminal = t, .arms = arms, .arm_count = 2};
    struct slw_compare_request r = {.plan = &plan};
    int rc = read_judging(args, &r.judging, err);

    if (rc >= 0)
        rc = read_rounds(&r, err);
    if (rc >= 0)
        rc = read_aa(&r, err);
    if (rc >= 0)
        rc = slw_measure_plan_settings(&plan, err);
    if (rc >= 0)
        rc = read_command(args, "a", "A", &arms[0], &r.shell[0], err);
    if (rc >= 0)
        rc = read_command(args, "b", "B", &arms[1], &r.shell[1], err);
    if (rc >= 0)
        rc = check_commands(&plan, err);
    if (rc >= 0)
        rc = run_both(&r, err);
    slw_arms_release(arms, 2);
    free_commands(arms);
    slw_measure_plan_release(&plan);
    return rc;
}

/* What is not said again is as it was. */
static int compare_experiment(const struct slw_args *args, const struct slw_terminal *t,
                              struct slw_error *err)
{
    struct slw_loaded_experiment l = {0};
    int rc = slw_experiment_load(args->operands[0], &l, err);

    if (rc >= 0 && l.experiment->kind != SLW_EXPERIMENT_COMPARE)
        rc = slw_fail(err, SLW_E_INVAL, "'%.200s' is a sweep: see 'slotwise report'",
                      args->operands[0]);
    if (rc >= 0) {
        struct slw_judging how = slw_judging_of(l.experiment);

        rc = read_judging(args, &how, err);
        if (rc >= 0)
            rc = judge(args, t, l.arms, l.experiment, &how, err);
    }
    slw_loaded_experiment_release(&l);
    return rc;
}

static int load_side(const char *path, struct slw_arm *arm, struct slw_error *err)
{
    const struct slw_load_options opts = {.moments = true};
    struct slw_loaded loaded = {0};
    int rc = slw_load_with(path, &opts, &loaded, err);

    *arm = (struct slw_arm){
        .name = path, .run = loaded.run, .stacks = loaded.stacks, .moments = loaded.moments};
    return rc < 0 ? rc : slw_arm_report(arm, err);
}

static int compare_runs(const struct slw_args *args, const struct slw_terminal *t,
                        struct slw_error *err)
{
    struct slw_arm arms[2] = {{0}};
    struct slw_judging how = {0};
    int rc = read_judging(args, &how, err);

    for (size_t i = 0; i < 2 && rc >= 0; i++)
        rc = load_side(args->operands[i], &arms[i], err);
    if (rc >= 0)
        rc = judge(args, t, arms, NULL, &how, err);
    slw_arms_release(arms, 2);
    return rc;
}

/* Nothing is measured of what is there already. */
static int check_saved(const struct slw_args *args, struct slw_error *err)
{
    static const char *const saved[] = {"fail-on", "margin", "equivalence", "inconclusive",
                                        "force",   "format", "color",       NULL};

    for (size_t i = 0; i < args->use_count; i++) {
        size_t k = 0;

        while (saved[k] && strcmp(saved[k], args->uses[i].option->name) != 0)
            k++;
        if (!saved[k])
            return slw_fail(err, SLW_E_USAGE, "--%s is for measuring: it needs --a and --b",
                            args->uses[i].option->name);
    }
    return 0;
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    const bool a = slw_args_has(args, "a"), b = slw_args_has(args, "b");

    if (a != b)
        return slw_fail(err, SLW_E_USAGE, "--%s is missing: a comparison has two commands",
                        a ? "b" : "a");
    if (a && args->operand_count > 0)
        return slw_fail(err, SLW_E_USAGE, "either two commands or saved runs, not both");
    if (a)
        return compare_commands(args, t, err);
    int rc = check_saved(args, err);
    if (rc < 0)
        return rc;
    if (args->operand_count == 1 && slw_is_experiment(args->operands[0]))
        return compare_experiment(args, t, err);
    if (args->operand_count < 2)
        slw_error_hint(err, "for example: slotwise compare --a './old' --b './new'");
    if (args->operand_count == 0)
        return slw_fail(err, SLW_E_USAGE, "there is nothing to compare");
    rc = slw_args_operands(args, 2, 2, "the candidate", err);
    return rc < 0 ? rc : compare_runs(args, t, err);
}

const struct slw_command_entry slw_command_compare = {
    .name = "compare",
    .summary = "Compare two runs, or two commands measured in turn.",
    .usage = "BASE CANDIDATE [OPTION]...\nNAME.compare [OPTION]...\n"
             "--a CMD --b CMD [OPTION]...",
    .about =
        "Says for each metric whether it improved, regressed, did not change beyond the margin, or "
        "is inconclusive, with a 95 % interval of the difference.\n\n"
        "With --a and --b both commands are run in turn, a coin deciding who is first in each "
        "round, after an A/A test that measures how far two arms of the same command lie apart "
        "here. What clients print goes to files; the report is on standard output. Everything is "
        "saved in a directory (experiment.json, a.slotwise, b.slotwise). A round in which a client "
        "fails is left out together with the other client's. Ctrl-C ends it and reports what was "
        "measured.\n\n"
        "Saved runs: run directories, or run.json alone kept as a baseline.",
    .options = options,
    .examples = examples,
    .exits = exits,
    .operand = SLW_OPERAND_RUN,
    .run = run,
};
