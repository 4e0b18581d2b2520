/* SPDX-License-Identifier: MIT */
#include "analyzer/group_reads.h"

#include "base/error.h"
#include "base/hash.h"

#include <stdlib.h>

/* Slots of an 8-wide core at 6 GHz are 48 a nanosecond; nothing counts faster. The allowance is for
 * events between the reading of the clock and of the counter. */
#define MAX_EVENTS_PER_NS 100
#define ALLOWANCE         UINT64_C(100000)

struct counter_key {
    int32_t tid;
    uint32_t id;
};

struct counter {
    struct counter_key key;
    uint32_t birth; /* of the thread that counted; another one: the state is somebody else's */
    uint32_t leaf;
    int32_t leaf_tid;
    bool distrusted; /* the last reading was left untaken */
    uint64_t value, running_ns;
};

struct thread {
    int32_t tid;
    uint32_t birth, leaf;
    uint64_t enabled_ns;
};

struct slw_group_reads {
    struct slw_index counter_index, thread_index;
    struct counter *counters;
    struct thread *threads;
    size_t counter_capacity, thread_capacity;
    uint32_t counter_count, thread_count;
    uint64_t enabled_ns, running_ns;
};

struct slw_group_reads *slw_group_reads_new(void)
{
    return calloc(1, sizeof(struct slw_group_reads));
}

void slw_group_reads_free(struct slw_group_reads *g)
{
    if (!g)
        return;
    slw_index_release(&g->counter_index);
    slw_index_release(&g->thread_index);
    free(g->counters);
    free(g->threads);
    free(g);
}

static bool counter_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_group_reads *g = ctx;
    const struct counter_key *a = &g->counters[position].key, *b = key;

    return a->tid == b->tid && a->id == b->id;
}

static bool thread_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_group_reads *g = ctx;

    return g->threads[position].tid == *(const int32_t *)key;
}

static struct counter *find_counter(const struct slw_group_reads *g, struct counter_key key)
{
    uint32_t position;

    if (!slw_index_find(&g->counter_index, slw_hash_bytes(&key, sizeof(key), 1), counter_equal, g,
                        &key, &position))
        return NULL;
    return &g->counters[position];
}

static struct thread *find_thread(const struct slw_group_reads *g, int32_t tid)
{
    uint32_t position;

    if (!slw_index_find(&g->thread_index, slw_hash_bytes(&tid, sizeof(tid), 2), thread_equal, g,
                        &tid, &position))
        return NULL;
    return &g->threads[position];
}

static int grow(void **array, size_t count, size_t *capacity, size_t bytes)
{
    size_t bigger = *capacity ? *capacity * 2 : 64;

    if (count < *capacity)
        return 0;
    if (count >= SLW_MAX_READ_STATES)
        return -SLW_E_LIMIT;
    void *grown = realloc(*array, bigger * bytes);
    if (!grown)
        return -SLW_E_NOMEM;
    *array = grown;
    *capacity = bigger;
    return 0;
}

static int make_thread(struct slw_group_reads *g, int32_t tid, struct thread **ret_thread)
{
    struct thread *known = find_thread(g, tid);

    if (known) {
        *ret_thread = known;
        return 0;
    }
    int rc =
        grow((void **)&g->threads, g->thread_count, &g->thread_capacity, sizeof(g->threads[0]));
    if (rc == 0)
        rc = slw_index_add(&g->thread_index, slw_hash_bytes(&tid, sizeof(tid), 2), g->thread_count);
    if (rc < 0)
        return rc;
    *ret_thread = &g->threads[g->thread_count++];
    **ret_thread = (struct thread){.tid = tid, .leaf = SLW_NO_LEAF};
    return 0;
}

static int make_counter(struct slw_group_reads *g, struct counter_key key,
                        struct counter **ret_counter)
{
    struct counter *known = find_counter(g, key);

    if (known) {
        *ret_counter = known;
        return 0;
    }
    int rc =
        grow((void **)&g->counters, g->counter_count, &g->counter_capacity, sizeof(g->counters[0]));
    if (rc == 0)
        rc = slw_index_add(&g->counter_index, slw_hash_bytes(&key, sizeof(key), 1),
                           g->counter_count);
    if (rc < 0)
        return rc;
    *ret_counter = &g->counters[g->counter_count++];
    **ret_counter = (struct counter){.key = key, .leaf = SLW_NO_LEAF};
    return 0;
}

/* What the counter showed last: nothing when it is new, or was another thread's. */
static struct counter last_reading(const struct slw_group_reads *g,
                                   const struct slw_counter_reading *r)
{
    const struct counter *c = find_counter(g, (struct counter_key){r->tid, r->id});
    const struct thread *t = find_thread(g, r->tid);

    if (!c || c->birth != (t ? t->birth : 0))
        return (struct counter){.leaf = SLW_NO_LEAF};
    return *c;
}

static enum slw_reading_state judge(const struct counter *last, const struct slw_counter_reading *r)
{
    if (r->value < last->value || (r->has_times && r->running_ns < last->running_ns))
        return SLW_READING_BACKWARDS;
    uint64_t events = r->value - last->value;
    if (events > INT64_MAX ||
        (r->has_times && events > ALLOWANCE &&
         (events - ALLOWANCE) / MAX_EVENTS_PER_NS > r->running_ns - last->running_ns))
        return SLW_READING_IMPLAUSIBLE;
    return SLW_READING_GOOD;
}

enum slw_reading_state slw_group_reads_check(const struct slw_group_reads *g,
                                             const struct slw_counter_reading *r)
{
    const struct counter last = last_reading(g, r);

    return judge(&last, r);
}

int slw_group_reads_take(struct slw_group_reads *g, const struct slw_counter_reading *r,
                         uint64_t *ret_delta, uint64_t *ret_running_ns)
{
    const struct counter last = last_reading(g, r);
    bool good = judge(&last, r) == SLW_READING_GOOD;
    struct counter *c;
    struct thread *t;
    int rc = make_thread(g, r->tid, &t);

    if (rc == 0)
        rc = make_counter(g, (struct counter_key){r->tid, r->id}, &c);
    if (rc < 0)
        return rc;
    *ret_delta = good ? r->value - last.value : 0;
    *ret_running_ns = good && r->has_times ? r->running_ns - last.running_ns : 0;
    c->birth = t->birth;
    c->value = r->value;
    c->running_ns = r->has_times ? r->running_ns : 0;
    c->leaf = last.leaf;
    c->leaf_tid = last.leaf_tid;
    c->distrusted = false;
    return 0;
}

bool slw_group_reads_distrust(struct slw_group_reads *g, const struct slw_counter_reading *r)
{
    struct counter *c = find_counter(g, (struct counter_key){r->tid, r->id});

    if (!c || c->distrusted)
        return false;
    c->distrusted = true;
    return true;
}

static void add_times(struct slw_group_reads *g, struct thread *owner,
                      const struct slw_counter_reading *r, uint64_t ran_before_ns)
{
    if (!r->has_times || r->tid == SLW_SHARED_COUNTER || r->running_ns < ran_before_ns)
        return;
    g->running_ns += r->running_ns - ran_before_ns;
    if (r->enabled_ns > owner->enabled_ns) {
        g->enabled_ns += r->enabled_ns - owner->enabled_ns;
        owner->enabled_ns = r->enabled_ns;
    }
}

bool slw_group_reads_begin(struct slw_group_reads *g, const struct slw_counter_reading *r,
                           int32_t thread, uint32_t leaf, slw_same_function same_function,
                           const void *ctx)
{
    const struct counter last = last_reading(g, r);
    struct counter *c;
    struct thread *t, *owner;

    if (make_thread(g, r->tid, &owner) < 0 || make_thread(g, thread, &t) < 0 ||
        make_counter(g, (struct counter_key){r->tid, r->id}, &c) < 0)
        return false;
    owner = find_thread(g, r->tid); /* the array may have moved */
    add_times(g, owner, r, last.running_ns);
    bool within = leaf != SLW_NO_LEAF && last.leaf != SLW_NO_LEAF && t->leaf != SLW_NO_LEAF &&
                  last.leaf_tid == thread && same_function(ctx, last.leaf, leaf) &&
                  same_function(ctx, t->leaf, leaf);
    if (c->birth != owner->birth)
        *c = (struct counter){.key = c->key, .birth = owner->birth};
    c->leaf = leaf;
    c->leaf_tid = thread;
    t->leaf = leaf;
    return within;
}

void slw_group_reads_forget(struct slw_group_reads *g, int32_t tid)
{
    struct thread *t = find_thread(g, tid);

    if (!t)
        return;
    t->birth++;
    t->leaf = SLW_NO_LEAF;
    t->enabled_ns = 0;
}

void slw_group_reads_times(const struct slw_group_reads *g, uint64_t *ret_enabled_ns,
                           uint64_t *ret_running_ns)
{
    *ret_enabled_ns = g->enabled_ns;
    *ret_running_ns = g->running_ns;
}
