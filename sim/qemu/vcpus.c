/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each thread of the client runs on a virtual CPU, which is a simulated core; the last-level cache
 * is shared. A block is simulated when the next one is entered: only then it is known where it
 * went. */
#include "sim/qemu/plugin_int.h"

#include <pthread.h>
#include <stdlib.h>

/* What a program says itself (valgrind.h, VG_USERREQ_TOOL_BASE('S', 'W')), and a preloaded library
 * of ours of a connection that is replayed. */
enum {
    REQUEST_START = 0x53570000,
    REQUEST_STOP,
    REQUEST_STANDS_FOR,
    REQUEST_CONNECTS,
    REQUEST_COUNTING
};

enum { KEEP_EVERY = 1 << 18 }; /* blocks between two looks at the clock */

static struct vcpu *vcpus[MAX_VCPUS];
static struct slw_sim_shared *shared;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool are_many; /* set while only the first one runs, never unset */
static uint32_t live = 1;
static uint64_t executed, entered;
static uint64_t counting_flag; /* of the tap, whether it counts requests; 0: no tap */

/* One thread needs no lock, and most clients have one. */
void lock(void)
{
    if (are_many)
        (void)pthread_mutex_lock(&mutex);
}

void unlock(void)
{
    if (are_many)
        (void)pthread_mutex_unlock(&mutex);
}

uint64_t instructions_executed(void)
{
    return executed;
}

bool is_in_tap(uint32_t vcpu)
{
    return vcpu < MAX_VCPUS && vcpus[vcpu] && vcpus[vcpu]->tap.is_in;
}

struct slw_sim_core *core_of(uint32_t vcpu)
{
    return vcpu < MAX_VCPUS && vcpus[vcpu] ? vcpus[vcpu]->core : NULL;
}

static struct vcpu *new_vcpu(unsigned number)
{
    if (number >= MAX_VCPUS)
        fail("more than 512 threads at a time");
    struct vcpu *v = calloc(1, sizeof(*v));

    if (!v)
        fail("out of memory");
    if (!shared)
        shared = slw_sim_shared_new(&config, &host);
    v->core = slw_sim_core_new(&config, &host, shared);
    slw_sim_counting_set_mode(&counting, v->core);
    v->accesses = &v->ours;
    v->number = number;
    vcpus[number] = v;
    return v;
}

void simulate(struct vcpu *v, const struct slw_sim_segment *next)
{
    executed += v->pending->segment.count;
    slw_sim_step(v->core, &v->pending->segment, v->ours.all, v->ours.count, next);
    if (v->pending->mark)
        slw_sim_stages_marked(counting.stages, v->number, v->pending->mark, v->batch);
}

static void runs(struct vcpu *v, struct block *block)
{
    if (tap_takes(v, block))
        return;
    if (v->pending)
        simulate(v, &block->segment);
    v->pending = v->running = block;
    v->accesses = &v->ours;
    v->ours.count = 0;
}

void block_entered(unsigned vcpu, void *block)
{
    lock();
    runs(vcpu < MAX_VCPUS && vcpus[vcpu] ? vcpus[vcpu] : new_vcpu(vcpu), block);
    if (++entered % KEEP_EVERY == 0)
        keep_state();
    unlock();
}

/* An access wider than 8 bytes comes in parts. */
static bool is_next_part(const struct slw_sim_access *a, uint32_t index, uint64_t address,
                         unsigned bytes, bool is_store)
{
    return a->index == index && a->address + a->bytes == address && a->is_store == is_store &&
           a->bytes >= 8 && bytes == 8 && a->bytes + bytes <= 64;
}

static void add_access(struct accesses *to, uint32_t index, uint64_t address, unsigned bytes,
                       bool is_store)
{
    if (to->count < MAX_ACCESSES)
        to->all[to->count++] = (struct slw_sim_access){.address = address,
                                                       .index = (uint16_t)index,
                                                       .bytes = (uint8_t)bytes,
                                                       .is_store = is_store};
}

/* An atomic operation is told as one store. */
static bool is_also_load(const struct accesses *before, const struct slw_sim_instruction *in,
                         uint32_t index)
{
    const uint8_t both = SLW_SIM_LOADS_DATA | SLW_SIM_STORES_DATA;

    return in->unit == SLW_SIM_UNIT_LOCKED && (in->is & both) == both &&
           (before->count == 0 || before->all[before->count - 1].index != index);
}

void accessed(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
    const uint32_t index = (uint32_t)(uintptr_t)data;
    const bool is_store = qemu_plugin_mem_is_store(info);
    const unsigned bytes = 1u << qemu_plugin_mem_size_shift(info);
    struct vcpu *v = vcpus[vcpu];

    if (!v || !v->running || index >= v->running->segment.count)
        return;
    struct slw_sim_instruction *in = &v->running->segment.instructions[index];
    struct accesses *to = v->accesses;

    if (to->count > 0 && is_next_part(&to->all[to->count - 1], index, address, bytes, is_store)) {
        to->all[to->count - 1].bytes += (uint8_t)bytes;
        return;
    }
    if (in->is & SLW_SIM_SIMPLE) { /* the decoder knew of none */
        lock();
        in->is &= (uint8_t)~SLW_SIM_SIMPLE;
        unlock();
    }
    if (is_store && is_also_load(to, in, index))
        add_access(to, index, address, bytes, false);
    add_access(to, index, address, bytes, is_store);
}

/* In the place of a mark of a stage: stages.c. */
void batch_told(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *unused)
{
    struct vcpu *v = vcpus[vcpu];

    (void)unused;
    if (v && qemu_plugin_mem_is_store(info))
        (void)peek(&v->batch, address, sizeof(v->batch));
}

static void finish(struct vcpu *v)
{
    if (v->pending)
        simulate(v, NULL);
    v->pending = NULL;
}

void let_tap_count(bool on)
{
    const uint32_t flag = on;

    if (counting_flag)
        (void)poke(counting_flag, &flag, sizeof(flag));
}

/* The first thread is the only one then. */
void program_begins(struct block *first)
{
    struct vcpu *v = vcpus[0];

    if (!slw_sim_counting_awaits_program(&counting))
        return;
    if (v && v->pending)
        simulate(v, &first->segment);
    if (v)
        v->pending = NULL;
    slw_sim_counting_program_begins(&counting);
}

static void stop_counting(struct vcpu *v)
{
    if (!slw_sim_counting_may_stop(&counting))
        return;
    finish(v);
    write_output(SLW_SIM_ENDED_EXIT); /* it said itself that this is all */
    close_output();
    slw_sim_counting_stops(&counting);
}

/* A request is a block of words, which were stored just before: its number, then its argument. */
static uint64_t request_of(const struct accesses *a, uint64_t *ret_argument)
{
    for (uint32_t i = a->count; i > 0; i--) {
        uint64_t words[2] = {0};

        if (!a->all[i - 1].is_store || !peek(words, a->all[i - 1].address, sizeof(words)) ||
            words[0] < REQUEST_START || words[0] > REQUEST_COUNTING)
            continue;
        *ret_argument = words[1];
        return words[0];
    }
    return 0;
}

void requested(unsigned vcpu, void *unused)
{
    uint64_t argument = 0;

    (void)unused;
    lock();
    struct vcpu *v = vcpus[vcpu];
    const uint64_t request = v ? request_of(v->accesses, &argument) : 0;

    if (request == REQUEST_CONNECTS)
        slw_sim_counting_connects(&counting);
    else if (request == REQUEST_STANDS_FOR)
        tap_stands_for(argument);
    else if (request == REQUEST_COUNTING)
        counting_flag = argument;
    else if (request == REQUEST_START)
        slw_sim_counting_requested(&counting);
    else if (request == REQUEST_STOP)
        stop_counting(v);
    unlock();
}

void vcpu_starts(qemu_plugin_id_t id, unsigned vcpu)
{
    (void)id;
    if (vcpu == 0)
        return;
    are_many = true;
    lock();
    live++;
    unlock();
}

uint32_t live_vcpus(void)
{
    return live;
}

void vcpu_ends(qemu_plugin_id_t id, unsigned vcpu)
{
    (void)id;
    lock();
    slw_sim_stages_forget_open(counting.stages, vcpu);
    if (vcpu < MAX_VCPUS && vcpus[vcpu])
        finish(vcpus[vcpu]);
    live--;
    unlock();
}

void finish_vcpus(void)
{
    for (unsigned i = 0; i < MAX_VCPUS; i++)
        if (vcpus[i])
            finish(vcpus[i]);
    slw_sim_counting_ends(&counting);
}

void before_fork(void)
{
    (void)pthread_mutex_lock(&mutex);
}

void after_fork(void)
{
    (void)pthread_mutex_unlock(&mutex);
}

/* A fork copies one thread, and it has not executed anything yet. Which one is not known here: the
 * next block says so. */
void forget_parent(void)
{
    (void)pthread_mutex_init(&mutex, NULL);
    live = 1;
    forget_beside_of_parent();
    slw_sim_stages_forget(counting.stages);
    for (unsigned i = 0; i < MAX_VCPUS; i++) {
        if (!vcpus[i])
            continue;
        vcpus[i]->pending = NULL;
        slw_sim_restart(vcpus[i]->core);
    }
}
