/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/sampled.h"

#include <math.h>
#include <stdlib.h>

static const char none[] = "no requests were observed";

/* Rounds are numbered from 1; what is no round of its own (0) only adds to the sum. */
static void take_round(struct slw_sampled *s, const struct slw_round *r)
{
    const struct slw_maybe_u64 *requests = &r->requests;

    if (requests->absent || requests->value == 0) {
        s->absent = requests->absent ? requests->absent : none;
        return;
    }
    s->total += (double)requests->value;
    if (r->round >= 1 && (size_t)r->round <= s->round_count)
        s->rounds[r->round - 1] = (double)requests->value;
}

static void take_rounds(struct slw_sampled *s, const struct slw_run *run)
{
    bool any = false;

    for (size_t i = 0; i < run->round_count; i++) {
        if (!run->rounds[i].sampled)
            continue;
        any = true;
        take_round(s, &run->rounds[i]);
    }
    if (!any)
        s->absent = "no round was sampled";
}

int slw_sampled_init(struct slw_sampled *s, const struct slw_run *run, struct slw_error *err)
{
    *s = (struct slw_sampled){0};
    for (size_t i = 0; i < run->round_count; i++)
        if (run->rounds[i].round > 0 && (size_t)run->rounds[i].round > s->round_count)
            s->round_count = (size_t)run->rounds[i].round;
    if (s->round_count > SLW_MAX_ROUNDS)
        s->round_count = SLW_MAX_ROUNDS;
    s->rounds = calloc(s->round_count + 1, sizeof(*s->rounds));
    if (!s->rounds)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the requests of rounds");
    for (size_t i = 0; i < s->round_count; i++)
        s->rounds[i] = (double)NAN;
    if (run->round_count > 0) {
        take_rounds(s, run);
    } else {
        s->absent = run->requests.absent ? run->requests.absent : NULL;
        s->total = (double)run->requests.value;
        if (!s->absent && run->requests.value == 0)
            s->absent = none;
    }
    return 0;
}

void slw_sampled_release(struct slw_sampled *s)
{
    free(s->rounds);
    *s = (struct slw_sampled){0};
}
