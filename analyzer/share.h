/* SPDX-License-Identifier: MIT */
/* A share of sampled weight and how sure it is. Pure. */
#ifndef SLW_ANALYZER_SHARE_H
#define SLW_ANALYZER_SHARE_H

#include <stdbool.h>
#include <stdint.h>

struct slw_share {
    bool have;          /* false: nothing was weighed; the rest is meaningless */
    bool have_interval; /* false: the number of samples is unknown */
    double value;       /* part / total, 0..1 */
    double low, high;   /* 95 % interval; low <= value <= high */
};

/* part of total, estimated from `samples` samples (0: unknown, no interval). part <= total.
 * Interval: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA
 * 22 (1927), with z = 1.959964. It treats samples as independent and equally heavy, which clock
 * samples are; periods that vary (hardware events in frequency mode) make it a little too narrow.
 */
struct slw_share slw_share_of(uint64_t part, uint64_t total, uint64_t samples);

#endif
