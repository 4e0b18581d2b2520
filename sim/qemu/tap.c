/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The libraries slotwise preloads stand in front of functions of the client. They are made
 * invisible: of their own code, and of what that calls, nothing is simulated, but for the function
 * they stand in front of. To the core the client has called that one itself, and it returns to the
 * client. */
#include "sim/interposed.h"
#include "sim/qemu/plugin_int.h"

enum { RETURN_ADDRESS = 8 /* bytes */ };

/* A function that only returns, in place of one of the library that called nothing. */
struct answer {
    struct block block;
    struct slw_sim_instruction instruction;
};

static struct slw_sim_interposed interposed;

void tap_stands_for(uint64_t function)
{
    slw_sim_interpose(&interposed, function);
}

static struct slw_sim_access *last_access(struct accesses *a, bool is_store)
{
    for (uint32_t i = a->count; i > 0; i--)
        if (a->all[i - 1].is_store == is_store)
            return &a->all[i - 1];
    return NULL;
}

/* Where a return of this block that has just run read its address; NULL: it does not return. */
static struct slw_sim_access *return_of(const struct block *b, struct accesses *a)
{
    return b && b->segment.branch == SLW_SIM_RETURN ? last_access(a, false) : NULL;
}

/* Where the library, entered after the pending block, finds the address it returns to. A stub of
 * the linkage table, and the dynamic linker in its place, jump where somebody has called. */
static uint64_t slot_of_entry(struct vcpu *v)
{
    const struct block *before = v->pending;
    const unsigned branch = before ? before->segment.branch : SLW_SIM_NO_BRANCH;
    const bool is_call = branch == SLW_SIM_CALL || branch == SLW_SIM_CALL_INDIRECT;
    const struct slw_sim_access *pushed = is_call ? last_access(&v->ours, true) : NULL;
    const struct slw_sim_access *popped = return_of(before, &v->ours);

    if (pushed)
        return pushed->address;
    return popped ? popped->address + RETURN_ADDRESS : slw_sim_innermost_slot(v->core);
}

/* The library did not call what it stands in front of (a server is replayed): to the core the
 * client called a function that returned at once. */
static void answer(struct vcpu *v, uint64_t returned_to)
{
    static const uint8_t returns = 0xc3;
    struct answer *a = v->answer ? v->answer : host.allocate(sizeof(*a));

    v->answer = a;
    const struct slw_sim_access read = {.address = returned_to, .bytes = RETURN_ADDRESS};

    (void)slw_sim_decode(&returns, 1, v->tap.entry->segment.address, &a->instruction);
    a->block.segment = (struct slw_sim_segment){.address = v->tap.entry->segment.address,
                                                .instructions = &a->instruction,
                                                .count = 1,
                                                .object = v->tap.entry->segment.object};
    slw_sim_prepare(&config, &a->block.segment, &read, 1);
    simulate(v, &a->block.segment);
    v->pending = &a->block;
    v->ours.count = 1;
    v->ours.all[0] = read;
    answered_call();
}

static void leave(struct vcpu *v, uint64_t returned_to)
{
    struct slw_sim_access *read = return_of(v->pending, &v->ours);

    v->tap.is_in = false;
    if (returned_to && read)
        read->address = returned_to;
    else if (returned_to && v->pending && v->pending->segment.branch && v->tap.is_replay)
        answer(v, returned_to);
}

/* Is a block of somebody else's, entered from the library, the library's doing? */
static bool stays(struct vcpu *v, const struct block *block)
{
    const struct slw_sim_access *read = return_of(v->tap.last, &v->tap.accesses);

    if (read && (v->tap.last->is_tap || read->address >= v->tap.slot)) {
        leave(v, read->address);
        return false;
    }
    if (v->tap.last->is_tap && slw_sim_is_interposed(&interposed, block->segment.address)) {
        leave(v, 0);
        return false;
    }
    return true;
}

static void enter(struct vcpu *v, struct block *block)
{
    if (!v->tap.is_in) {
        v->tap.is_in = true;
        v->tap.is_replay = false;
        v->tap.entry = block;
        v->tap.slot = slot_of_entry(v);
    }
    v->tap.is_replay |= block->is_replay;
}

bool tap_takes(struct vcpu *v, struct block *block)
{
    if (block->is_tap)
        enter(v, block);
    else if (!v->tap.is_in || !stays(v, block))
        return false;
    v->tap.last = v->running = block;
    v->tap.accesses.count = 0;
    v->accesses = &v->tap.accesses;
    return true;
}
