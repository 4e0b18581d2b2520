/* SPDX-License-Identifier: MIT */
/* Moments as a pprof profile: a sample for each, with its time as a label. They come stack by
 * stack, so that what two neighbours have in common is packed once and compresses to nothing. */
#include "record/moments_int.h"
#include "record/pprof_write_int.h"
#include "record/run_dir.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000

/* Numbers in profile.proto, with their wire types. */
enum { VALUE_TAG = 2 << 3 | 2, LABEL_TAG = 3 << 3 | 2, KEY_TAG = 1 << 3, NUM_TAG = 3 << 3 };
enum { NUM_UNIT_TAG = 4 << 3 };

struct moments_writer {
    struct slw_pprof_writer *w;
    const struct slw_moments *m;
    struct slw_moment *sorted; /* heap */
    int64_t round, time, unit; /* strings */
    uint64_t unit_ns;
    size_t stack_bytes; /* of the packed stack in w->scratch */
    size_t limit_bytes;
};

static int by_path(const void *left, const void *right)
{
    const struct slw_moment *a = left, *b = right;

    if (a->path != b->path)
        return a->path < b->path ? -1 : 1;
    if (a->round != b->round)
        return a->round < b->round ? -1 : 1;
    return (a->bucket > b->bucket) - (a->bucket < b->bucket);
}

static size_t put_number(uint8_t *to, uint8_t tag, uint64_t value)
{
    to[0] = tag;
    return 1 + slw_pprof_varint(to + 1, value);
}

/* Labels are shorter than 128 bytes, and so is their length. */
static size_t put_label(uint8_t *to, int64_t key, uint64_t number, int64_t unit)
{
    size_t n = 2;

    n += put_number(to + n, KEY_TAG, (uint64_t)key);
    n += put_number(to + n, NUM_TAG, number);
    if (unit)
        n += put_number(to + n, NUM_UNIT_TAG, (uint64_t)unit);
    to[0] = LABEL_TAG;
    to[1] = (uint8_t)(n - 2);
    return n;
}

static void emit_moment(struct moments_writer *mw, const struct slw_moment *row)
{
    uint8_t head[20], tail[160];
    size_t n = 2, head_bytes;

    n += slw_pprof_varint(tail + n, row->samples);
    n += slw_pprof_varint(tail + n, row->weight);
    tail[0] = VALUE_TAG;
    tail[1] = (uint8_t)(n - 2);
    if (row->round)
        n += put_label(tail + n, mw->round, row->round, 0);
    n += put_label(tail + n, mw->time, row->bucket * (slw_moments_bucket_ns(mw->m) / mw->unit_ns),
                   mw->unit);
    head[0] = SLW_PPROF_SAMPLE_FIELD << 3 | 2;
    head_bytes = 1 + slw_pprof_varint(head + 1, mw->stack_bytes + n);
    slw_pprof_put(mw->w, head, head_bytes);
    slw_pprof_put(mw->w, mw->w->scratch, mw->stack_bytes);
    slw_pprof_put(mw->w, tail, n);
}

static int pack_stack(struct moments_writer *mw, uint32_t path)
{
    const struct slw_stack stack = slw_stacks_at(slw_moments_stacks(mw->m), path);
    Perftools__Profiles__Sample m;
    int rc = slw_pprof_start_sample(mw->w, &stack, &m);

    if (rc < 0)
        return rc;
    mw->stack_bytes = protobuf_c_message_get_packed_size(&m.base);
    rc = slw_pprof_reserve(mw->w, mw->stack_bytes);
    if (rc == 0)
        (void)protobuf_c_message_pack(&m.base, mw->w->scratch);
    return rc;
}

static int emit_moments(struct moments_writer *mw)
{
    const size_t count = slw_moments_count(mw->m);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (i == 0 || mw->sorted[i].path != mw->sorted[i - 1].path)
            rc = pack_stack(mw, mw->sorted[i].path);
        if (rc == 0)
            emit_moment(mw, &mw->sorted[i]);
        if (mw->w->written > mw->limit_bytes)
            return -SLW_E_LIMIT;
    }
    return rc;
}

static int sort(struct moments_writer *mw)
{
    const size_t count = slw_moments_count(mw->m);

    mw->sorted = calloc(count + 1, sizeof(*mw->sorted));
    if (!mw->sorted)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        mw->sorted[i] = *slw_moments_get(mw->m, i);
    if (count > 1)
        qsort(mw->sorted, count, sizeof(*mw->sorted), by_path);
    return 0;
}

static int intern(struct moments_writer *mw)
{
    const bool ms = slw_moments_bucket_ns(mw->m) % NS_PER_MS == 0;
    int rc = slw_pprof_string(mw->w, SLW_MOMENTS_ROUND, &mw->round);

    mw->unit_ns = ms ? NS_PER_MS : 1;
    if (rc == 0)
        rc = slw_pprof_string(mw->w, SLW_MOMENTS_TIME, &mw->time);
    if (rc == 0)
        rc = slw_pprof_string(mw->w, ms ? "milliseconds" : "nanoseconds", &mw->unit);
    return rc;
}

/* Samples and weight of the first event, whatever columns the profile has. */
static void first_event(const struct slw_stacks *s, struct slw_column columns[2])
{
    const int weight = slw_stacks_find_column(s, NULL, NULL);

    columns[0] = columns[1] = *slw_stacks_column(s, weight < 0 ? 0 : (size_t)weight);
    columns[0].unit = "count";
}

static int write_all(struct moments_writer *mw, struct slw_buf *out)
{
    struct slw_column columns[2];
    int rc = slw_pprof_writer_new(slw_moments_stacks(mw->m), out, &mw->w);

    if (rc < 0)
        return rc;
    first_event(slw_moments_stacks(mw->m), columns);
    mw->w->columns = columns;
    mw->w->column_count = 2;
    mw->w->extra_key = SLW_MOMENTS_BUCKET;
    mw->w->extra = slw_moments_bucket_ns(mw->m);
    rc = intern(mw);
    if (rc == 0)
        rc = sort(mw);
    if (rc == 0)
        rc = emit_moments(mw);
    return rc < 0 ? rc : slw_pprof_finish(mw->w, NULL);
}

static int write_once(const struct slw_moments *m, size_t limit_bytes, struct slw_buf *out)
{
    struct moments_writer mw = {.m = m, .limit_bytes = limit_bytes};
    const size_t before = out->length;
    int rc = write_all(&mw, out);

    slw_pprof_writer_free(mw.w);
    free(mw.sorted);
    if (rc < 0)
        out->length = before;
    return rc;
}

/* The same with buckets twice as long; *ret_coarser: heap. */
static int coarser(const struct slw_moments *m, struct slw_moments **ret_coarser,
                   struct slw_error *err)
{
    struct slw_moments *c = NULL;
    int rc = slw_moments_new(slw_moments_stacks(m), slw_moments_bucket_ns(m) * 2, &c, err);

    if (rc == 0)
        rc = slw_moments_merge(c, m, NULL, SLW_KEEP_ROUNDS, err);
    if (rc < 0)
        slw_moments_free(c);
    else
        *ret_coarser = c;
    return rc;
}

int slw_moments_write(const struct slw_moments *m, size_t limit_bytes, struct slw_buf *out,
                      struct slw_error *err)
{
    struct slw_moments *copy = NULL, *last = NULL;
    int rc = write_once(m, limit_bytes, out), made = 0;

    /* With one bucket for all there is no coarser one. */
    for (uint64_t buckets = SLW_MAX_BUCKETS; rc == -SLW_E_LIMIT && buckets > 1; buckets /= 2) {
        made = coarser(copy ? copy : m, &last, err);
        slw_moments_free(copy);
        copy = last;
        last = NULL;
        if (made < 0)
            return made;
        rc = write_once(copy, limit_bytes, out);
    }
    slw_moments_free(copy);
    return rc < 0 ? slw_fail(err, (enum slw_code) - rc, "cannot write the times of samples") : 0;
}

int slw_moments_to_pprof(const struct slw_moments *m, struct slw_buf *out, struct slw_error *err)
{
    return slw_moments_write(m, SLW_MAX_MOMENTS_BYTES, out, err);
}
