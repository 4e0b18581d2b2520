/* SPDX-License-Identifier: MIT */
/* What a workload or a driver lets its user choose: rows that cli/ parses, shows in --help and
 * hands back as typed values. Not for: reading a command line (cli/workload). */
#ifndef SLW_WORKLOADS_SETTING_H
#define SLW_WORKLOADS_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slw_setting_kind {
    SLW_SETTING_FLAG,    /* off unless given */
    SLW_SETTING_NUMBER,  /* low .. high */
    SLW_SETTING_DECIMAL, /* 0.99; low .. high */
    SLW_SETTING_CHOICE,  /* one of `choices` */
    SLW_SETTING_TEXT
};

/* One "--name VALUE". Static storage. */
struct slw_setting {
    const char *name; /* "batch"; NULL ends a table */
    enum slw_setting_kind kind;
    const char *value;          /* what help calls the value: "N" */
    const char *const *choices; /* CHOICE: NULL-terminated */
    const char *otherwise;      /* the default, as it would be typed; NULL: none */
    uint64_t low, high;
    const char *text; /* one sentence */
};

/* A choice that was made, checked against its row. */
struct slw_chosen {
    const struct slw_setting *setting;
    const char *text; /* as typed, or the default; NULL: neither */
    bool given;
    uint64_t number;
    double decimal;
    size_t choice; /* index into setting->choices */
};

/* All settings of one run. Borrowed from whoever parsed them. */
struct slw_choices {
    const struct slw_chosen *rows;
    size_t count;
};

/* A name that is in no table is a bug of the caller, which ends the program. */
const struct slw_chosen *slw_choices_find(const struct slw_choices *c, const char *name);
bool slw_choices_flag(const struct slw_choices *c, const char *name);
uint64_t slw_choices_number(const struct slw_choices *c, const char *name);
double slw_choices_decimal(const struct slw_choices *c, const char *name);
size_t slw_choices_choice(const struct slw_choices *c, const char *name);
const char *slw_choices_text(const struct slw_choices *c, const char *name); /* NULL: not given */

#endif
