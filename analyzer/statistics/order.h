/* SPDX-License-Identifier: MIT */
/* Who runs first: a fair coin per pair, and a random order per block of a sweep. The coin is what
 * makes the intervals exact; a fixed order (ABAB) mistakes any rhythm of the machine for a
 * difference. Seeded, so that a report can name the seed and the order can be had again: the same
 * seed gives the same order on every machine and in every version. */
#ifndef SLW_ANALYZER_STATISTICS_ORDER_H
#define SLW_ANALYZER_STATISTICS_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slw_coin {
    uint64_t state;
};

/* Any seed will do, 0 as well. */
struct slw_coin slw_coin_of(uint64_t seed);

/* 64 fair bits. Source: splitmix64 (Steele, Lea and Flood 2014). */
uint64_t slw_coin_bits(struct slw_coin *c);

/* True: B first. */
bool slw_coin_flip(struct slw_coin *c);

/* Uniform in 0..limit-1, without the bias of a remainder; limit > 0. */
uint64_t slw_coin_below(struct slw_coin *c, uint64_t limit);

/* Fill order[0..n-1] with 0..n-1 in random order (Fisher and Yates). */
void slw_coin_shuffle(struct slw_coin *c, size_t *order, size_t n);

#endif
