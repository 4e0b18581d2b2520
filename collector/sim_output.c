/* SPDX-License-Identifier: MIT */
#include "collector/sim_output.h"

#include "base/arena.h"
#include "base/parse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The shortest line of a context has this many bytes, so a file cannot promise more than it has. */
#define CONTEXT_MIN_BYTES ((size_t)2 * (6 + SLW_SIM_SLOT_COUNT))

#define MAX_PATH_BYTES 4096

enum { NEWEST_VERSION = 4 };

struct reader {
    struct slw_sim_output *o;
    struct slw_error *err;
    const char *origin;
    const char *next, *end; /* of the file */
    const char *at, *stop;  /* of the line */
    uint64_t line, version;
    uint32_t *index_of_id; /* of the contexts of the thread under way; UINT32_MAX: not seen */
    size_t promised;       /* contexts of it */
};

static int fail_at(struct reader *r, enum slw_code code, const char *text)
{
    slw_error_at(r->err, "%s:%llu", r->origin, (unsigned long long)r->line);
    return slw_fail(r->err, code, "%s", text);
}

static int bad(struct reader *r, const char *text)
{
    return fail_at(r, SLW_E_FORMAT, text);
}

/* Every line ends in a newline: a file cut short does not. */
static bool next_line(struct reader *r)
{
    const char *newline =
        r->next < r->end ? memchr(r->next, '\n', (size_t)(r->end - r->next)) : NULL;

    if (!newline)
        return false;
    r->at = r->next;
    r->stop = newline;
    r->next = newline + 1;
    r->line++;
    return true;
}

/* The next word, and the space after it. */
static bool take_word(struct reader *r, const char **ret_word, size_t *ret_length)
{
    const char *space = memchr(r->at, ' ', (size_t)(r->stop - r->at));
    const char *word_end = space ? space : r->stop;

    *ret_word = r->at;
    *ret_length = (size_t)(word_end - r->at);
    r->at = space ? space + 1 : r->stop;
    return *ret_length > 0;
}

/* Is the next word this one? It is taken if so. */
static bool take_name(struct reader *r, const char *name)
{
    const char *before = r->at;
    const char *word;
    size_t length;

    if (take_word(r, &word, &length) && length == strlen(name) && memcmp(word, name, length) == 0)
        return true;
    r->at = before;
    return false;
}

static bool take_number(struct reader *r, unsigned base, uint64_t most, uint64_t *ret_number)
{
    const char *word;
    size_t length;
    uint64_t number = 0;

    if (!take_word(r, &word, &length) || length > 20)
        return false;
    for (size_t i = 0; i < length; i++) {
        const unsigned digit = (unsigned)slw_hex_digit(word[i]);

        if (digit >= base || number > (UINT64_MAX - digit) / base)
            return false;
        number = number * base + digit;
    }
    if (number > most)
        return false;
    *ret_number = number;
    return true;
}

static bool take_count(struct reader *r, uint64_t *ret_count)
{
    return take_number(r, 10, SLW_SIM_OUTPUT_MAX_COUNT, ret_count);
}

static bool take_slots(struct reader *r, uint64_t ret_slots[SLW_SIM_SLOT_COUNT])
{
    bool fine = true;

    for (unsigned i = 0; fine && i < SLW_SIM_SLOT_COUNT; i++)
        fine = take_count(r, &ret_slots[i]);
    return fine;
}

/* A word with %xx for what cannot stand in one. No byte 0 can come of it. */
static int take_text(struct reader *r, const char **ret_text)
{
    char text[MAX_PATH_BYTES];
    const char *word;
    size_t length, used = 0;

    if (!take_word(r, &word, &length))
        return bad(r, "a name is missing");
    for (size_t i = 0; i < length; i++) {
        unsigned c = (unsigned char)word[i];

        if (c == '%') {
            const unsigned high = i + 2 < length ? (unsigned)slw_hex_digit(word[i + 1]) : 99;
            const unsigned low = i + 2 < length ? (unsigned)slw_hex_digit(word[i + 2]) : 99;

            if (high > 15 || low > 15 || high + low == 0)
                return bad(r, "a name is not spelled right");
            c = high << 4 | low;
            i += 2;
        }
        if (used == sizeof(text) || c == 0)
            return bad(r, "a name is too long, or has a byte 0");
        text[used++] = (char)c;
    }
    *ret_text = slw_arena_strndup(r->o->arena, text, used);
    return *ret_text ? 0 : slw_fail(r->err, SLW_E_NOMEM, "out of memory");
}

static bool at_end_of_line(const struct reader *r)
{
    return r->at == r->stop && (r->stop[-1] != ' ');
}

static int read_version(struct reader *r)
{
    uint64_t version = 0;

    if (!next_line(r) || !take_name(r, "slotwise-sim") ||
        !take_number(r, 10, UINT32_MAX, &version) || !at_end_of_line(r) || version == 0)
        return bad(r, "not an output file of the simulated tier");
    if (version > NEWEST_VERSION)
        return fail_at(r, SLW_E_VERSION, "a carrier newer than this slotwise wrote it");
    r->version = version;
    return 0;
}

static int read_names(struct reader *r)
{
    struct slw_sim_output *o = r->o;
    int rc = next_line(r) && take_name(r, "carrier") ? 0 : bad(r, "the carrier is missing");

    if (rc >= 0)
        rc = take_text(r, &o->carrier);
    if (rc >= 0)
        rc = take_text(r, &o->carrier_version);
    if (rc >= 0 && !at_end_of_line(r))
        rc = bad(r, "more on the line than expected");
    if (rc >= 0 && !(next_line(r) && take_name(r, "core")))
        rc = bad(r, "the core is missing");
    if (rc >= 0)
        rc = take_text(r, &o->core);
    if (rc >= 0 && !at_end_of_line(r))
        rc = bad(r, "more on the line than expected");
    return rc;
}

/* Version 1 was written at the end of a process only. */
static int read_ended(struct reader *r)
{
    if (r->version < 2)
        return 0;
    if (!next_line(r) || !take_name(r, "ended"))
        return bad(r, "how the process ended is missing");
    for (unsigned i = 0; i < SLW_SIM_ENDED_COUNT; i++) {
        if (!take_name(r, slw_sim_ended_names[i]))
            continue;
        r->o->ended = (enum slw_sim_ended)i;
        return at_end_of_line(r) ? 0 : bad(r, "more on the line than expected");
    }
    return bad(r, "no way for a process to end");
}

static int read_settings(struct reader *r)
{
    struct slw_sim_output *o = r->o;
    uint64_t width = 0, started = 0, repeatable = 0;

    if (!next_line(r) || !take_name(r, "width") || !take_number(r, 10, 16, &width) || width == 0 ||
        !at_end_of_line(r))
        return bad(r, "the width is missing or out of range");
    if (!next_line(r) || !take_name(r, "sample") || !take_count(r, &o->period) ||
        !take_count(r, &o->detail) || o->detail > o->period || !at_end_of_line(r))
        return bad(r, "the sampling is missing or makes no sense");
    if (!next_line(r) || !take_name(r, "start"))
        return bad(r, "where counting started is missing");
    const int rc = take_text(r, &o->start);

    if (rc < 0)
        return rc;
    if (!at_end_of_line(r) || !next_line(r) || !take_name(r, "started") ||
        !take_number(r, 10, 1, &started) || !at_end_of_line(r))
        return bad(r, "whether counting started is missing");
    if (!next_line(r) || !take_name(r, "repeatable") || !take_number(r, 10, 1, &repeatable) ||
        !at_end_of_line(r))
        return bad(r, "whether it repeats is missing");
    if (!next_line(r) || !take_name(r, "process") || !take_number(r, 10, INT32_MAX, &o->process) ||
        !at_end_of_line(r))
        return bad(r, "the process is missing");
    o->width = (uint32_t)width;
    o->has_started = started == 1;
    o->is_repeatable = repeatable == 1;
    return 0;
}

static int read_began(struct reader *r)
{
    if (r->o->began || r->o->object_count > 0)
        return bad(r, "what counting began with is said twice, or too late");
    const int rc = take_text(r, &r->o->began);

    return rc >= 0 && !at_end_of_line(r) ? bad(r, "more on the line than expected") : rc;
}

static int read_timers(struct reader *r)
{
    uint64_t timers = 0;

    if (r->o->has_timers || r->o->object_count > 0 || !take_number(r, 10, 1, &timers) ||
        !at_end_of_line(r))
        return bad(r, "whether it set timers is said twice, too late or not right");
    r->o->has_timers = timers == 1;
    return 0;
}

static int read_beside(struct reader *r)
{
    struct slw_sim_output *o = r->o;

    if (o->has_beside || o->object_count > 0)
        return bad(r, "what the kernel did is said twice, or too late");
    if (!take_count(r, &o->kernel_ns) || !take_count(r, &o->switches) ||
        !take_count(r, &o->bytes_in) || !take_count(r, &o->bytes_out) || !at_end_of_line(r))
        return bad(r, "what the kernel did is not said right");
    o->has_beside = true;
    return 0;
}

static int read_stage(struct reader *r)
{
    struct slw_sim_output *o = r->o;

    if (o->stage_count == SLW_SIM_OUTPUT_MAX_STAGES)
        return fail_at(r, SLW_E_LIMIT, "more stages than a carrier writes");
    struct slw_sim_staged *s = &o->stages[o->stage_count++];
    uint64_t *const counts[] = {&s->calls,       &s->requests,     &s->max_batch, &s->missed_begins,
                                &s->missed_ends, &s->instructions, &s->detailed,  &s->l1i_misses};
    int rc = take_text(r, &s->provider);

    if (rc >= 0)
        rc = take_text(r, &s->name);
    for (size_t i = 0; rc >= 0 && i < sizeof(counts) / sizeof(counts[0]); i++)
        rc = take_count(r, counts[i]) ? 0 : bad(r, "a stage has too few numbers");
    if (rc >= 0 && !take_slots(r, s->slots))
        rc = bad(r, "a stage has too few numbers");
    if (rc >= 0 && !at_end_of_line(r))
        rc = bad(r, "more on the line than expected");
    return rc >= 0 && s->detailed > s->instructions
               ? bad(r, "a stage has more instructions in detail than there are")
               : rc;
}

static int read_object(struct reader *r)
{
    struct slw_sim_output *o = r->o;
    uint64_t number = 0;

    if (o->object_count == SLW_SIM_OUTPUT_MAX_OBJECTS)
        return fail_at(r, SLW_E_LIMIT, "more mapped files than a carrier writes");
    struct slw_sim_object *to = &o->objects[o->object_count];

    if (!take_count(r, &number) || number != o->object_count + 1 ||
        !take_number(r, 16, UINT64_MAX, &to->start) || !take_number(r, 16, UINT64_MAX, &to->end) ||
        to->end <= to->start || !take_number(r, 16, UINT64_MAX, &to->offset))
        return bad(r, "a mapped file is not described right");
    const int rc = take_text(r, &to->path);

    if (rc >= 0 && !at_end_of_line(r))
        return bad(r, "more on the line than expected");
    o->object_count++;
    return rc;
}

static int read_events(struct reader *r, struct slw_sim_thread *t)
{
    for (unsigned i = 0; i < SLW_SIM_EVENT_COUNT; i++)
        if (!next_line(r) || !take_name(r, "event") || !take_name(r, slw_sim_event_names[i]) ||
            !take_count(r, &t->events[i]) || !at_end_of_line(r))
            return bad(r, "an event is missing, or is not the one expected");
    return 0;
}

static int read_slots(struct reader *r, struct slw_sim_thread *t)
{
    uint64_t sum = 0; /* at most 2^4 times 2^56 */

    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++) {
        if (!next_line(r) || !take_name(r, "slots") || !take_name(r, slw_sim_slot_names[i]) ||
            !take_count(r, &t->slots[i]) || !at_end_of_line(r))
            return bad(r, "slots are missing, or are not those expected");
        sum += t->slots[i];
    }
    if (sum != t->cycles * r->o->width)
        return bad(r, "the slots do not sum to width times cycles");
    return 0;
}

static int read_subsample(struct reader *r, struct slw_sim_subsample *s)
{
    if (!next_line(r) || !take_name(r, "subsample") || !take_count(r, &s->windows) ||
        !take_count(r, &s->instructions) || !take_count(r, &s->cycles) ||
        !take_slots(r, s->slots) || !at_end_of_line(r) || s->windows == 0 || s->instructions == 0)
        return bad(r, "a subsample is missing, or not described right");
    return 0;
}

/* What is in no subsample, a window that was not over, may be nothing, but not less. */
static int check_subsamples(struct reader *r, const struct slw_sim_thread *t)
{
    struct slw_sim_subsample sum = {0};
    bool fits = true;

    for (size_t k = 0; k < t->subsample_count; k++) {
        sum.instructions += t->subsamples[k].instructions;
        sum.cycles += t->subsamples[k].cycles;
        for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++)
            sum.slots[i] += t->subsamples[k].slots[i];
    }
    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++)
        fits = fits && sum.slots[i] <= t->slots[i];
    if (!fits || sum.instructions > t->detailed || sum.cycles > t->cycles)
        return bad(r, "subsamples are more than all that was timed");
    return 0;
}

/* Before version 3 nothing is told of them, and in it what cannot be used. */
static int read_subsamples(struct reader *r, struct slw_sim_thread *t)
{
    uint64_t count = 0;
    int rc = 0;

    if (r->version < 3)
        return 0;
    if (!next_line(r) || !take_name(r, "sampled"))
        return bad(r, "how many subsamples there are is missing");
    if (r->version == 3)
        return 0;
    if (!take_number(r, 10, SLW_SIM_SUBSAMPLES, &count) || !at_end_of_line(r))
        return bad(r, "how many subsamples there are is missing");
    t->subsamples = slw_arena_array(r->o->arena, (size_t)count + 1, sizeof(*t->subsamples));
    if (!t->subsamples)
        return fail_at(r, SLW_E_NOMEM, "no memory for subsamples");
    for (; rc >= 0 && t->subsample_count < count; t->subsample_count++)
        rc = read_subsample(r, &t->subsamples[t->subsample_count]);
    return rc < 0 ? rc : check_subsamples(r, t);
}

static int read_context(struct reader *r, struct slw_sim_thread *t)
{
    struct slw_sim_context *c = &t->contexts[t->context_count];
    uint64_t id = 0, parent = 0, object = 0;

    if (!next_line(r) || !take_name(r, "node") || !take_number(r, 10, r->promised - 1, &id) ||
        !take_number(r, 10, r->promised - 1, &parent) ||
        !take_number(r, 10, r->o->object_count, &object) ||
        !take_number(r, 16, UINT64_MAX, &c->address) || !take_count(r, &c->instructions) ||
        !take_count(r, &c->l1i_misses))
        return bad(r, "a calling context is missing or not described right");
    if (!take_slots(r, c->slots))
        return bad(r, "a calling context has too few numbers");
    if (!at_end_of_line(r))
        return bad(r, "more on the line than expected");
    if (r->index_of_id[id] != UINT32_MAX)
        return bad(r, "a calling context comes twice");
    if (t->context_count == 0 ? id != 0 || parent != 0 : r->index_of_id[parent] == UINT32_MAX)
        return bad(r, "a calling context comes before its caller");
    c->parent = t->context_count == 0 ? 0 : r->index_of_id[parent];
    c->object = object == 0 ? SLW_SIM_NO_OBJECT : (uint32_t)object - 1;
    r->index_of_id[id] = (uint32_t)t->context_count++;
    return 0;
}

/* What the contexts have is what the thread has. */
static int check_contexts(struct reader *r, const struct slw_sim_thread *t)
{
    uint64_t instructions = 0, misses = 0, slots[SLW_SIM_SLOT_COUNT] = {0};

    /* The sums cannot wrap to the right value: there are less than 2^19 contexts, and each is
     * compared with what is left. */
    for (size_t i = 0; i < t->context_count; i++) {
        const struct slw_sim_context *c = &t->contexts[i];

        if (c->instructions > t->events[SLW_SIM_INSTRUCTIONS] - instructions ||
            c->l1i_misses > t->events[SLW_SIM_L1I_MISSES] - misses)
            return bad(r, "calling contexts have more than their thread");
        instructions += c->instructions;
        misses += c->l1i_misses;
        for (unsigned k = 0; k < SLW_SIM_SLOT_COUNT; k++) {
            if (c->slots[k] > t->slots[k] - slots[k])
                return bad(r, "calling contexts have more slots than their thread");
            slots[k] += c->slots[k];
        }
    }
    if (instructions != t->events[SLW_SIM_INSTRUCTIONS] ||
        misses != t->events[SLW_SIM_L1I_MISSES] || memcmp(slots, t->slots, sizeof(slots)) != 0)
        return bad(r, "calling contexts have less than their thread");
    return 0;
}

static int read_contexts(struct reader *r, struct slw_sim_thread *t)
{
    int rc = 0;

    if (r->promised == 0 || r->promised > SLW_SIM_MAX_NODES ||
        r->promised > (size_t)(r->end - r->next) / CONTEXT_MIN_BYTES)
        return bad(r, "more calling contexts than the file has room for");
    t->contexts = slw_arena_array(r->o->arena, r->promised, sizeof(*t->contexts));
    r->index_of_id = malloc(r->promised * sizeof(*r->index_of_id));
    if (!t->contexts || !r->index_of_id)
        rc = slw_fail(r->err, SLW_E_NOMEM, "out of memory");
    else
        memset(r->index_of_id, 0xff, r->promised * sizeof(*r->index_of_id));
    for (size_t i = 0; rc >= 0 && i < r->promised; i++)
        rc = read_context(r, t);
    free(r->index_of_id);
    r->index_of_id = NULL;
    return rc < 0 ? rc : check_contexts(r, t);
}

static int read_thread(struct reader *r)
{
    struct slw_sim_output *o = r->o;
    uint64_t contexts = 0;

    if (o->thread_count == SLW_SIM_OUTPUT_MAX_THREADS)
        return fail_at(r, SLW_E_LIMIT, "more threads than a carrier writes");
    struct slw_sim_thread *t = &o->threads[o->thread_count];

    if (!take_count(r, &t->number) || !take_count(r, &t->cycles) || !take_count(r, &t->detailed) ||
        !take_count(r, &t->unfollowed) || !take_count(r, &contexts) || !at_end_of_line(r))
        return bad(r, "a thread is not described right");
    r->promised = (size_t)contexts;
    o->thread_count++;
    int rc = read_events(r, t);

    if (rc >= 0)
        rc = read_slots(r, t);
    if (rc >= 0)
        rc = read_subsamples(r, t);
    if (rc >= 0 && t->detailed > t->events[SLW_SIM_INSTRUCTIONS])
        rc = bad(r, "more instructions in detail than there are");
    return rc < 0 ? rc : read_contexts(r, t);
}

/* "end N" after N lines, and nothing after it. */
static int read_end(struct reader *r)
{
    uint64_t lines = 0;

    if (!take_count(r, &lines) || !at_end_of_line(r) || lines != r->line - 1)
        return bad(r, "the end does not say how many lines there are");
    return r->next == r->end ? 0 : bad(r, "something comes after the end");
}

static int read_rest(struct reader *r)
{
    while (next_line(r)) {
        int rc;

        if (take_name(r, "end"))
            return read_end(r);
        if (take_name(r, "thread"))
            rc = read_thread(r);
        else if (r->o->thread_count == 0 && take_name(r, "stage"))
            rc = read_stage(r);
        else if (r->o->thread_count == 0 && take_name(r, "began"))
            rc = read_began(r);
        else if (r->o->thread_count == 0 && take_name(r, "timers"))
            rc = read_timers(r);
        else if (r->o->thread_count == 0 && take_name(r, "beside"))
            rc = read_beside(r);
        else if (r->o->thread_count == 0 && take_name(r, "object"))
            rc = read_object(r);
        else
            rc = bad(r, "no line of that name belongs here");
        if (rc < 0)
            return rc;
    }
    return bad(r, "the file is cut short");
}

static int init(struct reader *r)
{
    struct slw_sim_output *o = r->o;

    o->arena = slw_arena_new();
    if (o->arena) {
        o->objects = slw_arena_array(o->arena, SLW_SIM_OUTPUT_MAX_OBJECTS, sizeof(*o->objects));
        o->stages = slw_arena_array(o->arena, SLW_SIM_OUTPUT_MAX_STAGES, sizeof(*o->stages));
        o->threads = slw_arena_array(o->arena, SLW_SIM_OUTPUT_MAX_THREADS, sizeof(*o->threads));
    }
    return o->arena && o->objects && o->stages && o->threads
               ? 0
               : slw_fail(r->err, SLW_E_NOMEM, "out of memory");
}

int slw_sim_output_read(const char *bytes, size_t length, const char *origin,
                        struct slw_sim_output **ret_output, struct slw_error *err)
{
    struct slw_sim_output *o = calloc(1, sizeof(*o));
    struct reader r = {.o = o, .err = err, .origin = origin, .next = bytes, .end = bytes + length};
    int rc = o ? 0 : slw_fail(err, SLW_E_NOMEM, "out of memory");

    assert(bytes && origin && ret_output);
    if (rc >= 0 && length > SLW_SIM_OUTPUT_MAX_BYTES)
        rc = fail_at(&r, SLW_E_LIMIT, "larger than any carrier writes");
    if (rc >= 0)
        rc = init(&r);
    if (rc >= 0)
        rc = read_version(&r);
    if (rc >= 0)
        rc = read_names(&r);
    if (rc >= 0)
        rc = read_settings(&r);
    if (rc >= 0)
        rc = read_ended(&r);
    if (rc >= 0)
        rc = read_rest(&r);
    if (rc < 0) {
        slw_sim_output_free(o);
        return rc;
    }
    *ret_output = o;
    return 0;
}

void slw_sim_output_free(struct slw_sim_output *output)
{
    if (!output)
        return;
    slw_arena_free(output->arena);
    free(output);
}
