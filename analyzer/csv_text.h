/* SPDX-License-Identifier: MIT */
/* Foreign text as a field of a CSV file: quoted, and no formula for a spreadsheet. Sources: RFC
 * 4180; OWASP, "CSV injection". */
#ifndef SLW_ANALYZER_CSV_TEXT_H
#define SLW_ANALYZER_CSV_TEXT_H

#include "base/buf.h"

/* text NULL is an empty field. */
void slw_csv_put_text(struct slw_buf *out, const char *text);

#endif
