/* SPDX-License-Identifier: MIT */
/* Opening a database driver in a test: its settings at their defaults, or as "name=value,..." says.
 */
#ifndef SLW_TESTS_DRIVER_FIXTURE_H
#define SLW_TESTS_DRIVER_FIXTURE_H

#include "workloads/driver.h"

#include <stdlib.h>
#include <string.h>

#define DRIVER_MAX_SETTINGS 16

struct driver_fixture {
    const struct slw_driver *driver;
    struct slw_chosen rows[DRIVER_MAX_SETTINGS];
    struct slw_choices choices;
    char text[512];
};

static const char *fixture_given(struct driver_fixture *f, const char *name)
{
    const size_t length = strlen(name);

    for (char *at = f->text; *at; at += strlen(at) + 1)
        if (strncmp(at, name, length) == 0 && at[length] == '=')
            return at + length + 1;
    return NULL;
}

static size_t fixture_choice(const struct slw_setting *s, const char *text)
{
    for (size_t i = 0; text && s->choices && s->choices[i]; i++)
        if (strcmp(s->choices[i], text) == 0)
            return i;
    return 0;
}

static void fixture_init(struct driver_fixture *f, const struct slw_driver *driver,
                         const char *settings)
{
    memset(f, 0, sizeof(*f));
    f->driver = driver;
    if (settings)
        strncpy(f->text, settings, sizeof(f->text) - 2);
    for (char *at = f->text; *at; at++)
        if (*at == ',')
            *at = '\0';
    for (const struct slw_setting *s = driver->settings;
         s && s->name && f->choices.count < DRIVER_MAX_SETTINGS; s++) {
        struct slw_chosen *row = &f->rows[f->choices.count++];
        const char *given = fixture_given(f, s->name);

        row->setting = s;
        row->given = given != NULL;
        row->text = given ? given : s->otherwise;
        row->number = row->text ? strtoull(row->text, NULL, 10) : 0;
        row->choice = fixture_choice(s, row->text);
    }
    f->choices.rows = f->rows;
}

static int fixture_open(const struct driver_fixture *f, const char *where, const char *table,
                        void **ret_connection, struct slw_error *err)
{
    return f->driver->open(where, table, &f->choices, ret_connection, err);
}

#endif
