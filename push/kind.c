/* SPDX-License-Identifier: MIT */
#include "push/kind.h"

#include <ctype.h>
#include <string.h>

#define SLW_PUSH_KIND(name) extern const struct slw_push_kind slw_push_kind_##name;
#include "push/kinds.def"
#undef SLW_PUSH_KIND

const struct slw_push_kind *const slw_push_kinds[] = {
#define SLW_PUSH_KIND(name) &slw_push_kind_##name,
#include "push/kinds.def"
#undef SLW_PUSH_KIND
};
const size_t slw_push_kind_count = sizeof(slw_push_kinds) / sizeof(slw_push_kinds[0]);

const struct slw_push_kind *slw_push_kind_find(const char *name)
{
    for (size_t i = 0; i < slw_push_kind_count; i++)
        if (strcmp(slw_push_kinds[i]->name, name) == 0)
            return slw_push_kinds[i];
    return NULL;
}

void slw_push_request_release(struct slw_push_request *r)
{
    slw_buf_release(&r->suffix);
    slw_buf_release(&r->body);
}

/* Source: the data model of Prometheus, which Pyroscope and Parca share. */
static bool is_name(const char *name)
{
    for (const char *c = name; *c; c++) {
        const unsigned char u = (unsigned char)*c;

        if (u >= 0x80 || !(isalpha(u) || u == '_' || (c > name && isdigit(u))))
            return false;
    }
    return name[0] != '\0' && strncmp(name, "__", 2) != 0;
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return true;
    return false;
}

int slw_push_label_check(const char *name, const char *value, struct slw_error *err)
{
    if (!is_name(name)) {
        slw_error_hint(err, "a name of letters, digits and '_' that does not begin with '__'");
        return slw_fail(err, SLW_E_USAGE, "no server takes a label called '%.60s'", name);
    }
    if (value[0] == '\0' || has_control(value))
        return slw_fail(err, SLW_E_USAGE, "label '%.60s': its value is %s, which cannot be pushed",
                        name, value[0] ? "not one line of text" : "empty");
    if (strlen(value) > SLW_PUSH_MAX_VALUE)
        return slw_fail(err, SLW_E_USAGE, "label '%.60s': its value is longer than %d bytes", name,
                        SLW_PUSH_MAX_VALUE);
    return 0;
}
