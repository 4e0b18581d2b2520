/* SPDX-License-Identifier: MIT */
/* What a client says of itself: the numbers in the output of benchmarks, and of any client by a
 * regular expression. To add a client: write readers/NAME.c that defines
 * `const struct slw_output_reader slw_output_reader_NAME`, add SLW_OUTPUT_READER(NAME) to
 * readers.def. Pure: no I/O; the text is foreign, every loop is bounded. */
#ifndef SLW_ANALYZER_CLIENT_OUTPUT_H
#define SLW_ANALYZER_CLIENT_OUTPUT_H

#include "base/error.h"
#include "record/run.h"

#define SLW_MAX_READINGS     256        /* redis-benchmark runs some 20 tests of 7 numbers */
#define SLW_MAX_CLIENT_BYTES (16 << 20) /* of output that is looked at: the last so many */
#define SLW_MAX_PATTERN      256        /* bytes of a user's regular expression */
#define SLW_MAX_MATCHED_LINE 2048       /* bytes of a line that patterns see: its first so many */

/* One number. Keys that all readers share: "requests" (operations the client asked its database
 * for, a count that agrees with the wire tap's as docs/client-output.md says; a reader whose client
 * counts something else gives that another name), and then as observations are named, with
 * "client_" before them: */
struct slw_client_reading {
    char key[64];   /* "client_requests_per_second", "client_p99", "score" */
    char title[96]; /* "p99 latency, as pgbench prints it" */
    char unit[24];
    enum slw_better better;
    double step; /* of the last printed digit; 0: a count */
    double value;
};

struct slw_client_readings {
    const char *reader; /* "pgbench"; NULL: none knew the client */
    /* "requests" is what the application asked for, also where it goes over the wire as less: the
     * reader's client counts exactly, or the user's own pattern named it. */
    bool requests_asked_for;
    struct slw_client_reading all[SLW_MAX_READINGS];
    size_t count;
    /* Sentences on what was looked for and is not here (a pattern without a match), for a note; ""
     * nothing. May hold the user's own text. */
    char left_out[512];
};

struct slw_output_reader {
    const char *name; /* "pgbench" */
    const char *summary;
    bool requests_asked_for; /* as in struct slw_client_readings */
    /* Is this the client's command line? argv[0] may be a path; wrappers (env, taskset) were
     * stripped. */
    bool (*recognises)(size_t argc, const char *const *argv);
    /* Append what is found. A client that printed nothing of what it should (an error message, say)
     * is 0 with no readings; -SLW_E_LIMIT past SLW_MAX_READINGS. text is NUL-terminated. */
    int (*read)(const char *text, size_t length, struct slw_client_readings *readings,
                struct slw_error *err);
};

extern const struct slw_output_reader *const slw_output_readers[];
extern const size_t slw_output_reader_count;

/* The user's own: --metric NAME=REGEX, POSIX extended, matched line by line; the first group that
 * matched (or the whole match) is the number, the last match in the output counts. NAME may carry a
 * unit and a direction: "NAME[UNIT]>=REGEX" higher is better, "NAME[UNIT]<=REGEX" lower, "="
 * neither. Units of time (s, ms, us, ns) become ns. "requests" is the number of requests done. A
 * back reference and repetitions of repetitions in large numbers are refused: they may take for
 * ever. */
struct slw_output_pattern;
int slw_output_pattern_new(const char *text, struct slw_output_pattern **ret_pattern,
                           struct slw_error *err); /* SLW_E_USAGE: what is wrong, and where */
void slw_output_pattern_free(struct slw_output_pattern *p);
/* NAME, lent. */
const char *slw_output_pattern_name(const struct slw_output_pattern *p);

/* What the output of one execution holds: the reader that knows argv, then the patterns, whose
 * number wins over a reader's of the same key. A pattern without a match, or whose match is no
 * number, is left out and said so in ret_readings->left_out. -SLW_E_LIMIT. */
int slw_client_output_read(size_t argc, const char *const *argv, const char *text, size_t length,
                           const struct slw_output_pattern *const *patterns, size_t pattern_count,
                           struct slw_client_readings *ret_readings, struct slw_error *err);

/* Of a reading: its value; false when it is not there. */
bool slw_client_readings_find(const struct slw_client_readings *r, const char *key,
                              double *ret_value);

#endif
