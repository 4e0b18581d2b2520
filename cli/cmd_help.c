/* SPDX-License-Identifier: MIT */
/* slotwise help [COMMAND] */
#include "cli/command.h"
#include "cli/help.h"

static const struct slw_option options[] = {
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise help profile", "All options of profile."},
    {NULL, NULL},
};

static const char *command_names(size_t i)
{
    for (size_t k = 0; k < slw_command_count; k++)
        if (!slw_commands[k]->hidden && i-- == 0)
            return slw_commands[k]->name;
    return NULL;
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    const struct slw_command_entry *c = NULL;
    struct slw_buf text = {0};
    int rc = slw_args_operands(args, 0, 1, "a command", err);

    if (rc < 0)
        return rc;
    if (args->operand_count == 1) {
        c = slw_command_find(args->operands[0]);
        if (!c)
            return slw_command_unknown(args->operands[0], err);
        slw_help_command(c, &text);
    } else {
        slw_help_program(&text);
    }
    rc = slw_terminal_write(&t->out, &text, err);
    slw_buf_release(&text);
    return rc;
}

const struct slw_command_entry slw_command_help = {
    .name = "help",
    .summary = "Explain slotwise or one of its commands.",
    .usage = "[COMMAND]",
    .about = "Without COMMAND, list the commands.",
    .options = options,
    .examples = examples,
    .operand = SLW_OPERAND_WORD,
    .words = command_names,
    .run = run,
};
