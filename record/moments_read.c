/* SPDX-License-Identifier: MIT */
/* moments.pb.gz: everything but the samples is read as any profile is; the samples, of which there
 * may be millions, are taken from the bytes one by one. Nothing in the file is trusted. */
#include "base/cleanup.h"
#include "record/gzip_int.h"
#include "record/moments_int.h"
#include "record/pprof_read_int.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)
/* A length SLW_MAX_BUCKETS times this still is a time. */
#define MAX_BUCKET_NS (UINT64_C(1) << 47)

/* ---- protobuf, as far as a sample needs it ---- */

struct cursor {
    const uint8_t *at, *end;
};

/* A field: a number, or bytes. */
struct field {
    uint64_t number; /* of the field */
    bool has_bytes;
    uint64_t value;
    struct cursor bytes;
};

static bool take_varint(struct cursor *c, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && c->at < c->end; shift += 7) {
        const uint8_t byte = *c->at++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool take_bytes(struct cursor *c, uint64_t count, struct cursor *ret_bytes)
{
    if (count > (size_t)(c->end - c->at))
        return false;
    *ret_bytes = (struct cursor){c->at, c->at + count};
    c->at += count;
    return true;
}

/* False: malformed. Wire types: varint, 64 bits, bytes, 32 bits. */
static bool take_field(struct cursor *c, struct field *ret_field)
{
    struct field f = {0};
    uint64_t tag, count;

    if (!take_varint(c, &tag))
        return false;
    f.number = tag >> 3;
    switch (tag & 7) {
    case 0:
        if (!take_varint(c, &f.value))
            return false;
        break;
    case 1:
    case 5:
        if (!take_bytes(c, (tag & 7) == 1 ? 8 : 4, &f.bytes))
            return false;
        break;
    case 2:
        f.has_bytes = true;
        if (!take_varint(c, &count) || !take_bytes(c, count, &f.bytes))
            return false;
        break;
    default:
        return false;
    }
    *ret_field = f;
    return true;
}

/* ---- samples ---- */

/* What a label says, by the string that is its key. */
enum label { LABEL_NONE, LABEL_PID, LABEL_TID, LABEL_COMM, LABEL_ROUND, LABEL_TIME };

struct stack_key {
    uint64_t ids[SLW_MAX_STACK_DEPTH];
    size_t depth;
    uint64_t pid_plus_1, tid_plus_1, comm; /* 0: none; comm: a string */
};

struct sample {
    struct stack_key key;
    uint64_t values[2];
    size_t value_count;
    uint64_t round, time, unit; /* unit: a string */
    bool has_time;
};

struct moments_reader {
    struct slw_pprof_reader r;
    const struct slw_stacks *stacks;
    struct slw_moments *m;
    uint8_t *labels;    /* by string */
    uint32_t *frame_of; /* by frame of the file: that of the profile, or NO_FRAME */
    struct sample sample, last;
    uint32_t last_path;
    bool has_last;
    size_t index; /* of the sample */
    uint32_t frames[SLW_MAX_STACK_DEPTH];
};
#define NO_FRAME UINT32_MAX

static int bad_sample(struct moments_reader *mr)
{
    return slw_pprof_bad(&mr->r, "sample %zu: malformed", mr->index);
}

/* One element, or several packed ones. Of locations only as many as a stack may have. */
static bool take_numbers(struct field *f, uint64_t *numbers, size_t limit, size_t *count)
{
    if (!f->has_bytes) {
        if (*count < limit)
            numbers[*count] = f->value;
        ++*count;
        return true;
    }
    while (f->bytes.at < f->bytes.end) {
        uint64_t value;

        if (!take_varint(&f->bytes, &value))
            return false;
        if (*count < limit)
            numbers[*count] = value;
        ++*count;
    }
    return true;
}

static void apply_label(struct sample *s, enum label what, uint64_t str, uint64_t num,
                        uint64_t unit)
{
    switch (what) {
    case LABEL_PID:
        s->key.pid_plus_1 = str == 0 && num <= INT32_MAX ? num + 1 : 0;
        break;
    case LABEL_TID:
        s->key.tid_plus_1 = str == 0 && num <= INT32_MAX ? num + 1 : 0;
        break;
    case LABEL_COMM:
        s->key.comm = str;
        break;
    case LABEL_ROUND:
        s->round = num;
        break;
    case LABEL_TIME:
        s->time = num;
        s->unit = unit;
        s->has_time = true;
        break;
    case LABEL_NONE:
        break;
    }
}

static bool take_label(struct moments_reader *mr, struct cursor bytes)
{
    const size_t strings = mr->r.p->n_string_table;
    uint64_t parts[5] = {0}; /* key, str, num, num_unit by their numbers */
    struct field f;

    while (bytes.at < bytes.end) {
        if (!take_field(&bytes, &f))
            return false;
        if (!f.has_bytes && f.number < 5)
            parts[f.number] = f.value;
    }
    if (parts[1] >= strings || parts[2] >= strings || parts[4] >= strings)
        return false;
    apply_label(&mr->sample, (enum label)mr->labels[parts[1]], parts[2], parts[3], parts[4]);
    return true;
}

static bool take_sample(struct moments_reader *mr, struct cursor bytes)
{
    struct sample *s = &mr->sample;
    struct field f;
    size_t depth = 0;
    bool good = true;

    s->key.pid_plus_1 = s->key.tid_plus_1 = s->key.comm = 0;
    s->value_count = 0;
    s->round = s->time = s->unit = 0;
    s->has_time = false;
    while (good && bytes.at < bytes.end) {
        good = take_field(&bytes, &f);
        if (good && f.number == 1)
            good = take_numbers(&f, s->key.ids, SLW_MAX_STACK_DEPTH, &depth);
        else if (good && f.number == 2)
            good = take_numbers(&f, s->values, 2, &s->value_count);
        else if (good && f.number == 3)
            good = f.has_bytes && take_label(mr, f.bytes);
    }
    s->key.depth = depth < SLW_MAX_STACK_DEPTH ? depth : SLW_MAX_STACK_DEPTH;
    return good && s->value_count == 2 && s->values[0] <= INT64_MAX && s->values[1] <= INT64_MAX;
}

/* ---- stacks of the file as paths of the profile ---- */

static bool find_thread(struct moments_reader *mr, uint32_t *ret_thread)
{
    const struct stack_key *k = &mr->sample.key;
    const struct slw_thread t = {.comm = mr->r.p->string_table[k->comm],
                                 .pid = (int32_t)k->pid_plus_1 - 1,
                                 .tid = (int32_t)k->tid_plus_1 - 1};

    *ret_thread = SLW_NO_THREAD;
    if (t.pid == -1 && t.tid == -1 && !t.comm[0])
        return true;
    return slw_stacks_find_thread(mr->stacks, &t, ret_thread);
}

static int find_path(struct moments_reader *mr, uint32_t *ret_path)
{
    const struct stack_key *k = &mr->sample.key;
    uint32_t thread, path = 0;
    size_t depth = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < k->depth; i++)
        rc = slw_pprof_put_location(&mr->r, mr->index, k->ids[i], mr->frames, &depth);
    if (rc < 0)
        return rc;
    bool found = find_thread(mr, &thread) &&
                 slw_stacks_find_path(mr->stacks, (struct slw_path){SLW_NO_PATH, thread}, &path);
    while (found && depth > 0) {
        const uint32_t frame = mr->frame_of[mr->frames[--depth]];

        found = frame != NO_FRAME &&
                slw_stacks_find_path(mr->stacks, (struct slw_path){path, frame}, &path);
    }
    if (!found)
        return slw_pprof_bad(&mr->r, "sample %zu: its stack is not in the profile", mr->index);
    *ret_path = path;
    return 0;
}

static bool same_stack(const struct stack_key *a, const struct stack_key *b)
{
    return a->depth == b->depth && a->pid_plus_1 == b->pid_plus_1 &&
           a->tid_plus_1 == b->tid_plus_1 && a->comm == b->comm &&
           memcmp(a->ids, b->ids, a->depth * sizeof(a->ids[0])) == 0;
}

/* The path of mr->sample; neighbours in the file mostly have the same. */
static int path_of_sample(struct moments_reader *mr)
{
    const struct stack_key *k = &mr->sample.key;
    struct stack_key *last = &mr->last.key;

    if (mr->has_last && same_stack(k, last))
        return 0;
    int rc = find_path(mr, &mr->last_path);
    if (rc < 0)
        return rc;
    last->depth = k->depth;
    last->pid_plus_1 = k->pid_plus_1;
    last->tid_plus_1 = k->tid_plus_1;
    last->comm = k->comm;
    memcpy(last->ids, k->ids, k->depth * sizeof(k->ids[0]));
    mr->has_last = true;
    return 0;
}

static int time_of_sample(struct moments_reader *mr, uint64_t *ret_time_ns)
{
    const struct sample *s = &mr->sample;
    const char *unit = mr->r.p->string_table[s->unit];
    uint64_t scale = strcmp(unit, "milliseconds") == 0 ? NS_PER_MS : 1;

    if (!s->has_time || s->round >= SLW_KEEP_ROUNDS ||
        (scale == 1 && strcmp(unit, "nanoseconds") != 0) || s->time > INT64_MAX / scale)
        return slw_pprof_bad(&mr->r, "sample %zu: has no time", mr->index);
    *ret_time_ns = s->time * scale;
    return 0;
}

static int add_sample(struct moments_reader *mr, struct cursor bytes)
{
    uint64_t time_ns = 0;

    if (!take_sample(mr, bytes))
        return bad_sample(mr);
    int rc = time_of_sample(mr, &time_ns);
    if (rc == 0)
        rc = path_of_sample(mr);
    if (rc < 0)
        return rc;
    rc = slw_moments_add(mr->m, (uint32_t)mr->sample.round, time_ns, mr->last_path,
                         mr->sample.values[0], mr->sample.values[1]);
    return rc < 0 ? slw_fail(mr->r.err, (enum slw_code) - rc, "times of samples: %s",
                             slw_code_text((enum slw_code) - rc))
                  : 0;
}

static int add_samples(struct moments_reader *mr, struct cursor all)
{
    struct field f;
    int rc = 0;

    while (rc == 0 && all.at < all.end) {
        if (!take_field(&all, &f))
            return bad_sample(mr);
        if (f.number != 2 || !f.has_bytes)
            continue;
        rc = add_sample(mr, f.bytes);
        mr->index++;
    }
    return rc;
}

/* ---- all of it ---- */

/* Everything but the samples. */
static int split(struct cursor all, struct slw_buf *rest, struct slw_error *err)
{
    while (all.at < all.end) {
        const uint8_t *start = all.at;
        struct field f;

        if (!take_field(&all, &f))
            return slw_fail(err, SLW_E_FORMAT,
                            "not a pprof profile: the protobuf message is malformed");
        if (f.number != 2 || !f.has_bytes)
            slw_buf_put(rest, start, (size_t)(all.at - start));
    }
    return slw_buf_failed(rest) ? slw_fail(err, SLW_E_NOMEM, "no memory for a stack profile") : 0;
}

static int map_labels(struct moments_reader *mr)
{
    static const struct {
        const char *key;
        enum label label;
    } known[] = {{"pid", LABEL_PID},
                 {"tid", LABEL_TID},
                 {"comm", LABEL_COMM},
                 {SLW_MOMENTS_ROUND, LABEL_ROUND},
                 {SLW_MOMENTS_TIME, LABEL_TIME}};
    const size_t strings = mr->r.p->n_string_table;

    mr->labels = calloc(strings + 1, 1);
    if (!mr->labels)
        return slw_pprof_no_memory(&mr->r);
    for (size_t i = 0; i < strings; i++)
        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
            if (strcmp(mr->r.p->string_table[i], known[k].key) == 0)
                mr->labels[i] = (uint8_t)known[k].label;
    return 0;
}

static uint32_t frame_in(const struct slw_stacks *from, uint32_t id, const struct slw_stacks *in)
{
    struct slw_frame f = slw_stacks_frame(from, id);
    uint32_t found;

    if (f.mapping != SLW_NO_MAPPING) {
        const struct slw_mapping m = slw_stacks_mapping(from, f.mapping);
        if (!slw_stacks_find_mapping(in, &m, &f.mapping))
            return NO_FRAME;
    }
    return slw_stacks_find_frame(in, &f, &found) ? found : NO_FRAME;
}

static int map_frames(struct moments_reader *mr)
{
    const size_t frames = slw_stacks_frame_count(mr->r.s);

    mr->frame_of = calloc(frames + 1, sizeof(*mr->frame_of));
    if (!mr->frame_of)
        return slw_pprof_no_memory(&mr->r);
    for (uint32_t i = 0; i < frames; i++)
        mr->frame_of[i] = frame_in(mr->r.s, i, mr->stacks);
    return 0;
}

static int make_moments(struct moments_reader *mr)
{
    const json_t *bucket = json_object_get(mr->r.header, SLW_MOMENTS_BUCKET);
    const json_int_t ns = json_integer_value(bucket);

    if (!json_is_integer(bucket) || ns < 1 || (uint64_t)ns > MAX_BUCKET_NS)
        return slw_pprof_bad(&mr->r, "the profile holds no times of samples");
    if (slw_stacks_column_count(mr->r.s) != 2)
        return slw_pprof_bad(&mr->r, "times of samples need samples and their weight");
    return slw_moments_new(mr->stacks, (uint64_t)ns, &mr->m, mr->r.err);
}

static int read_all(struct moments_reader *mr, struct cursor all)
{
    struct slw_buf rest = {0};
    int rc = split(all, &rest, mr->r.err);

    if (rc == 0)
        rc = slw_pprof_read_tables(&mr->r, rest.data, rest.length);
    slw_buf_release(&rest);
    if (rc == 0)
        rc = make_moments(mr);
    if (rc == 0)
        rc = map_labels(mr);
    if (rc == 0)
        rc = map_frames(mr);
    return rc < 0 ? rc : add_samples(mr, all);
}

static int read_plain(struct cursor all, const struct slw_stacks *stacks,
                      struct slw_moments **ret_moments, struct slw_error *err)
{
    struct moments_reader *mr = calloc(1, sizeof(*mr));

    if (!mr)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the times of samples");
    mr->r.err = err;
    mr->stacks = stacks;
    int rc = read_all(mr, all);
    slw_stacks_free(mr->r.s);
    slw_pprof_reader_release(&mr->r);
    free(mr->labels);
    free(mr->frame_of);
    if (rc < 0)
        slw_moments_free(mr->m);
    else
        *ret_moments = mr->m;
    free(mr);
    return rc;
}

int slw_moments_from_pprof(const void *bytes, size_t length, const struct slw_stacks *stacks,
                           struct slw_moments **ret_moments, struct slw_error *err)
{
    struct slw_buf plain = {0};
    const uint8_t *from = bytes;

    if (!slw_gzip_recognise(bytes, length))
        return read_plain((struct cursor){from, from + length}, stacks, ret_moments, err);
    int rc = slw_gunzip(bytes, length, SLW_MAX_MOMENTS_BYTES, &plain, err);
    if (rc == 0) {
        from = (const uint8_t *)plain.data;
        rc = read_plain((struct cursor){from, from + plain.length}, stacks, ret_moments, err);
    }
    slw_buf_release(&plain);
    return rc;
}
