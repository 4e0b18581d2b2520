/* SPDX-License-Identifier: MIT */
/* Making a core, stepping it through segments, and the totals. */
#include "sim/warm_int.h"

static uint64_t sets_of(uint32_t kib, uint32_t ways)
{
    return (uint64_t)kib * (1024 >> LINE_SHIFT) / ways;
}

static void init_frontend(struct slw_sim_core *s)
{
    struct slw_sim_frontend *f = &s->frontend;
    const struct slw_sim_config *c = &s->config;

    for (f->window_shift = 4; 1u << f->window_shift < c->fetch_window_bytes;)
        f->window_shift++;
    f->first = SLOTS - c->decode_width;
    f->delivered = slw_sim_start_of(0, f->first);
    f->window = ~UINT64_C(0);
    f->page = ~UINT64_C(0);
    f->line = ~UINT64_C(0);
    f->cause = SLW_SIM_FETCH_OTHER;
    slw_sim_cache_init(&f->uop_cache, &s->host, c->uop_cache_sets, c->uop_cache_ways);
    slw_sim_cache_init(&f->l1i, &s->host, sets_of(c->l1i_kib, c->l1i_ways), c->l1i_ways);
    slw_sim_cache_init(&f->itlb, &s->host, c->itlb_entries / c->itlb_ways, c->itlb_ways);
}

static void init_predictor(struct slw_sim_core *s)
{
    struct slw_sim_predictor *p = &s->predictor;
    const struct slw_sim_config *c = &s->config;
    const size_t entries = (size_t)1 << c->predictor_entries_log2;

    p->mask = (uint32_t)entries - 1;
    p->index_shift = 64 - c->predictor_entries_log2;
    p->bimodal_mask = p->mask * 4 + 3;
    p->bimodal = s->host.allocate(entries * 4);
    for (size_t i = 0; i < entries * 4; i++)
        p->bimodal[i] = SLW_SIM_NEVER_SEEN;
    for (unsigned i = 0; i < HISTORIES; i++)
        p->tagged[i] = s->host.allocate(entries * sizeof(*p->tagged[i]));
    p->targets = s->host.allocate(entries * sizeof(*p->targets));
    p->last_targets = s->host.allocate(entries * sizeof(*p->last_targets));
    slw_sim_cache_init(&p->btb, &s->host, c->btb_entries / c->btb_ways, c->btb_ways);
    slw_sim_cache_init(&p->btb_first, &s->host, c->btb_first_entries / c->btb_first_ways,
                       c->btb_first_ways);
}

/* A ring that holds `entries` back: only what is in use takes part in caches of the host. */
static uint32_t ring_mask(uint32_t entries)
{
    uint32_t size = 1;

    while (size < entries)
        size *= 2;
    return size - 1;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void init_backend(struct slw_sim_core *s)
{
    struct slw_sim_backend *b = &s->backend;

    b->first = SLOTS - s->config.width;
    b->allocated = slw_sim_start_of(0, b->first);
    b->retired = b->allocated;
    b->retire_cause = SLW_SIM_CORE_EXECUTION;
    b->long_cause = SLW_SIM_CORE_EXECUTION;
    b->shortest = least(least(s->config.rob_entries, s->config.queue_entries),
                        least(s->config.load_queue_entries, s->config.store_queue_entries));
    b->shortest = least(b->shortest, UINT8_MAX - 1);
    b->rob_mask = ring_mask(s->config.rob_entries);
    b->queue_mask = ring_mask(s->config.queue_entries);
    b->load_mask = ring_mask(s->config.load_queue_entries);
    b->store_mask = ring_mask(s->config.store_queue_entries);
}

static void init_memory(struct slw_sim_core *s, struct slw_sim_shared *shared)
{
    struct slw_sim_memory *m = &s->memory;
    const struct slw_sim_config *c = &s->config;

    m->shared = shared;
    m->page = ~UINT64_C(0);
    slw_sim_cache_init(&m->l1d, &s->host, sets_of(c->l1d_kib, c->l1d_ways), c->l1d_ways);
    slw_sim_cache_init(&m->l2, &s->host, sets_of(c->l2_kib, c->l2_ways), c->l2_ways);
    slw_sim_cache_init(&m->dtlb, &s->host, c->dtlb_entries / c->dtlb_ways, c->dtlb_ways);
    slw_sim_cache_init(&m->stlb, &s->host, c->stlb_entries / c->stlb_ways, c->stlb_ways);
}

struct slw_sim_shared *slw_sim_shared_new(const struct slw_sim_config *config,
                                          const struct slw_sim_host *host)
{
    struct slw_sim_shared *shared = host->allocate(sizeof(*shared));

    slw_sim_cache_init(&shared->l3, host, sets_of(config->l3_kib, config->l3_ways),
                       config->l3_ways);
    return shared;
}

struct slw_sim_core *slw_sim_core_new(const struct slw_sim_config *config,
                                      const struct slw_sim_host *host,
                                      struct slw_sim_shared *shared)
{
    struct slw_sim_core *s = host->allocate(sizeof(*s));

    s->config = *config;
    s->host = *host;
    init_frontend(s);
    init_predictor(s);
    init_memory(s, shared);
    init_backend(s);
    s->tree.root = host->allocate(sizeof(*s->tree.root));
    s->tree.current = s->tree.root;
    s->tree.node_count = 1;
    s->tree.frames = host->allocate(SLW_SIM_MAX_FRAMES * sizeof(*s->tree.frames));
    return s;
}

void slw_sim_sample(struct slw_sim_core *core, uint64_t period, uint64_t detail)
{
    core->period = period;
    core->detail = detail;
    core->phase = 0;
    core->window_at = 0;
}

/* Where in its period the next window is: anywhere, or a client that does the same again and again
 * may be timed in the same part of it each time. Knuth's generator (MMIX), for runs to repeat. */
static void place_window(struct slw_sim_core *s)
{
    s->window_random = s->window_random * 6364136223846793005u + 1442695040888963407u;
    if (s->detail < s->period)
        s->window_at = (s->window_random >> 33) % (s->period - s->detail);
}

static void count_accesses(struct slw_sim_core *s, const struct slw_sim_segment *segment,
                           const struct slw_sim_access *accesses, size_t access_count)
{
    uint64_t stores = 0;

    if (segment->is_fixed)
        stores = segment->stores;
    else
        for (size_t i = 0; i < access_count; i++)
            stores += accesses[i].is_store;
    s->events[SLW_SIM_LOADS] += access_count - stores;
    s->events[SLW_SIM_STORES] += stores;
}

static bool is_detailed(struct slw_sim_core *s, uint32_t instructions)
{
    if (!s->period)
        return true;
    const bool detailed = s->phase - s->window_at < s->detail;

    s->phase += instructions;
    if (s->phase >= s->period) {
        s->phase -= s->period;
        place_window(s);
    }
    return detailed;
}

void slw_sim_step(struct slw_sim_core *core, struct slw_sim_segment *segment,
                  const struct slw_sim_access *accesses, size_t access_count,
                  const struct slw_sim_segment *next)
{
    core->events[SLW_SIM_INSTRUCTIONS] += segment->count;
    core->tree.current->instructions += segment->count;
    count_accesses(core, segment, accesses, access_count);
    if (is_detailed(core, segment->count)) {
        if (!core->is_timed) {
            slw_sim_deliver_from(core);
            slw_sim_window_begins(core);
        }
        core->is_timed = true;
        core->detailed += segment->count;
        slw_sim_execute(core, segment, accesses, access_count, next);
    } else {
        if (core->is_timed)
            slw_sim_window_ends(core);
        core->is_timed = false;
        warm(core, segment, accesses, access_count, next);
    }
    if (next) {
        if (segment->leaves)
            slw_sim_follow(core, segment, accesses, access_count, next);
    } else { /* another thread may use this core later */
        core->tree.current = core->tree.root;
        core->tree.depth = 0;
    }
}

/* The slots of the cycle under way that nothing came for. */
static void close_cycle(struct slw_sim_core *s)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t used = slw_sim_used(b->allocated, b->first);

    if (used == 0)
        return;
    s->closed_from = (uint32_t)used;
    slw_sim_lose(s, SLW_SIM_FETCH_BANDWIDTH, s->config.width - used);
    b->allocated = slw_sim_start_of(slw_sim_cycle(b->allocated) + 1, b->first);
}

void slw_sim_reopen(struct slw_sim_core *core)
{
    struct slw_sim_backend *b = &core->backend;
    const uint64_t unused = core->config.width - core->closed_from;

    if (core->closed_from == 0)
        return;
    core->slots[SLW_SIM_FETCH_BANDWIDTH] -= unused;
    core->tree.current->slots[SLW_SIM_FETCH_BANDWIDTH] -= unused;
    b->allocated = slw_sim_start_of(slw_sim_cycle(b->allocated) - 1, b->first) + core->closed_from;
    core->closed_from = 0;
}

void slw_sim_restart(struct slw_sim_core *core)
{
    close_cycle(core);
    for (struct slw_sim_node *n = core->tree.root; n; n = slw_sim_node_after(n)) {
        n->instructions = 0;
        n->l1i_misses = 0;
        __builtin_memset(n->slots, 0, sizeof(n->slots));
    }
    __builtin_memset(core->events, 0, sizeof(core->events));
    __builtin_memset(core->slots, 0, sizeof(core->slots));
    core->start_cycle = slw_sim_cycle(core->backend.allocated);
    core->closed_from = 0; /* that cycle was not counted */
    __builtin_memset(&core->sampling, 0, sizeof(core->sampling));
    core->detailed = 0;
    slw_sim_window_begins(core);
}

void slw_sim_finish(struct slw_sim_core *core, struct slw_sim_totals *ret_totals)
{
    uint64_t sum = 0;

    core->closed_from = 0;
    close_cycle(core);
    ret_totals->cycles = slw_sim_cycle(core->backend.allocated) - core->start_cycle;
    ret_totals->detailed_instructions = core->detailed;
    ret_totals->calls_unfollowed = core->tree.unfollowed;
    ret_totals->node_count = core->tree.node_count;
    for (unsigned i = 0; i < SLW_SIM_EVENT_COUNT; i++)
        ret_totals->events[i] = core->events[i];
    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++) {
        ret_totals->slots[i] = core->slots[i];
        sum += core->slots[i];
    }
    __builtin_memcpy(ret_totals->subsamples, core->sampling.subsamples,
                     sizeof(ret_totals->subsamples));
    if (sum != ret_totals->cycles * core->config.width)
        core->host.broken("the slots do not sum to width times cycles");
}

void slw_sim_read(const struct slw_sim_core *core, struct slw_sim_totals *ret_totals)
{
    ret_totals->cycles = slw_sim_cycle(core->backend.allocated) - core->start_cycle;
    ret_totals->detailed_instructions = core->detailed;
    ret_totals->calls_unfollowed = core->tree.unfollowed;
    ret_totals->node_count = core->tree.node_count;
    __builtin_memcpy(ret_totals->events, core->events, sizeof(core->events));
    __builtin_memcpy(ret_totals->slots, core->slots, sizeof(core->slots));
}

uint64_t slw_sim_now(const struct slw_sim_core *core)
{
    return slw_sim_cycle(core->backend.allocated);
}
