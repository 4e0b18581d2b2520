/* SPDX-License-Identifier: MIT */
#include "base/edits.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t slw_edits_between(const char *a, const char *b)
{
    const size_t rows = strnlen(a, SLW_MAX_EDITED), columns = strnlen(b, SLW_MAX_EDITED);
    size_t edits[SLW_MAX_EDITED + 1];

    for (size_t k = 0; k <= columns; k++)
        edits[k] = k;
    for (size_t i = 1; i <= rows; i++) {
        size_t corner = edits[0];

        edits[0] = i;
        for (size_t k = 1; k <= columns; k++) {
            const size_t above = edits[k], replaced = corner + (a[i - 1] != b[k - 1]);

            edits[k] = least(replaced, 1 + least(above, edits[k - 1]));
            corner = above;
        }
    }
    return edits[columns];
}
