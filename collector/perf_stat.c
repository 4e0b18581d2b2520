/* SPDX-License-Identifier: MIT */
#include "collector/perf_stat.h"

#include "collector/perf_stat_int.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FULL_BP 10000 /* hundredths of a percent */
#define NONE    SIZE_MAX

int slw_perf_stat_fail(const char *path, size_t line, size_t column, enum slw_code code,
                       struct slw_error *err, const char *fmt, ...)
{
    va_list ap;

    slw_error_at(err, "%s:%zu:%zu", path, line, column);
    va_start(ap, fmt);
    const int rc = slw_vfail(err, code, fmt, ap);
    va_end(ap);
    return rc;
}

static int no_memory(struct slw_error *err)
{
    return slw_fail(err, SLW_E_NOMEM, "no memory for an imported run");
}

int slw_perf_stat_new(const char *path, const char *format, struct slw_perf_stat **ret_stat,
                      struct slw_error *err)
{
    struct slw_perf_stat *s = calloc(1, sizeof(*s));

    if (!s || !(s->arena = slw_arena_new())) {
        free(s);
        return no_memory(err);
    }
    s->path = path;
    s->format = format;
    s->last_cell = NONE;
    *ret_stat = s;
    return 0;
}

void slw_perf_stat_free(struct slw_perf_stat *s)
{
    if (!s)
        return;
    slw_index_release(&s->slot_index);
    slw_index_release(&s->cell_index);
    slw_index_release(&s->seen_index);
    free(s->slots);
    free(s->cells);
    free(s->printed);
    free(s->seen);
    slw_arena_free(s->arena);
    free(s);
}

/* Room for one more element of a doubling array. */
static bool grow(void **array, size_t count, size_t element_bytes)
{
    if (count != 0 && (count & (count - 1)) != 0)
        return true;
    void *more = realloc(*array, (count ? count * 2 : 1) * element_bytes);
    if (more)
        *array = more;
    return more != NULL;
}

static const char *keep(struct slw_perf_stat *s, struct slw_span span)
{
    return slw_arena_strndup(s->arena, span.text ? span.text : "", span.length);
}

static bool span_is(struct slw_span s, const char *word)
{
    return s.length == strlen(word) && memcmp(s.text, word, s.length) == 0;
}

/* ---- slots and cells ---- */

static bool same_seen(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_perf_stat *s = ctx;

    return strcmp(s->seen[position].key, key) == 0;
}

/* Which occurrence of its name is this row, in its interval and place? */
static int count_occurrence(struct slw_perf_stat *s, struct slw_span place,
                            const struct slw_perf_event *e, size_t *ret_occurrence)
{
    char key[512];
    uint32_t at;

    (void)snprintf(key, sizeof(key), "%.64s\x1f%s\x1f%d\x1f%.*s", e->pmu, e->name, (int)e->mode,
                   (int)(place.length < 100 ? place.length : 100), place.text ? place.text : "");
    const uint64_t hash = slw_hash_bytes(key, strlen(key), 0);
    if (!slw_index_find(&s->seen_index, hash, same_seen, s, key, &at)) {
        void *seen = s->seen;
        const char *kept = slw_arena_strdup(s->arena, key);
        const bool room = grow(&seen, s->seen_count, sizeof(*s->seen));
        s->seen = seen;
        at = (uint32_t)s->seen_count;
        if (!room || !kept || slw_index_add(&s->seen_index, hash, at) < 0)
            return -SLW_E_NOMEM;
        s->seen[s->seen_count++] = (struct slw_perf_seen){.key = kept};
    }
    struct slw_perf_seen *seen = &s->seen[at];
    if (seen->interval != s->interval_count) {
        seen->interval = s->interval_count;
        seen->count = 0;
    }
    *ret_occurrence = seen->count++;
    return 0;
}

static bool same_slot(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_perf_stat *s = ctx;
    const struct slw_perf_slot *a = &s->slots[position], *b = key;

    return a->occurrence == b->occurrence && a->mode == b->mode && strcmp(a->name, b->name) == 0 &&
           strcmp(a->pmu ? a->pmu : "", b->pmu ? b->pmu : "") == 0;
}

static int find_slot(struct slw_perf_stat *s, const struct slw_perf_row *row,
                     const struct slw_perf_event *e, size_t occurrence, size_t *ret_slot)
{
    struct slw_perf_slot slot = {.name = e->name,
                                 .pmu = e->pmu[0] ? e->pmu : NULL,
                                 .mode = e->mode,
                                 .software = e->software,
                                 .occurrence = occurrence,
                                 .covered_bp = FULL_BP,
                                 .group = -1,
                                 .line = row->line,
                                 .column = row->column};
    const uint64_t hash =
        slw_hash_bytes(e->name, strlen(e->name), occurrence * 3 + (uint64_t)e->mode);
    uint32_t at;

    if (!slw_index_find(&s->slot_index, hash, same_slot, s, &slot, &at)) {
        void *slots = s->slots;
        const bool room = grow(&slots, s->slot_count, sizeof(*s->slots));
        s->slots = slots;
        at = (uint32_t)s->slot_count;
        slot.name = slw_arena_strdup(s->arena, e->name);
        slot.pmu = e->pmu[0] ? slw_arena_strdup(s->arena, e->pmu) : NULL;
        if (!room || !slot.name || (e->pmu[0] && !slot.pmu) ||
            slw_index_add(&s->slot_index, hash, at) < 0)
            return -SLW_E_NOMEM;
        s->slots[s->slot_count++] = slot;
    }
    *ret_slot = at;
    return 0;
}

static bool same_cell(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_perf_stat *s = ctx;
    const struct slw_perf_cell *a = &s->cells[position], *b = key;

    return a->slot == b->slot && a->cpu == b->cpu && a->tid == b->tid;
}

static int find_cell(struct slw_perf_stat *s, size_t slot, const struct slw_perf_place *p,
                     size_t *ret_cell)
{
    const struct slw_perf_cell cell = {
        .slot = slot, .cpu = p->cpu, .tid = p->tid, .covered_bp = FULL_BP, .times = true};
    const uint64_t key[] = {slot, (uint32_t)p->cpu, (uint32_t)p->tid};
    const uint64_t hash = slw_hash_bytes(key, sizeof(key), 0);
    uint32_t at;

    if (!slw_index_find(&s->cell_index, hash, same_cell, s, &cell, &at)) {
        void *cells = s->cells;
        const bool room = grow(&cells, s->cell_count, sizeof(*s->cells));
        s->cells = cells;
        at = (uint32_t)s->cell_count;
        if (s->cell_count >= SLW_MAX_COUNTS)
            return -SLW_E_LIMIT;
        if (!room || slw_index_add(&s->cell_index, hash, at) < 0)
            return -SLW_E_NOMEM;
        s->cells[s->cell_count++] = cell;
    }
    *ret_cell = at;
    return 0;
}

/* ---- one row ---- */

struct unit { /* of perf; what is whole in ours */
    const char *perf, *ours;
    uint64_t factor;
};

/* Times become nanoseconds, exactly. Everything else perf prints with a unit has two decimals or
 * six: millionths keep them. */
static struct unit unit_of(struct slw_span unit, const struct slw_perf_event *e)
{
    static const struct unit times[] = {{"msec", "ns", 1000000},
                                        {"ns", "ns", 1},
                                        {"nsec", "ns", 1},
                                        {"usec", "ns", 1000},
                                        {"sec", "ns", 1000000000}};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (span_is(unit, times[i].perf))
            return times[i];
    if (unit.length > 0)
        return (struct unit){NULL, NULL, 1000000};
    if (e->software && (strstr(e->name, "-clock") || strstr(e->name, "_time")))
        return times[1];
    return (struct unit){NULL, "events", 1};
}

struct reading {
    uint64_t value, running_ns;
    bool have_running, exact;
    int covered_bp;
    const char *absent, *unit;
};

static const char *absent_word(struct slw_span value)
{
    if (span_is(value, "<not counted>"))
        return "not counted";
    return span_is(value, "<not supported>") ? "not supported" : NULL;
}

static int read_covered(struct slw_perf_stat *s, struct slw_span covered, size_t line,
                        size_t column, int *ret_bp, struct slw_error *err)
{
    struct slw_decimal d;
    uint64_t bp;
    bool exact;

    if (covered.length == 0) {
        *ret_bp = FULL_BP; /* perf prints no share when the counter was held all the time */
        return 0;
    }
    if (slw_decimal_parse(covered.text, covered.length, true, &d) != covered.length ||
        !slw_decimal_scale(&d, 100, &bp, &exact) || bp > FULL_BP)
        return slw_perf_stat_fail(s->path, line, column, SLW_E_FORMAT, err,
                                  "'%.*s' is no share of the time in percent",
                                  (int)(covered.length < 40 ? covered.length : 40), covered.text);
    *ret_bp = (int)bp;
    return 0;
}

static int read_running(struct slw_perf_stat *s, const struct slw_perf_row *row, struct reading *r,
                        struct slw_error *err)
{
    struct slw_decimal d;
    bool exact;

    if (row->running.length == 0)
        return 0;
    if (slw_decimal_parse(row->running.text, row->running.length, true, &d) !=
            row->running.length ||
        !slw_decimal_scale(&d, 1, &r->running_ns, &exact))
        return slw_perf_stat_fail(s->path, row->line, row->column, SLW_E_FORMAT, err,
                                  "'%.*s' is no running time in nanoseconds",
                                  (int)(row->running.length < 40 ? row->running.length : 40),
                                  row->running.text);
    r->have_running = true;
    return 0;
}

static int read_value(struct slw_perf_stat *s, const struct slw_perf_row *row,
                      const struct slw_perf_event *e, struct reading *r, struct slw_error *err)
{
    const struct unit u = unit_of(row->unit, e);
    const int shown = (int)(row->value.length < 40 ? row->value.length : 40);
    struct slw_decimal d;

    r->unit = u.ours ? u.ours
                     : slw_arena_printf(s->arena, "micro-%.*s",
                                        (int)(row->unit.length < 32 ? row->unit.length : 32),
                                        row->unit.text);
    if (!r->unit)
        return no_memory(err);
    r->absent = absent_word(row->value);
    if (r->absent)
        return 0;
    if (slw_decimal_parse(row->value.text, row->value.length, row->machine, &d) !=
        row->value.length)
        return slw_perf_stat_fail(s->path, row->line, row->column, SLW_E_FORMAT, err,
                                  "'%.*s' is no count of '%s'", shown, row->value.text, e->name);
    if (!slw_decimal_scale(&d, u.factor, &r->value, &r->exact))
        return slw_perf_stat_fail(s->path, row->line, row->column, SLW_E_RANGE, err,
                                  "'%.*s' of '%s' is negative or needs more than 64 bits", shown,
                                  row->value.text, e->name);
    /* Held a counter for no time at all: the zero is not a count. */
    if (r->covered_bp == 0)
        r->absent = "not counted";
    return 0;
}

static uint64_t enabled_of(const struct reading *r)
{
    if (r->covered_bp == 0)
        return 0;
    const slw_u128 enabled = (slw_u128)r->running_ns * FULL_BP / (unsigned)r->covered_bp;
    return enabled > UINT64_MAX ? UINT64_MAX : (uint64_t)enabled;
}

static const char *where_absent(struct slw_perf_stat *s, const struct slw_perf_row *row,
                                const char *absent)
{
    const char *why = row->place.length > 0
                          ? slw_arena_printf(s->arena, "%s on %.*s", absent,
                                             (int)(row->place.length < 64 ? row->place.length : 64),
                                             row->place.text)
                          : slw_arena_printf(s->arena, "%s in the interval at %s s", absent,
                                             s->time ? s->time : "?");
    return why ? why : absent;
}

static bool add_reading(struct slw_perf_cell *c, const struct reading *r)
{
    c->times = c->times && r->have_running;
    if (r->covered_bp < c->covered_bp)
        c->covered_bp = r->covered_bp;
    return !__builtin_add_overflow(c->value, r->value, &c->value) &&
           !__builtin_add_overflow(c->running_ns, r->running_ns, &c->running_ns) &&
           !__builtin_add_overflow(c->enabled_ns, enabled_of(r), &c->enabled_ns);
}

static int add_to_cell(struct slw_perf_stat *s, const struct slw_perf_row *row, size_t cell,
                       const struct reading *r, struct slw_error *err)
{
    struct slw_perf_cell *c = &s->cells[cell];

    if (c->rows++ == 0)
        c->unit = r->unit;
    else if (strcmp(c->unit, r->unit) != 0)
        return slw_perf_stat_fail(s->path, row->line, row->column, SLW_E_FORMAT, err,
                                  "the unit of '%s' changes from %s to %s", s->slots[c->slot].name,
                                  c->unit, r->unit);
    if (r->absent) {
        if (!c->absent)
            c->absent = c->rows == 1 && !row->time.length && !row->place.length
                            ? r->absent
                            : where_absent(s, row, r->absent);
        return 0;
    }
    if (row->spread.length > 0) {
        s->repeated = true;
        c->spread = keep(s, row->spread);
    }
    s->rounded = s->rounded || !r->exact;
    if (!add_reading(c, r))
        return slw_perf_stat_fail(s->path, row->line, row->column, SLW_E_RANGE, err,
                                  "the rows of '%s' add up to more than 64 bits",
                                  s->slots[c->slot].name);
    return 0;
}

static int enter_interval(struct slw_perf_stat *s, const struct slw_perf_row *row,
                          struct slw_error *err)
{
    const uint64_t before = s->wall_ns;
    struct slw_decimal d;
    bool exact;

    if (s->last_cell != NONE && (row->time.length > 0) != (s->time != NULL))
        return slw_perf_stat_fail(s->path, row->line, row->column, SLW_E_FORMAT, err,
                                  "rows with and without a time stamp in one file");
    if (row->time.length == 0 || (s->time && span_is(row->time, s->time)))
        return 0;
    if (slw_decimal_parse(row->time.text, row->time.length, true, &d) != row->time.length ||
        !slw_decimal_scale(&d, 1000000000, &s->wall_ns, &exact))
        return slw_perf_stat_fail(s->path, row->line, row->column, SLW_E_FORMAT, err,
                                  "a bad time stamp");
    if (s->wall_ns < before)
        return slw_perf_stat_fail(s->path, row->line, row->column, SLW_E_FORMAT, err,
                                  "the time goes back: the file holds two outputs; import each of "
                                  "them alone");
    s->time = keep(s, row->time);
    s->interval_count++;
    return s->time ? 0 : no_memory(err);
}

static int check_place(struct slw_perf_stat *s, const struct slw_perf_row *row,
                       struct slw_perf_place *ret_place, struct slw_error *err)
{
    if (!slw_perf_place_read(row, ret_place))
        return slw_perf_stat_fail(s->path, row->line, row->column, SLW_E_FORMAT, err,
                                  "'%.*s' is no CPU, core, socket, node or thread",
                                  (int)(row->place.length < 64 ? row->place.length : 64),
                                  row->place.text);
    const bool part = ret_place->cpu >= 0 || ret_place->tid >= 0;
    if (s->last_cell != NONE && (part != s->places || ret_place->summed != s->summed))
        return slw_perf_stat_fail(s->path, row->line, row->column, SLW_E_FORMAT, err,
                                  "rows of one CPU, core or thread and rows of others in one file");
    s->places = part;
    s->summed = ret_place->summed;
    return 0;
}

static int place_row(struct slw_perf_stat *s, const struct slw_perf_row *row,
                     const struct slw_perf_event *e, const struct slw_perf_place *p,
                     struct slw_error *err)
{
    size_t occurrence = 0, slot = 0;
    int rc = count_occurrence(s, row->place, e, &occurrence);

    if (rc == 0)
        rc = find_slot(s, row, e, occurrence, &slot);
    if (rc == 0)
        rc = find_cell(s, slot, p, &s->last_cell);
    if (rc == -SLW_E_LIMIT)
        return slw_perf_stat_fail(s->path, row->line, row->column, SLW_E_LIMIT, err,
                                  "more than %d counts", SLW_MAX_COUNTS);
    return rc < 0 ? no_memory(err) : 0;
}

int slw_perf_stat_add(struct slw_perf_stat *s, const struct slw_perf_row *row,
                      struct slw_error *err)
{
    struct slw_perf_event event;
    struct reading reading = {.exact = true};
    struct slw_perf_place place = {.cpu = -1, .tid = -1};

    if (!slw_perf_event_parse(row->event, &event))
        return slw_perf_stat_fail(
            s->path, row->line, row->column, SLW_E_FORMAT, err, "'%.*s' is no event name",
            (int)(row->event.length < 64 ? row->event.length : 64), row->event.text);
    int rc = enter_interval(s, row, err);
    if (rc >= 0)
        rc = check_place(s, row, &place, err);
    if (rc >= 0)
        rc = read_covered(s, row->covered, row->line, row->column, &reading.covered_bp, err);
    if (rc >= 0)
        rc = read_running(s, row, &reading, err);
    if (rc >= 0)
        rc = read_value(s, row, &event, &reading, err);
    if (rc >= 0)
        rc = place_row(s, row, &event, &place, err);
    if (rc < 0)
        return rc;
    struct slw_perf_slot *slot = &s->slots[s->cells[s->last_cell].slot];
    if (s->cells[s->last_cell].rows == 0 && !reading.absent) {
        slot->covered_bp = reading.covered_bp;
        slot->counted = true;
    }
    return add_to_cell(s, row, s->last_cell, &reading, err);
}

int slw_perf_stat_cover(struct slw_perf_stat *s, struct slw_span covered, size_t line,
                        size_t column, struct slw_error *err)
{
    int bp = FULL_BP;
    int rc = s->last_cell == NONE ? slw_perf_stat_fail(s->path, line, column, SLW_E_FORMAT, err,
                                                       "a share of the time before the first count")
                                  : read_covered(s, covered, line, column, &bp, err);

    if (rc < 0)
        return rc;
    struct slw_perf_cell *c = &s->cells[s->last_cell];
    if (bp < c->covered_bp)
        c->covered_bp = bp;
    if (bp == 0 && !c->absent)
        c->absent = "not counted";
    if (c->rows == 1)
        s->slots[c->slot].covered_bp = bp;
    return 0;
}

/* ---- what stands around the rows ---- */

int slw_perf_stat_metric(struct slw_perf_stat *s, const struct slw_perf_metric *metric,
                         struct slw_error *err)
{
    struct slw_span name = slw_span_trim(metric->name);
    struct slw_perf_printed p = {.cell = NONE};
    struct slw_decimal d;
    char value[64];

    if (metric->value.length == 0 || name.length == 0 ||
        slw_decimal_parse(metric->value.text, metric->value.length, true, &d) !=
            metric->value.length)
        return 0;
    if (name.text[0] == '%') {
        p.unit = "%";
        name = slw_span_trim((struct slw_span){name.text + 1, name.length - 1});
    }
    /* "/sec", "M/sec": a rate of the count beside it, under no name. */
    const bool rate = name.length >= 4 && memcmp(name.text + name.length - 4, "/sec", 4) == 0;
    if (name.length == 0 || name.length > 128 || rate)
        return 0;
    slw_decimal_print(&d, value, sizeof(value));
    p.name = keep(s, name);
    p.value = slw_arena_strdup(s->arena, value);
    p.threshold = metric->threshold.length > 0 ? keep(s, metric->threshold) : NULL;
    p.cell = metric->beside ? s->last_cell : NONE;
    void *printed = s->printed;
    const bool room = grow(&printed, s->printed_count, sizeof(*s->printed));
    s->printed = printed;
    if (!room || !p.name || !p.value)
        return no_memory(err);
    if (p.cell != NONE)
        s->slots[s->cells[p.cell].slot].carries = true;
    s->printed[s->printed_count++] = p;
    return 0;
}

int slw_perf_stat_target(struct slw_perf_stat *s, struct slw_span target, struct slw_error *err)
{
    s->target = keep(s, target);
    return s->target ? 0 : no_memory(err);
}

static uint64_t nanoseconds(const struct slw_decimal *seconds)
{
    uint64_t ns = 0;
    bool exact;

    return slw_decimal_scale(seconds, 1000000000, &ns, &exact) ? ns : 0;
}

void slw_perf_stat_elapsed(struct slw_perf_stat *s, const struct slw_decimal *seconds)
{
    s->wall_ns = nanoseconds(seconds);
}

void slw_perf_stat_cpu_time(struct slw_perf_stat *s, bool user, const struct slw_decimal *seconds)
{
    if (user) {
        s->user_ns = nanoseconds(seconds);
        s->have_user = true;
    } else {
        s->system_ns = nanoseconds(seconds);
        s->have_system = true;
    }
}
