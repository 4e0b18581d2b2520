/* SPDX-License-Identifier: MIT */
/* What the sections of a terminal report share: the page, its styles and its columns. Not for:
 * anything that is not written to a terminal (format.h, text.h). */
#ifndef SLW_ANALYZER_TERM_INT_H
#define SLW_ANALYZER_TERM_INT_H

#include "analyzer/report.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct slw_term_page {
    struct slw_buf *out;
    const struct slw_report *r;
    size_t width; /* columns; between the limits of render/term.c */
    bool color, verbose;
    size_t functions; /* rows of the function tables, at most */
};

#define SLW_TERM_DEFAULT_WIDTH 80
#define SLW_TERM_BAR_COLUMNS   20

/* ANSI styles. */
#define SLW_TERM_BOLD "1"
#define SLW_TERM_DIM  "2"
#define SLW_TERM_WARN "35" /* magenta: yellow is lost on white, blue on black */
#define SLW_TERM_HOT  "31"

/* Start a style, where colours are wanted, and end it. */
void slw_term_style(const struct slw_term_page *t, const char *code);
void slw_term_plain(const struct slw_term_page *t);

/* An empty line, the title, and half a line that explains it, where it fits; NULL: none. */
void slw_term_heading(const struct slw_term_page *t, const char *title, const char *explained);

/* `lead` and `text`, wrapped and indented; with a style that ends before the newline: some
 * terminals paint the rest of the line otherwise. */
void slw_term_paragraph(const struct slw_term_page *t, size_t indent, const char *lead,
                        const char *text);
void slw_term_styled(const struct slw_term_page *t, const char *code, size_t indent,
                     const char *lead, const char *text);

/* A bar in eighths of a column, padded with blanks to `columns` when something follows it. */
void slw_term_bar(const struct slw_term_page *t, double share, size_t columns, const char *color,
                  bool pad);

/* Right-aligned text of at most `columns`; longer text is not cut. */
void slw_term_right(const struct slw_term_page *t, const char *text, size_t columns);

/* The mark of a number's provenance as raised letters: "2.89 s" and a plain "s" would be misread.
 */
void slw_term_mark(struct slw_buf *out, const struct slw_provenance *from);
#define SLW_TERM_ERRATUM "ᵉ"

/* "22.1%" and the marks: always one decimal and two places for marks, so that columns line up. */
void slw_term_marked_percent(const struct slw_term_page *t, double value,
                             const struct slw_provenance *from, bool erratum, size_t columns);
void slw_term_percent(const struct slw_term_page *t, double value,
                      const struct slw_provenance *from, size_t columns);

/* "±2.4": half the interval, the larger side of an uneven one. */
void slw_term_half_width(const struct slw_term_page *t, const struct slw_share *s, size_t columns);

/* Sections; nothing where there is nothing to say. */
void slw_term_topdown(const struct slw_term_page *t);
void slw_term_functions(const struct slw_term_page *t);
void slw_term_function_topdown(const struct slw_term_page *t);
void slw_term_counts(const struct slw_term_page *t);
void slw_term_printed(const struct slw_term_page *t);

#endif
