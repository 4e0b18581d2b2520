/* SPDX-License-Identifier: MIT */
/* Execution: what each micro-op of an instruction waits for, and when its result is there. */
#include "sim/pace_int.h"
#include "sim/predictor_int.h"

enum { STACK_POINTER = 4 }; /* the stack engine knows it after calls and returns */

/* What one instruction knows about itself while its micro-ops pass. */
struct passing {
    uint64_t address_ready;
    uint64_t data_ready; /* its loads */
    enum slw_sim_slot level;
    uint64_t allocated;
    const struct slw_sim_instruction *in; /* it */
    bool has_slot; /* a load or store of it took a slot that its work shares */
};

/* The first cycle from `at` on in which one of `ports` is idle, when it is not idle at once. Where
 * the ring went round, that cycle is long past. */
static __attribute__((noinline)) uint64_t port_later(struct slw_sim_backend *b, uint32_t ports,
                                                     uint64_t at)
{
    for (unsigned i = 0; i < PORT_SEARCH; i++, at++) {
        uint64_t *const slot = &b->busy[at % PORT_RING];
        const uint64_t taken = slw_sim_later(*slot, at << 16);
        const uint64_t idle = ports & ~taken;

        if (idle == 0 || taken - (at << 16) > 0xffff)
            continue;
        *slot = taken | (idle & (~idle + 1));
        break;
    }
    return at;
}

/* The first cycle from `at` on in which one of `ports` is idle; takes it. */
ALWAYS uint64_t port(struct slw_sim_backend *b, uint32_t ports, uint64_t at)
{
    uint64_t *const slot = &b->busy[at % PORT_RING];
    const uint64_t taken = slw_sim_later(*slot, at << 16);
    const uint64_t idle = ports & ~taken;

    if (SELDOM(idle == 0) || SELDOM(taken - (at << 16) > 0xffff))
        return port_later(b, ports, at);
    *slot = taken | (idle & (~idle + 1));
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
ALWAYS bool is_renamed(const struct slw_sim_core *s, const struct slw_sim_access *a,
                       const struct slw_sim_stored_value *last, const struct passing *now)
{
    return is_general(now->in) && a->bytes >= 4 && (uint8_t)last->number == a->bytes &&
           s->backend.stores - (last->number >> 8) <= s->config.store_queue_entries;
}

ALWAYS uint64_t forwarded(struct slw_sim_core *s, const struct slw_sim_access *a, uint64_t ready,
                          const struct passing *now, enum slw_sim_slot *level)
{
    const uint64_t key = a->address >> 3;
    const struct slw_sim_stored *const last = &s->backend.stored[key % FORWARD_SLOTS];
    const bool is_same = last->key == key + 1;

    if (s->config.memory_renaming && is_same) {
        const struct slw_sim_stored_value *const value =
            &s->backend.stored_values[key % FORWARD_SLOTS];

        if (is_renamed(s, a, value, now)) {
            s->events[SLW_SIM_FORWARDS]++;
            *level = SLW_SIM_CORE_EXECUTION;
            return slw_sim_later(now->allocated, value->known);
        }
    }
    const bool is_later = is_same & (last->ready > ready);

    s->events[SLW_SIM_FORWARDS] += is_later;
    *level = is_later ? SLW_SIM_MEMORY_L1 : *level;
    return is_later ? last->ready : ready;
}

/* Most accesses are to the page of the one before, and to the line used last in its set. */
ALWAYS uint64_t data(struct slw_sim_core *s, const struct slw_sim_access *a, uint64_t at,
                     enum slw_sim_slot *level)
{
    struct slw_sim_memory *m = &s->memory;
    const uint64_t ready = at + s->config.l1d_latency;

    if (!slw_sim_data_is_near(m, a, &m->page, &s->now) || m->miss_latest > ready)
        return slw_sim_data(s, a, at, level);
    *level = SLW_SIM_MEMORY_L1;
    return ready;
}

ALWAYS void load(struct slw_sim_core *s, struct pace *p, bool free, const struct slw_sim_access *a,
                 struct passing *now)
{
    struct slw_sim_backend *b = &s->backend;
    enum slw_sim_slot level = SLW_SIM_MEMORY_L1;

    now->allocated = allocate(
        s, p, free, b->load_queue[(b->loads - s->config.load_queue_entries) & b->load_mask]);
    const uint64_t issued =
        port(b, s->config.ports_load, slw_sim_later(now->allocated + 1, now->address_ready));
    const uint64_t ready = forwarded(s, a, data(s, a, issued, &level), now, &level);

    if (ready > now->data_ready) {
        now->data_ready = ready;
        now->level = level;
    }
    retire(s, p, ready, level);
    b->load_queue[b->loads++ & b->load_mask] = free_again(p);
    now->has_slot = true;
}

/* Asks for its line as soon as the address is known; leaves the queue in order, after it retired
 * and the line is there. */
ALWAYS void store(struct slw_sim_core *s, struct pace *p, bool free, const struct slw_sim_access *a,
                  struct passing *now, uint64_t value)
{
    struct slw_sim_backend *b = &s->backend;
    enum slw_sim_slot level;

    now->allocated = allocate(
        s, p, free, b->store_queue[(b->stores - s->config.store_queue_entries) & b->store_mask]);
    const uint64_t issued =
        port(b, s->config.ports_store, slw_sim_later(now->allocated + 1, now->address_ready));
    const uint64_t there = data(s, a, issued, &level);
    const uint64_t known = slw_sim_later(issued, value);
    const uint64_t key = a->address >> 3;

    retire(s, p, known + 1, SLW_SIM_CORE_EXECUTION);
    const uint64_t retired = slw_sim_cycle(p->retired);

    b->drained = slw_sim_later(slw_sim_later(retired, b->drained + 1), there);
    /* A full queue is about stores only when they wait for more than to retire. */
    const uint8_t cause = b->drained > retired ? (uint8_t)SLW_SIM_MEMORY_STORE
                                               : slw_sim_waited_for(b, retired, p->cause);

    b->store_queue[b->stores++ & b->store_mask] = b->drained << SLOT_BITS | cause;
    b->stored[key % FORWARD_SLOTS] =
        (struct slw_sim_stored){.key = key + 1, .ready = known + s->config.forward_latency};
    if (s->config.memory_renaming)
        b->stored_values[key % FORWARD_SLOTS] = (struct slw_sim_stored_value){
            .known = value, .number = b->stores << 8 | (is_general(now->in) ? a->bytes : 0)};
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
        return slw_sim_later(at, slw_sim_cycle(p->retired)) + in->latency;
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

/* The next micro-op waits until `cycle`, and so do all after it. */
ALWAYS void hold_up(struct slw_sim_core *s, const struct pace *p, uint64_t cycle)
{
    uint64_t *const wait = &s->backend.rob[(p->uops - s->config.rob_entries) & s->backend.rob_mask];

    *wait = slw_sim_later(*wait, cycle << SLOT_BITS);
    s->backend.serial = cycle << SLOT_BITS;
}

/* There is room for the gaps of a fetch window. */
ALWAYS void settle_many(struct slw_sim_core *s, struct pace *p)
{
    if (SELDOM(p->gap_count >= MANY_GAPS)) {
        s->backend.allocated = p->allocated;
        s->backend.gap_count = p->gap_count;
        slw_sim_settle(s);
        p->gap_count = 0;
    }
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
        now->allocated = allocate(s, p, false, 0);
        if (i + 1 < slots)
            retire(s, p, now->allocated + 1, SLW_SIM_CORE_EXECUTION);
        settle_many(s, p);
    }
    const uint64_t done = work(s, p, in, ready, now->allocated);

    if (slots > 0)
        retire(s, p, done, cause_of(in));
    else
        retire_not_before(s, p, done, cause_of(in));
    if (in->unit == SLW_SIM_UNIT_SERIAL)
        hold_up(s, p, done);
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

/* ---- the paths of most instructions, which are one micro-op ----
 * prepare.c sees to it that they have no more sources and targets than are looked at here. */

ALWAYS uint64_t two_ready(const struct slw_sim_backend *b, const struct slw_sim_instruction *in)
{
    return slw_sim_later(b->ready[in->sources[0]], b->ready[in->sources[1]]);
}

ALWAYS void write_one(struct slw_sim_backend *b, const struct slw_sim_instruction *in,
                      uint64_t done)
{
    b->ready[in->targets[0]] = done;
    b->ready[in->flags_written] = done;
}

ALWAYS uint64_t on_port(struct slw_sim_core *s, struct pace *p, bool free,
                        const struct slw_sim_instruction *in)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t allocated = allocate(s, p, free, 0);
    const uint64_t done =
        port(b, in->ports, slw_sim_later(allocated + 1, two_ready(b, in))) + in->latency;

    retire(s, p, done, SLW_SIM_CORE_EXECUTION);
    write_one(b, in, done);
    return done;
}

/* A move of registers, or what only takes a slot. */
ALWAYS uint64_t without_port(struct slw_sim_core *s, struct pace *p, bool free,
                             const struct slw_sim_instruction *in)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t allocated = allocate(s, p, free, 0);
    const bool moves = in->unit == SLW_SIM_UNIT_MOVE;
    const uint64_t done = moves ? slw_sim_later(allocated, two_ready(b, in)) : allocated + 1;

    retire(s, p, done, SLW_SIM_CORE_EXECUTION);
    write_one(b, in, done);
    return done;
}

/* A conditional jump that is one micro-op with the compare before it. */
ALWAYS uint64_t fused_branch(struct slw_sim_core *s, struct pace *p,
                             const struct slw_sim_instruction *in)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t at = slw_sim_later(slw_sim_cycle(p->allocated) + 1, b->ready[in->sources[0]]);
    const uint64_t done = port(b, in->ports, at) + in->latency;

    retire_not_before(s, p, done, SLW_SIM_CORE_EXECUTION);
    return done;
}

/* One load and nothing else. */
ALWAYS uint64_t only_load(struct slw_sim_core *s, struct pace *p, bool free,
                          const struct slw_sim_instruction *in, const struct slw_sim_access *a)
{
    struct slw_sim_backend *b = &s->backend;
    struct passing now = {.address_ready = address_ready(b, in), .in = in};

    load(s, p, free, a, &now);
    b->ready[in->targets[0]] = now.data_ready + in->latency;
    return now.data_ready + in->latency;
}

/* Work of one micro-op with what it loaded. */
ALWAYS uint64_t load_and_work(struct slw_sim_core *s, struct pace *p, bool free,
                              const struct slw_sim_instruction *in, const struct slw_sim_access *a)
{
    struct slw_sim_backend *b = &s->backend;
    struct passing now = {.address_ready = address_ready(b, in), .in = in};

    load(s, p, free, a, &now);
    const uint64_t ready = slw_sim_later(now.data_ready, two_ready(b, in));
    const uint64_t done = port(b, in->ports, slw_sim_later(now.allocated + 1, ready)) + in->latency;

    retire_not_before(s, p, done, SLW_SIM_CORE_EXECUTION);
    write_one(b, in, done);
    return done;
}

/* One store of a register, or of a return address. */
ALWAYS uint64_t only_store(struct slw_sim_core *s, struct pace *p, bool free,
                           const struct slw_sim_instruction *in, const struct slw_sim_access *a)
{
    struct slw_sim_backend *b = &s->backend;
    struct passing now = {.address_ready = address_ready(b, in), .in = in};
    const uint64_t ready = b->ready[in->sources[0]];

    store(s, p, free, a, &now, in->is & SLW_SIM_PUSHES ? 0 : ready);
    if (!in->branch)
        return ready;
    return port(b, in->ports, slw_sim_later(now.allocated + 1, ready)) + in->latency;
}

/* ---- all others ---- */

/* Any instruction, with its accesses. Returns when its result, or the direction of a branch, is
 * known. */
static uint64_t with_accesses(struct slw_sim_core *s, struct pace *p,
                              const struct slw_sim_instruction *in,
                              const struct slw_sim_access *accesses, size_t count)
{
    struct slw_sim_backend *b = &s->backend;
    struct passing now = {
        .address_ready = address_ready(b, in), .level = SLW_SIM_CORE_EXECUTION, .in = in};
    bool stores = false;
    uint64_t done = 0;

    for (size_t i = 0; i < count; i++) {
        stores |= accesses[i].is_store;
        if (!accesses[i].is_store)
            load(s, p, false, &accesses[i], &now);
        settle_many(s, p);
    }
    if (!stores || !only_stores(in))
        done = compute(s, p, in, &now);
    else
        done = slw_sim_later(now.data_ready, sources_ready(b, in));
    for (size_t i = 0; stores && i < count; i++) {
        if (accesses[i].is_store)
            store(s, p, false, &accesses[i], &now, in->is & SLW_SIM_PUSHES ? 0 : done);
        settle_many(s, p);
    }
    if (stores && only_stores(in) && in->branch)
        done = work(s, p, in, done, now.allocated);
    /* The pointers of a rep do not wait for what they point to. */
    write_back(b, in, in->is & SLW_SIM_REPEATS ? now.allocated + 1 : done);
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

/* How many of the accesses are those of the instruction with this index. */
ALWAYS size_t own_accesses(const struct slw_sim_access *accesses, const struct slw_sim_access *past,
                           size_t index)
{
    const struct slw_sim_access *a = accesses;

    while (a < past && a->index == index)
        a++;
    return (size_t)(a - accesses);
}

/* The branch at the end of the segment went to `next`; NULL: nowhere, the thread ended. */
ALWAYS void leave(struct slw_sim_core *s, struct slw_sim_segment *segment, uint64_t done,
                  const struct slw_sim_segment *next)
{
    if (!(segment->instructions[segment->count - 1].is & SLW_SIM_SIMPLE))
        s->backend.ready[STACK_POINTER] = 0;
    if (segment->branch == SLW_SIM_SYSCALL)
        s->events[SLW_SIM_SYSCALLS]++;
    if (segment->branch == SLW_SIM_SYSCALL || !next)
        return;
    const bool taken = next->address != slw_sim_end_of(segment);

    slw_sim_redirect(s, slw_sim_predict(s, segment, taken, next->address), taken, done);
}

ALWAYS void fetch(struct slw_sim_core *s, struct pace *p, uint64_t address, struct slw_sim_group *g)
{
    s->frontend.delivered = p->delivered;
    slw_sim_fetch(s, address, g);
    p->delivered = s->frontend.delivered;
    p->delivery = s->frontend.first;
}

/* The decoders take so many bytes per cycle, and of long instructions one. */
ALWAYS void decode(struct slw_sim_core *s, struct pace *p, const struct slw_sim_instruction *in)
{
    s->frontend.delivered = p->delivered;
    slw_sim_decode_bytes(s, in->length);
    p->delivered = s->frontend.delivered;
}

/* Any instruction with its accesses, which are behind *accesses afterwards. */
ALWAYS uint64_t pass_any(struct slw_sim_core *s, struct pace *p,
                         const struct slw_sim_instruction *in, size_t index,
                         const struct slw_sim_access **accesses, const struct slw_sim_access *past)
{
    const struct slw_sim_access *const own = *accesses;
    const size_t count = own_accesses(own, past, index);

    *accesses = count > 0 ? own + count : own; /* none at all may be NULL */
    give_pace(p, s);
    const uint64_t done = general(s, in, own, count);

    take_pace(p, s);
    return done;
}

/* The instructions from `in` up to `end`, which are of one fetch window. When the result of the
 * last of them, or the direction of a branch, is known. */
ALWAYS uint64_t pass_window(struct slw_sim_core *s, struct pace *p, bool free,
                            const struct slw_sim_segment *segment,
                            const struct slw_sim_instruction *in,
                            const struct slw_sim_instruction *end,
                            const struct slw_sim_access **accesses,
                            const struct slw_sim_access *past)
{
    const bool decodes = !s->frontend.from_uop_cache;
    uint64_t done = 0;

    for (; in < end; in++) {
        if (decodes)
            decode(s, p, in);
        switch ((enum slw_sim_path)in->path) {
        case SLW_SIM_PATH_ON_PORT:
            done = on_port(s, p, free, in);
            break;
        case SLW_SIM_PATH_WITHOUT_PORT:
            done = without_port(s, p, free, in);
            break;
        case SLW_SIM_PATH_FUSED:
            done = fused_branch(s, p, in);
            break;
        case SLW_SIM_PATH_LOAD:
            done = only_load(s, p, free, in, (*accesses)++);
            break;
        case SLW_SIM_PATH_LOAD_AND_WORK:
            done = load_and_work(s, p, free, in, (*accesses)++);
            break;
        case SLW_SIM_PATH_STORE:
            done = only_store(s, p, free, in, (*accesses)++);
            break;
        case SLW_SIM_PATH_GENERAL:
        default:
            done = pass_any(s, p, in, (size_t)(in - segment->instructions), accesses, past);
        }
    }
    return done;
}

/* The same where it is not known before what each of them accesses. */
ALWAYS uint64_t pass_unknown(struct slw_sim_core *s, struct pace *p,
                             const struct slw_sim_segment *segment,
                             const struct slw_sim_instruction *in,
                             const struct slw_sim_instruction *end,
                             const struct slw_sim_access **accesses,
                             const struct slw_sim_access *past)
{
    uint64_t done = 0;

    for (; in < end; in++) {
        if (!s->frontend.from_uop_cache)
            decode(s, p, in);
        done = pass_any(s, p, in, (size_t)(in - segment->instructions), accesses, past);
    }
    return done;
}

static struct slw_sim_instruction *end_of_window(struct slw_sim_instruction *in,
                                                 struct slw_sim_instruction *end)
{
    return in->group_next ? in + in->group_next : end;
}

void slw_sim_execute(struct slw_sim_core *s, struct slw_sim_segment *segment,
                     const struct slw_sim_access *accesses, size_t access_count,
                     const struct slw_sim_segment *next)
{
    struct slw_sim_instruction *const end = segment->instructions + segment->count;
    const struct slw_sim_access *const past = access_count ? accesses + access_count : accesses;
    const uint64_t uops = s->backend.uops;
    struct pace p;
    uint64_t done = 0;

    take_pace(&p, s);
    s->backend.started = p.allocated;
    for (struct slw_sim_instruction *in = segment->instructions, *stop; in < end; in = stop) {
        stop = end_of_window(in, end);
        settle_many(s, &p);
        if (in->is & SLW_SIM_GROUP)
            fetch(s, &p, in->address, slw_sim_group_of(segment, in));
        if (SELDOM(!segment->is_fixed))
            done = pass_unknown(s, &p, segment, in, stop, &accesses, past);
        else if (is_free(s, &p, in->most_uops))
            done = pass_window(s, &p, true, segment, in, stop, &accesses, past);
        else
            done = pass_window(s, &p, false, segment, in, stop, &accesses, past);
    }
    give_pace(&p, s);
    slw_sim_settle(s);
    slw_sim_lose(s, SLW_SIM_RETIRING, p.uops - uops);
    if (segment->branch)
        leave(s, segment, done, next);
}
