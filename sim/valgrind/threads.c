/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each thread of the client runs on a simulated core of its own; the last-level cache is shared.
 * Valgrind runs one thread at a time. A superblock is simulated when the next one is entered: only
 * then it is known where it went. */
#include "tool_int.h"

#include "pub_tool_machine.h"

#include "sim/interposed.h"

struct thread {
    struct slw_sim_core *core;
    struct block *pending;      /* executed, not yet simulated */
    Addr *saved;                /* its addresses, while another thread runs the same code */
    Bool in_tap;                /* what runs is slotwise's own, and not simulated */
    Addr tap_slot;              /* where the tap returns to its caller */
    struct block *in_tap_block; /* the last one that ran in it */
    Addr tap_entry;             /* the function of it that was called */
    Bool in_replay;             /* it came to the library that answers in place of a server */
    struct block *answer;       /* a function that only returns */
};

static struct thread threads[MAX_THREADS];
static struct thread *running = &threads[0];
static UInt running_number;
static struct slw_sim_shared *shared;
static ULong executed;

uint64_t instructions_executed(void)
{
    return executed;
}

Bool is_in_tap(ThreadId thread)
{
    return thread < MAX_THREADS && threads[thread].in_tap;
}

struct slw_sim_core *core_of(UInt thread)
{
    return thread < MAX_THREADS ? threads[thread].core : NULL;
}

/* The accesses that happened; those that did not kept the address 0. */
static UInt compact(const struct block *b, struct slw_sim_access *ret_happened)
{
    UInt count = 0;

    for (UInt i = 0; i < b->access_count; i++)
        if (b->accesses[i].address)
            ret_happened[count++] = b->accesses[i];
    return count;
}

static void save(struct thread *t)
{
    const struct block *b = t->pending;

    if (!b)
        return;
    if (!t->saved)
        t->saved = VG_(malloc)("sim.saved", MAX_ACCESSES * sizeof(*t->saved));
    for (UInt i = 0; i < b->access_count; i++)
        t->saved[i] = b->accesses[i].address;
}

static void restore(const struct thread *t)
{
    for (UInt i = 0; t->pending && i < t->pending->access_count; i++)
        t->pending->accesses[i].address = t->saved[i];
}

static void simulate(struct block *b, const struct slw_sim_segment *next)
{
    static struct slw_sim_access happened[MAX_ACCESSES];
    const struct slw_sim_access *accesses = b->accesses;
    UInt count = b->access_count;

    executed += b->segment.count;
    if (b->is_partial) {
        count = compact(b, happened);
        accesses = happened;
    }
    slw_sim_step(running->core, &b->segment, accesses, count, next);
    if (b->mark)
        marked(running_number, b->mark);
}

/* ---- the tap ----
 * The preloaded library stands in front of functions of the client. It is made invisible: of its
 * own code, and of what that calls, nothing is simulated, but for the function it stands in front
 * of. To the core the client has called that one itself, and it returns to the client. */

static struct slw_sim_interposed interposed;

void tap_stands_for(Addr function)
{
    slw_sim_interpose(&interposed, function);
}

/* Where a return of this block that has just run read its address. */
static struct slw_sim_access *return_of(struct block *b)
{
    for (UInt i = b->access_count; b->segment.branch == SLW_SIM_RETURN && i > 0; i--)
        if (!b->accesses[i - 1].is_store)
            return &b->accesses[i - 1];
    return NULL;
}

/* An access that did not happen keeps the address 0. */
static void forget_addresses(struct block *b)
{
    if (b->is_partial)
        for (UInt i = 0; i < b->access_count; i++)
            b->accesses[i].address = 0;
}

/* The tap did not call what it stands in front of (a server is replayed): to the core the client
 * called a function that returned at once. */
static void answer(Addr returned_to)
{
    static const UChar returns = 0xc3;
    struct block *a = running->answer;

    if (!a)
        a = running->answer = new_block(1, 1);
    a->accesses[0] = (struct slw_sim_access){.address = returned_to, .bytes = sizeof(Addr)};
    a->access_count = 1;
    (void)slw_sim_decode(&returns, 1, running->tap_entry, a->segment.instructions);
    a->segment = (struct slw_sim_segment){.address = running->tap_entry,
                                          .instructions = a->segment.instructions,
                                          .count = 1,
                                          .object = running->in_tap_block->segment.object};
    slw_sim_prepare(&config, &a->segment, a->accesses, 1);
    simulate(running->pending, &a->segment);
    running->pending = a;
    answered_call();
}

static void leave_tap(Addr returned_to)
{
    running->in_tap = False;
    restore(running);
    struct slw_sim_access *return_read = running->pending ? return_of(running->pending) : NULL;

    if (returned_to && return_read)
        return_read->address = returned_to;
    else if (returned_to && running->pending && running->pending->segment.branch &&
             running->in_replay)
        answer(returned_to);
}

/* Is a block of somebody else's, entered from the tap, the tap's doing? */
static Bool stays_in_tap(struct block *b)
{
    struct block *const before = running->in_tap_block;
    const struct slw_sim_access *read = before ? return_of(before) : NULL;

    if (read && (before->is_tap || read->address >= running->tap_slot)) {
        leave_tap(read->address);
        return False;
    }
    if (before && before->is_tap && slw_sim_is_interposed(&interposed, b->segment.address)) {
        leave_tap(0);
        return False;
    }
    running->in_tap_block = b;
    forget_addresses(b);
    return True;
}

VG_REGPARM(1) void tap_entered(struct block *b)
{
    if (!running->in_tap) {
        running->in_tap = True;
        running->tap_entry = b->segment.address;
        running->in_replay = False;
        running->tap_slot = VG_(get_SP)(running_number);
        save(running);
    }
    running->in_replay |= b->is_replay;
    running->in_tap_block = b;
    forget_addresses(b);
}

/* ---- */

static void __attribute__((noinline)) entered_from_elsewhere(struct block *block)
{
    if (running->in_tap && stays_in_tap(block))
        return;
    if (running->pending)
        simulate(running->pending, &block->segment);
    running->pending = block;
}

/* What happens every few instructions of the client, and what seldom does apart from it. */
VG_REGPARM(1) void block_entered(struct block *block)
{
    struct thread *const t = running;
    struct block *const b = t->pending;

    if (t->in_tap || !b || !b->is_plain) {
        entered_from_elsewhere(block);
        return;
    }
    t->pending = block;
    executed += b->segment.count;
    slw_sim_step(t->core, &b->segment, b->accesses, b->access_count, &block->segment);
}

VG_REGPARM(1) void partial_entered(struct block *block)
{
    block_entered(block);
    forget_addresses(block);
}

Bool is_looked_at(const struct block *block)
{
    for (UInt i = 0; i < MAX_THREADS; i++)
        if (threads[i].pending == block || threads[i].in_tap_block == block)
            return True;
    return False;
}

static struct slw_sim_core *new_core(void)
{
    if (!shared)
        shared = slw_sim_shared_new(&config, &host);
    struct slw_sim_core *core = slw_sim_core_new(&config, &host, shared);

    slw_sim_counting_set_mode(&counting, core);
    return core;
}

void thread_runs(ThreadId thread, ULong blocks_done)
{
    (void)blocks_done;
    tl_assert(thread < MAX_THREADS);
    mark_exit(False);
    keep_state();
    if (thread == running_number)
        return;
    if (!running->in_tap) /* else it is saved already */
        save(running);
    running = &threads[thread];
    running_number = thread;
    if (!running->core)
        running->core = new_core();
    if (!running->in_tap)
        restore(running);
}

static void finish(struct thread *t)
{
    struct thread *was = running;

    if (!t->pending)
        return;
    if (t != was || t->in_tap)
        restore(t);
    t->in_tap = False;
    running = t;
    simulate(t->pending, NULL);
    running = was;
    t->pending = NULL;
}

void thread_ends(ThreadId thread)
{
    slw_sim_stages_forget_open(counting.stages, thread);
    if (thread < MAX_THREADS)
        finish(&threads[thread]);
}

void finish_threads(void)
{
    for (UInt i = 0; i < MAX_THREADS; i++)
        finish(&threads[i]);
    slw_sim_counting_ends(&counting);
}

void finish_running(void)
{
    finish(running);
}

void program_begins(struct block *first)
{
    if (!slw_sim_counting_awaits_program(&counting))
        return;
    if (running->pending)
        simulate(running->pending, &first->segment);
    running->pending = NULL;
    slw_sim_counting_program_begins(&counting);
}

void forget_parent(ThreadId thread)
{
    beside_forget_parent();
    slw_sim_stages_forget(counting.stages);
    for (UInt i = 0; i < MAX_THREADS; i++) {
        if (i == thread || !threads[i].core)
            continue;
        threads[i].pending = NULL; /* a fork copies one thread */
        threads[i].core = NULL;
    }
    if (threads[thread].core)
        slw_sim_restart(threads[thread].core);
}
