/* SPDX-License-Identifier: MIT */
#include "workloads/setting.h"

#include <assert.h>
#include <string.h>

const struct slw_chosen *slw_choices_find(const struct slw_choices *c, const char *name)
{
    size_t i = 0;

    while (i < c->count && strcmp(c->rows[i].setting->name, name) != 0)
        i++;
    assert(i < c->count); /* a setting that is in no table */
    return &c->rows[i];
}

bool slw_choices_flag(const struct slw_choices *c, const char *name)
{
    return slw_choices_find(c, name)->given;
}

uint64_t slw_choices_number(const struct slw_choices *c, const char *name)
{
    return slw_choices_find(c, name)->number;
}

double slw_choices_decimal(const struct slw_choices *c, const char *name)
{
    return slw_choices_find(c, name)->decimal;
}

size_t slw_choices_choice(const struct slw_choices *c, const char *name)
{
    return slw_choices_find(c, name)->choice;
}

const char *slw_choices_text(const struct slw_choices *c, const char *name)
{
    return slw_choices_find(c, name)->text;
}
