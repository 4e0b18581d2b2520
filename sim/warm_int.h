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
static inline void warm_window(struct slw_sim_core *s, uint64_t address, struct slw_sim_group *g)
{
    struct slw_sim_frontend *f = &s->frontend;
    const uint64_t window = address >> f->window_shift;

    if (window == f->window) {
        if (!f->from_uop_cache && slw_sim_end_line(address, g) != f->line)
            slw_sim_line_warm(s, slw_sim_end_line(address, g), &f->other_line);
        return;
    }
    f->window = window;
    s->now++;
    warm_page(s, address >> PAGE_SHIFT);
    f->from_uop_cache = slw_sim_in_uop_cache(s, address, g);
    if (f->from_uop_cache) {
        s->events[SLW_SIM_UOP_CACHE_HITS]++;
        return;
    }
    s->events[SLW_SIM_UOP_CACHE_MISSES]++;
    for (uint64_t line = slw_sim_first_line(address); line <= slw_sim_end_line(address, g); line++)
        slw_sim_line_warm(s, line, slw_sim_line_hint(f, address, g, line));
}

/* The windows after the first one. */
static inline void warm_windows(struct slw_sim_core *s, const struct slw_sim_segment *segment)
{
    struct slw_sim_instruction *group = segment->instructions;
    uint32_t step = segment->group_next;

    do {
        group += step;
        if (group->is & SLW_SIM_GROUP)
            warm_window(s, group->address, &group->group);
        step = group->group_next;
    } while (step);
}

/* What changes from access to access stays in registers. */
static inline void warm_data(struct slw_sim_core *s, const struct slw_sim_access *accesses,
                             size_t count)
{
    struct slw_sim_memory *const m = &s->memory;
    uint64_t page = m->page;
    uint32_t now = s->now;

    for (size_t i = 0; i < count; i++) {
        if (slw_sim_data_is_near(m, &accesses[i], &page, &now))
            continue;
        m->page = page;
        s->now = now;
        slw_sim_data_warm(s, &accesses[i]);
        page = m->page;
        now = s->now;
    }
    m->page = page;
    s->now = now;
}

static inline void warm(struct slw_sim_core *s, struct slw_sim_segment *segment,
                        const struct slw_sim_access *accesses, size_t access_count,
                        const struct slw_sim_segment *next)
{
    warm_window(s, segment->address, &segment->group);
    if (segment->group_next)
        warm_windows(s, segment);
    warm_data(s, accesses, access_count);
    if (segment->branch == SLW_SIM_SYSCALL) {
        s->events[SLW_SIM_SYSCALLS]++;
    } else if (segment->branch && next) {
        const bool taken = next->address != slw_sim_end_of(segment);

        if (slw_sim_predict(s, segment, taken, next->address) != SLW_SIM_AS_PREDICTED || taken)
            s->frontend.window = ~UINT64_C(0);
    }
}

#endif
