/* SPDX-License-Identifier: MIT */
#include "workloads/tally.h"

#include "base/clock.h"
#include "workloads/workload.h"

#include <assert.h>
#include <math.h>
#include <sys/resource.h>

#define STEP_BITS 5
_Static_assert(SLW_HISTOGRAM_STEPS == 1 << STEP_BITS, "");

size_t slw_histogram_bucket(uint64_t value)
{
    if (value < 2 * SLW_HISTOGRAM_STEPS)
        return (size_t)value;
    const unsigned shift = 63U - (unsigned)__builtin_clzll(value) - STEP_BITS;

    return shift * SLW_HISTOGRAM_STEPS + (size_t)(value >> shift);
}

uint64_t slw_histogram_bucket_low(size_t bucket)
{
    if (bucket < 2 * SLW_HISTOGRAM_STEPS)
        return bucket;
    const size_t shift = bucket / SLW_HISTOGRAM_STEPS - 1;

    return (uint64_t)(bucket - shift * SLW_HISTOGRAM_STEPS) << shift;
}

uint64_t slw_histogram_bucket_high(size_t bucket)
{
    if (bucket + 1 >= SLW_HISTOGRAM_BUCKETS)
        return UINT64_MAX;
    return slw_histogram_bucket_low(bucket + 1) - 1;
}

void slw_histogram_add(struct slw_histogram *h, uint64_t value)
{
    h->buckets[slw_histogram_bucket(value)]++;
    if (h->count == 0 || value < h->low)
        h->low = value;
    if (h->count == 0 || value > h->high)
        h->high = value;
    h->count++;
    h->sum += value;
}

void slw_histogram_merge(struct slw_histogram *h, const struct slw_histogram *from)
{
    if (from->count == 0)
        return;
    for (size_t i = 0; i < SLW_HISTOGRAM_BUCKETS; i++)
        h->buckets[i] += from->buckets[i];
    if (h->count == 0 || from->low < h->low)
        h->low = from->low;
    if (h->count == 0 || from->high > h->high)
        h->high = from->high;
    h->count += from->count;
    h->sum += from->sum;
}

uint64_t slw_histogram_quantile(const struct slw_histogram *h, double share)
{
    assert(h->count > 0);
    const double rank = ceil(share * (double)h->count);
    const uint64_t wanted = rank < 1 ? 1 : (uint64_t)rank;
    uint64_t seen = 0;

    for (size_t i = 0; i < SLW_HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen >= wanted) {
            const uint64_t high = slw_histogram_bucket_high(i);
            return high < h->high ? high : h->high;
        }
    }
    return h->high;
}

void slw_tally_merge(struct slw_tally *t, const struct slw_tally *from)
{
    t->requests += from->requests;
    t->retries += from->retries;
    for (size_t i = 0; i < sizeof(t->outcomes) / sizeof(t->outcomes[0]); i++)
        t->outcomes[i] += from->outcomes[i];
    slw_histogram_merge(&t->latency_ns, &from->latency_ns);
    slw_histogram_merge(&t->batch, &from->batch);
}

void slw_tally_answer(struct slw_tally *t, enum slw_outcome outcome, uint64_t latency_ns)
{
    t->requests++;
    t->outcomes[outcome]++;
    slw_histogram_add(&t->latency_ns, latency_ns);
}

static uint64_t nanoseconds(const struct timeval *t)
{
    return (uint64_t)t->tv_sec * 1000000000U + (uint64_t)t->tv_usec * 1000U;
}

void slw_stretch_start(struct slw_stretch *s)
{
    struct rusage used;

    (void)getrusage(RUSAGE_SELF, &used); /* cannot fail for SELF */
    s->user_ns = nanoseconds(&used.ru_utime);
    s->system_ns = nanoseconds(&used.ru_stime);
    s->voluntary = (uint64_t)used.ru_nvcsw;
    s->involuntary = (uint64_t)used.ru_nivcsw;
    s->start_ns = slw_clock_monotonic_ns();
}

void slw_stretch_stop(const struct slw_stretch *s, struct slw_tally *t)
{
    struct rusage used;

    t->elapsed_ns = slw_clock_monotonic_ns() - s->start_ns;
    (void)getrusage(RUSAGE_SELF, &used);
    t->user_ns = nanoseconds(&used.ru_utime) - s->user_ns;
    t->system_ns = nanoseconds(&used.ru_stime) - s->system_ns;
    t->voluntary = (uint64_t)used.ru_nvcsw - s->voluntary;
    t->involuntary = (uint64_t)used.ru_nivcsw - s->involuntary;
}

void slw_workload_extra(struct slw_workload_result *r, const char *name, double value,
                        const char *unit)
{
    assert(r->extra_count < SLW_MAX_EXTRAS);
    r->extras[r->extra_count++] = (struct slw_extra){name, unit, value};
}
