/* SPDX-License-Identifier: MIT */
/* OpenTelemetry's profiles signal: one ProfilesData message, a Profile for each column. Source:
 * opentelemetry-proto, profiles/v1development, with ProfilesDictionary.stack_table. The signal is
 * in development: messages may still change, and receivers take one version only.
 *
 * Entry 0 of each table of the dictionary is the null entry; all of ours are numbered from 1, which
 * is how slw_strtab numbers what is not empty. */
#include "flamegraph/export_parts.h"

#include "base/arena.h"
#include "base/strtab.h"
#include "record/text.h"

#include <stdlib.h>
#include <string.h>

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2 }; /* protobuf's wire types */

/* Places of the tables in ProfilesDictionary. */
enum { MAPPINGS = 1, LOCATIONS, FUNCTIONS, LINKS, STRINGS, ATTRIBUTES, STACKS, TABLE_COUNT };

struct writer {
    const struct slw_stacks *stacks;
    const struct slw_run *run;
    struct slw_strtab strings;    /* escaped to UTF-8 */
    struct slw_strtab functions;  /* packed Function messages */
    struct slw_strtab attributes; /* packed KeyValueAndUnit messages */
    struct slw_strtab
        locations;            /* frame ids: a frame and what is inlined into it, innermost first */
    struct slw_strtab traces; /* packed Stack messages */
    uint32_t *stack_of;       /* per stack: in traces; 0: not asked yet */
    bool failed;
};

/* ---- protobuf ---- */

static void put_varint(struct slw_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        slw_buf_putc(out, (char)(value | 0x80));
    slw_buf_putc(out, (char)value);
}

static void put_key(struct slw_buf *out, unsigned field, enum wire wire)
{
    put_varint(out, (uint64_t)field << 3 | wire);
}

/* 0 is what an absent field means. */
static void put_number(struct slw_buf *out, unsigned field, uint64_t value)
{
    if (value == 0)
        return;
    put_key(out, field, VARINT);
    put_varint(out, value);
}

static void put_fixed64(struct slw_buf *out, unsigned field, uint64_t value)
{
    if (value == 0)
        return;
    put_key(out, field, FIXED64);
    for (int i = 0; i < 64; i += 8)
        slw_buf_putc(out, (char)(value >> i));
}

static void put_bytes(struct slw_buf *out, unsigned field, const char *bytes, size_t length)
{
    put_key(out, field, BYTES);
    put_varint(out, length);
    slw_buf_put(out, bytes, length);
}

/* Takes what `message` holds. */
static void put_message(struct slw_buf *out, unsigned field, struct slw_buf *message)
{
    put_bytes(out, field, message->data ? message->data : "", message->length);
    out->failed = out->failed || message->failed;
    slw_buf_release(message);
}

/* ---- tables ---- */

static uint32_t intern(struct writer *w, struct slw_strtab *table, struct slw_buf *entry)
{
    uint32_t id = 0;

    if (entry->failed ||
        slw_strtab_intern(table, entry->data ? entry->data : "", entry->length, &id) < 0)
        w->failed = true;
    slw_buf_release(entry);
    return id;
}

static uint32_t string(struct writer *w, const char *text)
{
    struct slw_buf escaped = {0};

    slw_text_escape(&escaped, text);
    return intern(w, &w->strings, &escaped);
}

static uint32_t function(struct writer *w, const struct slw_frame *f)
{
    struct slw_buf m = {0};

    put_number(&m, 1, string(w, f->function));
    put_number(&m, 2, string(w, f->linkage));
    put_number(&m, 3, string(w, f->file));
    return intern(w, &w->functions, &m);
}

/* `text` NULL: the attribute is a number. */
static uint32_t attribute(struct writer *w, const char *key, const char *text, uint64_t number)
{
    struct slw_buf value = {0}, escaped = {0}, m = {0};

    if (text) {
        slw_text_escape(&escaped, text);
        put_message(&value, 1, &escaped);
    } else {
        put_key(&value, 3, VARINT);
        put_varint(&value, number);
    }
    put_number(&m, 1, string(w, key));
    put_message(&m, 2, &value);
    return intern(w, &w->attributes, &m);
}

static void put_index(struct slw_buf *list, uint32_t index)
{
    put_varint(list, index);
}

/* ---- locations and stacks ---- */

/* Frames of one location from frames[0]: those inlined, and the function they are inlined into. */
static size_t chain_length(const struct writer *w, const struct slw_stack *stack, size_t from)
{
    size_t length = 1;

    while (from + length < stack->depth &&
           slw_stacks_frame(w->stacks, stack->frames[from + length - 1]).inlined)
        length++;
    return length;
}

static uint32_t trace(struct writer *w, size_t index)
{
    const struct slw_stack stack = slw_stacks_get(w->stacks, index);
    struct slw_buf list = {0}, m = {0};

    for (size_t i = 0, n; i < stack.depth; i += n) {
        struct slw_buf chain = {0};

        n = chain_length(w, &stack, i);
        slw_buf_put(&chain, stack.frames + i, n * sizeof(*stack.frames));
        put_index(&list, intern(w, &w->locations, &chain));
    }
    if (stack.depth > 0)
        put_message(&m, 1, &list);
    return intern(w, &w->traces, &m);
}

static void put_line(struct writer *w, struct slw_buf *location, const struct slw_frame *f)
{
    struct slw_buf m = {0};

    put_number(&m, 1, function(w, f));
    put_number(&m, 2, f->line);
    put_message(location, 3, &m);
}

static void put_location(struct writer *w, struct slw_buf *out, uint32_t id)
{
    static const char *const kinds[] = {
        [SLW_FRAME_USER] = "native", [SLW_FRAME_KERNEL] = "kernel", [SLW_FRAME_OTHER] = NULL};
    const char *chain = slw_strtab_get(&w->locations, id);
    const size_t count = w->locations.lengths[id] / sizeof(uint32_t);
    struct slw_buf m = {0}, attributes = {0};
    struct slw_frame f = {0};
    uint32_t frame;

    for (size_t i = 0; i < count; i++) {
        memcpy(&frame, chain + i * sizeof(frame), sizeof(frame));
        f = slw_stacks_frame(w->stacks, frame);
        if (i == 0) {
            put_number(&m, 1, f.mapping == SLW_NO_MAPPING ? 0 : (uint64_t)f.mapping + 1);
            put_number(&m, 2, f.address);
        }
        if (f.function[0])
            put_line(w, &m, &f);
    }
    if (kinds[f.kind]) {
        put_index(&attributes, attribute(w, "profile.frame.type", kinds[f.kind], 0));
        put_message(&m, 4, &attributes);
    }
    put_message(out, LOCATIONS, &m);
}

/* ---- profiles ---- */

static void put_thread(struct writer *w, struct slw_buf *sample, uint32_t thread)
{
    struct slw_buf list = {0};

    if (thread == SLW_NO_THREAD)
        return;
    const struct slw_thread t = slw_stacks_thread(w->stacks, thread);
    if (t.comm[0])
        put_index(&list, attribute(w, "thread.name", t.comm, 0));
    if (t.tid >= 0)
        put_index(&list, attribute(w, "thread.id", NULL, (uint64_t)t.tid));
    if (t.pid >= 0)
        put_index(&list, attribute(w, "process.pid", NULL, (uint64_t)t.pid));
    if (list.length > 0)
        put_message(sample, 2, &list);
    slw_buf_release(&list);
}

static void put_sample(struct writer *w, struct slw_buf *profile, size_t index, uint64_t weight)
{
    struct slw_buf m = {0}, values = {0};

    if (w->stack_of[index] == 0)
        w->stack_of[index] = trace(w, index);
    put_number(&m, 1, w->stack_of[index]);
    put_thread(w, &m, slw_stacks_at(w->stacks, slw_stacks_leaf(w->stacks, index)).thread);
    put_varint(&values, weight);
    put_message(&m, 4, &values);
    put_message(profile, 2, &m);
}

static void put_profile(struct writer *w, struct slw_buf *scope, size_t column)
{
    const struct slw_column *c = slw_stacks_column(w->stacks, column);
    const char *source = slw_export_source(&c->from);
    struct slw_buf m = {0}, type = {0}, attributes = {0};

    put_number(&type, 1, string(w, c->event));
    put_number(&type, 2, string(w, c->unit));
    put_message(&m, 1, &type);
    for (size_t i = 0; i < slw_stacks_count(w->stacks) && !m.failed; i++) {
        const uint64_t weight = slw_stacks_weights(w->stacks, i)[column];

        if (weight > 0)
            put_sample(w, &m, i, weight);
    }
    if (w->run) {
        put_fixed64(&m, 3, w->run->started_realtime_ns);
        put_number(&m, 4, w->run->wall_ns.absent ? 0 : w->run->wall_ns.value);
    }
    put_index(&attributes, attribute(w, "slotwise.source", source[0] ? source : "hardware", 0));
    put_message(&m, 11, &attributes);
    put_message(scope, 2, &m);
}

static void put_resource(struct writer *w, struct slw_buf *out,
                         const struct slw_export_options *opts)
{
    struct slw_buf resource = {0}, scope = {0}, about = {0};

    put_bytes(&about, 1, "slotwise", strlen("slotwise"));
    put_bytes(&about, 2, SLW_VERSION, strlen(SLW_VERSION));
    put_message(&scope, 1, &about);
    for (size_t i = 0; i < slw_stacks_column_count(w->stacks); i++)
        if (slw_export_takes(w->stacks, opts, i))
            put_profile(w, &scope, i);
    put_message(&resource, 2, &scope);
    put_message(out, 1, &resource);
}

/* ---- the dictionary ---- */

static void put_null(struct slw_buf *out, unsigned field)
{
    put_bytes(out, field, "", 0);
}

static void put_mapping(struct writer *w, struct slw_buf *out, uint32_t id)
{
    const struct slw_mapping mapping = slw_stacks_mapping(w->stacks, id);
    struct slw_buf m = {0}, attributes = {0};

    put_number(&m, 1, mapping.start);
    put_number(&m, 2, mapping.limit);
    put_number(&m, 3, mapping.offset);
    put_number(&m, 4, string(w, mapping.path));
    if (mapping.build_id[0]) {
        put_index(&attributes,
                  attribute(w, "process.executable.build_id.gnu", mapping.build_id, 0));
        put_message(&m, 5, &attributes);
    }
    put_message(out, MAPPINGS, &m);
}

static void put_table(struct slw_buf *out, unsigned field, const struct slw_strtab *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        put_bytes(out, field, slw_strtab_get(table, i), table->lengths[i]);
}

/* Mappings and locations first: they add functions, attributes and strings. */
static void put_dictionary(struct writer *w, struct slw_buf *out)
{
    struct slw_buf m = {0};

    put_null(&m, MAPPINGS);
    for (uint32_t i = 0; i < slw_stacks_mapping_count(w->stacks); i++)
        put_mapping(w, &m, i);
    put_null(&m, LOCATIONS);
    for (uint32_t i = 1; i < w->locations.count; i++)
        put_location(w, &m, i);
    put_table(&m, FUNCTIONS, &w->functions);
    put_null(&m, LINKS);
    put_table(&m, ATTRIBUTES, &w->attributes);
    put_table(&m, STACKS, &w->traces);
    put_table(&m, STRINGS, &w->strings);
    put_message(out, 2, &m);
}

static int prepare(struct writer *w, struct slw_arena *arena)
{
    struct slw_strtab *const tables[] = {&w->strings, &w->functions, &w->attributes, &w->locations,
                                         &w->traces};
    int rc = arena ? 0 : -SLW_E_NOMEM;

    for (size_t i = 0; rc == 0 && i < sizeof(tables) / sizeof(tables[0]); i++)
        rc = slw_strtab_init(tables[i], arena);
    w->stack_of = calloc(slw_stacks_count(w->stacks) + 1, sizeof(*w->stack_of));
    return w->stack_of ? rc : -SLW_E_NOMEM;
}

static int export(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_export_options *opts, struct slw_buf *out, struct slw_error *err)
{
    struct writer w = {.stacks = stacks, .run = run};
    int rc = slw_export_takes_any(stacks, opts, err);

    if (rc < 0)
        return rc;
    struct slw_arena *arena = slw_arena_new();
    rc = prepare(&w, arena);
    if (rc == 0) {
        put_resource(&w, out, opts);
        put_dictionary(&w, out);
    }
    slw_strtab_release(&w.strings);
    slw_strtab_release(&w.functions);
    slw_strtab_release(&w.attributes);
    slw_strtab_release(&w.locations);
    slw_strtab_release(&w.traces);
    free(w.stack_of);
    slw_arena_free(arena);
    if (rc < 0 || w.failed || slw_buf_failed(out))
        return slw_fail(err, SLW_E_NOMEM, "no memory to write the stacks");
    return 0;
}

const struct slw_exporter slw_exporter_otlp = {
    .name = "otlp",
    .summary = "OpenTelemetry profiles (ProfilesData, v1development) with every event",
    .extension = "otlp.pb",
    .needs_stacks = true,
    .export = export,
};
