/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include "base/parse.h"
#include "cli/suggest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where parsing stands. */
struct cursor {
    int argc;
    char **argv;
    int next; /* index of the next word */
};

static const struct slw_option *find_long(const struct slw_option *table, const char *name,
                                          size_t length)
{
    for (const struct slw_option *o = table; o->name; o++)
        if (strlen(o->name) == length && memcmp(o->name, name, length) == 0)
            return o;
    return NULL;
}

static const struct slw_option *find_letter(const struct slw_option *table, char letter)
{
    for (const struct slw_option *o = table; o->name; o++)
        if (o->letter == letter)
            return o;
    return NULL;
}

/* The row of a name the command itself asks for. */
static const struct slw_option *known(const struct slw_args *a, const char *name)
{
    const struct slw_option *o = find_long(a->table, name, strlen(name));

    assert(o);
    return o;
}

static int unknown_option(const struct slw_option *table, const char *word, struct slw_error *err)
{
    size_t length = strcspn(word, "=");
    char typed[SLW_MAX_SUGGEST_BYTES];
    struct slw_suggestion s = {.typed = typed};

    if (length >= sizeof(typed))
        return slw_fail(err, SLW_E_USAGE, "unknown option '%.60s...'", word);
    memcpy(typed, word, length);
    typed[length] = '\0';
    s.typed = typed + strspn(typed, "-");
    for (const struct slw_option *o = table; o->name; o++)
        if (!o->hidden)
            slw_suggest(&s, o->name);
    if (s.best && word[1] == '-')
        slw_error_hint(err, "did you mean --%s?", s.best);
    return slw_fail(err, SLW_E_USAGE, "unknown option '%s'", typed);
}

void slw_option_value_name(const struct slw_option *o, char *out, size_t size)
{
    const char *choice;
    size_t used = 0;

    (void)snprintf(out, size, "%s", o->value ? o->value : "");
    if (o->value || o->kind != SLW_OPTION_CHOICE)
        return;
    for (size_t i = 0; (choice = o->choices(i)) != NULL && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? "|" : "", choice);
}

static int check_choice(const struct slw_option *o, const char *value, struct slw_error *err)
{
    struct slw_suggestion s = {.typed = value};
    const char *choice;
    char all[256];

    for (size_t i = 0; (choice = o->choices(i)) != NULL; i++) {
        if (strcmp(choice, value) == 0)
            return 0;
        slw_suggest(&s, choice);
    }
    if (s.best)
        slw_error_hint(err, "did you mean %s?", s.best);
    slw_option_value_name(o, all, sizeof(all));
    return slw_fail(err, SLW_E_USAGE, "--%s does not know '%.60s' (it takes %s)", o->name, value,
                    all);
}

static int add_use(struct slw_args *a, const struct slw_option *o, const char *value,
                   struct slw_error *err)
{
    if (o->kind == SLW_OPTION_CHOICE) {
        int rc = check_choice(o, value, err);
        if (rc < 0)
            return rc;
    }
    a->uses[a->use_count++] = (struct slw_option_use){o, value};
    return 0;
}

/* Take the value from the next word. */
static int add_with_next(struct slw_args *a, struct cursor *c, const struct slw_option *o,
                         struct slw_error *err)
{
    if (c->next >= c->argc) {
        char value[256];

        slw_option_value_name(o, value, sizeof(value));
        return slw_fail(err, SLW_E_USAGE, "--%s needs a value: %s", o->name, value);
    }
    return add_use(a, o, c->argv[c->next++], err);
}

static int parse_long(struct slw_args *a, struct cursor *c, const char *word, struct slw_error *err)
{
    const char *name = word + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct slw_option *o = find_long(a->table, name, length);

    if (!o)
        return unknown_option(a->table, word, err);
    if (o->kind == SLW_OPTION_FLAG && equals)
        return slw_fail(err, SLW_E_USAGE, "--%s takes no value", o->name);
    if (o->kind == SLW_OPTION_FLAG)
        return add_use(a, o, NULL, err);
    if (equals)
        return add_use(a, o, equals + 1, err);
    return add_with_next(a, c, o, err);
}

static int parse_letters(struct slw_args *a, struct cursor *c, const char *word,
                         struct slw_error *err)
{
    for (const char *p = word + 1; *p; p++) {
        const struct slw_option *o = find_letter(a->table, *p);
        int rc;

        if (!o && p == word + 1)
            return unknown_option(a->table, word, err);
        if (!o)
            return slw_fail(err, SLW_E_USAGE, "unknown option '-%c' in '%.60s'", *p, word);
        if (o->kind != SLW_OPTION_FLAG)
            return p[1] ? add_use(a, o, p + 1, err) : add_with_next(a, c, o, err);
        rc = add_use(a, o, NULL, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void take_rest(struct slw_args *a, struct cursor *c)
{
    while (c->next < c->argc)
        a->operands[a->operand_count++] = c->argv[c->next++];
}

static int parse_words(struct slw_args *a, struct cursor *c, bool first_operand_ends,
                       struct slw_error *err)
{
    while (c->next < c->argc) {
        char *word = c->argv[c->next++];
        int rc = 0;

        if (strcmp(word, "--") == 0) {
            a->separated = a->operand_count == 0;
            take_rest(a, c);
        } else if (word[0] == '-' && word[1] == '-') {
            rc = parse_long(a, c, word, err);
        } else if (word[0] == '-' && word[1] != '\0') {
            rc = parse_letters(a, c, word, err);
        } else {
            a->operands[a->operand_count++] = word;
            if (first_operand_ends)
                take_rest(a, c);
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Every word can be at most one operand, and every byte of a word at most one flag. */
static size_t most_uses(int argc, char **argv)
{
    size_t uses = 1;

    for (int i = 1; i < argc; i++)
        uses += argv[i][0] == '-' ? strlen(argv[i]) : 0;
    return uses;
}

int slw_args_parse(const struct slw_option *table, bool first_operand_ends, int argc, char **argv,
                   struct slw_args *ret_args, struct slw_error *err)
{
    struct slw_args a = {.table = table};
    struct cursor c = {.argc = argc, .argv = argv, .next = 1};
    int rc;

    assert(argc >= 1);
    a.uses = calloc(most_uses(argc, argv), sizeof(*a.uses));
    a.operands = calloc((size_t)argc + 1, sizeof(*a.operands));
    if (!a.uses || !a.operands)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for the command line");
    else
        rc = parse_words(&a, &c, first_operand_ends, err);
    if (rc < 0) {
        slw_args_release(&a);
        return rc;
    }
    *ret_args = a;
    return 0;
}

void slw_args_release(struct slw_args *a)
{
    free(a->uses);
    free(a->operands);
    *a = (struct slw_args){0};
}

bool slw_args_knows(const struct slw_args *a, const char *name)
{
    return find_long(a->table, name, strlen(name)) != NULL;
}

bool slw_args_has(const struct slw_args *a, const char *name)
{
    const struct slw_option *o = known(a, name);

    for (size_t i = 0; i < a->use_count; i++)
        if (a->uses[i].option == o)
            return true;
    return false;
}

const char *slw_args_get(const struct slw_args *a, const char *name)
{
    const struct slw_option *o = known(a, name);

    for (size_t i = a->use_count; i > 0; i--)
        if (a->uses[i - 1].option == o)
            return a->uses[i - 1].value;
    return NULL;
}

const char *slw_args_get_nth(const struct slw_args *a, const char *name, size_t n)
{
    const struct slw_option *o = known(a, name);

    for (size_t i = 0; i < a->use_count; i++)
        if (a->uses[i].option == o && n-- == 0)
            return a->uses[i].value;
    return NULL;
}

/* What the parser of a value said, as a fault of the command line. */
static int as_usage(int rc, const struct slw_error *why, struct slw_error *err)
{
    return rc < 0 ? slw_fail(err, SLW_E_USAGE, "%s", why->text) : 0;
}

int slw_args_u64(const struct slw_args *a, const char *name, uint64_t min, uint64_t max,
                 uint64_t *ret_value, struct slw_error *err)
{
    const char *value = slw_args_get(a, name);
    struct slw_error why = {0};
    char what[64] = "--";

    if (!value)
        return 0;
    strncat(what, name, sizeof(what) - sizeof("--"));
    return as_usage(slw_parse_u64(value, what, min, max, ret_value, &why), &why, err);
}

int slw_args_duration_ms(const struct slw_args *a, const char *name, uint64_t *ret_ms,
                         struct slw_error *err)
{
    const char *value = slw_args_get(a, name);
    struct slw_error why = {0};
    char what[64] = "--";

    if (!value)
        return 0;
    strncat(what, name, sizeof(what) - sizeof("--"));
    return as_usage(slw_parse_duration_ms(value, what, ret_ms, &why), &why, err);
}

int slw_args_bytes(const struct slw_args *a, const char *name, uint64_t max, uint64_t *ret_bytes,
                   struct slw_error *err)
{
    static const char units[] = "KMG";
    const char *value = slw_args_get(a, name);
    char digits[24];
    uint64_t n = 0;

    if (!value)
        return 0;
    size_t length = strlen(value);
    const char *unit = length > 1 ? strchr(units, value[length - 1]) : NULL;
    unsigned shift = unit ? (unsigned)(unit - units + 1) * 10 : 0;
    (void)snprintf(digits, sizeof(digits), "%.*s", (int)(length - (unit ? 1 : 0)), value);
    if (length >= sizeof(digits) || slw_parse_u64(digits, "", 1, max >> shift, &n, NULL) < 0)
        return slw_fail(err, SLW_E_USAGE, "--%s: '%.40s' is not a size such as 65536, 512K or 16M",
                        name, value);
    *ret_bytes = n << shift;
    return 0;
}

int slw_args_operands(const struct slw_args *a, size_t min, size_t max, const char *what,
                      struct slw_error *err)
{
    if (a->operand_count < min)
        return slw_fail(err, SLW_E_USAGE, "%s is missing", what);
    if (a->operand_count > max)
        return slw_fail(err, SLW_E_USAGE, "one argument too many: '%.60s'", a->operands[max]);
    return 0;
}

int slw_args_exclude(const struct slw_args *a, const char *one, const char *other,
                     struct slw_error *err)
{
    if (slw_args_has(a, one) && slw_args_has(a, other))
        return slw_fail(err, SLW_E_USAGE, "--%s and --%s exclude each other", one, other);
    return 0;
}
