/* SPDX-License-Identifier: MIT */
#include "record/replicates.h"

#include <math.h>

double slw_replicates_error(double squares, size_t count)
{
    return count < 2 ? 0 : sqrt(squares * (double)(count - 1) / (double)count);
}

double slw_count_error(const struct slw_count *c)
{
    double squares = 0;

    for (size_t i = 0; !c->absent && i < c->replicate_count; i++) {
        const double apart = (double)c->replicates[i] - (double)c->raw;

        squares += apart * apart;
    }
    return slw_replicates_error(squares, c->replicate_count);
}
