/* SPDX-License-Identifier: MIT */
/* Symbol tables that are text: /proc/kallsyms and the maps that JIT compilers leave for perf. */
#include "analyzer/symtab.h"
#include "base/error.h"

#include <ctype.h>
#include <elf.h>
#include <string.h>

/* Hexadecimal digits, then a blank. NULL: not that. */
static const char *take_hex(const char *s, uint64_t *ret_value)
{
    uint64_t value = 0;
    unsigned digits = 0;

    for (; isxdigit((unsigned char)*s) && digits <= 16; s++, digits++) {
        unsigned c = (unsigned char)*s;
        value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    if (digits == 0 || digits > 16 || *s != ' ')
        return NULL;
    *ret_value = value;
    return s + 1;
}

/* Cut the next line off *text; NULL at the end. */
static char *take_line(char **text)
{
    char *line = *text;

    if (*line == '\0')
        return NULL;
    char *end = strchr(line, '\n');
    if (end)
        *end = '\0';
    *text = end ? end + 1 : line + strlen(line);
    return line;
}

/* What perf takes: text, weak, data and bss (symbol_type__is_a); not the mapping symbols that
 * assemblers for ARM leave ("$x"). */
static bool is_kernel_symbol(char type, const char *name)
{
    return strchr("TWDB", toupper((unsigned char)type)) && *name != '\0' && *name != '$';
}

static uint8_t kernel_binding(char type)
{
    if (toupper((unsigned char)type) == 'W')
        return STB_WEAK;
    return isupper((unsigned char)type) ? STB_GLOBAL : STB_LOCAL;
}

int slw_symtab_add_kallsyms(struct slw_symtab *t, char *text, bool *ret_hidden)
{
    bool any = false, nonzero = false;
    int rc = 0;

    for (char *line = take_line(&text); line && rc == 0; line = take_line(&text)) {
        struct slw_symbol s = {0};
        const char *rest = take_hex(line, &s.start);
        if (!rest || *rest == '\0' || rest[1] != ' ')
            continue;
        any = true;
        nonzero |= s.start != 0;
        char type = rest[0];
        char *name = line + (rest - line) + 2;
        name[strcspn(name, "\t ")] = '\0'; /* the module's name follows */
        if (!is_kernel_symbol(type, name) || s.start == 0)
            continue;
        s.end = s.start;
        s.name = name;
        s.binding = kernel_binding(type);
        s.type = strchr("TW", toupper((unsigned char)type)) ? STT_FUNC : STT_OBJECT;
        rc = slw_symtab_add(t, &s);
    }
    *ret_hidden = any && !nonzero;
    return rc;
}

int slw_symtab_add_perf_map(struct slw_symtab *t, char *text)
{
    int rc = 0;

    for (char *line = take_line(&text); line && rc == 0; line = take_line(&text)) {
        struct slw_symbol s = {.binding = STB_GLOBAL, .type = STT_FUNC};
        uint64_t size;
        const char *rest = take_hex(line, &s.start);
        if (rest)
            rest = take_hex(rest, &size);
        if (!rest || *rest == '\0' || __builtin_add_overflow(s.start, size, &s.end))
            continue;
        s.name = rest;
        rc = slw_symtab_add(t, &s);
    }
    return rc;
}
