/* SPDX-License-Identifier: MIT */
/* How far two names are apart: for "did you mean". */
#ifndef SLW_BASE_EDITS_H
#define SLW_BASE_EDITS_H

#include <stddef.h>

#define SLW_MAX_EDITED 63 /* bytes of a name that are looked at */

/* Bytes to insert, delete or replace to make one of the other. Source: Levenshtein 1966. */
size_t slw_edits_between(const char *a, const char *b);

#endif
