/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/looks.h"

#include <assert.h>

static const struct slw_look looks[SLW_LOOK_COUNT] = {
    {8, .0101},  {10, .0063}, {12, .0064}, {15, .0080},
    {19, .0103}, {24, .0130}, {31, .0177}, {SLW_LOOK_LAST, .0232},
};

const struct slw_look *slw_look_at(size_t index)
{
    assert(index < SLW_LOOK_COUNT);
    return &looks[index];
}

size_t slw_look_next(size_t pairs)
{
    for (size_t i = 0; i < SLW_LOOK_COUNT; i++)
        if (looks[i].pairs > pairs)
            return looks[i].pairs;
    return 0;
}

bool slw_looks_settled(const enum slw_judged *gated, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (gated[i] == SLW_JUDGED_INCONCLUSIVE)
            return false;
    return true;
}
