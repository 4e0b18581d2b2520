/* SPDX-License-Identifier: MIT */
/* Commands between people, shells and argv. */
#include "cli/experiment/experiment.h"
#include "cli/program.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- does it take a shell? ---- */

/* Words only a shell understands where a command stands. */
static bool is_shell_word(const char *word)
{
    static const char *const words[] = {
        "!", "{", "if",  "for",   "while",  "until", "case",   "cd",    "exec", "eval",
        ".", ":", "set", "unset", "export", "trap",  "ulimit", "umask", NULL};

    for (size_t i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

/* NAME=value before a command is an assignment. */
static bool is_assignment(const char *word)
{
    if (!isalpha((unsigned char)word[0]) && word[0] != '_')
        return false;
    while (isalnum((unsigned char)*word) || *word == '_')
        word++;
    return *word == '=';
}

/* ---- splitting ---- */

struct splitter {
    const char *at;
    struct slw_buf word;
    bool in_word;
    bool shell;
    char **argv;
    size_t argc, capacity;
};

static int end_word(struct splitter *s)
{
    if (!s->in_word)
        return 0;
    if (s->argc + 2 > s->capacity) {
        const size_t capacity = s->capacity ? s->capacity * 2 : 16;
        char **more = realloc(s->argv, capacity * sizeof(*more));

        if (!more)
            return -SLW_E_NOMEM;
        s->argv = more;
        s->capacity = capacity;
    }
    slw_buf_puts(&s->word, "");
    if (slw_buf_failed(&s->word))
        return -SLW_E_NOMEM;
    char *word = s->word.data ? slw_buf_take(&s->word) : strdup("");
    if (!word)
        return -SLW_E_NOMEM;
    s->argv[s->argc++] = word;
    s->argv[s->argc] = NULL;
    s->in_word = false;
    return 0;
}

/* From after the quote to after the one that closes it; false: there is none. */
static bool take_single(struct splitter *s)
{
    const char *end = strchr(s->at, '\'');

    if (!end)
        return false;
    slw_buf_put(&s->word, s->at, (size_t)(end - s->at));
    s->at = end + 1;
    return true;
}

static bool take_double(struct splitter *s)
{
    for (; *s->at && *s->at != '"'; s->at++) {
        if (*s->at == '$' || *s->at == '`')
            s->shell = true;
        if (*s->at == '\\' && s->at[1] && strchr("\\\"$`", s->at[1]))
            s->at++;
        slw_buf_putc(&s->word, *s->at);
    }
    if (!*s->at)
        return false;
    s->at++;
    return true;
}

static bool take_plain(struct splitter *s)
{
    const char c = *s->at++;

    if (c == '\\') {
        if (!*s->at)
            return false;
        slw_buf_putc(&s->word, *s->at++);
        return true;
    }
    if (strchr("|&;<>()$`*?[\n", c) || (!s->in_word && (c == '~' || c == '#')))
        s->shell = true;
    slw_buf_putc(&s->word, c);
    return true;
}

static int take(struct splitter *s, struct slw_error *err)
{
    bool closed;

    if (*s->at == ' ' || *s->at == '\t') {
        s->at++;
        return end_word(s) < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for a command line") : 0;
    }
    if (*s->at == '\'' || *s->at == '"') {
        const bool one = *s->at++ == '\'';

        s->in_word = true;
        closed = one ? take_single(s) : take_double(s);
    } else {
        closed = take_plain(s);
        s->in_word = true;
    }
    return closed ? 0 : slw_fail(err, SLW_E_USAGE, "the command ends in the middle of a quotation");
}

void slw_argv_free(char **argv)
{
    for (size_t i = 0; argv && argv[i]; i++)
        free(argv[i]);
    free(argv);
}

static char **shell_argv(const char *text)
{
    char **argv = calloc(4, sizeof(*argv));

    if (!argv)
        return NULL;
    argv[0] = strdup("/bin/sh");
    argv[1] = argv[0] ? strdup("-c") : NULL;
    argv[2] = argv[1] ? strdup(text) : NULL;
    if (argv[2])
        return argv;
    slw_argv_free(argv);
    return NULL;
}

/* What is measured is the workload, not the slotwise that starts it. */
static int replace_workload(char **argv, struct slw_error *err)
{
    char *program = NULL;
    const char *slash = argv[0] ? strrchr(argv[0], '/') : NULL;

    if (!argv[0] || strcmp(slash ? slash + 1 : argv[0], "slotwise") != 0 || !argv[1] ||
        strcmp(argv[1], "workload") != 0)
        return 0;
    int rc = slw_program_beside("slotwise-workload", &program, err);
    if (rc < 0)
        return rc;
    free(argv[0]);
    free(argv[1]);
    argv[0] = program;
    for (size_t i = 1; (argv[i] = argv[i + 1]) != NULL; i++)
        continue;
    return 0;
}

int slw_argv_split(const char *text, char ***ret_argv, bool *ret_shell, struct slw_error *err)
{
    struct splitter s = {.at = text};
    int rc = 0;

    while (*s.at && rc == 0)
        rc = take(&s, err);
    if (rc == 0 && end_word(&s) < 0)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for a command line");
    slw_buf_release(&s.word);
    if (rc == 0 && s.argc == 0)
        rc = slw_fail(err, SLW_E_USAGE, "the command is empty");
    if (rc == 0 && (s.shell || is_shell_word(s.argv[0]) || is_assignment(s.argv[0]))) {
        slw_argv_free(s.argv);
        s.shell = true;
        s.argv = shell_argv(text);
        rc = s.argv ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a command line");
    }
    if (rc == 0)
        rc = replace_workload(s.argv, err);
    if (rc < 0) {
        slw_argv_free(s.argv);
        return rc;
    }
    *ret_argv = s.argv;
    *ret_shell = s.shell;
    return 0;
}

/* ---- and back ---- */

static bool is_plain(const char *word)
{
    if (!word[0])
        return false;
    for (const char *c = word; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_-+./:,=@%^", *c))
            return false;
    return true;
}

void slw_argv_quote(struct slw_buf *out, const char *const *argv)
{
    for (size_t i = 0; argv[i]; i++) {
        if (i > 0)
            slw_buf_putc(out, ' ');
        if (is_plain(argv[i])) {
            slw_buf_puts(out, argv[i]);
            continue;
        }
        slw_buf_putc(out, '\'');
        for (const char *c = argv[i]; *c; c++)
            if (*c == '\'')
                slw_buf_puts(out, "'\\''");
            else
                slw_buf_putc(out, *c);
        slw_buf_putc(out, '\'');
    }
}
