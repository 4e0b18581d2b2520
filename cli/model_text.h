/* SPDX-License-Identifier: MIT */
/* Parts of CPU models as text, the same in every command that shows them. */
#ifndef SLW_CLI_MODEL_TEXT_H
#define SLW_CLI_MODEL_TEXT_H

#include "base/buf.h"
#include "models/model.h"

/* "type 4 config 0x19c config1 0x8, counters 0-3 or fixed 1": how perf_event_open takes it and
 * which counters may hold it. */
void slw_model_event_text(struct slw_buf *out, const struct slw_model_event *e);

/* "intel/perfmon ..., TMA 5.01, 2024-12-02" */
void slw_model_source_text(struct slw_buf *out, const struct slw_model *m);

/* "above 10 %, when frontend_bound is flagged too; or when heavy_operations is flagged"; nothing
 * where none is published. */
void slw_model_threshold_text(struct slw_buf *out, const struct slw_model *m,
                              const struct slw_model_node *n);

#endif
