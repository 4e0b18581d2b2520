/* SPDX-License-Identifier: MIT */
/* The hot path: from the rings to the spool, whole spans at a time, unparsed. Samples with copies
 * of stacks go another way (perf_pack.c). */
#include "collector/perf_int.h"

#include "record/perf_layout.h"

/* Two parts per ring and the end of the round go into one writev. */
#define RINGS_PER_WRITE ((SLW_SPOOL_MAX_PARTS - 1) / 2)

/* Every reader may sort and deliver what came before the previous one of these. */
static struct perf_event_header round_end = {
    .type = SLW_PERF_RECORD_FINISHED_ROUND, .misc = 0, .size = sizeof(struct perf_event_header)};

static void add_part(struct slw_sample_rings *r, size_t *part_count, const void *bytes,
                     size_t length)
{
    struct iovec *part = &r->parts[*part_count];

    if (length == 0)
        return;
    part->iov_base = (void *)(uintptr_t)bytes; /* writev reads only, its type cannot say so */
    part->iov_len = length;
    (*part_count)++;
}

static int gather(struct slw_sample_rings *r, size_t first, size_t end, size_t *ret_parts,
                  struct slw_error *err)
{
    size_t part_count = 0;

    for (size_t i = first; i < end; i++) {
        struct slw_ring_span span = {0};

        r->heads[i] = r->rings[i].tail;
        if (!r->rings[i].page)
            continue;
        int rc = slw_ring_peek(&r->rings[i], &span, err);
        if (rc < 0)
            return rc;
        r->heads[i] = span.head;
        add_part(r, &part_count, span.parts[0], span.lengths[0]);
        add_part(r, &part_count, span.parts[1], span.lengths[1]);
    }
    *ret_parts = part_count;
    return 0;
}

/* The write stopped somewhere: keep the records that are whole, and leave room for the feature
 * sections if these records have some. */
static void keep_whole(struct slw_sample_rings *r, size_t first, size_t end, uint64_t written)
{
    uint64_t reserve = slw_spool_reserve_bytes(r->spool);
    uint64_t usable = written > reserve ? written - reserve : 0, whole = 0;

    for (size_t i = first; i < end && usable > 0; i++) {
        uint64_t length = r->heads[i] - r->rings[i].tail;

        if (length == 0)
            continue;
        if (usable < length) {
            whole += slw_ring_whole_bytes(&r->rings[i], r->heads[i], usable);
            break;
        }
        whole += length;
        usable -= length;
    }
    slw_spool_cut(r->spool, written - whole);
}

static int write_batch(struct slw_sample_rings *r, size_t first, size_t end, struct slw_error *err)
{
    size_t part_count = 0;
    uint64_t written = 0;
    int rc = gather(r, first, end, &part_count, err);

    if (rc < 0)
        return rc;
    if (part_count > 0 && end == r->ring_count)
        add_part(r, &part_count, &round_end, sizeof(round_end));
    if (part_count > 0 && slw_spool_write(r->spool, r->parts, part_count, &written) < 0)
        keep_whole(r, first, end, written);
    for (size_t i = first; i < end; i++)
        if (r->rings[i].page && r->heads[i] != r->rings[i].tail)
            slw_ring_release(&r->rings[i], r->heads[i]);
    return 0;
}

static int write_all(struct slw_sample_rings *r, struct slw_error *err)
{
    int rc = 0;

    for (size_t first = 0; first < r->ring_count && rc == 0 && !slw_spool_full(r->spool);
         first += RINGS_PER_WRITE) {
        size_t end =
            first + RINGS_PER_WRITE < r->ring_count ? first + RINGS_PER_WRITE : r->ring_count;
        rc = write_batch(r, first, end, err);
    }
    return rc;
}

int slw_sampling_drain(const struct slw_perf_env *env, struct slw_sample_rings *r,
                       struct slw_error *err)
{
    if (slw_spool_full(r->spool))
        return 0;
    int rc = r->pack ? slw_sampling_pack(r, err) : write_all(r, err);
    if (rc < 0)
        return rc;
    if (slw_spool_full(r->spool))
        return slw_sampling_enable(env, r, false, err); /* samples nobody keeps cost the target */
    return 0;
}

/* -1 in a pollfd means that poll leaves it alone. */
static int fd_for_poll(const struct slw_sample_rings *r, size_t ring)
{
    size_t thread = r->poll_threads[ring];

    if (!r->rings[ring].page || thread >= r->thread_count)
        return -1;
    return r->sampled[0].fds[ring * r->thread_count + thread];
}

void slw_sampling_poll_fds(const struct slw_sample_rings *r, struct pollfd *polls)
{
    for (size_t i = 0; i < r->ring_count; i++)
        polls[i] = (struct pollfd){.fd = fd_for_poll(r, i), .events = POLLIN};
}

void slw_sampling_task_fds(const struct slw_sample_rings *r, struct pollfd *polls)
{
    for (size_t i = 0; i < r->ring_count; i++)
        polls[i] = (struct pollfd){.fd = r->sampled[r->tracking].fds[i * r->thread_count],
                                   .events = POLLIN};
}

void slw_sampling_hung_up(struct slw_sample_rings *r, size_t index, struct pollfd *poll_fd)
{
    do
        r->poll_threads[index]++;
    while (r->poll_threads[index] < r->thread_count && fd_for_poll(r, index) < 0);
    poll_fd->fd = fd_for_poll(r, index);
}
