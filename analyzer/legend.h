/* SPDX-License-Identifier: MIT */
/* What the marks at the numbers of a report mean, the same in every renderer, and which of them a
 * report needs. Provenance marks are made in format.h; this adds the erratum. */
#ifndef SLW_ANALYZER_LEGEND_H
#define SLW_ANALYZER_LEGEND_H

#include "analyzer/report.h"

struct slw_arena;

/* Letters of provenance, in the order of slw_legend_used. */
#define SLW_MARK_LETTERS "smi"
#define SLW_MARK_COUNT   3

/* Which provenance marks stand at some number of the report. */
void slw_legend_used(const struct slw_report *r, bool used[SLW_MARK_COUNT]);

/* "event (HSM63, HSM80), other (...)": the events marked in needed[event_count] that have an
 * erratum. NULL: none has, or no memory. */
const char *slw_legend_node_errata(struct slw_arena *arena, const struct slw_model *m,
                                   const bool *needed);

/* What the mark of the erratum means here: names every event with one behind the nodes of r that
 * have a value. NULL: there is none, or no memory. */
const char *slw_legend_errata(const struct slw_report *r);

#endif
