/* SPDX-License-Identifier: MIT */
/* What a client was asked for on its command line, to compare with what it did. Not for: guessing
 * what programs do that are not in asked.def. */
#ifndef SLW_ANALYZER_ASKED_H
#define SLW_ANALYZER_ASKED_H

#include "record/run.h"

#include <stdbool.h>

/* The pipeline depth that a known client among the words of the command was asked for. */
bool slw_asked_pipeline(const struct slw_command *command, uint64_t *ret_depth);

#endif
