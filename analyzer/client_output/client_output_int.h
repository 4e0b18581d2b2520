/* SPDX-License-Identifier: MIT */
/* What readers of output share: lines, numbers as clients print them, rows "label: number". Text is
 * foreign and may hold any byte. */
#ifndef SLW_ANALYZER_CLIENT_OUTPUT_INT_H
#define SLW_ANALYZER_CLIENT_OUTPUT_INT_H

#include "analyzer/client_output/client_output.h"

#include <stdint.h>

/* A stretch of the text, without its line end; not NUL-terminated. */
struct slw_line {
    const char *text;
    size_t length;
};

/* Lines end with \n or \r: progress that overwrites itself is many lines. */
struct slw_lines {
    const char *next, *end;
};
struct slw_lines slw_lines_of(const char *text, size_t length);
bool slw_lines_next(struct slw_lines *l, struct slw_line *ret_line); /* blanks before are skipped */

/* True: the line begins with `word` (after blanks), and now begins behind it. */
bool slw_line_skip(struct slw_line *l, const char *word);
/* The same without regard to the case of ASCII letters. */
bool slw_line_skip_any_case(struct slw_line *l, const char *word);
/* True: `word` occurs, and the line now begins behind its first occurrence. */
bool slw_line_skip_to(struct slw_line *l, const char *word);
bool slw_line_is(const struct slw_line *l, const char *word);
bool slw_line_has(const struct slw_line *l, const char *word);
void slw_line_skip_blanks(struct slw_line *l);
/* Without blanks at its end. */
struct slw_line slw_line_trimmed(struct slw_line l);
/* The part before the first `separator`, which is skipped; all of it where there is none. */
struct slw_line slw_line_field(struct slw_line *l, char separator);

/* A decimal number as printed: value and step in units of `scale`: "12.50" ms at a scale of 1000000
 * is 12500000 ns in steps of 10000. */
struct slw_decimal {
    double value, step;
    bool whole; /* printed without a decimal point */
};

/* The number at the start of the line (after blanks), which is skipped. '.' is the decimal point;
 * a number next to a comma, a second point or a letter E is somebody else's notation: false. */
bool slw_line_decimal(struct slw_line *l, uint64_t scale, struct slw_decimal *ret_decimal);
/* A whole number whose thousands may be set off by commas: "1,234,567". */
bool slw_line_grouped(struct slw_line *l, struct slw_decimal *ret_decimal);
/* A duration as Go prints it, in ns: "1m2.5s", "851.967µs". */
bool slw_line_duration(struct slw_line *l, struct slw_decimal *ret_decimal);

/* ---- readings ---- */

enum slw_row_number {
    SLW_ROW_DECIMAL,
    SLW_ROW_COUNT,   /* whole; steps of 0 */
    SLW_ROW_GROUPED, /* slw_line_grouped */
    SLW_ROW_GROUPED_COUNT,
    SLW_ROW_DURATION, /* slw_line_duration */
};

/* "label ... = number": a line that begins with `label` (in any case), then perhaps words in
 * parentheses, blanks, ':' or '='. */
struct slw_output_row {
    const char *label;
    const char *key; /* without "client_" */
    const char *title;
    const char *unit;
    enum slw_better better;
    enum slw_row_number number;
    uint64_t scale; /* of SLW_ROW_DECIMAL: the printed unit in `unit`; 0: 1 */
};

/* Where readings go. */
struct slw_output_sink {
    const char *client; /* "pgbench", for titles */
    char prefix[40];    /* of keys: "get_" where there are several of one kind; "" */
    struct slw_client_readings *readings;
};

/* One number of the client's own. A key that is there is overwritten: what was printed last counts.
 * -SLW_E_LIMIT. */
int slw_reading_put(struct slw_output_sink *s, const struct slw_output_row *row,
                    const struct slw_decimal *number, struct slw_error *err);

/* "requests". `what` says what was counted: "requests, as redis-benchmark counts them". */
int slw_reading_put_requests(struct slw_output_sink *s, const char *what, double count,
                             struct slw_error *err);

/* The row the line fits, read and put: 1. 0: none fits, or there is no number. */
int slw_rows_read(const struct slw_output_row *rows, size_t count, struct slw_line line,
                  struct slw_output_sink *s, struct slw_error *err);

/* Append one; an equal key is overwritten. -SLW_E_LIMIT. */
int slw_readings_add(struct slw_client_readings *readings, const struct slw_client_reading *reading,
                     struct slw_error *err);

/* Add a sentence to readings->left_out; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) void slw_readings_leave_out(struct slw_client_readings *r,
                                                                  const char *fmt, ...);

/* Make a word fit for keys: ASCII letters lowered, digits kept, all else "_", at most size - 1. */
void slw_key_word(struct slw_line word, char *ret_word, size_t size);

/* ---- command lines ---- */

#define SLW_MAX_WRAPPED_WORDS 64
#define SLW_MAX_WRAPPED_BYTES 4096
struct slw_client_argv {
    size_t argc;
    const char *argv[SLW_MAX_WRAPPED_WORDS]; /* of the client itself, as many as fit */
    char words[SLW_MAX_WRAPPED_BYTES];       /* of a shell's command line, split */
};

/* The command line without env, taskset, nice, time, numactl, chrt, sh -c "plain words", python3
 * -m, java -jar and their like. argc 0: not to be known (a script of several commands). */
void slw_client_argv_of(size_t argc, const char *const *argv, struct slw_client_argv *ret_argv);

/* Is argv[0], without its folder, one of the NULL-terminated names? */
bool slw_client_is(size_t argc, const char *const *argv, const char *const *names);

/* ---- patterns ---- */

/* Look for the pattern in text. -SLW_E_LIMIT; no match is 0 and said in left_out. */
int slw_output_pattern_read(const struct slw_output_pattern *p, const char *text, size_t length,
                            struct slw_client_readings *readings, struct slw_error *err);

#endif
