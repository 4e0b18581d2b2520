/* SPDX-License-Identifier: MIT */
/* A run in another tool's format. To add one: write exporters/NAME.c that defines
 * `const struct slw_exporter slw_exporter_NAME`, add SLW_EXPORTER(NAME) to exporters.def. */
#ifndef SLW_FLAMEGRAPH_EXPORTER_H
#define SLW_FLAMEGRAPH_EXPORTER_H

#include "base/buf.h"
#include "record/run.h"
#include "record/stacks.h"

struct slw_export_options {
    const char *event; /* which sampled event, for formats that carry one; NULL: the first */
    const char *unit;  /* NULL: its period unit */
};

struct slw_exporter {
    const char *name;
    const char *summary;
    const char *extension;
    bool needs_stacks;
    bool needs_observations; /* of the run; without them it fails with SLW_E_NODATA */
    /* Append to out. stacks is NULL only when !needs_stacks; opts may be NULL. A column that is not
     * there is SLW_E_NODATA. */
    int (*export)(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_export_options *opts, struct slw_buf *out,
                  struct slw_error *err);
};

extern const struct slw_exporter *const slw_exporters[];
extern const size_t slw_exporter_count;
const struct slw_exporter *slw_exporter_find(const char *name); /* NULL: none */

#endif
