/* SPDX-License-Identifier: MIT */
#include "cli/sweep_arms.h"

#include "base/arena.h"
#include "base/buf.h"
#include "cli/suggest.h"

#include <string.h>

struct make {
    const struct slw_sweep_parameters *parameters;
    struct slw_arena *arena;
    bool used[SLW_MAX_PARAMETERS];
    size_t chosen[SLW_MAX_PARAMETERS]; /* index of the value of each */
    struct slw_error *err;
};

/* ---- {name} ---- */

static int unknown(const struct make *m, const char *name, size_t length)
{
    char typed[SLW_MAX_SUGGEST_BYTES + 1] = "";
    struct slw_suggestion s = {.typed = typed};

    memcpy(typed, name, length < SLW_MAX_SUGGEST_BYTES ? length : SLW_MAX_SUGGEST_BYTES);
    for (size_t i = 0; i < m->parameters->count; i++)
        slw_suggest(&s, m->parameters->all[i].name);
    if (s.best)
        slw_error_hint(m->err, "did you mean '{%s}'? A brace itself is written {{ or }}", s.best);
    else
        slw_error_hint(m->err, "add -P %.32s=VALUES; a brace itself is written {{ or }}",
                       length ? typed : "NAME");
    return slw_fail(m->err, SLW_E_USAGE, "the command has {%.60s}, which is no parameter", typed);
}

/* What stands after the '{' at `at`; moves it past the '}'. */
static int put_value(struct make *m, struct slw_buf *out, const char **at)
{
    const size_t length = strcspn(*at, "{}");

    if ((*at)[length] != '}') {
        slw_error_hint(m->err, "a brace itself is written {{ or }}");
        return slw_fail(m->err, SLW_E_USAGE, "a '{' of the command is not closed: '{%.60s'", *at);
    }
    for (size_t i = 0; i < m->parameters->count; i++) {
        const struct slw_sweep_parameter *p = &m->parameters->all[i];

        if (strlen(p->name) == length && strncmp(p->name, *at, length) == 0) {
            slw_buf_puts(out, p->values[m->chosen[i]]);
            m->used[i] = true;
            *at += length + 1;
            return 0;
        }
    }
    return unknown(m, *at, length);
}

static int put_word(struct make *m, struct slw_buf *out, const char *word)
{
    int status = 0;

    while (status >= 0 && *word) {
        const char c = *word++;

        if ((c == '{' || c == '}') && *word == c) {
            slw_buf_putc(out, c);
            word++;
        } else if (c == '{') {
            status = put_value(m, out, &word);
        } else if (c == '}') {
            slw_error_hint(m->err, "a brace itself is written {{ or }}");
            status = slw_fail(m->err, SLW_E_USAGE, "a '}' of the command closes nothing: '}%.60s'",
                              word);
        } else {
            slw_buf_putc(out, c);
        }
    }
    if (status >= 0 && out->length > SLW_MAX_SWEEP_WORD)
        status = slw_fail(m->err, SLW_E_USAGE, "a word of the command is longer than %d bytes",
                          SLW_MAX_SWEEP_WORD);
    return status;
}

/* ---- one combination ---- */

static int no_memory(const struct make *m)
{
    return slw_fail(m->err, SLW_E_NOMEM, "no memory for the commands of a sweep");
}

static int make_argv(struct make *m, char *const *words, size_t word_count, char ***ret_argv)
{
    char **argv = slw_arena_array(m->arena, word_count + 1, sizeof(*argv));
    int status = argv ? 0 : no_memory(m);

    for (size_t i = 0; status >= 0 && i < word_count; i++) {
        struct slw_buf word = {0};

        status = put_word(m, &word, words[i]);
        if (status >= 0 && !slw_buf_failed(&word))
            argv[i] = slw_arena_strdup(m->arena, word.data ? word.data : "");
        if (status >= 0 && !argv[i])
            status = no_memory(m);
        slw_buf_release(&word);
    }
    if (status >= 0)
        *ret_argv = argv;
    return status;
}

static int name_command(struct make *m, struct slw_sweep_command *c)
{
    struct slw_buf name = {0};

    c->parameter_count = m->parameters->count;
    c->parameters = slw_arena_array(m->arena, c->parameter_count, sizeof(*c->parameters));
    if (!c->parameters)
        return no_memory(m);
    for (size_t i = 0; i < c->parameter_count; i++) {
        const struct slw_sweep_parameter *p = &m->parameters->all[i];

        c->parameters[i].name = slw_arena_strdup(m->arena, p->name);
        c->parameters[i].value = slw_arena_strdup(m->arena, p->values[m->chosen[i]]);
        if (!c->parameters[i].name || !c->parameters[i].value)
            return no_memory(m);
        slw_buf_printf(&name, "%s%s=%s", i ? "," : "", c->parameters[i].name,
                       c->parameters[i].value);
    }
    if (!slw_buf_failed(&name))
        c->name = slw_arena_strdup(m->arena, name.data);
    slw_buf_release(&name);
    return c->name ? 0 : no_memory(m);
}

static void next_combination(struct make *m)
{
    for (size_t i = 0; i < m->parameters->count; i++) {
        if (++m->chosen[i] < m->parameters->all[i].count)
            return;
        m->chosen[i] = 0;
    }
}

/* ---- all ---- */

static int check_used(const struct make *m)
{
    for (size_t i = 0; i < m->parameters->count; i++)
        if (!m->used[i]) {
            slw_error_hint(m->err, "write {%.32s} where its value belongs",
                           m->parameters->all[i].name);
            return slw_fail(m->err, SLW_E_USAGE, "-P %.32s: the command has no {%.32s}",
                            m->parameters->all[i].name, m->parameters->all[i].name);
        }
    return 0;
}

static int make_all(struct make *m, char *const *words, size_t word_count,
                    struct slw_sweep_commands *commands)
{
    int status = 0;

    for (size_t i = 0; status >= 0 && i < commands->count; i++) {
        char **argv = NULL;

        status = make_argv(m, words, word_count, &argv);
        if (status >= 0 && i == 0)
            status = check_used(m);
        commands->all[i].argv = argv;
        if (status >= 0)
            status = name_command(m, &commands->all[i]);
        next_combination(m);
    }
    return status;
}

int slw_sweep_commands_make(const struct slw_sweep_parameters *parameters, char *const *words,
                            size_t word_count, struct slw_sweep_commands *ret_commands,
                            struct slw_error *err)
{
    struct slw_sweep_commands commands = {.count = slw_sweep_parameters_arms(parameters)};
    struct make m = {.parameters = parameters, .err = err};

    if (parameters->count == 0) {
        slw_error_hint(err, "add -P batch=1,2,4,..64 and write {batch} in the command");
        return slw_fail(err, SLW_E_USAGE, "a sweep needs a parameter");
    }
    if (commands.count > SLW_MAX_ARMS)
        return slw_fail(err, SLW_E_USAGE, "%zu combinations of values, at most %d", commands.count,
                        SLW_MAX_ARMS);
    commands.arena = m.arena = slw_arena_new();
    if (commands.arena)
        commands.all = slw_arena_array(commands.arena, commands.count, sizeof(*commands.all));
    int status = commands.all ? make_all(&m, words, word_count, &commands) : no_memory(&m);
    if (status < 0)
        slw_sweep_commands_release(&commands);
    else
        *ret_commands = commands;
    return status;
}

void slw_sweep_commands_release(struct slw_sweep_commands *commands)
{
    slw_arena_free(commands->arena);
    *commands = (struct slw_sweep_commands){0};
}

static int lead_one(struct slw_sweep_commands *commands, struct slw_sweep_command *c,
                    const char *const *words, size_t word_count)
{
    size_t count = 0;

    while (c->argv[count])
        count++;
    char **argv = slw_arena_array(commands->arena, word_count + count + 1, sizeof(*argv));
    if (!argv)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < word_count; i++) {
        argv[i] = slw_arena_strdup(commands->arena, words[i]);
        if (!argv[i])
            return -SLW_E_NOMEM;
    }
    memcpy(argv + word_count, c->argv, count * sizeof(*argv));
    c->argv = argv;
    return 0;
}

int slw_sweep_commands_lead(struct slw_sweep_commands *commands, const char *const *words,
                            size_t word_count, struct slw_error *err)
{
    for (size_t i = 0; i < commands->count; i++)
        if (lead_one(commands, &commands->all[i], words, word_count) < 0)
            return slw_fail(err, SLW_E_NOMEM, "no memory for the commands of a sweep");
    return 0;
}
