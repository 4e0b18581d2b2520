/* SPDX-License-Identifier: MIT */
/* Allocation, execution and retirement, micro-op by micro-op, and the accounting of slots: every
 * slot between two allocated micro-ops is charged to one reason, so that their sum is width times
 * cycles by construction. */
#include "sim/core_int.h"

/* What one instruction knows about itself while its micro-ops pass. */
struct passing {
    uint64_t address_ready;
    uint64_t data_ready; /* its loads */
    enum slw_sim_slot level;
    uint64_t allocated;
    bool has_slot; /* a load or store of it took a slot that its work shares */
};

/* Charge `slots` slots to `why`, but no more than are left; what is left. */
static uint64_t charge(struct slw_sim_core *s, enum slw_sim_slot why, uint64_t slots, uint64_t left)
{
    const uint64_t taken = slots < left ? slots : left;

    if (taken)
        slw_sim_lose(s, why, taken);
    return left - taken;
}

/* Slots from the first unused one up to the start of `cycle`; 0 when that is in the past. */
static uint64_t slots_until(const struct slw_sim_core *s, uint64_t cycle, uint64_t left,
                            uint64_t end)
{
    const uint64_t after = cycle < end ? (end - cycle) * s->config.width : 0;

    return left > after ? left - after : 0;
}

/* What kept a mispredicted branch from being executed. */
static enum slw_sim_slot branch_waited_for(const struct slw_sim_backend *b)
{
    return b->long_until + LONG_WAIT >= b->resolved ? (enum slw_sim_slot)b->long_cause
                                                    : SLW_SIM_CORE_EXECUTION;
}

/* After a mispredicted branch the slots up to its execution went to the wrong path, as many as the
 * reorder buffer holds; then the branch waited for something itself. Those of the refill are lost
 * to it as well. */
static uint64_t charge_recovery(struct slw_sim_core *s, uint64_t left, uint64_t end)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t unresolved = slots_until(s, b->resolved, left, end);
    const uint64_t wrong = unresolved < s->config.rob_entries ? unresolved : s->config.rob_entries;

    left = charge(s, SLW_SIM_BAD_SPECULATION, wrong, left);
    left = charge(s, branch_waited_for(b), unresolved - wrong, left);
    return charge(s, SLW_SIM_BAD_SPECULATION, slots_until(s, b->resumed, left, end), left);
}

/* The next micro-op is allocated in cycle `end`, later than the one before it. */
static void charge_gap(struct slw_sim_core *s, uint64_t end, uint64_t backend,
                       enum slw_sim_slot backend_cause)
{
    struct slw_sim_backend *b = &s->backend;
    const uint32_t width = s->config.width;
    const uint64_t gap = (end - b->cycle) * width - b->in_cycle;
    uint64_t left = gap;

    if (b->recovering)
        left = charge_recovery(s, left, end);
    left = charge(s, backend_cause, slots_until(s, backend, left, end), left);
    /* The rest of a cycle in which something was delivered, then whole cycles without. */
    if (left == gap)
        left = charge(s, SLW_SIM_FETCH_BANDWIDTH, width - b->in_cycle, left);
    (void)charge(s, (enum slw_sim_slot)s->frontend.cause, left, left);
    b->cycle = end;
    b->in_cycle = 0;
}

/* Cycle in which the front end has the next micro-op in its queue. */
static inline uint64_t deliver(struct slw_sim_core *s)
{
    struct slw_sim_frontend *f = &s->frontend;
    const struct slw_sim_backend *b = &s->backend;
    const uint32_t width = f->from_uop_cache ? s->config.uop_cache_width : s->config.decode_width;
    const uint64_t room = b->queue[(b->uops - s->config.queue_entries) % QUEUE_RING];

    if (f->in_cycle >= width || f->cycle < room) {
        f->cycle = slw_sim_later(f->cycle + (f->in_cycle >= width), room);
        f->in_cycle = 0;
        f->bytes_in_cycle = 0;
        f->long_in_cycle = false;
    }
    f->in_cycle++;
    return f->cycle;
}

/* The decoders take so many bytes per cycle, and of long instructions one. */
static void decode_bytes(struct slw_sim_core *s, const struct slw_sim_instruction *in)
{
    struct slw_sim_frontend *f = &s->frontend;
    const uint32_t long_bytes = s->config.decode_long_bytes;
    const bool is_long = long_bytes && in->length > long_bytes;

    if (f->bytes_in_cycle + in->length > s->config.decode_bytes || (is_long && f->long_in_cycle)) {
        f->cycle++;
        f->in_cycle = 0;
        f->bytes_in_cycle = 0;
        f->long_in_cycle = false;
    }
    f->bytes_in_cycle += in->length;
    f->long_in_cycle |= is_long;
}

/* Give the next micro-op a slot: the cycle it is allocated in. `waits`: for a queue of loads or
 * stores, in the form of a ROB entry. */
static inline uint64_t allocate(struct slw_sim_core *s, uint64_t waits)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t delivered = deliver(s);
    const uint64_t free =
        slw_sim_later(b->rob[(b->uops - s->config.rob_entries) % ROB_RING], waits);
    uint64_t backend = free >> 8;
    enum slw_sim_slot cause = (enum slw_sim_slot)(free & 0xff);

    if (b->serial_until > backend) {
        backend = b->serial_until;
        cause = SLW_SIM_CORE_EXECUTION;
    }
    const uint64_t earliest = b->cycle + (b->in_cycle >= s->config.width);
    const uint64_t at = slw_sim_later(slw_sim_later(earliest, delivered), backend);

    if (at > b->cycle)
        charge_gap(s, at, backend, cause);
    b->recovering = false;
    b->in_cycle++;
    b->queue[b->uops % QUEUE_RING] = at;
    return at;
}

/* The youngest micro-op cannot retire before `done`. Of the parts of one micro-op, a load and what
 * is done with it, the one that takes longer is the cause. */
static inline void retire_not_before(struct slw_sim_backend *b, uint64_t done,
                                     enum slw_sim_slot cause)
{
    if (done <= b->retired)
        return;
    const uint64_t advance = done - b->retired;

    if (advance >= b->advance) {
        b->advance = advance;
        b->retire_cause = (uint8_t)cause;
        if (advance >= LONG_WAIT) {
            b->long_cause = (uint8_t)cause;
            b->long_until = done;
        }
    }
    b->retired = done;
    b->retired_in_cycle = 1;
    b->rob[(b->uops - 1) % ROB_RING] = (done + 1) << 8 | b->retire_cause;
}

static inline void retire(struct slw_sim_core *s, uint64_t done, enum slw_sim_slot cause)
{
    struct slw_sim_backend *b = &s->backend;

    if (b->retired_in_cycle >= s->config.width) {
        b->retired++;
        b->retired_in_cycle = 0;
    }
    b->retired_in_cycle++;
    b->rob[b->uops % ROB_RING] = (b->retired + 1) << 8 | b->retire_cause;
    b->uops++;
    b->advance = 0;
    retire_not_before(b, done, cause);
}

/* One of `ports` that is idle in cycle `at`, taken: true. */
static inline bool take_port(struct slw_sim_backend *b, uint32_t ports, uint64_t at)
{
    uint64_t *const slot = &b->busy[at % PORT_RING];
    const uint64_t taken = *slot >> 16 == at ? *slot : at << 16;
    const uint32_t idle = ports & ~(uint32_t)(taken & 0xffff);

    if (!idle || *slot >> 16 > at) /* the ring went round: that cycle is long past */
        return false;
    *slot = taken | (idle & (~idle + 1));
    return true;
}

/* The first cycle from `at` on in which one of `ports` is idle; takes it. */
static inline uint64_t port(struct slw_sim_backend *b, uint32_t ports, uint64_t at)
{
    for (unsigned i = 0; i < PORT_SEARCH && !take_port(b, ports, at); i++)
        at++;
    return at;
}

/* Registers that are not there are ready at 0, so that nothing has to be asked. */
static inline uint64_t sources_ready(const struct slw_sim_backend *b,
                                     const struct slw_sim_instruction *in)
{
    return slw_sim_later(slw_sim_later(b->ready[in->sources[0]], b->ready[in->sources[1]]),
                         slw_sim_later(b->ready[in->sources[2]], b->ready[in->sources[3]]));
}

static inline uint64_t address_ready(const struct slw_sim_backend *b,
                                     const struct slw_sim_instruction *in)
{
    return slw_sim_later(b->ready[in->addresses[0]], b->ready[in->addresses[1]]);
}

static uint64_t forwarded(struct slw_sim_core *s, const struct slw_sim_access *a, uint64_t ready,
                          enum slw_sim_slot *level)
{
    const struct slw_sim_memory *m = &s->memory;
    const uint64_t key = a->address >> 3;

    if (m->forward_key[key % FORWARD_SLOTS] != key + 1 ||
        m->forward_ready[key % FORWARD_SLOTS] <= ready)
        return ready;
    s->events[SLW_SIM_FORWARDS]++;
    *level = SLW_SIM_MEMORY_L1;
    return m->forward_ready[key % FORWARD_SLOTS];
}

static void load(struct slw_sim_core *s, const struct slw_sim_access *a, struct passing *p)
{
    struct slw_sim_backend *b = &s->backend;
    enum slw_sim_slot level = SLW_SIM_MEMORY_L1;

    s->events[SLW_SIM_LOADS]++;
    p->allocated =
        allocate(s, b->load_queue[(b->loads - s->config.load_queue_entries) % QUEUE_RING]);
    const uint64_t issued =
        port(b, s->config.ports_load, slw_sim_later(p->allocated + 1, p->address_ready));
    const uint64_t ready = forwarded(s, a, slw_sim_data(s, a, issued, &level), &level);

    if (ready > p->data_ready) {
        p->data_ready = ready;
        p->level = level;
    }
    retire(s, ready, level);
    b->load_queue[b->loads++ % QUEUE_RING] = b->rob[(b->uops - 1) % ROB_RING];
    p->has_slot = true;
}

/* Asks for its line as soon as the address is known; leaves the queue in order, after it retired
 * and the line is there. */
static void store(struct slw_sim_core *s, const struct slw_sim_access *a, struct passing *p,
                  uint64_t data)
{
    struct slw_sim_backend *b = &s->backend;
    struct slw_sim_memory *m = &s->memory;
    enum slw_sim_slot level;

    s->events[SLW_SIM_STORES]++;
    p->allocated =
        allocate(s, b->store_queue[(b->stores - s->config.store_queue_entries) % QUEUE_RING]);
    const uint64_t issued =
        port(b, s->config.ports_store, slw_sim_later(p->allocated + 1, p->address_ready));
    const uint64_t there = slw_sim_data(s, a, issued, &level);
    const uint64_t known = slw_sim_later(issued, data);
    const uint64_t key = a->address >> 3;

    retire(s, known + 1, SLW_SIM_CORE_EXECUTION);
    b->drained = slw_sim_later(slw_sim_later(b->retired, b->drained + 1), there);
    /* A full queue is about stores only when they wait for more than to retire. */
    b->store_queue[b->stores++ % QUEUE_RING] =
        b->drained << 8 | (b->drained > b->retired ? SLW_SIM_MEMORY_STORE : b->retire_cause);
    m->forward_key[key % FORWARD_SLOTS] = key + 1;
    m->forward_ready[key % FORWARD_SLOTS] = known + s->config.forward_latency;
    p->has_slot = true;
}

/* When the result of a micro-op is there whose operands are at `ready`. */
static inline uint64_t work(struct slw_sim_core *s, const struct slw_sim_instruction *in,
                            uint64_t ready, struct passing *p)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t at = slw_sim_later(p->allocated + 1, ready);

    switch (in->unit) {
    case SLW_SIM_UNIT_NONE:
        return p->allocated + 1;
    case SLW_SIM_UNIT_MOVE:
        return slw_sim_later(p->allocated, ready);
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
        b->serial_until = slw_sim_later(at, b->retired) + in->latency;
        return b->serial_until;
    default:
        return port(b, in->ports, at) + in->latency;
    }
}

static enum slw_sim_slot cause_of(const struct slw_sim_instruction *in)
{
    return in->unit == SLW_SIM_UNIT_DIV32 || in->unit == SLW_SIM_UNIT_DIV64 ||
                   in->unit == SLW_SIM_UNIT_FP_DIVIDE
               ? SLW_SIM_CORE_DIVIDER
               : SLW_SIM_CORE_EXECUTION;
}

/* The micro-ops that compute; a load shares its slot with the first of them, a branch that of the
 * compare before it. Returns when the result is there. */
static uint64_t compute(struct slw_sim_core *s, const struct slw_sim_instruction *in,
                        struct passing *p)
{
    struct slw_sim_backend *b = &s->backend;
    const bool shares = (in->is & SLW_SIM_FUSED) || (p->has_slot && in->uops > 0);
    unsigned slots = in->is & SLW_SIM_FUSED ? 0 : in->uops - (unsigned)shares;

    if (in->unit == SLW_SIM_UNIT_MOVE && p->has_slot)
        return slw_sim_later(p->data_ready, sources_ready(b, in));
    if (in->is & SLW_SIM_REPEATS)
        slots = p->has_slot ? 0 : 1;
    if (in->is & SLW_SIM_FUSED)
        p->allocated = b->cycle;
    const uint64_t ready = slw_sim_later(p->data_ready, sources_ready(b, in));

    for (unsigned i = 0; i < slots; i++) {
        p->allocated = allocate(s, 0);
        if (i + 1 < slots)
            retire(s, p->allocated + 1, SLW_SIM_CORE_EXECUTION);
    }
    const uint64_t done = work(s, in, ready, p);

    if (slots > 0)
        retire(s, done, cause_of(in));
    else
        retire_not_before(b, done, cause_of(in));
    p->has_slot = true;
    return done;
}

/* A store without other work needs no slot but its own. */
static bool only_stores(const struct slw_sim_instruction *in)
{
    return in->unit == SLW_SIM_UNIT_MOVE || (in->is & (SLW_SIM_REPEATS | SLW_SIM_PUSHES));
}

static inline void write_back(struct slw_sim_backend *b, const struct slw_sim_instruction *in,
                              uint64_t done)
{
    b->ready[in->targets[0]] = done;
    b->ready[in->targets[1]] = done;
    b->ready[SLW_SIM_NO_REGISTER] = 0;
    if (in->is & SLW_SIM_WRITES_FLAGS)
        b->ready[SLW_SIM_FLAGS] = done;
}

/* One micro-op and no access: most instructions. */
static inline uint64_t simple(struct slw_sim_core *s, const struct slw_sim_instruction *in)
{
    struct passing p = {.allocated = allocate(s, 0)};
    const uint64_t done = work(s, in, sources_ready(&s->backend, in), &p);

    retire(s, done, cause_of(in));
    write_back(&s->backend, in, done);
    return done;
}

/* Accesses `from` up to `to` are its own. Returns when its result, or the direction of a branch, is
 * known. */
static uint64_t with_accesses(struct slw_sim_core *s, const struct slw_sim_instruction *in,
                              const struct slw_sim_access *accesses, size_t from, size_t to)
{
    struct slw_sim_backend *b = &s->backend;
    struct passing p = {.address_ready = address_ready(b, in), .level = SLW_SIM_CORE_EXECUTION};
    bool stores = false;
    uint64_t done = 0;

    for (size_t i = from; i < to; i++) {
        stores |= accesses[i].is_store;
        if (!accesses[i].is_store)
            load(s, &accesses[i], &p);
    }
    if (!stores || !only_stores(in))
        done = compute(s, in, &p);
    else
        done = slw_sim_later(p.data_ready, sources_ready(b, in));
    for (size_t i = from; stores && i < to; i++)
        if (accesses[i].is_store)
            store(s, &accesses[i], &p, in->is & SLW_SIM_PUSHES ? 0 : done);
    if (stores && only_stores(in) && in->branch)
        done = work(s, in, done, &p);
    /* The pointers of a rep do not wait for what they point to. */
    write_back(b, in, in->is & SLW_SIM_REPEATS ? p.allocated + 1 : done);
    if (in->branch)
        b->ready[4] = 0; /* calls and returns: the stack engine knows it */
    return done;
}

/* The branch at the end of the segment went to `next`; NULL: nowhere, the thread ended. */
static void leave(struct slw_sim_core *s, const struct slw_sim_instruction *last, uint64_t done,
                  const struct slw_sim_segment *next)
{
    if (last->branch == SLW_SIM_SYSCALL)
        s->events[SLW_SIM_SYSCALLS]++;
    if (last->branch == SLW_SIM_SYSCALL || !next)
        return;
    const bool taken = next->address != last->address + last->length;

    slw_sim_redirect(s, slw_sim_predict(s, last, taken, next->address), taken, done);
}

void slw_sim_execute(struct slw_sim_core *s, const struct slw_sim_segment *segment,
                     const struct slw_sim_access *accesses, size_t access_count,
                     const struct slw_sim_segment *next)
{
    const struct slw_sim_instruction *in = segment->instructions;
    const uint64_t uops = s->backend.uops;
    uint64_t done = 0;
    size_t at = 0;

    for (uint32_t i = 0; i < segment->count; i++, in++) {
        size_t end = at;

        if (in->is & SLW_SIM_GROUP)
            slw_sim_fetch(s, in);
        if (!s->frontend.from_uop_cache)
            decode_bytes(s, in);
        if (in->is & SLW_SIM_SIMPLE) {
            done = simple(s, in);
            continue;
        }
        while (end < access_count && accesses[end].index == i)
            end++;
        done = with_accesses(s, in, accesses, at, end);
        at = end;
    }
    slw_sim_lose(s, SLW_SIM_RETIRING, s->backend.uops - uops);
    if (in[-1].branch)
        leave(s, in - 1, done, next);
}
