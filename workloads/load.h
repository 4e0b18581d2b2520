/* SPDX-License-Identifier: MIT */
/* Which requests come, and when: the same for the same seed, on every machine. */
#ifndef SLW_WORKLOADS_LOAD_H
#define SLW_WORKLOADS_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- random numbers: SplitMix64 (Steele, Lea, Flood 2014, public domain reference code) ---- */

struct slw_random {
    uint64_t state;
};
uint64_t slw_random_next(struct slw_random *r);
uint64_t slw_random_below(struct slw_random *r, uint64_t limit); /* limit > 0; without bias */
double slw_random_unit(struct slw_random *r);                    /* 0 <= x < 1 */

/* ---- keys ---- */

/* Zipf over 0 .. count - 1, the lowest most often, by rejection inversion: no table. theta 0 is
 * uniform. Source: W. Hoermann, G. Derflinger, "Rejection-inversion to generate variates from
 * monotone discrete distributions", ACM TOMACS 6(3), 1996. */
struct slw_zipf {
    uint64_t count;
    double theta, h_low, h_high, shortcut;
};
void slw_zipf_init(struct slw_zipf *z, uint64_t count, double theta); /* count > 0, theta >= 0 */
uint64_t slw_zipf_next(const struct slw_zipf *z, struct slw_random *r);

/* ---- payloads ---- */

/* `length` bytes that depend on seed and id only: printable text of which about half is redundant,
 * as what clients store is. */
void slw_payload_fill(uint64_t seed, uint64_t id, void *bytes, size_t length);
bool slw_payload_is(uint64_t seed, uint64_t id, const void *bytes, size_t length);

/* ---- arrivals (open loop) ---- */

/* Requests are due at times that do not depend on answers: an answer that comes late makes the next
 * ones wait, and that waiting counts. Poisson arrivals. */
struct slw_arrivals {
    struct slw_random random;
    double mean_ns;
    double next_ns; /* since start */
    uint64_t start_ns;
};
void slw_arrivals_init(struct slw_arrivals *a, double rate, uint64_t seed, uint64_t start_ns);
uint64_t slw_arrivals_next(struct slw_arrivals *a); /* CLOCK_MONOTONIC ns the next one is due */
/* Sleep until then, the last microseconds awake; returns at once when it is past. */
void slw_wait_until(uint64_t due_ns);

#endif
