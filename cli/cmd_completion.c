/* SPDX-License-Identifier: MIT */
/* slotwise completion bash|zsh: completion for the shell, from the tables of the commands. */
#include "cli/command.h"

#include <string.h>

static const char *shells(size_t i)
{
    static const char *const all[] = {"bash", "zsh", NULL};

    return all[i];
}

static const struct slw_option options[] = {
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise completion bash > /etc/bash_completion.d/slotwise", "Install it for everybody."},
    {NULL, NULL},
};

static void put_choices(struct slw_buf *out, const char *(*choices)(size_t i))
{
    const char *choice;

    for (size_t i = 0; (choice = choices(i)) != NULL; i++)
        slw_buf_printf(out, "%s%s", i ? " " : "", choice);
}

/* ---- bash ---- */

/* The compgen flags that complete the value of an option; NULL: nothing to offer. */
static const char *bash_action(enum slw_option_kind kind)
{
    switch (kind) {
    case SLW_OPTION_FILE:
        return "-f";
    case SLW_OPTION_DIRECTORY:
        return "-d";
    case SLW_OPTION_PROGRAM:
        return "-c";
    case SLW_OPTION_FLAG:
    case SLW_OPTION_TEXT:
    case SLW_OPTION_CHOICE:
    case SLW_OPTION_NUMBER:
    case SLW_OPTION_TIME:
    case SLW_OPTION_SIZE:
        break;
    }
    return NULL;
}

static void bash_value(struct slw_buf *out, const struct slw_option *o)
{
    const char *action = bash_action(o->kind);

    slw_buf_puts(out, "        ");
    if (o->letter)
        slw_buf_printf(out, "-%c|", o->letter);
    slw_buf_printf(out, "--%s)", o->name);
    if (o->choices) {
        slw_buf_puts(out, " COMPREPLY=($(compgen -W '");
        put_choices(out, o->choices);
        slw_buf_puts(out, "' -- \"$cur\"));");
    } else if (action) {
        slw_buf_printf(out, " COMPREPLY=($(compgen %s -- \"$cur\"));", action);
    }
    slw_buf_puts(out, " return ;;\n");
}

static void bash_operand(struct slw_buf *out, const struct slw_command_entry *c)
{
    switch (c->operand) {
    case SLW_OPERAND_NONE:
        break;
    case SLW_OPERAND_RUN:
        slw_buf_puts(out, "        COMPREPLY=($(compgen -d -- \"$cur\"))\n");
        break;
    case SLW_OPERAND_FILE:
        slw_buf_puts(out, "        COMPREPLY=($(compgen -f -- \"$cur\"))\n");
        break;
    case SLW_OPERAND_COMMAND:
        slw_buf_puts(out, "        COMPREPLY=($(compgen -c -- \"$cur\"))\n");
        break;
    case SLW_OPERAND_WORD:
        slw_buf_puts(out, "        if ((COMP_CWORD == 2)); then\n"
                          "            COMPREPLY=($(compgen -W '");
        put_choices(out, c->words);
        slw_buf_puts(out, "' -- \"$cur\"))\n        else\n"
                          "            COMPREPLY=($(compgen -f -- \"$cur\"))\n        fi\n");
        break;
    }
}

static void bash_command(struct slw_buf *out, const struct slw_command_entry *c)
{
    slw_buf_printf(out, "    %s)\n        case $prev in\n", c->name);
    for (const struct slw_option *o = c->options; o->name; o++)
        if (!o->hidden && o->kind != SLW_OPTION_FLAG)
            bash_value(out, o);
    slw_buf_puts(out, "        esac\n        if [[ $cur == -* ]]; then\n"
                      "            COMPREPLY=($(compgen -W '");
    for (const struct slw_option *o = c->options; o->name; o++)
        if (!o->hidden)
            slw_buf_printf(out, "--%s ", o->name);
    slw_buf_puts(out, "' -- \"$cur\"))\n            return\n        fi\n");
    bash_operand(out, c);
    slw_buf_puts(out, "        ;;\n");
}

/* --name=VALUE arrives in three words, because '=' breaks words in bash. */
static const char bash_head[] =
    "# bash completion for slotwise; made by 'slotwise completion bash'\n"
    "_slotwise() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} i\n"
    "    COMPREPLY=()\n"
    "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "        if [[ ${COMP_WORDS[i]} == -- ]]; then\n"
    "            if declare -F _command_offset >/dev/null; then\n"
    "                _command_offset $((i + 1))\n"
    "            else\n"
    "                COMPREPLY=($(compgen -c -- \"$cur\"))\n"
    "            fi\n"
    "            return\n"
    "        fi\n"
    "    done\n"
    "    if [[ $cur == = ]]; then\n"
    "        cur=\n"
    "    elif [[ $prev == = ]]; then\n"
    "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n";

static void put_bash(struct slw_buf *out)
{
    slw_buf_puts(out, bash_head);
    slw_buf_puts(out, "    if ((COMP_CWORD == 1)); then\n        COMPREPLY=($(compgen -W '");
    for (size_t i = 0; i < slw_command_count; i++)
        if (!slw_commands[i]->hidden)
            slw_buf_printf(out, "%s ", slw_commands[i]->name);
    slw_buf_puts(out, "--help --version' -- \"$cur\"))\n        return\n    fi\n"
                      "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < slw_command_count; i++)
        if (!slw_commands[i]->hidden)
            bash_command(out, slw_commands[i]);
    slw_buf_puts(out, "    esac\n}\ncomplete -o filenames -F _slotwise slotwise\n");
}

/* ---- zsh ---- */

/* Inside '...' in a specification of _arguments or _describe: quotes, brackets and colons. */
static void zsh_text(struct slw_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            slw_buf_puts(out, "'\\''");
        else if (strchr("[]:\\", *text))
            slw_buf_printf(out, "\\%c", *text);
        else
            slw_buf_putc(out, *text);
    }
}

static void zsh_action(struct slw_buf *out, const struct slw_option *o)
{
    char value[256];

    if (o->kind == SLW_OPTION_FLAG)
        return;
    slw_option_value_name(o, value, sizeof(value));
    slw_buf_putc(out, ':');
    zsh_text(out, value);
    slw_buf_putc(out, ':');
    if (o->choices) {
        slw_buf_putc(out, '(');
        put_choices(out, o->choices);
        slw_buf_putc(out, ')');
    } else if (o->kind == SLW_OPTION_FILE) {
        slw_buf_puts(out, "_files");
    } else if (o->kind == SLW_OPTION_DIRECTORY) {
        slw_buf_puts(out, "_files -/");
    } else if (o->kind == SLW_OPTION_PROGRAM) {
        slw_buf_puts(out, "_command_names -e");
    } else if (strcmp(o->name, "pid") == 0) {
        slw_buf_puts(out, "_pids");
    }
}

static void zsh_spec(struct slw_buf *out, const struct slw_option *o, char letter)
{
    slw_buf_puts(out, "            '");
    if (o->repeated)
        slw_buf_putc(out, '*');
    else if (o->letter)
        slw_buf_printf(out, "(-%c --%s)", o->letter, o->name);
    if (letter)
        slw_buf_printf(out, "-%c%s", letter, o->kind == SLW_OPTION_FLAG ? "" : "+");
    else
        slw_buf_printf(out, "--%s%s", o->name, o->kind == SLW_OPTION_FLAG ? "" : "=");
    slw_buf_putc(out, '[');
    zsh_text(out, o->text);
    slw_buf_putc(out, ']');
    zsh_action(out, o);
    slw_buf_puts(out, "' \\\n");
}

static void zsh_operand(struct slw_buf *out, const struct slw_command_entry *c)
{
    switch (c->operand) {
    case SLW_OPERAND_NONE:
        slw_buf_puts(out, "            && return\n");
        return;
    case SLW_OPERAND_RUN:
        slw_buf_puts(out, "            '*:run:_files -/'\n");
        return;
    case SLW_OPERAND_FILE:
        slw_buf_puts(out, "            '*:run or file:_files'\n");
        return;
    case SLW_OPERAND_COMMAND:
        slw_buf_puts(out, "            '(-)*::command: _normal'\n");
        return;
    case SLW_OPERAND_WORD:
        slw_buf_puts(out, "            '1:what:(");
        put_choices(out, c->words);
        slw_buf_puts(out, ")' '*:file:_files'\n");
        return;
    }
}

static void zsh_command(struct slw_buf *out, const struct slw_command_entry *c)
{
    slw_buf_printf(out, "    %s)\n        _arguments -s -S \\\n", c->name);
    for (const struct slw_option *o = c->options; o->name; o++) {
        if (o->hidden)
            continue;
        if (o->letter)
            zsh_spec(out, o, o->letter);
        zsh_spec(out, o, 0);
    }
    zsh_operand(out, c);
    slw_buf_puts(out, "        ;;\n");
}

static void put_zsh(struct slw_buf *out)
{
    slw_buf_puts(out, "#compdef slotwise\n"
                      "# zsh completion for slotwise; made by 'slotwise completion zsh'\n"
                      "_slotwise() {\n"
                      "    if (( CURRENT == 2 )); then\n"
                      "        local -a commands=(\n");
    for (size_t i = 0; i < slw_command_count; i++) {
        if (slw_commands[i]->hidden)
            continue;
        slw_buf_printf(out, "            '%s:", slw_commands[i]->name);
        zsh_text(out, slw_commands[i]->summary);
        slw_buf_puts(out, "'\n");
    }
    slw_buf_puts(out, "        )\n        _describe -t commands command commands\n"
                      "        return\n    fi\n"
                      "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n"
                      "    case $command in\n");
    for (size_t i = 0; i < slw_command_count; i++)
        if (!slw_commands[i]->hidden)
            zsh_command(out, slw_commands[i]);
    slw_buf_puts(out, "    esac\n}\n_slotwise \"$@\"\n");
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_buf out = {0};
    int rc = slw_args_operands(args, 1, 1, "a shell (bash or zsh)", err);

    if (rc < 0)
        return rc;
    if (strcmp(args->operands[0], "bash") == 0)
        put_bash(&out);
    else if (strcmp(args->operands[0], "zsh") == 0)
        put_zsh(&out);
    else
        rc = slw_fail(err, SLW_E_USAGE, "there is no completion for '%.60s' (only bash and zsh)",
                      args->operands[0]);
    if (rc >= 0)
        rc = slw_terminal_write(&t->out, &out, err);
    slw_buf_release(&out);
    return rc;
}

const struct slw_command_entry slw_command_completion = {
    .name = "completion",
    .summary = "Print completion for a shell.",
    .usage = "bash|zsh",
    .about = "Commands, options and their values, made from the tables the program itself parses.",
    .options = options,
    .examples = examples,
    .operand = SLW_OPERAND_WORD,
    .words = shells,
    .hidden = true,
    .run = run,
};
