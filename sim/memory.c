/* SPDX-License-Identifier: MIT */
/* The memory: TLBs, caches, misses in flight, the stream prefetcher, memory itself with its limited
 * bandwidth, and data forwarded from stores. Not for: fetching code, but for what both share. */
#include "sim/core_int.h"

uint64_t slw_sim_translate(struct slw_sim_core *s, struct slw_sim_cache *tlb, uint64_t page,
                           slw_sim_hint *hint, enum slw_sim_event miss)
{
    if (slw_sim_cache_touch(tlb, page, page, hint, s->now))
        return 0;
    s->events[miss]++;
    if (slw_sim_cache_touch(&s->memory.stlb, page, page, &s->memory.second_page, s->now))
        return s->config.stlb_latency;
    s->events[SLW_SIM_PAGE_WALKS]++;
    return (uint64_t)s->config.stlb_latency + s->config.walk_latency;
}

/* A line from memory that is asked for in cycle `at`: one every memory_line_cycles. */
static uint64_t from_memory(struct slw_sim_core *s, uint64_t at)
{
    const uint64_t start = slw_sim_later(at + s->config.l3_latency, s->memory.free);

    s->memory.free = start + s->config.memory_line_cycles;
    return start + s->config.memory_latency;
}

/* It is afterwards. */
static bool is_in_l3(struct slw_sim_memory *m, uint64_t line)
{
    return slw_sim_cache_touch(&m->shared->l3, line, line, &m->l3_line, ++m->shared->now);
}

uint64_t slw_sim_beyond_l1(struct slw_sim_core *s, uint64_t line, uint64_t at, bool is_code,
                           enum slw_sim_slot *ret_level)
{
    struct slw_sim_memory *m = &s->memory;
    const uint32_t slot = line % EARLY_SLOTS;

    if (slw_sim_cache_touch(&m->l2, line, line, &m->l2_line, s->now)) {
        uint64_t ready = at + s->config.l2_latency;

        *ret_level = SLW_SIM_MEMORY_L2;
        if (m->early_line[slot] == line + 1 && m->early_ready[slot] > ready) {
            ready = m->early_ready[slot]; /* prefetched, but not yet here */
            *ret_level =
                ready > at + s->config.l3_latency ? SLW_SIM_MEMORY_DRAM : SLW_SIM_MEMORY_L3;
        }
        return ready;
    }
    s->events[is_code ? SLW_SIM_L2_CODE_MISSES : SLW_SIM_L2_DATA_MISSES]++;
    if (is_in_l3(m, line)) {
        *ret_level = SLW_SIM_MEMORY_L3;
        return at + s->config.l3_latency;
    }
    s->events[is_code ? SLW_SIM_L3_CODE_MISSES : SLW_SIM_L3_DATA_MISSES]++;
    *ret_level = SLW_SIM_MEMORY_DRAM;
    return from_memory(s, at);
}

static void prefetch(struct slw_sim_core *s, uint64_t line, uint64_t at)
{
    struct slw_sim_memory *m = &s->memory;

    if (slw_sim_cache_has(&m->l2, line, line))
        return;
    slw_sim_cache_add(&m->l2, line, line, &m->l2_line, s->now);
    const uint64_t ready = is_in_l3(m, line) ? at + s->config.l3_latency : from_memory(s, at);

    m->early_line[line % EARLY_SLOTS] = line + 1;
    /* No time passes while warming: what was fetched then is there when timing begins, or the first
     * to use it would wait for all that came in meanwhile. */
    m->early_ready[line % EARLY_SLOTS] = s->is_timed ? ready : 0;
}

/* Two misses on neighbouring lines make a stream, upwards or downwards. */
static void follow_streams(struct slw_sim_core *s, uint64_t line, uint64_t at)
{
    struct slw_sim_memory *m = &s->memory;
    const uint32_t ahead = s->config.l2_prefetch_lines;

    for (unsigned i = 0; i < STREAMS; i++) {
        const bool up = m->streams[i] == line - 1;

        if (!up && m->streams[i] != line + 1)
            continue;
        m->streams[i] = line;
        for (uint64_t k = 1; k <= ahead; k++)
            prefetch(s, up ? line + k : line - k, at);
        return;
    }
    m->streams[m->streams_at++ % STREAMS] = line;
}

/* The line is in the L1d, or on its way there. */
static uint64_t hit(struct slw_sim_core *s, uint64_t line, uint64_t at,
                    enum slw_sim_slot *ret_level)
{
    const struct slw_sim_memory *m = &s->memory;
    const uint64_t ready = at + s->config.l1d_latency;

    *ret_level = SLW_SIM_MEMORY_L1;
    if (m->miss_latest <= ready)
        return ready;
    for (uint32_t i = 0; i < s->config.miss_buffers; i++) {
        if (m->miss_line[i] != line + 1 || m->miss_ready[i] <= ready)
            continue;
        *ret_level = m->miss_ready[i] > at + s->config.l3_latency   ? SLW_SIM_MEMORY_DRAM
                     : m->miss_ready[i] > at + s->config.l2_latency ? SLW_SIM_MEMORY_L3
                                                                    : SLW_SIM_MEMORY_L2;
        return m->miss_ready[i];
    }
    return ready;
}

static uint64_t miss(struct slw_sim_core *s, uint64_t line, uint64_t at,
                     enum slw_sim_slot *ret_level)
{
    struct slw_sim_memory *m = &s->memory;
    uint32_t first = 0;

    s->events[SLW_SIM_L1D_MISSES]++;
    for (uint32_t i = 1; i < s->config.miss_buffers; i++)
        if (m->miss_ready[i] < m->miss_ready[first])
            first = i;
    const uint64_t start = slw_sim_later(at, m->miss_ready[first]);
    const uint64_t ready = slw_sim_beyond_l1(s, line, start, false, ret_level);

    m->miss_line[first] = line + 1;
    m->miss_ready[first] = ready;
    m->miss_latest = slw_sim_later(m->miss_latest, ready);
    if (s->config.l2_prefetch_lines)
        follow_streams(s, line, start);
    return ready;
}

static uint64_t one_line(struct slw_sim_core *s, uint64_t line, uint64_t at,
                         enum slw_sim_slot *ret_level)
{
    if (slw_sim_cache_touch(&s->memory.l1d, line, line, slw_sim_data_hint(&s->memory, line),
                            s->now))
        return hit(s, line, at, ret_level);
    return miss(s, line, at, ret_level);
}

static uint64_t last_line(const struct slw_sim_access *a)
{
    return (a->address + (a->bytes ? a->bytes - 1u : 0)) >> LINE_SHIFT;
}

uint64_t slw_sim_data(struct slw_sim_core *s, const struct slw_sim_access *a, uint64_t at,
                      enum slw_sim_slot *ret_level)
{
    const uint64_t line = a->address >> LINE_SHIFT;
    const uint64_t page = a->address >> PAGE_SHIFT;
    uint64_t translation = 0;

    s->now++;
    if (page != s->memory.page) {
        s->memory.page = page;
        translation =
            slw_sim_translate(s, &s->memory.dtlb, page,
                              slw_sim_page_hint(s->memory.page_places, page), SLW_SIM_DTLB_MISSES);
    }
    uint64_t ready = one_line(s, line, at + translation, ret_level);

    if (last_line(a) != line) {
        enum slw_sim_slot level;
        const uint64_t second = one_line(s, line + 1, at + translation, &level);

        if (second > ready) {
            ready = second;
            *ret_level = level;
        }
    }
    if (translation > ready - at - translation)
        *ret_level = SLW_SIM_MEMORY_TLB;
    return ready;
}

/* Without time: the line was not in the L1d. */
static __attribute__((noinline)) void warm_miss(struct slw_sim_core *s, uint64_t line)
{
    const uint64_t free = s->memory.free;
    enum slw_sim_slot level;

    s->events[SLW_SIM_L1D_MISSES]++;
    (void)slw_sim_beyond_l1(s, line, 0, false, &level);
    if (s->config.l2_prefetch_lines)
        follow_streams(s, line, 0);
    s->memory.free = free; /* no time passes while warming */
}

static inline void warm_line(struct slw_sim_core *s, uint64_t line)
{
    if (!slw_sim_cache_touch(&s->memory.l1d, line, line, slw_sim_data_hint(&s->memory, line),
                             s->now))
        warm_miss(s, line);
}

void slw_sim_data_warm(struct slw_sim_core *s, const struct slw_sim_access *a)
{
    const uint64_t line = a->address >> LINE_SHIFT;
    const uint64_t page = a->address >> PAGE_SHIFT;

    s->now++;
    if (page != s->memory.page)
        (void)slw_sim_translate(s, &s->memory.dtlb, page,
                                slw_sim_page_hint(s->memory.page_places, page),
                                SLW_SIM_DTLB_MISSES);
    s->memory.page = page;
    warm_line(s, line);
    if (last_line(a) != line)
        warm_line(s, line + 1);
}
