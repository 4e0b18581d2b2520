/* SPDX-License-Identifier: MIT */
/* One simulated core, seen from inside. The parts are compiled together (see sim/valgrind), so each
 * touches only its own struct, and what they share is at the end. Private to sim/.
 *
 * The model is one-pass: micro-ops are seen in program order, and for each the cycles are worked
 * out in which it can be delivered, allocated, executed and retired. Sources: Sanchez and
 * Kozyrakis, ISCA 2013 (zsim); Carlson et al., TACO 2014; slots are charged as in Eyerman et al.,
 * ASPLOS 2006, and Yasin, ISPASS 2014. The equations are in docs/simulated.md. */
#ifndef SLW_SIM_CORE_INT_H
#define SLW_SIM_CORE_INT_H

#include "sim/cache_int.h"

enum {
    LINE_SHIFT = 6,
    PAGE_SHIFT = 12,
    ROB_RING = 1024, /* at least the greatest of the parameter, a power of two */
    QUEUE_RING = 512,
    FETCH_RING = 64,
    LONG_WAIT = 8,       /* cycles of a wait that others stand in the shadow of */
    PORT_RING = 1024,    /* cycles ahead of the oldest one in use */
    PORT_SEARCH = 512,   /* a wait for a port longer than this is given up: it cannot happen */
    FILL_SLOTS = 32,     /* code lines on their way */
    STREAMS = 16,        /* streams of data the prefetcher follows */
    EARLY_SLOTS = 64,    /* prefetched data lines on their way */
    FORWARD_SLOTS = 256, /* recent stores by address */
    GAPS = 256,          /* not yet charged: of a fetch window, and three times as many */
    MANY_GAPS = 64,
    LINE_HINTS = 1024, /* where lines of data were, pages and windows, by their last bits */
    WINDOW_HINTS = 128,
    PAGE_HINTS = 128,
    HISTORIES = 4, /* tables of the conditional predictor */
    RETURN_RING = 64
};

/* A moment of a stage: a cycle, and which slot of it was used last. They compare like numbers. The
 * slots of a cycle are the last ones of 32, so that one more than the last slot is the next cycle.
 */
enum { SLOT_BITS = 5, SLOTS = 1 << SLOT_BITS };

static inline uint64_t slw_sim_cycle(uint64_t moment)
{
    return moment >> SLOT_BITS;
}

/* The first slot of a cycle; `first` is SLOTS less the width of the stage. */
static inline uint64_t slw_sim_first_slot(uint64_t cycle, uint32_t first)
{
    return cycle << SLOT_BITS | first;
}

/* The start of a cycle, nothing of it used. */
static inline uint64_t slw_sim_start_of(uint64_t cycle, uint32_t first)
{
    return cycle << SLOT_BITS | (first - 1);
}

/* How many slots of its cycle are used. */
static inline uint64_t slw_sim_used(uint64_t moment, uint32_t first)
{
    return moment % SLOTS - (first - 1);
}

/* Delivery of micro-ops to the queue in front of allocation. */
struct slw_sim_frontend {
    uint64_t delivered;      /* the moment of the last delivery */
    uint32_t first;          /* slot, of what delivers now */
    uint64_t decoding;       /* the cycle in which the decoders took something last: */
    uint32_t bytes_in_cycle; /* how much, and whether a long instruction was among it */
    bool long_in_cycle;
    uint8_t cause;               /* enum slw_sim_slot: why `delivered` was late */
    bool late;                   /* the next window was predicted by the second level of the BTB */
    bool from_uop_cache;         /* what is delivered now */
    uint64_t predicted;          /* cycle in which the branch predictor produced this window */
    uint64_t window, page, line; /* being fetched; ~0: none */
    uint64_t ring[FETCH_RING];   /* cycles of the last windows */
    uint32_t ring_at, window_shift;
    uint64_t fill_ready[FILL_SLOTS], fill_latest;
    uint32_t fill_line[FILL_SLOTS]; /* the last bits, plus 1 */
    uint32_t fill_at;
    struct slw_sim_cache uop_cache, l1i, itlb;
    slw_sim_hint other_line, more_uops[WINDOW_HINTS], page_places[PAGE_HINTS];
};

struct slw_sim_tagged {
    uint16_t tag;
    int8_t counter;
    uint8_t useful;
};

struct slw_sim_predictor {
    uint64_t history, path;
    uint32_t mask, index_shift, bimodal_mask;
    uint8_t *bimodal;                         /* bimodal_mask + 1 */
    struct slw_sim_tagged *tagged[HISTORIES]; /* mask + 1 each */
    uint64_t *targets, *last_targets;         /* mask + 1: by path, with a tag; by branch */
    uint64_t returns[RETURN_RING];
    uint32_t returns_at;
    struct slw_sim_cache btb, btb_first;
};

/* Of a wait, the low bits of its last moment are no slot but what is waited for: an enum
 * slw_sim_slot. The later one of two waits is still the greater number. */

/* A recent store. */
struct slw_sim_stored {
    uint64_t key;   /* its address, less 3 bits, and 1; 0: none */
    uint64_t ready; /* cycle in which a load of it has its data */
};

/* The same for cores that rename memory: when the value itself was known, which store it was, and
 * in the low 8 bits its bytes; 0: not of a general register. */
struct slw_sim_stored_value {
    uint64_t known, number;
};

/* Slots that nothing was allocated in. */
struct slw_sim_gap {
    uint64_t before; /* moment of the micro-op before them */
    uint64_t end;    /* the cycle they end with, as a wait for the front end */
    uint64_t waited; /* the wait for the back end that is a part of them */
};

/* Allocation, execution, retirement. */
struct slw_sim_backend {
    uint64_t allocated, retired; /* moments of the youngest micro-op */
    uint32_t first;              /* slot, of both */
    uint8_t retire_cause;        /* enum slw_sim_slot: what retirement waited for */
    uint64_t advance;            /* cycles the youngest micro-op moved it on */
    uint8_t long_cause;          /* the same of the last long wait, and when it was over */
    uint64_t long_until;
    uint64_t uops, loads, stores;
    uint32_t rob_mask, queue_mask, load_mask, store_mask; /* of the rings, as far as in use */
    uint32_t shortest;                                    /* entries of the shortest of them */
    uint32_t gap_count;
    uint64_t drained; /* cycle in which the last store left */
    uint64_t divider_free;
    uint64_t serial;    /* a wait for the last serialising micro-op, of no cause */
    bool recovering;    /* the last branch was mispredicted: */
    uint8_t waited_for; /* enum slw_sim_slot: what kept it from being executed */
    uint64_t resolved, resumed;
    uint64_t started; /* moment of the micro-op before this segment */
    uint64_t ready[SLW_SIM_REGISTER_COUNT];
    uint64_t rob[ROB_RING];          /* waits, until the entry is free again */
    uint64_t load_queue[QUEUE_RING]; /* the same */
    uint64_t store_queue[QUEUE_RING];
    uint64_t queue[QUEUE_RING]; /* moments in which micro-ops left the front end's queue */
    uint64_t busy[PORT_RING];   /* cycle << 16 | mask of the ports taken */
    struct slw_sim_stored stored[FORWARD_SLOTS];
    struct slw_sim_stored_value stored_values[FORWARD_SLOTS];
    struct slw_sim_gap gaps[GAPS];
};

struct slw_sim_memory {
    struct slw_sim_cache l1d, l2, dtlb, stlb;
    struct slw_sim_shared *shared; /* with the L3, which has moments of its own */
    slw_sim_hint line_places[LINE_HINTS], page_places[PAGE_HINTS], second_page, l2_line, l3_line;
    uint64_t miss_line[64], miss_ready[64], miss_latest; /* miss_buffers of them */
    uint64_t early_line[EARLY_SLOTS], early_ready[EARLY_SLOTS];
    uint64_t streams[STREAMS];
    uint32_t streams_at;
    uint64_t free; /* cycle in which memory can deliver the next line */
    uint64_t page; /* of the last access */
};

struct slw_sim_sampling {
    struct slw_sim_subsample start; /* what was counted when the window under way began */
    struct slw_sim_subsample subsamples[SLW_SIM_SUBSAMPLES];
    uint64_t windows;
};

struct slw_sim_frame {
    struct slw_sim_node *caller;
    uint64_t slot; /* address of the return address */
};

struct slw_sim_tree {
    struct slw_sim_node *root, *current;
    struct slw_sim_frame *frames; /* SLW_SIM_MAX_FRAMES */
    uint32_t depth, node_count;
    uint64_t unfollowed;
};

struct slw_sim_core {
    struct slw_sim_config config;
    struct slw_sim_host host;
    struct slw_sim_frontend frontend;
    struct slw_sim_predictor predictor;
    struct slw_sim_backend backend;
    struct slw_sim_memory memory;
    struct slw_sim_tree tree;
    struct slw_sim_sampling sampling;
    uint64_t events[SLW_SIM_EVENT_COUNT], slots[SLW_SIM_SLOT_COUNT];
    uint32_t now;         /* a moment of the caches: goes on with what uses them */
    bool is_timed;        /* the last segment was: warming leaves times alone */
    uint64_t start_cycle; /* where counting began: the start of this cycle */
    uint32_t closed_from; /* slots that were used in the cycle slw_sim_finish closed; 0: none */
    /* Of `period` instructions `detail` are timed, from the one numbered window_at on; `phase`: the
     * number of the next one. */
    uint64_t period, detail, phase, window_at, window_random;
    uint64_t detailed;
};

struct slw_sim_shared {
    struct slw_sim_cache l3;
    uint32_t now;
};

/* What a branch did to the front end. */
enum slw_sim_outcome {
    SLW_SIM_AS_PREDICTED,
    SLW_SIM_LATE, /* predicted by the second level of the BTB */
    SLW_SIM_RESTEERED,
    SLW_SIM_MISPREDICTED
};

static inline uint64_t slw_sim_later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* What was waited for until `at`, where the last wait was for `cause`: a long one before it that
 * was hardly over, if there was one. */
static inline uint8_t slw_sim_waited_for(const struct slw_sim_backend *b, uint64_t at,
                                         enum slw_sim_slot cause)
{
    return b->long_until + LONG_WAIT >= at ? b->long_cause : (uint8_t)cause;
}

static inline void slw_sim_lose(struct slw_sim_core *s, enum slw_sim_slot why, uint64_t slots)
{
    s->slots[why] += slots;
    s->tree.current->slots[why] += slots;
}

/* The address behind it, where it goes on unless it ends with a branch that is taken. */
static inline uint64_t slw_sim_end_of(const struct slw_sim_segment *segment)
{
    return segment->address + segment->bytes;
}

/* memory.c. `at`: the cycle in which the address is known. Cycle in which the data is there. */
uint64_t slw_sim_translate(struct slw_sim_core *s, struct slw_sim_cache *tlb, uint64_t page,
                           slw_sim_hint *hint, enum slw_sim_event miss);
uint64_t slw_sim_beyond_l1(struct slw_sim_core *s, uint64_t line, uint64_t at, bool is_code,
                           enum slw_sim_slot *ret_level);
uint64_t slw_sim_data(struct slw_sim_core *s, const struct slw_sim_access *a, uint64_t at,
                      enum slw_sim_slot *ret_level);

static inline slw_sim_hint *slw_sim_data_hint(struct slw_sim_memory *m, uint64_t line)
{
    return &m->line_places[line % LINE_HINTS];
}

static inline slw_sim_hint *slw_sim_page_hint(slw_sim_hint *places, uint64_t page)
{
    return &places[page % PAGE_HINTS];
}

/* Does nothing but use a line of the L1d and a page of the TLB that are where they were last time:
 * what most accesses do. False: nothing was done. *last_page and *now are those of the memory and
 * of the core, or what stands for them meanwhile. */
static inline bool slw_sim_data_is_near(struct slw_sim_memory *m, const struct slw_sim_access *a,
                                        uint64_t *last_page, uint32_t *now)
{
    const uint64_t line = a->address >> LINE_SHIFT;
    const uint64_t page = a->address >> PAGE_SHIFT;
    struct slw_sim_place *const place = &m->l1d.places[*slw_sim_data_hint(m, line)];

    if (a->address % (1 << LINE_SHIFT) + a->bytes > 1 << LINE_SHIFT ||
        !slw_sim_place_has(place, line))
        return false;
    if (page != *last_page) {
        const slw_sim_hint known = *slw_sim_page_hint(m->page_places, page);

        if (!slw_sim_cache_is_at(&m->dtlb, page, known))
            return false;
        m->dtlb.places[known].used = *now;
        *last_page = page;
    }
    place->used = (*now)++;
    return true;
}

/* The same for any access. */
void slw_sim_data_warm(struct slw_sim_core *s, const struct slw_sim_access *a);

/* frontend.c */
void slw_sim_fetch(struct slw_sim_core *s, uint64_t address, struct slw_sim_group *g);
/* The decoders take an instruction of so many bytes. */
void slw_sim_decode_bytes(struct slw_sim_core *s, uint32_t length);
/* After warming: the moment is the same, but its slots are those of what delivers now. */
void slw_sim_deliver_from(struct slw_sim_core *s);
void slw_sim_line_warm(struct slw_sim_core *s, uint64_t line, slw_sim_hint *hint);
void slw_sim_redirect(struct slw_sim_core *s, enum slw_sim_outcome outcome, bool taken,
                      uint64_t resolved);

/* slots.c: the gaps so far are charged. */
void slw_sim_settle(struct slw_sim_core *s);

/* backend.c */
void slw_sim_execute(struct slw_sim_core *s, struct slw_sim_segment *segment,
                     const struct slw_sim_access *accesses, size_t access_count,
                     const struct slw_sim_segment *next);

/* sampling.c: timing begins, and is left out again. */
void slw_sim_window_begins(struct slw_sim_core *s);
void slw_sim_window_ends(struct slw_sim_core *s);

/* tree.c: the context after `node` in pre-order; follow a call, a return or a tail jump to `next`.
 */
struct slw_sim_node *slw_sim_node_after(struct slw_sim_node *node);
void slw_sim_follow(struct slw_sim_core *s, struct slw_sim_segment *segment,
                    const struct slw_sim_access *accesses, size_t access_count,
                    const struct slw_sim_segment *next);

#endif
