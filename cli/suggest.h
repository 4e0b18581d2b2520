/* SPDX-License-Identifier: MIT */
/* "Did you mean": the nearest of a few names. */
#ifndef SLW_CLI_SUGGEST_H
#define SLW_CLI_SUGGEST_H

#include <stddef.h>

/* Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours
 * count 1. Strings longer than SLW_MAX_SUGGEST_BYTES are as far from everything as they are long.
 */
#define SLW_MAX_SUGGEST_BYTES 64 /* no name of ours is half as long */
size_t slw_edit_distance(const char *a, const char *b);

/* Collects candidates; `best` is NULL until one was near enough to be a likely slip. */
struct slw_suggestion {
    const char *typed;
    const char *best;
    size_t distance;
};
void slw_suggest(struct slw_suggestion *s, const char *candidate);

#endif
