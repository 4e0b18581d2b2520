/* SPDX-License-Identifier: MIT */
/* Symbol tables that are text: /proc/kallsyms and the maps that JIT compilers leave for perf. */
#include "analyzer/symtab.h"
#include "base/error.h"

#include <elf.h>
#include <string.h>

/* 16 and more: none. */
static unsigned hex_digit(char c)
{
    unsigned decimal = (unsigned char)c - (unsigned)'0';
    unsigned letter = ((unsigned char)c | 0x20U) - (unsigned)'a';

    if (decimal <= 9)
        return decimal;
    return letter <= 5 ? letter + 10 : 16;
}

/* Hexadecimal digits, then a blank; Java writes 0x before them. NULL: not that. */
static const char *take_hex(const char *s, uint64_t *ret_value)
{
    uint64_t value = 0;
    unsigned digits = 0, digit;

    if (s[0] == '0' && s[1] == 'x')
        s += 2;
    for (; digits <= 16 && (digit = hex_digit(*s)) < 16; s++, digits++)
        value = value << 4 | digit;
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
 * assemblers for ARM leave ("$x"). False: nothing of that. */
static bool judge_kernel_symbol(char type, struct slw_symbol *symbol)
{
    const char upper = (char)(type & ~0x20);

    symbol->binding = type == upper ? STB_GLOBAL : STB_LOCAL;
    symbol->type = STT_FUNC;
    if (upper == 'W')
        symbol->binding = STB_WEAK;
    else if (upper == 'D' || upper == 'B')
        symbol->type = STT_OBJECT;
    else if (upper != 'T')
        return false;
    return symbol->name[0] != '\0' && symbol->name[0] != '$';
}

/* The module's name follows. */
static void cut_at_blank(char *name)
{
    while (*name != '\0' && *name != '\t' && *name != ' ')
        name++;
    *name = '\0';
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
        char *name = line + (rest - line) + 2;
        cut_at_blank(name);
        s.name = name;
        s.end = s.start;
        if (s.start == 0 || !judge_kernel_symbol(rest[0], &s))
            continue;
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
        if (!rest || *rest == '\0' || __builtin_add_overflow(s.start, size, &s.end) || size == 0)
            continue;
        s.name = rest;
        rc = slw_symtab_add(t, &s);
    }
    return rc;
}
