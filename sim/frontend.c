/* SPDX-License-Identifier: MIT */
/* The front end: the branch predictor runs ahead by a queue of fetch windows (Reinman, Calder and
 * Austin, MICRO 1999), so that misses of the L1i overlap; a window comes from the micro-op cache or
 * through the decoders. Only along the executed path. */
#include "sim/fetch_int.h"

static void on_its_way(struct slw_sim_frontend *f, uint64_t line, uint64_t ready)
{
    f->fill_line[f->fill_at % FILL_SLOTS] = (uint32_t)line + 1;
    f->fill_ready[f->fill_at++ % FILL_SLOTS] = ready;
    f->fill_latest = slw_sim_later(f->fill_latest, ready);
}

/* A fill waits until one of those before it is done, when there are many. */
static uint64_t can_start(const struct slw_sim_core *s, uint64_t at)
{
    const struct slw_sim_frontend *f = &s->frontend;

    return slw_sim_later(at,
                         f->fill_ready[(f->fill_at - s->config.code_miss_buffers) % FILL_SLOTS]);
}

/* The next lines of the page, for which nobody waits yet. */
static void prefetch_code(struct slw_sim_core *s, uint64_t line, uint64_t at, bool is_timed)
{
    struct slw_sim_frontend *f = &s->frontend;

    for (uint64_t k = 1; k <= s->config.l1i_prefetch_lines; k++) {
        const uint64_t next = line + k;
        enum slw_sim_slot level;

        if ((next ^ line) >> (PAGE_SHIFT - LINE_SHIFT))
            return;
        if (slw_sim_cache_has(&f->l1i, next, next))
            continue;
        const uint64_t l2 = s->events[SLW_SIM_L2_CODE_MISSES];
        const uint64_t l3 = s->events[SLW_SIM_L3_CODE_MISSES];

        const uint64_t start = is_timed ? can_start(s, at + 2 * k) : 0;
        const uint64_t ready = slw_sim_beyond_l1(s, next, start, true, &level);

        if (is_timed)
            on_its_way(f, next, ready);
        slw_sim_cache_add(&f->l1i, next, next, &f->other_line, s->now);
        s->events[SLW_SIM_L2_CODE_MISSES] = l2; /* misses are those somebody asked for */
        s->events[SLW_SIM_L3_CODE_MISSES] = l3;
    }
}

static bool is_on_its_way(const struct slw_sim_frontend *f, uint32_t line)
{
    uint32_t found = 0;

    for (unsigned i = 0; i < FILL_SLOTS; i++)
        found |= f->fill_line[i] == line + 1;
    return found;
}

static uint64_t waiting_for(const struct slw_sim_frontend *f, uint64_t line, uint64_t at)
{
    if (f->fill_latest <= at || !is_on_its_way(f, (uint32_t)line))
        return at;
    for (unsigned i = 0; i < FILL_SLOTS; i++)
        if (f->fill_line[i] == (uint32_t)line + 1)
            at = slw_sim_later(at, f->fill_ready[i]);
    return at;
}

/* Cycle in which the line can be decoded. */
static uint64_t code_line(struct slw_sim_core *s, uint64_t line, slw_sim_hint *hint, uint64_t at)
{
    struct slw_sim_frontend *f = &s->frontend;
    enum slw_sim_slot level;

    s->events[SLW_SIM_L1I_ACCESSES] += line != f->line;
    f->line = line;
    if (slw_sim_cache_touch(&f->l1i, line, line, hint, s->now))
        return waiting_for(f, line, at);
    s->events[SLW_SIM_L1I_MISSES]++;
    s->tree.current->l1i_misses++;
    const uint64_t ready = slw_sim_beyond_l1(s, line, can_start(s, at), true, &level);

    on_its_way(f, line, ready);
    prefetch_code(s, line, at, true);
    return ready;
}

static uint64_t code_lines(struct slw_sim_core *s, uint64_t address, struct slw_sim_group *g,
                           uint64_t at)
{
    uint64_t ready = at;

    for (uint64_t line = slw_sim_first_line(address); line <= slw_sim_end_line(address, g); line++)
        ready = slw_sim_later(
            ready, code_line(s, line, slw_sim_line_hint(&s->frontend, address, g, line), at));
    return ready;
}

static uint64_t code_page(struct slw_sim_core *s, uint64_t address)
{
    struct slw_sim_frontend *f = &s->frontend;
    const uint64_t page = address >> PAGE_SHIFT;

    if (page == f->page)
        return 0;
    f->page = page;
    return slw_sim_translate(s, &f->itlb, page, slw_sim_page_hint(f->page_places, page),
                             SLW_SIM_ITLB_MISSES);
}

/* A fetch window is entered: when can its first micro-op be delivered? */
static void new_window(struct slw_sim_core *s, uint64_t address, struct slw_sim_group *g)
{
    struct slw_sim_frontend *f = &s->frontend;
    const struct slw_sim_config *c = &s->config;
    const bool elsewhere = address >> PAGE_SHIFT != f->page && c->code_page_cycles > 0;
    enum slw_sim_slot cause = f->late || elsewhere ? SLW_SIM_FETCH_RESTEER : SLW_SIM_FETCH_OTHER;

    s->now++;
    f->late = false;
    f->window = address >> f->window_shift;
    f->predicted = slw_sim_later(f->predicted + 1,
                                 f->ring[(f->ring_at - c->fetch_queue_entries) % FETCH_RING]);
    f->predicted += elsewhere ? c->code_page_cycles : 0;
    const uint64_t translation = code_page(s, address);
    uint64_t ready = f->predicted + translation;

    if (translation)
        cause = SLW_SIM_FETCH_ITLB;
    if (slw_sim_in_uop_cache(s, address, g)) {
        s->events[SLW_SIM_UOP_CACHE_HITS]++;
        f->from_uop_cache = true;
        f->first = SLOTS - c->uop_cache_width;
    } else {
        s->events[SLW_SIM_UOP_CACHE_MISSES]++;
        if (f->from_uop_cache)
            ready += c->decode_switch;
        f->from_uop_cache = false;
        f->first = SLOTS - c->decode_width;
        const uint64_t there = code_lines(s, address, g, ready);

        if (there > ready)
            cause = SLW_SIM_FETCH_ICACHE;
        ready = there;
    }
    const uint64_t next = slw_sim_cycle(f->delivered) + 1;

    if (ready > next)
        f->cause = (uint8_t)cause;
    ready = slw_sim_later(next, ready);
    f->delivered = slw_sim_start_of(ready, f->first);
    f->decoding = ~UINT64_C(0);
    f->ring[f->ring_at++ % FETCH_RING] = ready;
}

/* Nothing is delivered before, and what was decoded in the cycle of the last delivery still counts.
 */
static void deliver_after(struct slw_sim_frontend *f, uint64_t moment)
{
    if (f->decoding == slw_sim_cycle(f->delivered))
        f->decoding = slw_sim_cycle(moment);
    f->delivered = moment;
}

/* So many bytes per cycle, and of long instructions one. */
void slw_sim_decode_bytes(struct slw_sim_core *s, uint32_t length)
{
    struct slw_sim_frontend *f = &s->frontend;
    const uint32_t long_bytes = s->config.decode_long_bytes;
    const bool is_long = long_bytes && length > long_bytes;
    const uint64_t cycle = slw_sim_cycle(f->delivered);
    const bool goes_on = f->decoding == cycle;
    const uint32_t bytes = (goes_on ? f->bytes_in_cycle : 0) + length;
    const bool long_before = goes_on && f->long_in_cycle;

    if (bytes > s->config.decode_bytes || (is_long && long_before)) {
        f->delivered = slw_sim_start_of(cycle + 1, f->first);
        f->decoding = cycle + 1;
        f->bytes_in_cycle = length;
        f->long_in_cycle = is_long;
    } else {
        f->decoding = cycle;
        f->bytes_in_cycle = bytes;
        f->long_in_cycle = is_long || long_before;
    }
}

void slw_sim_fetch(struct slw_sim_core *s, uint64_t address, struct slw_sim_group *g)
{
    struct slw_sim_frontend *f = &s->frontend;

    if (address >> f->window_shift != f->window) {
        new_window(s, address, g);
    } else if (slw_sim_end_line(address, g) != f->line && !f->from_uop_cache) {
        /* The same window goes on, into a line that was not asked for. */
        const uint64_t now = slw_sim_cycle(f->delivered);
        const uint64_t ready = code_line(s, slw_sim_end_line(address, g), &f->other_line, now);

        if (ready > now) {
            deliver_after(f, slw_sim_start_of(ready, f->first));
            f->cause = SLW_SIM_FETCH_ICACHE;
        }
    }
}

/* Without time: nothing is on its way, everything is there. */
void slw_sim_line_warm(struct slw_sim_core *s, uint64_t line, slw_sim_hint *hint)
{
    struct slw_sim_frontend *f = &s->frontend;
    const uint64_t free = s->memory.free;
    enum slw_sim_slot level;

    s->events[SLW_SIM_L1I_ACCESSES] += line != f->line;
    f->line = line;
    if (slw_sim_cache_touch(&f->l1i, line, line, hint, s->now))
        return;
    s->events[SLW_SIM_L1I_MISSES]++;
    s->tree.current->l1i_misses++;
    (void)slw_sim_beyond_l1(s, line, 0, true, &level);
    prefetch_code(s, line, 0, false);
    s->memory.free = free;
}

void slw_sim_deliver_from(struct slw_sim_core *s)
{
    struct slw_sim_frontend *f = &s->frontend;
    const uint32_t width = f->from_uop_cache ? s->config.uop_cache_width : s->config.decode_width;
    const uint64_t used = slw_sim_used(f->delivered, f->first);

    f->first = SLOTS - width;
    f->delivered = slw_sim_start_of(slw_sim_cycle(f->delivered), f->first);
    f->delivered += used < width ? used : width;
}

/* What comes after a branch is fetched from its target: at once, after the decoders noticed it, or
 * after it was executed. */
void slw_sim_redirect(struct slw_sim_core *s, enum slw_sim_outcome outcome, bool taken,
                      uint64_t resolved)
{
    struct slw_sim_frontend *f = &s->frontend;
    struct slw_sim_backend *b = &s->backend;

    if (taken || outcome != SLW_SIM_AS_PREDICTED)
        f->window = ~UINT64_C(0);
    if (outcome == SLW_SIM_LATE) {
        f->predicted += s->config.btb_second_cycles;
        f->late = s->config.btb_second_cycles > 0;
    } else if (outcome == SLW_SIM_RESTEERED) {
        deliver_after(f, f->delivered + ((uint64_t)s->config.resteer_cycles << SLOT_BITS));
        f->predicted = slw_sim_later(f->predicted, slw_sim_cycle(f->delivered));
        f->cause = SLW_SIM_FETCH_RESTEER;
    } else if (outcome == SLW_SIM_MISPREDICTED) {
        b->recovering = true;
        b->waited_for = slw_sim_waited_for(b, resolved, SLW_SIM_CORE_EXECUTION);
        b->resolved = resolved;
        b->resumed = slw_sim_later(resolved + s->config.refill_cycles, slw_sim_cycle(b->allocated));
        f->predicted = resolved + s->config.refill_cycles;
        f->predicted -= f->predicted > 0;
        deliver_after(f, slw_sim_start_of(b->resumed, f->first));
        f->cause = SLW_SIM_FETCH_OTHER;
        for (uint32_t i = 1; i <= s->config.fetch_queue_entries; i++) {
            uint64_t *const at = &f->ring[(f->ring_at - i) % FETCH_RING];

            *at = *at < f->predicted ? *at : f->predicted;
        }
    }
}
