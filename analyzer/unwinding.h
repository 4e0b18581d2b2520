/* SPDX-License-Identifier: MIT */
/* What reports say of the copied stacks of a run: how many were followed to the start of their
 * thread, and what became of the rest. */
#ifndef SLW_ANALYZER_UNWINDING_H
#define SLW_ANALYZER_UNWINDING_H

#include "base/buf.h"
#include "record/run.h"

struct json_t;

/* "stacks: 1,418 copied with cpu-clock (16 KiB each), 99.5 % complete; 7 (0.5 %) go on beyond the
 * bytes that were copied". The event's name is as recorded: renderers clean the line. */
void slw_unwinding_line(struct slw_buf *out, const struct slw_unwinding *u);

/* The ends other than COMPLETE that some stack came to, most frequent first. Returns how many. */
size_t slw_unwinding_failures(const struct slw_unwinding *u,
                              enum slw_unwound_end ret_ends[SLW_UNWOUND_COUNT]);
const char *slw_unwound_words(enum slw_unwound_end end);

/* A new array, empty where no stacks were copied; NULL when out of memory. Its keys are in
 * docs/report-json.md. */
struct json_t *slw_unwinding_json(const struct slw_run *run);

#endif
