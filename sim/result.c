/* SPDX-License-Identifier: MIT */
#include "sim/result.h"

struct out {
    void (*put)(void *to, const char *bytes, size_t count);
    void *to;
    uint64_t lines;
    size_t used;
    char bytes[4096];
};

static void put_byte(struct out *o, char c)
{
    if (o->used == sizeof(o->bytes)) {
        o->put(o->to, o->bytes, o->used);
        o->used = 0;
    }
    o->bytes[o->used++] = c;
}

static void put_text(struct out *o, const char *s)
{
    while (*s)
        put_byte(o, *s++);
}

static void put_number(struct out *o, unsigned base, uint64_t n)
{
    char digits[20]; /* of 2^64 - 1, base 10 */
    unsigned count = 0;

    do {
        digits[count++] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n);
    put_byte(o, ' ');
    while (count)
        put_byte(o, digits[--count]);
}

static void put_decimal(struct out *o, uint64_t n)
{
    put_number(o, 10, n);
}

/* Spaces, control characters and '%' as %xx, so that a name is one word whatever it holds. */
static void put_name(struct out *o, const char *s)
{
    put_byte(o, ' ');
    for (; *s; s++) {
        const uint8_t c = (uint8_t)*s;

        if (c > ' ' && c < 0x7f && c != '%') {
            put_byte(o, *s);
            continue;
        }
        put_byte(o, '%');
        put_byte(o, "0123456789abcdef"[c >> 4]);
        put_byte(o, "0123456789abcdef"[c & 15]);
    }
}

static void end_line(struct out *o)
{
    put_byte(o, '\n');
    o->lines++;
}

static void put_count(struct out *o, const char *name, uint64_t n)
{
    put_text(o, name);
    put_decimal(o, n);
    end_line(o);
}

static void put_word(struct out *o, const char *name, const char *word)
{
    put_text(o, name);
    put_name(o, word);
    end_line(o);
}

static void put_head(struct out *o, const struct slw_sim_result *r)
{
    put_count(o, "slotwise-sim", 4);
    put_text(o, "carrier");
    put_name(o, r->carrier);
    put_name(o, r->carrier_version);
    end_line(o);
    put_word(o, "core", r->core_name);
    put_count(o, "width", r->width);
    put_text(o, "sample");
    put_decimal(o, r->period);
    put_decimal(o, r->detail);
    end_line(o);
    put_word(o, "start", r->start);
    put_count(o, "started", r->has_started);
    put_count(o, "repeatable", r->is_repeatable);
    put_count(o, "process", r->process);
    put_word(o, "ended", slw_sim_ended_names[r->ended]);
    put_word(o, "began", r->began);
    if (r->has_timers)
        put_count(o, "timers", 1);
    if (!r->beside)
        return;
    put_text(o, "beside");
    put_decimal(o, r->beside->kernel_ns);
    put_decimal(o, r->beside->switches);
    put_decimal(o, r->beside->bytes_in);
    put_decimal(o, r->beside->bytes_out);
    end_line(o);
}

static void put_mapping(struct out *o, uint64_t number, const struct slw_sim_mapping *m)
{
    put_text(o, "object");
    put_decimal(o, number);
    put_number(o, 16, m->start);
    put_number(o, 16, m->end);
    put_number(o, 16, m->offset);
    put_name(o, m->path);
    end_line(o);
}

/* What most lines end with. */
static void put_slots(struct out *o, const uint64_t *slots)
{
    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++)
        put_decimal(o, slots[i]);
    end_line(o);
}

static void put_stage(struct out *o, const struct slw_sim_staged *s)
{
    put_text(o, "stage");
    put_name(o, s->provider);
    put_name(o, s->name);
    put_decimal(o, s->calls);
    put_decimal(o, s->requests);
    put_decimal(o, s->max_batch);
    put_decimal(o, s->missed_begins);
    put_decimal(o, s->missed_ends);
    put_decimal(o, s->instructions);
    put_decimal(o, s->detailed);
    put_decimal(o, s->l1i_misses);
    put_slots(o, s->slots);
}

static void put_node(struct out *o, const struct slw_sim_node *n)
{
    put_text(o, "node");
    put_decimal(o, n->id);
    put_decimal(o, n->parent ? n->parent->id : 0);
    put_decimal(o, n->object);
    put_number(o, 16, n->function);
    put_decimal(o, n->instructions);
    put_decimal(o, n->l1i_misses);
    put_slots(o, n->slots);
}

static void put_named(struct out *o, const char *kind, const char *name, uint64_t n)
{
    put_text(o, kind);
    put_name(o, name);
    put_decimal(o, n);
    end_line(o);
}

static void put_subsamples(struct out *o, const struct slw_sim_subsample *subsamples)
{
    unsigned count = 0;

    while (count < SLW_SIM_SUBSAMPLES && subsamples[count].windows > 0)
        count++;
    put_count(o, "sampled", count);
    for (unsigned k = 0; k < count; k++) {
        const struct slw_sim_subsample *s = &subsamples[k];

        put_text(o, "subsample");
        put_decimal(o, s->windows);
        put_decimal(o, s->instructions);
        put_decimal(o, s->cycles);
        put_slots(o, s->slots);
    }
}

static void put_thread(struct out *o, uint32_t number, struct slw_sim_core *core)
{
    struct slw_sim_totals t;

    slw_sim_finish(core, &t);
    put_text(o, "thread");
    put_decimal(o, number);
    put_decimal(o, t.cycles);
    put_decimal(o, t.detailed_instructions);
    put_decimal(o, t.calls_unfollowed);
    put_decimal(o, t.node_count);
    end_line(o);
    for (unsigned i = 0; i < SLW_SIM_EVENT_COUNT; i++)
        put_named(o, "event", slw_sim_event_names[i], t.events[i]);
    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++)
        put_named(o, "slots", slw_sim_slot_names[i], t.slots[i]);
    put_subsamples(o, t.subsamples);
    for (const struct slw_sim_node *n = slw_sim_root(core); n; n = slw_sim_next_node(n))
        put_node(o, n);
    slw_sim_reopen(core);
}

void slw_sim_result_write(const struct slw_sim_result *result,
                          void (*put)(void *to, const char *bytes, size_t count), void *to)
{
    struct out o = {.put = put, .to = to};

    put_head(&o, result);
    for (size_t i = 0; i < result->mapping_count; i++)
        put_mapping(&o, i + 1, &result->mappings[i]);
    for (size_t i = 0; i < result->stage_count; i++)
        put_stage(&o, &result->stages[i]);
    for (uint32_t i = 0; i < result->thread_limit; i++)
        if (result->core_of(i))
            put_thread(&o, i, result->core_of(i));
    put_count(&o, "end", o.lines);
    o.put(o.to, o.bytes, o.used);
}
