/* SPDX-License-Identifier: MIT */
/* Which file, and which thread, of one profile is which of another. A client that was built anew or
 * a library that was updated has another path, and its functions would be gone and new for no
 * reason. */
#ifndef SLW_ANALYZER_COMPARE_MODULES_H
#define SLW_ANALYZER_COMPARE_MODULES_H

#include "record/stacks.h"

/* For each mapping of b the path it has in a, or its own: lent by the profiles. Equal paths are one
 * file; then equal last parts; then, of what is left, those that share at least half of the names
 * of the one that has fewer, those with the most first. ret_paths has room for
 * slw_stacks_mapping_count(b). -SLW_E_NOMEM. */
int slw_modules_match(const struct slw_stacks *a, const struct slw_stacks *b,
                      const char **ret_paths);

/* For each thread of b the name it has in a, or its own: lent by the profiles. A thread that is
 * called after its file goes by the file's name in a (paths: of slw_modules_match); and if each
 * profile is left with one name that the other does not have, these are one. ret_names has room for
 * slw_stacks_thread_count(b). */
void slw_threads_match(const struct slw_stacks *a, const struct slw_stacks *b,
                       const char *const *paths, const char **ret_names);

#endif
