/* SPDX-License-Identifier: MIT */
/* Event names as perf prints them -> names as models and runs write them. */
#include "collector/perf_stat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* perf's own names of one software event. */
static const struct {
    const char *name, *also;
} softwares[] = {
    {"task-clock", NULL},       {"cpu-clock", NULL},
    {"context-switches", "cs"}, {"cpu-migrations", "migrations"},
    {"page-faults", "faults"},  {"minor-faults", NULL},
    {"major-faults", NULL},     {"alignment-faults", NULL},
    {"emulation-faults", NULL}, {"cgroup-switches", NULL},
    {"bpf-output", NULL},       {"dummy", NULL},
    {"duration_time", NULL},    {"user_time", NULL},
    {"system_time", NULL},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_name_byte(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && c != ';' && c != '"' && c != '<' && c != '>';
}

struct cut { /* the name under work, cut into its parts */
    char pmu[64], body[256], suffix[32];
};

static bool copy(char *to, size_t size, const char *from, size_t length)
{
    if (length >= size)
        return false;
    for (size_t i = 0; i < length; i++)
        to[i] = lower(from[i]);
    to[length] = '\0';
    return true;
}

/* Behind the last ':' of a plain name stand modifiers or the second half of a tracepoint. */
static bool is_modifiers(const char *s, size_t length)
{
    return length > 0 && strspn(s, "ukhGHpPSDWebIR") >= length && length < 16;
}

static bool cut_plain(const char *s, size_t length, struct cut *c)
{
    const char *colon = memrchr(s, ':', length);

    if (colon) {
        const size_t tail = (size_t)(s + length - colon - 1);
        char word[32] = "";

        if (tail < sizeof(word))
            memcpy(word, colon + 1, tail); /* strspn needs an end */
        if (is_modifiers(word, tail)) {
            memcpy(c->suffix, word, tail + 1);
            length -= tail + 1;
        }
    }
    return length > 0 && copy(c->body, sizeof(c->body), s, length);
}

/* pmu/terms/suffix, or a plain name. */
static bool cut_name(const char *s, size_t length, struct cut *c)
{
    const char *open = memchr(s, '/', length), *close = memrchr(s, '/', length);

    if (!open)
        return cut_plain(s, length, c);
    const size_t tail = (size_t)(s + length - close - 1);
    const size_t colon = tail > 0 && close[1] == ':' ? 1 : 0;
    if (open == s || open == close || close == open + 1 || tail >= sizeof(c->suffix))
        return false;
    memcpy(c->suffix, close + 1 + colon, tail - colon);
    return copy(c->pmu, sizeof(c->pmu), s, (size_t)(open - s)) &&
           copy(c->body, sizeof(c->body), open + 1, (size_t)(close - open - 1));
}

/* "u" alone leaves the kernel out and the other way round; everything else (precision, host and
 * guest, pinning) does not change whose code is counted. */
static enum slw_mode mode_of(const char *suffix)
{
    const bool user = strchr(suffix, 'u'), kernel = strchr(suffix, 'k');

    if (user == kernel)
        return SLW_MODE_ALL;
    return user ? SLW_MODE_USER : SLW_MODE_KERNEL;
}

struct terms { /* pmu/base,cmask=1,edge/ */
    const char *base, *name;
    uint64_t event, umask, cmask, edge, inv, any, config;
    bool has_event, has_umask, has_config, odd;
};

static void read_term(char *term, struct terms *t)
{
    static const char *const keys[] = {"event", "umask", "cmask", "edge", "inv", "any", "config"};
    uint64_t *const values[] = {&t->event, &t->umask, &t->cmask, &t->edge,
                                &t->inv,   &t->any,   &t->config};
    char *value = strchr(term, '='), *end = NULL;

    if (value)
        *value++ = '\0';
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(keys[i], term) != 0)
            continue;
        *values[i] = value ? strtoull(value, &end, 0) : 1;
        t->odd |= value && (end == value || *end);
        t->has_event |= i == 0;
        t->has_umask |= i == 1;
        t->has_config |= i == 6;
        return;
    }
    if (value && strcmp(term, "name") == 0)
        t->name = value;
    else if (!value && !t->base)
        t->base = term;
    else
        t->odd = true;
}

static void print_modifiers(const struct terms *t, char *out, size_t size)
{
    size_t used = strlen(out);
    if (t->has_umask)
        used += (size_t)snprintf(out + used, size - used, ":u0x%llx", (unsigned long long)t->umask);
    if (t->cmask && used < size)
        used += (size_t)snprintf(out + used, size - used, ":c%llu", (unsigned long long)t->cmask);
    if (t->edge && used < size)
        used += (size_t)snprintf(out + used, size - used, ":e1");
    if (t->inv && used < size)
        used += (size_t)snprintf(out + used, size - used, ":i1");
    if (t->any && used < size)
        (void)snprintf(out + used, size - used, ":t1");
}

/* The code a bare event select stands for. AMD's event bits 11:8 go to 35:32. */
static uint64_t code_of(const struct terms *t)
{
    return t->has_config ? t->config
                         : (t->event & 0xff) | (t->umask & 0xff) << 8 | (t->edge & 1) << 18 |
                               (t->any & 1) << 21 | (t->inv & 1) << 23 | (t->cmask & 0xff) << 24 |
                               (t->event >> 8 & 0xf) << 32;
}

/* The terms between the slashes, in the words of the models. What cannot be said in them stays as
 * it was printed. */
static void name_terms(const char *body, char *name, size_t size)
{
    struct terms t = {0};
    char copy_of[256], *rest = copy_of, *term;

    (void)snprintf(copy_of, sizeof(copy_of), "%s", body);
    (void)snprintf(name, size, "%s", body);
    while ((term = strtok_r(rest, ",", &rest)) != NULL)
        read_term(term, &t);
    if (t.odd || (!t.base && !t.has_event && !t.has_config))
        return;
    if (t.base && (t.has_event || t.has_config))
        return;
    if (!t.base && t.name) {
        (void)snprintf(name, size, "%s", t.name);
    } else if (!t.base) {
        (void)snprintf(name, size, "r%llx", (unsigned long long)code_of(&t));
    } else {
        (void)snprintf(name, size, "%s", t.base);
        print_modifiers(&t, name, size);
    }
}

static bool find_software(struct slw_perf_event *e)
{
    for (size_t i = 0; i < sizeof(softwares) / sizeof(softwares[0]); i++)
        if (strcmp(softwares[i].name, e->name) == 0 ||
            (softwares[i].also && strcmp(softwares[i].also, e->name) == 0)) {
            (void)snprintf(e->name, sizeof(e->name), "%s", softwares[i].name);
            return true;
        }
    return false;
}

/* "r00c0" and "rc0" are one code. */
static void normalise_raw(char *name, size_t size)
{
    char *end;

    if (name[0] != 'r' || !name[1] || strspn(name + 1, "0123456789abcdef") != strlen(name + 1))
        return;
    const uint64_t code = strtoull(name + 1, &end, 16);
    if (!*end)
        (void)snprintf(name, size, "r%llx", (unsigned long long)code);
}

bool slw_perf_event_parse(struct slw_span text, struct slw_perf_event *ret_event)
{
    struct slw_perf_event e = {0};
    struct cut c = {0};

    for (size_t i = 0; i < text.length; i++)
        if (!is_name_byte(text.text[i]))
            return false;
    if (text.length == 0 || !cut_name(text.text, text.length, &c))
        return false;
    e.mode = mode_of(c.suffix);
    if (c.pmu[0])
        name_terms(c.body, e.name, sizeof(e.name));
    else
        (void)snprintf(e.name, sizeof(e.name), "%s", c.body);
    if (strcmp(c.pmu, "cpu") != 0)
        (void)snprintf(e.pmu, sizeof(e.pmu), "%s", c.pmu);
    normalise_raw(e.name, sizeof(e.name));
    e.software = !e.pmu[0] && (find_software(&e) || (!c.pmu[0] && strchr(e.name, ':')));
    *ret_event = e;
    return true;
}
