/* SPDX-License-Identifier: MIT */
#include "collector/taps/offcpu/table.h"

_Static_assert(SLW_OFF_LIVE_THREADS == SLW_OFF_BUCKETS * SLW_OFF_WAYS, "a record for each place");

__u32 slw_off_bucket_count(size_t thread_max)
{
    __u32 count = 1;

    while (count < SLW_OFF_BUCKETS && (size_t)count * 2 * SLW_OFF_WAYS <= thread_max)
        count *= 2;
    return count;
}

static struct slw_off_bucket *bucket_of(const struct slw_off_table *table, __u32 tid)
{
    return &table->buckets[tid & (table->bucket_count - 1)];
}

static __u32 load(const __u32 *place)
{
    return __atomic_load_n(place, __ATOMIC_SEQ_CST);
}

/* In one of the first places, shown or not. */
static bool is_there(const struct slw_off_bucket *b, __u32 tid, size_t places)
{
    for (size_t i = 0; i < places; i++)
        if ((load(&b->tids[i]) & ~SLW_OFF_CLAIMED) == tid)
            return true;
    return false;
}

static bool claim(struct slw_off_bucket *b, size_t i, __u32 tid)
{
    __u32 nobody = 0;

    return __atomic_compare_exchange_n(&b->tids[i], &nobody, tid | SLW_OFF_CLAIMED, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

enum slw_off_put slw_off_table_put(struct slw_off_table *table, const struct slw_off_thread *t)
{
    struct slw_off_bucket *b = bucket_of(table, t->tid);
    const size_t first = (size_t)(b - table->buckets) * SLW_OFF_WAYS;

    if (is_there(b, t->tid, SLW_OFF_WAYS))
        return SLW_OFF_THERE;
    for (size_t i = 0; i < SLW_OFF_WAYS && first + i < table->record_count; i++) {
        if (!claim(b, i, t->tid))
            continue;
        /* Its parent may have brought it in meanwhile: of two places the lower one stays. */
        bool twice = is_there(b, t->tid, i);
        if (!twice)
            table->records[first + i] = *t;
        __atomic_store_n(&b->tids[i], twice ? 0 : t->tid, __ATOMIC_RELEASE);
        return twice ? SLW_OFF_THERE : SLW_OFF_PUT;
    }
    return SLW_OFF_FULL;
}

bool slw_off_table_get(const struct slw_off_table *table, size_t i,
                       struct slw_off_thread *ret_thread)
{
    const __u32 *place = &table->buckets[i / SLW_OFF_WAYS].tids[i % SLW_OFF_WAYS];
    const __u32 tid = load(place);

    if (tid == 0 || (tid & SLW_OFF_CLAIMED) || i >= table->record_count)
        return false;
    *ret_thread = table->records[i];
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return load(place) == tid && ret_thread->tid == tid && ret_thread->started;
}
