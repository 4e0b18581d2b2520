/* SPDX-License-Identifier: MIT */
/* Allocation, execution and retirement, micro-op by micro-op. The state that changes with each of
 * them is a local struct that compilers keep in registers while a segment passes. */
#include "sim/core_int.h"

enum { STACK_POINTER = 4 }; /* the stack engine knows it after calls and returns */

#define ALWAYS static inline __attribute__((always_inline))

/* What changes with every micro-op; the same as in the backend and the frontend, where it is
 * between segments. */
struct pace {
    uint64_t delivered, allocated, retired; /* moments */
    uint64_t uops, advance;
    uint32_t delivery; /* the first slot of a cycle, of what delivers */
    uint32_t bytes_in_cycle;
    uint8_t cause;
    bool long_in_cycle, recovering;
};

/* What one instruction knows about itself while its micro-ops pass. */
struct passing {
    uint64_t address_ready;
    uint64_t data_ready; /* its loads */
    enum slw_sim_slot level;
    uint64_t allocated;
    bool is_general; /* no vector register is loaded or stored */
    bool has_slot;   /* a load or store of it took a slot that its work shares */
};

ALWAYS void take_frontend(struct pace *p, const struct slw_sim_core *s)
{
    const struct slw_sim_frontend *f = &s->frontend;

    p->delivered = f->delivered;
    p->bytes_in_cycle = f->bytes_in_cycle;
    p->long_in_cycle = f->long_in_cycle;
    p->delivery = f->first;
}

ALWAYS void give_frontend(const struct pace *p, struct slw_sim_core *s)
{
    struct slw_sim_frontend *f = &s->frontend;

    f->delivered = p->delivered;
    f->bytes_in_cycle = p->bytes_in_cycle;
    f->long_in_cycle = p->long_in_cycle;
}

ALWAYS void take_pace(struct pace *p, const struct slw_sim_core *s)
{
    const struct slw_sim_backend *b = &s->backend;

    take_frontend(p, s);
    p->allocated = b->allocated;
    p->retired = b->retired;
    p->uops = b->uops;
    p->advance = b->advance;
    p->cause = b->retire_cause;
    p->recovering = b->recovering;
}

ALWAYS void give_pace(const struct pace *p, struct slw_sim_core *s)
{
    struct slw_sim_backend *b = &s->backend;

    give_frontend(p, s);
    b->allocated = p->allocated;
    b->retired = p->retired;
    b->uops = p->uops;
    b->advance = p->advance;
    b->retire_cause = p->cause;
    b->recovering = p->recovering;
}

/* The slot after `moment`. */
ALWAYS uint64_t next_slot(uint64_t moment, uint32_t first)
{
    const uint64_t next = moment + 1;

    return next % SLOTS ? next : next + first;
}

/* The front end has the next micro-op in its queue when there is room. */
ALWAYS void deliver(const struct slw_sim_core *s, struct pace *p)
{
    const struct slw_sim_backend *b = &s->backend;
    const uint64_t room = b->queue[(p->uops - s->config.queue_entries) & b->queue_mask];
    const uint64_t next =
        slw_sim_later(next_slot(p->delivered, p->delivery), slw_sim_first_slot(room, p->delivery));
    const bool same = slw_sim_cycle(next) == slw_sim_cycle(p->delivered);

    p->bytes_in_cycle = same ? p->bytes_in_cycle : 0;
    p->long_in_cycle &= same;
    p->delivered = next;
}

/* The decoders take so many bytes per cycle, and of long instructions one. */
ALWAYS void decode_bytes(const struct slw_sim_core *s, struct pace *p,
                         const struct slw_sim_instruction *in)
{
    const uint32_t long_bytes = s->config.decode_long_bytes;
    const bool is_long = long_bytes && in->length > long_bytes;

    if (p->bytes_in_cycle + in->length > s->config.decode_bytes || (is_long && p->long_in_cycle)) {
        p->delivered = slw_sim_start_of(slw_sim_cycle(p->delivered) + 1, p->delivery);
        p->bytes_in_cycle = 0;
        p->long_in_cycle = false;
    }
    p->bytes_in_cycle += in->length;
    p->long_in_cycle |= is_long;
}

/* Give the next micro-op a slot: the cycle it is allocated in. `waits`: for a queue of loads or
 * stores, in the form of a ROB entry. */
ALWAYS uint64_t allocate(struct slw_sim_core *s, struct pace *p, uint64_t waits)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t rob = b->rob[(p->uops - s->config.rob_entries) & b->rob_mask];
    const uint64_t waited = slw_sim_later(rob, waits);
    const uint64_t next = next_slot(p->allocated, b->first);

    deliver(s, p);
    const uint64_t at =
        slw_sim_later(slw_sim_later(slw_sim_cycle(p->delivered), waited >> 8), b->serial_until);
    const uint64_t before = p->allocated;

    p->allocated = slw_sim_later(next, slw_sim_first_slot(at, b->first));
    if (p->allocated != next)
        slw_sim_charge(s, before, at, waited, p->recovering);
    p->recovering = false;
    b->queue[p->uops & b->queue_mask] = slw_sim_cycle(p->allocated);
    return slw_sim_cycle(p->allocated);
}

ALWAYS void note_wait(struct slw_sim_backend *b, struct pace *p, uint64_t advance, uint64_t done,
                      enum slw_sim_slot cause)
{
    p->advance = advance;
    p->cause = (uint8_t)cause;
    if (advance >= LONG_WAIT) {
        b->long_cause = (uint8_t)cause;
        b->long_until = done;
    }
}

/* The youngest micro-op cannot retire before `done`. Of the parts of one micro-op, a load and what
 * is done with it, the one that takes longer is the cause. */
ALWAYS void retire_not_before(struct slw_sim_core *s, struct pace *p, uint64_t done,
                              enum slw_sim_slot cause)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t retired = slw_sim_cycle(p->retired);

    if (done <= retired)
        return;
    if (done - retired >= p->advance)
        note_wait(b, p, done - retired, done, cause);
    p->retired = slw_sim_first_slot(done, b->first);
    b->rob[(p->uops - 1) & b->rob_mask] = (done + 1) << 8 | p->cause;
}

ALWAYS void retire(struct slw_sim_core *s, struct pace *p, uint64_t done, enum slw_sim_slot cause)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t next = next_slot(p->retired, b->first);
    const uint64_t cycle = slw_sim_cycle(next);

    p->advance = 0;
    p->retired = next;
    if (done > cycle) {
        note_wait(b, p, done - cycle, done, cause);
        p->retired = slw_sim_first_slot(done, b->first);
    }
    b->rob[p->uops++ & b->rob_mask] = (slw_sim_cycle(p->retired) + 1) << 8 | p->cause;
}

/* One of `ports` that is idle in cycle `at`, taken: true. */
ALWAYS bool take_port(struct slw_sim_backend *b, uint32_t ports, uint64_t at)
{
    uint64_t *const slot = &b->busy[at % PORT_RING];
    const uint64_t none = at << 16;
    const int64_t past = (int64_t)(*slot - none);
    const uint64_t taken = past < 0 ? 0 : (uint64_t)past;
    const uint64_t idle = ports & ~taken;

    if (idle == 0 || past > 0xffff) /* the ring went round: that cycle is long past */
        return false;
    *slot = none | taken | (idle & (~idle + 1));
    return true;
}

/* The first cycle from `at` on in which one of `ports` is idle; takes it. */
ALWAYS uint64_t port(struct slw_sim_backend *b, uint32_t ports, uint64_t at)
{
    for (unsigned i = 0; i < PORT_SEARCH && !take_port(b, ports, at); i++)
        at++;
    return at;
}

/* Registers that are not there are ready at 0, so that nothing has to be asked. */
ALWAYS uint64_t sources_ready(const struct slw_sim_backend *b, const struct slw_sim_instruction *in)
{
    return slw_sim_later(slw_sim_later(b->ready[in->sources[0]], b->ready[in->sources[1]]),
                         slw_sim_later(b->ready[in->sources[2]], b->ready[in->sources[3]]));
}

ALWAYS uint64_t address_ready(const struct slw_sim_backend *b, const struct slw_sim_instruction *in)
{
    return slw_sim_later(b->ready[in->addresses[0]], b->ready[in->addresses[1]]);
}

/* Are its operands in general registers, or none? */
ALWAYS bool is_general(const struct slw_sim_instruction *in)
{
    const uint32_t vectors = SLW_SIM_FLAGS - SLW_SIM_VECTOR;

    return in->targets[0] - (uint32_t)SLW_SIM_VECTOR >= vectors &&
           in->sources[0] - (uint32_t)SLW_SIM_VECTOR >= vectors;
}

/* Some cores foresee that what is loaded was just stored, and take the register it came from, as
 * long as both are whole general registers and the store is still in the queue. */
ALWAYS bool is_renamed(const struct slw_sim_core *s, const struct slw_sim_access *a, uint64_t slot,
                       const struct passing *now)
{
    const struct slw_sim_memory *m = &s->memory;

    return s->config.memory_renaming && now->is_general && a->bytes >= 4 &&
           m->forward_bytes[slot] == a->bytes &&
           s->backend.stores - m->forward_store[slot] <= s->config.store_queue_entries;
}

ALWAYS uint64_t forwarded(struct slw_sim_core *s, const struct slw_sim_access *a, uint64_t ready,
                          const struct passing *now, enum slw_sim_slot *level)
{
    const struct slw_sim_memory *m = &s->memory;
    const uint64_t key = a->address >> 3;
    const uint64_t slot = key % FORWARD_SLOTS;

    if (m->forward_key[slot] != key + 1)
        return ready;
    if (is_renamed(s, a, slot, now)) {
        s->events[SLW_SIM_FORWARDS]++;
        *level = SLW_SIM_CORE_EXECUTION;
        return slw_sim_later(now->allocated, m->forward_value[slot]);
    }
    if (m->forward_ready[slot] <= ready)
        return ready;
    s->events[SLW_SIM_FORWARDS]++;
    *level = SLW_SIM_MEMORY_L1;
    return m->forward_ready[slot];
}

/* Most accesses are to the page of the one before, and to the line used last in its set. */
ALWAYS uint64_t data(struct slw_sim_core *s, const struct slw_sim_access *a, uint64_t at,
                     enum slw_sim_slot *level)
{
    struct slw_sim_memory *m = &s->memory;
    const uint64_t ready = at + s->config.l1d_latency;

    if (!slw_sim_data_is_near(m, a) || m->miss_latest > ready)
        return slw_sim_data(s, a, at, level);
    *level = SLW_SIM_MEMORY_L1;
    return ready;
}

ALWAYS void load(struct slw_sim_core *s, struct pace *p, const struct slw_sim_access *a,
                 struct passing *now)
{
    struct slw_sim_backend *b = &s->backend;
    enum slw_sim_slot level = SLW_SIM_MEMORY_L1;

    now->allocated =
        allocate(s, p, b->load_queue[(b->loads - s->config.load_queue_entries) & b->load_mask]);
    const uint64_t issued =
        port(b, s->config.ports_load, slw_sim_later(now->allocated + 1, now->address_ready));
    const uint64_t ready = forwarded(s, a, data(s, a, issued, &level), now, &level);

    if (ready > now->data_ready) {
        now->data_ready = ready;
        now->level = level;
    }
    retire(s, p, ready, level);
    b->load_queue[b->loads++ & b->load_mask] = (slw_sim_cycle(p->retired) + 1) << 8 | p->cause;
    now->has_slot = true;
}

/* Asks for its line as soon as the address is known; leaves the queue in order, after it retired
 * and the line is there. */
ALWAYS void store(struct slw_sim_core *s, struct pace *p, const struct slw_sim_access *a,
                  struct passing *now, uint64_t value)
{
    struct slw_sim_backend *b = &s->backend;
    struct slw_sim_memory *m = &s->memory;
    enum slw_sim_slot level;

    now->allocated =
        allocate(s, p, b->store_queue[(b->stores - s->config.store_queue_entries) & b->store_mask]);
    const uint64_t issued =
        port(b, s->config.ports_store, slw_sim_later(now->allocated + 1, now->address_ready));
    const uint64_t there = data(s, a, issued, &level);
    const uint64_t known = slw_sim_later(issued, value);
    const uint64_t key = a->address >> 3;

    retire(s, p, known + 1, SLW_SIM_CORE_EXECUTION);
    const uint64_t retired = slw_sim_cycle(p->retired);

    b->drained = slw_sim_later(slw_sim_later(retired, b->drained + 1), there);
    /* A full queue is about stores only when they wait for more than to retire. */
    b->store_queue[b->stores++ & b->store_mask] =
        b->drained << 8 | (b->drained > retired ? SLW_SIM_MEMORY_STORE : p->cause);
    m->forward_key[key % FORWARD_SLOTS] = key + 1;
    m->forward_ready[key % FORWARD_SLOTS] = known + s->config.forward_latency;
    m->forward_value[key % FORWARD_SLOTS] = value;
    m->forward_bytes[key % FORWARD_SLOTS] = now->is_general ? a->bytes : 0;
    m->forward_store[key % FORWARD_SLOTS] = b->stores;
    now->has_slot = true;
}

/* When the result of a micro-op is there whose operands are at `ready`. */
ALWAYS uint64_t work(struct slw_sim_core *s, const struct pace *p,
                     const struct slw_sim_instruction *in, uint64_t ready, uint64_t allocated)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t at = slw_sim_later(allocated + 1, ready);

    switch (in->unit) {
    case SLW_SIM_UNIT_NONE:
        return allocated + 1;
    case SLW_SIM_UNIT_MOVE:
        return slw_sim_later(allocated, ready);
    case SLW_SIM_UNIT_DIV32:
    case SLW_SIM_UNIT_DIV64:
    case SLW_SIM_UNIT_FP_DIVIDE: {
        const uint64_t start = slw_sim_later(at, b->divider_free);

        b->divider_free = start + in->busy;
        return start + in->latency;
    }
    case SLW_SIM_UNIT_LOCKED:
        return at + in->latency;
    case SLW_SIM_UNIT_SERIAL:
        b->serial_until = slw_sim_later(at, slw_sim_cycle(p->retired)) + in->latency;
        return b->serial_until;
    default:
        return port(b, in->ports, at) + in->latency;
    }
}

ALWAYS enum slw_sim_slot cause_of(const struct slw_sim_instruction *in)
{
    return in->unit == SLW_SIM_UNIT_DIV32 || in->unit == SLW_SIM_UNIT_DIV64 ||
                   in->unit == SLW_SIM_UNIT_FP_DIVIDE
               ? SLW_SIM_CORE_DIVIDER
               : SLW_SIM_CORE_EXECUTION;
}

/* The micro-ops that compute; a load shares its slot with the first of them, a branch that of the
 * compare before it. Returns when the result is there. */
ALWAYS uint64_t compute(struct slw_sim_core *s, struct pace *p,
                        const struct slw_sim_instruction *in, struct passing *now)
{
    const struct slw_sim_backend *b = &s->backend;
    const bool shares = (in->is & SLW_SIM_FUSED) || (now->has_slot && in->uops > 0);
    unsigned slots = in->is & SLW_SIM_FUSED ? 0 : in->uops - (unsigned)shares;

    if (in->unit == SLW_SIM_UNIT_MOVE && now->has_slot)
        return slw_sim_later(now->data_ready, sources_ready(b, in)) + in->latency;
    if (in->is & SLW_SIM_REPEATS)
        slots = now->has_slot ? 0 : 1;
    if (in->is & SLW_SIM_FUSED)
        now->allocated = slw_sim_cycle(p->allocated);
    const uint64_t ready = slw_sim_later(now->data_ready, sources_ready(b, in));

    for (unsigned i = 0; i < slots; i++) {
        now->allocated = allocate(s, p, 0);
        if (i + 1 < slots)
            retire(s, p, now->allocated + 1, SLW_SIM_CORE_EXECUTION);
    }
    const uint64_t done = work(s, p, in, ready, now->allocated);

    if (slots > 0)
        retire(s, p, done, cause_of(in));
    else
        retire_not_before(s, p, done, cause_of(in));
    now->has_slot = true;
    return done;
}

/* A store without other work needs no slot but its own. */
ALWAYS bool only_stores(const struct slw_sim_instruction *in)
{
    return in->unit == SLW_SIM_UNIT_MOVE || (in->is & (SLW_SIM_REPEATS | SLW_SIM_PUSHES));
}

ALWAYS void write_back(struct slw_sim_backend *b, const struct slw_sim_instruction *in,
                       uint64_t done)
{
    b->ready[in->targets[0]] = done;
    b->ready[in->targets[1]] = done;
    b->ready[in->flags_written] = done;
}

/* One micro-op and no access: most instructions. */
ALWAYS uint64_t simple(struct slw_sim_core *s, struct pace *p, const struct slw_sim_instruction *in)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t allocated = allocate(s, p, 0);
    const uint64_t ready = sources_ready(b, in);
    uint64_t done;

    if (in->shape == SLW_SIM_ONE_WORK) {
        done = port(b, in->ports, slw_sim_later(allocated + 1, ready)) + in->latency;
        retire(s, p, done, SLW_SIM_CORE_EXECUTION);
    } else {
        done = work(s, p, in, ready, allocated);
        retire(s, p, done, cause_of(in));
    }
    write_back(b, in, done);
    return done;
}

/* A conditional jump that is one micro-op with the compare before it. */
ALWAYS uint64_t fused_branch(struct slw_sim_core *s, struct pace *p,
                             const struct slw_sim_instruction *in)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t at = slw_sim_later(slw_sim_cycle(p->allocated) + 1, sources_ready(b, in));
    const uint64_t done = port(b, in->ports, at) + in->latency;

    retire_not_before(s, p, done, SLW_SIM_CORE_EXECUTION);
    write_back(b, in, done);
    b->ready[STACK_POINTER] = 0;
    return done;
}

/* One load and nothing else, or work of one micro-op with what it loaded. */
ALWAYS uint64_t simple_load(struct slw_sim_core *s, struct pace *p,
                            const struct slw_sim_instruction *in, const struct slw_sim_access *a)
{
    struct slw_sim_backend *b = &s->backend;
    struct passing now = {.address_ready = address_ready(b, in), .is_general = is_general(in)};

    load(s, p, a, &now);
    uint64_t done = slw_sim_later(now.data_ready, sources_ready(b, in));

    if (in->unit == SLW_SIM_UNIT_MOVE) {
        done += in->latency;
    } else {
        done = port(b, in->ports, slw_sim_later(now.allocated + 1, done)) + in->latency;
        retire_not_before(s, p, done, SLW_SIM_CORE_EXECUTION);
    }
    write_back(b, in, done);
    if (in->branch)
        b->ready[STACK_POINTER] = 0;
    return done;
}

/* One store of a register, or of a return address. */
ALWAYS uint64_t simple_store(struct slw_sim_core *s, struct pace *p,
                             const struct slw_sim_instruction *in, const struct slw_sim_access *a)
{
    struct slw_sim_backend *b = &s->backend;
    struct passing now = {.address_ready = address_ready(b, in), .is_general = is_general(in)};
    uint64_t done = sources_ready(b, in);

    store(s, p, a, &now, in->is & SLW_SIM_PUSHES ? 0 : done);
    if (in->branch) {
        done = port(b, in->ports, slw_sim_later(now.allocated + 1, done)) + in->latency;
    }
    write_back(b, in, done);
    if (in->branch)
        b->ready[STACK_POINTER] = 0;
    return done;
}

/* Any instruction, with its accesses. Returns when its result, or the direction of a branch, is
 * known. */
static uint64_t with_accesses(struct slw_sim_core *s, struct pace *p,
                              const struct slw_sim_instruction *in,
                              const struct slw_sim_access *accesses, size_t count)
{
    struct slw_sim_backend *b = &s->backend;
    struct passing now = {.address_ready = address_ready(b, in),
                          .level = SLW_SIM_CORE_EXECUTION,
                          .is_general = is_general(in)};
    bool stores = false;
    uint64_t done = 0;

    for (size_t i = 0; i < count; i++) {
        stores |= accesses[i].is_store;
        if (!accesses[i].is_store)
            load(s, p, &accesses[i], &now);
    }
    if (!stores || !only_stores(in))
        done = compute(s, p, in, &now);
    else
        done = slw_sim_later(now.data_ready, sources_ready(b, in));
    for (size_t i = 0; stores && i < count; i++)
        if (accesses[i].is_store)
            store(s, p, &accesses[i], &now, in->is & SLW_SIM_PUSHES ? 0 : done);
    if (stores && only_stores(in) && in->branch)
        done = work(s, p, in, done, now.allocated);
    /* The pointers of a rep do not wait for what they point to. */
    write_back(b, in, in->is & SLW_SIM_REPEATS ? now.allocated + 1 : done);
    if (in->branch)
        b->ready[STACK_POINTER] = 0;
    return done;
}

static __attribute__((noinline)) uint64_t general(struct slw_sim_core *s,
                                                  const struct slw_sim_instruction *in,
                                                  const struct slw_sim_access *accesses,
                                                  size_t count)
{
    struct pace p;

    take_pace(&p, s);
    const uint64_t done = with_accesses(s, &p, in, accesses, count);

    give_pace(&p, s);
    return done;
}

ALWAYS uint64_t not_simple(struct slw_sim_core *s, struct pace *p,
                           const struct slw_sim_instruction *in,
                           const struct slw_sim_access *accesses, size_t count)
{
    if (count == 1 && (in->shape & (accesses->is_store ? SLW_SIM_ONE_STORE : SLW_SIM_ONE_LOAD)))
        return accesses->is_store ? simple_store(s, p, in, accesses)
                                  : simple_load(s, p, in, accesses);
    if (count == 0 && (in->shape & SLW_SIM_FUSED_BRANCH))
        return fused_branch(s, p, in);
    give_pace(p, s);
    const uint64_t done = general(s, in, accesses, count);

    take_pace(p, s);
    return done;
}

/* The branch at the end of the segment went to `next`; NULL: nowhere, the thread ended. */
ALWAYS void leave(struct slw_sim_core *s, const struct slw_sim_instruction *last, uint64_t done,
                  const struct slw_sim_segment *next)
{
    if (last->branch == SLW_SIM_SYSCALL)
        s->events[SLW_SIM_SYSCALLS]++;
    if (last->branch == SLW_SIM_SYSCALL || !next)
        return;
    const bool taken = next->address != last->address + last->length;

    slw_sim_redirect(s, slw_sim_predict(s, last, taken, next->address), taken, done);
}

ALWAYS void fetch(struct slw_sim_core *s, struct pace *p, const struct slw_sim_instruction *in)
{
    give_frontend(p, s);
    slw_sim_fetch(s, in);
    take_frontend(p, s);
}

void slw_sim_execute(struct slw_sim_core *s, const struct slw_sim_segment *segment,
                     const struct slw_sim_access *accesses, size_t access_count,
                     const struct slw_sim_segment *next)
{
    const struct slw_sim_instruction *in = segment->instructions;
    const struct slw_sim_instruction *const end = in + segment->count;
    const struct slw_sim_access *const past = access_count ? accesses + access_count : accesses;
    const uint64_t uops = s->backend.uops;
    struct pace p;
    uint64_t done = 0;

    take_pace(&p, s);
    for (; in < end; in++) {
        if (in->is & SLW_SIM_GROUP)
            fetch(s, &p, in);
        if (!s->frontend.from_uop_cache)
            decode_bytes(s, &p, in);
        if (in->is & SLW_SIM_SIMPLE) {
            done = simple(s, &p, in);
            continue;
        }
        const struct slw_sim_access *const own = accesses;

        while (accesses < past && accesses->index == in - segment->instructions)
            accesses++;
        done = not_simple(s, &p, in, own, (size_t)(accesses - own));
    }
    give_pace(&p, s);
    slw_sim_lose(s, SLW_SIM_RETIRING, p.uops - uops);
    if (in[-1].branch)
        leave(s, in - 1, done, next);
}
