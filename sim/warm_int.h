/* SPDX-License-Identifier: MIT */
/* What is not timed: caches and predictors follow it all the same (functional warming; Wunderlich
 * et al., SMARTS, ISCA 2003). Most of a client passes through here. Private to sim/, and included
 * by core.c alone. */
#ifndef SLW_SIM_WARM_INT_H
#define SLW_SIM_WARM_INT_H

#include "sim/fetch_int.h"
#include "sim/predictor_int.h"

static inline void warm_page(struct slw_sim_core *s, uint64_t page)
{
    struct slw_sim_frontend *f = &s->frontend;
    slw_sim_hint *const known = slw_sim_page_hint(f->page_places, page);

    if (page == f->page)
        return;
    f->page = page;
    if (slw_sim_cache_is_at(&f->itlb, page, *known))
        f->itlb.places[*known].used = s->now;
    else
        (void)slw_sim_translate(s, &f->itlb, page, known, SLW_SIM_ITLB_MISSES);
}

/* A fetch window, as slw_sim_fetch has it. */
static inline void warm_window(struct slw_sim_core *s, struct slw_sim_instruction *in)
{
    struct slw_sim_frontend *f = &s->frontend;
    const uint64_t window = in->address >> f->window_shift;

    if (window == f->window) {
        if (!f->from_uop_cache && slw_sim_end_line(in) != f->line)
            slw_sim_line_warm(s, slw_sim_end_line(in), &f->other_line);
        return;
    }
    f->window = window;
    s->now++;
    warm_page(s, in->address >> PAGE_SHIFT);
    f->from_uop_cache = slw_sim_in_uop_cache(s, in);
    if (f->from_uop_cache) {
        s->events[SLW_SIM_UOP_CACHE_HITS]++;
        return;
    }
    s->events[SLW_SIM_UOP_CACHE_MISSES]++;
    for (uint64_t line = slw_sim_first_line(in); line <= slw_sim_end_line(in); line++)
        slw_sim_line_warm(s, line, slw_sim_line_hint(f, in, line));
}

static inline void warm(struct slw_sim_core *s, const struct slw_sim_segment *segment,
                        const struct slw_sim_access *accesses, size_t access_count,
                        const struct slw_sim_segment *next)
{
    struct slw_sim_instruction *const in = segment->instructions;
    struct slw_sim_instruction *const last = in + segment->count - 1;

    for (struct slw_sim_instruction *group = in;; group += group->group_next) {
        if (group->is & SLW_SIM_GROUP)
            warm_window(s, group);
        if (!group->group_next)
            break;
    }
    for (size_t i = 0; i < access_count; i++)
        if (!slw_sim_data_is_near(s, &accesses[i]))
            slw_sim_data_warm(s, &accesses[i]);
    if (last->branch == SLW_SIM_SYSCALL) {
        s->events[SLW_SIM_SYSCALLS]++;
    } else if (last->branch && next) {
        const bool taken = next->address != last->address + last->length;

        if (slw_sim_predict(s, last, taken, next->address) != SLW_SIM_AS_PREDICTED || taken)
            s->frontend.window = ~UINT64_C(0);
    }
}

#endif
