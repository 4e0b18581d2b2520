/* SPDX-License-Identifier: MIT */
/* --fail-on: which change of which metric fails a comparison. "cpu_per_request>+3%,p99>+5%,
 * requests_per_flush<-10%": a metric, the bad direction, a bound relative to the base. Judged on
 * the interval, never on the estimate. */
#ifndef SLW_ANALYZER_COMPARE_GATE_H
#define SLW_ANALYZER_COMPARE_GATE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define SLW_MAX_GATES 32

struct slw_gate_rule {
    char metric[64];
    bool above;    /* '>': larger by more than bound fails; '<': smaller by more than it does */
    double bound;  /* relative, .03 for 3 %; for '<' below 1 */
    char text[96]; /* as given */
};

struct slw_gates {
    struct slw_gate_rule all[SLW_MAX_GATES];
    size_t count;
};

/* SLW_E_USAGE: what is wrong with which rule, and where. A metric may stand once. */
int slw_gates_parse(const char *text, struct slw_gates *ret_gates, struct slw_error *err);

#endif
