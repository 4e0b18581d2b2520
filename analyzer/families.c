/* SPDX-License-Identifier: MIT */
#include "analyzer/families.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

struct family {
    enum slw_family_place place;
    const char *functions, *modules;
};

/* clang-format off */
static const struct family families[] = {
#define SLW_FAMILY(id, place, functions, modules) {place, functions, modules},
#include "analyzer/families.def"
#undef SLW_FAMILY
};
/* clang-format on */

static const char *skip(const char *s, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(s, prefix, n) == 0 ? s + n : s;
}

const char *slw_family_syscall(const char *function)
{
    static const char *const entries[] = {"__x64_sys_", "__arm64_sys_", "__ia32_sys_",
                                          "__se_sys_",  "__do_sys_",    "ksys_"};

    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        const char *rest = skip(function, entries[i]);
        if (rest != function && rest[0])
            return rest;
    }
    return NULL;
}

/* The bare name and its length: without decoration and symbol version. */
static const char *bare(const char *function, size_t *ret_length)
{
    const char *name = slw_family_syscall(function);

    if (!name) {
        name = skip(function, "__GI_");
        name = skip(name, "__libc_");
        name += strspn(name, "_");
    }
    const char *version = strstr(name, "@@");
    *ret_length = version ? (size_t)(version - name) : strlen(name);
    return name;
}

/* One entry of a list against a name; C++ operators hold spaces, which lists write as '_'. */
static bool entry_matches(const char *entry, size_t entry_length, const char *name, size_t length)
{
    bool prefix = entry_length > 0 && entry[entry_length - 1] == '*';

    if (prefix)
        entry_length--;
    if (prefix ? length < entry_length : length != entry_length)
        return false;
    for (size_t i = 0; i < entry_length; i++)
        if (entry[i] != name[i] && !(entry[i] == '_' && name[i] == ' '))
            return false;
    return true;
}

static bool list_has(const char *list, const char *name, size_t length)
{
    while (*list) {
        size_t n = strcspn(list, " ");

        if (n > 0 && entry_matches(list, n, name, length))
            return true;
        list += n;
        list += strspn(list, " ");
    }
    return false;
}

enum slw_family_place slw_family_place(enum slw_family family)
{
    assert(family < SLW_FAMILY_COUNT);
    return families[family].place;
}

bool slw_family_has(enum slw_family family, const char *function, const char *module_name)
{
    assert(family < SLW_FAMILY_COUNT);
    const struct family *f = &families[family];
    size_t length;
    const char *name = bare(function, &length);

    return list_has(f->functions, name, length) ||
           list_has(f->modules, module_name, strlen(module_name));
}
