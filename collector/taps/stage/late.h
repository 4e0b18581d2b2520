/* SPDX-License-Identifier: MIT */
/* Files of code that a client opens when its stages have been looked for already (dlopen): their
 * marks cannot be followed from the start any more, which is told. Not for: files that were named
 * before. */
#ifndef SLW_COLLECTOR_TAPS_STAGE_LATE_H
#define SLW_COLLECTOR_TAPS_STAGE_LATE_H

#include "base/error.h"
#include "collector/taps/stage/marks.h"
#include "record/run.h"

struct slw_stage_late;

struct slw_stage_late *slw_stage_late_new(void);    /* NULL: no memory */
void slw_stage_late_free(struct slw_stage_late *l); /* NULL allowed */

/* Remember which files a process has mapped now. Allocates nothing. */
void slw_stage_late_look(struct slw_stage_late *l, int pid);

/* A note when files that are not of `known` have marks. -SLW_E_NOMEM. */
int slw_stage_late_tell(const struct slw_stage_late *l, const struct slw_stage_marks *known,
                        struct slw_run *run, struct slw_error *err);

#endif
