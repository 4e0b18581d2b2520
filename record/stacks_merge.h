/* SPDX-License-Identifier: MIT */
/* One stack profile added to another: the samples of several executions of one client. */
#ifndef SLW_RECORD_STACKS_MERGE_H
#define SLW_RECORD_STACKS_MERGE_H

#include "record/stacks.h"

/* Add every stack of `from` to *into, which is made with its columns when it is NULL. What is
 * another in every execution is dropped, so that equal stacks are one: process and thread ids, and
 * where files were mapped. ret_paths: NULL, or room for slw_stacks_path_count(from) elements, the
 * path in *into of each path of `from`. Columns are the same when
 * event and unit are; one that *into lacks is added. -SLW_E_INVAL: an event comes from different
 * sources. -SLW_E_NOMEM, -SLW_E_LIMIT, -SLW_E_RANGE. After a failure *into is only good to be
 * freed. */
int slw_stacks_merge(struct slw_stacks **into, const struct slw_stacks *from, uint32_t *ret_paths,
                     struct slw_error *err);

/* Only the stacks, without their weights: every path of `from` is a path of `into`. What is dropped
 * is as above. names: NULL, or what to call things in `into`. ret_paths as above. -SLW_E_NOMEM,
 * -SLW_E_LIMIT. */
struct slw_stacks_names {
    const char **modules; /* the path of each mapping of `from` */
    const char **threads; /* the name of each thread of `from` */
};
int slw_stacks_copy_paths(struct slw_stacks *into, const struct slw_stacks *from,
                          const struct slw_stacks_names *names, uint32_t *ret_paths,
                          struct slw_error *err);

#endif
