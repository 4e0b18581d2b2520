/* SPDX-License-Identifier: MIT */
/* A command of the slotwise program. To add one: write cmd_NAME.c that defines
 * `const struct slw_command_entry slw_command_NAME`, add SLW_COMMAND(NAME) to commands.def. Its
 * --help, its shell completion and its part of the man page are made from this entry. */
#ifndef SLW_CLI_COMMAND_H
#define SLW_CLI_COMMAND_H

#include "cli/options.h"
#include "cli/terminal.h"

/* What the shell completes where an operand stands. */
enum slw_operand_kind {
    SLW_OPERAND_NONE,
    SLW_OPERAND_RUN,     /* a run directory */
    SLW_OPERAND_FILE,    /* a run directory or a file */
    SLW_OPERAND_COMMAND, /* a command line; ends the options */
    SLW_OPERAND_WORD     /* one of entry->words */
};

struct slw_example {
    const char *command;
    const char *text; /* what it does, one line */
};

/* An exit status besides 0 (done) and the ones every command shares. */
struct slw_exit_note {
    const char *status; /* "0", "10", "1-255" */
    const char *when;
};

struct slw_command_entry {
    const char *name;
    const char *summary;                /* one line for `slotwise help` */
    const char *usage;                  /* after "slotwise NAME "; lines end in \n but the last */
    const char *about;                  /* paragraphs, separated by \n\n; help wraps them */
    const struct slw_option *options;   /* NULL-name terminated */
    const struct slw_example *examples; /* NULL-command terminated */
    const struct slw_exit_note *exits;  /* NULL-status terminated; NULL: 0 only */
    enum slw_operand_kind operand;
    const char *(*words)(size_t i); /* SLW_OPERAND_WORD: the i-th, NULL past the last */
    bool hidden;                    /* works, but is not listed */
    /* Options are parsed. Returns the exit status, or a negative code with *err filled: main
     * prints it and maps it to an exit status. */
    int (*run)(const struct slw_args *args, const struct slw_terminal *terminal,
               struct slw_error *err);
};

extern const struct slw_command_entry *const slw_commands[];
extern const size_t slw_command_count;
const struct slw_command_entry *slw_command_find(const char *name); /* NULL: none */

/* SLW_E_USAGE naming the nearest command. */
int slw_command_unknown(const char *name, struct slw_error *err);

/* Options every command understands, parsed by main before the command sees them. */
#define SLW_OPTION_HELP                                                                            \
    {                                                                                              \
        .name = "help", .letter = 'h', .text = "Show this help."                                   \
    }
#define SLW_OPTION_COLOR                                                                           \
    {                                                                                              \
        .name = "color", .kind = SLW_OPTION_CHOICE, .choices = slw_color_choices,                  \
        .text = "Colour the output: auto (the default) does on a terminal unless NO_COLOR is "     \
                "set or TERM is dumb."                                                             \
    }
/* Rows that several commands have, each with a text of its own. */
#define SLW_OPTION_OUTPUT(text_)                                                                   \
    {                                                                                              \
        .name = "output", .letter = 'o', .kind = SLW_OPTION_FILE, .value = "FILE", .text = (text_) \
    }
#define SLW_OPTION_OUTPUT_DIRECTORY(text_)                                                         \
    {                                                                                              \
        .name = "output", .letter = 'o', .kind = SLW_OPTION_DIRECTORY, .value = "NAME",            \
        .text = (text_)                                                                            \
    }
#define SLW_OPTION_FORMAT(choices_, text_)                                                         \
    {                                                                                              \
        .name = "format", .letter = 'f', .kind = SLW_OPTION_CHOICE, .choices = (choices_),         \
        .text = (text_)                                                                            \
    }
#define SLW_OPTION_EVENT(text_)                                                                    \
    {                                                                                              \
        .name = "event", .letter = 'e', .kind = SLW_OPTION_TEXT, .value = "EVENT", .text = (text_) \
    }
#define SLW_OPTION_END                                                                             \
    {                                                                                              \
        .name = NULL                                                                               \
    }
const char *slw_color_choices(size_t i);

#endif
