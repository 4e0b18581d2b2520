/* SPDX-License-Identifier: MIT */
/* Which file of one profile is which of another. A client that was built anew or a library that was
 * updated has another path, and its functions would be gone and new for no reason. */
#ifndef SLW_ANALYZER_COMPARE_MODULES_H
#define SLW_ANALYZER_COMPARE_MODULES_H

#include "record/stacks.h"

/* For each mapping of b the path it has in a, or its own: lent by the profiles. Equal paths are one
 * file; then equal last parts; then, of what is left, those that share at least half of the names
 * of the one that has fewer, those with the most first. ret_paths has room for
 * slw_stacks_mapping_count(b). -SLW_E_NOMEM. */
int slw_modules_match(const struct slw_stacks *a, const struct slw_stacks *b,
                      const char **ret_paths);

#endif
