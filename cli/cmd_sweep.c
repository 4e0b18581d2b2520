/* SPDX-License-Identifier: MIT */
/* slotwise sweep: one command with a parameter in it, measured at each of its values. */
#include "cli/command.h"
#include "cli/sweep_measure.h"

#include <stdlib.h>

#define DEFAULT_BLOCKS 10
#define EXACT_BLOCKS   2 /* of what repeats: the second shows that it does */

static const char *formats(size_t i)
{
    return i < slw_sweep_renderer_count ? slw_sweep_renderers[i]->name : NULL;
}

static const struct slw_option options[] = {
    {.name = "parameter",
     .letter = 'P',
     .kind = SLW_OPTION_TEXT,
     .value = "NAME=VALUES",
     .text = "What {NAME} in the command becomes, one after the other: batch=1,2,4,..64 goes on "
             "as it began, batch=1..64 doubles. The first one is what costs are told against; each "
             "further one makes a curve for each of its values. May be repeated.",
     .repeated = true},
    {.name = "workload",
     .kind = SLW_OPTION_TEXT,
     .value = "NAME",
     .text =
         "Measure a built-in workload; its settings stand after '--' (see 'slotwise workload')."},
    {.name = "blocks",
     .kind = SLW_OPTION_NUMBER,
     .value = "N",
     .text = "Blocks, in each of which every command runs once, in random order (default 10, with "
             "--simulate 2; fewer "
             "than 6 give a table without intervals)."},
    SLW_EXPERIMENT_OPTIONS,
    SLW_OPTION_OUTPUT_DIRECTORY(
        "Directory to write; must not exist (default: the command's name with .sweep, or the "
        "next free of -2, -3, ...)."),
    SLW_OPTION_FORMAT(formats, "Format of the report on standard output (default term)."),
    SLW_OPTION_COLOR,
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise sweep -P batch=1,2,4,..64 -- ./load --batch {batch}",
     "What batches of 1 to 64 cost, and where gains end."},
    {"slotwise sweep -P pipeline=1..32 -- redis-benchmark -t get -c 1 -n 20000 -P {pipeline}",
     "The same for pipelines of redis-benchmark."},
    {"slotwise sweep -P batch=1..256 -P callers=16,64 --workload coalesce -- --batch {batch} "
     "--callers {callers}",
     "A built-in workload, a curve for each number of callers."},
    {"slotwise report load.sweep --format md", "A saved sweep again, for a review."},
    {NULL, NULL},
};

static const struct slw_exit_note exits[] = {
    {"0", "Measured and reported, whatever it shows; also when it was ended early by --budget or "
          "Ctrl-C after a block."},
    {NULL, NULL},
};

static int read_parameters(const struct slw_args *args, struct slw_sweep_parameters *all,
                           struct slw_error *err)
{
    const char *text;
    int rc = 0;

    for (size_t i = 0; rc >= 0 && (text = slw_args_get_nth(args, "parameter", i)) != NULL; i++) {
        struct slw_sweep_parameter p;

        rc = slw_sweep_parameter_parse(text, &p, err);
        if (rc >= 0)
            rc = slw_sweep_parameters_add(all, &p, err);
    }
    return rc;
}

static int read_commands(const struct slw_args *args, const struct slw_sweep_parameters *all,
                         struct slw_sweep_commands *ret, struct slw_error *err)
{
    if (slw_args_has(args, "workload")) {
        if (args->operand_count > 0 && !args->separated) {
            slw_error_hint(err, "slotwise sweep -P batch=1..64 --workload NAME -- --batch {batch}");
            return slw_fail(err, SLW_E_USAGE, "settings of a workload stand after '--'");
        }
    } else if (args->operand_count == 0) {
        slw_error_hint(err, "slotwise sweep -P batch=1..64 -- CMD {batch}");
        return slw_fail(err, SLW_E_USAGE, "no command to measure");
    }
    return slw_sweep_commands_make(all, args->operands, args->operand_count, ret, err);
}

static int read_blocks(struct slw_measure_plan *plan, struct slw_error *err)
{
    uint64_t blocks = slw_args_has(plan->args, "simulate") ? EXACT_BLOCKS : DEFAULT_BLOCKS;
    int rc = slw_args_u64(plan->args, "blocks", 1, SLW_MAX_BLOCKS, &blocks, err);

    plan->blocks = (size_t)blocks;
    return rc;
}

/* Before the time is spent, not after. */
static void say_what_is_too_little(const struct slw_measure_plan *plan,
                                   const struct slw_sweep_parameters *all)
{
    if (plan->quiet)
        return;
    if (plan->blocks < SLW_MIN_PAIRS)
        slw_terminal_say("%zu blocks give no intervals and no fit; %d do", plan->blocks,
                         SLW_MIN_PAIRS);
    if (all->all[0].count < SLW_MIN_SWEEP_POINTS)
        slw_terminal_say("%zu values of %s give a table and no fit; %d do", all->all[0].count,
                         all->all[0].name, SLW_MIN_SWEEP_POINTS);
}

static int report(const struct slw_args *args, const struct slw_terminal *t,
                  const struct slw_loaded_experiment *l, struct slw_error *err)
{
    const struct slw_render_options opts = {.color = t->out.color, .width = t->out.width};
    struct slw_buf out = {0};
    int rc = slw_experiment_render(l, slw_args_get(args, "format"), &opts, &out, err);

    if (rc >= 0)
        rc = slw_output_write(NULL, t, &out, err);
    slw_buf_release(&out);
    return rc;
}

static int measure(struct slw_measure_plan *plan, struct slw_sweep_commands *commands,
                   struct slw_error *err)
{
    struct slw_sweep_request r = {.plan = plan,
                                  .commands = commands,
                                  .workload = slw_args_get(plan->args, "workload"),
                                  .output = slw_args_get(plan->args, "output")};
    struct slw_loaded_experiment l = {0};
    char *directory = NULL;
    int rc = slw_sweep_measure(&r, &l, &directory, err);

    if (rc >= 0) {
        rc = report(plan->args, plan->terminal, &l, err);
        slw_terminal_say("the sweep is in %s", directory);
    }
    slw_loaded_experiment_release(&l);
    free(directory);
    return rc;
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_sweep_parameters all = {.count = 0};
    struct slw_sweep_commands commands = {0};
    struct slw_measure_plan plan = {.args = args, .terminal = t};
    int rc = read_parameters(args, &all, err);

    if (rc >= 0)
        rc = read_commands(args, &all, &commands, err);
    if (rc >= 0)
        rc = read_blocks(&plan, err);
    if (rc >= 0)
        rc = slw_measure_plan_settings(&plan, err);
    if (rc >= 0) {
        say_what_is_too_little(&plan, &all);
        rc = measure(&plan, &commands, err);
    }
    slw_measure_plan_release(&plan);
    slw_sweep_commands_release(&commands);
    return rc;
}

const struct slw_command_entry slw_command_sweep = {
    .name = "sweep",
    .summary = "Measure a command at several batch sizes and fit what a batch costs.",
    .usage = "-P NAME=VALUES [-P NAME=VALUES]... [OPTION]... -- CMD [ARG]...\n"
             "-P NAME=VALUES [OPTION]... --workload NAME -- [SETTING]...",
    .about =
        "Runs CMD with {NAME} replaced by each value, all of them in every block, in random order, "
        "and fits cost(B) = fixed/B + marginal to CPU time per request and, where the machine "
        "gives them, to pipeline slots of each category: what batching removed, where gains end, "
        "and what it costs in latency, with 95 % intervals. B is the batch that was observed on "
        "the wire, where it is. Says when the model does not fit, and when a client that was asked "
        "for batches sends none.\n\n"
        "A brace itself is written {{ or }}. VALUES are words between commas. '..' goes on with "
        "the "
        "numbers before it: 1,2,4,..64 multiplies, 10,20,30,..80 adds; a row that does not meet "
        "its end is an error.\n\n"
        "What clients print goes to files; the report is on standard output. Everything is saved "
        "in "
        "a directory (experiment.json and a run for each value), which 'slotwise report' reads. A "
        "block in which a client fails is left out.",
    .options = options,
    .examples = examples,
    .exits = exits,
    .operand = SLW_OPERAND_COMMAND,
    .run = run,
};
