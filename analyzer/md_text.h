/* SPDX-License-Identifier: MIT */
/* Foreign text in GitHub-flavoured Markdown: names, commands and sentences that must not become
 * links, mentions, issue references, HTML, table columns or lists. Not for: what a report says
 * (the renderers). */
#ifndef SLW_ANALYZER_MD_TEXT_H
#define SLW_ANALYZER_MD_TEXT_H

#include "base/buf.h"
#include "record/run.h"

#include <stddef.h>

/* A sentence, of any bytes: on one line, every character as itself. */
void slw_md_prose(struct slw_buf *out, const char *text);

/* The same in at most `columns` columns: the middle is left out where it is longer. */
void slw_md_prose_fit(struct slw_buf *out, const char *text, size_t columns);

/* A name as code, in at most 80 columns. */
void slw_md_name(struct slw_buf *out, const char *name);
void slw_md_name_fit(struct slw_buf *out, const char *name, size_t columns);

/* One line of a <pre> block: nothing in it is Markdown or HTML. */
void slw_md_pre_line(struct slw_buf *out, const char *text, size_t columns);

/* " <sup>m</sup>": the mark of a number that is not live hardware's; else nothing. */
void slw_md_mark(struct slw_buf *out, const struct slw_provenance *from);

#endif
