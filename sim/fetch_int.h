/* SPDX-License-Identifier: MIT */
/* What a fetch window finds in the micro-op cache and the L1i, timed or not. Private to sim/. */
#ifndef SLW_SIM_FETCH_INT_H
#define SLW_SIM_FETCH_INT_H

#include "sim/core_int.h"

/* The lines of code a group covers; the micro-op cache does not hide what a branch enters midway.
 */
static inline uint64_t slw_sim_first_line(uint64_t address)
{
    return address >> LINE_SHIFT;
}

static inline uint64_t slw_sim_end_line(uint64_t address, const struct slw_sim_group *g)
{
    return (address + g->bytes - 1u) >> LINE_SHIFT;
}

/* Of a group: the place of its first line is remembered with it, those of the others are by chance
 * right. */
static inline slw_sim_hint *slw_sim_line_hint(struct slw_sim_frontend *f, uint64_t address,
                                              struct slw_sim_group *g, uint64_t line)
{
    return line == slw_sim_first_line(address) ? &g->line_place : &f->other_line;
}

/* Refresh the lines a hit of the micro-op cache stands for, where they still are. Are all? */
static inline bool slw_sim_keep_lines(struct slw_sim_core *s, uint64_t address,
                                      struct slw_sim_group *g)
{
    struct slw_sim_frontend *f = &s->frontend;
    const uint64_t end = slw_sim_end_line(address, g);
    uint64_t line = slw_sim_first_line(address);
    bool all = slw_sim_cache_refresh(&f->l1i, line, line, &g->line_place, s->now);

    while (__builtin_expect(line < end, 0)) {
        line++;
        all &= slw_sim_cache_refresh(&f->l1i, line, line, &f->other_line, s->now);
    }
    return all;
}

/* Does the micro-op cache deliver the group? It has it afterwards, unless it takes too many lines.
 */
static inline bool slw_sim_in_uop_cache(struct slw_sim_core *s, uint64_t address,
                                        struct slw_sim_group *g)
{
    struct slw_sim_frontend *f = &s->frontend;
    const struct slw_sim_config *c = &s->config;
    const uint64_t window = address >> f->window_shift;
    const uint32_t lines = g->lines;

    if (lines > c->uop_cache_window_lines)
        return false;
    bool all = slw_sim_cache_touch(&f->uop_cache, window << 4, window, &g->uops_place, s->now);

    for (uint64_t i = 1; i < lines; i++)
        all &= slw_sim_cache_touch(&f->uop_cache, window << 4 | i, window,
                                   &f->more_uops[window % WINDOW_HINTS], s->now);
    return all && (slw_sim_keep_lines(s, address, g) || !c->uop_cache_inclusive);
}

#endif
