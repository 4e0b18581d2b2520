/* SPDX-License-Identifier: MIT */
/* Command lines from a table: what is parsed, what --help prints, what the shell completes and what
 * the man page says all come from the same rows. Not for: what an option means (its command). */
#ifndef SLW_CLI_OPTIONS_H
#define SLW_CLI_OPTIONS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a value is, for completion and for checking what can be checked without its command. */
enum slw_option_kind {
    SLW_OPTION_FLAG,   /* takes no value */
    SLW_OPTION_TEXT,   /* any value */
    SLW_OPTION_CHOICE, /* one of `choices` */
    SLW_OPTION_NUMBER, /* a whole number */
    SLW_OPTION_TIME,   /* a duration: 250ms, 10s, 2m */
    SLW_OPTION_SIZE,   /* bytes: 65536, 512K, 16M */
    SLW_OPTION_FILE,
    SLW_OPTION_DIRECTORY,
    SLW_OPTION_PROGRAM
};

struct slw_option {
    const char *name; /* "call-graph"; NULL ends a table */
    char letter;      /* 'F', or 0 */
    enum slw_option_kind kind;
    const char *value;                /* what help calls the value: "HZ"; NULL for flags, and for
                                         choices, which are listed instead */
    const char *(*choices)(size_t i); /* SLW_OPTION_CHOICE: the i-th, NULL past the last; may
                                         also complete a TEXT option */
    const char *text;                 /* one sentence; help wraps it */
    bool repeated;                    /* may be given more than once; else the last one wins */
    bool hidden;                      /* parsed, but shown nowhere */
};

struct slw_option_use {
    const struct slw_option *option;
    const char *value; /* lent from argv; NULL for flags */
};

/* A parsed command line. Release with slw_args_release. */
struct slw_args {
    const struct slw_option *table;
    struct slw_option_use *uses;
    size_t use_count;
    char **operands; /* NULL-terminated; the strings are lent from argv */
    size_t operand_count;
    bool separated; /* "--" was seen before the first operand */
};

/* Parse argv[1..argc-1]. `first_operand_ends`: everything from the first operand on is an operand
 * (a command line to run). Understands --name VALUE, --name=VALUE, -n VALUE, -nVALUE, -abc for
 * flags, "--", and "-" as an operand. SLW_E_USAGE with a text that names the nearest option,
 * SLW_E_NOMEM. */
int slw_args_parse(const struct slw_option *table, bool first_operand_ends, int argc, char **argv,
                   struct slw_args *ret_args, struct slw_error *err);
void slw_args_release(struct slw_args *a);

/* What stands for the value in texts: "HZ", "fp|none"; "" for a flag. Cut at size. */
void slw_option_value_name(const struct slw_option *o, char *out, size_t size);

/* Is there such an option in the table at all? */
bool slw_args_knows(const struct slw_args *a, const char *name);

/* Was the option given? The name must be in the table. */
bool slw_args_has(const struct slw_args *a, const char *name);

/* The value of its last use; NULL when it was not given. */
const char *slw_args_get(const struct slw_args *a, const char *name);

/* The value of its n-th use (from 0); NULL past the last. */
const char *slw_args_get_nth(const struct slw_args *a, const char *name, size_t n);

/* Typed reading: *ret_value keeps what it held when the option was not given. A bad value is
 * SLW_E_USAGE. */
int slw_args_u64(const struct slw_args *a, const char *name, uint64_t min, uint64_t max,
                 uint64_t *ret_value, struct slw_error *err);
int slw_args_duration_ms(const struct slw_args *a, const char *name, uint64_t *ret_ms,
                         struct slw_error *err);
int slw_args_bytes(const struct slw_args *a, const char *name, uint64_t max, uint64_t *ret_bytes,
                   struct slw_error *err);

/* SLW_E_USAGE unless min <= operands <= max; `what` names them: "a run". */
int slw_args_operands(const struct slw_args *a, size_t min, size_t max, const char *what,
                      struct slw_error *err);

/* SLW_E_USAGE when both options were given. */
int slw_args_exclude(const struct slw_args *a, const char *one, const char *other,
                     struct slw_error *err);

#endif
