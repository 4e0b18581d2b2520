/* SPDX-License-Identifier: MIT */
/* When each stack was sampled. While samples are read, stacks are chains; the moments are told
 * again of the profile's paths when chains have become these. */
#include "analyzer/samples_int.h"

/* Records come in the order of their times, so that the first sample is the earliest. */
static uint64_t start_of(const struct slw_samples *s, uint64_t first_ns)
{
    const uint64_t told_ns = slw_perfdata_meta(s->pd)->start_ns;

    return told_ns > 0 && told_ns < first_ns ? told_ns : first_ns;
}

int slw_samples_start_times(struct slw_samples *s)
{
    return s->timed ? slw_moments_new(s->stacks, SLW_MOMENT_NS, &s->times, NULL) : 0;
}

static int give_up(struct slw_samples *s)
{
    slw_moments_free(s->times);
    s->times = NULL;
    s->times_given_up = true;
    return 0;
}

int slw_samples_time(struct slw_samples *s, uint32_t chain, uint64_t time_ns)
{
    if (!s->times || time_ns == 0)
        return 0;
    if (s->start_ns == 0)
        s->start_ns = start_of(s, time_ns);
    const uint64_t since_ns = time_ns > s->start_ns ? time_ns - s->start_ns : 0;
    int rc = slw_moments_add(s->times, 0, since_ns, chain, s->weights[0], s->weights[1]);
    return rc == -SLW_E_LIMIT || rc == -SLW_E_RANGE ? give_up(s) : rc;
}

int slw_samples_name_times(struct slw_samples *s, const uint32_t *path_of)
{
    struct slw_moments *named = NULL;

    if (!s->times)
        return 0;
    int rc = slw_moments_new(s->stacks, slw_moments_bucket_ns(s->times), &named, NULL);
    if (rc == 0)
        rc = slw_moments_merge(named, s->times, path_of, 0, NULL);
    slw_moments_free(s->times);
    s->times = rc < 0 ? NULL : named;
    if (rc < 0)
        slw_moments_free(named);
    return rc;
}
