/* SPDX-License-Identifier: MIT */
/* Stacks as a pprof profile. Samples, locations and functions are packed and compressed one by one,
 * as repeated fields of a message may be, so that a large profile is never in memory twice. */
#include "record/pprof_write_int.h"

#include "record/run_dir.h"
#include "record/run_json_int.h"
#include "record/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Perftools__Profiles__Profile profile_message;

size_t slw_pprof_varint(uint8_t *to, uint64_t value)
{
    size_t n = 0;

    for (; value > 0x7f; value >>= 7)
        to[n++] = (uint8_t)(value | 0x80);
    to[n++] = (uint8_t)value;
    return n;
}

void slw_pprof_put(struct slw_pprof_writer *w, const void *bytes, size_t length)
{
    w->written += length;
    slw_gzip_put(&w->gzip, bytes, length);
}

int slw_pprof_reserve(struct slw_pprof_writer *w, size_t bytes)
{
    if (bytes <= w->scratch_bytes)
        return 0;
    uint8_t *scratch = realloc(w->scratch, bytes * 2);
    if (!scratch)
        return -SLW_E_NOMEM;
    w->scratch = scratch;
    w->scratch_bytes = bytes * 2;
    return 0;
}

int slw_pprof_emit(struct slw_pprof_writer *w, unsigned number, const ProtobufCMessage *m)
{
    size_t bytes = protobuf_c_message_get_packed_size(m);
    uint8_t head[20];

    if (slw_pprof_reserve(w, bytes) < 0)
        return -SLW_E_NOMEM;
    size_t n = slw_pprof_varint(head, (uint64_t)number << 3 | 2);
    n += slw_pprof_varint(head + n, bytes);
    slw_pprof_put(w, head, n);
    (void)protobuf_c_message_pack(m, w->scratch);
    slw_pprof_put(w, w->scratch, bytes);
    return 0;
}

int slw_pprof_string(struct slw_pprof_writer *w, const char *s, int64_t *ret_id)
{
    struct slw_buf escaped = {0};
    uint32_t id;

    slw_text_escape(&escaped, s);
    int rc =
        slw_buf_failed(&escaped)
            ? -SLW_E_NOMEM
            : slw_strtab_intern(&w->strings, escaped.data ? escaped.data : "", escaped.length, &id);
    slw_buf_release(&escaped);
    if (rc == 0)
        *ret_id = id;
    return rc;
}

/* ---- samples ---- */

static Perftools__Profiles__Label *next_label(struct slw_pprof_labels *l, int64_t key)
{
    Perftools__Profiles__Label *label = &l->labels[l->count];

    perftools__profiles__label__init(label);
    label->key = key;
    l->pointers[l->count++] = label;
    return label;
}

static int thread_labels(struct slw_pprof_writer *w, uint32_t thread, struct slw_pprof_labels *l)
{
    l->count = 0;
    if (thread == SLW_NO_THREAD)
        return 0;
    const struct slw_thread t = slw_stacks_thread(w->s, thread);
    if (t.pid >= 0)
        next_label(l, l->keys[0])->num = t.pid;
    if (t.tid >= 0)
        next_label(l, l->keys[1])->num = t.tid;
    return t.comm[0] ? slw_pprof_string(w, t.comm, &next_label(l, l->keys[2])->str) : 0;
}

int slw_pprof_start_sample(struct slw_pprof_writer *w, const struct slw_stack *stack,
                           Perftools__Profiles__Sample *ret_sample)
{
    Perftools__Profiles__Sample m = PERFTOOLS__PROFILES__SAMPLE__INIT;
    int rc = slw_pprof_stack_locations(w, stack, w->ids, &m.n_location_id);

    if (rc == 0)
        rc = thread_labels(w, stack->thread, &w->labels);
    if (rc < 0)
        return rc;
    m.location_id = w->ids;
    m.label = w->labels.pointers;
    m.n_label = w->labels.count;
    *ret_sample = m;
    return 0;
}

static int emit_sample(struct slw_pprof_writer *w, const struct slw_stack *stack, int64_t *values)
{
    Perftools__Profiles__Sample m;
    int rc = slw_pprof_start_sample(w, stack, &m);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < w->column_count; i++)
        values[i] = (int64_t)stack->weights[i];
    m.value = values;
    m.n_value = w->column_count;
    return slw_pprof_emit(w, SLW_PPROF_SAMPLE_FIELD, &m.base);
}

static int emit_samples(struct slw_pprof_writer *w)
{
    int64_t *values = slw_arena_array(w->arena, SLW_MAX_COLUMNS, sizeof(*values));
    int rc = values ? 0 : -SLW_E_NOMEM;

    for (size_t i = 0; rc == 0 && i < slw_stacks_count(w->s); i++) {
        const struct slw_stack stack = slw_stacks_get(w->s, i);
        rc = emit_sample(w, &stack, values);
    }
    return rc;
}

/* ---- the rest of the message ---- */

/* An array of `count` messages of `bytes` each and the array of pointers protobuf-c wants. */
static int message_array(struct slw_pprof_writer *w, size_t count, size_t bytes,
                         void **ret_messages, void ***ret_pointers)
{
    char *messages = slw_arena_array(w->arena, count, bytes);
    void **pointers = slw_arena_array(w->arena, count, sizeof(*pointers));

    if (!messages || !pointers)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        pointers[i] = messages + i * bytes;
    *ret_messages = messages;
    *ret_pointers = pointers;
    return 0;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_count(const struct slw_column *c)
{
    return strcmp(c->unit, "count") == 0;
}

/* pprof tools choose a column by its type alone, so the pair (event, "count"), (event, unit) needs
 * two names: "samples", as other writers call it, and the event; "EVENT-samples" when several
 * events were sampled. The header comment keeps the real event. */
static int column_type(struct slw_pprof_writer *w, size_t index, int64_t *ret_type)
{
    const struct slw_column *c = &w->columns[index];
    bool paired = index + 1 < w->column_count && strcmp(c[1].event, c->event) == 0;
    struct slw_buf name = {0};

    if (!is_count(c) || !paired)
        slw_buf_puts(&name, c->event);
    else if (w->column_count > 2)
        slw_buf_printf(&name, "%s-samples", c->event);
    else
        slw_buf_puts(&name, "samples");
    for (char *letter = name.data; w->plain && letter && *letter; letter++)
        *letter = is_word(*letter) ? *letter : '_';
    int rc = slw_buf_failed(&name) ? -SLW_E_NOMEM : slw_pprof_string(w, name.data, ret_type);
    slw_buf_release(&name);
    return rc;
}

static int fill_columns(struct slw_pprof_writer *w, profile_message *p)
{
    size_t count = w->column_count, best = count;
    void *messages = NULL, **pointers = NULL;
    int rc = message_array(w, count, sizeof(Perftools__Profiles__ValueType), &messages, &pointers);
    Perftools__Profiles__ValueType *types = messages;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        perftools__profiles__value_type__init(&types[i]);
        rc = column_type(w, i, &types[i].type);
        if (rc == 0)
            rc = slw_pprof_string(w, w->columns[i].unit, &types[i].unit);
    }
    if (rc < 0)
        return rc;
    p->sample_type = (Perftools__Profiles__ValueType **)pointers;
    p->n_sample_type = count;
    /* As slw_stacks_find_column finds it: of the first event the column that is no count. */
    for (size_t i = count; i-- > 0;)
        if (!is_count(&w->columns[i]) && strcmp(w->columns[i].event, w->columns[0].event) == 0)
            best = i;
    p->default_sample_type = types[best < count ? best : 0].type;
    return 0;
}

static void set_resolution(struct slw_pprof_writer *w, Perftools__Profiles__Mapping *mappings)
{
    for (uint32_t i = 0; i < slw_stacks_frame_count(w->s); i++) {
        const struct slw_frame f = slw_stacks_frame(w->s, i);

        if (f.mapping == SLW_NO_MAPPING)
            continue;
        Perftools__Profiles__Mapping *m = &mappings[f.mapping];
        m->has_functions = m->has_functions || f.function[0];
        m->has_filenames = m->has_filenames || f.file[0];
        m->has_line_numbers = m->has_line_numbers || f.line > 0;
        m->has_inline_frames = m->has_inline_frames || f.inlined;
    }
}

static int fill_mappings(struct slw_pprof_writer *w, profile_message *p)
{
    size_t count = slw_stacks_mapping_count(w->s);
    void *messages = NULL, **pointers = NULL;
    int rc = message_array(w, count, sizeof(Perftools__Profiles__Mapping), &messages, &pointers);
    Perftools__Profiles__Mapping *mappings = messages;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct slw_mapping from = slw_stacks_mapping(w->s, (uint32_t)i);
        Perftools__Profiles__Mapping *m = &mappings[i];

        perftools__profiles__mapping__init(m);
        m->id = i + 1;
        m->memory_start = from.start;
        m->memory_limit = from.limit;
        m->file_offset = from.offset;
        rc = slw_pprof_string(w, from.path, &m->filename);
        if (rc == 0)
            rc = slw_pprof_string(w, from.build_id, &m->build_id);
    }
    if (rc < 0)
        return rc;
    set_resolution(w, mappings);
    p->mapping = (Perftools__Profiles__Mapping **)pointers;
    p->n_mapping = count;
    return 0;
}

static json_t *header_json(const struct slw_pprof_writer *w)
{
    json_t *columns = json_array();
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < w->column_count; i++)
        rc = json_array_append_new(columns, slw_fields_to_json(slw_column_fields, &w->columns[i]));
    json_t *j = json_pack("{s:i,s:o}", "version", SLW_PPROF_HEADER_VERSION, "columns", columns);
    if (rc == 0 && w->extra_key)
        rc = json_object_set_new(j, w->extra_key, json_integer((json_int_t)w->extra));
    if (rc == 0)
        return j;
    json_decref(j);
    return NULL;
}

static json_t *exceptions_json(const struct slw_pprof_writer *w)
{
    char fingerprint[17];
    int rc = 0;

    (void)snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, w->fingerprint);
    json_t *j = json_pack("{s:s}", "fingerprint", fingerprint);
    for (size_t i = 0; j && rc == 0 && i < SLW_PPROF_EXCEPTION_COUNT; i++)
        if (w->exceptions[i])
            rc = json_object_set(j, slw_pprof_exception_keys[i], w->exceptions[i]);
    if (rc == 0)
        return j;
    json_decref(j);
    return NULL;
}

/* Prefix and JSON as one string of the table. Takes j; NULL is out of memory. */
static int json_string_id(struct slw_pprof_writer *w, const char *prefix, json_t *j,
                          int64_t *ret_id)
{
    char *json = j ? json_dumps(j, JSON_COMPACT) : NULL;
    struct slw_buf text = {0};
    int rc = -SLW_E_NOMEM;

    if (json) {
        slw_buf_puts(&text, prefix);
        slw_buf_puts(&text, json);
        rc = slw_buf_failed(&text) ? -SLW_E_NOMEM : slw_pprof_string(w, text.data, ret_id);
    }
    slw_buf_release(&text);
    free(json);
    json_decref(j);
    return rc;
}

static int fill_run(struct slw_pprof_writer *w, const struct slw_run *run, profile_message *p,
                    int64_t *ret_tool)
{
    if (run->started_realtime_ns <= INT64_MAX)
        p->time_nanos = (int64_t)run->started_realtime_ns;
    if (!run->wall_ns.absent && run->wall_ns.value <= INT64_MAX)
        p->duration_nanos = (int64_t)run->wall_ns.value;
    return slw_pprof_string(w, run->tool ? run->tool : "", ret_tool);
}

/* What the samples of the first event stand for, as it was asked for: a clock's frequency says its
 * period, a frequency of other events does not. */
static int64_t period_of(const struct slw_run *run, const char *event)
{
    for (size_t i = 0; run && i < run->sampling_count; i++) {
        const struct slw_sampling *s = &run->samplings[i];

        if (strcmp(s->event, event) != 0)
            continue;
        if (s->period > 0)
            return s->period <= INT64_MAX ? (int64_t)s->period : 0;
        if (s->frequency_hz > 0 && strcmp(s->unit, "nanoseconds") == 0)
            return (int64_t)(UINT64_C(1000000000) / s->frequency_hz);
    }
    return 0;
}

static void fill_period(const struct slw_pprof_writer *w, const struct slw_run *run,
                        profile_message *p)
{
    for (size_t i = 0; i < p->n_sample_type; i++)
        if (p->sample_type[i]->type == p->default_sample_type)
            p->period_type = p->sample_type[i];
    p->period = period_of(run, w->columns[0].event);
}

static int fill_strings(struct slw_pprof_writer *w, profile_message *p)
{
    char **strings = slw_arena_array(w->arena, w->strings.count, sizeof(*strings));

    if (!strings)
        return -SLW_E_NOMEM;
    memcpy(strings, w->strings.strings, w->strings.count * sizeof(*strings));
    p->string_table = strings;
    p->n_string_table = w->strings.count;
    return 0;
}

static int emit_rest(struct slw_pprof_writer *w, const struct slw_run *run)
{
    profile_message p = PERFTOOLS__PROFILES__PROFILE__INIT;
    int64_t comments[2] = {0, 0}, last;
    int rc = fill_columns(w, &p);

    if (rc == 0 && w->plain)
        fill_period(w, run, &p);
    if (rc == 0)
        rc = fill_mappings(w, &p);
    if (rc == 0)
        rc = json_string_id(w, SLW_PPROF_HEADER, header_json(w), &comments[0]);
    if (rc == 0 && run)
        rc = fill_run(w, run, &p, &comments[1]);
    if (rc == 0)
        rc = json_string_id(w, SLW_PPROF_LOCATIONS, exceptions_json(w), &last);
    if (rc == 0)
        rc = fill_strings(w, &p);
    if (rc < 0)
        return rc;
    p.comment = comments;
    p.n_comment = comments[1] ? 2 : 1;
    (void)protobuf_c_message_pack_to_buffer(&p.base, &w->buffer);
    return slw_gzip_finish(&w->gzip);
}

/* ---- all of it ---- */

static void buffer_append(ProtobufCBuffer *buffer, size_t length, const uint8_t *data)
{
    char *member = (char *)buffer - offsetof(struct slw_pprof_writer, buffer);

    slw_pprof_put((struct slw_pprof_writer *)(void *)member, data, length);
}

static int writer_init(struct slw_pprof_writer *w, const struct slw_stacks *s, struct slw_buf *out)
{
    static const char *const keys[SLW_PPROF_LABELS] = {"pid", "tid", "comm"};

    w->s = s;
    w->columns = slw_stacks_column(s, 0);
    w->column_count = slw_stacks_column_count(s);
    w->buffer.append = buffer_append;
    w->arena = slw_arena_new();
    if (!w->arena || slw_strtab_init(&w->strings, w->arena) < 0)
        return -SLW_E_NOMEM;
    w->ids = slw_arena_array(w->arena, SLW_MAX_STACK_DEPTH, sizeof(*w->ids));
    int rc = w->ids ? slw_pprof_locations_init(w) : -SLW_E_NOMEM;
    for (size_t i = 0; rc == 0 && i < SLW_PPROF_LABELS; i++)
        rc = slw_pprof_string(w, keys[i], &w->labels.keys[i]);
    return rc < 0 ? rc : slw_gzip_init(&w->gzip, out);
}

void slw_pprof_writer_free(struct slw_pprof_writer *w)
{
    if (!w)
        return;
    slw_gzip_release(&w->gzip);
    slw_pprof_locations_release(w);
    slw_strtab_release(&w->strings);
    free(w->scratch);
    slw_arena_free(w->arena);
    free(w);
}

int slw_pprof_writer_new(const struct slw_stacks *s, struct slw_buf *out,
                         struct slw_pprof_writer **ret_writer)
{
    struct slw_pprof_writer *w = calloc(1, sizeof(*w));
    int rc = w ? writer_init(w, s, out) : -SLW_E_NOMEM;

    if (rc < 0)
        slw_pprof_writer_free(w);
    *ret_writer = rc < 0 ? NULL : w;
    return rc;
}

int slw_pprof_finish(struct slw_pprof_writer *w, const struct slw_run *run_or_null)
{
    int rc = slw_pprof_emit_locations(w);

    return rc < 0 ? rc : emit_rest(w, run_or_null);
}

static int to_pprof(const struct slw_stacks *s, const struct slw_run *run_or_null, bool plain,
                    struct slw_buf *out, struct slw_error *err)
{
    struct slw_pprof_writer *w;
    size_t before = out->length;
    int rc = slw_pprof_writer_new(s, out, &w);

    if (rc == 0) {
        w->plain = plain;
        rc = emit_samples(w);
    }
    if (rc == 0)
        rc = slw_pprof_finish(w, run_or_null);
    slw_pprof_writer_free(w);
    if (rc == 0)
        return 0;
    out->length = before; /* no half profile behind what the caller had */
    return slw_fail(err, (enum slw_code) - rc, "no memory to write the stack profile");
}

int slw_stacks_to_pprof(const struct slw_stacks *s, const struct slw_run *run_or_null,
                        struct slw_buf *out, struct slw_error *err)
{
    return to_pprof(s, run_or_null, false, out, err);
}

int slw_stacks_to_pprof_plain(const struct slw_stacks *s, const struct slw_run *run,
                              struct slw_buf *out, struct slw_error *err)
{
    return to_pprof(s, run, true, out, err);
}
