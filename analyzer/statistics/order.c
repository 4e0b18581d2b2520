/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/order.h"

#include <assert.h>

struct slw_coin slw_coin_of(uint64_t seed)
{
    return (struct slw_coin){seed};
}

uint64_t slw_coin_bits(struct slw_coin *c)
{
    uint64_t z = c->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

bool slw_coin_flip(struct slw_coin *c)
{
    return slw_coin_bits(c) >> 63;
}

uint64_t slw_coin_below(struct slw_coin *c, uint64_t limit)
{
    assert(limit > 0);
    /* Bits below this would make the small values likelier: 2^64 modulo limit. */
    const uint64_t reject = -limit % limit;
    uint64_t bits = slw_coin_bits(c);

    while (bits < reject)
        bits = slw_coin_bits(c);
    return bits % limit;
}

void slw_coin_shuffle(struct slw_coin *c, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t left = n; left > 1; left--) {
        const size_t at = (size_t)slw_coin_below(c, left);
        const size_t last = order[left - 1];

        order[left - 1] = order[at];
        order[at] = last;
    }
}
