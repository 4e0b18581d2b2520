/* SPDX-License-Identifier: MIT */
/* -P NAME=VALUES and the words it is put into, from anybody: lines, the first the parameter, the
 * rest words of a command. */
#include "cli/sweep_arms.h"

#include <stdlib.h>
#include <string.h>

#define WORDS 16

static void check(const struct slw_sweep_parameter *p)
{
    if (p->count == 0 || p->count > SLW_MAX_SWEEP_VALUES)
        abort();
    for (size_t i = 0; i < p->count; i++) {
        if (p->values[i][0] == '\0' || strlen(p->values[i]) > SLW_MAX_PARAMETER_BYTES)
            abort();
        for (size_t j = 0; j < i; j++)
            if (strcmp(p->values[i], p->values[j]) == 0)
                abort();
    }
}

static void make(const struct slw_sweep_parameters *all, char *text)
{
    struct slw_sweep_commands c;
    char *words[WORDS];
    size_t count = 0;

    for (; text && count < WORDS; count++) {
        words[count] = text;
        text = strchr(text, '\n');
        if (text)
            *text++ = '\0';
    }
    if (slw_sweep_commands_make(all, words, count, &c, NULL) < 0)
        return;
    if (c.count != slw_sweep_parameters_arms(all))
        abort();
    for (size_t i = 0; i < c.count; i++)
        for (size_t k = 0; k < count; k++)
            if (!c.all[i].argv[k])
                abort();
    slw_sweep_commands_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_sweep_parameters all = {.count = 0};
    struct slw_sweep_parameter p;
    char *text = malloc(size + 1);

    if (!text)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    char *rest = strchr(text, '\n');
    if (rest)
        *rest++ = '\0';
    if (slw_sweep_parameter_parse(text, &p, NULL) >= 0) {
        check(&p);
        if (slw_sweep_parameters_add(&all, &p, NULL) >= 0)
            make(&all, rest);
    }
    free(text);
    return 0;
}
