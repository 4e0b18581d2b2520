/* SPDX-License-Identifier: MIT */
/* How micro-ops go through the core one by one: delivery, allocation, retirement. What changes with
 * each of them is a local struct that compilers keep in registers while a segment passes. Which
 * moment is the later one, and whether a slot is lost, changes from micro-op to micro-op: a host
 * that guesses it wrong loses more than all of this costs, so that nothing here branches on it.
 * Private to sim/, and included by backend.c alone. */
#ifndef SLW_SIM_PACE_INT_H
#define SLW_SIM_PACE_INT_H

#include "sim/core_int.h"

#define ALWAYS    static inline __attribute__((always_inline))
#define SELDOM(x) __builtin_expect(!!(x), 0)
#define SLOT_MASK ((uint64_t)SLOTS - 1)

/* What changes with every micro-op; the same as in the backend and the frontend, where it is
 * between segments. */
struct pace {
    uint64_t delivered, allocated, retired; /* moments */
    uint64_t uops, advance;
    uint32_t delivery; /* the first slot of a cycle, of what delivers */
    uint32_t gap_count;
    uint8_t cause;
};

ALWAYS void take_pace(struct pace *p, const struct slw_sim_core *s)
{
    const struct slw_sim_backend *b = &s->backend;

    p->delivered = s->frontend.delivered;
    p->delivery = s->frontend.first;
    p->allocated = b->allocated;
    p->retired = b->retired;
    p->uops = b->uops;
    p->advance = b->advance;
    p->cause = b->retire_cause;
    p->gap_count = b->gap_count;
}

ALWAYS void give_pace(const struct pace *p, struct slw_sim_core *s)
{
    struct slw_sim_backend *b = &s->backend;

    s->frontend.delivered = p->delivered;
    b->allocated = p->allocated;
    b->retired = p->retired;
    b->uops = p->uops;
    b->advance = p->advance;
    b->retire_cause = p->cause;
    b->gap_count = p->gap_count;
}

/* The slot after `moment`. */
ALWAYS uint64_t next_slot(uint64_t moment, uint32_t first)
{
    const uint64_t next = moment + 1;

    return next % SLOTS ? next : next + first;
}

/* The first slot of the cycle `moment` is in; of a wait, that in which it is over. */
ALWAYS uint64_t first_of(uint64_t moment, uint32_t first)
{
    return (moment & ~SLOT_MASK) | first;
}

/* When the front end can have the next micro-op in its queue. */
ALWAYS uint64_t has_room(const struct slw_sim_core *s, const struct pace *p)
{
    const struct slw_sim_backend *b = &s->backend;

    return b->queue[(p->uops - s->config.queue_entries) & b->queue_mask];
}

/* What the next micro-op waits for in the back end. `waits`: for a queue of loads or stores. */
ALWAYS uint64_t waits_for(const struct slw_sim_core *s, const struct pace *p, uint64_t waits)
{
    const struct slw_sim_backend *b = &s->backend;

    return slw_sim_later(b->rob[(p->uops - s->config.rob_entries) & b->rob_mask], waits);
}

/* Slots are lost before the next micro-op. They are charged together with others. */
ALWAYS void note_gap(struct slw_sim_core *s, struct pace *p, uint64_t start, uint64_t waited)
{
    s->backend.gaps[p->gap_count++] = (struct slw_sim_gap){
        .before = p->allocated, .end = start | s->frontend.cause, .waited = waited};
}

/* Give the next micro-op a slot: the cycle it is allocated in. `free`: it is known that neither the
 * back end nor the queue of the front end makes it wait. */
ALWAYS uint64_t allocate(struct slw_sim_core *s, struct pace *p, bool free, uint64_t waits)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t waited = free ? 0 : waits_for(s, p, waits);
    const uint64_t next = next_slot(p->allocated, b->first);

    p->delivered = next_slot(p->delivered, p->delivery);
    if (!free)
        p->delivered = slw_sim_later(p->delivered, first_of(has_room(s, p), p->delivery));
    const uint64_t start = slw_sim_later(p->delivered, waited) & ~SLOT_MASK;
    const uint64_t first = start | b->first;

    if (first > next)
        note_gap(s, p, start, waited);
    p->allocated = slw_sim_later(next, first);
    b->queue[p->uops & b->queue_mask] = p->allocated;
    return slw_sim_cycle(p->allocated);
}

/* Is nothing in the way of the next `count` micro-ops, whatever they are? What leaves the ROB and
 * the queues leaves them in order, so that it is enough to ask for the last of them. */
ALWAYS bool is_free(const struct slw_sim_core *s, const struct pace *p, uint32_t count)
{
    const struct slw_sim_backend *b = &s->backend;
    const struct slw_sim_config *c = &s->config;
    const uint64_t last = (uint64_t)count - 1;
    const uint64_t queue = b->queue[(p->uops + last - c->queue_entries) & b->queue_mask];
    const uint64_t rob = b->rob[(p->uops + last - c->rob_entries) & b->rob_mask];
    const uint64_t load = b->load_queue[(b->loads + last - c->load_queue_entries) & b->load_mask];
    const uint64_t store =
        b->store_queue[(b->stores + last - c->store_queue_entries) & b->store_mask];
    const uint64_t waited =
        slw_sim_later(slw_sim_later(rob, load), slw_sim_later(store, b->serial));

    return count <= b->shortest && waited <= (p->allocated | SLOT_MASK) &&
           queue <= (p->delivered | SLOT_MASK);
}

ALWAYS void note_long(struct slw_sim_backend *b, uint64_t advance, uint64_t done,
                      enum slw_sim_slot cause)
{
    if (SELDOM(advance >= LONG_WAIT)) {
        b->long_cause = (uint8_t)cause;
        b->long_until = done;
    }
}

/* When the entry of the youngest micro-op in the ROB is free again. */
ALWAYS uint64_t free_again(const struct pace *p)
{
    return (p->retired | SLOT_MASK) + 1 + p->cause;
}

/* The youngest micro-op cannot retire before `done`. Of the parts of one micro-op, a load and what
 * is done with it, the one that takes longer is the cause. */
ALWAYS void retire_not_before(struct slw_sim_core *s, struct pace *p, uint64_t done,
                              enum slw_sim_slot cause)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t retired = slw_sim_cycle(p->retired);
    const uint64_t advance = slw_sim_later(done, retired) - retired;
    const bool is_later = done > retired;
    const bool is_cause = is_later & (advance >= p->advance);

    p->cause = is_cause ? (uint8_t)cause : p->cause;
    p->advance = is_cause ? advance : p->advance;
    p->retired = is_later ? slw_sim_first_slot(done, b->first) : p->retired;
    note_long(b, is_cause ? advance : 0, done, cause);
    b->rob[(p->uops - 1) & b->rob_mask] = free_again(p);
}

ALWAYS void retire(struct slw_sim_core *s, struct pace *p, uint64_t done, enum slw_sim_slot cause)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t next = next_slot(p->retired, b->first);
    const uint64_t first = slw_sim_first_slot(done, b->first);
    const bool is_late = first > next;

    p->retired = is_late ? first : next;
    p->cause = is_late ? (uint8_t)cause : p->cause;
    p->advance = is_late ? done - slw_sim_cycle(next) : 0;
    note_long(b, p->advance, done, cause);
    b->rob[p->uops++ & b->rob_mask] = free_again(p);
}

#endif
