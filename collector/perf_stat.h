/* SPDX-License-Identifier: MIT */
/* Rows of `perf stat` -> the counts and printed metrics of a run. The three importers (text, -x,
 * -j) only cut their file into rows; what a row means is decided here, once. Not for: which CPU it
 * was (import_model.h). Source: tools/perf/util/stat-display.c of Linux 3.18 to 6.13. */
#ifndef SLW_COLLECTOR_PERF_STAT_H
#define SLW_COLLECTOR_PERF_STAT_H

#include "collector/perf_number.h"
#include "record/run.h"

struct slw_perf_stat;

/* The longest line taken: perf's own are below 1 KiB; a file without line ends is something else.
 */
#define SLW_MAX_PERF_LINE 65536

struct slw_span { /* a piece of the file, not NUL-terminated */
    const char *text;
    size_t length;
};

/* A row as printed. Every span is lent for the call. An empty span: the output has no such column.
 */
struct slw_perf_row {
    size_t line, column;     /* where it stands, from 1; for errors */
    struct slw_span time;    /* -I: "1.000103288" */
    struct slw_span place;   /* -A, --per-x: "CPU3", "S0-D0-C0", "postgres-1234" */
    bool place_is_thread;    /* the format says so (-j) */
    struct slw_span value;   /* "1,234", "<not counted>" */
    struct slw_span unit;    /* "msec" */
    struct slw_span event;   /* "cpu_core/TOPDOWN.SLOTS/u" */
    struct slw_span spread;  /* -r: "0.05" (percent) */
    struct slw_span running; /* nanoseconds it held a counter */
    struct slw_span covered; /* "66.87" (percent of the time) */
    bool machine;            /* numbers are written for programs: slw_decimal_parse */
};

/* `format` becomes part of every number's provenance: "perf stat text". */
int slw_perf_stat_new(const char *path, const char *format, struct slw_perf_stat **ret_stat,
                      struct slw_error *err);
void slw_perf_stat_free(struct slw_perf_stat *s);

/* -SLW_E_FORMAT, -SLW_E_RANGE, -SLW_E_LIMIT at the row's line and column; -SLW_E_NOMEM. */
int slw_perf_stat_add(struct slw_perf_stat *s, const struct slw_perf_row *row,
                      struct slw_error *err);

/* The share of the time printed behind the last row's metrics (text continues on the next line). */
int slw_perf_stat_cover(struct slw_perf_stat *s, struct slw_span covered, size_t line,
                        size_t column, struct slw_error *err);

/* A metric next to the last row (`beside`) or on a line of its own. `name` may begin with its unit
 * ("%  tma_retiring"). A value that is no number ("nan") is left out. */
struct slw_perf_metric {
    struct slw_span value, name, threshold;
    bool beside;
};
int slw_perf_stat_metric(struct slw_perf_stat *s, const struct slw_perf_metric *metric,
                         struct slw_error *err);

/* What stands around the rows; 0 or false: unknown. */
int slw_perf_stat_target(struct slw_perf_stat *s, struct slw_span target, struct slw_error *err);
void slw_perf_stat_elapsed(struct slw_perf_stat *s, const struct slw_decimal *seconds);
void slw_perf_stat_cpu_time(struct slw_perf_stat *s, bool user, const struct slw_decimal *seconds);

/* Build the run. -SLW_E_NODATA when there was no row and no metric; -SLW_E_FORMAT when the rows are
 * those of two outputs, or of two machines. */
int slw_perf_stat_finish(struct slw_perf_stat *s, struct slw_run **ret_run, struct slw_error *err);

/* Fail at a place in the file. */
__attribute__((format(printf, 6, 7))) int slw_perf_stat_fail(const char *path, size_t line,
                                                             size_t column, enum slw_code code,
                                                             struct slw_error *err, const char *fmt,
                                                             ...);

/* ---- names (perf_stat_event.c) ---- */

struct slw_perf_event {
    char name[256]; /* lower case, modifiers as models write them */
    char pmu[64];   /* "" when the machine has one CPU PMU */
    enum slw_mode mode;
    bool software; /* counted by the kernel, not by the CPU */
};

/* "cpu/INT_MISC.RECOVERY_CYCLES,cmask=1,edge/u" -> int_misc.recovery_cycles:c1:e1, user. False: it
 * is no event name, or one longer than any. */
bool slw_perf_event_parse(struct slw_span text, struct slw_perf_event *ret_event);

/* ---- lines ---- */

struct slw_perf_lines {
    const char *path, *next, *end;
    size_t number; /* of the line handed out last */
};

/* The next line without its end (and without a carriage return). 1: a line, 0: the end of the file,
 * negative: the line is longer than SLW_MAX_PERF_LINE or holds a NUL. */
int slw_perf_lines_next(struct slw_perf_lines *l, struct slw_span *ret_line, struct slw_error *err);

static inline struct slw_span slw_span_trim(struct slw_span s)
{
    while (s.length > 0 && (s.text[0] == ' ' || s.text[0] == '\t')) {
        s.text++;
        s.length--;
    }
    while (s.length > 0 && (s.text[s.length - 1] == ' ' || s.text[s.length - 1] == '\t'))
        s.length--;
    return s;
}

#endif
