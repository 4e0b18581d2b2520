/* SPDX-License-Identifier: MIT */
/* Which program a command line is about: what only prepares its environment is taken off. Not for
 * running anything: a guess that finds nothing costs the client's own numbers, nothing else. */
#include "analyzer/client_output/client_output_int.h"

#include <stdio.h>
#include <string.h>

#define MAX_WRAPPERS 16 /* nobody wraps deeper */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool slw_client_is(size_t argc, const char *const *argv, const char *const *names)
{
    if (argc == 0)
        return false;
    for (; *names; names++)
        if (strcmp(base_name(argv[0]), *names) == 0)
            return true;
    return false;
}

struct wrapper {
    const char *name;
    const char *letters; /* options whose value may be the next word: "-n 5" */
    const char *words;   /* the same of long ones, each between blanks: " adjustment " */
    size_t operands;     /* of its own, before the command */
    bool assignments;    /* NAME=VALUE may stand before the command */
};

/* Sources: their manual pages (coreutils 9, util-linux 2.38, numactl 2.0, GNU time 1.9). */
static const struct wrapper wrappers[] = {
    {"env", "uC", " unset chdir ", 0, true},
    {"nice", "n", " adjustment ", 0, false},
    {"time", "fo", " format output ", 0, false},
    {"taskset", "", " ", 1, false},
    {"numactl", "iNmCpPw",
     " interleave cpunodebind membind physcpubind preferred preferred-many weighted-interleave ", 0,
     false},
    {"chrt", "TPD", " sched-runtime sched-period sched-deadline ", 1, false},
    {"ionice", "cn", " class classdata ", 0, false},
    {"timeout", "ks", " kill-after signal ", 1, false},
    {"stdbuf", "ioe", " input output error ", 0, false},
    {"nohup", "", " ", 0, false},
    {"setsid", "", " ", 0, false},
    {"exec", "a", " ", 0, false},
};

static const struct wrapper *wrapper_of(const char *word)
{
    for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++)
        if (strcmp(base_name(word), wrappers[i].name) == 0)
            return &wrappers[i];
    return NULL;
}

static bool long_takes_next(const struct wrapper *w, const char *option)
{
    char quoted[64];

    if (strchr(option, '='))
        return false;
    (void)snprintf(quoted, sizeof(quoted), " %.40s ", option);
    return strstr(w->words, quoted) != NULL;
}

/* "-n 5" takes the next word, "-n5" and "-5" do not. */
static bool short_takes_next(const struct wrapper *w, const char *letters)
{
    for (; *letters; letters++)
        if (strchr(w->letters, *letters))
            return letters[1] == '\0';
    return false;
}

static size_t skip_options(const struct wrapper *w, size_t argc, const char *const *argv)
{
    size_t i = 1;

    while (i < argc && argv[i][0] == '-' && argv[i][1]) {
        const bool is_long = argv[i][1] == '-';
        if (is_long && !argv[i][2])
            return i + 1;
        i += is_long ? 1 + long_takes_next(w, argv[i] + 2) : 1 + short_takes_next(w, argv[i] + 1);
    }
    return i;
}

static size_t skip_wrapper(const struct wrapper *w, size_t argc, const char *const *argv)
{
    size_t i = skip_options(w, argc, argv) + w->operands;

    while (w->assignments && i < argc && strchr(argv[i], '='))
        i++;
    return i;
}

/* ---- programs that run another one's text ---- */

static bool is_one_of(const char *word, const char *const *names)
{
    return slw_client_is(1, &word, names);
}

/* Is it `name`, "name3" or "name3.11"? */
static bool is_version_of(const char *word, const char *name)
{
    word = base_name(word);
    const size_t length = strlen(name);

    return strncmp(word, name, length) == 0 && !word[length + strspn(word + length, "0123456789.")];
}

/* Index of what a shell, python or perl is to run, or argc. *ret_text: it is text (-c), not a file.
 */
static size_t skip_interpreter(size_t argc, const char *const *argv, bool python, bool *ret_text)
{
    for (size_t i = 1; i < argc; i++) {
        if (argv[i][0] != '-')
            return i;
        *ret_text = argv[i][1] != '-' && strchr(argv[i], 'c') != NULL;
        if (*ret_text || (python && strcmp(argv[i], "-m") == 0))
            return i + 1;
    }
    return argc;
}

/* java: the main class, or what -jar names. */
static size_t skip_java(size_t argc, const char *const *argv)
{
    static const char *const with_value[] = {
        "-cp",           "-classpath",    "--class-path", "-p",
        "--module-path", "--add-modules", "--add-opens",  NULL};

    for (size_t i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-jar") == 0)
            return i + 1;
        if (argv[i][0] != '-')
            return i;
        i += is_one_of(argv[i], with_value);
    }
    return argc;
}

/* ---- sh -c ---- */

static bool is_plain(char c)
{
    return (unsigned char)c > ' ' && !strchr(";&|<>()$`\\*?[]{}~#!\"'\n", c);
}

static void end_word(struct slw_client_argv *a, size_t *used, bool *in_word)
{
    if (*in_word)
        a->words[(*used)++] = '\0';
    *in_word = false;
}

/* One command of plain words; a word may stand in quotes as a whole. All else is for a shell to
 * understand: argc 0. */
static void split(const char *text, struct slw_client_argv *a)
{
    size_t used = 0;
    bool in_word = false;
    char quote = '\0';

    a->argc = 0;
    if (strlen(text) + 2 > sizeof(a->words))
        return;
    for (const char *c = text; *c; c++) {
        if (quote ? *c == quote : *c == '"' || *c == '\'') {
            quote = quote ? '\0' : *c;
        } else if (!quote && (*c == ' ' || *c == '\t')) {
            end_word(a, &used, &in_word);
            continue;
        } else if (quote == '\'' || is_plain(*c) || (quote && *c == ' ')) {
            if (!in_word && a->argc == SLW_MAX_WRAPPED_WORDS)
                return; /* the first so many words tell the client */
            if (!in_word)
                a->argv[a->argc++] = a->words + used;
            in_word = true;
            a->words[used++] = *c;
        } else {
            a->argc = 0;
            return;
        }
    }
    end_word(a, &used, &in_word);
    if (quote)
        a->argc = 0;
}

static void shift(struct slw_client_argv *a, size_t by)
{
    by = by < a->argc ? by : a->argc;
    a->argc -= by;
    memmove(a->argv, a->argv + by, a->argc * sizeof(a->argv[0]));
}

/* True: something was taken off. `shells`: how many more may be looked into. */
static bool unwrap(struct slw_client_argv *a, size_t *shells)
{
    static const char *const shell_names[] = {"sh", "bash", "dash", "ash", "ksh", "zsh", NULL};
    static const char *const java_names[] = {"java", NULL};
    const struct wrapper *w = wrapper_of(a->argv[0]);
    const bool python = is_version_of(a->argv[0], "python");
    const bool shell = is_one_of(a->argv[0], shell_names);
    bool text = false;

    if (w) {
        shift(a, skip_wrapper(w, a->argc, a->argv));
    } else if (is_one_of(a->argv[0], java_names)) {
        shift(a, skip_java(a->argc, a->argv));
    } else if (python || shell || is_version_of(a->argv[0], "perl")) {
        shift(a, skip_interpreter(a->argc, a->argv, python, &text));
        if (text && a->argc && shell && *shells) {
            char line[SLW_MAX_WRAPPED_BYTES];
            (*shells)--;
            const int n = snprintf(line, sizeof(line), "%s", a->argv[0]);
            a->argc = 0;
            if (n >= 0 && (size_t)n < sizeof(line))
                split(line, a);
        } else if (text) {
            a->argc = 0;
        }
    } else {
        return false;
    }
    return true;
}

void slw_client_argv_of(size_t argc, const char *const *argv, struct slw_client_argv *ret_argv)
{
    size_t shells = 2, left = MAX_WRAPPERS;

    ret_argv->argc = argc < SLW_MAX_WRAPPED_WORDS ? argc : SLW_MAX_WRAPPED_WORDS;
    for (size_t i = 0; i < ret_argv->argc; i++)
        ret_argv->argv[i] = argv[i];
    while (ret_argv->argc && left-- && unwrap(ret_argv, &shells))
        continue;
}
