/* SPDX-License-Identifier: MIT */
/* The parts a comparison is made of, in the order they are filled. */
#ifndef SLW_ANALYZER_COMPARE_COMPARISON_INT_H
#define SLW_ANALYZER_COMPARE_COMPARISON_INT_H

#include "analyzer/compare/comparison.h"
#include "base/buf.h"

#include <stdarg.h>

/* Work space while a comparison is made. */
struct slw_comparing {
    struct slw_comparison *c;
    struct slw_error *err;
    struct slw_paired *paired;
    double *a, *b;         /* values of the row at hand */
    double **differences;  /* of each row, pairs.used of them; NULL: none */
    const char *downgrade; /* why no word may be more than inconclusive; NULL: nothing */
    size_t room;           /* pairs that fit */
};

/* ---- steps; 0, or what slw_comparison_new returns ---- */

/* c->mismatches, and whether they forbid the comparison. */
int slw_comparison_mismatches(struct slw_comparing *w);
/* c->rows but for words: values, differences, floors, aliases, stars. */
int slw_comparison_rows(struct slw_comparing *w);
/* Words of the rows, of the gates, and the gate's. */
void slw_comparison_judge(struct slw_comparing *w);
int slw_comparison_causes(struct slw_comparison *c, struct slw_error *err);
/* c->functions, the largest change of self weight per request first, or why there are none. Judged
 * where both arms kept the times of their samples, over the rounds of one experiment
 * (c->interleaved), by weighing.h. -SLW_E_NOMEM. */
int slw_comparison_functions(struct slw_comparison *c, struct slw_error *err);
int slw_comparison_notes(struct slw_comparing *w);
/* Verdict, its basis and the gate's reason. */
int slw_comparison_sentences(struct slw_comparison *c, struct slw_error *err);

/* ---- pieces ---- */

/* The words of one row: from its interval, its floor and what forbids a word. */
void slw_row_judge(struct slw_comparing *w, struct slw_metric_row *row);

/* What an interval of this row had to be widened by: in its own unit. */
double slw_row_resolution(const struct slw_metric_row *row);

/* Median of the finite ones of n values; false: there is none. `space` holds n. */
bool slw_row_median(const double *values, size_t n, double *space, double *ret_median);

int slw_comparison_nomem(struct slw_error *err);

/* A copy of what the buffer holds, which is released. NULL: no memory. */
const char *slw_comparison_text(struct slw_comparison *c, struct slw_buf *b);

/* Append; the text is cleaned, so that it is safe to print. -SLW_E_NOMEM. */
__attribute__((format(printf, 5, 6))) int slw_comparison_note(struct slw_comparison *c,
                                                              enum slw_note_level level,
                                                              const char *code, const char *hint,
                                                              const char *fmt, ...);

#endif
