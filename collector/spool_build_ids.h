/* SPDX-License-Identifier: MIT */
/* Which builds the files of a recording were, written into its perf.data where perf record writes
 * it, so that it can be read on another machine. Known only once the samples were looked at. Marks
 * that other profilers of the machine left in it are taken away.
 * Source: linux tools/perf/util/build-id.c (write_buildid), header.c (HEADER_BUILD_ID). */
#ifndef SLW_COLLECTOR_SPOOL_BUILD_IDS_H
#define SLW_COLLECTOR_SPOOL_BUILD_IDS_H

#include "base/error.h"

struct slw_stacks;

/* Of each path in `stacks` that stands for one build; one that stands for several, or of which some
 * is not known, would be believed of all. The file was finished by slw_spool_finish and has no
 * build ids; one without feature sections stays as it is. SLW_E_PERM, SLW_E_FULL, SLW_E_IO,
 * SLW_E_FORMAT, SLW_E_NOMEM: no build ids were added. */
int slw_spool_add_build_ids(const char *path, const struct slw_stacks *stacks,
                            struct slw_error *err);

#endif
