/* SPDX-License-Identifier: MIT */
#include "cli/suggest.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t slw_edit_distance(const char *a, const char *b)
{
    size_t rows[3][SLW_MAX_SUGGEST_BYTES + 1];
    size_t n = strlen(a), m = strlen(b);

    if (n > SLW_MAX_SUGGEST_BYTES || m > SLW_MAX_SUGGEST_BYTES)
        return n > m ? n : m;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3];
        const size_t *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
            now[j] = least(least(now[j - 1], last[j]) + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

void slw_suggest(struct slw_suggestion *s, const char *candidate)
{
    size_t length = strlen(s->typed);
    size_t distance = slw_edit_distance(s->typed, candidate);

    /* Somebody who stopped typing early meant this, however much is missing. */
    if (length >= 3 && strncmp(candidate, s->typed, length) == 0)
        distance = 1;
    /* A third of the letters wrong is another word, not a slip. */
    if (distance > (length + 2) / 3)
        return;
    if (!s->best || distance < s->distance) {
        s->best = candidate;
        s->distance = distance;
    }
}
