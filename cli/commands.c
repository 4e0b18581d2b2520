/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/suggest.h"

#include <string.h>

#define SLW_COMMAND(name) extern const struct slw_command_entry slw_command_##name;
#include "cli/commands.def"
#undef SLW_COMMAND

#define SLW_COMMAND(name) &slw_command_##name,
const struct slw_command_entry *const slw_commands[] = {
#include "cli/commands.def"
};
#undef SLW_COMMAND
const size_t slw_command_count = sizeof(slw_commands) / sizeof(slw_commands[0]);

const struct slw_command_entry *slw_command_find(const char *name)
{
    for (size_t i = 0; i < slw_command_count; i++)
        if (strcmp(slw_commands[i]->name, name) == 0)
            return slw_commands[i];
    return NULL;
}

int slw_command_unknown(const char *name, struct slw_error *err)
{
    struct slw_suggestion s = {.typed = name};

    for (size_t i = 0; i < slw_command_count; i++)
        if (!slw_commands[i]->hidden)
            slw_suggest(&s, slw_commands[i]->name);
    if (s.best)
        slw_error_hint(err, "did you mean 'slotwise %s'?", s.best);
    return slw_fail(err, SLW_E_USAGE, "there is no command '%.60s'", name);
}

const char *slw_color_choices(size_t i)
{
    static const char *const choices[] = {"auto", "always", "never", NULL};

    return choices[i];
}
