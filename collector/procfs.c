/* SPDX-License-Identifier: MIT */
#include "collector/procfs.h"

#include "base/parse.h"

#include <limits.h>
#include <string.h>
#include <sys/mman.h>

/* What is left of a text; ok turns false at the first thing that is not as expected. */
struct cursor {
    const char *at, *end;
    bool ok;
};

static uint64_t take_number(struct cursor *c, unsigned base)
{
    const char *start = c->at;
    uint64_t value = 0;

    for (; c->at < c->end; c->at++) {
        unsigned digit = (unsigned)slw_hex_digit(*c->at);

        if (digit >= base)
            break;
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            c->ok = false;
    }
    if (c->at == start)
        c->ok = false;
    return value;
}

static void take_char(struct cursor *c, char expected)
{
    if (c->at < c->end && *c->at == expected)
        c->at++;
    else
        c->ok = false;
}

static void skip_spaces(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
        c->at++;
}

static void skip_word(struct cursor *c)
{
    const char *start = c->at;

    while (c->at < c->end && *c->at != ' ' && *c->at != '\t')
        c->at++;
    if (c->at == start)
        c->ok = false;
    skip_spaces(c);
}

static void take_permissions(struct cursor *c, struct slw_proc_mapping *m)
{
    if (c->end - c->at < 4) {
        c->ok = false;
        return;
    }
    m->prot = (c->at[0] == 'r' ? (uint32_t)PROT_READ : 0) |
              (c->at[1] == 'w' ? (uint32_t)PROT_WRITE : 0) |
              (c->at[2] == 'x' ? (uint32_t)PROT_EXEC : 0);
    m->flags = c->at[3] == 's' ? MAP_SHARED : MAP_PRIVATE;
    c->at += 4;
}

bool slw_proc_parse_mapping(const char *line, size_t length, struct slw_proc_mapping *ret_mapping)
{
    struct cursor c = {line, line + length, true};
    struct slw_proc_mapping m = {0};

    m.start = take_number(&c, 16);
    take_char(&c, '-');
    m.end = take_number(&c, 16);
    take_char(&c, ' ');
    take_permissions(&c, &m);
    take_char(&c, ' ');
    m.offset = take_number(&c, 16);
    take_char(&c, ' ');
    m.major = (uint32_t)take_number(&c, 16);
    take_char(&c, ':');
    m.minor = (uint32_t)take_number(&c, 16);
    take_char(&c, ' ');
    m.inode = take_number(&c, 10);
    skip_spaces(&c);
    m.name = c.at;
    m.name_length = (size_t)(c.end - c.at);
    if (!c.ok || m.end <= m.start)
        return false;
    *ret_mapping = m;
    return true;
}

size_t slw_proc_parse_cpu_list(const char *text, int *ret_cpus, size_t capacity)
{
    struct cursor c = {text, text + strlen(text), true};
    size_t count = 0;

    if (c.end > c.at && c.end[-1] == '\n')
        c.end--;
    while (c.ok) {
        uint64_t first = take_number(&c, 10), last = first;

        if (c.at < c.end && *c.at == '-') {
            c.at++;
            last = take_number(&c, 10);
        }
        if (!c.ok || last < first || last > INT32_MAX || last - first >= capacity - count)
            return 0;
        for (uint64_t cpu = first; cpu <= last; cpu++)
            ret_cpus[count++] = (int)cpu;
        if (c.at == c.end)
            return count;
        take_char(&c, ',');
    }
    return 0;
}

bool slw_proc_parse_stat(const char *text, size_t length, struct slw_proc_stat *ret_stat)
{
    /* The name in parentheses may hold anything, parentheses and spaces too: the last one ends it.
     */
    const char *name_end = memrchr(text, ')', length);
    struct slw_proc_stat s;
    uint64_t *fields[] = {&s.minor_faults,       &s.child_minor_faults, &s.major_faults,
                          &s.child_major_faults, &s.user_ticks,         &s.system_ticks,
                          &s.child_user_ticks,   &s.child_system_ticks};

    if (!name_end)
        return false;
    struct cursor c = {name_end + 1, text + length, true};
    skip_spaces(&c);
    for (int field = 3; field < 10; field++) /* state ... flags */
        skip_word(&c);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        *fields[i] = take_number(&c, 10);
        skip_spaces(&c);
    }
    if (!c.ok)
        return false;
    *ret_stat = s;
    return true;
}

int slw_proc_parse_id(const char *name)
{
    struct cursor c = {name, name + strlen(name), true};
    uint64_t id = take_number(&c, 10);

    return c.ok && c.at == c.end && id <= INT_MAX ? (int)id : 0;
}

bool slw_proc_parse_field(const char *text, const char *key, uint64_t *ret_value)
{
    size_t key_length = strlen(key);

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, key_length) != 0 || line[key_length] != ':')
            continue;
        struct cursor c = {line + key_length + 1, line + strlen(line), true};
        skip_spaces(&c);
        uint64_t value = take_number(&c, 10);
        if (c.ok)
            *ret_value = value;
        return c.ok;
    }
    return false;
}

bool slw_proc_parse_symbol(const char *line, size_t length, const char *symbol,
                           uint64_t *ret_address)
{
    struct cursor c = {line, line + length, true};
    size_t symbol_length = strlen(symbol);
    uint64_t address = take_number(&c, 16);

    skip_spaces(&c);
    skip_word(&c);
    if (!c.ok || (size_t)(c.end - c.at) != symbol_length ||
        memcmp(c.at, symbol, symbol_length) != 0)
        return false;
    *ret_address = address;
    return true;
}

bool slw_proc_parse_module(const char *line, size_t length, struct slw_proc_module *ret_module)
{
    struct cursor c = {line, line + length, true};
    struct slw_proc_module m = {.name = line};

    skip_word(&c);
    const char *name_end = memchr(line, ' ', length);
    m.name_length = name_end ? (size_t)(name_end - line) : 0;
    m.size_bytes = take_number(&c, 10);
    skip_spaces(&c);
    for (int i = 0; i < 3; i++) /* references, users, state */
        skip_word(&c);
    take_char(&c, '0');
    take_char(&c, 'x');
    m.address = take_number(&c, 16);
    if (!c.ok || m.name_length == 0)
        return false;
    *ret_module = m;
    return true;
}
