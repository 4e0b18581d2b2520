/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each thread of the client runs on a simulated core of its own; the last-level cache is shared.
 * Valgrind runs one thread at a time. A superblock is simulated when the next one is entered: only
 * then it is known where it went. */
#include "tool_int.h"

struct thread {
    struct slw_sim_core *core;
    struct block *pending; /* executed, not yet simulated */
    Addr *saved;           /* its addresses, while another thread runs the same code */
};

/* Valgrind numbers threads from 1 and uses numbers again. */
#define MAX_THREADS 512

static struct thread threads[MAX_THREADS];
static struct thread *running = &threads[0];
static UInt running_number;
static struct slw_sim_shared *shared;
static Bool is_counting;
static enum began began;
static ULong executed;

ULong instructions_executed(void)
{
    return executed;
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
}

VG_REGPARM(1) void block_entered(struct block *block)
{
    if (running->pending)
        simulate(running->pending, &block->segment);
    running->pending = block;
    if (block->is_partial)
        for (UInt i = 0; i < block->access_count; i++)
            block->accesses[i].address = 0;
}

static void set_mode(struct slw_sim_core *core)
{
    if (is_counting)
        slw_sim_sample(core, (ULong)options.period, (ULong)options.detail);
    else
        slw_sim_sample(core, 1, 0); /* keep warm, time nothing */
}

static struct slw_sim_core *new_core(void)
{
    if (!shared)
        shared = slw_sim_shared_new(&config, &host);
    struct slw_sim_core *core = slw_sim_core_new(&config, &host, shared);

    set_mode(core);
    return core;
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

void thread_runs(ThreadId thread, ULong blocks_done)
{
    (void)blocks_done;
    tl_assert(thread < MAX_THREADS);
    if (thread == running_number)
        return;
    save(running);
    running = &threads[thread];
    running_number = thread;
    if (!running->core)
        running->core = new_core();
    restore(running);
}

static void finish(struct thread *t)
{
    struct thread *was = running;

    if (!t->pending)
        return;
    if (t != was)
        restore(t);
    running = t;
    simulate(t->pending, NULL);
    running = was;
    t->pending = NULL;
}

void thread_ends(ThreadId thread)
{
    if (thread < MAX_THREADS)
        finish(&threads[thread]);
}

/* Where counting never started, what was kept warm is not the answer to anything. */
void finish_threads(void)
{
    for (UInt i = 0; i < MAX_THREADS; i++) {
        finish(&threads[i]);
        if (threads[i].core && !is_counting)
            slw_sim_restart(threads[i].core);
    }
}

static void set_modes(void)
{
    for (UInt i = 0; i < MAX_THREADS; i++)
        if (threads[i].core)
            set_mode(threads[i].core);
}

static void forget_counts(void)
{
    for (UInt i = 0; i < MAX_THREADS; i++)
        if (threads[i].core)
            slw_sim_restart(threads[i].core);
}

void start_counting(void)
{
    if (is_counting)
        return;
    is_counting = True;
    began = options.start == START_AT_CONNECT   ? BEGAN_CONNECT
            : options.start == START_AT_REQUEST ? BEGAN_REQUEST
                                                : BEGAN_WHOLE;
    forget_counts();
    set_modes();
}

void program_begins(struct block *first)
{
    if (options.start != START_AUTO || began != BEGAN_WHOLE)
        return;
    if (running->pending)
        simulate(running->pending, &first->segment);
    running->pending = NULL;
    began = BEGAN_PROGRAM;
    forget_counts();
}

void connects(void)
{
    if (options.start == START_AT_CONNECT)
        start_counting();
    if (options.start != START_AUTO || began == BEGAN_CONNECT)
        return;
    began = BEGAN_CONNECT;
    forget_counts();
}

enum began began_with(void)
{
    return began;
}

Bool has_started(void)
{
    return is_counting;
}

void stop_counting(void)
{
    if (!is_counting)
        return;
    finish(running);
    write_output(False);
    options.out_file = NULL; /* written: what comes after does not count */
    is_counting = False;
    set_modes();
}

void forget_parent(ThreadId thread)
{
    for (UInt i = 0; i < MAX_THREADS; i++) {
        if (i == thread || !threads[i].core)
            continue;
        threads[i].pending = NULL; /* a fork copies one thread */
        threads[i].core = NULL;
    }
    if (threads[thread].core)
        slw_sim_restart(threads[thread].core);
}
