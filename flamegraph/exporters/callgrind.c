/* SPDX-License-Identifier: MIT */
/* Callgrind's profile format, for KCachegrind and callgrind_annotate: cost of each source line (its
 * own) and of each call (with all it led to). Source: Valgrind manual, "Callgrind Format
 * Specification".
 *
 * Stacks say who called whom, but not how often: calls= is 0, which KCachegrind shows as active.
 * A call that a stack holds several times (recursion) counts once, and a call of a function to
 * itself is left out: readers sum up calls, and would find such a function to cost more than there
 * is. Which stacks there were is lost: the format holds calls only. */
#include "flamegraph/export_parts.h"

#include "base/arena.h"
#include "base/strtab.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Keys of the tables, as bytes. */
struct function {
    uint32_t object, file, name; /* strings */
};
struct place {
    uint32_t function, line;
};
struct call {
    uint32_t place, callee; /* from where, to which function */
};

/* Names of each kind are numbered by themselves. */
enum kind { OBJECT = 1, FILE_NAME = 2, FUNCTION = 4 };

/* Costs of the things a table numbers from 1, `width` columns each. */
struct costs {
    uint64_t *values;
    uint32_t capacity;
};

struct writer {
    const struct slw_stacks *stacks;
    struct slw_buf *out;
    uint32_t columns[SLW_MAX_COLUMNS], width;
    struct slw_strtab strings, functions, places, calls;
    struct costs own, inclusive; /* of places, of calls */
    uint32_t *place_of_frame;    /* 0: not asked yet */
    uint32_t *counted_for;       /* per call: the stack that counts already, + 1 */
    uint32_t counted_capacity;
    uint8_t *name_written; /* per string: the kinds whose number is enough by now */
};

/* ---- tables ---- */

static int grow(void **array, uint32_t *capacity, uint32_t need, size_t size)
{
    uint32_t bigger = *capacity ? *capacity : 256;

    if (need < *capacity)
        return 0;
    while (bigger <= need)
        bigger *= 2;
    char *more = need > UINT32_MAX / 4 ? NULL : realloc(*array, bigger * size);
    if (!more)
        return -SLW_E_NOMEM;
    memset(more + *capacity * size, 0, (bigger - *capacity) * size);
    *array = more;
    *capacity = bigger;
    return 0;
}

static int grow_costs(struct costs *c, uint32_t id, uint32_t width)
{
    void *values = c->values;
    const int rc = grow(&values, &c->capacity, id, width * sizeof(*c->values));

    c->values = values;
    return rc;
}

static int grow_counted(struct writer *w, uint32_t id)
{
    void *counted = w->counted_for;
    const int rc = grow(&counted, &w->counted_capacity, id, sizeof(*w->counted_for));

    w->counted_for = counted;
    return rc;
}

static struct function function_at(const struct writer *w, uint32_t id)
{
    struct function f;

    memcpy(&f, slw_strtab_get(&w->functions, id), sizeof(f));
    return f;
}

static struct place place_at(const struct writer *w, uint32_t id)
{
    struct place p;

    memcpy(&p, slw_strtab_get(&w->places, id), sizeof(p));
    return p;
}

static struct call call_at(const struct writer *w, uint32_t id)
{
    struct call c;

    memcpy(&c, slw_strtab_get(&w->calls, id), sizeof(c));
    return c;
}

/* ---- counting ---- */

static int string_id(struct writer *w, const char *s, uint32_t *ret_id)
{
    return slw_strtab_intern(&w->strings, s, strlen(s), ret_id);
}

static int label_id(struct writer *w, const struct slw_frame *f, uint32_t *ret_id)
{
    struct slw_buf label = {0};

    slw_export_put_label(&label, w->stacks, f);
    const int rc = slw_buf_failed(&label) ? -SLW_E_NOMEM : string_id(w, label.data, ret_id);
    slw_buf_release(&label);
    return rc;
}

/* The place of frame `id`, new when it is the first there. */
static int find_place(struct writer *w, uint32_t id, uint32_t *ret_place)
{
    const struct slw_frame f = slw_stacks_frame(w->stacks, id);
    struct function function;
    struct place place = {.line = f.line};

    if (w->place_of_frame[id]) {
        *ret_place = w->place_of_frame[id];
        return 0;
    }
    int rc = string_id(w, slw_export_module(w->stacks, &f), &function.object);
    if (rc == 0)
        rc = string_id(w, f.file, &function.file);
    if (rc == 0)
        rc = label_id(w, &f, &function.name);
    if (rc == 0)
        rc = slw_strtab_intern(&w->functions, (const char *)&function, sizeof(function),
                               &place.function);
    if (rc == 0)
        rc = slw_strtab_intern(&w->places, (const char *)&place, sizeof(place), ret_place);
    if (rc == 0)
        rc = grow_costs(&w->own, *ret_place, w->width);
    if (rc == 0)
        w->place_of_frame[id] = *ret_place;
    return rc;
}

static void add(const struct writer *w, const struct costs *c, uint32_t id, const uint64_t *weights)
{
    uint64_t *values = c->values + (size_t)id * w->width;

    /* The totals of all columns fit, and a place or call has no more than the total. */
    for (uint32_t i = 0; i < w->width; i++)
        values[i] += weights[w->columns[i]];
}

static int count_call(struct writer *w, uint32_t stack, const struct call *c,
                      const uint64_t *weights)
{
    uint32_t id = 0;
    int rc = slw_strtab_intern(&w->calls, (const char *)c, sizeof(*c), &id);

    if (rc == 0)
        rc = grow_costs(&w->inclusive, id, w->width);
    if (rc == 0)
        rc = grow_counted(w, id);
    if (rc == 0 && w->counted_for[id] != stack + 1) {
        w->counted_for[id] = stack + 1;
        add(w, &w->inclusive, id, weights);
    }
    return rc;
}

/* The thread is the outermost function: it is what calls main. */
static int thread_place(struct writer *w, uint32_t thread, uint32_t *ret_place)
{
    struct function f = {0};
    struct place p = {0};
    int rc = string_id(w, slw_export_comm(w->stacks, thread), &f.name);

    if (rc == 0)
        rc = slw_strtab_intern(&w->functions, (const char *)&f, sizeof(f), &p.function);
    if (rc == 0)
        rc = slw_strtab_intern(&w->places, (const char *)&p, sizeof(p), ret_place);
    return rc < 0 ? rc : grow_costs(&w->own, *ret_place, w->width);
}

/* Where a stack starts: in its thread; without one, in its outermost frame (0: no place). */
static int start_place(struct writer *w, const struct slw_stack *stack, uint32_t *ret_place)
{
    if (stack->thread != SLW_NO_THREAD || stack->depth == 0)
        return thread_place(w, stack->thread, ret_place);
    *ret_place = 0;
    return 0;
}

static int count_stack(struct writer *w, uint32_t index)
{
    const struct slw_stack stack = slw_stacks_get(w->stacks, index);
    uint32_t caller = 0, place = 0;
    int rc = start_place(w, &stack, &caller);

    place = caller;
    for (size_t i = stack.depth; rc == 0 && i-- > 0; caller = place) {
        rc = find_place(w, stack.frames[i], &place);
        if (rc == 0 && caller && place_at(w, caller).function != place_at(w, place).function)
            rc = count_call(w, index, &(struct call){caller, place_at(w, place).function},
                            stack.weights);
    }
    if (rc == 0)
        add(w, &w->own, place, stack.weights);
    return rc;
}

static int count(struct writer *w)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < slw_stacks_count(w->stacks); i++)
        rc = count_stack(w, i);
    return rc;
}

/* ---- writing ---- */

/* A name of which nothing is left would be none that readers were given. */
static bool is_blank(const char *name)
{
    for (; *name; name++)
        if ((unsigned char)*name > ' ' && *name != 0x7f)
            return false;
    return true;
}

/* "(id) name" the first time, then "(id)"; the empty name is "???", as callgrind's own. */
static void put_name(struct writer *w, const char *key, enum kind kind, uint32_t id)
{
    const char *name = slw_strtab_get(&w->strings, id);

    slw_buf_printf(w->out, "%s=(%" PRIu32 ")", key, id + 1);
    if (!(w->name_written[id] & kind)) {
        w->name_written[id] |= (uint8_t)kind;
        slw_buf_putc(w->out, ' ');
        slw_export_put_line(w->out, is_blank(name) ? "???" : name);
    }
    slw_buf_putc(w->out, '\n');
}

static void put_costs(struct writer *w, uint32_t line, const struct costs *c, uint32_t id)
{
    slw_buf_printf(w->out, "%" PRIu32, line);
    for (uint32_t i = 0; i < w->width; i++)
        slw_buf_printf(w->out, " %" PRIu64, c->values[(size_t)id * w->width + i]);
    slw_buf_putc(w->out, '\n');
}

static bool weighs(const struct writer *w, const struct costs *c, uint32_t id)
{
    for (uint32_t i = 0; i < w->width; i++)
        if (c->values[(size_t)id * w->width + i] > 0)
            return true;
    return false;
}

static void put_call(struct writer *w, uint32_t id)
{
    const struct call c = call_at(w, id);
    const struct function f = function_at(w, c.callee);

    if (!weighs(w, &w->inclusive, id))
        return;
    put_name(w, "cob", OBJECT, f.object);
    put_name(w, "cfi", FILE_NAME, f.file);
    put_name(w, "cfn", FUNCTION, f.name);
    slw_buf_puts(w->out, "calls=0 0\n");
    put_costs(w, place_at(w, c.place).line, &w->inclusive, id);
}

/* Lists of what belongs together: first[owner], next[member]; 0 ends. */
struct lists {
    uint32_t *first, *next;
};

static bool lists_new(struct lists *l, uint32_t owners, uint32_t members)
{
    l->first = calloc((size_t)owners + 1, sizeof(*l->first));
    l->next = calloc((size_t)members + 1, sizeof(*l->next));
    return l->first && l->next;
}

static void lists_put(struct lists *l, uint32_t owner, uint32_t member)
{
    l->next[member] = l->first[owner];
    l->first[owner] = member;
}

static void put_function(struct writer *w, uint32_t id, const struct lists *places,
                         const struct lists *calls)
{
    const struct function f = function_at(w, id);

    slw_buf_putc(w->out, '\n');
    put_name(w, "ob", OBJECT, f.object);
    put_name(w, "fl", FILE_NAME, f.file);
    put_name(w, "fn", FUNCTION, f.name);
    for (uint32_t p = places->first[id]; p; p = places->next[p]) {
        if (weighs(w, &w->own, p))
            put_costs(w, place_at(w, p).line, &w->own, p);
        for (uint32_t c = calls->first[p]; c; c = calls->next[c])
            put_call(w, c);
    }
}

static int put_functions(struct writer *w)
{
    struct lists places = {0}, calls = {0};
    const bool room = lists_new(&places, w->functions.count, w->places.count) &&
                      lists_new(&calls, w->places.count, w->calls.count);

    for (uint32_t i = w->places.count; room && --i > 0;)
        lists_put(&places, place_at(w, i).function, i);
    for (uint32_t i = w->calls.count; room && --i > 0;)
        lists_put(&calls, call_at(w, i).place, i);
    for (uint32_t i = 1; room && i < w->functions.count; i++)
        put_function(w, i, &places, &calls);
    free(places.first);
    free(places.next);
    free(calls.first);
    free(calls.next);
    return room ? 0 : -SLW_E_NOMEM;
}

/* An event's name may hold letters and digits only; what it is called follows in "event:". */
static void put_event_name(struct writer *w, const struct slw_column *c, uint32_t place)
{
    slw_buf_puts(w->out, "e");
    slw_buf_printf(w->out, "%" PRIu32, place + 1);
    for (const char *p = c->event; *p; p++)
        slw_buf_putc(w->out, isalnum((unsigned char)*p) && (unsigned char)*p < 0x80 ? *p : '_');
    slw_buf_printf(w->out, "_%s", strcmp(c->unit, "count") == 0 ? "count" : "weight");
}

static void put_head(struct writer *w, const struct slw_run *run)
{
    slw_buf_puts(w->out, "# callgrind format\nversion: 1\ncreator: slotwise " SLW_VERSION "\n");
    if (run && run->command.argc > 0) {
        slw_buf_puts(w->out, "cmd:");
        for (size_t i = 0; i < run->command.argc; i++) {
            slw_buf_putc(w->out, ' ');
            slw_export_put_line(w->out, run->command.argv[i]);
        }
        slw_buf_putc(w->out, '\n');
    }
    slw_buf_puts(w->out, "positions: line\n");
    for (uint32_t i = 0; i < w->width; i++) {
        const struct slw_column *c = slw_stacks_column(w->stacks, w->columns[i]);
        struct slw_buf name = {0};

        slw_export_put_column(&name, c);
        slw_buf_puts(w->out, "event: ");
        put_event_name(w, c, i);
        slw_buf_puts(w->out, " : ");
        slw_export_put_line(w->out, name.data ? name.data : "");
        slw_buf_putc(w->out, '\n');
        w->out->failed = w->out->failed || name.failed;
        slw_buf_release(&name);
    }
    slw_buf_puts(w->out, "events:");
    for (uint32_t i = 0; i < w->width; i++) {
        slw_buf_putc(w->out, ' ');
        put_event_name(w, slw_stacks_column(w->stacks, w->columns[i]), i);
    }
    slw_buf_puts(w->out, "\nsummary:");
    for (uint32_t i = 0; i < w->width; i++)
        slw_buf_printf(w->out, " %" PRIu64, slw_stacks_total(w->stacks, w->columns[i]));
    slw_buf_putc(w->out, '\n');
}

static int prepare(struct writer *w, struct slw_arena *arena)
{
    int rc = arena ? slw_strtab_init(&w->strings, arena) : -SLW_E_NOMEM;

    if (rc == 0)
        rc = slw_strtab_init(&w->functions, arena);
    if (rc == 0)
        rc = slw_strtab_init(&w->places, arena);
    if (rc == 0)
        rc = slw_strtab_init(&w->calls, arena);
    w->place_of_frame = calloc(slw_stacks_frame_count(w->stacks) + 1, sizeof(uint32_t));
    return w->place_of_frame ? rc : -SLW_E_NOMEM;
}

static int write(struct writer *w, const struct slw_run *run)
{
    struct slw_arena *arena = slw_arena_new();
    int rc = prepare(w, arena);

    if (rc == 0)
        rc = count(w);
    if (rc == 0) {
        w->name_written = calloc((size_t)w->strings.count + 1, 1);
        rc = w->name_written ? 0 : -SLW_E_NOMEM;
    }
    if (rc == 0) {
        put_head(w, run);
        rc = put_functions(w);
    }
    slw_strtab_release(&w->strings);
    slw_strtab_release(&w->functions);
    slw_strtab_release(&w->places);
    slw_strtab_release(&w->calls);
    free(w->own.values);
    free(w->inclusive.values);
    free(w->counted_for);
    free(w->name_written);
    free(w->place_of_frame);
    slw_arena_free(arena);
    return rc < 0 || slw_buf_failed(w->out) ? -SLW_E_NOMEM : 0;
}

/* The weight of the first event comes first: tools show and sort by the first. */
static void choose(struct writer *w, const struct slw_export_options *opts)
{
    const int first =
        slw_stacks_find_column(w->stacks, opts ? opts->event : NULL, opts ? opts->unit : NULL);

    if (first >= 0)
        w->columns[w->width++] = (uint32_t)first;
    for (uint32_t i = 0; i < slw_stacks_column_count(w->stacks); i++)
        if ((int)i != first && slw_export_takes(w->stacks, opts, i))
            w->columns[w->width++] = i;
}

static int export(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_export_options *opts, struct slw_buf *out, struct slw_error *err)
{
    struct writer w = {.stacks = stacks, .out = out};
    const int rc = slw_export_takes_any(stacks, opts, err);

    if (rc < 0)
        return rc;
    choose(&w, opts);
    return write(&w, run) < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory to write the stacks") : 0;
}

const struct slw_exporter slw_exporter_callgrind = {
    .name = "callgrind",
    .summary = "call graph for KCachegrind and callgrind_annotate",
    .extension = "callgrind",
    .needs_stacks = true,
    .export = export,
};
