/* SPDX-License-Identifier: MIT */
/* From the rings to the spool where samples carry copies of stacks: each sample without the room
 * that the kernel made and did not fill, and, as the spool nears its limit, fewer of them. Not for
 * samples without such copies: those go unparsed (perf_drain.c). */
#include "collector/perf_int.h"

#include "collector/call_graph.h"
#include "record/perf_layout.h"

#include <stdlib.h>
#include <string.h>

/* Written at once. Large enough that a write is cheap against what it moves, small enough to stay
 * in the second-level cache. */
#define PACKED_BYTES ((size_t)256 << 10)

struct slw_pack {
    size_t length;                                       /* of bytes */
    uint64_t samples;                                    /* seen, to choose those that are kept */
    uint64_t left_out;                                   /* while the spool was nearly full */
    uint64_t bounce[SLW_RING_RECORD_BYTES / 8];          /* a record that wraps */
    uint8_t bytes[PACKED_BYTES + SLW_RING_RECORD_BYTES]; /* whole records */
};

int slw_sampling_open_pack(struct slw_sample_rings *r, struct slw_error *err)
{
    if (!(r->sampled[0].attr.sample_type & PERF_SAMPLE_STACK_USER))
        return 0;
    r->pack = calloc(1, sizeof(*r->pack));
    return r->pack ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for copies of stacks");
}

void slw_sampling_close_pack(struct slw_sample_rings *r)
{
    free(r->pack);
    r->pack = NULL;
}

uint64_t slw_sampling_pack_bytes(const struct slw_sample_rings *r)
{
    return r->pack ? sizeof(*r->pack) : 0;
}

/* How much of it is whole records, at most `limit` bytes. */
static size_t whole_bytes(const struct slw_pack *p, uint64_t limit)
{
    struct perf_event_header header;
    size_t at = 0;

    for (; p->length - at >= sizeof(header); at += header.size) {
        memcpy(&header, p->bytes + at, sizeof(header));
        if (at + header.size > limit)
            break;
    }
    return at;
}

/* A spool that fails takes no more; what is whole of this stays in it, and room for the feature
 * sections if these records have some. */
static void flush(struct slw_sample_rings *r)
{
    struct slw_pack *p = r->pack;
    struct iovec part = {.iov_base = p->bytes, .iov_len = p->length};
    uint64_t written = 0;

    if (p->length > 0 && !slw_spool_full(r->spool) &&
        slw_spool_write(r->spool, &part, 1, &written) < 0) {
        const uint64_t reserve = slw_spool_reserve_bytes(r->spool);

        slw_spool_cut(r->spool,
                      written - whole_bytes(p, written > reserve ? written - reserve : 0));
    }
    p->length = 0;
}

static void append(struct slw_pack *p, const void *bytes, size_t length)
{
    memcpy(p->bytes + p->length, bytes, length);
    p->length += length;
}

/* The record, without the part of the stack that is not there. Returns where it stands. */
static uint8_t *append_record(struct slw_sample_rings *r, const struct perf_event_header *record)
{
    struct slw_pack *p = r->pack;
    struct slw_sample_cut cut;
    uint8_t *start = p->bytes + p->length;
    struct perf_event_header header = *record;

    if (!slw_sample_cut(&r->sampled[0].attr, record, &cut)) {
        append(p, record, record->size);
        return start;
    }
    const uint64_t room = cut.kept_bytes - cut.stack_size_at - sizeof(room);
    append(p, record, cut.kept_bytes);
    if (room > 0)
        append(p, &cut.filled, sizeof(cut.filled)); /* no room, no word that says what is in it */
    header.size = (uint16_t)(p->bytes + p->length - start);
    memcpy(start, &header, sizeof(header));
    memcpy(start + cut.stack_size_at, &room, sizeof(room));
    return start;
}

/* One of 2^level samples stands for itself and for those left out: the sum of periods stays what it
 * was, and the whole of a long run is in the spool instead of its beginning. */
static bool stands_for_others(struct slw_sample_rings *r, unsigned level)
{
    struct slw_pack *p = r->pack;
    const bool kept = (p->samples++ & ((UINT64_C(1) << level) - 1)) == 0;

    p->left_out += !kept;
    return kept;
}

static void weigh_for(uint8_t *sample, const struct perf_event_attr *attr, unsigned level)
{
    const size_t at = slw_sample_period_at(attr);
    uint64_t period;

    if (level == 0 || at == 0)
        return;
    memcpy(&period, sample + at, sizeof(period));
    period <<= level;
    memcpy(sample + at, &period, sizeof(period));
}

static void take(struct slw_sample_rings *r, const struct perf_event_header *record, unsigned level)
{
    const bool sample = record->type == PERF_RECORD_SAMPLE;

    if (sample && !stands_for_others(r, level))
        return;
    uint8_t *taken = append_record(r, record);
    if (sample && record->size > slw_sample_period_at(&r->sampled[0].attr) + sizeof(uint64_t))
        weigh_for(taken, &r->sampled[0].attr, level);
    if (r->pack->length >= PACKED_BYTES)
        flush(r);
}

static int pack_ring(struct slw_sample_rings *r, struct slw_ring *ring, struct slw_error *err)
{
    const unsigned level = slw_spool_thinning(r->spool);
    const struct perf_event_header *record;
    struct slw_ring_span span = {0};
    uint64_t position = ring->tail;

    int rc = slw_ring_peek(ring, &span, err);
    if (rc < 0 || span.head == position)
        return rc;
    while ((rc = slw_ring_next(ring, span.head, &position, r->pack->bounce, &record, err)) > 0)
        take(r, record, level);
    if (rc == 0)
        slw_ring_release(ring, span.head);
    return rc;
}

int slw_sampling_pack(struct slw_sample_rings *r, struct slw_error *err)
{
    const struct perf_event_header round_end = {.type = SLW_PERF_RECORD_FINISHED_ROUND,
                                                .size = sizeof(round_end)};
    const uint64_t before = slw_spool_bytes(r->spool);
    int rc = 0;

    for (size_t i = 0; i < r->ring_count && rc == 0; i++)
        if (r->rings[i].page)
            rc = pack_ring(r, &r->rings[i], err);
    if (r->pack->length > 0 || slw_spool_bytes(r->spool) != before)
        append(r->pack, &round_end, sizeof(round_end));
    flush(r);
    return rc;
}

void slw_sampling_note_pack(const struct slw_perf_env *env, const struct slw_sample_rings *r)
{
    if (!r->pack || r->pack->left_out == 0)
        return;
    (void)slw_run_note(env->run, SLW_NOTE_WARNING, "samples-thinned",
                       "give more room with --spool-size, or copy less with --stack-size",
                       "the raw samples neared their limit on the disk: of %llu, %llu were left "
                       "out, and the others stand for them",
                       (unsigned long long)r->pack->samples, (unsigned long long)r->pack->left_out);
}
